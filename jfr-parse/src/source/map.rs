//! Memory-mapped files, and what happens when the file changes. This module and its submodules contain all
//! `unsafe` code of this crate, except for processor-specific instructions in `bits` and the declaration of
//! [`OpenOptions::map`](crate::OpenOptions::map).
#![expect(unsafe_code, reason = "mapping a file is what makes reading it free of copies")]

#[cfg(unix)]
mod guard;

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Enables memory-mapping of recordings in this process ([`Access::Auto`](crate::Access::Auto)), and lets the
/// process survive if a mapped recording is truncated while it is read.
///
/// Reading a part of a map that the file no longer has raises a bus error, a signal that ends the process. This
/// function installs a `SIGBUS` handler. If the fault is in a map of this crate, the handler replaces the
/// missing part with zeros, and [`Recording::check_unchanged`](crate::Recording::check_unchanged) then fails.
/// All other faults go to the previous handler, or end the process as they would have otherwise. Disk errors
/// under a map are handled the same way as truncation.
///
/// A signal handler affects the whole process, so this crate never installs one unasked. Call this function
/// once, before other code installs its own handlers. Calling it again does nothing. On Windows, a mapped file
/// cannot be truncated, so there is nothing to install.
///
/// # Safety
/// From now on, every file that is opened with [`Access::Auto`](crate::Access::Auto) may be mapped, and must
/// not be *overwritten in place* while its [`Recording`](crate::Recording) lives. Text is checked to be UTF-8
/// once and later read from the map again, so a writer can make a `&str` invalid after the check. Truncating,
/// replacing, renaming, removing and appending to a file are either covered by the handler or harmless, and
/// recorders do nothing else to a finished recording. Nothing in this crate can prevent an overwrite: a program
/// that reads files that others may overwrite must not call this function.
///
/// # Errors
/// The system's error if it refuses to install the handler, or [`Unsupported`](io::ErrorKind::Unsupported) if
/// the platform does not have such signals.
pub unsafe fn guard_maps() -> io::Result<()> {
    #[cfg(unix)]
    return guard::install();
    #[cfg(windows)]
    {
        ASKED.store(true, std::sync::atomic::Ordering::Release);
        return Ok(());
    }
    #[cfg(not(any(unix, windows)))]
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether this process opted in to maps and survives the truncation of a mapped file.
pub(super) fn is_guarded() -> bool {
    #[cfg(unix)]
    return guard::is_installed();
    #[cfg(windows)]
    return ASKED.load(std::sync::atomic::Ordering::Acquire);
    #[cfg(not(any(unix, windows)))]
    false
}

/// Whether the caller accepted the contract of [`guard_maps`].
#[cfg(windows)]
static ASKED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// A memory-mapped file, valid as long as nobody changes the file.
#[derive(Debug)]
pub(super) struct Map {
    // Declared before the map, which must not be unmapped while it is watched.
    #[cfg(unix)]
    watch: guard::Watch,
    map: memmap2::Mmap,
    /// The file is not kept open, because a process can map more files than it can have open.
    path: PathBuf,
    identity: Identity,
}

impl Map {
    /// Maps an open file.
    pub(super) fn new(path: &Path, file: &File, about: &Metadata) -> io::Result<Self> {
        // SAFETY: the contract of `guard_maps` or `OpenOptions::map` guarantees that nobody overwrites the
        // file; one of them was called, or there would be no map. Reading truncated bytes raises a signal,
        // which is handled in `guard`.
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

    /// Whether zeros were read in place of missing bytes.
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
        // A file that was removed or replaced remains available while it is mapped.
        let Ok(now) = std::fs::metadata(&self.path) else { return Change::None };
        let identity = Identity::of(&now);
        if identity.file != self.identity.file || identity == self.identity {
            Change::None
        } else if now.len() < self.map.len() as u64 {
            // The rest of the last page reads as zeros, without a signal.
            Change::Cut
        } else {
            Change::Written
        }
    }
}

/// What happened to a mapped file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It did not change.
    None,
    /// It was written to, perhaps only after the mapped part.
    Written,
    /// Some of the mapped bytes are gone.
    Cut,
}

/// Identifies the file and its state.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    /// Device and inode number, on platforms that have them.
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
