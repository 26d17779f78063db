//! No rule is too slow: each is evaluated on recordings generated from its declared needs.
//!
//! Time is the CPU time of the thread as reported by Linux, so that other load on the machine does not matter.
//! Units of `jfr_parse::work` are counted as well, for systems without such a clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::{Duration, Instant};

use jfr_analyzers::rule::{Analysis, AnalysisError, AnalysisOptions, Rule, Text};
use jfr_parse::{Error, OpenOptions, Recording, Stop, work};
use jfrkit_testkit::wants::{Contents, JdkMetadata, recording};

/// Number of events of each type; the larger recording has four times as many.
const EVENTS: u64 = 8_000;
const TIMES: u64 = 4;
/// Four times the events may take this much longer, which allows for sorting, caches and inexact clocks.
const TIME_RATIO: f64 = 8.0;
/// The limit for work, which is exact.
const WORK_RATIO: f64 = 5.6;
/// Smaller efforts cannot be compared.
const ENOUGH: (Duration, u64) = (Duration::from_millis(150), 400_000);
/// How often an effort must be too large to fail, because the clock of a thread includes refilling caches on a busy machine.
const TRIES: usize = 6;

/// CPU time of this thread, or wall-clock time if the system does not report it.
fn cpu(begin: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|n| n.parse().ok());
    nanos.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

struct Effort {
    time: Duration,
    units: u64,
}

fn effort(analysis: &Analysis, bytes: &[u8]) -> Effort {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        let begin = Instant::now();
        let before = cpu(begin);
        let recording = Recording::from_bytes(bytes, &jfr_parse::Limits::intake()).unwrap();
        let (report, units) = work::count(|| analysis.evaluate(&recording, &AnalysisOptions::default()).unwrap());
        let time = cpu(begin).saturating_sub(before);
        assert!(report.rules.iter().all(|outcome| !outcome.failed), "{:?}", report.rules);
        Effort { time, units }
    })
}

fn alone(rule: Box<dyn Rule>) -> (Text, Analysis) {
    let id = rule.info().id;
    let mut analysis = Analysis::empty();
    analysis.push(rule);
    (id, analysis)
}

/// What is wrong with the effort for `large`, compared with that for the smaller recording. Timing is noisy,
/// but a slow rule is slow again.
fn too_much(
    analysis: &Analysis,
    small: impl Fn() -> Vec<u8>,
    large: &[u8],
    enough: (Duration, u64),
    slack: f64,
) -> Option<String> {
    let small = std::cell::LazyCell::new(small);
    let look = || {
        let after = effort(analysis, large);
        if after.time < enough.0 && after.units < enough.1 {
            return None;
        }
        let before = effort(analysis, &small);
        let time = after.time.as_secs_f64() / before.time.as_secs_f64().max(1e-9);
        let work = after.units as f64 / before.units.max(1) as f64;
        let slow = after.time > enough.0 && time > TIME_RATIO * slack;
        let much = after.units > enough.1 && work > WORK_RATIO * slack;
        (slow || much).then(|| {
            format!("{:?} and {} units, then {:?} and {} units", before.time, before.units, after.time, after.units)
        })
    };
    (0..TRIES).map(|_| look()).collect::<Option<Vec<_>>>()?.pop()
}

#[test]
fn each_rule_takes_time_in_proportion_to_its_events() {
    let jdk = JdkMetadata::new();
    let mut failed = Vec::new();
    for (id, analysis) in jfrkit_rules::builtin().into_iter().map(alone) {
        let needs = analysis.rules().next().unwrap().needs();
        for contents in [Contents::Distinct, Contents::Large] {
            let of = |events| recording(&jdk, &needs, events, contents);
            if let Some(wrong) = too_much(&analysis, || of(EVENTS), &of(TIMES * EVENTS), ENOUGH, 1.0) {
                failed.push(format!("{id}, {contents:?}: {wrong}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Many events may refer to one text, which is stored once.
#[test]
fn a_long_text_is_examined_once() {
    // Longer texts are rejected.
    let long = jfr_parse::Limits::intake().string_bytes;
    let jdk = JdkMetadata::new();
    let mut failed = Vec::new();
    for (id, analysis) in jfrkit_rules::builtin().into_iter().map(alone) {
        let needs = analysis.rules().next().unwrap().needs();
        let of = |events| recording(&jdk, &needs, events, Contents::Long(long));
        // The input hardly grows, so the effort must not grow eightfold. Comparing or hashing the text once for each event
        // takes 40 ms.
        if let Some(wrong) = too_much(&analysis, || of(50), &of(400), (Duration::from_millis(30), ENOUGH.1), 0.4) {
            failed.push(format!("{id}: {wrong}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn rules_end_once_the_stop_is_raised() {
    let jdk = JdkMetadata::new();
    let bytes = {
        let all =
            jfrkit_rules::builtin().iter().fold(jfr_analyzers::events::Needs::new(), |all, rule| all.and(rule.needs()));
        recording(&jdk, &all, 200, Contents::Distinct)
    };
    let opened = OpenOptions::new().from_bytes(&bytes[..]).unwrap();
    let mut options = AnalysisOptions::default();
    options.stop = Stop::after(Duration::from_millis(20));
    let began = Instant::now();
    let result = jfrkit_rules::analysis().evaluate(&opened, &options);
    assert!(matches!(result, Err(AnalysisError::Read(Error::Stopped))));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// Raises the stop, and then iterates over all events.
struct Stopping(Stop, std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Rule for Stopping {
    fn info(&self) -> jfr_analyzers::rule::RuleInfo {
        jfr_analyzers::rule::RuleInfo::own("Stopping")
    }

    fn needs(&self) -> jfr_analyzers::events::Needs {
        const READS: jfr_analyzers::events::GroupBy =
            jfr_analyzers::events::GroupBy::of(&["jdk.FileRead"]).by(&["path"]);
        jfr_analyzers::events::Needs::new().table("jdk.FileRead", &["path"]).groups(READS)
    }

    fn evaluate(
        &self,
        facts: &jfr_analyzers::events::Facts,
        _: &jfr_analyzers::rule::Settings,
    ) -> jfr_analyzers::rule::Verdict {
        let (table, groups) = (facts.table("jdk.FileRead"), self.needs());
        assert!(table.rows().count() == 500 && !groups.events().is_empty());
        self.0.raise();
        self.1.store(table.rows().count(), std::sync::atomic::Ordering::Relaxed);
        jfr_analyzers::rule::Verdict::ok("done")
    }
}

#[test]
fn tables_are_empty_once_the_stop_is_raised() {
    let mut options = AnalysisOptions::default();
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(usize::MAX));
    let rule = Stopping(options.stop.clone(), seen.clone());
    let bytes = recording(&JdkMetadata::new(), &rule.needs(), 500, Contents::Distinct);
    let opened = OpenOptions::new().from_bytes(&bytes[..]).unwrap();
    options.rules.push("Stopping".to_owned());
    let result = Analysis::empty().with_rule(rule).unwrap().evaluate(&opened, &options);
    assert!(matches!(result, Err(AnalysisError::Read(Error::Stopped))), "{result:?}");
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 0);
}
