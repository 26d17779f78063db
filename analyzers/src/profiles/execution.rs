//! The meaning of events that depends on their chunk: execution samples, parks.

use jfr_parse::{Chunk, Pools, TypeId};

use jfrkit_profile::ProfileType;

/// What `jdk.ExecutionSample` means in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Execution {
    /// CPU samples, except for sleeping threads.
    Cpu,
    /// The default state is CPU, other states are wall clock.
    DefaultIsCpu,
    /// Wall-clock samples.
    Wall,
    /// Samples of an event that the profiler was configured to count.
    Event,
}

/// The thread states that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Default,
    Sleeping,
    Other,
}

/// Length in bytes of the longest state name that matters.
const LONGEST_STATE: usize = "STATE_SLEEPING".len();

impl State {
    /// The state with this name.
    pub(crate) fn of(name: Option<&str>) -> Self {
        match name {
            Some("STATE_DEFAULT") => Self::Default,
            Some("STATE_SLEEPING") => Self::Sleeping,
            _ => Self::Other,
        }
    }
}

impl Execution {
    /// Determined by the writer of the chunk: whether it was async-profiler, whether the chunk declares
    /// [`State::Default`], and the value of the setting `event`.
    pub(crate) fn of(is_async_profiler: bool, has_default_state: bool, event: Option<&str>) -> Self {
        match event {
            _ if !is_async_profiler => Self::Cpu,
            _ if has_default_state => Self::DefaultIsCpu,
            None | Some("" | "cpu" | "itimer" | "ctimer" | "cpu-clock") => Self::Cpu,
            Some("wall") => Self::Wall,
            Some(_) => Self::Event,
        }
    }

    /// The profile in which a sample of a thread in this state counts; `None` if it does not count.
    pub(crate) fn kind(self, state: State) -> Option<ProfileType> {
        match (self, state) {
            (Self::Cpu, State::Sleeping) => None,
            (Self::Cpu, _) | (Self::DefaultIsCpu, State::Default) => Some(ProfileType::Cpu),
            (Self::DefaultIsCpu, _) | (Self::Wall, _) => Some(ProfileType::Wall),
            (Self::Event, _) => Some(ProfileType::Event),
        }
    }
}

/// Whether async-profiler wrote a chunk in which recordings with these names were running: it names its own
/// recording after itself.
pub(crate) fn is_async_profiler<'n>(mut recordings: impl Iterator<Item = &'n str>) -> bool {
    recordings.any(|name| name.starts_with("async-profiler"))
}

/// Whether a chunk declares [`State::Default`]; `state_type` is the type of the field `state`.
pub(crate) fn has_default_state(chunk: &Chunk<'_>, pools: &Pools<'_>, state_type: Option<TypeId>) -> bool {
    state_type.and_then(|id| pools.of_type(id).map(|pool| (id, pool))).is_some_and(|(id, pool)| {
        // Any number of keys may refer to one long name, of which only this much is needed.
        let name = |key| pools.string(chunk.metadata(), id, key).cut(LONGEST_STATE + 1);
        pool.keys().any(|key| State::of(name(key).decode().as_deref()) == State::Default)
    })
}

/// Whether a JVM wrote the chunk: only JVMs record thread groups. A JVM repeats its settings in each chunk;
/// profilers do not.
pub(crate) fn by_jvm(chunk: &Chunk<'_>) -> bool {
    chunk.metadata().by_name("jdk.types.ThreadGroup").is_some()
}

/// The profile in which a park counts, depending on the class that the thread is parked on: a lock, or
/// something else.
pub(crate) fn park_kind(class: &str) -> ProfileType {
    const LOCKS: [&str; 3] = ["ReentrantLock", "ReentrantReadWriteLock", "StampedLock"];
    let class = class.replace('/', ".");
    let lock = class.strip_prefix("java.util.concurrent.locks.");
    if lock.is_some_and(|name| LOCKS.iter().any(|l| name.starts_with(l))) {
        ProfileType::Lock
    } else {
        ProfileType::Park
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_and_the_state_decide_the_profile() {
        let jvm = Execution::of(false, true, Some("wall"));
        assert_eq!(jvm.kind(State::of(Some("STATE_SLEEPING"))), None);
        assert_eq!(jvm.kind(State::of(None)), Some(ProfileType::Cpu));
        let new = Execution::of(true, true, Some("cpu"));
        assert_eq!(new.kind(State::of(Some("STATE_DEFAULT"))), Some(ProfileType::Cpu));
        assert_eq!(new.kind(State::of(Some("STATE_RUNNABLE"))), Some(ProfileType::Wall));
        assert_eq!(Execution::of(true, false, Some("wall")).kind(State::Other), Some(ProfileType::Wall));
        assert_eq!(Execution::of(true, false, Some("itimer")).kind(State::Other), Some(ProfileType::Cpu));
        assert_eq!(Execution::of(true, false, Some("cache-misses")).kind(State::Other), Some(ProfileType::Event));
    }

    #[test]
    fn a_lock_is_not_a_condition() {
        assert_eq!(park_kind("java/util/concurrent/locks/ReentrantLock$NonfairSync"), ProfileType::Lock);
        let condition = "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject";
        assert_eq!(park_kind(condition), ProfileType::Park);
    }
}
