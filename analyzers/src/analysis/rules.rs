//! The rules, a type and a file each, in folders by subject. Adding one is a file, a line in its folder's module and
//! a line in that module's list.

pub mod classes;
mod common;
pub mod cpu;
pub mod environment;
pub mod exceptions;
pub mod gc;
pub mod heap;
pub mod io;
pub mod jvm;
pub mod locks;
pub mod overhead;
pub mod recording;
pub mod security;
mod support;
pub mod threads;

use super::rule::Rule;

/// All rules of this crate.
#[must_use]
pub fn all() -> Vec<Box<dyn Rule>> {
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
        vec![$(Box::new($rule) as Box<dyn $crate::analysis::Rule>),*]
    };
}
pub(crate) use boxed;

pub(crate) use super::facts::parse_timespan;
