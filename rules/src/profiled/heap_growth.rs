//! `ProfileHeapGrowth`: memory in use that rises steadily.

use super::Process;
use super::growth::{self, Subject};
use jfr_analyzers::rule::{Category, RuleInfo, Settings, Verdict};
use jfrkit_profile::units;

/// What to do.
const REMEDY: &str = "Compare the current heap profile with one from an hour ago, and look at the functions that \
                      allocated what grew.";

pub(super) fn info() -> RuleInfo {
    RuleInfo::own("ProfileHeapGrowth")
        .title("Growing heap")
        .category(Category::Heap)
        .description("Whether the memory in use rises steadily over the last hour of the process.")
        .formula(growth::FORMULA)
        .settings(growth::SETTINGS)
        .why(growth::WHY)
        .remedy(REMEDY)
}

pub(super) fn evaluate(process: &Process<'_>, settings: &Settings) -> Verdict {
    let heap = Subject { metrics: &["heap.live"], name: "The heap", show: units::size_f64, remedy: REMEDY };
    growth::evaluate(process, &heap, settings)
}
