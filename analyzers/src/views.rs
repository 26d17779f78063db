//! Tables computed from a recording, selected by name or by a query: those of the JDK's `jfr view`, and more.
//!
//! Start with [`Catalog::built_in`], create a [`ViewSet`] from some of its [`View`]s, and [`answer`] it for a
//! recording. The views are defined as data in `views.txt`. Nothing here is specific to a single command;
//! [`write`](mod@write) formats [`Answers`] as text, CSV, JSON and Markdown.
//!
//! Judging belongs in [`rule`](crate::rule), call trees belong in `jfrkit-profile`. To add a view, edit
//! `views.txt`. To follow a query, read `syntax.rs`, `bind.rs`, `fold.rs` and `answer.rs` in this order.

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

use crate::pass::Pass;

/// Answers views for a recording, reading its chunks in parallel.
///
/// Chunks that cannot be read are left out; the second value lists the reasons.
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
/// The error of the first chunk if no chunk can be opened; [`Error::Changed`](jfr_parse::Error::Changed);
/// [`Error::Stopped`](jfr_parse::Error::Stopped).
pub fn answer(recording: &Recording<'_>, views: &ViewSet) -> jfr_parse::Result<(Answers, Vec<String>)> {
    let output = Pass::new(recording).views(views).without_rules()?;
    Ok(output.views.unwrap_or_else(|| unreachable!("views were requested")))
}
