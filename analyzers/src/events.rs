//! Tables and sums of events, and facts about a recording.
//!
//! Code that needs data declares it ([`Needs`]); the recording is read once for all needs; the result is
//! [`Facts`]. Judging facts belongs in [`rule`](crate::rule), profiles of stacks in
//! [`collect`](crate::collect). Start with `needs.rs`, then `facts.rs`; `read/` fills them with events.

pub(crate) mod cell;
pub(crate) mod facts;
pub(crate) mod methods;
pub(crate) mod names;
pub(crate) mod needs;
pub(crate) mod read;

pub use cell::{Cell, ThreadId};
pub use facts::{
    Event, EventFacts, Facts, Group, Groups, Jvm, JvmVersion, Picked, Presence, SettingValue, Table, ThreadInfo,
    parse_timespan,
};
pub use jfrkit_profile::is_jdk;
pub use methods::{MethodSet, Scope};
pub use names::Names;
pub use needs::{AMOUNT, EVENT, FIRST, GROUPS, GroupBy, Level, MAX_KEYS, MAX_MEASURES, Needs, PROFILE, TABLE_ROWS};
