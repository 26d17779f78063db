//! Heap, allocation, leaks.

mod allocation;
mod allocation_rate;
mod allocations_class;
mod allocations_thread;
mod direct_buffers;
mod finalizer_backlog;
mod heap_content;
mod heap_dump;
mod increasing_live_set;
mod primitive_to_object_conversion;
mod string_deduplication;
mod tlab_allocation_ratio;

pub use allocation_rate::AllocationRate;
pub use allocations_class::AllocationsClass;
pub use allocations_thread::AllocationsThread;
pub use direct_buffers::DirectBuffers;
pub use finalizer_backlog::FinalizerBacklog;
pub use heap_content::HeapContent;
pub use heap_dump::HeapDump;
pub use increasing_live_set::IncreasingLiveSet;
pub use primitive_to_object_conversion::PrimitiveToObjectConversion;
pub use string_deduplication::StringDeduplication;
pub use tlab_allocation_ratio::TlabAllocationRatio;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        IncreasingLiveSet,
        HeapContent,
        AllocationsClass,
        AllocationsThread,
        PrimitiveToObjectConversion,
        TlabAllocationRatio,
        StringDeduplication,
        HeapDump,
        DirectBuffers,
        AllocationRate,
        FinalizerBacklog
    ]
}
