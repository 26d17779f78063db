//! Rules on the heap and what fills it: allocation, leaks, heap dumps, and memory outside the heap (direct buffers,
//! native memory).
//!
//! Pauses and options of the collector, and metaspace, belong in `gc`; the memory of the machine or the container
//! belongs in `environment`. This file has the heap after each collection, and `allocation.rs` the allocations from
//! whichever events a recording has, each for several rules. Open `heap_full.rs` first.

pub(super) mod allocation;
mod allocation_rate;
mod allocations_class;
mod allocations_thread;
mod direct_buffers;
mod finalizer_backlog;
mod heap_content;
mod heap_dump;
mod heap_full;
mod heap_leak_forecast;
mod increasing_live_set;
mod native_memory_growth;
mod primitive_to_object_conversion;
mod string_deduplication;
mod tlab_allocation_ratio;

use super::boxed;
use crate::tally::once_per_text;
pub(crate) use allocation_rate::AllocationRate;
pub(crate) use allocations_class::AllocationsClass;
pub(crate) use allocations_thread::AllocationsThread;
pub(crate) use direct_buffers::DirectBuffers;
pub(crate) use finalizer_backlog::FinalizerBacklog;
pub(crate) use heap_content::HeapContent;
pub(crate) use heap_dump::HeapDump;
pub(crate) use heap_full::HeapFull;
pub(crate) use heap_leak_forecast::HeapLeakForecast;
pub(crate) use increasing_live_set::IncreasingLiveSet;
use jfr_analyzers::events::Facts;
use jfr_analyzers::rule::Rule;
pub(crate) use native_memory_growth::NativeMemoryGrowth;
pub(crate) use primitive_to_object_conversion::PrimitiveToObjectConversion;
use std::collections::HashSet;
pub(crate) use string_deduplication::StringDeduplication;
pub(crate) use tlab_allocation_ratio::TlabAllocationRatio;

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
        HeapFull,
        HeapLeakForecast,
        NativeMemoryGrowth,
        DirectBuffers,
        AllocationRate,
        FinalizerBacklog
    ]
}

/// The fields read from `jdk.GCHeapSummary`.
const SUMMARY_FIELDS: &[&str] = &["gcId", "when", "heapUsed", "heapSpace.committedSize", "heapSpace.reservedSize"];

/// The heap after a collection.
#[derive(Debug, Clone, Copy)]
struct AfterGc {
    at: i64,
    used: f64,
    reserved: f64,
    /// The collection covered all or part of the old generation.
    whole: bool,
}

/// The heap after each collection, in chronological order.
fn after_collections(facts: &Facts) -> Vec<AfterGc> {
    // Non-generational ZGC and Shenandoah collect the whole heap every time.
    let mut is_whole = once_per_text(|name| {
        ["Old", "Full", "MarkSweep", "Major"].iter().any(|n| name.contains(n))
            || matches!(name, "Z" | "ZGC" | "Shenandoah")
    });
    let mut is_mixed = once_per_text(|of| of.contains("Mixed"));
    let collections = facts
        .table("jdk.GarbageCollection")
        .rows()
        .filter(|row| row.text("name").is_some_and(&mut is_whole) || row.text("cause") == Some("System.gc()"));
    let mut whole: HashSet<i64> = collections.filter_map(|r| r.int("gcId")).collect();
    let g1 = facts.table("jdk.G1GarbageCollection");
    let mixed = g1.rows().filter(|r| r.text("type").is_some_and(&mut is_mixed));
    whole.extend(mixed.filter_map(|r| r.int("gcId")));
    facts
        .table("jdk.GCHeapSummary")
        .rows()
        .filter(|r| r.text("when") == Some("After GC"))
        .filter_map(|r| {
            Some(AfterGc {
                at: r.start,
                used: r.float("heapUsed")?,
                reserved: r.float("heapSpace.reservedSize").unwrap_or(0.0),
                whole: r.int("gcId").is_some_and(|id| whole.contains(&id)),
            })
        })
        .collect()
}
