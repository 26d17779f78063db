//! Class loading.

mod metaspace_churn;

pub use metaspace_churn::MetaspaceChurn;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![MetaspaceChurn]
}
