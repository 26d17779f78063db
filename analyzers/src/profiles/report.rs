//! Explains how the numbers of a profile were derived, and why a profile is missing.

use super::commit::{SourceTotal, Totals};
use super::facts::Facts;
use super::load::Loads;
use super::options::{CpuSource, Filter, Options};
use super::sources::{Measure, Route, Source};
use crate::engine::bounds;
use crate::engine::routing::Target;
use crate::events::JvmVersion;
use crate::jvms::java_version;
use crate::recorder::Recorder;
use jfrkit_profile::units::things;
use jfrkit_profile::{Absent, Period, ProfileType, Samples, units};

/// The sources of a profile type that have events or, without any, all of them, with what is known about each.
fn sources_of(kind: ProfileType, totals: &Totals) -> impl Iterator<Item = (&'static Source, &SourceTotal)> {
    // Freed memory does not have its own profile.
    let makes = move |source: &Source| source.route != Route::Free && source.kinds().contains(&kind);
    totals.sources.enumerate().map(|(id, total)| (id.source(), total)).filter(move |(source, _)| makes(source))
}

/// Whether the events of a source count in a profile of this type.
fn used(kind: ProfileType, source: &Source, total: &SourceTotal, totals: &Totals) -> bool {
    match source.route {
        Route::Cpu(cpu) => totals.cpu_sources.contains(&cpu),
        Route::ExecutionSample if kind == ProfileType::Cpu => totals.cpu_sources.contains(&CpuSource::ExecutionSample),
        // For these events, the meaning, or whether they count, differs from event to event or from chunk to
        // chunk.
        Route::ExecutionSample | Route::Park | Route::SampledAllocation | Route::ClassDefine => {
            total.kinds.contains_key(&kind)
        }
        _ => true,
    }
}

/// The period to record in a profile, taken from its first chunk.
pub(super) fn period(kind: ProfileType, totals: &Totals) -> Option<Period> {
    let value = *kind.values().last()?;
    let nanos = sources_of(kind, totals)
        .filter(|(source, total)| total.events > 0 && used(kind, source, total, totals))
        .find_map(|(source, total)| match source.measure {
            // Each sample has its own period; the setting is the requested one.
            Measure::CpuTicks => total.throttles.iter().find_map(|setting| super::periods::nanos(setting)),
            _ => total.kinds.get(&kind)?.first().copied(),
        })?;
    (value.unit == "nanoseconds").then_some(Period { value, amount: nanos })
}

