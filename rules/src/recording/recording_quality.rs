//! `RecordingQuality`: how far you can trust the recording.

use jfr_analyzers::events::{EventFacts, Facts, Needs, Presence};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;
use jfrkit_profile::units::{duration_f64, rounded_percent, things};

/// What makes a recording less reliable than it seems. Needs the table of `jdk.DataLoss`.
///
/// Fires on `fixtures/scenarios/spin.jfr.gz` (short, with most event types disabled) and on synthetic recordings; quiet
/// on `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordingQuality;

const LOSS: &str = "jdk.DataLoss";

/// What most rules depend on, and the event types that provide it; one is enough.
const NEEDED: [(&str, &[&str]); 9] = [
    ("CPU samples", &["jdk.ExecutionSample", "jdk.CPUTimeSample", "datadog.ExecutionSample"]),
    ("CPU load", &["jdk.CPULoad"]),
    ("garbage collections", &["jdk.GarbageCollection"]),
    ("pauses", &["jdk.GCPhasePause"]),
    ("heap usage", &["jdk.GCHeapSummary"]),
    ("monitor contention", &["jdk.JavaMonitorEnter"]),
    ("waits for java.util.concurrent locks", &["jdk.ThreadPark"]),
    ("socket reads", &["jdk.SocketRead", "datadog.NativeSocketEvent"]),
    ("errors", &["jdk.JavaErrorThrow", "datadog.ExceptionSample"]),
];

/// The least number of events for a type to dominate a recording.
const MANY: u64 = 100_000;
/// The least number of stacks for a meaningful share.
const ENOUGH_STACKS: f64 = 100.0;

/// A problem with the recording.
struct Remark {
    what: String,
    remedy: &'static str,
    /// How bad it is, 0 to 100.
    score: f64,
}

/// To act on.
const BAD: f64 = 100.0;
/// Worth a look.
const NOTABLE: f64 = 30.0;
/// Worth knowing.
const MINOR: f64 = 10.0;

impl RecordingQuality {
    /// Why it matters.
    const WHY: &str = "A rule finds only what was recorded. If events that it needs are missing, an empty result means \
                       little, and a rate over a few seconds says little about an hour.";
    /// What to do.
    const REMEDY: &str = "Record for a few minutes under the load in question, with the JDK settings `default` or \
                          `profile`, and without the first minute of the JVM.";
}

