//! Causes of collections, shared by the rules that look at causes.

use crate::tally::once_per_text;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::join_overlaps;
use jfr_analyzers::rule::Value;

const BY_CAUSE: GroupBy =
    GroupBy::of(&["jdk.GarbageCollection"]).by(&["name", "cause"]).measure(&["duration", "sumOfPauses"]);

/// Whether a collection with this cause was requested explicitly, or by the recording itself for a heap histogram.
pub(super) fn is_asked_for(cause: &str) -> bool {
    const ASKED: [&str; 8] = [
        "system.gc",
        "heap inspection",
        "heap dump",
        "diagnostic command",
        "forcegarbagecollection",
        "whitebox",
        "full gc alot",
        "jvmti",
    ];
    let cause = cause.to_lowercase();
    ASKED.iter().any(|asked| cause.contains(asked))
}

/// Time around an explicit collection, in nanoseconds, in which a marking cycle that it aborted may end as a failure.
const AROUND: i64 = 1_000_000_000;

/// Time ranges of explicit collections, with a margin on both sides, in time order.
#[derive(Debug)]
pub(super) struct AskedFor(Vec<(i64, i64)>);

impl AskedFor {
    /// What [`of`](Self::of) reads.
    pub(super) fn needs(needs: Needs) -> Needs {
        needs.table("jdk.GarbageCollection", &["gcId", "name", "cause", "sumOfPauses"])
    }

    pub(super) fn of(facts: &Facts) -> Self {
        let mut is_asked = once_per_text(is_asked_for);
        let rows = facts.table("jdk.GarbageCollection").rows();
        let asked = rows.filter(|r| r.text("cause").is_some_and(&mut is_asked));
        let mut times: Vec<(i64, i64)> =
            asked.map(|r| (r.start.saturating_sub(AROUND), r.end.saturating_add(AROUND))).collect();
        join_overlaps(&mut times);
        Self(times)
    }

    /// Whether an explicit collection ran around that time.
    pub(super) fn near(&self, at: i64) -> bool {
        let before = self.0.partition_point(|(from, _)| *from <= at);
        before.checked_sub(1).and_then(|last| self.0.get(last)).is_some_and(|(_, to)| at <= *to)
    }
}

/// Number of collections by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Causes {
    pub(super) all: u64,
    /// Requested with `System.gc()`.
    pub(super) explicit: u64,
    /// After a JNI critical section.
    pub(super) locker: u64,
    /// For a heap histogram.
    pub(super) inspection: u64,
    /// A serial collection of the old generation that was not requested explicitly.
    pub(super) unasked_serial: bool,
    /// Nanoseconds in the pauses of [`explicit`](Self::explicit), [`locker`](Self::locker) and unrequested full
    /// collections.
    pub(super) explicit_pauses: f64,
    pub(super) locker_pauses: f64,
    pub(super) full_pauses: f64,
}

impl Causes {
    pub(super) fn needs() -> Needs {
        Needs::new().available("jdk.GarbageCollection").groups(BY_CAUSE)
    }

    pub(super) fn of(facts: &Facts) -> Self {
        let mut causes = Self::default();
        for group in facts.groups(&BY_CAUSE).iter() {
            let (name, cause) =
                (group.text("name").unwrap_or_default(), group.text("cause").unwrap_or_default().to_lowercase());
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
            let full = matches!(name, "SerialOld" | "G1Full" | "ParallelOld") && !is_asked_for(&cause);
            for (pauses, counts) in [
                (&mut causes.explicit_pauses, explicit),
                (&mut causes.locker_pauses, cause.contains("gclocker")),
                (&mut causes.full_pauses, full),
            ] {
                if counts {
                    // Old JDKs record only durations of collections that stop the program.
                    let recorded = group.sum("sumOfPauses");
                    *pauses += if recorded > 0.0 { recorded } else { group.sum("duration") };
                }
            }
        }
        causes
    }

    /// Evidence: the collections by kind and cause, largest total time first.
    pub(super) fn table(self, facts: &Facts) -> Value {
        let mut groups: Vec<_> = facts.groups(&BY_CAUSE).iter().collect();
        groups.sort_by(|a, b| b.sum("duration").total_cmp(&a.sum("duration")));
        Value::table(
            ["collection", "cause", "count", "time", "longest"],
            groups.iter().map(|g| {
                [
                    g.text("name").unwrap_or("?").into(),
                    g.text("cause").unwrap_or("?").into(),
                    Value::count(g.count(), "collections"),
                    Value::nanos_f64(g.sum("duration")),
                    Value::nanos_f64(g.max("duration")),
                ]
            }),
        )
    }
}
