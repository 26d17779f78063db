//! Directory syncs, shared by all threads that wait for one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::{Condvar, Mutex};

/// Syncs a directory; calls during a running sync share the next one.
#[derive(Debug)]
pub(crate) struct SharedSync {
    dir: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Syncs started.
    begun: u64,
    /// Syncs finished, and the result of the last one.
    done: u64,
    failed: Option<(u64, String)>,
    running: bool,
}

impl SharedSync {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Returns after a sync that started after this call.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let wanted = state.begun + 1;
        loop {
            if state.done >= wanted {
                return match &state.failed {
                    Some((of, reason)) if *of >= wanted => Err(io::Error::other(reason.clone())),
                    _ => Ok(()),
                };
            }
            if state.running {
                self.changed.wait(&mut state);
                continue;
            }
            state.running = true;
            state.begun += 1;
            let this = state.begun;
            drop(state);
            let result = File::open(&self.dir).and_then(|dir| dir.sync_all());
            state = self.state.lock();
            state.running = false;
            state.done = this;
            if let Err(error) = result {
                state.failed = Some((this, error.to_string()));
            }
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn callers_share_syncs_and_all_return() {
        let dir = tempfile::tempdir().unwrap();
        let sync = SharedSync::new(dir.path());
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| (0..20).for_each(|_| sync.sync().unwrap()));
            }
        });
        let state = sync.state.lock();
        assert!(state.begun <= 320 && state.done == state.begun);
        assert!(SharedSync::new(Path::new("/nonexistent/dir")).sync().is_err());
    }
}
