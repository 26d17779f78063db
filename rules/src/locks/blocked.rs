//! What threads were blocked by: shared by the rules on who blocks them.

use crate::common::Seek;
use crate::idle::is_idle;
use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy};

/// Entering and waiting for monitors, parking, files.
pub(crate) const BLOCKED: GroupBy = GroupBy::of(&[
    "jdk.JavaMonitorEnter",
    "jdk.ThreadPark",
    "jdk.JavaMonitorWait",
    "jdk.FileRead",
    "jdk.FileWrite",
    "jdk.FileForce",
])
.by(&[EVENT, "stackTrace", "monitorClass|parkedClass|path"])
.measure(&["duration"]);
pub(super) const EVENT_KEY: usize = 0;
pub(super) const STACK_KEY: usize = 1;
pub(super) const ON_KEY: usize = 2;

/// Time in which threads that had something to do could not go on: monitors that others hold, locks and conditions that are not an idle
/// worker's, files. Waiting for a notification is not among it unless `waits` says that this wait counts.
pub(crate) fn of_time<'f>(facts: &'f Facts, waits: impl Fn(&Group<'f>) -> bool) -> Vec<Group<'f>> {
    let idle = Seek::new(facts, is_idle);
    let counts = |g: &Group<'f>| match g.text(EVENT_KEY) {
        Some("jdk.JavaMonitorWait") => waits(g),
        Some("jdk.ThreadPark") => {
            waits(g) || (g.text(ON_KEY).is_some_and(is_lock) && !g.stack(STACK_KEY).is_some_and(|s| idle.passes(s)))
        }
        // Standard input and pipes have no path: the thread waits for whoever writes to them.
        Some("jdk.FileRead") => g.text(ON_KEY).is_some_and(|path| !path.is_empty()),
        _ => true,
    };
    facts.groups(&BLOCKED).iter().filter(counts).collect()
}

/// Whether the class that a thread parks on is a lock; conditions of queues are not.
fn is_lock(class: &str) -> bool {
    !class.contains("Condition") && (class.contains("Lock") || class.contains("Sync") || class.contains("Semaphore"))
}
