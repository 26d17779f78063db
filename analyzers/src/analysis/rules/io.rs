//! Files and sockets.

mod file_force;
mod file_read;
mod file_write;
mod longest;
mod socket_read;
mod socket_write;

pub use file_force::FileForce;
pub use file_read::FileRead;
pub use file_write::FileWrite;
pub use socket_read::SocketRead;
pub use socket_write::SocketWrite;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![FileRead, FileWrite, FileForce, SocketRead, SocketWrite]
}
