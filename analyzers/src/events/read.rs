//! Reading a recording once for all rules.
//!
//! Chunks are read in parallel, and segments of a chunk too. The constants of a chunk are indexed first, so that
//! names are known when its events are read; stacks, of which there are many, are only numbered then and resolved once each at
//! the end of the chunk. What chunks yield is joined in the order of the file, so that the facts do not depend on the number of
//! threads.

mod chunk;
mod join;
mod plan;
mod profiles;
mod value;
mod wanted;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jfr_parse::{Error, Recording, Result};

#[cfg(any(test, feature = "testing"))]
pub(crate) use profiles::{ChunkView, Profiles, Writer, code};
pub(crate) use wanted::Wanted;

use super::facts::Facts;
use crate::rule::AnalysisOptions;
use chunk::{ChunkFacts, Context};
use join::Joined;

/// Whether an error is of the whole call rather than of one chunk.
fn ends(error: &Error) -> bool {
    matches!(error, Error::Stopped | Error::LimitExceeded { name: "memory" | "stacks", .. })
}

/// Reads what is wanted of a recording.
pub(crate) fn read(recording: &Recording<'_>, wanted: &Wanted, options: &AnalysisOptions) -> Result<Facts> {
    let context = Context::new(recording, wanted, options);
    let chunks = recording.chunk_count();
    let next = AtomicUsize::new(0);
    let joined = Mutex::new(Joined::new(recording, &context));
    let failed: Mutex<(usize, Option<Error>)> = Mutex::default();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= chunks {
                return;
            }
            let result: Result<ChunkFacts> = recording.chunk(index).and_then(|chunk| context.chunk(&chunk));
            let (result, warning) = match result {
                Ok(facts) => (Some(facts), None),
                Err(error) => {
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.0 += 1;
                    let stopped = ends(&error);
                    let warning = format!("chunk {index} cannot be read: {error}");
                    if failed.1.is_none() || stopped {
                        failed.1 = Some(error);
                    }
                    if stopped {
                        next.store(chunks, Ordering::Relaxed);
                    }
                    (None, Some(warning))
                }
            };
            let mut joined = joined.lock().unwrap_or_else(PoisonError::into_inner);
            joined.take(&context, index, result, warning);
            context.account.keep(joined.bytes());
        }
    };
    if chunks == 1 {
        work();
    } else {
        rayon::scope(|scope| {
            for _ in 0..rayon::current_num_threads().min(chunks) {
                scope.spawn(|_| work());
            }
        });
    }
    recording.check_unchanged()?;
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        // Damage is told as a warning: a report that says nothing of a damaged recording is a report.
        (n, Some(error)) if ends(&error) || n == chunks && !matches!(error, Error::Damaged { .. }) => {
            return Err(error);
        }
        _ => {}
    }
    let joined = joined.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(joined.finish(recording, context, options))
}
