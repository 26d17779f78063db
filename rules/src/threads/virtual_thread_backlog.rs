//! `VirtualThreadBacklog`: virtual threads that pile up because they do not end.

use std::collections::BTreeMap;

use crate::cost;
use crate::series::rising;
use crate::time::SECOND;
use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether virtual threads are started faster than they end. Needs no event table, only sums per second.
///
/// Fires on `fixtures/scenarios/virtual-thread-backlog.jfr.gz`; quiet on `pinned-virtual-threads` and
/// on a synthetic constant level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VirtualThreadBacklog;

const START: &str = "jdk.VirtualThreadStart";
const END: &str = "jdk.VirtualThreadEnd";
const SECONDS: GroupBy = GroupBy::of(&[START, END]).by(&[EVENT]).per_nanos(SECOND).up_to(200_000);
const STARTS: GroupBy = GroupBy::of(&[START]).by(&["stackTrace"]);

/// Minimum number of seconds to judge.
const ENOUGH: usize = 5;

impl VirtualThreadBacklog {
    /// Why it matters.
    const WHY: &str = "Nothing bounds the number of virtual threads. If they start faster than the service they wait \
                       for answers, each keeps its stack and its request on the heap, and every response takes longer \
                       than the one before.";
    /// What to do.
    const REMEDY: &str = "Bound the concurrent work, for example with a Semaphore around the slow call, set a timeout \
                          on the calls, and accept new requests only while there is capacity.";
}

impl Rule for VirtualThreadBacklog {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("VirtualThreadBacklog")
            .title("Virtual thread backlog")
            .category(Category::Threads)
            .description("Whether virtual threads pile up because they start faster than they end.")
            .formula(
                "Running total of jdk.VirtualThreadStart - jdk.VirtualThreadEnd per second: its maximum, if it rises \
                      in `rising` of the seconds or more. 25 at `info`, 75 at `warning`. The cost is the time that \
                      these threads wait. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 10_000.0, "Threads worth a look"),
                        Setting::count("warning", 100_000.0, "Threads to act on"),
                        Setting::percent("rising", 80.0, "Share of seconds with an increase"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().enabled(START).enabled(END).groups(SECONDS).groups(STARTS))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No virtual threads were started"),
        }
    }
}

/// Virtual threads that started and did not end.
struct Measured<'f> {
    /// Their number after each second; below 0 if they started before the recording.
    levels: Vec<f64>,
    /// The share of seconds that end with more than the second before, 0 to 1.
    up: f64,
    /// From the first to the last start or end.
    window: (i64, i64),
    /// Starts by stack.
    stacks: Vec<Group<'f>>,
}

/// `None` if the recording has no virtual threads.
fn measure(facts: &Facts) -> Option<Measured<'_>> {
    let mut changes: BTreeMap<i64, i64> = BTreeMap::new();
    for group in facts.groups(&SECONDS).iter() {
        let n = i64::try_from(group.count()).unwrap_or(i64::MAX);
        let change = changes.entry(group.bucket()).or_default();
        *change = change.saturating_add(if group.text(EVENT) == Some(START) { n } else { n.saturating_neg() });
    }
    let first = *changes.first_key_value()?.0;
    let last = changes.last_key_value()?.0.saturating_add(SECOND);
    let mut alive = 0i64;
    let mut levels: Vec<f64> = Vec::new();
    let mut at = first;
    // A second without events keeps the previous level. The clamp avoids walking gaps of years.
    for (second, change) in changes {
        let idle = second.saturating_sub(at) / SECOND;
        levels.extend(std::iter::repeat_n(alive as f64, usize::try_from(idle.clamp(0, 3_600)).unwrap_or(0)));
        alive = alive.saturating_add(change);
        levels.push(alive as f64);
        at = second.saturating_add(SECOND);
    }
    let up = rising(&levels);
    Some(Measured { levels, up, window: (first, last), stacks: facts.groups(&STARTS).iter().collect() })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { levels, up, window, stacks } = measured;
    let most = levels.iter().copied().fold(0.0, f64::max);
    let is_rising = levels.len() >= ENOUGH && up * 100.0 >= settings.number("rising");
    let score = map2(most, settings.number("info"), settings.number("warning"));
    let site = stacks.iter().max_by_key(|g| g.count()).and_then(|g| facts.site(g.stack("stackTrace")?));
    let by = site.map(|f| format!(", mostly started in {}", f.method)).unwrap_or_default();
    let summary = if is_rising {
        format!("Virtual threads pile up: {} more started than ended{by}", units::number(most.round()))
    } else {
        format!("Up to {most:.0} more virtual threads were started than ended, but the number does not rise steadily")
    };
    let stacks = stacks.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.count() as f64)));
    Verdict::scored(if is_rising { score } else { 0.0 }, summary)
        .explain(VirtualThreadBacklog::WHY)
        .remedy(VirtualThreadBacklog::REMEDY)
        .cost(cost::waited(facts, levels.iter().map(|alive| alive.max(0.0)).sum::<f64>() * SECOND as f64))
        .with("most at once", Value::number(most, "threads"))
        .with("at the end", Value::number(levels.last().copied().unwrap_or(0.0), "threads"))
        .with("started", Value::count(facts.count(START), "threads"))
        .with("ended", Value::count(facts.count(END), "threads"))
        .with("seconds with more than before", Value::share(*up))
        .with("window", Value::window(window.0, window.1))
        .with("started by", facts.top_methods(stacks, 5, |n| Value::number(n, "starts")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn threads_that_do_not_end_are_found() {
        fixture::expect("VirtualThreadBacklog", "scenarios/virtual-thread-backlog", Severity::Info);
    }

    #[test]
    fn threads_that_end_are_fine() {
        fixture::expect("VirtualThreadBacklog", "scenarios/pinned-virtual-threads", Severity::Ok);
        let scene = (0..20i64).fold(Scene::new(), |scene, i| {
            let at = i * SECOND;
            let scene = (0..20).fold(scene, |s, _| s.event(START, at, at, []));
            (0..20).fold(scene, |s, _| s.event(END, at + 5, at + 5, []))
        });
        assert_eq!(scene.with("info", "10").verdict(&VirtualThreadBacklog).severity, Severity::Ok);
    }

    #[test]
    fn older_jdks_have_none() {
        fixture::expect("VirtualThreadBacklog", "scenarios/healthy", Severity::NotApplicable);
    }
}
