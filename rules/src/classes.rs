//! Rules on class loading: classes that load slowly or repeatedly, and class loaders that pile up in metaspace.
//!
//! The two JMC rules on the size of metaspace are in `gc`, the code cache and the JIT compilers in `cpu`, bytecode
//! verification in `jvm`. Open `class_loading.rs` first.

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
