//! The findings of `analyze` for every fixture and every recording of the corpus, as golden files: a changed
//! verdict shows up in review as changed lines.
//!
//! `JFRKIT_BLESS=1 cargo test -p jfrkit-testkit --test judgement` updates the golden files.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use jfr_analyzers::rule::{AnalysisOptions, Report, Section, Severity};
use jfr_parse::Recording;

/// The corpus directories that contain recordings.
const CORPUS: [&str; 5] = ["bench", "generated", "hard", "public", "wild"];

/// The problem planted in each scenario.
const PLANTED: &[(&str, Option<&str>)] = &[
    ("allocation-rate", Some("AllocationRate")),
    ("allocation-stalls", Some("AllocationStalls")),
    ("boxing", Some("BoxingOverhead")),
    ("busy-accept", Some("RegexOverhead")),
    ("busy-forkjoin", Some("LockContention")),
    ("busy-queue-consumer", Some("BusySpin")),
    ("busy-scheduled-pool", Some("LockContention")),
    ("busy-selector", Some("BusySpin")),
    ("busy-stdin", Some("ExceptionControlFlow")),
    ("code-cache", Some("CodeCacheNearFull")),
    ("connection-pool-wait", Some("ConnectionPoolWait")),
    ("cpu-saturation", Some("CpuSaturation")),
    ("deadlock", Some("Deadlock")),
    ("deserialization", Some("UnsafeDeserialization")),
    ("direct-buffers", Some("DirectBuffers")),
    ("exceptions-as-control-flow", Some("ExceptionControlFlow")),
    ("explicit-gc", Some("ExplicitGc")),
    ("failed-evacuation", Some("FailedEvacuation")),
    ("finalizers", Some("FinalizerBacklog")),
    ("future-breakage", Some("FutureBreakage")),
    ("healthy", None),
    ("heap-full", Some("HeapFull")),
    ("humongous", Some("HumongousAllocation")),
    ("idle-accept", None),
    ("idle-forkjoin", None),
    ("idle-queue-consumer", None),
    ("idle-scheduled-pool", None),
    ("idle-selector", None),
    ("idle-stdin", None),
    ("kernel-time", Some("KernelTimeShare")),
    ("leak", Some("HeapLeakForecast")),
    ("lock-contention", Some("LockContention")),
    ("lock-convoy", Some("LockConvoy")),
    ("logging-blocks", Some("LoggingBlocks")),
    ("metaspace-leak", Some("MetaspaceChurn")),
    ("native-memory", Some("NativeMemoryGrowth")),
    ("oom-error", Some("SeriousErrors")),
    ("oversized-pool", Some("OversizedThreadPool")),
    ("pinned-virtual-threads", Some("VirtualThreadPinned")),
    ("recompilation", Some("DeoptimizationStorm")),
    ("regex-hot", Some("RegexOverhead")),
    ("repeated-requests", Some("RepeatedRequests")),
    ("safepoint-slow", Some("SlowSafepoint")),
    ("secrets", Some("SecretsInConfiguration")),
    ("serialization", Some("SerializationOverhead")),
    ("slow-peer", Some("IoWait")),
    ("small-io", Some("SmallIo")),
    ("spin", Some("BusySpin")),
    ("stuck-threads", Some("StuckThreads")),
    ("thread-churn", Some("ThreadChurn")),
    ("tls-weak", Some("WeakCrypto")),
    ("virtual-thread-backlog", Some("VirtualThreadBacklog")),
    ("vm-operations", Some("VmOperationShare")),
];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All possible recordings in a directory and below, sorted by path.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains(".jfr") && !name.ends_with(".json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The findings for these recordings in display order, one paragraph per recording, with paths relative to
/// `root`.
fn findings(root: &Path, paths: &[PathBuf]) -> String {
    let analysis = jfrkit_rules::analysis();
    let mut text = String::new();
    for path in paths {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let report = Recording::open(path).ok().and_then(|r| analysis.evaluate(&r, &AnalysisOptions::default()).ok());
        writeln!(text, "{name}").unwrap();
        match report {
            None => writeln!(text, "  cannot be read").unwrap(),
            Some(report) => {
                for found in &report.findings {
                    let section = found.section.name();
                    write!(text, "  {:<7}  {section:<11}  {}", found.severity.name(), found.id).unwrap();
                    if !found.also.is_empty() {
                        write!(text, " (also {})", found.also.join(", ")).unwrap();
                    }
                    if let Some(cause) = &found.because_of {
                        write!(text, " because of {cause}").unwrap();
                    }
                    writeln!(text).unwrap();
                }
            }
        }
    }
    text
}

/// Compares with a golden file, paragraph by paragraph.
fn compare(golden: &str, now: &str) {
    let path = here("tests/judgement").join(golden);
    if std::env::var_os("JFRKIT_BLESS").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let before = std::fs::read_to_string(&path).unwrap();
    let differences: Vec<String> = before
        .lines()
        .zip(now.lines())
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(i, (a, b))| format!("line {}: {a:?} is now {b:?}", i + 1))
        .take(5)
        .collect();
    assert!(
        before == now,
        "{golden} differs ({} lines, now {}); if the change is intended, run with JFRKIT_BLESS=1 and look at \
         the diff:\n{}",
        before.lines().count(),
        now.lines().count(),
        differences.join("\n")
    );
}

