//! The Firefox Profiler's processed format, through the crate `fxprof-processed-profile`.
//!
//! Samples of the first type become thread samples on the timeline. Activities (I/O, locks, waits, class loads) and exceptions
//! become markers with stacks, allocations become allocation samples of the process, and other types get separate threads.
//! Profiles without times are laid out one sample after another: trees and flame graphs are right, but the timeline means nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use fxprof_processed_profile::{
    CategoryColor, CategoryHandle, CpuDelta, Frame, FrameFlags, FrameInfo, MarkerFieldFlags, MarkerFieldFormat,
    MarkerLocations, MarkerTiming, ProcessHandle, Profile, ReferenceTimestamp, SamplingInterval, StackHandle,
    StaticSchemaMarker, StaticSchemaMarkerField, StringHandle, ThreadHandle, Timestamp, WeightType,
};
use jfrkit_profile::Cancel;
use jfrkit_profile::any::{AnySample, TIME_LABELS};
use jfrkit_profile::tree::FrameKind;

use super::Typed;

/// Types whose samples have a duration, with the name of their markers.
const LASTING: [(&str, &str); 9] = [
    ("file-io", "File I/O"),
    ("socket-io", "Socket I/O"),
    ("lock", "Lock"),
    ("park", "Park"),
    ("wait", "Wait"),
    ("sleep", "Sleep"),
    ("pinned", "Pinned"),
    ("class-load", "Class load"),
    ("native-lock", "Native lock"),
];

/// A marker with a text.
struct Happened {
    name: StringHandle,
    text: StringHandle,
    category: CategoryHandle,
}

impl StaticSchemaMarker for Happened {
    const UNIQUE_MARKER_TYPE_NAME: &'static str = "jfrkit";
    const LOCATIONS: MarkerLocations =
        MarkerLocations::MARKER_CHART.union(MarkerLocations::MARKER_TABLE).union(MarkerLocations::TIMELINE_OVERVIEW);
    const CHART_LABEL: Option<&'static str> = Some("{marker.data.text}");
    const TABLE_LABEL: Option<&'static str> = Some("{marker.name} {marker.data.text}");
    const FIELDS: &'static [StaticSchemaMarkerField] = &[StaticSchemaMarkerField {
        key: "text",
        label: "What",
        format: MarkerFieldFormat::String,
        flags: MarkerFieldFlags::SEARCHABLE,
    }];

    fn name(&self, _: &mut Profile) -> StringHandle {
        self.name
    }

    fn category(&self, _: &mut Profile) -> CategoryHandle {
        self.category
    }

    fn string_field_value(&self, _: u32) -> StringHandle {
        self.text
    }

    fn number_field_value(&self, _: u32) -> f64 {
        0.0
    }
}

/// A profile under construction.
struct Maker {
    profile: Profile,
    process: ProcessHandle,
    /// Threads by name and, except for the first type, by the title of the type.
    threads: BTreeMap<(String, String), ThreadHandle>,
    first: Option<ThreadHandle>,
    categories: Vec<(FrameKind, CategoryHandle)>,
    waiting: CategoryHandle,
    /// The reference time, in nanoseconds since the Unix epoch.
    start: i64,
    next_id: u32,
}

impl Maker {
    fn new(name: &str, start: i64, interval: u64) -> Self {
        let epoch = Duration::from_nanos(u64::try_from(start).unwrap_or(0));
        let reference = ReferenceTimestamp::from_duration_since_unix_epoch(epoch);
        let mut profile = Profile::new(name, reference, SamplingInterval::from_nanos(interval.max(1)));
        profile.set_symbolicated(true);
        let process = profile.add_process(name, 1, Timestamp::from_nanos_since_reference(0));
        let kinds = [
            (FrameKind::Java, "Java", CategoryColor::Yellow),
            (FrameKind::Native, "Native", CategoryColor::Blue),
            (FrameKind::Kernel, "Kernel", CategoryColor::Orange),
            (FrameKind::Vm, "JVM", CategoryColor::Green),
            (FrameKind::Python, "Python", CategoryColor::Yellow),
            (FrameKind::Go, "Go", CategoryColor::LightBlue),
            (FrameKind::JavaScript, "JavaScript", CategoryColor::Yellow),
        ];
        let categories = kinds.map(|(kind, name, color)| (kind, profile.add_category(name, color)));
        let waiting = profile.add_category("Waiting", CategoryColor::Purple);
        Self {
            profile,
            process,
            threads: BTreeMap::new(),
            first: None,
            categories: categories.to_vec(),
            waiting,
            start,
            next_id: 1_000_000,
        }
    }

    fn time(&self, nanos: i64) -> Timestamp {
        Timestamp::from_nanos_since_reference(u64::try_from(nanos.saturating_sub(self.start)).unwrap_or(0))
    }

