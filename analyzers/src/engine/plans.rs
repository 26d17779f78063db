//! Caches what depends only on metadata, for all chunks that share it.

use std::sync::Arc;

use parking_lot::Mutex;

use jfr_parse::{Chunk, Metadata, Result};

/// Plans, keyed by metadata. Most chunks of a recording share the same metadata.
#[derive(Debug)]
pub(crate) struct PlanCache<P> {
    plans: Mutex<Vec<(Arc<Metadata>, Arc<P>)>>,
}

/// Number of plans to keep. If a recording mixes more kinds of chunks, some plans are created repeatedly.
const KEPT: usize = 8;

impl<P> Default for PlanCache<P> {
    fn default() -> Self {
        Self { plans: Mutex::default() }
    }
}

impl<P> PlanCache<P> {
    /// The plans for a chunk, created by `make` if they are not cached.
    ///
    /// # Errors
    /// Errors of `make`.
    pub(crate) fn get(&self, chunk: &Chunk<'_>, make: impl FnOnce() -> Result<P>) -> Result<Arc<P>> {
        let lock = || self.plans.lock();
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
