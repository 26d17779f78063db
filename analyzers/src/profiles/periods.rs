//! How much time a sample represents.

use super::facts::Facts;
use super::sources::Source;
use crate::events::parse_timespan;

/// A period in nanoseconds, and whose default it is if no setting specifies it.
pub(super) type StatedPeriod = (i64, Option<&'static str>);

/// The period that a producer uses by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DefaultPeriod {
    /// Nanoseconds between samples.
    pub(super) nanos: i64,
    /// Whose default it is.
    pub(super) producer: &'static str,
}

/// `default.jfc` of JDK 8 to 28.
const JDK: DefaultPeriod = DefaultPeriod { nanos: 20_000_000, producer: "the JDK's" };
/// async-profiler 1.0 to 4.5: `DEFAULT_INTERVAL` in `arguments.h`, for CPU time.
const ASYNC_CPU: DefaultPeriod = DefaultPeriod { nanos: 10_000_000, producer: "async-profiler's" };
/// async-profiler: five times `DEFAULT_INTERVAL` in `wallClock.cpp`, as it samples all threads.
const ASYNC_WALL: DefaultPeriod = DefaultPeriod { nanos: 50_000_000, producer: "async-profiler's" };
/// Datadog's native profiler: `profiling.ddprof.cpu.interval.ms`.
const DATADOG_CPU: DefaultPeriod = DefaultPeriod { nanos: 10_000_000, producer: "Datadog's" };
/// Datadog's native profiler: `profiling.ddprof.wall.interval.ms`.
const DATADOG_WALL: DefaultPeriod = DefaultPeriod { nanos: 50_000_000, producer: "Datadog's" };

/// The nanoseconds between samples according to the settings of a chunk.
pub(super) struct Periods<'f> {
    facts: &'f Facts,
}

impl<'f> Periods<'f> {
    pub(super) fn new(facts: &'f Facts) -> Self {
        Self { facts }
    }

    /// The period of a source, and whose default it is if no setting specifies it (0 means the default).
    pub(super) fn of(&self, source: &Source) -> StatedPeriod {
        let setting = |name: &str| self.facts.setting(source.event, name).and_then(nanos);
        let (found, default) = match source.event {
            "profiler.WallClockSample" => return self.wall(),
            "datadog.ExecutionSample" => (self.datadog(|(cpu, _)| cpu).or_else(|| setting("interval")), DATADOG_CPU),
            "datadog.MethodSample" => (self.datadog(|(_, wall)| wall).or_else(|| setting("interval")), DATADOG_WALL),
            _ => (
                setting("period").or_else(|| setting("interval")),
                if self.facts.is_async_profiler() { ASYNC_CPU } else { JDK },
            ),
        };
        found.map_or((default.nanos, Some(default.producer)), |nanos| (nanos, None))
    }

    /// The period of async-profiler's wall-clock samples, and whose default it is if no setting specifies it.
    pub(super) fn wall(&self) -> StatedPeriod {
        // The setting applies to execution samples. A run that samples only the wall clock (`event=wall`) has
        // only an interval.
        let found = match self.facts.any_setting("wall").map(|text| (text, nanos(text))) {
            Some((_, Some(nanos))) => Some(nanos),
            Some((text, None)) if text.trim() == "0" => None,
            _ => self.facts.any_setting("interval").and_then(nanos),
        };
        found.map_or((ASYNC_WALL.nanos, Some(ASYNC_WALL.producer)), |nanos| (nanos, None))
    }

    fn datadog(&self, pick: impl Fn((i64, i64)) -> i64) -> Option<i64> {
        self.facts.datadog_interval_ms.map(pick).filter(|ms| *ms > 0).and_then(|ms| ms.checked_mul(1_000_000))
    }
}

/// Parses the period in a setting. 0 and `everyChunk` are not periods.
pub(super) fn nanos(text: &str) -> Option<i64> {
    parse_timespan(text).filter(|nanos| *nanos > 0)
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
