//! `ProfileGoroutineGrowth`: goroutines that become more and more.

use super::Process;
use super::growth::{self, Subject};
use jfr_analyzers::rule::{Category, RuleInfo, Settings, Verdict};
use jfrkit_profile::units;

/// What to do.
const REMEDY: &str = "Look at the goroutine profile: goroutines that never end wait at the same place, often for a \
                      channel that nobody reads or closes.";

pub(super) fn info() -> RuleInfo {
    RuleInfo::own("ProfileGoroutineGrowth")
        .title("Growing number of goroutines")
        .category(Category::Threads)
        .description("Whether the number of goroutines rises steadily over the last hour of the process.")
        .formula(growth::FORMULA)
        .settings(growth::SETTINGS)
        .why(growth::WHY)
        .remedy(REMEDY)
}

pub(super) fn evaluate(process: &Process<'_>, settings: &Settings) -> Verdict {
    if process.language != "Go" {
        return Verdict::not_applicable("only Go has goroutines");
    }
    let goroutines = Subject {
        metrics: &["goroutines", "go_num_goroutine"],
        name: "The number of goroutines",
        show: units::number,
        remedy: REMEDY,
    };
    growth::evaluate(process, &goroutines, settings)
}
