//! What a timeline shows in addition to samples: garbage collections, and load and heap size over time.

use std::io;

use jfr_analyzers::metrics::Metrics;
use jfr_parse::Recording;
use jfr_parse::de::{Timespan, Timestamp};
use jfrkit_profile::StrId;
use jfrkit_profile::any::{AnyProfile, Counter, Marker};

/// A garbage collection.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Collection {
    start_time: Option<Timestamp>,
    duration: Option<Timespan>,
    name: Option<String>,
    cause: Option<String>,
}

/// Metrics that become counters: metric name, counter name, unit.
const COUNTERS: [(&str, &str, &str); 3] = [
    ("cpu.cores", "processCPU", "cores"),
    ("heap.after_gc", "Heap after GC", "bytes"),
    ("rss", "Resident memory", "bytes"),
];

/// Adds collections as markers and metrics as counters. Skips unreadable data silently, because collecting the samples
/// already reported it.
pub(super) fn add(profile: &mut AnyProfile, recordings: &[Recording<'static>]) -> io::Result<()> {
    for recording in recordings {
        recording.stop().check().map_err(io::Error::other)?;
        for chunk in recording.chunks() {
            let Ok(chunk) = chunk else { continue };
            let Some(of) = chunk.metadata().by_name("jdk.GarbageCollection") else { continue };
            for event in chunk.events().filter(|event| event.type_id == of.id()) {
                let Ok(Collection { start_time: Some(at), duration, name, cause }) = chunk.deserialize(&event) else {
                    continue;
                };
                let text = [name, cause].into_iter().flatten().collect::<Vec<_>>().join(", ");
                let (name, text) = (profile.texts.push("GC"), profile.texts.push(&text));
                let end = at.nanos.saturating_add(duration.map_or(0, |duration| duration.nanos));
                profile.markers.push(Marker { thread: StrId::default(), name, start: at.nanos, end, text });
            }
        }
        let Ok(metrics) = Metrics::of(recording, None) else { continue };
        for (name, title, unit) in COUNTERS {
            let Some(metric) = metrics.get(name).filter(|metric| !metric.points.is_empty()) else { continue };
            let points = metric.points.iter().map(|point| (point.at.0, point.mean)).collect();
            let (name, unit) = (profile.texts.push(title), profile.texts.push(unit));
            profile.counters.push(Counter { name, unit, points });
        }
    }
    Ok(())
}
