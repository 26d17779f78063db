//! The patterns of this crate.
//!
//! The limits for CPU and allocation are those of Jeffrey's guardian and of Datadog's insights, or our own where a
//! comment says so. Wall-clock shares are judged only for code that does not wait by design, with the thresholds for
//! CPU: a thread that takes log events off a queue, or reads a socket through a cipher, waits most of its time.

mod formats;
mod jvm;
mod language;
mod text;

use super::pattern::{Pattern, Resource, Thresholds};
use jfr_analyzers::events::Scope;
use jfr_analyzers::rule::{AnalysisError, Category};

/// A pattern as an entry of the table.
struct Line {
    id: &'static str,
    title: &'static str,
    category: Category,
    methods: &'static [&'static str],
    scope: Scope,
    native: bool,
    limits: &'static [(Resource, Thresholds)],
    explanation: &'static str,
    remedy: &'static str,
}

const LINE: Line = Line {
    id: "",
    title: "",
    category: Category::Cpu,
    methods: &[],
    scope: Scope::Anywhere,
    native: false,
    limits: &[],
    explanation: "",
    remedy: "",
};

const fn cpu(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Cpu, Thresholds::new(info, warning))
}

const fn allocation(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Allocation, Thresholds::new(info, warning))
}

const fn wall(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Wall, Thresholds::new(info, warning))
}

const fn blocking(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Blocking, Thresholds::new(info, warning))
}

/// The patterns of the table.
pub(super) fn patterns() -> impl Iterator<Item = Result<Pattern, AnalysisError>> {
    let parts = [text::LINES, language::LINES, formats::LINES, jvm::LINES];
    parts.into_iter().flatten().map(|line| {
        let pattern = Pattern::new(line.id, line.title, line.methods.iter().copied())?
            .category(line.category)
            .scope(line.scope)
            .explain(line.explanation)
            .remedy(line.remedy);
        let pattern = if line.native { pattern.native() } else { pattern };
        Ok(line.limits.iter().fold(pattern, |pattern, (resource, limits)| pattern.limit(*resource, *limits)))
    })
}
