//! What metadata alone decides is worked out once for all chunks that share it.

use std::sync::{Arc, Mutex, PoisonError};

use jfr_parse::{Chunk, Metadata, Result};

/// Plans by metadata. The chunks of a recording mostly share one.
#[derive(Debug)]
pub(crate) struct PlanCache<P> {
    plans: Mutex<Vec<(Arc<Metadata>, Arc<P>)>>,
}

/// Plans that are kept; a recording with more kinds of chunks at once makes some of them again.
const KEPT: usize = 8;

impl<P> Default for PlanCache<P> {
    fn default() -> Self {
        Self { plans: Mutex::default() }
    }
}

impl<P> PlanCache<P> {
    /// The plans for a chunk, made by `make` if they are not known.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn get(&self, chunk: &Chunk<'_>, make: impl FnOnce() -> Result<P>) -> Result<Arc<P>> {
        let lock = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plans)) = lock().iter().find(|(known, _)| Arc::ptr_eq(known, chunk.shared_metadata())) {
            return Ok(plans.clone());
        }
        let plans = Arc::new(make()?);
        let mut cache = lock();
        if cache.len() >= KEPT {
            cache.remove(0);
        }
        cache.push((chunk.shared_metadata().clone(), plans.clone()));
        Ok(plans)
    }
}
