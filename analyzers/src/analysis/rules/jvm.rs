//! The JVM and its operations.

mod slow_safepoint;
mod vm_operation_share;

pub use slow_safepoint::SlowSafepoint;
pub use vm_operation_share::VmOperationShare;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![SlowSafepoint, VmOperationShare]
}
