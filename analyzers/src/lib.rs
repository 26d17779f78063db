//! Turns recordings into profiles, tables of events and facts, and provides the framework for rules that judge
//! them.
//!
//! [`collect`] creates profiles; [`events`] contains tables and sums of events for any purpose; [`rule`]
//! contains the trait [`Rule`](rule::Rule), settings, verdicts and evidence, and runs rules
//! ([`rule::Analysis`]). The rules themselves are in `jfrkit-rules`, the report formats in `jfrkit-reports`.
//! Start with [`collect`].

#![forbid(unsafe_code)]

mod account;
mod engine;
pub mod events;
mod jvms;
pub mod math;
pub mod metrics;
pub mod names;
pub mod pass;
mod profiles;
mod recorder;
pub mod rule;
pub mod runtime;
pub mod secrets;
pub mod summary;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time_range;
pub mod views;

pub use pass::Pass;
pub use profiles::{
    ChunkSamples, CpuSource, Filter, LabelKey, Options, Progress, SampleEvent, SampleLabel, collect, collect_merged,
    samples,
};
pub use summary::Summary;
pub use time_range::{TimeBound, TimeRange};
