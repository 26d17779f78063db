//! The `SIGBUS` handler that fills in zeros where a mapped file was truncated, and the list of maps that it
//! covers.
//!
//! Everything the handler touches is atomic and is never freed, so that the handler neither waits nor
//! allocates.

use std::io;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libc::{c_int, c_void, siginfo_t};

/// The first slot in the list of maps; the others are linked from it.
static FIRST: Slot = Slot::free();

/// The previous action for `SIGBUS`.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// The page size in bytes.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// The result of installing the handler: `None` for success, otherwise the system's error.
static INSTALLED: OnceLock<Option<i32>> = OnceLock::new();

/// Installs the handler, once.
pub(super) fn install() -> io::Result<()> {
    let failed = INSTALLED.get_or_init(|| match try_install() {
        Ok(()) => None,
        Err(error) => Some(error.raw_os_error().unwrap_or(libc::EINVAL)),
    });
    failed.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
}

pub(super) fn is_installed() -> bool {
    INSTALLED.get().is_some_and(Option::is_none)
}

fn try_install() -> io::Result<()> {
    // SAFETY: only queries a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE.store(usize::try_from(page).map_err(|_| io::ErrorKind::Unsupported)?, Ordering::Release);
    let checked = |result: c_int| if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    // SAFETY: consists of integers, a signal set and an optional function, all of which may be zero.
    let (mut old, mut new): (libc::sigaction, libc::sigaction) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: `old` is writable, and nothing is installed.
    checked(unsafe { libc::sigaction(libc::SIGBUS, null(), &raw mut old) })?;
    // Stored before the handler can run.
    let _ = PREVIOUS.set(old);
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_bus_error;
    new.sa_sigaction = handler as libc::sighandler_t;
    // On the thread's alternate signal stack if it has one, like the stack overflow handler of Rust's runtime.
    new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the set is writable.
    checked(unsafe { libc::sigemptyset(&raw mut new.sa_mask) })?;
    // SAFETY: the handler has the signature that `SA_SIGINFO` requires, and does only what a handler may do:
    // atomic loads and stores, and system calls.
    checked(unsafe { libc::sigaction(libc::SIGBUS, &raw const new, null_mut()) })
}

/// Runs on the thread whose load failed. When it returns, the load is repeated.
extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the system passes a valid `siginfo_t` to a handler with `SA_SIGINFO`. The address is meaningful
    // only if the code shows that the kernel found the fault, which is checked first.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // This may change `errno`, but no load that can fault happens between a call and a check of `errno`.
    if !is_of_the_file(code) || !cover(address) {
        pass_on(signal, info, context);
    }
}

/// Whether the fault was caused by the file, and not by a signal that was sent or by broken memory.
fn is_of_the_file(code: c_int) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return code == libc::BUS_ADRERR;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return code > 0;
}

/// Maps zeros from the page that contains the address to the end of its map. Returns whether the address
/// belongs to a map.
fn cover(address: usize) -> bool {
    let Some((slot, end)) = FIRST.all().find_map(|slot| Some((slot, slot.end_if_it_has(address)?))) else {
        return false;
    };
    slot.torn.store(true, Ordering::Release);
    let page = PAGE.load(Ordering::Acquire);
    let from = address & !page.wrapping_sub(1);
    // SAFETY: the pages belong to a map of this crate, which is page-aligned and stays mapped because the
    // faulting thread is reading it; they are replaced by other readable pages.
    let at = unsafe {
        libc::mmap(
            std::ptr::with_exposed_provenance_mut(from),
            end.wrapping_sub(from),
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    at != libc::MAP_FAILED
}

/// Does what would have happened without this handler.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(old) = PREVIOUS.get() else { return };
    match old.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: restores the previous action. The signal is blocked until this handler returns, and then
            // ends the process.
            unsafe {
                libc::sigaction(signal, std::ptr::from_ref(old), null_mut());
                libc::raise(signal);
            }
        }
        handler if old.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: it was installed as a handler with this signature, and receives what the system passed.
            unsafe {
                let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = std::mem::transmute(handler);
                handler(signal, info, context);
            }
        }
        handler => {
            // SAFETY: it was installed as a handler with this signature.
            unsafe {
                let handler: extern "C" fn(c_int) = std::mem::transmute(handler);
                handler(signal);
            }
        }
    }
}

/// Registers a map with the handler while this value lives, which must not be longer than the map lives.
#[derive(Debug)]
pub(super) struct Watch(&'static Slot);

impl Watch {
    pub(super) fn new(start: usize, len: usize) -> Self {
        let mut slot = &FIRST;
        while !slot.claim() {
            slot = slot.next.get_or_init(|| Box::new(Slot::free()));
        }
        slot.torn.store(false, Ordering::Release);
        slot.len.store(len, Ordering::Release);
        slot.start.store(start, Ordering::Release);
        Self(slot)
    }

    pub(super) fn is_torn(&self) -> bool {
        self.0.torn.load(Ordering::Acquire)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.start.store(FREE, Ordering::Release);
    }
}

/// A slot in the list of maps. It is reused after its map is gone.
#[derive(Debug)]
struct Slot {
    /// Address, or [`FREE`] or [`CLAIMED`].
    start: AtomicUsize,
    len: AtomicUsize,
    torn: AtomicBool,
    next: OnceLock<Box<Slot>>,
}

const FREE: usize = 0;
/// Neither is the address of a page.
const CLAIMED: usize = 1;

impl Slot {
    const fn free() -> Self {
        Self {
            start: AtomicUsize::new(FREE),
            len: AtomicUsize::new(0),
            torn: AtomicBool::new(false),
            next: OnceLock::new(),
        }
    }

    fn claim(&self) -> bool {
        self.start.compare_exchange(FREE, CLAIMED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn all(&'static self) -> impl Iterator<Item = &'static Self> {
        std::iter::successors(Some(self), |slot| slot.next.get().map(|next| &**next))
    }

    /// The end of the map, if the map contains the address.
    fn end_if_it_has(&self, address: usize) -> Option<usize> {
        let start = self.start.load(Ordering::Acquire);
        let len = self.len.load(Ordering::Acquire);
        // Another map may have taken the slot in between; the map with the fault cannot have lost its own.
        let same = self.start.load(Ordering::Acquire) == start;
        let inside = start > CLAIMED && address.checked_sub(start).is_some_and(|offset| offset < len);
        (same && inside).then(|| start.wrapping_add(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_reused_and_know_their_addresses() {
        // Pages that no map of the other tests uses.
        let place = 1 << 20;
        let watch = Watch::new(place, 4096);
        let slot = watch.0;
        assert_eq!(slot.end_if_it_has(place), Some(place + 4096));
        assert_eq!(slot.end_if_it_has(place + 4095), Some(place + 4096));
        assert_eq!(slot.end_if_it_has(place + 4096), None);
        assert_eq!(slot.end_if_it_has(place - 1), None);
        slot.torn.store(true, Ordering::Release);
        assert!(watch.is_torn());
        let others: Vec<Watch> = (2..40).map(|i| Watch::new(i << 20, 8)).collect();
        assert!(others.iter().all(|other| !std::ptr::eq(other.0, slot) && !other.is_torn()));
        drop(watch);
        assert_eq!(slot.end_if_it_has(place), None);
        assert!(FIRST.all().count() >= 39);
    }

    #[test]
    fn an_address_of_no_map_is_not_covered() {
        assert!(!cover(8));
    }
}
