//! Decides which profile an event counts in, for both profiles and rules.

use super::super::profiles::execution::{Execution, State, park_kind};
use super::super::profiles::sources::{BySource, Route, SourceId};
use crate::CpuSource;
use jfrkit_profile::ProfileType;

/// Where an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A profile.
    Profile(ProfileType),
    /// The profile `cpu`, if this source is selected.
    Cpu(CpuSource),
}

impl Target {
    /// The profile, regardless of the selected source.
    pub(crate) fn kind(self) -> ProfileType {
        match self {
            Self::Profile(kind) => kind,
            Self::Cpu(_) => ProfileType::Cpu,
        }
    }
}

/// What determines where the events of one chunk count.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    execution: Execution,
    /// Whether every allocation is recorded, in which case allocation samples do not count.
    every_allocation: bool,
    class_loads: bool,
}

impl Routes {
    /// `counts` is the number of events of each source in the chunk.
    pub(crate) fn new(execution: Execution, counts: &BySource<u64>) -> Self {
        let has = |route: Route| SourceId::all().any(|id| id.source().route == route && counts[id] > 0);
        Self { execution, every_allocation: has(Route::EveryAllocation), class_loads: has(Route::ClassLoad) }
    }

    /// Where events with this route count; `None` if they do not count. `text` is the name of the thread state,
    /// or of the class that the thread is parked on. `has_error` is whether the chunk also has an event for the
    /// same throwable that marks it as an error.
    pub(crate) fn target(
        &self,
        route: Route,
        text: impl FnOnce() -> Option<String>,
        has_error: impl FnOnce() -> bool,
    ) -> Option<Target> {
        let kind = match route {
            Route::To(kind) => kind,
            Route::Cpu(source) => return Some(Target::Cpu(source)),
            Route::ExecutionSample => match self.execution.kind(State::of(text().as_deref()))? {
                ProfileType::Cpu => return Some(Target::Cpu(CpuSource::ExecutionSample)),
                kind => kind,
            },
            Route::EveryAllocation => ProfileType::Alloc,
            Route::SampledAllocation if !self.every_allocation => ProfileType::Alloc,
            Route::ClassLoad => ProfileType::ClassLoad,
            Route::ClassDefine if !self.class_loads => ProfileType::ClassLoad,
            Route::ErrorThrow => ProfileType::Error,
            Route::ExceptionThrow if !has_error() => ProfileType::Error,
            Route::Park => park_kind(&text().unwrap_or_default()),
            Route::Malloc => ProfileType::NativeAlloc,
            Route::SampledAllocation | Route::ClassDefine | Route::ExceptionThrow | Route::Free => return None,
        };
        Some(Target::Profile(kind))
    }
}
