//! Metrics of pprof profiles, which Python, Node.js and Go produce.

use jfr_parse::{EpochNanos, Nanos};
use jfrkit_profile::any::{self, AnyProfile};

use super::{Metric, Metrics, Unit};

/// The language of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python, and Node.js, which uses the same sample types.
    Python,
    /// Go.
    Go,
}

/// Metrics that Datadog's Go client sends in `metrics.json`, with titles and units.
const GO: [(&str, &str, Unit); 8] = [
    ("go_alloc_bytes_per_sec", "Allocation", Unit::BytesPerSecond),
    ("go_allocs_per_sec", "Allocations", Unit::PerSecond),
    ("go_frees_per_sec", "Frees", Unit::PerSecond),
    ("go_heap_growth_bytes_per_sec", "Heap growth", Unit::BytesPerSecond),
    ("go_gcs_per_sec", "Collections", Unit::PerSecond),
    ("go_gc_pause_time", "GC pauses, share", Unit::Ratio),
    ("go_max_gc_pause_time", "Longest GC pause", Unit::Seconds),
    ("go_num_goroutine", "Goroutines", Unit::Count),
];

/// Computes metrics from the totals of profiles, given as (sample type, total), over `seconds` seconds. `given`
/// contains values that the client measured itself, by name (from Go's `metrics.json`).
///
/// ```
/// use jfr_analyzers::metrics::{Language, of_pprof};
///
/// let metrics = of_pprof(Language::Python, &[("cpu-time", 90e9), ("alloc-space", 1.2e9)], 60.0, &[]);
/// let cores = metrics.iter().find(|metric| metric.name == "cpu.cores").and_then(|metric| metric.value);
/// assert_eq!(cores, Some(1.5));
/// ```
#[must_use]
pub fn of_pprof(language: Language, totals: &[(&str, f64)], seconds: f64, given: &[(String, f64)]) -> Vec<Metric> {
    let total = |names: &[&str]| {
        let found = totals.iter().find(|(name, _)| names.contains(name));
        found.map(|&(name, total)| (name.to_owned(), total))
    };
    let given_value = |name: &str| given.iter().find(|(known, _)| known == name).map(|&(_, value)| value);
    let per_second = |name, title, unit, types: &[&str], divisor: f64| match total(types) {
        Some(_) if seconds <= 0.0 => Metric::unknown(name, title, unit, "the profile has no duration"),
        Some((of, total)) => {
            Metric::known(name, title, unit, format!("{of} ÷ {seconds:.1} s"), total / divisor / seconds)
        }
        None => Metric::unknown(name, title, unit, format!("the profile has no {}", types.join(" and no "))),
    };
    let last = |name, title, unit, types: &[&str]| match total(types) {
        Some((of, total)) => Metric::known(name, title, unit, format!("total of {of}"), total),
        None => Metric::unknown(name, title, unit, format!("the profile has no {}", types.join(" and no "))),
    };
    let nanos = 1e9;
    match language {
        Language::Python => vec![
            per_second("cpu.cores", "CPU cores", Unit::Cores, &["cpu-time", "cpu"], nanos),
            per_second("wall", "Wall time", Unit::SecondsPerSecond, &["wall-time", "wall"], nanos),
            per_second("alloc.rate", "Memory Allocation", Unit::BytesPerSecond, &["alloc-space", "alloc_space"], 1.0),
            per_second("exceptions", "Exceptions", Unit::PerSecond, &["exception-samples"], 1.0),
            per_second("lock.wait", "Waiting for locks", Unit::SecondsPerSecond, &["lock-acquire-wait"], nanos),
            last("heap.live", "Live heap", Unit::Bytes, &["heap-space", "inuse_space"]),
        ],
        Language::Go => {
            let mut metrics = vec![per_second("cpu.cores", "CPU cores", Unit::Cores, &["cpu"], nanos)];
            metrics.push(match given_value("go_alloc_bytes_per_sec") {
                Some(rate) => Metric::known(
                    "alloc.rate",
                    "Memory Allocation",
                    Unit::BytesPerSecond,
                    "go_alloc_bytes_per_sec",
                    rate,
                ),
                None => per_second("alloc.rate", "Memory Allocation", Unit::BytesPerSecond, &["alloc_space"], 1.0),
            });
            metrics.push(last("heap.live", "Live heap", Unit::Bytes, &["inuse_space"]));
            metrics.push(match given_value("go_num_goroutine") {
                Some(count) => Metric::known("goroutines", "Goroutines", Unit::Count, "go_num_goroutine", count),
                None => last("goroutines", "Goroutines", Unit::Count, &["goroutine", "goroutines"]),
            });
            for (name, title, unit) in GO {
                if let Some(value) = given_value(name) {
                    // The client sends nanoseconds.
                    let value = if unit == Unit::Seconds { value / 1e9 } else { value };
                    metrics.push(Metric::known(name, title, unit, "sent by the client in metrics.json", value));
                }
            }
            metrics
        }
    }
}

impl Metrics {
    /// Computes the metrics of a pprof profile: values for its whole duration, without points.
    ///
    /// ```
    /// use jfr_analyzers::metrics::Metrics;
    /// use jfrkit_profile::any::AnyProfile;
    ///
    /// let metrics = Metrics::of_profile(&AnyProfile::default());
    /// assert!(metrics.metrics.iter().all(|metric| metric.reason.is_some()));
    /// ```
    #[must_use]
    pub fn of_profile(profile: &AnyProfile) -> Self {
        let sums = profile.totals();
        let totals: Vec<(&str, f64)> =
            profile.values().zip(&sums).map(|((name, _), sum)| (name, *sum as f64)).collect();
        let duration = profile.duration_nanos.max(0);
        let language = if any::language(profile) == any::Language::Go { Language::Go } else { Language::Python };
        Self {
            start_nanos: EpochNanos(profile.time_nanos),
            end_nanos: EpochNanos(profile.time_nanos.saturating_add(duration)),
            step_nanos: Nanos(duration),
            metrics: of_pprof(language, &totals, duration as f64 / 1e9, &[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_measures_what_it_sends() {
        let given = [("go_alloc_bytes_per_sec".to_owned(), 123.0), ("go_num_goroutine".to_owned(), 7.0)];
        let metrics =
            of_pprof(Language::Go, &[("cpu", 30e9), ("alloc_space", 1e9), ("inuse_space", 5e6)], 60.0, &given);
        let value = |name: &str| metrics.iter().find(|m| m.name == name).and_then(|m| m.value);
        assert_eq!(value("cpu.cores"), Some(0.5));
        assert_eq!(value("alloc.rate"), Some(123.0));
        assert_eq!(value("heap.live"), Some(5e6));
        assert_eq!(value("goroutines"), Some(7.0));
    }

    #[test]
    fn without_a_duration_only_rates_are_unknown() {
        for language in [Language::Python, Language::Go] {
            let metrics = of_pprof(language, &[("inuse_space", 5e6), ("cpu", 1e9)], 0.0, &[]);
            let of = |name: &str| metrics.iter().find(|m| m.name == name);
            assert_eq!(of("heap.live").and_then(|m| m.value), Some(5e6));
            assert_eq!(of("cpu.cores").and_then(|m| m.reason.as_deref()), Some("the profile has no duration"));
        }
    }

    #[test]
    fn what_is_not_in_the_profile_has_a_reason() {
        let metrics = of_pprof(Language::Python, &[], 60.0, &[]);
        assert!(metrics.iter().all(|metric| metric.value.is_none() && metric.reason.is_some()));
    }
}
