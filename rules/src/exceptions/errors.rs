//! `Errors`: java.lang.Error and its subclasses.

use std::collections::BTreeMap;

use super::thrown::{ERROR_FIELDS, ERRORS};
use crate::tally::InOrder;
use jfr_analyzers::events::{Event, Facts, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::{StackId, units};

/// How often the program creates an Error. Needs the table of errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errors;

/// How many frames at the top of a stack to search for what created an error.
const LOOKUP: usize = 8;
/// If at least this share of the errors is harmless, as in every program with lambdas, there is nothing to report.
const NEARLY_ALL: f64 = 0.9;

impl Errors {
    /// Why it matters.
    const WHY: &str = "An Error signals a condition that a program should not try to handle. Many of them suggest that \
                       it handles them anyway.";
    /// What to do.
    const REMEDY: &str = "Look at where the errors are thrown: catching and ignoring an Error hides what failed. Where \
                          the program throws them itself, throw an Exception or return a result instead.";
}

impl Rule for Errors {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("Errors")
            .title("Errors thrown")
            .category(Category::Exceptions)
            .description("How often the program creates a java.lang.Error: a sign that something is seriously wrong.")
            .formula(
                "Windows of `window`, sliding by half: 25 if the worst has `info` errors per minute, 75 at \
                      `warning`.",
            )
            .unlike_jmc(
                "For JMC, 60 errors per minute are a warning. In jfrkit they are at most worth a look, and \
                          not a finding if java.lang.invoke created nearly all of them; SeriousErrors warns of \
                          exhausted memory and incompatible classes.",
            )
            .settings(
                const {
                    &[
                        Setting::per_minute("info", 30.0, "Errors that are worth a look"),
                        Setting::per_minute("warning", 60.0, "Errors to act on"),
                        Setting::seconds("window", 60.0, "Length of the window"),
                        Setting::regex(
                            "exclude",
                            r"^(com\.sun\.el\.parser\.ELParser\$LookaheadSuccess)$",
                            "Classes to ignore",
                        ),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available(ERRORS).table(ERRORS, ERROR_FIELDS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Some(measured) => verdict(facts, measured, settings),
            None => Verdict::ok("There were no errors except ignored ones"),
        }
    }
}

/// Errors, without ignored classes.
struct Measured<'f> {
    count: usize,
    /// Errors that java.lang.invoke creates and handles itself.
    harmless: usize,
    /// Errors per minute in the worst window, and this window.
    rate: f64,
    window: (i64, i64),
    /// The classes with their number and a message, the most frequent first.
    classes: Vec<(&'f str, (u64, Option<&'f str>))>,
    stacks: InOrder<StackId, f64>,
}

/// `None` if there are no errors.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Option<Measured<'f>> {
    let rows = facts.table(ERRORS).rows();
    let errors: Vec<Event<'_>> =
        rows.filter(|r| !settings.matches("exclude", r.text("thrownClass").unwrap_or_default())).collect();
    let (rate, window) = worst_window(&errors, settings.nanos("window").max(2))?;
    let mut classes: BTreeMap<&str, (u64, Option<&str>)> = BTreeMap::new();
    let mut stacks: InOrder<StackId, f64> = InOrder::default();
    for row in &errors {
        let class = classes.entry(row.text("thrownClass").unwrap_or("?")).or_default();
        *class = (class.0 + 1, class.1.or(row.text("message")));
        if let Some(stack) = row.stack() {
            *stacks.get_or(stack, || 0.0) += 1.0;
        }
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    classes.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    // java.lang.invoke looks up pre-generated lambda forms, and handles the error if there are none.
    let lookup = |stack: StackId| facts.methods(stack).take(LOOKUP).any(|m| m.starts_with("java.lang.invoke."));
    let harmless = errors.iter().filter(|r| r.stack().is_some_and(lookup)).count();
    Some(Measured { count: errors.len(), harmless, rate, window, classes, stacks })
}

/// The errors per minute in the worst window of this length in nanoseconds, and the window. Windows begin every half of
/// a window after the first error.
fn worst_window(errors: &[Event<'_>], length: i64) -> Option<(f64, (i64, i64))> {
    let first = errors.iter().map(|r| r.end).min()?;
    let slide = length / 2;
    let mut halves: BTreeMap<i64, u64> = BTreeMap::new();
    for row in errors {
        *halves.entry(row.end.saturating_sub(first) / slide).or_default() += 1;
    }
    let in_window = |half: i64| {
        let at = |half: i64| halves.get(&half).copied().unwrap_or(0);
        at(half).saturating_add(at(half.saturating_add(1)))
    };
    let worst = halves.keys().copied().max_by_key(|half| (in_window(*half), std::cmp::Reverse(*half))).unwrap_or(0);
    let from = first.saturating_add(worst.saturating_mul(slide));
    Some((in_window(worst) as f64 * 60e9 / length as f64, (from, from.saturating_add(length))))
}

fn verdict(facts: &Facts, measured: Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { count, rate, window, classes, .. } = &measured;
    // Errors that are created and caught are a matter of style; SeriousErrors reports the others.
    let shown = if measured.harmless as f64 >= NEARLY_ALL * *count as f64 { Severity::Ok } else { Severity::Info };
    let most = classes.first().map_or("?", |(class, _)| class);
    let made = units::things(u64::try_from(*count).unwrap_or(u64::MAX), "error was", "errors were");
    // A recording shorter than the window has no meaningful rate per minute.
    let often = if facts.seconds() * 1e9 < settings.nanos("window").max(2) as f64 {
        String::new()
    } else {
        format!(", up to {} per minute", units::number(rate.round()))
    };
    let rows = classes
        .iter()
        .take(5)
        .map(|(class, (n, message))| [(*class).into(), Value::count(*n, "errors"), message.unwrap_or_default().into()]);
    Verdict::scored(
        map2(*rate, settings.number("info"), settings.number("warning")),
        format!("{made} thrown{often}, mostly {most}"),
    )
    .explain(Errors::WHY)
    .remedy(Errors::REMEDY)
    .at_most(shown)
    .with("errors", Value::count(*count as u64, "errors"))
    .with("rate", Value::number(*rate, "per minute"))
    .with("worst window", Value::window(window.0, window.1))
    .with("left out", Value::count((facts.table(ERRORS).len().saturating_sub(*count)) as u64, "errors"))
    .with("classes", Value::table(["class", "errors", "a message"], rows))
    .with("where", facts.top_methods(measured.stacks.into_entries(), 5, |n| Value::number(n, "errors")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn many_errors_are_found() {
        let of = |count: i64, class: &str| {
            (0..count)
                .fold(Scene::new(), |s, i| {
                    s.event(ERRORS, i * 1_000_000, i * 1_000_000, [("thrownClass", class.into())])
                })
                .as_jmc(&Errors)
        };
        assert_eq!(of(100, "java.lang.StackOverflowError"), Severity::Warning);
        assert_eq!(of(40, "java.lang.StackOverflowError"), Severity::Info);
        assert_eq!(of(5, "java.lang.StackOverflowError"), Severity::Ok);
        assert_eq!(of(100, "com.sun.el.parser.ELParser$LookaheadSuccess"), Severity::Ok);
        assert_eq!(of(0, ""), Severity::NotApplicable);
    }
}
