//! The rules, a type and a file each, in folders by subject. Adding one is a file, a line in its folder's module and
//! a line in that module's list.

pub mod cpu;
pub mod environment;
pub mod gc;
pub mod heap;
pub mod locks;
pub mod recording;
mod support;
pub mod threads;

use super::rule::Rule;

/// All rules of this crate.
#[must_use]
pub fn all() -> Vec<Box<dyn Rule>> {
    [cpu::all(), environment::all(), gc::all(), heap::all(), locks::all(), recording::all(), threads::all()].into_iter().flatten().collect()
}

/// Boxes rules for a list.
macro_rules! boxed {
    ($($rule:expr),* $(,)?) => {
        vec![$(Box::new($rule) as Box<dyn $crate::analysis::Rule>),*]
    };
}
pub(crate) use boxed;
