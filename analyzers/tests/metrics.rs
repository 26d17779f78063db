//! Compares metrics with what programs measured about themselves while they were recorded
//! (`fixtures/MetricsTruth.java`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use jfr_analyzers::metrics::{Metric, Metrics, write};
use jfr_parse::{Nanos, Recording};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Truth {
    seconds: f64,
    cpu_seconds: f64,
    allocated_bytes: f64,
    threads_started: f64,
    /// The format of the JDK's `jfr print --json`.
    pauses: u64,
    pause_seconds: f64,
}

fn open(name: &str) -> Recording<'static> {
    Recording::open(format!("{}/../fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn each_truth(check: impl Fn(&str, &Metrics, &Truth)) {
    for collector in ["g1", "parallel", "z", "shenandoah"] {
        for source in ["tlab", "samples"] {
            let name = format!("metrics/{collector}-{source}");
            let metrics = Metrics::of(&open(&format!("{name}.jfr.gz")), None).unwrap();
            let path = format!("{}/../fixtures/{name}.truth.json", env!("CARGO_MANIFEST_DIR"));
            let truth = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            check(&name, &metrics, &truth);
        }
    }
}

fn get<'m>(metrics: &'m Metrics, name: &str) -> &'m Metric {
    metrics.get(name).unwrap_or_else(|| panic!("{name}"))
}

fn value(metrics: &Metrics, name: &str) -> f64 {
    let metric = get(metrics, name);
    metric.value.unwrap_or_else(|| panic!("{name}: {:?}", metric.reason))
}

/// Whether a value is within this share of the truth.
fn assert_near(what: &str, found: f64, truth: f64, share: f64) {
    let off = (found - truth).abs() / truth;
    assert!(off <= share, "{what}: {found} is {:.1} % off {truth}", off * 100.0);
}

#[test]
fn cpu_cores_match_the_process() {
    each_truth(|name, metrics, truth| {
        assert_near(name, value(metrics, "cpu.cores"), truth.cpu_seconds / truth.seconds, 0.05);
        assert!(!get(metrics, "cpu.cores").lower_bound);
    });
}

#[test]
fn the_allocation_rate_covers_all_threads() {
    each_truth(|name, metrics, truth| {
        let share = if name.ends_with("tlab") { 0.05 } else { 0.1 };
        assert_near(name, value(metrics, "alloc.rate"), truth.allocated_bytes / truth.seconds, share);
    });
}

#[test]
fn pauses_match_the_jdk() {
    each_truth(|name, metrics, truth| {
        let seconds = metrics.end_nanos.saturating_since(metrics.start_nanos).0 as f64 / 1e9;
        let sum = value(metrics, "gc.pause.share") * seconds;
        assert!((sum - truth.pause_seconds).abs() < 1e-9, "{name}: {sum} {}", truth.pause_seconds);
        assert!(get(metrics, "gc.pause.share").how.contains(&format!("of {} pauses", truth.pauses)), "{name}");
        // Spreading over the steps must not lose anything.
        let points: f64 = get(metrics, "gc.pause.share")
            .points
            .iter()
            .map(|point| {
                point.mean * (metrics.end_nanos.saturating_since(point.at).min(metrics.step_nanos).0 as f64 / 1e9)
            })
            .sum();
        assert!((points - sum).abs() < 1e-9, "{name}: {points} {sum}");
    });
}

#[test]
fn threads_that_were_started_are_counted() {
    each_truth(|name, metrics, truth| {
        // Samples are a second apart, and a thread was started each second.
        assert_near(name, value(metrics, "threads.started"), truth.threads_started / truth.seconds, 0.05);
    });
}

#[test]
fn the_heap_matches_the_events() {
    let recording = open("metrics/g1-tlab.jfr.gz");
    let metrics = Metrics::of(&recording, Some(Nanos(1_000_000))).unwrap();
    let mut expected: Vec<(i64, f64)> = Vec::new();
    for chunk in recording.chunks() {
        let chunk = chunk.unwrap();
        let id = chunk.metadata().by_name("jdk.GCHeapSummary").unwrap().id();
        for event in chunk.events().filter(|event| event.type_id == id) {
            let value = chunk.value(&event).unwrap();
            if value.get("when").and_then(|when| when.as_str()) == Some("After GC") {
                let at =
                    chunk.clock().nanos(jfr_parse::Ticks(value.get("startTime").and_then(|v| v.as_i64()).unwrap())).0;
                expected.push((at, value.get("heapUsed").and_then(|v| v.as_i64()).unwrap() as f64));
            }
        }
    }
    expected.sort_by_key(|(at, _)| *at);
    let points = &get(&metrics, "heap.after_gc").points;
    let shown: Vec<f64> = points.iter().map(|point| point.mean).collect();
    assert_eq!(shown, expected.iter().map(|(_, used)| *used).collect::<Vec<_>>());
    assert_eq!(Some(&value(&metrics, "heap.after_gc")), shown.last());
}

