//! A cache of decoded profiles, bounded in bytes: a profile's views are requested again and again.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use crate::id::Id;
use parking_lot::Mutex;

/// The profile, and what was computed from it.
type Key = (Id, String);

/// A cache that evicts the least recently used value first.
pub(crate) struct Cache {
    most: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    bytes: u64,
    clock: u64,
    /// Profiles that changed recently, and when.
    changed: HashMap<Id, u64>,
    /// A value begun before this may belong to a profile that has changed since.
    changed_before: u64,
}

/// When a computation began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun(u64);

struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    bytes: u64,
    used: u64,
}

impl Cache {
    pub(crate) fn new(most: u64) -> Self {
        Self { most, state: Mutex::default() }
    }

    fn lock(&self) -> parking_lot::MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Looks up a value.
    pub(crate) fn get<T: Any + Send + Sync>(&self, id: Id, what: &str) -> Option<Arc<T>> {
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.get_mut(&(id, what.to_owned()))?;
        entry.used = clock;
        entry.value.clone().downcast().ok()
    }

    /// Call this before reading the profile that a value is computed from.
    pub(crate) fn begin(&self) -> Begun {
        let mut state = self.lock();
        state.clock += 1;
        Begun(state.clock)
    }

    /// Caches a value of `bytes` bytes, unless the profile has changed since `begun`.
    pub(crate) fn put<T: Any + Send + Sync>(&self, id: Id, what: &str, value: Arc<T>, bytes: u64, begun: Begun) {
        if bytes > self.most / 2 {
            return;
        }
        let mut state = self.lock();
        if begun.0 < state.changed_before || state.changed.get(&id).is_some_and(|at| *at > begun.0) {
            return;
        }
        state.clock += 1;
        let used = state.clock;
        if let Some(old) = state.entries.insert((id, what.to_owned()), Entry { value, bytes, used }) {
            state.bytes = state.bytes.saturating_sub(old.bytes);
        }
        state.bytes = state.bytes.saturating_add(bytes);
        while state.bytes > self.most {
            let Some(oldest) = state.entries.iter().min_by_key(|(_, e)| e.used).map(|(k, _)| k.clone()) else { break };
            if let Some(gone) = state.entries.remove(&oldest) {
                state.bytes = state.bytes.saturating_sub(gone.bytes);
            }
        }
    }

    /// Forgets a profile that was changed or deleted.
    pub(crate) fn forget(&self, id: Id) {
        /// Maximum changes to remember.
        const MOST: usize = 4_096;
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        if state.changed.len() >= MOST {
            state.changed.clear();
            state.changed_before = clock;
        }
        state.changed.insert(id, clock);
        let mut freed = 0u64;
        state.entries.retain(|(of, _), entry| {
            let keep = *of != id;
            if !keep {
                freed = freed.saturating_add(entry.bytes);
            }
            keep
        });
        state.bytes = state.bytes.saturating_sub(freed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_least_recently_used_value_is_evicted_first() {
        let ids = crate::id::Ids::default();
        let (a, b, c) = (ids.next(1), ids.next(2), ids.next(3));
        let cache = Cache::new(100);
        cache.put(a, "x", Arc::new(1u32), 40, cache.begin());
        cache.put(b, "x", Arc::new(2u32), 40, cache.begin());
        assert_eq!(cache.get::<u32>(a, "x").as_deref(), Some(&1));
        cache.put(c, "x", Arc::new(3u32), 40, cache.begin());
        assert!(cache.get::<u32>(b, "x").is_none() && cache.get::<u32>(a, "x").is_some());
        cache.forget(a);
        assert!(cache.get::<u32>(a, "x").is_none());
        let begun = cache.begin();
        cache.forget(a);
        cache.put(a, "x", Arc::new(1u32), 40, begun);
        assert!(cache.get::<u32>(a, "x").is_none(), "the value was computed from data that has changed");
        cache.put(a, "large", Arc::new(4u32), 60, cache.begin());
        assert!(cache.get::<u32>(a, "large").is_none());
    }
}
