//! Profiles, tables, rules and metrics from JDK Flight Recorder recordings.

#![forbid(unsafe_code)]

mod account;
pub mod analysis;
mod collect;
pub mod config;
pub mod model;
pub mod names;
pub mod report;
pub mod summary;
pub mod time_range;
pub mod top;
pub mod units;

pub use analysis::{Analysis, AnalysisOptions};
pub use collect::{CpuSource, Filter, LabelKey, Options, Progress, collect, collect_merged};
pub use summary::Summary;
pub use time_range::TimeBound;
