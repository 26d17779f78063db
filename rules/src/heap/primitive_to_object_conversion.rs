//! `PrimitiveToObjectConversion`: boxing.

use super::allocation::{BY_CLASS, BYTES, IN_NEW, NOT_RECORDED, OUTSIDE, SAMPLE, Source, is_much, needs};
use crate::tally::tally;
use jfr_analyzers::events::{EVENT, Facts, Needs, Presence};
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
        needs(BY_CLASS)
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
        let groups = facts.groups(&BY_CLASS);
        let stacks = groups.select(&["stackTrace", "objectClass"], |g| source.takes(g.text(EVENT)));
        let total: f64 = stacks.iter().map(|g| g.sum(BYTES)).sum();
        let mut boxing: Vec<_> = stacks
            .iter()
            .filter(|g| g.stack("stackTrace").and_then(|s| facts.top_method(s)).is_some_and(is_boxing))
            .collect();
        if boxing.is_empty() {
            return Verdict::ok("The recording has no boxed primitives");
        }
        let boxed: f64 = boxing.iter().map(|g| g.sum(BYTES)).sum();
        let share = ratio(boxed, total);
        boxing.sort_by(|a, b| b.sum(BYTES).total_cmp(&a.sum(BYTES)));
        let score = map2(share * 100.0, settings.number("info"), settings.number("warning"));
        let callers = boxing.iter().filter_map(|g| facts.methods(g.stack("stackTrace")?).nth(1));
        let callers: Vec<(&str, ())> = tally(callers, |caller| caller, |(), _| {});
        let callers: Vec<&str> = callers.into_iter().map(|(caller, ())| caller).collect();
        let site = boxing
            .first()
            .and_then(|g| facts.site(g.stack("stackTrace")?))
            .map(|f| format!(", mostly in {}", f.method));
        Verdict::scored(
            score,
            format!(
                "Boxed primitives take {} of allocated bytes{}",
                rounded_percent(share * 100.0),
                site.unwrap_or_default()
            ),
        )
        .explain(PrimitiveToObjectConversion::WHY)
        .remedy(PrimitiveToObjectConversion::REMEDY)
        .cost(Cost::allocation(share))
        .at_most(if is_much(facts, boxed) { Severity::Warning } else { Severity::Info })
        .jmc(match Source::as_jmc(facts) {
            None => Severity::NotApplicable,
            Some(_) => Severity::of_score(score),
        })
        .with("share of allocation", Value::share(share))
        .with("allocated for boxes", Value::bytes(boxed))
        .with("allocated in all", Value::bytes(total))
        .with(
            "where",
            facts.top_methods(
                boxing.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.sum(BYTES)))),
                5,
                Value::bytes,
            ),
        )
        .with("callers", Value::list("methods", callers.into_iter().take(5)))
    }
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
