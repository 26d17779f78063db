//! The JVM's options, split into words.

use crate::tally::tally;
use jfr_analyzers::events::Facts;

/// The options of each JVM in the recording. Split at spaces, because the recording does not keep the word boundaries.
pub(super) fn by_jvm(facts: &Facts) -> Vec<Vec<&str>> {
    // Every chunk repeats them.
    let lines: Vec<(&str, ())> =
        tally(facts.table("jdk.JVMInformation").texts("jvmArguments"), |line| line, |(), _| {});
    lines.into_iter().map(|(l, ())| l.split(' ').map(str::trim).filter(|w| !w.is_empty()).collect()).collect()
}

/// The options of all JVMs in the recording.
pub(super) fn jvm_arguments(facts: &Facts) -> Vec<&str> {
    by_jvm(facts).concat()
}
