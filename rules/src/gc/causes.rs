//! What collections were for: shared by the rules on causes.

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::rule::Value;

const BY_CAUSE: GroupBy = GroupBy::of(&["jdk.GarbageCollection"]).by(&["name", "cause"]).measure(&["duration"]);

/// Collections by what they were for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Causes {
    pub(super) all: u64,
    /// Asked for with `System.gc()`.
    pub(super) explicit: u64,
    /// After a JNI critical section.
    pub(super) locker: u64,
    /// For a histogram of the heap.
    pub(super) inspection: u64,
    /// A serial collection of the old generation that nobody asked for.
    pub(super) unasked_serial: bool,
}

impl Causes {
    pub(super) fn needs() -> Needs {
        Needs::new().available("jdk.GarbageCollection").groups(BY_CAUSE)
    }

    pub(super) fn of(facts: &Facts) -> Self {
        let mut causes = Self::default();
        for group in facts.groups(&BY_CAUSE).iter() {
            let (name, cause) = (group.text(0).unwrap_or_default(), group.text(1).unwrap_or_default().to_lowercase());
            let n = group.count();
            causes.all = causes.all.saturating_add(n);
            let (explicit, inspection) = (cause.contains("system.gc()"), cause == "heap inspection initiated gc");
            for (count, counts) in [
                (&mut causes.explicit, explicit),
                (&mut causes.locker, cause.contains("gclocker")),
                (&mut causes.inspection, inspection),
            ] {
                if counts {
                    *count = count.saturating_add(n);
                }
            }
            causes.unasked_serial |= name == "SerialOld" && !explicit && !inspection;
        }
        causes
    }

    /// Evidence: the collections by kind and cause, the longest sum first.
    pub(super) fn table(self, facts: &Facts) -> Value {
        let mut groups: Vec<_> = facts.groups(&BY_CAUSE).iter().collect();
        groups.sort_by(|a, b| b.sum(0).total_cmp(&a.sum(0)));
        Value::table(
            ["collection", "cause", "count", "time", "longest"],
            groups.iter().map(|g| {
                [
                    g.text(0).unwrap_or("?").into(),
                    g.text(1).unwrap_or("?").into(),
                    Value::count(g.count(), "collections"),
                    Value::nanos_f64(g.sum(0)),
                    Value::nanos_f64(g.max(0)),
                ]
            }),
        )
    }
}
