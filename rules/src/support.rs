//! What several rules share: CPU load over time, samples by thread, the warm-up of the JVM, and what
//! [`common`](super::common) has.

pub(super) use super::common::{SECOND, amount, rising, things as number, time};
use jfr_analyzers::events::{EVENT, FIRST, Facts, Group, GroupBy};
use jfr_analyzers::rule::Frame;
use jfrkit_profile::{StackId, only_waits};

/// The time that the JVM needs to load and compile what it uses; much that is unusual later is normal until then.
pub(super) const WARM_UP: i64 = 60 * SECOND;

/// The fields of `jdk.CPULoad` to read.
pub(super) const LOAD_FIELDS: &[&str] = &["jvmUser", "jvmSystem", "machineTotal"];

/// A load as a share of all CPUs; `None` for an invalid one (NaN, infinite, far outside 0 to 1).
pub(super) fn share(load: f64) -> Option<f64> {
    (-ROUNDING..=1.0 + ROUNDING).contains(&load).then(|| load.clamp(0.0, 1.0))
}

/// How far loads may be off: they are computed from rounded differences of clocks.
const ROUNDING: f64 = 0.05;

/// The load between two events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) from: i64,
    pub(super) to: i64,
    /// As a share of all hardware threads, 0 to 1.
    pub(super) user: f64,
    pub(super) system: f64,
    pub(super) machine: f64,
}

impl Load {
    pub(super) fn nanos(&self) -> f64 {
        self.to.saturating_sub(self.from) as f64
    }

    pub(super) fn jvm(&self) -> f64 {
        self.user + self.system
    }
}

/// The CPU load over time. An event covers the time since the previous one; the first, and one after a gap in the
/// recording, cover the usual interval.
pub(super) fn loads(facts: &Facts) -> Vec<Load> {
    let table = facts.table("jdk.CPULoad");
    let mut gaps: Vec<i64> = table
        .rows()
        .zip(table.rows().skip(1))
        .map(|(a, b)| b.start.saturating_sub(a.start))
        .filter(|g| *g > 0)
        .collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(SECOND);
    let mut before = i64::MIN;
    table
        .rows()
        .filter_map(|row| {
            let gap = row.start.saturating_sub(before);
            before = row.start;
            let gap = if gap > usual.saturating_mul(3) { usual } else { gap };
            let user = share(row.float("jvmUser")?)?;
            let system = share(row.float("jvmSystem")?)?.min(1.0 - user);
            // The machine is at least as busy as this JVM; old JDKs sometimes report less.
            let machine = row.float("machineTotal").and_then(share).unwrap_or(0.0).max(user + system);
            Some(Load { from: row.start.saturating_sub(gap), to: row.start, user, system, machine })
        })
        .collect()
}

/// The CPU time of the JVM in nanoseconds; `None` if the recording does not contain it. Loads are known only between
/// `jdk.CPULoad` events; the time before and after is assumed to have the same average load.
pub(super) fn jvm_cpu_nanos(facts: &Facts) -> Option<f64> {
    let loads = loads(facts);
    let threads = facts.hardware_threads()? as f64;
    let covered: f64 = loads.iter().map(Load::nanos).sum();
    let used = loads.iter().map(|l| l.jvm() * l.nanos()).sum::<f64>() * threads;
    (!loads.is_empty()).then(|| if covered > 0.0 { used * (facts.nanos() as f64 / covered).max(1.0) } else { used })
}

/// Like [`jvm_cpu_nanos`], in part of the recording.
pub(super) fn jvm_cpu_nanos_in(facts: &Facts, from: i64, to: i64) -> Option<f64> {
    let threads = facts.hardware_threads()? as f64;
    let (mut covered, mut used) = (0.0, 0.0);
    for load in loads(facts) {
        let inside = load.to.min(to).saturating_sub(load.from.max(from)).max(0) as f64;
        covered += inside;
        used += load.jvm() * inside * threads;
    }
    (covered > 0.0).then(|| used * (to.saturating_sub(from) as f64 / covered).max(1.0))
}

/// CPU samples of all profilers, by thread.
pub(super) const CPU_BY_THREAD: GroupBy =
    GroupBy::of(&["jdk.ExecutionSample", "jdk.CPUTimeSample", "datadog.ExecutionSample"])
        .by(&[EVENT, "sampledThread|eventThread"])
        .measure(&["weight"]);

/// How many samples a group represents: Datadog counts intervals in a weight.
pub(super) fn samples(group: &Group<'_>) -> f64 {
    group.sum("weight").max(group.count() as f64)
}

/// If a recording has several profilers, the one with the most samples: adding them up would count the same time
/// twice.
pub(super) fn main_sampler<'f>(groups: impl Iterator<Item = Group<'f>>) -> Vec<Group<'f>> {
    let mut by_event: Vec<(&str, f64, Vec<Group<'f>>)> = Vec::new();
    for group in groups {
        let event = group.text(EVENT).unwrap_or("");
        let count = samples(&group);
        match by_event.iter_mut().find(|(e, ..)| *e == event) {
            Some((_, sum, list)) => {
                *sum += count;
                list.push(group);
            }
            None => by_event.push((event, count, vec![group])),
        }
    }
    by_event.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(.., list)| list).unwrap_or_default()
}

