//! `Allocations.class`: one class dominates allocation.

use super::allocation::{BY_CLASS, BYTES, MOST, Measured, Source, is_much, measure};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Settings, Severity, Value, Verdict};

/// Whether a few classes account for most of the allocation. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocationsClass;

impl AllocationsClass {
    /// Why it matters.
    const WHY: &str =
        "Every allocated object has to be collected. If a few classes do most of the allocation, start there.";
    /// What to do.
    const REMEDY: &str = "Look at the methods that allocate this class: can they reuse, avoid or shrink it?";
}

impl Rule for AllocationsClass {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("Allocations.class")
            .title("Allocation by class")
            .category(Category::Heap)
            .description("Whether a few classes account for most of the allocation.")
            .formula(
                "The number of events by class (TLAB events), or the sums of weights in units of the smallest \
                      (samples). The balance (sum over the classes of share by rank) times 50 at 1000 events of the \
                      largest class, times 0.74.",
            )
            .as_in_jmc("The rule does not apply if allocation is recorded without stack traces.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(BY_CLASS)
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        match measure(facts, &BY_CLASS, "objectClass", (2, "the recording has allocations of fewer than two classes")) {
            Ok(measured) => verdict(facts, &measured),
            Err(because) => Verdict::not_applicable(because),
        }
    }
}

fn verdict(facts: &Facts, measured: &Measured<'_>) -> Verdict {
    let Measured { score, top, total, groups, stacks } = measured;
    let name = top.text("objectClass").unwrap_or("unknown class");
    let share = ratio(top.sum(BYTES), *total);
    // Some class always leads. That matters only if it accounts for a lot, and for most of the bytes.
    let shown = if is_much(facts, top.sum(BYTES)) && share >= MOST { Severity::Info } else { Severity::Ok };
    let rows = groups.iter().take(10).map(|g| {
        [
            g.text("objectClass").unwrap_or("?").into(),
            Value::count(g.count(), "events"),
            Value::bytes(g.sum(BYTES)),
            Value::share(ratio(g.sum(BYTES), *total)),
        ]
    });
    let stacks = stacks.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.sum(BYTES))));
    Verdict::scored(*score, format!("{name} accounts for {:.0} % of the allocated bytes", share * 100.0))
        .explain(AllocationsClass::WHY)
        .remedy(AllocationsClass::REMEDY)
        .cost(Cost::allocation(share))
        .at_most(shown)
        .jmc(Source::as_jmc(facts).map_or(Severity::NotApplicable, |_| Severity::of_score(*score)))
        .with("most allocated class", name)
        .with("classes", Value::table(["class", "events", "bytes", "share"], rows))
        .with("methods that allocate it", facts.top_methods(stacks, 5, Value::bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    fn scene(of_a: i64, of_b: i64) -> Scene {
        let on = Scene::new().enabled("jdk.ObjectAllocationSample");
        (0..of_a + of_b).fold(on, |scene, i| {
            let class = if i < of_a { "a.A" } else { "b.B" };
            scene.event(
                "jdk.ObjectAllocationSample",
                i,
                i,
                [("objectClass", class.into()), ("weight", 1_000.into()), ("stackTrace", stack(&["a.Maker.make"]))],
            )
        })
    }

    #[test]
    fn a_dominating_class_is_worth_a_look() {
        assert_eq!(scene(2_000, 10).as_jmc(&AllocationsClass), Severity::Info);
        assert_eq!(scene(20, 20).as_jmc(&AllocationsClass), Severity::Ok);
        assert_eq!(scene(20, 0).as_jmc(&AllocationsClass), Severity::NotApplicable);
        assert_eq!(Scene::new().as_jmc(&AllocationsClass), Severity::NotApplicable);
    }
}
