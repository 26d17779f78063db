//! The CPU time of the JVM according to its own counters, for comparison with the samples.
//!
//! At each tick the JDK samples only a few threads, and none in native code without Java frames, so `jdk.ExecutionSample`
//! covers part of the CPU time. `jdk.CPULoad` has the CPU use of the whole JVM, `jdk.ThreadCPULoad` that of each thread.

use std::collections::BTreeMap;

use jfr_parse::ConstantKey;

/// Maximum loads to keep of a chunk and of a recording: one per second for days.
pub(super) const MAX_LOADS: usize = 1 << 18;

/// Loads over time, as shares of all hardware threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loads {
    /// Time in nanoseconds since the Unix epoch, and the user and system load since the previous event.
    pub(super) jvm: Vec<(i64, f64)>,
    /// The same for threads, by their key in the chunk. The JVM checks all threads periodically, and a thread when it ends.
    /// There is no event if the thread used less than a millisecond since the last check.
    pub(super) threads: BTreeMap<ConstantKey, Vec<(i64, f64)>>,
    /// Start times of threads, by their key in the chunk.
    pub(super) starts: BTreeMap<ConstantKey, i64>,
    /// End times of threads, by their key in the chunk.
    pub(super) ends: BTreeMap<ConstantKey, i64>,
    /// The number of hardware threads.
    pub(super) hardware_threads: Option<u64>,
}

/// The total of user and system load, as a share of all hardware threads; `None` if it is impossible.
pub(crate) fn load(user: f64, system: f64) -> Option<f64> {
    let load = user + system;
    // The clock differences are rounded.
    (-0.05..=1.05).contains(&load).then(|| load.clamp(0.0, 1.0))
}

impl Loads {
    /// Adds the loads of a later chunk. Thread loads are dropped, because keys differ between chunks.
    pub(super) fn append(&mut self, later: Self) {
        let room = MAX_LOADS.saturating_sub(self.jvm.len());
        self.jvm.extend(later.jvm.into_iter().take(room));
        self.hardware_threads = self.hardware_threads.or(later.hardware_threads);
    }

    /// The CPU time used by the JVM in nanoseconds; `None` if it was not recorded.
    pub(super) fn used(&self) -> Option<f64> {
        let hardware = self.hardware_threads.filter(|n| *n > 0)? as f64;
        let mut loads = self.jvm.clone();
        loads.sort_by_key(|(at, _)| *at);
        let gaps = || loads.iter().zip(loads.iter().skip(1)).map(|(a, b)| b.0.saturating_sub(a.0));
        let mut sorted: Vec<i64> = gaps().filter(|gap| *gap > 0).collect();
        sorted.sort_unstable();
        let usual = sorted.get(sorted.len() / 2).copied()?;
        // The first load, and one after a gap in the recording, covers the usual interval.
        let lengths =
            std::iter::once(usual).chain(gaps().map(|gap| if gap > usual.saturating_mul(3) { usual } else { gap }));
        Some(loads.iter().zip(lengths).map(|((_, load), nanos)| load * nanos as f64).sum::<f64>() * hardware)
    }

    /// The factors by which to multiply the CPU time of samples, for each thread. `sampled` is the sampled CPU time of each
    /// thread, `from` and `to` are the time range of the chunk.
    pub(super) fn scale(&self, sampled: &BTreeMap<ConstantKey, i64>, from: i64, to: i64) -> Scale {
        let all: f64 = sampled.values().map(|nanos| *nanos as f64).sum();
        let mut scale = Scale { threads: BTreeMap::new(), others: 1.0 };
        let hardware = self.hardware_threads.unwrap_or(0) as f64;
        if self.threads.is_empty() {
            if let Some(used) = self.used().filter(|used| *used > 0.0 && all > 0.0) {
                scale.others = used / all;
            }
            return scale;
        }
        let ticks = self.ticks();
        let mut used: BTreeMap<ConstantKey, f64> = BTreeMap::new();
        for thread in sampled.iter().filter(|(_, nanos)| **nanos > 0).map(|(thread, _)| thread) {
            let Some(loads) = self.threads.get(thread) else { continue };
            let nanos = self.used_by(*thread, loads, &ticks, from, to) * hardware;
            if nanos > 0.0 {
                used.insert(*thread, nanos);
            }
        }
        // Threads cannot use more CPU time than the JVM.
        let sum: f64 = used.values().sum();
        let bound = self.used().filter(|all| *all > 0.0 && sum > *all).map_or(1.0, |all| all / sum);
        for (thread, nanos) in used {
            if let Some(sampled) = sampled.get(&thread) {
                scale.threads.insert(thread, nanos * bound / *sampled as f64);
            }
        }
        scale
    }

    /// When the JVM checked all threads: the times that several threads share.
    fn ticks(&self) -> Vec<i64> {
        let mut all: Vec<i64> = self.threads.values().flatten().map(|(at, _)| *at).collect();
        all.sort_unstable();
        let mut ticks: Vec<i64> =
            all.iter().zip(all.iter().skip(1)).filter(|(a, b)| a == b).map(|(at, _)| *at).collect();
        ticks.dedup();
        ticks
    }

