//! Exceptions and errors.

mod dms_incident;
mod errors;
mod fatal_errors;
mod throwables;

use super::boxed;
use crate::analysis::rule::Rule;
pub use dms_incident::DmsIncident;
pub use errors::Errors;
pub use fatal_errors::FatalErrors;
pub use throwables::Exceptions;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![Exceptions, Errors, FatalErrors, DmsIncident]
}
