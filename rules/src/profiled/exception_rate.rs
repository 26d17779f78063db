//! `ProfileExceptionRate`: exceptions that are raised routinely.

use super::Process;
use super::table::{rows, top, unit};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::tree::By;
use jfrkit_profile::units;

/// Why it matters.
const WHY: &str = "Each exception costs a walk up the stack. At this rate they are rarely errors; the program uses them \
                   as a way to return.";
/// What to do.
const REMEDY: &str = "Check before the call, or return a value, if the exception is the usual outcome.";

pub(super) fn info() -> RuleInfo {
    RuleInfo::own("ProfileExceptionRate")
        .title("Exceptions")
        .category(Category::Exceptions)
        .description("How many exceptions are raised, caught or not.")
        .formula("Exceptions per second: 25 at `info`, 75 at `warning`.")
        .settings(
            const {
                &[
                    Setting::per_second("info", 100.0, "Rate worth a look"),
                    Setting::per_second("warning", 2_000.0, "Rate to act on"),
                ]
            },
        )
        .why(WHY)
        .remedy(REMEDY)
}

pub(super) fn evaluate(process: &Process<'_>, settings: &Settings) -> Verdict {
    match process.metric(&["exceptions"]) {
        Some(rate) => verdict(process, rate, settings),
        None => Verdict::not_applicable("the client sends no exception profile"),
    }
}

/// `rate` is exceptions per second.
fn verdict(process: &Process<'_>, rate: f64, settings: &Settings) -> Verdict {
    let summary = format!("The program raises {} exceptions per second", units::number(rate));
    let mut verdict = Verdict::scored(map2(rate, settings.number("info"), settings.number("warning")), summary)
        .with("rate", Value::number(rate, "exceptions/s"));
    if verdict.severity >= Severity::Info {
        verdict = verdict.explain(WHY).remedy(REMEDY);
    }
    if let Some(stacks) = process.stacks("error") {
        let (rows, total, _) = rows(stacks, &By::Class);
        verdict = verdict.with("types", top(&rows, total, unit(stacks), "type"));
    }
    verdict
}