    fn thread(&mut self, name: &str, of: &str, id: Option<i64>) -> ThreadHandle {
        let key = (name.to_owned(), of.to_owned());
        if let Some(known) = self.threads.get(&key) {
            return *known;
        }
        let id = id.filter(|_| of.is_empty()).and_then(|id| u32::try_from(id).ok()).unwrap_or_else(|| {
            self.next_id += 1;
            self.next_id
        });
        // The viewer would show a main thread under the name of the process.
        let thread = self.profile.add_thread(self.process, id, Timestamp::from_nanos_since_reference(0), false);
        let shown = if name.is_empty() { "all threads" } else { name };
        let shown = if of.is_empty() { shown.to_owned() } else { format!("{shown} · {of}") };
        self.profile.set_thread_name(thread, &shown);
        self.profile.set_thread_show_markers_in_timeline(thread, true);
        self.threads.insert(key, thread);
        self.first.get_or_insert(thread);
        thread
    }

    fn stack(&mut self, thread: ThreadHandle, of: &Typed<'_>, sample: &AnySample<'_>) -> Option<StackHandle> {
        let mut frames = Vec::new();
        for &location in sample.locations.iter().rev() {
            for shown in of.frames(location) {
                let kind = match FrameKind::guess(&shown.name, shown.file, "") {
                    FrameKind::Native if is_java(of) => FrameKind::Java,
                    kind => kind,
                };
                let category = self.categories.iter().find(|(known, _)| *known == kind).map(|(_, handle)| *handle);
                let name = self.profile.intern_string(&shown.name);
                frames.push(FrameInfo {
                    frame: Frame::Label(name),
                    category_pair: category.unwrap_or(CategoryHandle::OTHER).into(),
                    flags: FrameFlags::empty(),
                });
            }
        }
        self.profile.intern_stack_frames(thread, frames.into_iter())
    }

    fn marker(
        &mut self,
        thread: ThreadHandle,
        timing: MarkerTiming,
        name: &str,
        text: &str,
        stack: Option<StackHandle>,
    ) {
        let (name, text) = (self.profile.intern_string(name), self.profile.intern_string(text));
        let marker = Happened { name, text, category: self.waiting };
        let marker = self.profile.add_marker(thread, timing, marker);
        self.profile.set_marker_stack(thread, marker, stack);
    }
}

/// Whether the profile is from a JVM.
fn is_java(of: &Typed<'_>) -> bool {
    let mut systems = of.profile.functions.iter().take(100).map(|f| of.profile.texts.get(f.system_name));
    systems.any(|system| system.starts_with('('))
}

/// The sample's labels on one line, except those for thread and time.
fn about(of: &Typed<'_>, sample: &AnySample<'_>) -> String {
    let texts = &of.profile.texts;
    let skip = |key: &str| key.contains("thread") || TIME_LABELS.contains(&key);
    let labels = sample.labels.iter().filter(|label| !skip(texts.get(label.key)));
    let shown: Vec<String> = labels
        .map(|label| match texts.get(label.text) {
            "" => format!("{} {}", texts.get(label.key), label.number),
            text => text.to_owned(),
        })
        .collect();
    shown.join(", ")
}

/// Maximum samples that a single one is split into, enough for two terabytes.
const MOST_PARTS: usize = 1_024;

/// Splits an amount into weights of at most 31 bits each.
fn weights(mut amount: i64) -> impl Iterator<Item = i32> {
    std::iter::from_fn(move || {
        let part = i32::try_from(amount.min(i64::from(i32::MAX))).unwrap_or(i32::MIN);
        amount = amount.saturating_sub(i64::from(part));
        (part > 0).then_some(part)
    })
    .take(MOST_PARTS)
}

