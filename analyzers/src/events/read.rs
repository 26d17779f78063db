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

use jfr_parse::{Error, Recording, Result};

#[cfg(any(test, feature = "testing"))]
pub(crate) use profiles::{ChunkView, Profiles, Writer, code};
pub(crate) use wanted::Wanted;

use super::facts::Facts;
use crate::engine::driver::{run, tasks};
use crate::rule::AnalysisOptions;
use chunk::Context;
use join::Joined;

/// Reads what is wanted of a recording.
pub(crate) fn read(recording: &Recording<'_>, wanted: &Wanted, options: &AnalysisOptions) -> Result<Facts> {
    let context = Context::new(recording, wanted, options);
    let mut joined = Joined::new(recording, &context);
    let tasks = tasks(&[recording]);
    let failures = run(
        &tasks,
        |_, chunk| context.chunk(chunk),
        |index, result| {
            let warning = result.as_ref().err().map(|error| format!("chunk {index} cannot be read: {error}"));
            joined.take(&context, index, result.ok(), warning);
            context.account.keep(joined.bytes());
        },
    )?;
    match failures.first {
        // Damage is told as a warning: a report that says nothing of a damaged recording is a report.
        Some(error) if failures.chunks == tasks.len() && !matches!(error, Error::Damaged { .. }) => Err(error),
        _ => Ok(joined.finish(recording, context)),
    }
}
