//! Rules on the recording itself: lost events, truncated stacks, settings that cost too much, why it was written, and
//! how far to trust it.
//!
//! Lost or unreadable CPU samples belong in `cpu`, JVM versions with a faulty recorder in `jvm`. `jfr-parse` finds
//! damage in the file, and `recording_quality.rs` only reports it. Open `buffer_lost.rs` first.

mod buffer_lost;
mod dump_reason;
mod over_aggressive_recording_setting;
mod recording_quality;
mod stackdepth_setting;

use super::boxed;
pub(crate) use buffer_lost::BufferLost;
pub(crate) use dump_reason::DumpReason;
use jfr_analyzers::rule::Rule;
pub(crate) use over_aggressive_recording_setting::OverAggressiveRecordingSetting;
pub(crate) use recording_quality::RecordingQuality;
pub(crate) use stackdepth_setting::StackdepthSetting;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![BufferLost, StackdepthSetting, OverAggressiveRecordingSetting, DumpReason, RecordingQuality]
}
