//! Tracks how much of its limits a call has used.

use std::sync::atomic::{AtomicU64, Ordering};

use jfr_parse::{Limits, Result};

use jfrkit_profile::Interner;

/// The memory used by one call, estimated from the sizes of everything that grows with the recording.
#[derive(Debug)]
pub(crate) struct Account {
    limits: Limits,
    taken: AtomicU64,
    /// Bytes used by the shared tables.
    tables: AtomicU64,
    /// Bytes used by the joined results of finished parts.
    kept: AtomicU64,
}

/// Bytes used by a part of the work; released when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    account: &'a Account,
    bytes: AtomicU64,
}

impl Account {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, taken: AtomicU64::new(0), tables: AtomicU64::new(0), kept: AtomicU64::new(0) }
    }

    /// A reservation of zero bytes.
    pub(crate) fn reserve(&self) -> Reservation<'_> {
        Reservation { account: self, bytes: AtomicU64::new(0) }
    }

    /// Takes bytes permanently.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](jfr_parse::Error::LimitExceeded).
    pub(crate) fn take(&self, bytes: usize, offset: u64) -> Result<()> {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
        self.check(offset)
    }

    /// Updates the size of the tables.
    ///
    /// # Errors
    /// Same as [`take`](Self::take).
    pub(crate) fn tables(&self, interner: &Interner, offset: u64) -> Result<()> {
        let (stacks, bytes) = interner.size();
        if stacks > self.limits.stacks {
            return Err(self.limits.exceeded("stacks", offset));
        }
        self.tables.fetch_max(bytes as u64, Ordering::Relaxed);
        self.check(offset)
    }

    /// Sets the size of the joined results of finished parts. If it is too large, the next part fails.
    pub(crate) fn keep(&self, bytes: usize) {
        self.kept.fetch_max(bytes as u64, Ordering::Relaxed);
    }

    fn check(&self, offset: u64) -> Result<()> {
        let load = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let all = load(&self.taken).saturating_add(load(&self.tables)).saturating_add(load(&self.kept));
        if all > self.limits.memory { Err(self.limits.exceeded("memory", offset)) } else { Ok(()) }
    }
}

impl Reservation<'_> {
    /// Takes bytes until this value is dropped.
    ///
    /// # Errors
    /// Same as [`Account::take`].
    pub(crate) fn take(&self, bytes: usize, offset: u64) -> Result<()> {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.account.take(bytes, offset)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.account.taken.fetch_sub(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_bytes_are_available_again() {
        let mut limits = Limits::tool();
        limits.memory = 100;
        let account = Account::new(limits);
        {
            let reserved = account.reserve();
            reserved.take(60, 0).unwrap_or_else(|e| unreachable!("{e}"));
            let error = reserved.take(60, 7).err();
            assert!(matches!(error, Some(jfr_parse::Error::LimitExceeded { name: "memory", offset: 7, .. })));
        }
        assert!(account.take(100, 0).is_ok() && account.take(1, 0).is_err());
    }
}