/// Writes profile types for the Firefox Profiler (<https://profiler.firefox.com>), as gzipped JSON. The first type provides the
/// thread samples; the markers and counters of its profile are written too.
///
/// # Errors
/// Errors of `out`, or an error if `cancel` is raised.
pub fn write_firefox(types: &[Typed<'_>], name: &str, out: impl Write, cancel: &Cancel) -> io::Result<()> {
    let first = types.first();
    let nanos = |of: &Typed<'_>| {
        let period = of.profile.period_type.is_some_and(|of_type| {
            let unit = of.profile.texts.get(of_type.unit);
            unit == "nanoseconds"
        });
        period.then_some(of.profile.period).filter(|period| *period > 0)
    };
    let interval = first.and_then(nanos).and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or(1_000_000);
    let start = types.iter().map(|of| of.profile.time_nanos).filter(|time| *time > 0).min().unwrap_or(0);
    let mut maker = Maker::new(name, start, interval);
    let mut step = 0_u64;
    for (place, of) in types.iter().enumerate() {
        let timed = of.has_times();
        let lasting = LASTING.iter().find(|(kind, _)| *kind == of.kind && timed && place > 0).map(|(_, name)| *name);
        let lasts = of.values.iter().copied().rev().find(|&at| of.value(at).1 == "nanoseconds");
        let main = of.main();
        let unit = of.value(main).1.to_owned();
        let mut samples: Vec<AnySample<'_>> = of.samples().collect();
        if timed {
            samples.sort_by_key(|sample| of.time(sample));
        }
        for (i, sample) in samples.iter().enumerate() {
            if i.is_multiple_of(1 << 10) {
                cancel.check().map_err(io::Error::other)?;
            }
            let (thread, id) = (of.thread(sample), of.thread_id(sample));
            let time = of.time(sample).filter(|_| timed);
            if let (Some(name), Some(from)) = (lasting, time) {
                let handle = maker.thread(&thread, "", id);
                let stack = maker.stack(handle, of, sample);
                let to = from.saturating_add(lasts.map_or(0, |at| of.amount(sample, at)));
                let timing = MarkerTiming::Interval(maker.time(from), maker.time(to));
                maker.marker(handle, timing, name, &about(of, sample), stack);
            } else if let (true, Some(at)) = (of.kind == "error" && place > 0, time) {
                let handle = maker.thread(&thread, "", id);
                let stack = maker.stack(handle, of, sample);
                let timing = MarkerTiming::Instant(maker.time(at));
                maker.marker(handle, timing, "Exception", &about(of, sample), stack);
            } else if let (true, Some(at)) = (of.kind == "alloc" && place > 0, time) {
                // The format has one thread for the allocations of a process: the first one. The crate moves them there but not
                // their stacks, so they have to be stacks of that thread.
                let handle = maker.thread(&thread, "", id);
                let handle = maker.first.unwrap_or(handle);
                let stack = maker.stack(handle, of, sample);
                let at = maker.time(at);
                maker.profile.add_allocation_sample(handle, at, stack, 0, of.amount(sample, main));
            } else {
                let of_type = if place == 0 { "" } else { of.title };
                let handle = maker.thread(&thread, of_type, id);
                let stack = maker.stack(handle, of, sample);
                let at = match time {
                    Some(at) => maker.time(at),
                    None => {
                        step += 1;
                        Timestamp::from_nanos_since_reference(step.saturating_mul(interval))
                    }
                };
                // Weigh counted samples by their count, memory by bytes, and pure durations by milliseconds.
                let (amount, kind) = match (&*unit, of.seen(sample)) {
                    ("bytes", _) => (of.amount(sample, main), WeightType::Bytes),
                    (_, Some(seen)) if seen > 0 => (seen, WeightType::Samples),
                    ("nanoseconds", _) => (of.amount(sample, main) / 1_000_000, WeightType::TracingMs),
                    _ => (of.amount(sample, main), WeightType::Samples),
                };
                maker.profile.set_thread_samples_weight_type(handle, kind);
                let cpu = if of.kind == "cpu" { CpuDelta::from_nanos(interval) } else { CpuDelta::ZERO };
                for weight in weights(amount.max(1)) {
                    maker.profile.add_sample(handle, at, stack, cpu, weight);
                }
            }
        }
    }
    if let Some(of) = first {
        beside(&mut maker, of);
    }
    let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::new(4));
    serde_json::to_writer(io::BufWriter::new(&mut packed), &maker.profile)?;
    packed.finish()?.flush()
}

/// Adds the markers and counters of a profile.
fn beside(maker: &mut Maker, of: &Typed<'_>) {
    let texts = &of.profile.texts;
    for marker in &of.profile.markers {
        let thread = match texts.get(marker.thread) {
            "" => maker.threads.values().next().copied().unwrap_or_else(|| maker.thread("", "", None)),
            name => maker.thread(name, "", None),
        };
        let timing = MarkerTiming::Interval(maker.time(marker.start), maker.time(marker.end));
        maker.marker(thread, timing, texts.get(marker.name), texts.get(marker.text), None);
    }
    for counter in &of.profile.counters {
        let (name, unit) = (texts.get(counter.name), texts.get(counter.unit));
        // The viewer draws these two categories specially: memory as a line, CPU as the usage between two points.
        let is_cpu = unit == "cores";
        let category = if is_cpu { "CPU" } else { "Memory" };
        let handle = maker.profile.add_counter(maker.process, name, category, unit);
        let (mut before, mut last) = (0.0, None);
        for &(at, value) in &counter.points {
            let delta = match (is_cpu, last) {
                #[expect(clippy::cast_precision_loss, reason = "a drawing needs no more than 53 bits")]
                (true, Some(last)) => value * (at - last) as f64 / 1e3,
                (true, None) => 0.0,
                (false, _) => value - before,
            };
            maker.profile.add_counter_sample(handle, maker.time(at), delta, 0);
            (before, last) = (value, Some(at));
        }
    }
}
