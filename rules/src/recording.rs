//! Rules on the recording itself.

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
