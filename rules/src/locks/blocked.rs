//! What threads were blocked by: shared by the rules on who blocks them.

use crate::common::{Seek, method_of};
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

/// Whether a method waits by design for something to do: an idle worker's.
pub(crate) fn is_idle(method: &str) -> bool {
    matches!(
        method_of(method),
        "take"
            | "poll"
            | "takeFirst"
            | "pollFirst"
            | "getTask"
            | "awaitWork"
            | "waitFor"
            | "applyWaitMethod"
            | "mainLoop"
    ) || method.starts_with("java.util.concurrent.DelayQueue")
        || method.starts_with("java.util.concurrent.ScheduledThreadPoolExecutor$DelayedWorkQueue")
        || method.starts_with("java.lang.ref.ReferenceQueue")
}

/// Time in which threads that had something to do could not go on: monitors that others hold, locks and conditions that are not an idle
/// worker's, files. Waiting for a notification is not among it unless `waits` says that this wait counts.
pub(crate) fn of_time<'f>(facts: &'f Facts, waits: impl Fn(&Group<'f>) -> bool) -> Vec<Group<'f>> {
    let idle = Seek::new(facts, is_idle);
    let counts = |g: &Group<'f>| match g.text(EVENT_KEY) {
        Some("jdk.JavaMonitorWait") => waits(g),
        Some("jdk.ThreadPark") => {
            waits(g) || (g.text(ON_KEY).is_some_and(is_lock) && !g.stack(STACK_KEY).is_some_and(|s| idle.passes(s)))
        }
        _ => true,
    };
    facts.groups(&BLOCKED).iter().filter(counts).collect()
}

/// Whether the class that a thread parks on is a lock; conditions of queues are not.
fn is_lock(class: &str) -> bool {
    !class.contains("Condition") && (class.contains("Lock") || class.contains("Sync") || class.contains("Semaphore"))
}
