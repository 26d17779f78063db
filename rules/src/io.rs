//! Rules on files and sockets: slow transfers, time-outs, tiny transfers, and many requests where one would do.
//!
//! Waiting for a connection of a pool belongs in `locks`, and so does logging that blocks. A read that waits for the
//! next request is idle, not slow: `served.rs` recognizes it. `longest.rs` judges the longest transfer for several
//! rules. Open `small_io.rs` first, the model for new rules.

mod file_force;
mod file_read;
mod file_write;
mod io_wait;
mod longest;
mod repeated_requests;
mod served;
mod small_io;
mod socket_read;
mod socket_write;

use super::boxed;
pub(crate) use file_force::FileForce;
pub(crate) use file_read::FileRead;
pub(crate) use file_write::FileWrite;
pub(crate) use io_wait::IoWait;
use jfr_analyzers::rule::Rule;
pub(crate) use repeated_requests::RepeatedRequests;
pub(crate) use small_io::SmallIo;
pub(crate) use socket_read::SocketRead;
pub(crate) use socket_write::SocketWrite;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![FileRead, FileWrite, FileForce, SocketRead, SocketWrite, SmallIo, RepeatedRequests, IoWait]
}
