//! Garbage collection.

mod allocation_stalls;
mod application_halts;
mod causes;
mod compressed_oops;
mod explicit_gc;
mod failed_evacuation;
mod full_gc;
mod garbage_collection_info;
mod gc_cpu_overhead;
mod gc_freed_ratio;
mod gc_inverted_parallelism;
mod gc_locker;
mod gc_options;
mod gc_pause_ratio;
mod gc_pause_target;
mod gc_stall;
mod heap_inspection_gc;
mod high_gc;
mod humongous_allocation;
mod increasing_metaspace_live_set;
mod long_gc_pause;
mod metaspace_oom;
mod system_gc;
mod zgc_allocation_stall;

use super::boxed;
pub use allocation_stalls::AllocationStalls;
pub use application_halts::ApplicationHalts;
pub use compressed_oops::CompressedOops;
pub use explicit_gc::ExplicitGc;
pub use failed_evacuation::FailedEvacuation;
pub use full_gc::FullGc;
pub use garbage_collection_info::GarbageCollectionInfoRule;
pub use gc_cpu_overhead::GcCpuOverhead;
pub use gc_freed_ratio::GcFreedRatio;
pub use gc_inverted_parallelism::GcInvertedParallelism;
pub use gc_locker::GcLocker;
pub use gc_options::GcOptions;
pub use gc_pause_ratio::GcPauseRatio;
pub use gc_pause_target::GcPauseTargetRule;
pub use gc_stall::GcStall;
pub use heap_inspection_gc::HeapInspectionGc;
pub use high_gc::HighGc;
pub use humongous_allocation::HumongousAllocation;
pub use increasing_metaspace_live_set::IncreasingMetaSpaceLiveSet;
use jfr_analyzers::rule::Rule;
pub use long_gc_pause::LongGcPause;
pub use metaspace_oom::MetaspaceOom;
pub use system_gc::SystemGc;
pub use zgc_allocation_stall::ZgcAllocationStall;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        GcPauseRatio,
        LongGcPause,
        HighGc,
        ApplicationHalts,
        GarbageCollectionInfoRule,
        SystemGc,
        GcLocker,
        HeapInspectionGc,
        GcStall,
        FullGc,
        GcPauseTargetRule,
        GcInvertedParallelism,
        GcFreedRatio,
        IncreasingMetaSpaceLiveSet,
        MetaspaceOom,
        ZgcAllocationStall,
        GcOptions,
        CompressedOops,
        GcCpuOverhead,
        HumongousAllocation,
        FailedEvacuation,
        AllocationStalls,
        ExplicitGc
    ]
}
