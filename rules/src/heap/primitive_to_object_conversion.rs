//! `PrimitiveToObjectConversion`: boxing.

use super::allocation::{BY_CLASS, BYTES, IN_NEW, NOT_RECORDED, OUTSIDE, SAMPLE, Source, is_much};
use crate::tally::tally;
use jfr_analyzers::events::{EVENT, Facts, Group, Needs, Presence};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::rounded_percent;

/// The share of allocation that is boxed primitives. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PrimitiveToObjectConversion;

const BOXES: [&str; 8] = ["Byte", "Short", "Integer", "Long", "Float", "Double", "Character", "Boolean"];

fn is_boxing(method: &str) -> bool {
    let class = method.strip_prefix("java.lang.").and_then(|m| m.strip_suffix(".valueOf"));
    class.is_some_and(|c| BOXES.contains(&c))
}

impl PrimitiveToObjectConversion {
    /// Why it matters.
    const WHY: &str = "A boxed value takes 16 bytes or more instead of 1 to 8, and has to be collected.";
    /// What to do.
    const REMEDY: &str =
        "Use arrays or collections of primitives and primitive streams, and avoid generic code on hot paths.";
}

impl Rule for PrimitiveToObjectConversion {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("PrimitiveToObjectConversion")
            .title("Primitive-to-object conversion")
            .category(Category::Heap)
            .description("How much of the allocation is boxed primitives (Integer, Long, Double…).")
            .formula(
                "The share of bytes allocated in stacks whose top frame is valueOf of a box class: 25 at `info`, \
                      75 at `warning`.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 20.0, "Share of allocation that is worth a look"),
                        Setting::percent("warning", 80.0, "Share of allocation to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(BY_CLASS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let at_least = |event, presence| facts.presence(event) >= presence;
        let source = if at_least(IN_NEW, Presence::Enabled) && at_least(OUTSIDE, Presence::Available) {
            Source::Exact
        } else if at_least(SAMPLE, Presence::Available) {
            Source::Sampled
        } else {
            return Verdict::not_applicable(NOT_RECORDED);
        };
        match measure(facts, source) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("The recording has no boxed primitives"),
        }
    }
}

/// Allocation by boxing.
struct Measured<'f> {
    /// Bytes allocated for boxes, and in all.
    boxed: f64,
    total: f64,
    /// By stack and class, the most bytes first.
    boxing: Vec<Group<'f>>,
    /// The methods that box, in the same order.
    callers: Vec<&'f str>,
}

/// `None` if nothing was boxed.
fn measure(facts: &Facts, source: Source) -> Option<Measured<'_>> {
    let stacks = facts.groups(&BY_CLASS).select(&["stackTrace", "objectClass"], |g| source.takes(g.text(EVENT)));
    let total = stacks.iter().map(|g| g.sum(BYTES)).sum();
    let boxes = |g: &Group<'_>| g.stack("stackTrace").and_then(|s| facts.top_method(s)).is_some_and(is_boxing);
    let mut boxing: Vec<Group<'_>> = stacks.into_iter().filter(boxes).collect();
    if boxing.is_empty() {
        return None;
    }
    let boxed = boxing.iter().map(|g| g.sum(BYTES)).sum();
    boxing.sort_by(|a, b| b.sum(BYTES).total_cmp(&a.sum(BYTES)));
    let callers = boxing.iter().filter_map(|g| facts.methods(g.stack("stackTrace")?).nth(1));
    let callers: Vec<(&str, ())> = tally(callers, |caller| caller, |(), _| {});
    Some(Measured { boxed, total, boxing, callers: callers.into_iter().map(|(caller, ())| caller).collect() })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { boxed, total, boxing, callers } = measured;
    let share = ratio(*boxed, *total);
    let score = map2(share * 100.0, settings.number("info"), settings.number("warning"));
    let site = boxing.first().and_then(|g| facts.site(g.stack("stackTrace")?));
    let mostly = site.map(|f| format!(", mostly in {}", f.method)).unwrap_or_default();
    let stacks = boxing.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.sum(BYTES))));
    Verdict::scored(
        score,
        format!("Boxed primitives take {} of allocated bytes{mostly}", rounded_percent(share * 100.0)),
    )
    .explain(PrimitiveToObjectConversion::WHY)
    .remedy(PrimitiveToObjectConversion::REMEDY)
    .cost(Cost::allocation(share))
    .at_most(if is_much(facts, *boxed) { Severity::Warning } else { Severity::Info })
    .jmc(Source::as_jmc(facts).map_or(Severity::NotApplicable, |_| Severity::of_score(score)))
    .with("share of allocation", Value::share(share))
    .with("allocated for boxes", Value::bytes(*boxed))
    .with("allocated in all", Value::bytes(*total))
    .with("where", facts.top_methods(stacks, 5, Value::bytes))
    .with("callers", Value::list("methods", callers.iter().copied().take(5)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    #[test]
    fn boxing_is_found_by_its_frame() {
        let of = |top: &str| {
            Scene::new()
                .event(
                    "jdk.ObjectAllocationSample",
                    0,
                    0,
                    [
                        ("weight", 900.into()),
                        ("objectClass", "java.lang.Integer".into()),
                        ("stackTrace", stack(&[top, "a.B.c"])),
                    ],
                )
                .event("jdk.ObjectAllocationSample", 0, 0, [("weight", 100.into())])
                .as_jmc(&PrimitiveToObjectConversion)
        };
        assert_eq!(of("java.lang.Integer.valueOf"), Severity::Warning);
        assert_eq!(of("java.lang.String.valueOf"), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&PrimitiveToObjectConversion), Severity::NotApplicable);
    }
}
