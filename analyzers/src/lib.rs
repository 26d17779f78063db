//! Turns recordings into profiles, metrics, views and tables of events, and provides the framework for rules that
//! judge them.
//!
//! [`collect`] creates profiles; [`metrics`] measures CPU, allocation, pauses and more over time; [`views`] contains
//! the tables of `jfr view` and a query language; [`events`] contains tables and sums of events for any purpose;
//! [`rule`] contains the trait [`Rule`](rule::Rule), settings, verdicts and evidence, and runs rules
//! ([`rule::Analysis`]). A [`Pass`] computes several of these while reading the recording only once. The rules
//! themselves are in `jfrkit-rules`, the report formats in `jfrkit-reports`. Start with [`collect`], then [`Pass`].
//!
//! Without the feature `rules`, which is on by default, no rules can be run, and [`runtime`] and [`secrets`] are missing.

#![forbid(unsafe_code)]
// What only rules use is still compiled, apart from running them.
#![cfg_attr(not(feature = "rules"), allow(unused, unreachable_pub, rustdoc::broken_intra_doc_links))]

mod account;
mod engine;
pub mod events;
mod hash;
mod ids;
mod jvms;
pub mod math;
pub mod metrics;
pub mod names;
mod numbered;
pub mod pass;
mod profiles;
mod recorder;
pub mod rule;
#[cfg(feature = "rules")]
pub mod runtime;
#[cfg(feature = "rules")]
pub mod secrets;
pub mod summary;
#[cfg(all(feature = "rules", any(test, feature = "testing")))]
pub mod testing;
pub mod time_range;
mod tracks;
pub mod views;

pub use pass::Pass;
pub use profiles::{
    ChunkSamples, CpuSource, Filter, LabelKey, Options, Progress, SampleEvent, SampleLabel, collect, collect_merged,
    samples,
};
pub use summary::Summary;
pub use time_range::{TimeBound, TimeRange};
pub use tracks::add_tracks;