/// How the numbers of a profile were derived, one line each.
pub(super) fn comments(kind: ProfileType, totals: &Totals, options: &Options) -> Vec<String> {
    let mut lines = vec![format!("made by jfrkit {}", env!("CARGO_PKG_VERSION"))];
    let mut once = |line: String| {
        if !lines.contains(&line) {
            lines.push(line);
        }
    };
    for facts in &totals.facts {
        if let Some(name) = &facts.jvm_name {
            let version = facts.jvm_version.as_deref().map(short_version).unwrap_or_default();
            once(format!("jvm: {name} {version}").trim_end().to_owned());
        }
        if let Some(main) = &facts.main {
            once(format!("main: {main}"));
        }
        if let Some(host) = &facts.host {
            once(format!("host: {host}"));
        }
        for name in facts.recordings.iter().filter(|n| n.contains("profiler")) {
            once(format!("recorded by: {name}"));
        }
    }
    for (source, total) in sources_of(kind, totals).filter(|(_, total)| total.events > 0) {
        let role = if used(kind, source, total, totals) { "source" } else { "unused source" };
        once(format!("{role}: {}, {}", source.event, things(total.events, "event", "events")));
        if role != "source" {
            continue;
        }
        for nanos in total.kinds.get(&kind).into_iter().flatten() {
            let assumed = total.assumed.iter().find(|(assumed, _)| assumed == nanos);
            let guess = assumed.map_or(String::new(), |(_, producer)| format!(" (not recorded; {producer} default)"));
            once(format!("period of {}: {}{guess}", source.event, millis(*nanos)));
        }
        if source.measure == Measure::CpuTicks {
            once(format!("period of {}: recorded with each sample", source.event));
        }
        for threshold in total.thresholds.iter().filter(|t| !is_zero(t)) {
            once(format!("threshold of {}: {threshold}, shorter events are not recorded", source.event));
        }
        for throttle in total.throttles.iter().filter(|t| *t != "off" && !t.is_empty()) {
            let event = source.event;
            once(match (source.measure, source.route) {
                (Measure::CpuTicks, _) => format!("requested period of {event}: {throttle}"),
                (_, Route::SampledAllocation) => {
                    format!("throttle of {event}: {throttle}, bytes include allocations that were not sampled")
                }
                _ => format!("throttle of {event}: {throttle}, totals cover only the sampled events"),
            });
        }
    }
    let tally = totals
        .tallies
        .iter()
        .filter(|(target, _)| match target {
            Target::Profile(k) => *k == kind,
            Target::Cpu(_) => kind == ProfileType::Cpu,
        })
        .fold((0u64, 0u64, 0u64, 0u64), |sum, (_, t)| {
            (sum.0 + t.samples, sum.1 + t.truncated, sum.2 + t.without_stack, sum.3 + t.failed)
        });
    let (samples, truncated, without, failed) = tally;
    if truncated > 0 {
        once(format!("{truncated} of {samples} samples have truncated stacks; record with a larger stackdepth"));
    }
    if without > 0 {
        once(format!("{without} of {samples} samples have no stack trace"));
    }
    if failed > 0 && kind == ProfileType::Cpu {
        once(format!("failed samples: {failed} of {samples}"));
    }
    if totals.lost_samples > 0 && kind == ProfileType::Cpu {
        once(format!("lost samples (not counted): {}", totals.lost_samples));
    }
    if totals.lost_bytes > 0 {
        once(format!("the JVM lost {} bytes of events", totals.lost_bytes));
    }
    if options.native_leaks && kind == ProfileType::NativeAlloc {
        once("excludes memory freed before the end of the recording".to_owned());
    }
    let filter = &options.filter;
    if !filter.range.is_open() {
        once("filtered by time".to_owned());
    }
    for (what, regex) in [
        ("threads", &filter.threads),
        ("states", &filter.states),
        ("frames to include", &filter.include),
        ("frames to exclude", &filter.exclude),
    ] {
        if let Some(regex) = regex {
            once(format!("filtered by {what}: {regex}"));
        }
    }
    lines
}

/// The share of the JVM's CPU time that a profile covers, and that time in nanoseconds. Only for the JDK's own samples, and
/// only if no filter removed any.
pub(super) fn coverage(kind: ProfileType, samples: &Samples, totals: &Totals, options: &Options) -> Option<(f64, f64)> {
    let Filter { threads, states, include, exclude, .. } = &options.filter;
    let only = totals.cpu_sources.iter().eq([&CpuSource::ExecutionSample]);
    let filtered = [threads, states, include, exclude].iter().any(|regex| regex.is_some());
    if kind != ProfileType::Cpu || !only || filtered || is_async_profiler(totals) {
        return None;
    }
    let used: f64 = totals.loads.values().filter_map(Loads::used).sum();
    let sampled: f64 = samples.iter().filter_map(|sample| sample.values.get(1)).map(|nanos| *nanos as f64).sum();
    (used > 0.0 && sampled > 0.0).then(|| ((sampled / used).min(1.0), used))
}

/// The comment about the coverage.
pub(super) fn covers(share: f64, used: f64, options: &Options) -> String {
    let (percent, used) = (units::share(share), units::duration_f64(used));
    let how = if options.scale_cpu {
        "scaled to it"
    } else {
        "the JDK samples a few threads at a time, and none in native code; --scale-cpu scales to it"
    };
    format!("covers {percent} of the JVM's CPU time, {used} by jdk.CPULoad: {how}")
}

