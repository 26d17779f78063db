//! Profiles, tables, rules and metrics from JDK Flight Recorder recordings.

pub mod model;
pub mod names;
