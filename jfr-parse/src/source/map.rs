//! Maps of files, and what becomes of them when the file changes. All `unsafe` code of this crate is here and below.
#![expect(unsafe_code, reason = "mapping a file is what makes reading it free of copies")]

#[cfg(unix)]
mod guard;

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Has this process map recordings from now on ([`Access::Auto`](crate::Access::Auto)), and lets it survive a mapped
/// recording that is truncated while it is read.
///
/// Reading a part of a map whose file has been cut is a bus error, a signal that ends the process. This installs a
/// handler of `SIGBUS`, which puts zeros in place of what is gone, if the fault lies in a map of this crate; then
/// [`Recording::check_unchanged`](crate::Recording::check_unchanged) fails. All other faults go to the handler that was
/// there before, or end the process as they would have. So does an error of the disk below a map.
///
/// A handler is the whole process's, so this crate never installs it unasked: a program calls this once, before others
/// install handlers of theirs. Calling it again does nothing. On Windows a mapped file cannot be truncated, and there is
/// nothing to install.
///
/// # Safety
/// From now on every file that is opened with [`Access::Auto`](crate::Access::Auto) may be mapped, and must not be
/// *overwritten in place* while its [`Recording`](crate::Recording) lives. Text is checked to be UTF-8 once and read from the
/// map again, so a writer can make a `&str` invalid after its check. Truncating, replacing, renaming, removing and
/// appending to a file are covered by the handler or harmless; recorders do nothing else to a recording that they have
/// finished. Nothing in this crate can prevent an overwrite: a program that reads files that others may overwrite must
/// not call this.
///
/// # Errors
/// What the system says when it refuses the handler, or [`Unsupported`](io::ErrorKind::Unsupported) where there are no
/// such signals.
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

/// Whether this process asked for maps, and lives on when a mapped file is truncated.
pub(super) fn is_guarded() -> bool {
    #[cfg(unix)]
    return guard::is_installed();
    #[cfg(windows)]
    return ASKED.load(std::sync::atomic::Ordering::Acquire);
    #[cfg(not(any(unix, windows)))]
    false
}

/// Whether the contract of [`guard_maps`] was taken on.
#[cfg(windows)]
static ASKED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

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
        // SAFETY: that nobody overwrites the file is the contract of `guard_maps` and `OpenOptions::map`, one of which was
        // called, or there would be no map. Bytes that are truncated raise a signal, which is handled in `guard`.
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
