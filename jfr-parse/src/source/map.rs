//! Maps of files, and what becomes of them when the file changes. All `unsafe` code of this crate is here and below.
#![expect(unsafe_code, reason = "mapping a file is what makes reading it free of copies")]

#[cfg(unix)]
mod guard;

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Lets this process survive a mapped recording that is cut short while it is read.
///
/// Reading a part of a map whose file has been cut is a bus error, a signal that ends the process. This installs a
/// handler of `SIGBUS`, which puts zeros in place of what is gone, if the fault lies in a map of this crate; then
/// [`Recording::check_unchanged`](crate::Recording::check_unchanged) fails. All other faults go to the handler that was
/// there before, or end the process as they would have. So does an error of the disk below a map.
///
/// A handler is the whole process's, so this crate never installs it unasked: a program calls this once, before others
/// install handlers of theirs. From then on [`Access::Auto`](crate::Access::Auto) maps files. Calling it again does
/// nothing. On Windows a mapped file cannot be cut, and there is nothing to install.
///
/// # Errors
/// What the system says when it refuses the handler, or [`Unsupported`](io::ErrorKind::Unsupported) where there are no
/// such signals.
pub fn guard_maps() -> io::Result<()> {
    #[cfg(unix)]
    return guard::install();
    #[cfg(windows)]
    return Ok(());
    #[cfg(not(any(unix, windows)))]
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether a mapped file that is cut short leaves this process alive.
pub(super) fn is_guarded() -> bool {
    #[cfg(unix)]
    return guard::is_installed();
    #[cfg(not(unix))]
    cfg!(windows)
}

/// A file in memory, for as long as nobody changes it.
#[derive(Debug)]
pub(super) struct Map {
    // Before the map, which must not be unmapped while it is watched.
    #[cfg(unix)]
    watch: guard::Watch,
    map: memmap2::Mmap,
    /// The file is not kept open: a process may map more files than it may have open.
    path: PathBuf,
    identity: Identity,
}

impl Map {
    /// Maps an open file.
    pub(super) fn new(path: &Path, file: &File, about: &Metadata) -> io::Result<Self> {
        // SAFETY: the map is only read. What another process may do to the file meanwhile: bytes that change are only
        // ever parsed as untrusted input, of which each is checked after it was loaded; a length is that of the map,
        // not one in the file. Bytes that are gone raise a signal, which ends the process or is handled in `guard`.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self {
            #[cfg(unix)]
            watch: guard::Watch::new(map.as_ptr().addr(), map.len()),
            map,
            path: path.to_owned(),
            identity: Identity::of(about),
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether zeros were read in place of bytes that were gone.
    pub(super) fn is_torn(&self) -> bool {
        #[cfg(unix)]
        return self.watch.is_torn();
        #[cfg(not(unix))]
        false
    }

    /// What happened to the file since it was mapped.
    pub(super) fn change(&self) -> Change {
        if self.is_torn() {
            return Change::Cut;
        }
        // One that was removed or replaced is still there for who has it mapped.
        let Ok(now) = std::fs::metadata(&self.path) else { return Change::None };
        let identity = Identity::of(&now);
        if identity.file != self.identity.file || identity == self.identity {
            Change::None
        } else if now.len() < self.map.len() as u64 {
            // What is left of the last page reads as zeros, without a signal.
            Change::Cut
        } else {
            Change::Written
        }
    }
}

/// What became of a mapped file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// It was written to; perhaps only behind what was mapped.
    Written,
    /// Bytes that were mapped are gone.
    Cut,
}

/// Which file it is, and which state of it.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    /// Device and number, where there are such.
    file: Option<(u64, u64)>,
    len: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    fn of(about: &Metadata) -> Self {
        #[cfg(unix)]
        let file = {
            use std::os::unix::fs::MetadataExt;
            Some((about.dev(), about.ino()))
        };
        #[cfg(not(unix))]
        let file = None;
        Self { file, len: about.len(), modified: about.modified().ok() }
    }
}
