//! Rules on exceptions and errors that the program throws, on how the JVM ended, and on incidents of Oracle's Dynamic
//! Monitoring Service.
//!
//! An error that belongs to another subject is judged there: virtual threads that cannot be scheduled in `threads`,
//! heap dumps after an OutOfMemoryError in `heap`. `thrown.rs` has throwables by class and stack, `sites.rs` the places
//! that throw, and `rate.rs` the JVM's own count. Open `throwables.rs` first.

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
pub(crate) use dms_incident::DmsIncident;
pub(crate) use errors::Errors;
pub(crate) use exception_control_flow::ExceptionControlFlow;
pub(crate) use fatal_errors::FatalErrors;
use jfr_analyzers::rule::Rule;
pub(crate) use serious_errors::SeriousErrors;
pub(crate) use throwables::Exceptions;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![Exceptions, Errors, FatalErrors, DmsIncident, ExceptionControlFlow, SeriousErrors]
}
