//! How much time a sample stands for.

use super::facts::Facts;
use super::sources::Source;

/// The JDK's own default.
pub(super) const DEFAULT_NANOS: i64 = 20_000_000;

/// Nanoseconds between samples, as the settings of a chunk have it.
pub(super) struct Periods<'f> {
    facts: &'f Facts,
}

impl<'f> Periods<'f> {
    pub(super) fn new(facts: &'f Facts) -> Self {
        Self { facts }
    }

    /// The period of a source, and whether it is only the default.
    pub(super) fn of(&self, source: &Source) -> (i64, bool) {
        let setting = |name: &str| self.facts.setting(source.event, name).and_then(nanos);
        let found = match source.event {
            "profiler.WallClockSample" => return self.wall(),
            "datadog.ExecutionSample" => self.datadog(|(cpu, _)| cpu).or_else(|| setting("interval")),
            "datadog.MethodSample" => self.datadog(|(_, wall)| wall).or_else(|| setting("interval")),
            _ => setting("period").or_else(|| setting("interval")),
        };
        found.map_or((DEFAULT_NANOS, true), |nanos| (nanos, false))
    }

    /// The distance of wall-clock samples of async-profiler, and whether it is only the default.
    pub(super) fn wall(&self) -> (i64, bool) {
        // The setting stands with the execution samples; a run that samples nothing but the wall clock has only an
        // interval.
        let any = |name: &str| self.facts.any_setting(name).and_then(nanos);
        any("wall").or_else(|| any("interval")).map_or((DEFAULT_NANOS, true), |nanos| (nanos, false))
    }

    fn datadog(&self, pick: impl Fn((i64, i64)) -> i64) -> Option<i64> {
        self.facts.datadog_interval_ms.map(pick).filter(|ms| *ms > 0).and_then(|ms| ms.checked_mul(1_000_000))
    }
}

/// `20 ms`, or a plain number of nanoseconds. `everyChunk` and its like are no period.
pub(super) fn nanos(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split)?;
    let factor = match unit.trim() {
        "" | "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::nanos;

    #[test]
    fn settings_are_read() {
        assert_eq!(nanos("20 ms"), Some(20_000_000));
        assert_eq!(nanos("10000000"), Some(10_000_000));
        assert_eq!(nanos("1 s"), Some(1_000_000_000));
        assert_eq!(nanos("everyChunk"), None);
        assert_eq!(nanos("0"), None);
        assert_eq!(nanos("99999999999999999999 s"), None);
    }
}
