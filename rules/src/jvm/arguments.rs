//! The JVM's options, as words.

use crate::tally::tally;
use jfr_analyzers::events::Facts;

/// The options of each JVM of the recording; split at spaces as they are recorded.
pub(super) fn by_jvm(facts: &Facts) -> Vec<Vec<&str>> {
    // Each chunk tells them again.
    let lines: Vec<(&str, ())> =
        tally(facts.table("jdk.JVMInformation").texts("jvmArguments"), |line| line, |(), _| {});
    lines.into_iter().map(|(l, ())| l.split(' ').map(str::trim).filter(|w| !w.is_empty()).collect()).collect()
}

/// The options of all JVMs of the recording.
pub(super) fn jvm_arguments(facts: &Facts) -> Vec<&str> {
    by_jvm(facts).concat()
}
