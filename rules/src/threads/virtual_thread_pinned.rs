//! `VirtualThreadPinned`: virtual threads that do not release their carrier while they wait.

use std::collections::BTreeMap;

use crate::tally::brief;
use jfr_analyzers::events::{Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Frame, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{duration_f64, rounded_percent, things};

/// Whether virtual threads wait while pinned to their carrier. Needs no event table.
///
/// Fires on `fixtures/scenarios/pinned-virtual-threads.jfr.gz`; quiet on synthetic events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VirtualThreadPinned;

const EVENT: &str = "jdk.VirtualThreadPinned";
const PINS: GroupBy =
    GroupBy::of(&[EVENT]).by(&["stackTrace", "pinnedReason", "blockingOperation"]).measure(&["duration"]).histogram();

/// Pinned waits at one place.
#[derive(Debug, Clone)]
struct Site {
    count: u64,
    nanos: f64,
    longest: f64,
    frame: Option<Frame>,
    reason: String,
}

impl VirtualThreadPinned {
    /// Why it matters.
    const WHY: &str = "A virtual thread that waits normally releases its carrier to another. Inside synchronized (up \
                       to JDK 23), native code or a class initializer it cannot, so its carrier (one per CPU) is \
                       stuck with it. Once all carriers are pinned, no virtual thread runs.";
    /// What to do.
    const REMEDY: &str = "Replace synchronized around waits with ReentrantLock, or move the wait outside; JDK 24 and \
                          later do not pin in synchronized. Initialize classes that do I/O ahead of time.";
}

impl Rule for VirtualThreadPinned {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("VirtualThreadPinned")
            .title("Pinned virtual threads")
            .category(Category::Threads)
            .description("Whether virtual threads wait without releasing their carrier thread.")
            .formula(
                "Longest jdk.VirtualThreadPinned: 25 at `info`, 75 at `warning`. Their total / (carrier threads \
                      × the recording's length): 25 at `share-info`, 75 at `share-warning`; carrier threads come from \
                      jdk.virtualThreadScheduler.parallelism, else the hardware threads. The higher score counts. \
                      Based on Datadog, and on the event's own threshold of 20 ms.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("info", 0.02, "Pinned wait worth a look"),
                        Setting::seconds("warning", 0.2, "Pinned wait to act on"),
                        Setting::percent("share-info", 1.0, "Share of the carriers' time, worth a look"),
                        Setting::percent("share-warning", 5.0, "Share of the carriers' time, to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled(EVENT).groups(PINS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts) {
            Some(measured) => verdict(&measured, settings),
            None => Verdict::ok("No virtual thread waited while pinned"),
        }
    }
}

/// Waiting while pinned.
struct Measured<'f> {
    all: Group<'f>,
    /// The number of carrier threads, and the share of their time that is lost, 0 to 1.
    carriers: f64,
    share: f64,
    sites: Vec<Site>,
}

/// `None` if no virtual thread waited while pinned.
fn measure(facts: &Facts) -> Option<Measured<'_>> {
    let pins = facts.groups(&PINS);
    let all = pins.total()?;
    let set = facts.property("jdk.virtualThreadScheduler.parallelism").and_then(|p| p.trim().parse::<i64>().ok());
    let carriers = set.or_else(|| facts.hardware_threads()).filter(|n| *n > 0).unwrap_or(1) as f64;
    let share = ratio(all.sum("duration"), carriers * facts.nanos() as f64);
    Some(Measured { all, carriers, share, sites: sites(facts, pins.iter()) })
}

