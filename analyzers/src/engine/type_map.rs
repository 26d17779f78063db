//! A small, fast map from type ids, because it is used for every event.

use crate::hash::HashMap;
use jfr_parse::TypeId;

/// Ids of real writers are below this.
const DENSE: usize = 1 << 14;

/// A map from type ids. They are small and dense in recordings of JVMs, but may be arbitrary in others.
#[derive(Debug, Clone)]
pub(crate) struct TypeMap<T> {
    dense: Vec<Option<T>>,
    sparse: HashMap<TypeId, T>,
}

impl<T> Default for TypeMap<T> {
    fn default() -> Self {
        Self { dense: Vec::new(), sparse: HashMap::default() }
    }
}

impl<T: Copy> TypeMap<T> {
    pub(crate) fn insert(&mut self, id: TypeId, value: T) {
        match usize::try_from(id.0) {
            Ok(i) if i < DENSE => {
                if self.dense.len() <= i {
                    self.dense.resize(i + 1, None);
                }
                if let Some(slot) = self.dense.get_mut(i) {
                    *slot = Some(value);
                }
            }
            _ => {
                self.sparse.insert(id, value);
            }
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: TypeId) -> Option<T> {
        match usize::try_from(id.0) {
            Ok(i) if i < DENSE => self.dense.get(i).copied().flatten(),
            _ => self.sparse.get(&id).copied(),
        }
    }
}
