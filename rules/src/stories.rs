//! Which rules report the same problem, and which finding follows from which.
//!
//! The first id of an entry is the most specific: it names the cause or the place, and speaks for the others if it
//! costs at least half of what they cost. Relations that hold only in some recordings (regular expressions inside a
//! formatter, say) are declared by the rule itself, with `Verdict::tells` and `Verdict::told_by`.

use jfr_analyzers::rule::Relations;

/// Rules that only report that the collector stops the program, or takes CPU time.
const COLLECTOR: &[&str] = &[
    "AllocationRate",
    "GcCpuOverhead",
    "GcPauseRatio",
    "HighGc",
    "ApplicationHalts",
    "LongGcPause",
    "GcPauseTargetRule",
    "GcFreedRatio",
    "VmOperationOverhead",
    "FullGc",
    "GcStall",
];

/// Rules that report the same problem.
const SAME_STORY: &[(&str, &[&str])] = &[
    // Failures.
    ("Deadlock", &["ThreadStates", "StuckThreads", "LockContention", "JavaBlocking", "LockConvoy"]),
    ("StuckThreads", &["ThreadStates"]),
    ("SeriousErrors", &["Errors"]),
    ("MetaspaceOom", &["MetaspaceChurn", "ClassLeak", "IncreasingMetaSpaceLiveSet"]),
    // Exposures.
    ("SecretsInConfiguration", &["PasswordsInArguments", "PasswordsInEnvironment", "PasswordsInSystemProperties"]),
    ("WeakCrypto", &["CryptoSecurityRule"]),
    // The heap and its collector, from what went wrong to what it costs.
    ("AllocationStalls", &["ZGCAllocationStallRule", "HeapFull"]),
    ("AllocationStalls", COLLECTOR),
    ("FailedEvacuation", &["FullGc", "GcStall", "HeapFull"]),
    ("FailedEvacuation", COLLECTOR),
    ("HeapLeakForecast", &["IncreasingLiveSet", "HeapFull", "HeapContent"]),
    ("HeapLeakForecast", COLLECTOR),
    ("HeapFull", COLLECTOR),
    ("HumongousAllocation", &["TlabAllocationRatio"]),
    ("ExplicitGc", &["SystemGc"]),
    ("ExplicitGc", COLLECTOR),
    ("SystemGc", &["FullGc", "HighGc"]),
    ("HeapInspectionGc", &["FullGc", "GcStall"]),
    ("AllocationRate", &["Allocations.class", "Allocations.thread", "GcFreedRatio", "TlabAllocationRatio"]),
    ("GcPauseRatio", &["HighGc", "LongGcPause", "GcPauseTargetRule", "GcFreedRatio", "VmOperationOverhead"]),
    ("GcPauseRatio", &["ApplicationHalts", "GcCpuOverhead"]),
    ("VmOperationShare", &["ApplicationHalts", "VMOperations", "VmOperationOverhead"]),
    ("SlowSafepoint", &["ApplicationHalts", "SafepointOverhead"]),
    ("ApplicationHalts", &["VMOperations", "VmOperationOverhead", "HighGc"]),
    ("BoxingOverhead", &["PrimitiveToObjectConversion"]),
    ("PrimitiveToObjectConversion", &["Allocations.class", "Allocations.thread"]),
    ("Allocations.class", &["Allocations.thread", "TlabAllocationRatio"]),
    ("Allocations.thread", &["TlabAllocationRatio"]),
    ("FinalizerBacklog", &["FinalizersRun", "FinalizerOverhead"]),
    ("FinalizerOverhead", &["FinalizersRun"]),
    // Classes and code.
    ("MetaspaceChurn", &["ClassLeak", "IncreasingMetaSpaceLiveSet"]),
    ("ClassLeak", &["IncreasingMetaSpaceLiveSet"]),
    ("ClassLoadingOverhead", &["ClassLoading"]),
    ("CodeCacheNearFull", &["CodeCache"]),
    ("DeoptimizationStorm", &["DeoptimizationOverhead", "JitOverhead"]),
    // Waiting.
    ("LoggingBlocks", &["LockContention", "JavaBlocking", "LockConvoy", "IoWait", "FileForce", "FileWrite"]),
    ("LoggingBlocks", &["SmallIo", "LoggingOverhead", "Log4jOverhead"]),
    ("ConnectionPoolWait", &["LockContention", "JavaBlocking", "LockConvoy"]),
    ("LockConvoy", &["LockContention", "JavaBlocking", "LockInternalsOverhead", "ThreadStates"]),
    ("LockContention", &["JavaBlocking", "LockConvoy", "LockInternalsOverhead", "ThreadStates"]),
    ("JavaBlocking", &["LockInternalsOverhead", "ThreadStates"]),
    ("RepeatedRequests", &["SocketRead", "IoWait", "SmallIo"]),
    ("IoWait", &["SocketRead", "SocketWrite", "FileRead", "FileWrite", "FileForce"]),
    // The CPU.
    ("ExceptionControlFlow", &["ExceptionOverhead", "Exceptions", "Errors"]),
    ("RegexOverhead", &["RegexCompileOverhead"]),
    ("LoggingOverhead", &["Log4jOverhead"]),
    ("BusySpin", &["HotSpots", "MethodProfiling", "FewSampledThreads"]),
    ("HotSpots", &["MethodProfiling", "FewSampledThreads"]),
    ("MethodProfiling", &["FewSampledThreads"]),
    // The machine.
    ("ContainerCpuThrottling", &["GcInvertedParallelism"]),
    ("CpuSaturation", &["HighJvmCpu", "CompareCpu", "GcInvertedParallelism", "ManyRunningProcesses"]),
    ("CompareCpu", &["GcInvertedParallelism", "ManyRunningProcesses"]),
    // The recording.
    ("RecordingQuality", &["StackdepthSetting", "BufferLost", "OverAggressiveRecordingSetting", "DebugNonSafepoints"]),
];

