//! How busy the JVM and the machine were, by `jdk.CPULoad`.

use crate::time::SECOND;
use jfr_analyzers::events::Facts;

/// The fields of `jdk.CPULoad` to read.
pub(crate) const LOAD_FIELDS: &[&str] = &["jvmUser", "jvmSystem", "machineTotal"];

/// A load as a share of all CPUs; `None` for an invalid one (NaN, infinite, far outside 0 to 1).
pub(crate) fn valid_share(load: f64) -> Option<f64> {
    (-ROUNDING..=1.0 + ROUNDING).contains(&load).then(|| load.clamp(0.0, 1.0))
}

/// How far loads may be off: they are computed from rounded differences of clocks.
const ROUNDING: f64 = 0.05;

/// The load between two events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// As a share of all hardware threads, 0 to 1.
    pub(crate) user: f64,
    pub(crate) system: f64,
    pub(crate) machine: f64,
}

impl Load {
    pub(crate) fn nanos(&self) -> f64 {
        self.to.saturating_sub(self.from) as f64
    }

    pub(crate) fn jvm(&self) -> f64 {
        self.user + self.system
    }
}

/// The CPU load over time. An event covers the time since the previous one; the first, and one after a gap in the
/// recording, cover the usual interval.
pub(crate) fn loads(facts: &Facts) -> Vec<Load> {
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
            let user = valid_share(row.float("jvmUser")?)?;
            let system = valid_share(row.float("jvmSystem")?)?.min(1.0 - user);
            // The machine is at least as busy as this JVM; old JDKs sometimes report less.
            let machine = row.float("machineTotal").and_then(valid_share).unwrap_or(0.0).max(user + system);
            Some(Load { from: row.start.saturating_sub(gap), to: row.start, user, system, machine })
        })
        .collect()
}

/// The CPU time of the JVM in nanoseconds; `None` if the recording does not contain it. Loads are known only between
/// `jdk.CPULoad` events; the time before and after is assumed to have the same average load.
pub(crate) fn jvm_cpu_nanos(facts: &Facts) -> Option<f64> {
    let loads = loads(facts);
    let threads = facts.hardware_threads()? as f64;
    let covered: f64 = loads.iter().map(Load::nanos).sum();
    let used = loads.iter().map(|l| l.jvm() * l.nanos()).sum::<f64>() * threads;
    (!loads.is_empty()).then(|| if covered > 0.0 { used * (facts.nanos() as f64 / covered).max(1.0) } else { used })
}

/// Like [`jvm_cpu_nanos`], in part of the recording.
pub(crate) fn jvm_cpu_nanos_in(facts: &Facts, from: i64, to: i64) -> Option<f64> {
    let threads = facts.hardware_threads()? as f64;
    let (mut covered, mut used) = (0.0, 0.0);
    for load in loads(facts) {
        let inside = load.to.min(to).saturating_sub(load.from.max(from)).max(0) as f64;
        covered += inside;
        used += load.jvm() * inside * threads;
    }
    (covered > 0.0).then(|| used * (to.saturating_sub(from) as f64 / covered).max(1.0))
}
