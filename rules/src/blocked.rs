//! What blocked threads: shared by the rules that ask who blocks them.

use crate::idle::Idle;
use crate::tally::once_per_text;
use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Picked};

/// Time entering monitors, waiting on them, parked, and in file I/O. There can be hundreds of thousands of such events,
/// so all rules that look at files share these groups.
pub(crate) const BLOCKED: GroupBy = GroupBy::of(&[
    "jdk.JavaMonitorEnter",
    "jdk.ThreadPark",
    "jdk.JavaMonitorWait",
    "jdk.FileRead",
    "jdk.FileWrite",
    "jdk.FileForce",
])
.by(&[EVENT, STACK, ON])
.measure(&[DURATION, BYTES])
.histogram()
.up_to(200_000);
pub(crate) const STACK: &str = "stackTrace";
/// The class of the lock or condition, or the path of the file.
pub(crate) const ON: &str = "monitorClass|parkedClass|path";
pub(crate) const DURATION: &str = "duration";
pub(crate) const BYTES: &str = "bytesRead|bytesWritten";

/// The groups of one type of event.
pub(crate) fn of_event<'f>(facts: &'f Facts, event: &str) -> Picked<'f> {
    facts.groups(&BLOCKED).pick(|g| g.text(EVENT) == Some(event))
}

/// Time in which threads with work to do were blocked: on monitors that others hold, on locks and conditions other
/// than those of idle workers, and on files. Waiting for a notification does not count unless `waits` says that this
/// wait does.
pub(crate) fn of_time<'f>(facts: &'f Facts, waits: impl Fn(&Group<'f>) -> bool) -> impl Iterator<Item = Group<'f>> {
    let idle = Idle::new(facts);
    let mut is_lock = once_per_text(is_lock);
    let counts = move |g: &Group<'f>| match g.text(EVENT) {
        Some("jdk.JavaMonitorWait") => waits(g),
        Some("jdk.ThreadPark") => {
            waits(g) || (g.text(ON).is_some_and(&mut is_lock) && !g.stack(STACK).is_some_and(|s| idle.passes(s)))
        }
        // Standard input and pipes have no path: the thread waits for the process at the other end.
        Some("jdk.FileRead") => g.text(ON).is_some_and(|path| !path.is_empty()),
        _ => true,
    };
    facts.groups(&BLOCKED).iter().filter(counts)
}

/// Whether the class that a thread parks on is a lock. Conditions, latches and the hand-over of a task are not.
fn is_lock(class: &str) -> bool {
    const OTHERS: [&str; 3] = ["Condition", "CountDownLatch", "SynchronousQueue"];
    !OTHERS.iter().any(|other| class.contains(other))
        && (class.contains("Lock") || class.contains("Sync") || class.contains("Semaphore"))
}
