//! The recording itself.

mod buffer_lost;
mod dump_reason;
mod over_aggressive_recording_setting;
mod recording_quality;
mod stackdepth_setting;

use super::boxed;
pub use buffer_lost::BufferLost;
pub use dump_reason::DumpReason;
use jfr_analyzers::rule::Rule;
pub use over_aggressive_recording_setting::OverAggressiveRecordingSetting;
pub use recording_quality::RecordingQuality;
pub use stackdepth_setting::StackdepthSetting;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![BufferLost, StackdepthSetting, OverAggressiveRecordingSetting, DumpReason, RecordingQuality]
}