fn verdict(measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { all, carriers, share, sites } = measured;
    let number_of = |key| settings.number(key);
    let longest = map2(all.max("duration") / 1e9, number_of("info"), number_of("warning"));
    let score = longest.max(map2(share * 100.0, number_of("share-info"), number_of("share-warning")));
    let place = sites.first().and_then(|s| s.frame.as_ref());
    let summary = format!(
        "Virtual threads waited {} while pinned, for up to {}{}; that is {} of the carriers' time",
        things(all.count(), "time", "times"),
        duration_f64(all.max("duration")),
        place.map(|f| format!(", mostly in {}", f.method)).unwrap_or_default(),
        rounded_percent(share * 100.0)
    );
    Verdict::scored(score, summary)
        .explain(VirtualThreadPinned::WHY)
        .remedy(VirtualThreadPinned::REMEDY)
        .cost(Cost::elapsed(*share))
        .with("times", Value::count(all.count(), "times"))
        .with("longest", Value::nanos_f64(all.max("duration")))
        .with("longest at", Value::instant(all.max_start()))
        .with("time pinned", Value::nanos_f64(all.sum("duration")))
        .with("share of the carriers' time", Value::share(*share))
        .with("carriers", Value::number(*carriers, "threads"))
        .with("places", site_table(sites))
}

fn site_table(sites: &[Site]) -> Value {
    let rows = sites.iter().take(10).map(|s| {
        let line = s.frame.as_ref().and_then(|f| f.line).map_or(String::new(), |l| l.to_string());
        [
            s.frame.as_ref().map_or("unknown", |f| f.method.as_str()).into(),
            line.into(),
            s.reason.as_str().into(),
            Value::count(s.count, "times"),
            Value::nanos_f64(s.nanos),
            Value::nanos_f64(s.longest),
        ]
    });
    Value::table(["at", "line", "why", "times", "time", "longest"], rows)
}

/// Pinned waits by the program's first frame and the reason, with the longest total first.
fn sites<'f>(facts: &'f Facts, pins: impl Iterator<Item = Group<'f>>) -> Vec<Site> {
    let mut sites: BTreeMap<(String, Option<u32>, String), Site> = BTreeMap::new();
    for pin in pins {
        let frame = pin.stack("stackTrace").and_then(|s| facts.site(s));
        // JDK 25 and later write the reason; before that, only the stack shows it.
        let reason = [pin.text("pinnedReason"), pin.text("blockingOperation")]
            .into_iter()
            .flatten()
            .map(brief)
            .collect::<Vec<_>>()
            .join(", ");
        let key = frame.clone().map_or((String::new(), None), |f| (f.method, f.line));
        let site = sites.entry((key.0, key.1, reason.clone())).or_insert_with(|| Site {
            count: 0,
            nanos: 0.0,
            longest: 0.0,
            frame,
            reason,
        });
        site.count = site.count.saturating_add(pin.count());
        site.nanos += pin.sum("duration");
        site.longest = site.longest.max(pin.max("duration"));
    }
    let mut sites: Vec<Site> = sites.into_values().collect();
    sites.sort_by(|a, b| b.nanos.total_cmp(&a.nanos));
    sites
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    #[test]
    fn waiting_in_synchronized_is_found() {
        fixture::expect("VirtualThreadPinned", "scenarios/pinned-virtual-threads", Severity::Warning);
    }

    #[test]
    fn reasons_are_told_from_jdk_25_on() {
        let verdict = fixture::judge("VirtualThreadPinned", "jdk25-full");
        assert!(
            verdict.is_finding() && format!("{:?}", verdict.evidence.get("places")).contains("LockSupport.park"),
            "{verdict:?}"
        );
    }

    #[test]
    fn no_pins_and_short_ones_are_fine() {
        assert_eq!(Scene::new().enabled(EVENT).verdict(&VirtualThreadPinned).severity, Severity::Ok);
        let fields = [("stackTrace", stack(&["shop.Stock.read"]))];
        let scene = Scene::new().event("jdk.CPULoad", 0, 0, []).event(EVENT, SECOND, SECOND + 1_000_000, fields);
        assert_eq!(scene.verdict(&VirtualThreadPinned).severity, Severity::Ok);
    }

    #[test]
    fn older_jdks_have_none() {
        fixture::expect("VirtualThreadPinned", "scenarios/healthy", Severity::NotApplicable);
    }
}
