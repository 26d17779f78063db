//! `Allocations.thread`: one thread dominates allocation.

use super::allocation::{BY_THREAD, BYTES, MOST, Measured, NOTHING, Source, is_much, measure};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Settings, Severity, Value, Verdict};

/// Whether a few threads do most of the allocation. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocationsThread;

impl AllocationsThread {
    /// Why it matters.
    const WHY: &str = "Every allocated object has to be collected. If one thread does most of the allocation, start \
                       there.";
    /// What to do.
    const REMEDY: &str = "Look at the methods in which this thread allocates.";
}

impl Rule for AllocationsThread {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("Allocations.thread")
            .title("Allocation by thread")
            .category(Category::Heap)
            .description("Whether a few threads do most of the allocation.")
            .formula("Like Allocations.class, but by thread.")
            .as_in_jmc("The rule does not apply if allocation is recorded without stack traces.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(BY_THREAD)
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        match measure(facts, &BY_THREAD, "eventThread", (1, NOTHING)) {
            Ok(measured) => verdict(facts, &measured),
            Err(because) => Verdict::not_applicable(because),
        }
    }
}

fn verdict(facts: &Facts, measured: &Measured<'_>) -> Verdict {
    let Measured { score, top, total, groups, stacks } = measured;
    let name = top.thread("eventThread").map_or("unknown thread", |t| t.name.as_str());
    let share = ratio(top.sum(BYTES), *total);
    // Some thread always leads. That matters only if it allocates a lot, and most of the bytes.
    let shown = if is_much(facts, top.sum(BYTES)) && share >= MOST { Severity::Info } else { Severity::Ok };
    let rows = groups.iter().take(10).map(|g| {
        [
            g.thread("eventThread").map_or("?", |t| t.name.as_str()).into(),
            Value::count(g.count(), "events"),
            Value::bytes(g.sum(BYTES)),
            Value::share(ratio(g.sum(BYTES), *total)),
        ]
    });
    let stacks = stacks.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.sum(BYTES))));
    Verdict::scored(*score, format!("{name} allocates {:.0} % of the bytes", share * 100.0))
        .explain(AllocationsThread::WHY)
        .remedy(AllocationsThread::REMEDY)
        .cost(Cost::allocation(share))
        .at_most(shown)
        .jmc(Source::as_jmc(facts).map_or(Severity::NotApplicable, |_| Severity::of_score(*score)))
        .with("most allocating thread", name)
        .with("threads", Value::table(["thread", "events", "bytes", "share"], rows))
        .with("methods in which it allocates", facts.top_methods(stacks, 5, Value::bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{stack, thread};

    fn scene(threads: i64, events: i64) -> Scene {
        let on = Scene::new().enabled("jdk.ObjectAllocationInNewTLAB").enabled("jdk.ObjectAllocationOutsideTLAB");
        (0..events).fold(on, |scene, i| {
            scene.event(
                "jdk.ObjectAllocationInNewTLAB",
                i,
                i,
                [
                    ("eventThread", thread(&format!("t{}", i % threads))),
                    ("tlabSize", 1_000.into()),
                    ("stackTrace", stack(&["a.B.c"])),
                ],
            )
        })
    }

    #[test]
    fn a_dominating_thread_is_worth_a_look() {
        assert_eq!(scene(1, 2_000).as_jmc(&AllocationsThread), Severity::Info);
        assert_eq!(scene(50, 500).as_jmc(&AllocationsThread), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&AllocationsThread), Severity::NotApplicable);
    }
}