/// What users see of a rule, in the words of `tests/judgement.md`.
fn shown(report: &Report, rule: &str) -> String {
    for finding in &report.findings {
        if finding.id == rule {
            return match finding.section {
                Section::Program => finding.severity.name().to_owned(),
                other => other.name().to_owned(),
            };
        }
        if finding.also.iter().any(|also| also == rule) {
            return format!("told by {}", finding.id);
        }
    }
    "nothing".to_owned()
}

/// Every warning reported before findings had a cost, and every warning of JMC, is judged in
/// `tests/judgement.md`.
#[test]
fn every_warning_is_judged() {
    let table = std::fs::read_to_string(here("../tests/judgement.md")).unwrap();
    let mut judged: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for line in table.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| Recording")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, recording, rule, now, why, _] = cells.as_slice() else { unreachable!("{line}") };
        assert!(why.len() > 4, "{line}");
        judged.insert((recording, rule), now);
    }
    let analysis = jfrkit_rules::analysis();
    let mut wrong = Vec::new();
    for (root, prefix, before) in [
        (Some(jfr_parse::testing::fixture("")), "fixtures/", include_str!("judgement/before-fixtures.txt")),
        (jfr_parse::testing::corpus(""), "", include_str!("judgement/before-corpus.txt")),
    ] {
        let Some(root) = root else { continue };
        let mut warnings: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut name = "";
        for line in before.lines() {
            match line.strip_prefix("  warning") {
                Some(rule) => warnings.entry(name).or_default().push(rule.trim()),
                None if !line.starts_with(' ') => {
                    name = line;
                    warnings.entry(name).or_default();
                }
                None => {}
            }
        }
        for (name, before) in warnings {
            let Ok(recording) = Recording::open(root.join(name)) else { continue };
            let Ok(report) = analysis.evaluate(&recording, &AnalysisOptions::default()) else { continue };
            let jmc = report.rules.iter().filter(|o| o.jmc_severity == Some(Severity::Warning)).map(|o| &*o.rule.id);
            let path = format!("{prefix}{name}");
            for rule in before.iter().copied().chain(jmc) {
                let (said, now) = (judged.get(&(path.as_str(), rule)), shown(&report, rule));
                if said != Some(&now.as_str()) {
                    wrong.push(format!("{path}: {rule} is {now}, tests/judgement.md says {said:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// At most half of the recordings have a warning about the program, and there is no more than one per recording
/// on average.
#[test]
fn warnings_are_few() {
    let golden = include_str!("judgement/corpus.txt");
    let (mut recordings, mut warned, mut warnings) = (0, 0, 0);
    let mut here = 0;
    for line in golden.lines().filter(|l| !l.contains("cannot be read")).chain(["end"]) {
        if line.starts_with(' ') {
            here += usize::from(line.contains("warning  program"));
        } else {
            (warned, warnings) = (warned + usize::from(here > 0), warnings + here);
            (recordings, here) = (recordings + 1, 0);
        }
    }
    assert!(warned * 2 <= recordings && warnings <= recordings, "{warnings} warnings in {warned} of {recordings}");
}

#[test]
fn the_planted_problem_is_the_first_finding_of_every_scenario() {
    let golden = include_str!("judgement/fixtures.txt");
    let mut lines = golden.lines().peekable();
    let mut planted = PLANTED.iter();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("scenarios/").and_then(|l| l.strip_suffix(".jfr.gz")) else { continue };
        let (scenario, rule) = planted.next().unwrap();
        assert_eq!(name, *scenario);
        let mut rest = lines.clone().take_while(|l| l.starts_with(' '));
        if name.starts_with("busy-") {
            // Other findings may have a higher cost.
            assert!(rest.any(|l| l.split_whitespace().nth(2) == *rule), "{name}");
            continue;
        }
        // There must be no finding about a program that waits for work, but there may be one about the
        // recording.
        let first = lines.peek().filter(|l| l.starts_with(' ') && (rule.is_some() || !l.contains("  recording  ")));
        assert_eq!(first.and_then(|l| l.split_whitespace().nth(2)), *rule, "{name}");
    }
    assert_eq!(planted.next(), None);
}

#[test]
fn the_fixtures_have_these_findings() {
    let root = here("../fixtures");
    compare("fixtures.txt", &findings(&root, &files(&root)));
}

#[test]
fn the_corpus_has_these_findings() {
    let Some(root) = jfr_parse::testing::corpus("") else { return };
    let paths: Vec<PathBuf> =
        CORPUS.iter().map(|f| root.join(f)).filter(|f| f.is_dir()).flat_map(|f| files(&f)).collect();
    compare("corpus.txt", &findings(&root, &paths));
}
