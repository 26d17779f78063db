//! The JVM's options, as words.

use crate::analysis::Facts;

/// The options of the JVM, all of them; split at spaces as they are recorded.
pub(super) fn jvm_arguments(facts: &Facts) -> Vec<&str> {
    let mut seen: Vec<&str> = Vec::new();
    let mut words = Vec::new();
    for line in facts.table("jdk.JVMInformation").texts("jvmArguments") {
        // Each chunk tells them again.
        if !seen.contains(&line) {
            seen.push(line);
            words.extend(line.split(' ').map(str::trim).filter(|w| !w.is_empty()));
        }
    }
    words
}
