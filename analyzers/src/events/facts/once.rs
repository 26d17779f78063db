//! Values derived from the facts that several rules share, computed once.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Facts;

/// The computed values by type.
#[derive(Default)]
pub(super) struct Computed {
    values: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl std::fmt::Debug for Computed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Computed").finish_non_exhaustive()
    }
}

impl Facts {
    /// Returns the value of this type, computed by `make` on the first call and shared with later callers.
    ///
    /// No lock is held while `make` runs, so it may use the thread pool and other shared values. If several threads ask for a
    /// value that does not exist yet, each computes it, and all receive the one that was ready first. So `make` must depend on
    /// nothing but the facts.
    ///
    /// ```
    /// use jfr_analyzers::events::Facts;
    ///
    /// /// The number of events of garbage collections.
    /// struct Collections(u64);
    ///
    /// fn collections(facts: &Facts) -> u64 {
    ///     facts.once(|facts| Collections(facts.count("jdk.GarbageCollection"))).0
    /// }
    /// ```
    pub fn once<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        let values = || self.lazy.computed.values.lock();
        let known = values().get(&TypeId::of::<T>()).cloned();
        if let Some(known) = known.and_then(|value| value.downcast().ok()) {
            return known;
        }
        let made = Arc::new(make(self));
        let first = values().entry(TypeId::of::<T>()).or_insert_with(|| made.clone()).clone();
        first.downcast().unwrap_or(made)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::events::Facts;
    use crate::events::Needs;
    use crate::rule::{Rule, RuleInfo, Settings, Verdict};
    use crate::testing::Scene;

    static MADE: AtomicUsize = AtomicUsize::new(0);

    struct Sum(usize);

    struct Asks;

    impl Rule for Asks {
        fn info(&self) -> RuleInfo {
            RuleInfo::own("Asks")
        }

        fn needs(&self) -> Needs {
            Needs::new()
        }

        fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
            let make = |facts: &Facts| {
                MADE.fetch_add(1, Ordering::Relaxed);
                Sum(facts.chunks())
            };
            let (first, second) = (facts.once(make), facts.once(make));
            Verdict::ok(format!("{} {}", first.0, second.0))
        }
    }

    #[test]
    fn a_shared_value_is_computed_once() {
        assert_eq!(Scene::new().judge(&Asks).summary, "1 1");
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    struct Doubled(usize);

    /// Asks on several threads of the pool for a value whose computation does the same.
    struct Nested;

    impl Rule for Nested {
        fn info(&self) -> RuleInfo {
            RuleInfo::own("Nested")
        }

        fn needs(&self) -> Needs {
            Needs::new()
        }

        fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
            let inner = |facts: &Facts| facts.once(|facts| Doubled(2 * facts.chunks())).0;
            let outer = |facts: &Facts| {
                let (first, second) = rayon::join(|| inner(facts), || inner(facts));
                assert_eq!(first, second);
                Doubled(first)
            };
            let (first, second) = rayon::join(|| facts.once(outer).0, || facts.once(outer).0);
            Verdict::ok(format!("{first} {second}"))
        }
    }

    #[test]
    fn computing_a_shared_value_may_use_the_pool_and_request_the_same_value() {
        assert_eq!(Scene::new().judge(&Nested).summary, "2 2");
    }
}
