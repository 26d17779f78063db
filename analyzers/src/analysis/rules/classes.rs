//! Class loading.

mod class_leak;
mod class_loading;
mod metaspace_churn;

use super::boxed;
use crate::analysis::rule::Rule;
pub use class_leak::ClassLeak;
pub use class_loading::ClassLoading;
pub use metaspace_churn::MetaspaceChurn;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![ClassLoading, ClassLeak, MetaspaceChurn]
}
