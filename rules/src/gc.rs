//! Rules on garbage collection: pauses, what triggers collections, what the collector costs, its options, and metaspace
//! that grows.
//!
//! What fills the heap, and who allocates, belongs in `heap`; class loaders belong in `classes`; VM operations and slow
//! safepoints in `jvm`. Several rules share `causes.rs`, the collections by cause, and `stopped.rs`, the time in which
//! the application was stopped. Open `long_gc_pause.rs` first: it is short, and has every part of a rule.

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
mod stopped;
mod system_gc;
mod zgc_allocation_stall;

use super::boxed;
pub(crate) use allocation_stalls::AllocationStalls;
pub(crate) use application_halts::ApplicationHalts;
pub(crate) use compressed_oops::CompressedOops;
pub(crate) use explicit_gc::ExplicitGc;
pub(crate) use failed_evacuation::FailedEvacuation;
pub(crate) use full_gc::FullGc;
pub(crate) use garbage_collection_info::GarbageCollectionInfoRule;
pub(crate) use gc_cpu_overhead::GcCpuOverhead;
pub(crate) use gc_freed_ratio::GcFreedRatio;
pub(crate) use gc_inverted_parallelism::GcInvertedParallelism;
pub(crate) use gc_locker::GcLocker;
pub(crate) use gc_options::GcOptions;
pub(crate) use gc_pause_ratio::GcPauseRatio;
pub(crate) use gc_pause_target::GcPauseTargetRule;
pub(crate) use gc_stall::GcStall;
pub(crate) use heap_inspection_gc::HeapInspectionGc;
pub(crate) use high_gc::HighGc;
pub(crate) use humongous_allocation::HumongousAllocation;
pub(crate) use increasing_metaspace_live_set::IncreasingMetaSpaceLiveSet;
use jfr_analyzers::rule::Rule;
pub(crate) use long_gc_pause::LongGcPause;
pub(crate) use metaspace_oom::MetaspaceOom;
pub(crate) use system_gc::SystemGc;
pub(crate) use zgc_allocation_stall::ZgcAllocationStall;

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
