//! Standard output and standard error.

use std::io::{BufWriter, StdoutLock, Write};

/// Standard output, locked and buffered. Has to be flushed at the end, so that a failure is noticed.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// Writes one line to standard error; nobody can be told if that fails.
pub(crate) fn complain(kind: &str, message: &str) {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(std::io::stderr(), "jfrkit: {kind}: {line}");
}
