//! The JVM, its options and agents.

mod agents;
mod arguments;
mod bytecode_verification;
mod debug_non_safepoints;
mod deprecated;
mod discouraged_vm_options;
mod documented;
mod duplicate_flags;
mod finalizers_run;
mod flight_recording_support;
mod future_breakage;
mod jfr_periodic_events_fix;
mod management_agent;
mod options;
mod pid1;
mod slow_safepoint;
mod vm_operation_share;

use super::boxed;
pub use agents::{DynamicAgents, MultipleAgents};
pub use bytecode_verification::BytecodeVerification;
pub use debug_non_safepoints::DebugNonSafepoints;
pub use discouraged_vm_options::DiscouragedVmOptions;
pub use duplicate_flags::DuplicateFlags;
pub use finalizers_run::FinalizersRun;
pub use flight_recording_support::FlightRecordingSupport;
pub use future_breakage::FutureBreakage;
use jfr_analyzers::rule::Rule;
pub use jfr_periodic_events_fix::JfrPeriodicEventsFix;
pub use management_agent::ManagementAgent;
pub use options::Options;
pub use pid1::Pid1;
pub use slow_safepoint::SlowSafepoint;
pub use vm_operation_share::VmOperationShare;

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
