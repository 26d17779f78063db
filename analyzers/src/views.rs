//! Tables that a recording answers, by name or by a query: those of the JDK's `jfr view`, and more.
//!
//! Start with [`Catalog::built_in`], make a [`ViewSet`] of some of its [`View`]s, and [`answer`] it from a recording.
//! What the views are is data: `views.txt`. Nothing here prints for one command only; [`write`](mod@write) makes text, CSV, JSON
//! and Markdown of [`Answers`].

mod answer;
mod bind;
mod catalog;
mod constants;
mod docs;
mod fold;
mod query;
mod state;
mod syntax;
mod value;
pub mod write;

pub use answer::{Answer, AnswerColumn, Answers, Raw, Shape};
pub use catalog::{Catalog, Kind, View};
pub use constants::Own;
pub use docs::page;
pub use fold::{Filter, Merged, Part, ViewSet};
pub use syntax::{Aggregate, CellFormat, Condition, FieldRef, Item, Order, Query, Source, SyntaxError, Truncate};

use jfr_parse::Recording;

use crate::engine::driver::{run, tasks};

/// Answers views from a recording, its chunks at the same time.
///
/// A chunk that cannot be read is left out; the second value says which and why.
///
/// ```
/// # fn main() -> jfr_parse::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
/// use jfr_analyzers::views::{Catalog, Filter, ViewSet, answer};
///
/// let recording = jfr_parse::Recording::open(path)?;
/// let view = Catalog::built_in().get("cpu-information").into_iter();
/// let (answers, errors) = answer(&recording, &ViewSet::new(view, Filter::default()))?;
/// let form = answers.iter().next().expect("one view was asked for");
/// assert_eq!(form.columns[1].title, "Sockets");
/// assert_eq!(answers.cell(form, 0, 1), "1");
/// assert!(errors.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The error of the first chunk, where no chunk can be opened; [`Error::Changed`](jfr_parse::Error::Changed);
/// [`Error::Stopped`](jfr_parse::Error::Stopped).
pub fn answer(recording: &Recording<'_>, views: &ViewSet) -> jfr_parse::Result<(Answers, Vec<String>)> {
    let mut merged = views.merge();
    let (mut errors, mut readable) = (Vec::new(), false);
    let read = |_, chunk: &jfr_parse::Chunk<'_>| {
        let part = views.read(chunk);
        chunk.stop().check()?;
        Ok(part)
    };
    let failures = run(&tasks(&[recording]), read, |_, part| match part {
        Ok(part) => {
            readable = true;
            merged.add(part);
        }
        Err(error) => errors.push(error.to_string()),
    })?;
    match failures.first {
        Some(error) if !readable => Err(error),
        _ => Ok((merged.finish(), errors)),
    }
}