    /// The CPU use of a thread within a chunk, as a share of all hardware threads multiplied by nanoseconds.
    fn used_by(&self, thread: ConstantKey, loads: &[(i64, f64)], ticks: &[i64], from: i64, to: i64) -> f64 {
        let first = self.starts.get(&thread).map_or(from, |start| from.max(*start));
        let (mut used, mut before) = (0.0, first);
        for (at, load) in loads {
            let place = ticks.partition_point(|tick| tick < at);
            let tick = place.checked_sub(1).and_then(|place| ticks.get(place)).copied().unwrap_or(first);
            used += load * at.saturating_sub(before.max(tick)).max(0) as f64;
            before = before.max(*at);
        }
        // There are no loads yet after the last tick. Assume that a thread that is still alive continued as before.
        let last = ticks.last().is_none_or(|tick| *tick <= before);
        if let Some((_, load)) = loads.last().filter(|_| last && !self.ends.contains_key(&thread)) {
            used += load * to.saturating_sub(before).max(0) as f64;
        }
        used
    }
}

/// The factors for the CPU time of samples; see [`Loads::scale`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    threads: BTreeMap<ConstantKey, f64>,
    others: f64,
}

impl Scale {
    /// Scales the sampled nanoseconds of a thread.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    pub(super) fn apply(&self, thread: ConstantKey, nanos: i64) -> i64 {
        (nanos as f64 * self.threads.get(&thread).copied().unwrap_or(self.others)).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn thread(key: u64) -> ConstantKey {
        ConstantKey(key)
    }

    fn loads() -> Loads {
        let jvm = (1..=10).map(|i| (i * SECOND, 0.5)).collect();
        Loads { jvm, hardware_threads: Some(4), ..Loads::default() }
    }

    #[test]
    fn the_jvm_used_its_share_of_all_hardware_threads() {
        assert_eq!(loads().used(), Some(20e9));
        // Nothing is known about the time between two joined recordings.
        let mut joined = loads();
        joined.jvm.extend((1_001..=1_010).map(|i| (i * SECOND, 0.5)));
        assert_eq!(joined.used(), Some(40e9));
        assert_eq!(Loads { hardware_threads: None, ..loads() }.used(), None);
        assert_eq!(Loads { jvm: Vec::new(), ..loads() }.used(), None);
        assert_eq!((load(f64::NAN, 0.0), load(0.4, 0.1), load(f64::INFINITY, 0.0)), (None, Some(0.5), None));
    }

    #[test]
    fn samples_are_scaled_per_thread_or_overall() {
        let sampled = BTreeMap::from([(thread(1), 4 * SECOND), (thread(2), SECOND)]);
        let scale = loads().scale(&sampled, 0, 10 * SECOND);
        assert_eq!((scale.apply(thread(1), 1_000), scale.apply(thread(2), 1_000)), (4_000, 4_000));
        // A quarter of four hardware threads for 10 s, and an eighth from 4 s, when the thread started, to 5 s, when it ended.
        let mut by_thread = loads();
        by_thread.threads.insert(thread(1), vec![(5 * SECOND, 0.25), (10 * SECOND, 0.25)]);
        by_thread.threads.insert(thread(2), vec![(5 * SECOND, 0.125)]);
        by_thread.starts.insert(thread(2), 4 * SECOND);
        by_thread.ends.insert(thread(2), 5 * SECOND);
        let scale = by_thread.scale(&sampled, 0, 10 * SECOND);
        assert_eq!(
            (scale.apply(thread(1), 4_000), scale.apply(thread(2), 1_000), scale.apply(thread(3), 7)),
            (10_000, 500, 7)
        );
    }

    #[test]
    fn a_load_covers_the_time_since_the_last_check() {
        let mut loads = loads();
        // Ticks at 2, 4, 6 and 8 s, as shown by the first thread and others. Until 6 s, the second used too little to be recorded; it
        // continues until the end of the chunk.
        loads.threads.insert(thread(1), (1..=4).map(|i| (2 * i * SECOND, 0.25)).collect());
        loads.threads.insert(thread(3), (1..=4).map(|i| (2 * i * SECOND, 0.01)).collect());
        loads.threads.insert(thread(2), vec![(8 * SECOND, 0.25)]);
        let sampled = BTreeMap::from([(thread(1), SECOND), (thread(2), SECOND)]);
        let scale = loads.scale(&sampled, 0, 9 * SECOND);
        assert_eq!((scale.apply(thread(1), 1_000), scale.apply(thread(2), 1_000)), (9_000, 3_000));
    }

    #[test]
    fn threads_do_not_use_more_than_the_jvm() {
        let mut loads = loads();
        for number in 1..=4 {
            loads.threads.insert(thread(number), (1..=10).map(|i| (i * SECOND, 0.25)).collect());
        }
        let sampled = (1..=4).map(|number| (thread(number), SECOND)).collect();
        // Four threads sampled for 10 s each, in a JVM that used 20 s.
        assert_eq!(loads.scale(&sampled, 0, 10 * SECOND).apply(thread(1), 1_000), 5_000);
    }
}