/// Why a profile type has no samples.
pub(super) fn absent(kind: ProfileType, totals: &Totals, options: &Options) -> Absent {
    let all: Vec<_> = sources_of(kind, totals).collect();
    let names = |of: &[(&Source, &SourceTotal)]| {
        let names: Vec<&str> = of.iter().map(|(s, _)| s.event).collect();
        names.join(", ")
    };
    let declared: Vec<_> = all.iter().copied().filter(|(_, t)| t.declared).collect();
    let with_events: Vec<_> = declared.iter().copied().filter(|(_, t)| t.events > 0).collect();
    let enabled: Vec<_> = declared.iter().copied().filter(|(_, t)| t.enabled).collect();
    let disabled: Vec<_> = declared.iter().copied().filter(|(_, t)| t.disabled && !t.enabled).collect();
    let chosen = |event: &str| options.cpu_source.is_some_and(|source| source.event() == event);
    let only_others =
        kind == ProfileType::Cpu && !with_events.is_empty() && !with_events.iter().any(|(s, _)| chosen(s.event));
    let reason = if let Some(source) = options.cpu_source.filter(|_| only_others) {
        format!("no events from the selected source {}; the recording has {}", source.event(), names(&with_events))
    } else if !with_events.is_empty() && options.filter.is_empty() {
        let other = match kind {
            ProfileType::Cpu => "they are from sleeping threads, or wall-clock samples",
            ProfileType::Wall | ProfileType::Event => "they are CPU samples",
            ProfileType::Lock => "they are not lock waits",
            ProfileType::Park => "they are lock waits",
            _ => "other events already record the same activity",
        };
        format!("{} events do not count here: {other}", names(&with_events))
    } else if !with_events.is_empty() {
        format!("the filters exclude all events of {}", names(&with_events))
    } else if declared.is_empty() {
        format!("this JVM does not define {}", names(&all))
    } else if !enabled.is_empty() {
        let thresholds: Vec<String> = enabled
            .iter()
            .flat_map(|(s, t)| t.thresholds.iter().filter(|v| !is_zero(v)).map(|v| format!("{} of {v}", s.event)))
            .collect();
        let mut reason = format!("enabled, but no {} events were recorded", names(&enabled));
        if !thresholds.is_empty() {
            reason += &format!("; shorter ones are hidden by the threshold: {}", thresholds.join(", "));
        }
        reason
    } else if !disabled.is_empty() {
        let command = recorder(totals).command(cheapest(kind, &disabled, totals));
        if is_async_profiler(totals) {
            format!("async-profiler was not configured to record it; enable it with: {command}")
        } else {
            format!("disabled in the recording's settings: {}; enable it with: {command}", names(&disabled))
        }
    } else {
        format!("no {} events, and the recording does not show whether they were enabled", names(&declared))
    };
    Absent { kind, reason }
}

/// The cheapest of the disabled events to enable.
fn cheapest(kind: ProfileType, disabled: &[(&'static Source, &SourceTotal)], totals: &Totals) -> &'static str {
    if is_async_profiler(totals) && kind == ProfileType::Wall {
        return "profiler.WallClockSample";
    }
    let sampled = disabled.iter().find(|(source, _)| source.route == Route::SampledAllocation);
    sampled.or(disabled.first()).map_or("", |(source, _)| source.event)
}

fn is_async_profiler(totals: &Totals) -> bool {
    totals.facts.iter().any(Facts::is_async_profiler)
}

fn recorder(totals: &Totals) -> Recorder<'_> {
    let version = totals.facts.iter().find_map(|f| f.jvm_version.as_deref()).map(short_version);
    Recorder {
        is_async_profiler: is_async_profiler(totals),
        jdk: version.and_then(JvmVersion::parse_number).map(|version| version.major),
        program: totals.facts.iter().find_map(|f| f.main.as_deref()),
    }
}

/// What a user should know about the numbers.
pub(super) fn warnings(totals: &Totals, options: &Options) -> Vec<String> {
    let mut lines = Vec::new();
    for (source, total) in totals.sources.enumerate().map(|(id, total)| (id.source(), total)) {
        if total.events == 0 || !source.kinds().iter().any(|k| options.wants(*k)) {
            continue;
        }
        for (nanos, producer) in &total.assumed {
            let period = millis(*nanos);
            lines.push(format!(
                "no sampling period for {} in the recording; assuming {producer} default, {period}",
                source.event
            ));
        }
    }
    lines.extend(bounds::warning(totals.odd_durations));
    if totals.more_losses > 0 {
        lines.push(format!("{} more losses are not listed", totals.more_losses));
    }
    lines
}

/// The Java version, or the whole text if it has another form.
fn short_version(text: &str) -> &str {
    java_version(text).unwrap_or(text)
}

fn is_zero(threshold: &str) -> bool {
    threshold.trim_start().starts_with('0') || threshold.is_empty()
}

fn millis(nanos: i64) -> String {
    if nanos % 1_000_000 == 0 { format!("{} ms", nanos / 1_000_000) } else { format!("{nanos} ns") }
}
