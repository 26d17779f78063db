//! Turns sums and samples into metrics: values, points, and explanations.

use super::part::{Gauge, Part, Sum, seconds};
use super::read::Reader;
use super::series::{Samples, growth, mean_by_time, points, speeds};
use super::{Metric, Metrics, Point, Unit};
use jfr_parse::{EpochNanos, Nanos};

/// A JVM that started at most this many nanoseconds before its recording started with it.
const AT_START: i64 = 2_000_000_000;

/// A metric under construction.
struct Making {
    metric: Metric,
}

/// The data from which metrics are computed.
struct Finish<'r> {
    reader: &'r Reader,
    part: Part,
    end: i64,
}

impl Reader {
    /// Computes the metrics from the merged chunks of a recording with `bytes` bytes.
    pub(crate) fn finish(&self, mut part: Part, bytes: usize) -> Metrics {
        for samples in &mut part.gauges {
            samples.sort_by_key(|&(at, _)| at);
        }
        part.threads.sort_by_key(|&(at, ..)| at);
        self.without_past(&mut part);
        let end = self.end.unwrap_or(self.start).max(if self.end.is_some() { i64::MIN } else { part.last });
        let finish = Finish { reader: self, part, end: end.max(self.start.saturating_add(1)) };
        let mut metrics = vec![
            finish.cpu_cores(),
            finish.cpu_machine(),
            finish.allocation(),
            finish.pause_share(),
            finish.pause_max(),
            finish.collections(),
            finish.last(
                "heap.after_gc",
                "Heap after GC",
                Gauge::HeapAfter,
                "jdk.GCHeapSummary",
                "heap in use after the last collection",
            ),
            finish.last(
                "heap.committed",
                "Heap committed",
                Gauge::HeapCommitted,
                "jdk.GCHeapSummary",
                "heap committed at the last collection",
            ),
            finish.last(
                "metaspace.used",
                "Metaspace",
                Gauge::Metaspace,
                "jdk.MetaspaceSummary",
                "metaspace in use at the last collection",
            ),
            finish.last(
                "rss",
                "Resident memory",
                Gauge::Resident,
                "jdk.ResidentSetSize",
                "resident memory of the process, last sample",
            ),
            finish.threads(),
            finish.threads_started(),
            finish.exceptions(),
            finish.waits("lock.wait", "Waiting for monitors", Sum::Lock, &["jdk.JavaMonitorEnter"]),
            finish.waits("file.time", "File I/O", Sum::File, &["jdk.FileRead", "jdk.FileWrite", "jdk.FileForce"]),
            finish.waits("socket.time", "Socket I/O", Sum::Socket, &["jdk.SocketRead", "jdk.SocketWrite"]),
            finish.native(),
            finish.last(
                "classes.loaded",
                "Classes loaded",
                Gauge::Classes,
                "jdk.ClassLoadingStatistics",
                "classes loaded since the start of the JVM, last sample",
            ),
            finish.compilation(),
            finish.safepoints(),
            finish.switches(),
        ];
        let how = "decompressed size of the recording";
        metrics.push(Metric::known("upload.bytes", "Size of the recording", Unit::Bytes, how, bytes as f64));
        Metrics {
            start_nanos: EpochNanos(self.start),
            end_nanos: EpochNanos(finish.end),
            step_nanos: Nanos(self.steps.step),
            metrics,
        }
    }

    /// The first sample of a thread represents everything it allocated since it started or since its previous
    /// sample. For a thread that is older than the recording, part of that was before the recording. Its weight
    /// is therefore limited to that of the largest other sample.
    fn without_past(&self, part: &mut Part) {
        // If the JVM started during the recording, nothing was allocated before it.
        if part.jvm_start.is_some_and(|start| start.saturating_add(AT_START) > self.start) {
            return;
        }
        let threads: Vec<_> = part
            .sampled_threads
            .iter()
            .filter(|(thread, _)| !part.started.contains(*thread))
            .map(|(_, first)| *first)
            .collect();
        for first in threads {
            part.take(Sum::Sampled, self.steps, first.at, first.excess());
        }
    }
}

impl Making {
    fn new(name: &'static str, title: &'static str, unit: Unit) -> Self {
        Self { metric: Metric::unknown(name, title, unit, "") }
    }

