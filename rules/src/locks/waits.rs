//! Waiting for locks of any kind: shared by the rules on lock waits.

use crate::idle::awaits_connection;
use crate::matching::MethodMatcher;
use jfr_analyzers::events::{EVENT, FIRST, Facts, Group, GroupBy, Picked};
use jfr_analyzers::rule::Settings;

pub(super) const MONITOR: &str = "jdk.JavaMonitorEnter";
pub(super) const PARK: &str = "jdk.ThreadPark";
/// Waiting to enter monitors, and being parked for any reason.
pub(super) const WAITS: GroupBy = GroupBy::of(&[MONITOR, PARK]).by(&[EVENT, CLASS, STACK, THREAD]).measure(&[DURATION]);
/// The same, by lock instead of by thread: [`ADDRESS`] replaces [`THREAD`].
pub(super) const LOCKED: GroupBy =
    GroupBy::of(&[MONITOR, PARK]).by(&[EVENT, CLASS, STACK, ADDRESS]).measure(&[DURATION]);
pub(super) const ADDRESS: &str = "address";
pub(super) const OWNER: &str = "previousOwner";
/// Waiting for monitors, by the previous owner.
pub(super) const OWNERS: GroupBy = GroupBy::of(&[MONITOR]).by(&[OWNER]).measure(&[DURATION]);
pub(super) const CLASS: &str = "monitorClass|parkedClass";
pub(super) const STACK: &str = "stackTrace";
pub(super) const THREAD: &str = "eventThread";
pub(super) const DURATION: &str = "duration";

/// Classes that are locks, as a pattern for the setting `locks`.
pub(super) const LOCKS: &str = r"\.(Reentrant(ReadWrite)?Lock(\$\w+)?|StampedLock)$|Lock\$(Nonfair|Fair)?Sync$";

/// Where pool threads ask for work, or exit. Threads that wait there have nothing to do, even if they wait for the
/// lock of the pool itself.
const NO_WORK: [&str; 2] =
    ["java.util.concurrent.ThreadPoolExecutor.getTask", "java.util.concurrent.ThreadPoolExecutor.processWorkerExit"];

/// Which of [`WAITS`] and [`LOCKED`] are for a lock: entering monitors, and parking on classes that the setting `locks`
/// matches, except for idle pool threads and threads that take turns to accept connections.
pub(super) fn for_a_lock<'f>(facts: &'f Facts, settings: &'f Settings) -> impl Fn(&Group<'f>) -> bool {
    let no_work = MethodMatcher::new(facts, |method| NO_WORK.contains(&method) || awaits_connection(method));
    move |g| {
        (g.text(EVENT) == Some(MONITOR) || g.text(CLASS).is_some_and(|c| settings.matches("locks", c)))
            && !g.stack(STACK).is_some_and(|s| no_work.passes(s))
    }
}

/// The [`WAITS`] that are for a lock, except those of threads that the setting `exclude-threads` matches.
pub(super) fn waits_for_locks<'f>(
    facts: &'f Facts,
    settings: &Settings,
    for_a_lock: impl Fn(&Group<'f>) -> bool,
) -> Picked<'f> {
    let excluded = |g: &Group<'f>| g.thread(THREAD).is_some_and(|t| settings.matches("exclude-threads", &t.name));
    facts.groups(&WAITS).pick(|g| for_a_lock(g) && !excluded(g))
}

/// The `n` groups with the largest sum of their first measure.
pub(super) fn longest(groups: Vec<Group<'_>>, n: usize) -> Vec<Group<'_>> {
    let mut groups: Vec<(f64, Group<'_>)> = groups.into_iter().map(|group| (group.sum(FIRST), group)).collect();
    groups.sort_by(|a, b| b.0.total_cmp(&a.0));
    groups.truncate(n);
    groups.into_iter().map(|(_, group)| group).collect()
}