#[test]
fn every_measure_has_a_value_or_a_reason() {
    for name in
        ["jdk8-profile.jfr.gz", "jdk11-profile.jfr.gz", "jdk17-full.jfr", "jdk21-full.jfr.gz", "jdk25-full.jfr.gz"]
    {
        let metrics = Metrics::of(&open(name), None).unwrap();
        assert_eq!(metrics.metrics.len(), 22, "{name}");
        for metric in &metrics.metrics {
            assert_eq!(metric.value.is_some(), metric.reason.is_none(), "{name}: {metric:?}");
            assert_eq!(metric.value.is_some(), !metric.how.is_empty(), "{name}: {metric:?}");
            for point in &metric.points {
                assert!(point.min <= point.mean && point.mean <= point.max, "{name}: {} {point:?}", metric.name);
            }
        }
    }
}

/// The pause statistics of the view are computed in another way.
#[test]
fn the_longest_pause_matches_the_view() {
    use jfr_analyzers::views::{Catalog, Filter, Raw, ViewSet, answer};
    let recording = open("jdk17-full.jfr");
    let (answers, _) =
        answer(&recording, &ViewSet::new(Catalog::built_in().get("gc-pauses"), Filter::default())).unwrap();
    let form = answers.iter().next().unwrap();
    let Raw::Int(longest) = answers.raw(form, 0, form.columns.len() - 1) else { panic!("no number") };
    let metrics = Metrics::of(&recording, None).unwrap();
    assert!((value(&metrics, "gc.pause.max") - longest as f64 / 1e9).abs() < 2e-9);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let recording = open("jdk17-multichunk.jfr");
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Metrics::of(&recording, None)).unwrap()
    };
    assert_eq!(of(1), of(2));
}

/// The requirements of the OpenMetrics text format that concern these metrics.
#[test]
fn openmetrics_is_well_formed() {
    let metrics = Metrics::of(&open("metrics/z-tlab.jfr.gz"), None).unwrap();
    let mut out = Vec::new();
    let inputs = [("a \"quoted\" name".to_owned(), metrics.clone()), ("b".to_owned(), metrics)];
    write::openmetrics(&mut out, &inputs).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
    let (mut family, mut seen, mut last) = (String::new(), std::collections::BTreeSet::new(), None);
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(kind, "gauge");
            assert!(seen.insert(name.to_owned()), "{name} comes twice");
            family = name.to_owned();
            last = None;
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            let (name, unit) = rest.split_once(' ').unwrap();
            assert!(name == family && name.ends_with(&format!("_{unit}")), "{line}");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.starts_with(&format!("{family} ")), "{line}");
        } else {
            let (name, rest) = line.split_once('{').unwrap();
            let (labels, rest) = rest.rsplit_once("} ").unwrap();
            assert_eq!(name, family);
            let (value, time) = rest.split_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            let time: f64 = time.parse().unwrap();
            // Within a series, times ascend.
            if let Some((before, at)) = last.replace((labels.to_owned(), time))
                && before == labels
            {
                assert!(time > at, "{line}");
            }
        }
    }
    assert!(
        seen.contains("jfr_cpu_cores")
            && seen.contains("jfr_alloc_rate_bytes_per_second")
            && seen.contains("jfr_threads")
    );
}

/// In a file with a gap, rates are those of the time that was recorded.
#[test]
fn gaps_in_the_recording_do_not_count() {
    let mut bytes = std::fs::read(jfr_parse::testing::fixture("jdk17-full.jfr")).unwrap();
    let one = Recording::from_bytes(bytes.clone(), &jfr_parse::Limits::tool()).unwrap();
    let rate = |recording: &Recording<'_>, name| value(&Metrics::of(recording, None).unwrap(), name);
    let mut later = bytes.clone();
    for (offset, _) in one.headers() {
        let start = usize::try_from(offset).unwrap() + 32;
        let nanos = i64::from_be_bytes(later[start..start + 8].try_into().unwrap()) + 3_600_000_000_000;
        later[start..start + 8].copy_from_slice(&nanos.to_be_bytes());
    }
    bytes.extend(later);
    let both = Recording::from_bytes(bytes, &jfr_parse::Limits::tool()).unwrap();
    for name in ["alloc.rate", "gc.pause.share", "gc.count", "exceptions"] {
        assert_near(name, rate(&both, name), rate(&one, name), 0.03);
    }
}

/// What happened before the first sample of a counter counts, if the JVM started in the recording or the events were
/// recorded.
#[test]
fn exceptions_before_the_first_sample_count() {
    let metrics = Metrics::of(&open("jdk17-full.jfr"), None).unwrap();
    // 508 events of `jdk.JavaExceptionThrow` in 10.4 s.
    assert!(value(&metrics, "exceptions") > 45.0, "{:?}", get(&metrics, "exceptions"));
}
