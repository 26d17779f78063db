//! What an event means that only its chunk can tell: execution samples, parks.

use jfr_parse::{Chunk, Pools};

use jfrkit_profile::ProfileType;

/// What `jdk.ExecutionSample` means in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Execution {
    /// CPU, all of it that does not sleep.
    Cpu,
    /// The default state is CPU, other states are wall.
    DefaultIsCpu,
    /// Wall, all of it.
    Wall,
    /// Something that the profiler was told to count.
    Event,
}

/// The states of a thread that make a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Default,
    Sleeping,
    Other,
}

/// Bytes of the longest name of a state that makes a difference.
const LONGEST_STATE: usize = "STATE_SLEEPING".len();

impl State {
    /// The state of this name.
    pub(crate) fn of(name: Option<&str>) -> Self {
        match name {
            Some("STATE_DEFAULT") => Self::Default,
            Some("STATE_SLEEPING") => Self::Sleeping,
            _ => Self::Other,
        }
    }
}

impl Execution {
    /// By who wrote the chunk: whether async-profiler did, whether its threads know [`State::Default`], and the
    /// setting `event` in force.
    pub(crate) fn of(is_async_profiler: bool, has_default_state: bool, event: Option<&str>) -> Self {
        match event {
            _ if !is_async_profiler => Self::Cpu,
            _ if has_default_state => Self::DefaultIsCpu,
            None | Some("" | "cpu" | "itimer" | "ctimer" | "cpu-clock") => Self::Cpu,
            Some("wall") => Self::Wall,
            Some(_) => Self::Event,
        }
    }

    /// The profile that a sample of a thread in this state belongs to; `None` where it does not count.
    pub(crate) fn kind(self, state: State) -> Option<ProfileType> {
        match (self, state) {
            (Self::Cpu, State::Sleeping) => None,
            (Self::Cpu, _) | (Self::DefaultIsCpu, State::Default) => Some(ProfileType::Cpu),
            (Self::DefaultIsCpu, _) | (Self::Wall, _) => Some(ProfileType::Wall),
            (Self::Event, _) => Some(ProfileType::Event),
        }
    }
}

/// Whether async-profiler wrote a chunk in which recordings of these names were running: it names its own after itself.
pub(crate) fn is_async_profiler<'n>(mut recordings: impl Iterator<Item = &'n str>) -> bool {
    recordings.any(|name| name.starts_with("async-profiler"))
}

/// Whether the threads of a chunk know [`State::Default`]; `state_type` is the type of the field `state`.
pub(crate) fn has_default_state(chunk: &Chunk<'_>, pools: &Pools<'_>, state_type: Option<u64>) -> bool {
    state_type.and_then(|id| pools.of_type(id).map(|pool| (id, pool))).is_some_and(|(id, pool)| {
        // Any number of keys may lead to one long name, of which no more than this is needed.
        let name = |key| pools.string(chunk.metadata(), id, key).cut(LONGEST_STATE + 1);
        pool.keys().any(|key| State::of(name(key).decode().as_deref()) == State::Default)
    })
}

/// Whether a JVM wrote the chunk: only JVMs know groups of threads. A JVM repeats its settings in each chunk, profilers
/// do not.
pub(crate) fn by_jvm(chunk: &Chunk<'_>) -> bool {
    chunk.metadata().by_name("jdk.types.ThreadGroup").is_some()
}

/// The profile that a park belongs to, by the class that the thread is parked on: waiting for a lock, or something else.
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
    fn who_wrote_it_and_the_state_decide() {
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
    fn a_lock_is_no_condition() {
        assert_eq!(park_kind("java/util/concurrent/locks/ReentrantLock$NonfairSync"), ProfileType::Lock);
        let condition = "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject";
        assert_eq!(park_kind(condition), ProfileType::Park);
    }
}
