//! `TlabAllocationRatio`: allocation outside thread-local buffers.

use super::allocation::{BY_CLASS, BYTES, IN_NEW, OUTSIDE, is_much};
use jfr_analyzers::events::{EVENT, Facts, Group, Needs};
use jfr_analyzers::math::{map_exp74, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::rounded_percent;

/// The share of bytes allocated outside thread-local buffers. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TlabAllocationRatio;

impl TlabAllocationRatio {
    /// Why it matters.
    const WHY: &str =
        "An object that does not fit into its thread's buffer goes directly to the shared heap, which is slower.";
    /// What to do.
    const REMEDY: &str =
        "Look for large arrays, and make them smaller or reuse them. In rare cases, larger TLABs help (-XX:TLABSize).";
}

impl Rule for TlabAllocationRatio {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("TlabAllocationRatio")
            .title("Allocation outside TLABs")
            .category(Category::Heap)
            .description("How much is allocated outside the thread-local buffers, where allocation is slower.")
            .formula(
                "The bytes outside over all bytes: 25 at `info`, never more than 74; to act on if all bytes are \
                      outside.",
            )
            .settings(const { &[Setting::percent("info", 20.0, "Share of bytes that is worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled(IN_NEW).enabled(OUTSIDE).groups(BY_CLASS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("Everything was allocated in thread-local buffers"),
        }
    }
}

/// Allocation in and outside of thread-local buffers, in bytes.
struct Measured<'f> {
    inside: f64,
    outside: f64,
    /// Allocation outside, by class, the most bytes first, and by stack.
    classes: Vec<Group<'f>>,
    stacks: Vec<Group<'f>>,
}

/// `None` if nothing was allocated outside.
fn measure(facts: &Facts) -> Option<Measured<'_>> {
    let groups = facts.groups(&BY_CLASS);
    let sum = |event: &str| groups.iter().filter(|g| g.text(EVENT) == Some(event)).map(|g| g.sum(BYTES)).sum::<f64>();
    let (inside, outside) = (sum(IN_NEW), sum(OUTSIDE));
    let groups = groups.pick(|g| g.text(EVENT) == Some(OUTSIDE));
    let mut classes = groups.by(&["objectClass"]);
    classes.sort_by(|a, b| b.sum(BYTES).total_cmp(&a.sum(BYTES)));
    (outside > 0.0).then(|| Measured { inside, outside, classes, stacks: groups.by(&["stackTrace"]) })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { inside, outside, classes, stacks } = measured;
    let share = ratio(*outside, inside + outside);
    let summary = format!("{} of the bytes were allocated outside TLABs", rounded_percent(share * 100.0));
    let verdict = if *inside <= 0.0 {
        Verdict::warning(summary)
    } else {
        Verdict::scored(map_exp74(share * 100.0, settings.number("info")), summary)
    };
    let rows = classes.iter().take(5).map(|g| {
        [g.text("objectClass").unwrap_or("?").into(), Value::count(g.count(), "events"), Value::bytes(g.sum(BYTES))]
    });
    let stacks = stacks.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.sum(BYTES))));
    verdict
        .explain(TlabAllocationRatio::WHY)
        .remedy(TlabAllocationRatio::REMEDY)
        .cost(Cost::allocation(share))
        .at_most(if is_much(facts, *outside) { Severity::Warning } else { Severity::Ok })
        .with("share outside", Value::share(share))
        .with("bytes outside", Value::bytes(*outside))
        .with("bytes in TLABs", Value::bytes(*inside))
        .with("classes outside", Value::table(["class", "events", "bytes"], rows))
        .with("where", facts.top_methods(stacks, 5, Value::bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::{Scene, stack};

    #[test]
    fn the_share_outside_decides() {
        let of = |inside: i64, outside: i64| {
            let mut scene = Scene::new().enabled(IN_NEW).enabled(OUTSIDE);
            if inside > 0 {
                scene = scene.event(IN_NEW, 0, 0, [("tlabSize", inside.into()), ("allocationSize", 1.into())]);
            }
            if outside > 0 {
                scene = scene.event(OUTSIDE, 0, 0, [("allocationSize", outside.into())]);
            }
            scene.as_jmc(&TlabAllocationRatio)
        };
        assert_eq!(of(70, 30), Severity::Info);
        assert_eq!(of(95, 5), Severity::Ok);
        assert_eq!(of(100, 0), Severity::Ok);
        assert_eq!(of(0, 1), Severity::Warning);
    }

    #[test]
    fn much_of_much_is_worth_a_look() {
        let fields = |class: &str, size: i64| {
            let at = stack(&["shop.Image.scale"]);
            [
                ("objectClass", class.into()),
                ("allocationSize", size.into()),
                ("tlabSize", size.into()),
                ("stackTrace", at),
            ]
        };
        let scene = Scene::new().event(IN_NEW, 0, 0, fields("java.lang.String", 600 << 20));
        let scene = scene.event(OUTSIDE, 1_000_000_000, 1_000_000_000, fields("byte[]", 400 << 20));
        assert_eq!(scene.verdict(&TlabAllocationRatio).severity, Severity::Info);
    }
}
