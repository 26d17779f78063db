//! Reads a recording once for all rules.
//!
//! Chunks and segments of a chunk are read in parallel. The constants of a chunk are indexed first, so that
//! names are known when its events are read. Stacks are numerous, so they are only numbered at first and
//! resolved, each once, at the end of the chunk. The results of chunks are joined in file order, so that the
//! facts do not depend on the number of threads.
//!
//! Querying what was read belongs in `events/facts`; walking the events of a chunk and resolving stacks belong
//! in `engine`, because profiles need them too. Start with `wanted.rs`, then `plan.rs`, `chunk.rs` and
//! `join.rs`: that is the order of the work.

mod chunk;
mod join;
mod plan;
mod profiles;
mod value;
mod wanted;

pub(crate) use chunk::Context;
pub(crate) use join::Joined;
#[cfg(any(test, feature = "testing"))]
pub(crate) use profiles::{ChunkView, Profiles, Writer, code};
pub(crate) use wanted::Wanted;

#[cfg(test)]
pub(crate) use alone::read;

/// Reading facts and nothing else.
#[cfg(test)]
mod alone {
    use std::sync::Arc;

    use jfr_parse::{Error, Recording, Result};

    use super::{Context, Joined, Wanted};
    use crate::account::Account;
    use crate::engine::consumer::Engine;
    use crate::engine::driver::{run, tasks};
    use crate::engine::functions::Spelling;
    use crate::engine::stacks::Shared;
    use crate::events::facts::Facts;
    use crate::rule::AnalysisOptions;

    /// Reads the wanted data of a recording.
    pub(crate) fn read(recording: &Recording<'_>, wanted: &Wanted, options: &AnalysisOptions) -> Result<Facts> {
        let limits = recording.limits();
        let shared = Shared::new(Spelling::default(), limits, recording.bytes().len());
        let account = Account::new(limits.clone());
        let context = Context::new(recording, wanted, options, &shared);
        let engine = Engine::new(context, &shared, &account, [&options.stop]);
        let mut joined = Joined::new(recording, &engine.consumer);
        let tasks = tasks(&[recording]);
        let failures = run(
            &tasks,
            |index, chunk| engine.chunk(index, chunk),
            |index, result| {
                joined.take_result(&engine.consumer, &account, index, result);
            },
        )?;
        match failures.first {
            // Damage becomes a warning in the report, not an error.
            Some(error) if failures.chunks == tasks.len() && !matches!(error, Error::Damaged { .. }) => Err(error),
            _ => {
                let threads = engine.consumer.into_threads();
                let names = Arc::new(shared.freeze());
                Ok(joined.finish(recording, recording.stop(), wanted, threads, names))
            }
        }
    }
}
