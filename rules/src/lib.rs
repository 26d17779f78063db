//! The built-in rules, which find problems in a recording.
//!
//! Each rule is a type in its own file, in the folder of its subject; [`builtin`] lists them all. The definition of a
//! rule, its settings and verdicts are in [`jfr_analyzers::rule`], the report formats in `jfrkit-reports`. [`config`]
//! reads `jfrkit.toml`, [`catalog`] describes the rules, and [`profiled`] has the rules for profiles of other
//! languages. To add a rule, add a file, a line in the module of its folder, and a line in the list of that module.
//!
//! Reading events does not belong here: a rule declares its [`Needs`](jfr_analyzers::events::Needs), and gets
//! [`Facts`](jfr_analyzers::events::Facts). Start with `threads/virtual_thread_backlog.rs`, a typical rule with its tests, and `io.rs`,
//! the module of its folder; `stories.rs` lists which rules report the same problem.
//!
//! ```
//! use jfr_analyzers::rule::{AnalysisOptions, Severity};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! let recording = jfr_parse::Recording::open(path)?;
//! let report = jfrkit_rules::analysis().evaluate(&recording, &AnalysisOptions::default())?;
//! for outcome in report.worst_first(Severity::Info) {
//!     println!("{}: {}", outcome.rule.id, outcome.verdict.summary);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod blocked;
pub mod catalog;
mod classes;
pub mod config;
mod cost;
mod cpu;
mod cpu_load;
mod cpu_samples;
mod environment;
mod exceptions;
#[cfg(test)]
mod false_alarms;
#[cfg(test)]
mod fixture;
mod gc;
mod heap;
mod idle;
mod io;
mod jvm;
mod locks;
mod matching;
mod names;
pub mod overhead;
pub mod profiled;
mod recording;
mod security;
mod series;
mod sites;
mod stories;
mod tally;
mod thread_dump;
mod threads;
mod time;
#[cfg(test)]
mod verdict_snapshots;

use jfr_analyzers::rule::{Analysis, Rule};

/// All rules of this crate, ready to run.
#[must_use]
pub fn analysis() -> Analysis {
    let mut analysis = Analysis::empty().with_relations(stories::relations());
    for rule in builtin() {
        analysis.push(rule);
    }
    analysis
}

/// All rules of this crate, by category.
#[must_use]
pub fn builtin() -> Vec<Box<dyn Rule>> {
    let folders = [
        gc::all(),
        heap::all(),
        cpu::all(),
        locks::all(),
        io::all(),
        exceptions::all(),
        classes::all(),
        jvm::all(),
        environment::all(),
        security::all(),
        recording::all(),
        threads::all(),
        overhead::all(),
    ];
    folders.into_iter().flatten().collect()
}

/// Boxes rules for a list.
macro_rules! boxed {
    ($($rule:expr),* $(,)?) => {
        vec![$(Box::new($rule) as Box<dyn jfr_analyzers::rule::Rule>),*]
    };
}
pub(crate) use boxed;
