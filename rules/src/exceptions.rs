//! Exceptions and errors.

mod dms_incident;
mod errors;
mod exception_control_flow;
mod fatal_errors;
mod rate;
mod serious_errors;
mod sites;
mod throwables;
mod thrown;

use super::boxed;
pub use dms_incident::DmsIncident;
pub use errors::Errors;
pub use exception_control_flow::ExceptionControlFlow;
pub use fatal_errors::FatalErrors;
use jfr_analyzers::rule::Rule;
pub use serious_errors::SeriousErrors;
pub use throwables::Exceptions;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![Exceptions, Errors, FatalErrors, DmsIncident, ExceptionControlFlow, SeriousErrors]
}
