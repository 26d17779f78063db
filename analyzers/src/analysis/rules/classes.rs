//! Class loading.

mod class_leak;
mod class_loading;

use super::boxed;
use crate::analysis::rule::Rule;
pub use class_leak::ClassLeak;
pub use class_loading::ClassLoading;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![ClassLoading, ClassLeak]
mod metaspace_churn;

pub use metaspace_churn::MetaspaceChurn;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![MetaspaceChurn]
}
