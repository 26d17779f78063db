//! What parts of chunks contribute to the metrics.

use std::collections::BTreeMap;

use jfr_parse::ConstantKey;

use super::series::{Amounts, Samples, Steps};
use crate::events::parse_timespan;
use crate::hash::{HashMap, HashSet};

/// Amounts that are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    /// Bytes of TLABs and of allocations outside of TLABs.
    Tlab,
    /// Bytes represented by allocation samples.
    Sampled,
    /// Seconds of GC pauses.
    Pause,
    /// Garbage collections.
    Collections,
    /// Seconds waiting for monitors.
    Lock,
    /// Seconds of file I/O.
    File,
    /// Seconds of socket I/O.
    Socket,
    /// Seconds represented by samples in native code.
    Native,
    /// Seconds of CPU time represented by wall-clock samples.
    Cpu,
    /// Seconds of CPU time measured by samples.
    CpuTime,
    /// Exceptions and errors.
    Throws,
    /// Threads started.
    Starts,
    /// Seconds of VM operations at safepoints.
    Operations,
    /// Seconds from the beginning to the end of safepoints.
    Safepoints,
}

pub(super) const SUMS: usize = 14;

/// Values at points in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gauge {
    JvmCpu,
    MachineCpu,
    HeapAfter,
    HeapBefore,
    HeapCommitted,
    Metaspace,
    Resident,
    Threads,
    ThreadsStarted,
    Throwables,
    Classes,
    CompileSeconds,
    Switches,
}

pub(super) const GAUGES: usize = 13;

/// The contribution of a part of a chunk, of a chunk, or of several chunks.
///
/// Until the chunk is [settled](Part::settle), sums of times are in nanoseconds: the sum of integers does not depend on
/// how the chunk was split.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(super) sums: [Amounts; SUMS],
    pub(super) gauges: [Samples; GAUGES],
    /// CPU load of threads: time, thread, load.
    pub(super) threads: Vec<(i64, ConstantKey, f64)>,
    /// The number of hardware threads, and whether it is the number available to the process.
    pub(super) processors: Option<(f64, bool)>,
    /// The last value of each setting of the event types that are read.
    pub(super) settings: BTreeMap<(&'static str, String), String>,
    /// The number of events of each type that is read; 0 for a type that is only declared.
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// The time of the last event.
    pub(super) last: i64,
    /// The halves of safepoints whose other half was not read yet, by id.
    safepoints: HashMap<u64, Half>,
    /// The first sample of each thread, by key, and the largest other sample.
    pub(super) sampled_threads: HashMap<ConstantKey, First>,
    /// The keys of the threads that were started.
    pub(super) started: HashSet<ConstantKey>,
    /// The start time of the JVM.
    pub(super) jvm_start: Option<i64>,
    /// Whether allocation was taken from samples in some chunk, and from TLABs in some chunk.
    pub(super) sampled: bool,
    pub(super) tlab: bool,
}

/// The first sample of a thread. It represents everything that the thread allocated before, including before
/// the recording.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct First {
    pub(super) at: i64,
    pub(super) weight: f64,
    /// The largest weight among the other samples.
    pub(super) other: f64,
    any: bool,
}

impl First {
    #[inline]
    pub(super) fn add(&mut self, at: i64, weight: f64) {
        if !self.any || at < self.at {
            *self = Self { at, weight, other: if self.any { self.other.max(self.weight) } else { 0.0 }, any: true };
        } else {
            self.other = self.other.max(weight);
        }
    }

    /// Adds the samples of the same thread in a later part.
    fn merge(&mut self, later: Self) {
        let (first, second) = if later.at < self.at { (later, *self) } else { (*self, later) };
        *self = Self { other: first.other.max(second.other).max(second.weight), ..first };
    }

    /// How much it exceeds the weight of the thread's other samples.
    pub(super) fn excess(&self) -> f64 {
        (self.weight - self.other).max(0.0)
    }
}

/// Half of a safepoint: its beginning, or its end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Half {
    Begin(i64),
    End(i64),
}

impl Part {
    #[inline]
    pub(super) fn sum(&mut self, sum: Sum) -> &mut Amounts {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &mut self.sums[sum as usize]
    }

    #[inline]
    pub(super) fn gauge(&mut self, gauge: Gauge) -> &mut Samples {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &mut self.gauges[gauge as usize]
    }

    /// Subtracts an amount that was added in excess.
    pub(super) fn take(&mut self, sum: Sum, steps: Steps, at: i64, amount: f64) {
        self.sum(sum).take(steps, at, amount);
    }

    pub(super) fn amounts(&self, sum: Sum) -> &Amounts {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &self.sums[sum as usize]
    }

    pub(super) fn samples(&self, gauge: Gauge) -> &Samples {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &self.gauges[gauge as usize]
    }

    /// Sets the number of hardware threads. The number available to the process counts more than that of the machine.
    pub(super) fn processors(&mut self, number: f64, available: bool) {
        if number > 0.0 && self.processors.is_none_or(|(_, best)| available || !best) {
            self.processors = Some((number, available));
        }
    }

    /// Adds one half of a safepoint.
    pub(super) fn safepoint(&mut self, steps: Steps, id: u64, half: Half) {
        let (begin, end) = match (self.safepoints.remove(&id), half) {
            (Some(Half::Begin(begin)), Half::End(end)) | (Some(Half::End(end)), Half::Begin(begin)) => (begin, end),
            _ => {
                self.safepoints.insert(id, half);
                return;
            }
        };
        self.sum(Sum::Safepoints).spread(steps, begin.min(end), end.saturating_sub(begin).max(0));
    }