impl Rule for RecordingQuality {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("RecordingQuality")
            .title("Recording quality")
            .category(Category::Recording)
            .description(
                "Whether the recording is complete, long enough, balanced, and has the event types that most \
                          rules need. Otherwise, a rule that finds nothing proves little.",
            )
            .formula(
                "A warning: any jdk.DataLoss. Worth a look: parts that cannot be read; more than `truncated` of the \
                      stacks cut off (StackdepthSetting reports fewer); shorter than `very-short`; an event type \
                      (other than samples) with more than `dominant` of the events of a JDK recording, from 100,000 \
                      events on, or any event type with more than `rate`; disabled event types in a JDK recording that \
                      most rules depend on: CPU samples, CPU load, collections, pauses, heap, monitors, parking, \
                      sockets, errors. Only mentioned: shorter than `short`, or over before the JVM has run for \
                      `warm-up`, as in the pieces that profilers write.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("truncated", 20.0, "Share of truncated stacks that is worth a look"),
                        Setting::seconds("short", 20.0, "Length below which the rule mentions it"),
                        Setting::seconds("very-short", 5.0, "Length below which it is worth a look"),
                        Setting::seconds("warm-up", 60.0, "Initial time of the JVM that is not representative"),
                        Setting::percent("dominant", 50.0, "Share of one event type that is worth a look"),
                        Setting::per_second("rate", 10_000.0, "Events of one type that are worth a look"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().table(LOSS, &["amount", "total"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let mut remarks = Vec::new();
        complete(facts, settings, &mut remarks);
        long(facts, settings, &mut remarks);
        balanced(facts, settings, &mut remarks);
        let off = off(facts);
        if !off.is_empty() {
            remarks.push(Remark {
                what: format!("The recording settings disable {}", off.join(", ")),
                remedy: "Start with the JDK settings `default` or `profile`, and disable only what costs too much.",
                score: NOTABLE,
            });
        }
        remarks.sort_by(|a, b| b.score.total_cmp(&a.score));
        let all: u64 = facts.events().fold(0, |sum, (_, e)| sum.saturating_add(e.count));
        let verdict = match remarks.as_slice() {
            [] => Verdict::ok("The recording is complete and long enough, and has what most rules need"),
            [first, rest @ ..] => {
                let more = if rest.is_empty() { String::new() } else { format!("; and {} more", rest.len()) };
                let but = if first.score < NOTABLE { "There are only minor problems. " } else { "" };
                Verdict::scored(first.score, format!("{but}{}{more}", first.what))
            }
        };
        let verdict = match remarks.is_empty() {
            true => verdict,
            false => verdict
                .explain(RecordingQuality::WHY)
                .remedy(remarks.iter().map(|r| r.remedy).collect::<Vec<_>>().join(" "))
                .with("remarks", Value::list("remarks", remarks.iter().map(|r| r.what.as_str()))),
        };
        let verdict = verdict
            .with("length", Value::nanos(facts.nanos()))
            .with("events", Value::count(all, "events"))
            .with_some("start of the JVM", facts.jvm().start.map(Value::instant));
        if off.is_empty() { verdict } else { verdict.with("switched off", Value::list("subjects", off)) }
    }
}

/// Checks for losses, damage and truncated stacks.
fn complete(facts: &Facts, settings: &Settings, remarks: &mut Vec<Remark>) {
    let losses = facts.table(LOSS);
    if losses.seen() > 0 {
        let bytes: f64 = losses.floats("amount").sum();
        remarks.push(Remark {
            what: format!(
                "The JVM lost {} bytes of events in {}",
                units::number(bytes.round()),
                things(losses.seen(), "place", "places")
            ),
            remedy: "Record less (higher thresholds, fewer stacks), or give the recorder more memory \
                     (-XX:FlightRecorderOptions=memorysize).",
            score: BAD,
        });
    }
    if let Some(first) = facts.warnings().first() {
        remarks.push(Remark {
            what: format!("Parts of the file cannot be read: {first}"),
            remedy: "Fetch the file again, or have the JVM write it again (jcmd PID JFR.dump).",
            score: NOTABLE,
        });
    }
    let sum = |of: fn(&EventFacts) -> u64| facts.events().map(|(_, e)| of(e) as f64).sum::<f64>();
    let share = ratio(sum(|e| e.truncated), sum(|e| e.with_stack)) * 100.0;
    if share > settings.number("truncated") && sum(|e| e.with_stack) >= ENOUGH_STACKS {
        remarks.push(Remark {
            what: format!("{} of the stacks are truncated", rounded_percent(share)),
            remedy: "Record with -XX:FlightRecorderOptions=stackdepth=256 or more.",
            score: NOTABLE,
        });
    }
}

/// Checks how much of the JVM's life the recording covers.
fn long(facts: &Facts, settings: &Settings, remarks: &mut Vec<Remark>) {
    let is = |limit| facts.nanos() < settings.nanos(limit);
    if is("short") || is("very-short") {
        remarks.push(Remark {
            what: format!("The recording is only {} long", duration_f64(facts.nanos() as f64)),
            remedy: "Record for a few minutes under the load in question.",
            score: if is("very-short") { NOTABLE } else { MINOR },
        });
    }
    let lived = facts.jvm().start.map(|start| facts.end().saturating_sub(start)).filter(|n| *n >= 0);
    if let Some(lived) = lived.filter(|n| *n < settings.nanos("warm-up")) {
        remarks.push(Remark {
            what: format!(
                "The recording ends {} after the start of the JVM, which was still warming up",
                duration_f64(lived as f64)
            ),
            remedy: "Skip the first minute of the JVM (-XX:StartFlightRecording:delay=60s), unless you are interested \
                     in the startup.",
            score: MINOR,
        });
    }
}

/// Checks for event types with too many events.
fn balanced(facts: &Facts, settings: &Settings, remarks: &mut Vec<Remark>) {
    let all: f64 = facts.events().map(|(_, e)| e.count as f64).sum();
    let seconds = facts.seconds().max(1.0);
    for (name, event) in facts.events() {
        let (share, rate) = (ratio(event.count as f64, all) * 100.0, event.count as f64 / seconds);
        let may = event.count >= MANY && is_of_the_jdk(facts) && !name.ends_with("Sample");
        let dominates = may && share > settings.number("dominant");
        if dominates || rate > settings.number("rate") {
            remarks.push(Remark {
                what: format!("{name} makes up {share:.0} % of the events, {} per second", units::number(rate.round())),
                remedy: "Give the dominant event type a threshold or a throttle: it costs time, and pushes other \
                         events out of the recording (maxsize, maxage).",
                score: NOTABLE,
            });
        }
    }
}

/// Whether the JDK wrote the recording. A profiler that writes JFR records only what it was asked for.
fn is_of_the_jdk(facts: &Facts) -> bool {
    facts.event("jdk.GarbageCollection").declared
}

/// What most rules depend on and is disabled, with the first event type that provides it.
fn off(facts: &Facts) -> Vec<String> {
    let is_off = |events: &&[&str]| {
        let known: Vec<Presence> =
            events.iter().map(|e| facts.presence(e)).filter(|p| *p > Presence::Declared).collect();
        !known.is_empty() && known.iter().all(|p| *p == Presence::Disabled)
    };
    if !is_of_the_jdk(facts) {
        return Vec::new();
    }
    let named = |(what, events): &(&str, &[&str])| Some(format!("{what} ({})", events.first()?));
    NEEDED.iter().filter(|(_, events)| is_off(events)).filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::{SceneSnapshot, assert_snapshot};
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    fn good() -> Scene {
        NEEDED.iter().flat_map(|(_, events)| events.first()).fold(Scene::new(), |s, event| {
            s.enabled(event).event(event, 0, 300 * SECOND, [("stackTrace", stack(&["shop.Cart.add"]))])
        })
    }

    #[test]
    fn a_healthy_recording_is_fine_and_one_without_most_events_is_not() {
        fixture::expect("RecordingQuality", "scenarios/healthy", Severity::Ok);
        let verdict = fixture::expect("RecordingQuality", "scenarios/spin", Severity::Info);
        let remarks = format!("{:?}", verdict.evidence.get("remarks"));
        assert!(remarks.contains("jdk.ThreadPark") && remarks.contains("only 6.03 s long"), "{verdict:?}");
    }

    #[test]
    fn a_short_one_is_told_and_a_very_short_one_worth_a_look() {
        let of = |seconds: i64| Scene::new().event("shop.Sale", 0, seconds * SECOND, []).verdict(&RecordingQuality);
        assert_eq!(of(30).severity, Severity::Ok);
        assert_eq!(of(3).severity, Severity::Info);
    }

    #[test]
    fn a_short_recording_is_fine_but_mentioned() {
        let verdict = Scene::new().event("shop.Sale", 0, 12 * SECOND, []).verdict(&RecordingQuality);
        assert_eq!(verdict.severity, Severity::Ok);
        assert_snapshot("RecordingQuality", &verdict);
    }

    #[test]
    fn lost_data_is_to_act_on() {
        assert_eq!(good().verdict(&RecordingQuality).severity, Severity::Ok);
        let verdict = good().event(LOSS, 5, 5, [("amount", 4_711.into())]).verdict(&RecordingQuality);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn truncated_stacks_and_types_that_are_off() {
        let of = |scene: Scene| {
            let verdict = scene.verdict(&RecordingQuality);
            assert_eq!(verdict.severity, Severity::Info, "{verdict:?}");
            verdict.summary
        };
        let stacks =
            (0..200i64).fold(good(), |s, i| s.event("jdk.ThreadPark", i, i, [("stackTrace", stack(&["a.b"]))]));
        of(stacks.truncated("jdk.ThreadPark", 100));
        // Three of a few stacks may be chance.
        assert_eq!(good().truncated("jdk.ThreadPark", 3).verdict(&RecordingQuality).severity, Severity::Ok);
        let off = Scene::new().setting("jdk.CPULoad", "enabled", "false").event("a", 0, 300 * SECOND, []);
        assert_eq!(
            of(off.clone().declared("jdk.GarbageCollection")),
            "The recording settings disable CPU load (jdk.CPULoad)"
        );
        assert_eq!(off.verdict(&RecordingQuality).severity, Severity::Ok);
    }

    #[test]
    fn a_recording_of_the_start_of_the_jvm_is_fine_but_mentioned() {
        let start = good().event("jdk.JVMInformation", 0, 0, [("jvmStartTime", (260 * SECOND).into())]);
        let verdict = start.verdict(&RecordingQuality);
        assert_eq!(verdict.severity, Severity::Ok);
        assert_snapshot("RecordingQuality", &verdict);
    }

    #[test]
    fn event_types_that_dominate() {
        let many = |event: &str, seconds: i64| {
            let scene = Scene::new().declared("jdk.GarbageCollection");
            (0..120_000i64).fold(scene, |s, i| s.event(event, i, seconds * SECOND, [])).verdict(&RecordingQuality)
        };
        let verdict = many("shop.Sale", 300);
        assert_eq!(verdict.severity, Severity::Info, "{verdict:?}");
        assert_eq!(many("jdk.ExecutionSample", 300).severity, Severity::Ok);
        assert!(many("jdk.ExecutionSample", 10).is_finding());
    }
}
