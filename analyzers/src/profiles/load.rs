//! The CPU time that the JVM used by its own count, beside what its samples add up to.
//!
//! The JDK samples a few threads at each tick, and none in native code that holds no Java frame, so `jdk.ExecutionSample` adds up to
//! a part of the CPU time. `jdk.CPULoad` says what the JVM used in all, `jdk.ThreadCPULoad` what each thread did.

use std::collections::BTreeMap;

/// Loads that are kept of a chunk, and of a recording: one a second for days.
pub(super) const MAX_LOADS: usize = 1 << 18;

/// Loads over time, as shares of all hardware threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loads {
    /// When, nanoseconds since the Unix epoch, and user and system load since the one before.
    pub(super) jvm: Vec<(i64, f64)>,
    /// The same of threads, by their key in the chunk.
    pub(super) threads: BTreeMap<u64, Vec<(i64, f64)>>,
    /// How many hardware threads there are.
    pub(super) hardware_threads: Option<u64>,
}

/// A load of this many hardware threads; `None` for what is none.
pub(super) fn load(user: f64, system: f64) -> Option<f64> {
    let load = user + system;
    // Rounded differences of clocks.
    (-0.05..=1.05).contains(&load).then(|| load.clamp(0.0, 1.0))
}

impl Loads {
    /// Adds those of a later chunk. Threads have other keys there.
    pub(super) fn append(&mut self, later: Self) {
        let room = MAX_LOADS.saturating_sub(self.jvm.len());
        self.jvm.extend(later.jvm.into_iter().take(room));
        self.hardware_threads = self.hardware_threads.or(later.hardware_threads);
    }

    /// The CPU time that the JVM used, nanoseconds; `None` where the recording does not say.
    pub(super) fn used(&self) -> Option<f64> {
        let hardware = self.hardware_threads.filter(|n| *n > 0)? as f64;
        let mut loads = self.jvm.clone();
        loads.sort_by_key(|(at, _)| *at);
        let gaps = || loads.iter().zip(loads.iter().skip(1)).map(|(a, b)| b.0.saturating_sub(a.0));
        let mut sorted: Vec<i64> = gaps().filter(|gap| *gap > 0).collect();
        sorted.sort_unstable();
        let usual = sorted.get(sorted.len() / 2).copied()?;
        // The first, and one after a gap in the recording, is of as much time as is usual.
        let lengths =
            std::iter::once(usual).chain(gaps().map(|gap| if gap > usual.saturating_mul(3) { usual } else { gap }));
        Some(loads.iter().zip(lengths).map(|((_, load), nanos)| load * nanos as f64).sum::<f64>() * hardware)
    }

    /// By what the CPU time of samples is to be multiplied, by thread: `sampled` is what it adds up to for each, in a chunk of this
    /// time.
    pub(super) fn scale(&self, sampled: &BTreeMap<u64, i64>, from: i64, to: i64) -> Scale {
        let all: f64 = sampled.values().map(|nanos| *nanos as f64).sum();
        let mut scale = Scale { threads: BTreeMap::new(), others: 1.0 };
        let hardware = self.hardware_threads.unwrap_or(0) as f64;
        if self.threads.is_empty() {
            if let Some(used) = self.used().filter(|used| *used > 0.0 && all > 0.0) {
                scale.others = used / all;
            }
            return scale;
        }
        for (thread, nanos) in sampled.iter().filter(|(_, nanos)| **nanos > 0) {
            let Some(loads) = self.threads.get(thread) else { continue };
            let (mut used, mut before) = (0.0, from);
            for (at, load) in loads {
                used += load * at.saturating_sub(before).max(0) as f64 * hardware;
                before = before.max(*at);
            }
            // What is behind the last of them is taken to go on as it was.
            let (covered, length) = (before.saturating_sub(from) as f64, to.saturating_sub(from) as f64);
            let used = if covered > 0.0 { used * (length / covered).clamp(1.0, 2.0) } else { used };
            if used > 0.0 {
                scale.threads.insert(*thread, used / *nanos as f64);
            }
        }
        scale
    }
}

/// What [`Loads::scale`] says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    threads: BTreeMap<u64, f64>,
    others: f64,
}

impl Scale {
    /// Nanoseconds of samples of a thread, scaled.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    pub(super) fn apply(&self, thread: u64, nanos: i64) -> i64 {
        (nanos as f64 * self.threads.get(&thread).copied().unwrap_or(self.others)).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn loads() -> Loads {
        let jvm = (1..=10).map(|i| (i * SECOND, 0.5)).collect();
        Loads { jvm, threads: BTreeMap::new(), hardware_threads: Some(4) }
    }

    #[test]
    fn the_jvm_used_its_share_of_all_hardware_threads() {
        assert_eq!(loads().used(), Some(20e9));
        // Nobody knows of the time between two recordings that are joined.
        let mut joined = loads();
        joined.jvm.extend((1_001..=1_010).map(|i| (i * SECOND, 0.5)));
        assert_eq!(joined.used(), Some(40e9));
        assert_eq!(Loads { hardware_threads: None, ..loads() }.used(), None);
        assert_eq!(Loads { jvm: Vec::new(), ..loads() }.used(), None);
        assert_eq!((load(f64::NAN, 0.0), load(0.4, 0.1), load(f64::INFINITY, 0.0)), (None, Some(0.5), None));
    }

    #[test]
    fn samples_are_scaled_to_what_threads_used_or_to_all() {
        let sampled = BTreeMap::from([(1, 4 * SECOND), (2, SECOND)]);
        let scale = loads().scale(&sampled, 0, 10 * SECOND);
        assert_eq!((scale.apply(1, 1_000), scale.apply(2, 1_000)), (4_000, 4_000));
        let mut by_thread = loads();
        // A quarter of four hardware threads for ten seconds, and half of that which is known for five.
        by_thread.threads.insert(1, vec![(5 * SECOND, 0.25), (10 * SECOND, 0.25)]);
        by_thread.threads.insert(2, vec![(5 * SECOND, 0.125)]);
        let scale = by_thread.scale(&sampled, 0, 10 * SECOND);
        assert_eq!((scale.apply(1, 4_000), scale.apply(2, 1_000), scale.apply(3, 7)), (10_000, 5_000, 7));
    }
}
