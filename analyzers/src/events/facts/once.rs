//! Values derived from the facts that several rules share, computed once.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Facts;

/// The computed values by type, each in a `OnceLock<Arc<T>>`.
#[derive(Default)]
pub(super) struct Made {
    slots: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

impl Facts {
    /// Returns the value of this type, computed by `make` on the first call and shared with later callers,
    /// which wait for it. `make` must not send work to other threads of the pool in which the rules run, and
    /// must not request its own type: a thread could end up waiting for itself.
    pub fn once<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        let slot = {
            let mut slots = self.lazy.made.slots.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = slots.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(OnceLock::<Arc<T>>::new()));
            slot.clone().downcast::<OnceLock<Arc<T>>>().unwrap_or_default()
        };
        slot.get_or_init(|| Arc::new(make(self))).clone()
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
    fn it_is_made_once() {
        assert_eq!(Scene::new().judge(&Asks).summary, "1 1");
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }
}
