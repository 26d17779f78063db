//! What a timeline shows in addition to samples: garbage collections as markers, and load and heap size as counters.

use jfr_parse::de::{Timespan, Timestamp};
use jfr_parse::{Recording, Result};
use jfrkit_profile::StrId;
use jfrkit_profile::any::{AnyProfile, Counter, Marker};

use crate::metrics::Metrics;

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

/// Adds the garbage collections of recordings to a profile as markers, and CPU cores in use, heap after collections and
/// resident memory as counters. Data that cannot be read is left out without a word: collecting the samples reports it.
///
/// # Errors
/// [`jfr_parse::Error::Stopped`].
pub fn add_tracks(profile: &mut AnyProfile, recordings: &[Recording<'_>]) -> Result<()> {
    for recording in recordings {
        recording.stop().check()?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn collections_are_markers_and_metrics_are_counters() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
        let recordings = [Recording::open(path).unwrap()];
        let mut profile = AnyProfile::default();
        add_tracks(&mut profile, &recordings).unwrap();
        let summary = crate::Summary::of(&recordings[0]).unwrap();
        let collections = summary.events.iter().find(|event| event.name == "jdk.GarbageCollection").unwrap();
        assert_eq!(profile.markers.len() as u64, collections.count);
        assert!(profile.markers.iter().all(|marker| marker.start <= marker.end));
        let names: Vec<&str> = profile.counters.iter().map(|counter| profile.texts.get(counter.name)).collect();
        // Older JDKs do not record the resident memory.
        assert_eq!(names, ["processCPU", "Heap after GC"]);
        assert!(profile.counters.iter().all(|counter| counter.points.is_sorted_by_key(|(at, _)| *at)));
    }
}
