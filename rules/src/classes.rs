//! Class loading.

mod class_leak;
mod class_loading;
mod metaspace_churn;

use super::boxed;
pub(crate) use class_leak::ClassLeak;
pub(crate) use class_loading::ClassLoading;
use jfr_analyzers::rule::Rule;
pub(crate) use metaspace_churn::MetaspaceChurn;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![ClassLoading, ClassLeak, MetaspaceChurn]
}