/// Where a thread waits: the first application frame, or else the first frame that is not part of the waiting itself.
pub(super) fn place(facts: &Facts, stack: StackId) -> Option<Frame> {
    let outer = || facts.frames(stack).iter().copied().find(|f| !only_waits(facts.method(*f)));
    let frame = facts.application_frame(stack).or_else(outer)?;
    Some(facts.frame(frame))
}

/// When the JVM was warmed up: [`WARM_UP`] after its start, or after the start of the recording if that is unknown.
pub(super) fn warm(facts: &Facts) -> i64 {
    facts.jvm().start.unwrap_or_else(|| facts.start()).saturating_add(WARM_UP)
}

/// The name of a thread pool: the name of a thread without its numbers.
pub(super) fn pool_name(thread: &str) -> String {
    let mut name = String::with_capacity(thread.len());
    let mut number = false;
    for c in thread.chars() {
        if !c.is_ascii_digit() {
            name.push(c);
        } else if !number {
            name.push('*');
        }
        number = c.is_ascii_digit();
    }
    name
}

/// The `n` groups with the largest first measure.
pub(super) fn top(groups: Vec<Group<'_>>, n: usize) -> Vec<Group<'_>> {
    let mut groups: Vec<(f64, Group<'_>)> = groups.into_iter().map(|group| (group.sum(FIRST), group)).collect();
    groups.sort_by(|a, b| b.0.total_cmp(&a.0));
    groups.truncate(n);
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The median of some values.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The median of the slopes between all pairs of points, which is robust to outliers. For a few hundred points at
/// most.
pub(super) fn robust_slope(points: &[(f64, f64)]) -> Option<f64> {
    let pairs =
        points.iter().enumerate().flat_map(|(i, a)| points.iter().skip(i.saturating_add(1)).map(move |b| (a, b)));
    median(pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).filter(|s| s.is_finite()).collect())
}

/// The share of all pairs of points in which the later one is higher, 0 to 1: high for a noisy rise, low for a
/// sawtooth. For a few hundred points at most.
pub(super) fn ascending(points: &[(f64, f64)]) -> f64 {
    let (mut up, mut pairs) = (0u64, 0u64);
    for (i, a) in points.iter().enumerate() {
        for b in points.iter().skip(i.saturating_add(1)) {
            pairs = pairs.saturating_add(1);
            up = up.saturating_add(u64::from(b.1 > a.1));
        }
    }
    if pairs == 0 { 0.0 } else { up as f64 / pairs as f64 }
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Runs rules on the recordings of `fixtures/`.
    #![allow(clippy::unwrap_used)]

    use jfr_analyzers::rule::{AnalysisOptions, Severity, Verdict};

    /// The verdict of a rule on a recording in `fixtures/`, named without `.jfr.gz`.
    pub(crate) fn judge(id: &str, name: &str) -> Verdict {
        judge_file(id, &jfr_parse::testing::fixture(&format!("{name}.jfr.gz")))
    }

    fn judge_file(id: &str, path: &std::path::Path) -> Verdict {
        let recording = jfr_parse::Recording::open(path).unwrap();
        let mut options = AnalysisOptions::default();
        options.rules = vec![id.to_owned()];
        let report = crate::analysis().evaluate(&recording, &options).unwrap();
        let outcome = report.outcome(id).unwrap();
        assert!(!outcome.failed, "{:?}", outcome.verdict);
        outcome.verdict.clone()
    }

    /// The verdict of a rule on a recording of the shared corpus, which is not part of the project; `None` if it is
    /// missing.
    pub(crate) fn corpus(id: &str, name: &str) -> Option<Verdict> {
        jfr_parse::testing::corpus(name).map(|path| judge_file(id, &path))
    }

    /// Like [`judge`]; fails if the severity differs.
    pub(crate) fn expect(id: &str, name: &str, severity: Severity) -> Verdict {
        let verdict = judge(id, name);
        assert_eq!(verdict.severity, severity, "{id} of {name}: {}", verdict.summary);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_named_without_numbers() {
        assert_eq!(pool_name("pool-1-thread-25"), "pool-*-thread-*");
        assert_eq!(pool_name("main"), "main");
    }

    #[test]
    fn a_slope_tolerates_outliers() {
        let points: Vec<(f64, f64)> =
            (0..20u32).map(|i| (f64::from(i), if i == 7 { 1e9 } else { f64::from(i) * 3.0 })).collect();
        assert_eq!(robust_slope(&points), Some(3.0));
        assert_eq!(robust_slope(&[(1.0, 1.0)]), None);
        assert!(ascending(&points) > 0.9);
        let saw: Vec<(f64, f64)> = (0..50u32).map(|i| (f64::from(i), f64::from(i % 10))).collect();
        assert!(ascending(&saw) < 0.6);
        assert_eq!(rising(&[1.0, 2.0, 2.0, 3.0, 4.0]), 0.75);
    }
}
