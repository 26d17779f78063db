//! Class loading.

mod class_leak;
mod class_loading;

pub use class_leak::ClassLeak;
pub use class_loading::ClassLoading;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![ClassLoading, ClassLeak]
}