    fn known(mut self, value: f64, points: Vec<Point>, how: impl Into<String>) -> Metric {
        (self.metric.value, self.metric.reason) = (Some(value), None);
        (self.metric.points, self.metric.how) = (points, how.into());
        self.metric
    }

    fn unknown(mut self, reason: impl Into<String>) -> Metric {
        self.metric.reason = Some(reason.into());
        self.metric
    }
}

impl Finish<'_> {
    /// How many seconds were recorded.
    fn window(&self) -> f64 {
        self.end.saturating_sub(self.reader.start).saturating_sub(self.reader.gaps).max(1) as f64 / 1e9
    }

    /// The number of exceptions since the JVM started; if it started with the recording, the first value is 0.
    fn throwables(&self) -> Samples {
        let samples = self.samples(Gauge::Throwables);
        let zero = self.part.jvm_start.filter(|start| {
            *start > self.reader.start.saturating_sub(AT_START) && samples.first().is_some_and(|(at, _)| at > start)
        });
        zero.map(|start| (start, 0.0)).into_iter().chain(samples.iter().copied()).collect()
    }

    fn samples(&self, gauge: Gauge) -> &Samples {
        self.part.samples(gauge)
    }

    fn points(&self, samples: &[(i64, f64)]) -> Vec<Point> {
        points(samples, self.reader.steps)
    }

    fn rates(&self, sum: Sum, per: f64) -> Vec<Point> {
        self.part.amounts(sum).rates(self.reader.steps, self.end, per)
    }

    fn count(&self, event: &str) -> u64 {
        self.part.counts.get(event).copied().unwrap_or(0)
    }

    /// Why there are no events of these types, unless none occurred.
    fn why_none(&self, events: &[&'static str]) -> Option<String> {
        let list = events.join(", ");
        let first = events.first().copied().unwrap_or_default();
        if !events.iter().any(|event| self.part.counts.contains_key(*event)) {
            return Some(format!("no {list}: the JVM or the profiler does not record it"));
        }
        let settings = || events.iter().filter_map(|event| self.part.setting(event, "enabled"));
        if settings().any(|value| value == "true") {
            return None;
        }
        let off = settings().any(|value| value == "false");
        let state = if off { "disabled" } else { "not recorded" };
        Some(format!(
            "{list} {}: {first}#enabled=true",
            if events.len() == 1 { format!("is {state}") } else { format!("are {state}") }
        ))
    }

    /// What hides some of the events: the thresholds and throttles in effect.
    fn hidden(&self, events: &[&'static str]) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        for event in events {
            if let Some(threshold) = self.part.setting(event, "threshold")
                && seconds(threshold).is_some_and(|seconds| seconds > 0.0)
            {
                parts.push(format!("only {event} events of at least {threshold}"));
            }
            if let Some(throttle) =
                self.part.setting(event, "throttle").filter(|throttle| !matches!(*throttle, "off" | ""))
            {
                parts.push(format!("only a sample of {event} events ({throttle})"));
            }
        }
        if parts.is_empty() { None } else { Some(parts.join(", ")) }
    }

    fn cpu_cores(&self) -> Metric {
        let making = Making::new("cpu.cores", "CPU cores", Unit::Cores);
        let load = self.samples(Gauge::JvmCpu);
        let Some((processors, available)) = self.part.processors else {
            return self.cpu_of_samples(making, "the recording does not contain the number of processors");
        };
        let of = if available { "datadog.AvailableProcessorCores" } else { "jdk.CPUInformation" };
        if let Some(mean) = mean_by_time(load, self.reader.start) {
            let cores: Samples = load.iter().map(|&(at, value)| (at, value * processors)).collect();
            let how = format!(
                "time-weighted mean of jvmUser + jvmSystem in {} jdk.CPULoad samples × {processors} processors ({of})",
                load.len()
            );
            return making.known(mean * processors, self.points(&cores), how);
        }
        if !self.part.threads.is_empty() {
            let mut before = std::collections::HashMap::new();
            let mut used: Vec<(i64, f64)> = Vec::new();
            for &(at, thread, value) in &self.part.threads {
                let since = before.insert(thread, at).unwrap_or(self.reader.start);
                used.push((at, value * processors * at.saturating_sub(since).max(0) as f64 / 1e9));
            }
            let total: f64 = used.iter().map(|(_, seconds)| seconds).sum();
            let mut amounts = super::series::Amounts::default();
            for (at, seconds) in used {
                amounts.add(self.reader.steps, at, seconds);
            }
            let how = format!(
                "time-weighted user + system of jdk.ThreadCPULoad of all threads × {processors} processors ({of})"
            );
            let points = amounts.rates(self.reader.steps, self.end, 1.0);
            return making.known(total / self.window(), points, how);
        }
        self.cpu_of_samples(making, "no jdk.CPULoad and no jdk.ThreadCPULoad")
    }

    fn cpu_of_samples(&self, making: Making, why: &str) -> Metric {
        let cpu = self.part.amounts(Sum::Cpu);
        if cpu.count == 0 {
            return making.unknown(format!("{why}, and no CPU samples: jdk.CPULoad#enabled=true"));
        }
        let how = format!("CPU time of {} samples ÷ {:.1} s; {why}", cpu.count, self.window());
        making.known(cpu.total / self.window(), self.rates(Sum::Cpu, 1.0), how).at_least(true)
    }

    fn cpu_machine(&self) -> Metric {
        let making = Making::new("cpu.machine", "CPU of the machine", Unit::Ratio);
        let load = self.samples(Gauge::MachineCpu);
        match mean_by_time(load, self.reader.start) {
            Some(mean) => making.known(mean, self.points(load), "time-weighted mean of machineTotal of jdk.CPULoad"),
            None => making
                .unknown(self.why_none(&["jdk.CPULoad"]).unwrap_or_else(|| "no jdk.CPULoad was written yet".into())),
        }
    }

    fn allocation(&self) -> Metric {
        let making = Making::new("alloc.rate", "Memory Allocation", Unit::BytesPerSecond);
        let (tlab, sampled) = (self.part.amounts(Sum::Tlab), self.part.amounts(Sum::Sampled));
        let bytes = tlab.total + sampled.total;
        if tlab.count + sampled.count > 0 {
            let mut points = self.rates(Sum::Tlab, 1.0);
            for (point, more) in points.iter_mut().zip(self.rates(Sum::Sampled, 1.0)) {
                point.min += more.min;
                point.mean += more.mean;
                point.max += more.max;
            }
            let what = match (self.part.tlab, self.part.sampled) {
                (true, false) => format!("{} TLABs and allocations outside of them", tlab.count),
                (false, _) => format!(
                    "the weights of {} samples, limiting the first sample of threads older than the recording",
                    sampled.count
                ),
                (true, true) => {
                    format!("{} TLABs, and of the weights of {} samples elsewhere", tlab.count, sampled.count)
                }
            };
            return making.known(bytes / self.window(), points, format!("bytes of {what} ÷ {:.1} s", self.window()));
        }
        // Heap before each collection minus heap after the previous one.
        let mut heap: Vec<(i64, bool, f64)> = Vec::new();
        heap.extend(self.samples(Gauge::HeapBefore).iter().map(|&(at, used)| (at, false, used)));
        heap.extend(self.samples(Gauge::HeapAfter).iter().map(|&(at, used)| (at, true, used)));
        heap.sort_by_key(|&(at, after, _)| (at, !after));
        let (mut amounts, mut after) = (super::series::Amounts::default(), None);
        for (at, is_after, used) in heap {
            if is_after {
                after = Some(used);
            } else if let Some(after) = after.take() {
                amounts.add(self.reader.steps, at, f64::max(used - after, 0.0));
            }
        }
        if amounts.count > 0 {
            let how = format!(
                "heap before each collection minus heap after the previous one, {} times, ÷ {:.1} s",
                amounts.count,
                self.window()
            );
            let points = amounts.rates(self.reader.steps, self.end, 1.0);
            return making.known(amounts.total / self.window(), points, how).at_least(true);
        }
        let events = ["jdk.ObjectAllocationSample", "jdk.ObjectAllocationInNewTLAB"];
        let reason =
            self.why_none(&events).unwrap_or_else(|| "no allocation was recorded, and no two collections".into());
        making.unknown(reason)
    }

    fn pause_share(&self) -> Metric {
        let making = Making::new("gc.pause.share", "GC pauses, share", Unit::Ratio);
        let pauses = self.part.amounts(Sum::Pause);
        match self.why_none(&["jdk.GCPhasePause"]).filter(|_| pauses.count == 0) {
            Some(reason) => making.unknown(reason),
            None => {
                let how = format!(
                    "{:.6} s of {} pauses (jdk.GCPhasePause) ÷ {:.1} s",
                    pauses.total,
                    pauses.count,
                    self.window()
                );
                making.known(pauses.total / self.window(), self.rates(Sum::Pause, 1.0), how)
            }
        }
    }

    fn pause_max(&self) -> Metric {
        let making = Making::new("gc.pause.max", "Longest GC pause", Unit::Seconds);
        let pauses = self.part.amounts(Sum::Pause);
        match self.why_none(&["jdk.GCPhasePause"]).filter(|_| pauses.count == 0) {
            Some(reason) => making.unknown(reason),
            None => {
                making.known(pauses.max, Vec::new(), format!("longest of {} pauses (jdk.GCPhasePause)", pauses.count))
            }
        }
    }

    fn collections(&self) -> Metric {
        let making = Making::new("gc.count", "Collections", Unit::PerMinute);
        let collections = self.part.amounts(Sum::Collections);
        match self.why_none(&["jdk.GarbageCollection"]).filter(|_| collections.count == 0) {
            Some(reason) => making.unknown(reason),
            None => {
                let how =
                    format!("{} collections (jdk.GarbageCollection) in {:.1} s", collections.count, self.window());
                making.known(collections.total / self.window() * 60.0, self.rates(Sum::Collections, 60.0), how)
            }
        }
    }

    fn last(&self, name: &'static str, title: &'static str, gauge: Gauge, event: &'static str, how: &str) -> Metric {
        let unit = if gauge == Gauge::Classes { Unit::Count } else { Unit::Bytes };
        let making = Making::new(name, title, unit);
        let samples = self.samples(gauge);
        match samples.last() {
            Some(&(_, value)) => making.known(value, self.points(samples), format!("{how} ({event})")),
            None => {
                let none = || format!("{event} is enabled, but no events were recorded");
                making.unknown(self.why_none(&[event]).unwrap_or_else(none))
            }
        }
    }

    fn threads(&self) -> Metric {
        let making = Making::new("threads", "Threads", Unit::Count);
        let samples = self.samples(Gauge::Threads);
        match mean_by_time(samples, self.reader.start) {
            Some(mean) => making.known(
                mean,
                self.points(samples),
                "time-weighted mean of activeCount of jdk.JavaThreadStatistics",
            ),
            None => making.unknown(
                self.why_none(&["jdk.JavaThreadStatistics"])
                    .unwrap_or_else(|| "no jdk.JavaThreadStatistics was written yet".into()),
            ),
        }
    }

    fn threads_started(&self) -> Metric {
        let making = Making::new("threads.started", "Threads started", Unit::PerSecond);
        let samples = self.samples(Gauge::ThreadsStarted);
        if let Some((started, seconds)) = growth(samples) {
            let how = format!("growth of accumulatedCount of jdk.JavaThreadStatistics, {started} in {seconds:.1} s");
            return making.known(started / seconds, self.points(&speeds(samples)), how);
        }
        let starts = self.part.amounts(Sum::Starts);
        match self.why_none(&["jdk.ThreadStart"]).filter(|_| starts.count == 0) {
            Some(reason) => making.unknown(reason),
            None => {
                let how = format!("{} jdk.ThreadStart events in {:.1} s", starts.count, self.window());
                making.known(starts.total / self.window(), self.rates(Sum::Starts, 1.0), how)
            }
        }
    }

    fn exceptions(&self) -> Metric {
        let making = Making::new("exceptions", "Exceptions", Unit::PerSecond);
        let samples = self.throwables();
        let throws = self.part.amounts(Sum::Throws);
        let recorded = throws.total / self.window();
        // Exceptions before the first sample and after the last are not in the growth, but may be recorded.
        if let Some((thrown, seconds)) = growth(&samples)
            && thrown / seconds >= recorded
        {
            let how = format!("growth of throwables of jdk.ExceptionStatistics, {thrown} in {seconds:.1} s");
            return making.known(thrown / seconds, self.points(&speeds(&samples)), how);
        }
        if throws.count == 0 {
            let reason = self.why_none(&["jdk.ExceptionStatistics"]);
            return making
                .unknown(reason.unwrap_or_else(|| "fewer than two samples of jdk.ExceptionStatistics".into()));
        }
        let why = if samples.len() < 2 {
            "no two samples of jdk.ExceptionStatistics"
        } else {
            "the growth of jdk.ExceptionStatistics is smaller, because it is counted from the first sample on"
        };
        let how = format!("{} exceptions recorded in {:.1} s; {why}", throws.count, self.window());
        making.known(recorded, self.rates(Sum::Throws, 1.0), how).at_least(true)
    }

    fn waits(&self, name: &'static str, title: &'static str, sum: Sum, events: &[&'static str]) -> Metric {
        let making = Making::new(name, title, Unit::SecondsPerSecond);
        let waits = self.part.amounts(sum);
        if let Some(reason) = self.why_none(events).filter(|_| waits.count == 0) {
            return making.unknown(reason);
        }
        let hidden = self.hidden(events);
        let mut how =
            format!("{:.6} s of {} events ({}) ÷ {:.1} s", waits.total, waits.count, events.join(", "), self.window());
        if let Some(hidden) = &hidden {
            how += "; ";
            how += hidden;
        }
        making.known(waits.total / self.window(), self.rates(sum, 1.0), how).at_least(hidden.is_some())
    }

    fn native(&self) -> Metric {
        let making = Making::new("native.time", "Time in native code", Unit::SecondsPerSecond);
        let native = self.part.amounts(Sum::Native);
        match self.why_none(&["jdk.NativeMethodSample"]).filter(|_| native.count == 0) {
            Some(reason) => making.unknown(reason),
            None => {
                let how = format!(
                    "{} samples in native code (jdk.NativeMethodSample), {:.1} s, ÷ {:.1} s; the JVM samples one thread at a time",
                    native.count,
                    native.total,
                    self.window()
                );
                making.known(native.total / self.window(), self.rates(Sum::Native, 1.0), how).at_least(true)
            }
        }
    }

    fn compilation(&self) -> Metric {
        let making = Making::new("compile.time", "Compilation", Unit::SecondsPerSecond);
        let samples = self.samples(Gauge::CompileSeconds);
        match growth(samples) {
            Some((spent, seconds)) => {
                let how = format!("growth of totalTimeSpent of jdk.CompilerStatistics, {spent:.3} s in {seconds:.1} s");
                making.known(spent / seconds, self.points(&speeds(samples)), how)
            }
            None => making.unknown(
                self.why_none(&["jdk.CompilerStatistics"])
                    .unwrap_or_else(|| "fewer than two samples of jdk.CompilerStatistics".into()),
            ),
        }
    }

    fn safepoints(&self) -> Metric {
        let making = Making::new("safepoint.share", "Safepoints, share", Unit::Ratio);
        let (safepoints, operations) = (self.part.amounts(Sum::Safepoints), self.part.amounts(Sum::Operations));
        if safepoints.count > 0 {
            let how = format!(
                "{:.6} s of {} safepoints, from begin to end, ÷ {:.1} s",
                safepoints.total,
                safepoints.count,
                self.window()
            );
            return making.known(safepoints.total / self.window(), self.rates(Sum::Safepoints, 1.0), how);
        }
        let events = ["jdk.ExecuteVMOperation"];
        if let Some(reason) = self.why_none(&events).filter(|_| self.count("jdk.ExecuteVMOperation") == 0) {
            return making.unknown(reason);
        }
        let hidden = self.hidden(&events).map(|hidden| format!("; {hidden}")).unwrap_or_default();
        let how = format!(
            "{:.6} s of {} operations at safepoints (jdk.ExecuteVMOperation) ÷ {:.1} s; excludes the time to reach them{hidden}",
            operations.total,
            operations.count,
            self.window()
        );
        making.known(operations.total / self.window(), self.rates(Sum::Operations, 1.0), how).at_least(true)
    }

    fn switches(&self) -> Metric {
        let making = Making::new("context_switches", "Context switches", Unit::PerSecond);
        let samples = self.samples(Gauge::Switches);
        match mean_by_time(samples, self.reader.start) {
            Some(mean) => making.known(
                mean,
                self.points(samples),
                "time-weighted mean of switchRate of jdk.ThreadContextSwitchRate, for the whole machine",
            ),
            None => making.unknown(
                self.why_none(&["jdk.ThreadContextSwitchRate"])
                    .unwrap_or_else(|| "no jdk.ThreadContextSwitchRate was written yet".into()),
            ),
        }
    }
}
