//! `GcOptions`: a collector that does not suit the machine.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};

/// Whether the choice of collector suits the machine. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcOptions;

impl GcOptions {
    /// Why it matters.
    const WHY: &str = "A collector that does not suit the machine wastes CPUs or pauses longer than necessary.";
    /// What to do.
    const REMEDY: &str =
        "Let the JVM choose the collector and its threads, or choose them to match the CPUs and the heap.";
}

impl Rule for GcOptions {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GcOptions")
            .title("GC choice and threads")
            .category(Category::Gc)
            .description("Whether the collector and its number of threads suit the machine.")
            .formula(
                "The first of these that applies is worth a look: SerialOld with 4 or more hardware threads and \
                      more than 4 GiB of heap; ParallelOld with one hardware thread; more collector threads than \
                      hardware threads; one collector thread under ParallelOld or G1.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.CPUInformation")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        const GIB4: i64 = 4 << 30;
        let heap = facts.table("jdk.GCHeapConfiguration").ints("maxSize").max();
        let threads = facts.table("jdk.GCConfiguration").ints("parallelGCThreads").max();
        let (Some(hardware), Some(collector), Some(heap), Some(threads)) =
            (facts.hardware_threads(), facts.old_collector(), heap, threads)
        else {
            return Verdict::not_applicable("the recording lacks the configuration of the collector or the machine");
        };
        let found = match collector {
            "SerialOld" if hardware >= 4 && heap > GIB4 => Some((
                "The serial collector is used with several CPUs and a large heap",
                "Use -XX:+UseParallelGC or -XX:+UseG1GC.",
            )),
            "SerialOld" => None,
            "ParallelOld" if hardware == 1 => {
                Some(("The parallel collector is used with a single CPU", "Use -XX:+UseSerialGC."))
            }
            _ if threads > hardware => Some((
                "The collector has more threads than there are CPUs",
                "Remove -XX:ParallelGCThreads, or set it to the number of CPUs.",
            )),
            "ParallelOld" | "G1Old" if threads == 1 => Some((
                "A multi-threaded collector runs with a single thread",
                "Increase -XX:ParallelGCThreads, or use -XX:+UseSerialGC.",
            )),
            _ => None,
        };
        let evidence = |v: Verdict| {
            v.with("collector", collector)
                .with("collector threads", Value::number(threads as f64, "threads"))
                .with("hardware threads", Value::number(hardware as f64, "threads"))
                .with("largest heap allowed", Value::bytes(heap as f64))
        };
        match found {
            None => evidence(Verdict::ok("The collector suits the machine")),
            Some((summary, remedy)) => evidence(Verdict::info(summary).remedy(remedy)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn each_case() {
        let of = |collector: &str, hardware: i64, threads: i64, heap: i64| {
            Scene::new()
                .event("jdk.CPUInformation", 0, 0, [("hwThreads", hardware.into())])
                .event(
                    "jdk.GCConfiguration",
                    0,
                    0,
                    [("oldCollector", collector.into()), ("parallelGCThreads", threads.into())],
                )
                .event("jdk.GCHeapConfiguration", 0, 0, [("maxSize", heap.into())])
                .verdict(&GcOptions)
                .severity
        };
        assert_eq!(of("SerialOld", 8, 1, 8 << 30), Severity::Info);
        assert_eq!(of("SerialOld", 2, 1, 8 << 30), Severity::Ok);
        assert_eq!(of("ParallelOld", 1, 1, 1 << 30), Severity::Info);
        assert_eq!(of("G1Old", 4, 8, 1 << 30), Severity::Info);
        assert_eq!(of("G1Old", 4, 1, 1 << 30), Severity::Info);
        assert_eq!(of("G1Old", 4, 4, 1 << 30), Severity::Ok);
    }
}
