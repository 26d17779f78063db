//! Rules on the JVM itself: its options, version and agents, code that a later JDK breaks, finalizers, safepoints and
//! VM operations.
//!
//! Options of the collector belong in `gc`, settings of the recording in `recording`, everything outside the process in
//! `environment`. `arguments.rs` splits the command line for several rules; `deprecated.rs` and `documented.rs` are
//! lists of options. Open `discouraged_vm_options.rs` first.

mod agents;
mod arguments;
mod bytecode_verification;
mod debug_non_safepoints;
mod deprecated;
mod discouraged_vm_options;
mod documented;
mod duplicate_flags;
mod dynamic_agents;
mod finalizers_run;
mod flight_recording_support;
mod future_breakage;
mod jfr_periodic_events_fix;
mod management_agent;
mod multiple_agents;
mod options;
mod pid1;
mod slow_safepoint;
mod vm_operation_share;

use super::boxed;
pub(crate) use bytecode_verification::BytecodeVerification;
pub(crate) use debug_non_safepoints::DebugNonSafepoints;
pub(crate) use discouraged_vm_options::DiscouragedVmOptions;
pub(crate) use duplicate_flags::DuplicateFlags;
pub(crate) use dynamic_agents::DynamicAgents;
pub(crate) use finalizers_run::FinalizersRun;
pub(crate) use flight_recording_support::FlightRecordingSupport;
pub(crate) use future_breakage::FutureBreakage;
use jfr_analyzers::rule::Rule;
pub(crate) use jfr_periodic_events_fix::JfrPeriodicEventsFix;
pub(crate) use management_agent::ManagementAgent;
pub(crate) use multiple_agents::MultipleAgents;
pub(crate) use options::Options;
pub(crate) use pid1::Pid1;
pub(crate) use slow_safepoint::SlowSafepoint;
pub(crate) use vm_operation_share::VmOperationShare;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        Options,
        DuplicateFlags,
        DiscouragedVmOptions,
        BytecodeVerification,
        DebugNonSafepoints,
        ManagementAgent,
        FlightRecordingSupport,
        FutureBreakage,
        JfrPeriodicEventsFix,
        Pid1,
        MultipleAgents,
        DynamicAgents,
        FinalizersRun,
        SlowSafepoint,
        VmOperationShare
    ]
}
