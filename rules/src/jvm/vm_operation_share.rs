//! `VmOperationShare`: how much of the time VM operations stop the program.

use crate::cost;
use crate::tally::tally;
use jfr_analyzers::events::{Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{Window, map2, ratio, worst_window};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{duration_f64, rounded_percent};

/// The share of time in blocking VM operations. Needs the `jdk.ExecuteVMOperation` events.
///
/// Fires on `fixtures/scenarios/vm-operations.jfr.gz` (repeated thread dumps) and on made-up events; quiet on
/// `fixtures/scenarios/safepoint-slow.jfr.gz` (the operations are short, only reaching the safepoint is slow) and
/// `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VmOperationShare;

const OPERATIONS: GroupBy = GroupBy::of(&["jdk.ExecuteVMOperation"])
    .by(&["operation", "caller", "blocking", "safepoint"])
    .measure(&["duration"]);

impl VmOperationShare {
    /// Why it matters.
    const WHY: &str = "While such an operation runs, no Java thread does. The JVM itself needs few of them; tools \
                       and agents request most.";
    /// What to do.
    const REMEDY: &str = "Find the requester: the table names the thread. Typical causes are monitoring that often \
                          takes thread dumps or heap histograms, profilers that walk all threads, agents that \
                          redefine classes at run time, inflated locks, and revoked biased locks.";
}

impl Rule for VmOperationShare {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("VmOperationShare")
.title("VM operation overhead")
.category(Category::Jvm)
.description("How much of the time the JVM stops the program for operations other than garbage \
                          collections: thread dumps, class redefinition, heap inspection, deoptimization….")
.formula("The largest share of any 60 s window (or of a shorter recording) spent in \
                      jdk.ExecuteVMOperation events that block or need a safepoint, per operation: 25 at `info`, 75 \
                      at `warning`. Operations of the garbage collector (`exclude`) appear only in the evidence; the \
                      rules on GC pauses judge them.")
.settings(const {
                &[
                    Setting::percent("info", 5.0, "Share of a window that is worth a look"),
                    Setting::percent("warning", 10.0, "Share of a window to act on"),
                    Setting::seconds("window", 60.0, "Length of the window"),
                    Setting::regex(
                        "exclude",
                        "Collect|^G1|^Z(?:Mark|Relocate|Operation|Young|Old)|^X|Shenandoah|^CMS|Scavenge|^(?:Serial|Parallel)?(?:GC_)?(?:Full)?GC(?:Operation)?$",
                        "Operations to ignore",
                    ),
                ]
            })
.why(Self::WHY)
.remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled("jdk.ExecuteVMOperation")
            .table("jdk.ExecuteVMOperation", &["operation", "safepoint", "blocking"])
            .groups(OPERATIONS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        verdict(facts, &measure(facts, settings), settings)
    }
}

/// VM operations that stop the program.
struct Measured<'f> {
    /// The operation that takes the largest share of a window, with this window and share, 0 to 1.
    worst: Option<(&'f str, Window, f64)>,
    /// All stops, in nanoseconds.
    stopped: f64,
    /// By operation and the thread that asked for it, the longest in total first.
    groups: Vec<Group<'f>>,
}

fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Measured<'f> {
    let blocking = facts
        .table("jdk.ExecuteVMOperation")
        .rows()
        .filter(|row| row.flag("safepoint") == Some(true) || row.flag("blocking") == Some(true));
    let mut by_operation: Vec<(&str, Vec<(i64, i64)>)> = tally(
        blocking,
        |row| row.text("operation").unwrap_or("unknown"),
        |times: &mut Vec<_>, row| times.push((row.start, row.end)),
    );
    by_operation.retain(|(name, _)| !settings.matches("exclude", name));
    let length = settings.nanos("window");
    let worst = by_operation
        .iter()
        .map(|(name, times)| (*name, worst_window(times, length, facts.window())))
        .max_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let mut groups = facts.groups(&OPERATIONS).by(&["operation", "caller"]);
    groups.sort_by(|a, b| b.sum("duration").total_cmp(&a.sum("duration")));
    Measured {
        worst: worst.map(|(operation, (window, share))| (operation, window, share)),
        stopped: by_operation.iter().flat_map(|(_, times)| times).map(|(a, b)| b.saturating_sub(*a) as f64).sum(),
        groups,
    }
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { worst, stopped, groups } = measured;
    let table = operation_table(facts, groups);
    let Some((operation, window, share)) = worst else {
        return Verdict::ok("No VM operations except garbage collections stopped the program")
            .with_some("operations", (!groups.is_empty()).then_some(table));
    };
    let summary = format!(
        "VM operation {operation} takes up to {} of a window of {}",
        rounded_percent(share * 100.0),
        duration_f64(window.length() as f64)
    );
    Verdict::scored(map2(share * 100.0, settings.number("info"), settings.number("warning")), summary)
        .explain(VmOperationShare::WHY)
        .remedy(VmOperationShare::REMEDY)
        .cost(cost::paused(facts, *stopped))
        .with("operation", *operation)
        .with("greatest share", Value::share(*share))
        .with("window", Value::window(window.from, window.to))
        .with("operations", table)
}

fn operation_table(facts: &Facts, groups: &[Group<'_>]) -> Value {
    let rows = groups.iter().take(15).map(|g| {
        [
            g.text("operation").unwrap_or("?").into(),
            g.thread("caller").map_or("", |t| t.name.as_str()).into(),
            Value::count(g.count(), "times"),
            Value::nanos_f64(g.sum("duration")),
            Value::nanos_f64(g.max("duration")),
            Value::share(ratio(g.sum("duration"), facts.nanos() as f64)),
        ]
    });
    Value::table(["operation", "asked for by", "times", "time", "longest", "share of time"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    fn scene(operation: &str, millis: i64) -> Scene {
        (0..60i64).fold(Scene::new(), |s, i| {
            let fields = [("operation", operation.into()), ("safepoint", true.into()), ("caller", thread("agent"))];
            s.event("jdk.ExecuteVMOperation", i * SECOND, i * SECOND + millis * 1_000_000, fields)
        })
    }

    #[test]
    fn it_fires_on_thread_dumps_over_and_over() {
        fixture::expect("VmOperationShare", "vm-operations", Severity::Warning);
        // Tools that count objects also stop the program, although the operation is named after the garbage collector.
        assert_eq!(scene("GC_HeapInspection", 120).verdict(&VmOperationShare).severity, Severity::Warning);
    }

    #[test]
    fn it_fires_on_operations_that_take_a_tenth_of_the_time() {
        let verdict = scene("ThreadDump", 120).verdict(&VmOperationShare);
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(fixture::text(&verdict).contains("agent"));
        assert_eq!(scene("ThreadDump", 60).verdict(&VmOperationShare).severity, Severity::Info);
    }

    #[test]
    fn it_is_quiet_on_short_operations_and_on_collections() {
        assert_eq!(scene("ThreadDump", 10).verdict(&VmOperationShare).severity, Severity::Ok);
        assert_eq!(scene("G1CollectForAllocation", 120).verdict(&VmOperationShare).severity, Severity::Ok);
        fixture::expect("VmOperationShare", "safepoint-slow", Severity::Ok);
        fixture::expect("VmOperationShare", "healthy", Severity::Ok);
    }
}