/// The rules whose finding may cause that of another.
const FOLLOWS_FROM: &[(&str, &[&str])] = &[
    ("SeriousErrors", &["HeapLeakForecast", "HeapFull", "DirectBuffers", "MetaspaceChurn"]),
    ("AllocationStalls", &["HeapLeakForecast"]),
    ("FailedEvacuation", &["HeapLeakForecast", "HumongousAllocation"]),
    ("HeapFull", &["HeapLeakForecast"]),
    (
        "GcPauseRatio",
        &[
            "ContainerCpuThrottling",
            "HeapFull",
            "HeapLeakForecast",
            "HumongousAllocation",
            "ExplicitGc",
            "AllocationRate",
        ],
    ),
    (
        "ApplicationHalts",
        &[
            "ContainerCpuThrottling",
            "GcPauseRatio",
            "VmOperationShare",
            "SlowSafepoint",
            "ExplicitGc",
            "AllocationRate",
        ],
    ),
    ("HighGc", &["ContainerCpuThrottling", "HeapFull", "HeapLeakForecast", "HumongousAllocation", "AllocationRate"]),
    ("LongGcPause", &["ContainerCpuThrottling", "HeapFull", "HeapLeakForecast"]),
    ("GcCpuOverhead", &["HeapFull", "HeapLeakForecast", "HumongousAllocation", "AllocationRate"]),
    ("GcPauseTargetRule", &["ContainerCpuThrottling", "CpuSaturation"]),
    ("GcInvertedParallelism", &["LowOnPhysicalMemory"]),
    ("JitOverhead", &["DeoptimizationStorm", "CodeCacheNearFull"]),
    ("ThreadStates", &["LockContention", "LockConvoy"]),
    ("LockContention", &["ContainerCpuThrottling"]),
    ("ExecutorQueueDelay", &["LockContention", "IoWait", "ContainerCpuThrottling"]),
];

/// How the rules of this crate relate to each other.
pub(super) fn relations() -> Relations {
    let all = SAME_STORY.iter().fold(Relations::default(), |all, (id, others)| all.same_story(*id, *others));
    FOLLOWS_FROM.iter().fold(all, |all, (id, causes)| all.follows_from(*id, *causes))
}

#[cfg(test)]
mod tests {
    use super::{FOLLOWS_FROM, SAME_STORY};

    /// An id that does not exist would never relate to anything.
    #[test]
    fn all_ids_are_rules() {
        let known: Vec<_> = crate::analysis().infos().map(|info| info.id).collect();
        for (id, others) in SAME_STORY.iter().chain(FOLLOWS_FROM) {
            for id in std::iter::once(id).chain(*others) {
                assert!(known.iter().any(|known| known == id), "{id}");
            }
        }
    }
}