    /// Finishes a chunk: handles what depends on its settings, and which events measure the same. From then on, sums of
    /// times are in seconds.
    pub(super) fn settle(&mut self) {
        self.safepoints.clear();
        for sum in [Sum::Pause, Sum::Lock, Sum::File, Sum::Socket, Sum::Operations, Sum::Safepoints, Sum::CpuTime] {
            self.sum(sum).nanos_to_seconds();
        }
        let native = self.seconds(&[("jdk.NativeMethodSample", "period")]).unwrap_or(0.02);
        self.sum(Sum::Native).scale(native);
        let count = |name: &str| self.counts.get(name).copied().unwrap_or(0);
        let cpu = if count("jdk.CPUTimeSample") > 0 {
            std::mem::take(self.sum(Sum::CpuTime))
        } else if count("datadog.ExecutionSample") > 0 {
            let mut cpu = std::mem::take(self.sum(Sum::Cpu));
            cpu.scale(self.seconds(&[("datadog.ExecutionSample", "interval")]).unwrap_or(0.01));
            cpu
        } else {
            let period = self.seconds(&[("jdk.ExecutionSample", "period"), ("jdk.ExecutionSample", "interval")]);
            let mut cpu = std::mem::take(self.sum(Sum::Cpu));
            cpu.scale(period.filter(|seconds| *seconds > 0.0).unwrap_or(0.01));
            cpu
        };
        *self.sum(Sum::Cpu) = cpu;
        // Both kinds of events describe the same allocations.
        self.tlab = self.amounts(Sum::Tlab).count > 0;
        self.sampled = !self.tlab && self.amounts(Sum::Sampled).count > 0;
        if self.tlab {
            *self.sum(Sum::Sampled) = Amounts::default();
            self.sampled_threads.clear();
        }
    }

    /// The approximate size in bytes of what grows with the number of events.
    pub(super) fn bytes(&self) -> usize {
        let samples: usize = self.gauges.iter().map(Vec::len).sum();
        let bins: usize = self.sums.iter().map(|sum| sum.bins.len()).sum();
        let maps = self.safepoints.len().saturating_add(self.started.len()).saturating_add(self.sampled_threads.len());
        let words = samples.saturating_mul(2).saturating_add(bins).saturating_add(maps.saturating_mul(6));
        words.saturating_add(self.threads.len().saturating_mul(3)).saturating_mul(8)
    }

    /// The value of a setting.
    pub(super) fn setting(&self, event: &'static str, name: &str) -> Option<&str> {
        self.settings.get(&(event, name.to_owned())).map(String::as_str)
    }

    /// The first of these settings that is a duration, in seconds.
    fn seconds(&self, settings: &[(&'static str, &str)]) -> Option<f64> {
        settings.iter().find_map(|(event, name)| seconds(self.setting(event, name)?))
    }

    /// Adds the contribution of a later part or chunk.
    pub(super) fn merge(&mut self, steps: Steps, later: Self) {
        for (sum, more) in self.sums.iter_mut().zip(&later.sums) {
            sum.merge(more);
        }
        for (samples, more) in self.gauges.iter_mut().zip(later.gauges) {
            samples.extend(more);
        }
        self.threads.extend(later.threads);
        for (id, half) in later.safepoints {
            self.safepoint(steps, id, half);
        }
        for (thread, first) in later.sampled_threads {
            self.sampled_threads.entry(thread).and_modify(|known| known.merge(first)).or_insert(first);
        }
        self.started.extend(later.started);
        self.jvm_start = self.jvm_start.or(later.jvm_start);
        later.processors.into_iter().for_each(|(number, available)| self.processors(number, available));
        self.settings.extend(later.settings);
        for (name, count) in later.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.last = self.last.max(later.last);
        self.tlab |= later.tlab;
        self.sampled |= later.sampled;
    }
}

/// Parses the duration in a setting (`20 ms`, or nanoseconds) to seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    parse_timespan(text).map(|nanos| nanos as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_settings() {
        assert_eq!(seconds("20 ms"), Some(0.02));
        assert_eq!(seconds("10000000"), Some(0.01));
        assert_eq!(seconds("everyChunk"), None);
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let steps = Steps { start: 0, step: 1_000 };
        let samples = [(5, 10.0), (3, 40.0), (9, 20.0), (1, 30.0)];
        let halves = [(1, Half::End(50)), (2, Half::Begin(60)), (1, Half::Begin(40)), (2, Half::End(65))];
        let add = |part: &mut Part, range: std::ops::Range<usize>| {
            for (at, weight) in samples.get(range.clone()).unwrap_or_default() {
                part.sampled_threads.entry(ConstantKey(7)).or_default().add(*at, *weight);
            }
            for (id, half) in halves.get(range).unwrap_or_default() {
                part.safepoint(steps, *id, *half);
            }
        };
        for cut in 0..=samples.len() {
            let (mut first, mut second) = (Part::default(), Part::default());
            add(&mut first, 0..cut);
            add(&mut second, cut..samples.len());
            first.merge(steps, second);
            let known = first.sampled_threads.get(&ConstantKey(7)).copied().unwrap_or_default();
            assert_eq!((known.at, known.weight, known.other), (1, 30.0, 40.0), "cut at {cut}");
            let safepoints = first.amounts(Sum::Safepoints);
            assert_eq!((safepoints.total, safepoints.count), (15.0, 2), "cut at {cut}");
        }
    }
}
