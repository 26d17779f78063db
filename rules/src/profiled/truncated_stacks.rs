//! `ProfileTruncatedStacks`: stacks from which the profiler left out frames.

use super::Process;
use super::table::{FEW_SAMPLES, rows, score, share};
use jfr_analyzers::rule::{Category, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::tree::{By, CallStacks};
use jfrkit_profile::units;

/// Why it matters.
const WHY: &str = "The flame graph lacks the frames that the profiler left out, so calls of the same function show up in \
                   several places.";
/// What to do.
const REMEDY: &str = "Let the profiler keep deeper stacks: for ddtrace, set DD_PROFILING_MAX_FRAMES.";

pub(super) fn info() -> RuleInfo {
    RuleInfo::own("ProfileTruncatedStacks")
        .title("Truncated stacks")
        .category(Category::Recording)
        .description("How many samples have a stack from which the profiler left out frames.")
        .formula("Share of the samples: 25 at `info`, 75 at `warning`.")
        .settings(
            const {
                &[
                    Setting::percent("info", 5.0, "Share of the samples worth a look"),
                    Setting::percent("warning", 40.0, "Share of the samples to act on"),
                ]
            },
        )
        .why(WHY)
        .remedy(REMEDY)
}

pub(super) fn evaluate(process: &Process<'_>, settings: &Settings) -> Verdict {
    let kind = ["cpu", "wall"].into_iter().find_map(|kind| process.stacks(kind).map(|stacks| (kind, stacks)));
    let Some((kind, stacks)) = kind else {
        return Verdict::not_applicable("there is no CPU or wall-clock profile");
    };
    let measured = measure(stacks);
    if measured.samples < FEW_SAMPLES {
        return Verdict::not_applicable("there are too few samples");
    }
    if measured.cut == 0 {
        return Verdict::ok(format!("The profiler left no frames out of the stacks of the {kind} profile"));
    }
    verdict(&measured, settings)
}

/// The samples of a profile.
struct Measured {
    samples: i64,
    /// Those with a truncated stack.
    cut: i64,
}

fn measure(stacks: &CallStacks) -> Measured {
    let (rows, _, samples) = rows(stacks, &By::Function);
    let cut = rows.iter().filter(|row| is_gap(&row.key)).fold(0i64, |sum, row| sum.saturating_add(row.samples));
    Measured { samples, cut }
}

/// Whether a name is what clients put in the place of frames that they left out: ddtrace "<3 frames omitted>".
fn is_gap(name: &str) -> bool {
    let name = name.trim_matches(['<', '>', '[', ']']);
    name == "truncated" || name.ends_with("frames omitted") || name.ends_with("frame omitted")
}

fn verdict(measured: &Measured, settings: &Settings) -> Verdict {
    let part = share(measured.cut.min(measured.samples), measured.samples);
    let summary = format!("{} of the samples have a truncated stack", units::share(part));
    Verdict::scored(score(part, settings), summary)
        .explain(WHY)
        .remedy(REMEDY)
        .with("truncated", Value::count(u64::try_from(measured.cut).unwrap_or(0), "samples"))
        .with("share", Value::share(part))
}
