//! The handler of `SIGBUS` that puts zeros where a mapped file was cut, and the list of the maps it cares for.
//!
//! Everything that the handler touches is atomic and stays in memory for ever, so that it neither waits nor allocates.

use std::io;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libc::{c_int, c_void, siginfo_t};

/// The first place in the list of maps; the others follow.
static FIRST: Slot = Slot::free();

/// What was done about `SIGBUS` before.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Bytes of a page.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// How installing went: `None` is well, else the system's error.
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
    // SAFETY: asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE.store(usize::try_from(page).map_err(|_| io::ErrorKind::Unsupported)?, Ordering::Release);
    let checked = |result: c_int| if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    // SAFETY: of integers, a set of signals and an optional function, all of which may be zero.
    let (mut old, mut new): (libc::sigaction, libc::sigaction) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: `old` may be written to; nothing is installed.
    checked(unsafe { libc::sigaction(libc::SIGBUS, null(), &raw mut old) })?;
    // Known before the handler can run.
    let _ = PREVIOUS.set(old);
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_bus_error;
    new.sa_sigaction = handler as libc::sighandler_t;
    // On the stack for signals where the thread has one, as the handler of Rust's runtime for stacks that overflow.
    new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the set may be written to.
    checked(unsafe { libc::sigemptyset(&raw mut new.sa_mask) })?;
    // SAFETY: the handler has the signature that `SA_SIGINFO` asks for, and keeps to what a handler may do: atomic
    // loads and stores, and system calls.
    checked(unsafe { libc::sigaction(libc::SIGBUS, &raw const new, null_mut()) })
}

/// Runs on the thread whose load failed; when it returns, the load is done again.
extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the system hands over a valid `siginfo_t` to a handler with `SA_SIGINFO`. The address is of use only
    // where the code says that the kernel found the fault, which is looked at first.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // `errno` may change here; the loads that fault stand in no place that looks at it.
    if !is_of_the_file(code) || !cover(address) {
        pass_on(signal, info, context);
    }
}

/// Whether the fault is due to the file, and not a signal that somebody sent or memory that is broken.
fn is_of_the_file(code: c_int) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return code == libc::BUS_ADRERR;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return code > 0;
}

/// Puts zeros from the page with the address to the end of the map that it belongs to. Says whether it belongs to one.
fn cover(address: usize) -> bool {
    let Some((slot, end)) = FIRST.all().find_map(|slot| Some((slot, slot.end_if_it_has(address)?))) else {
        return false;
    };
    slot.torn.store(true, Ordering::Release);
    let page = PAGE.load(Ordering::Acquire);
    let from = address & !page.wrapping_sub(1);
    // SAFETY: the pages belong to a map of this crate, which begins at a page, and which stays mapped because the
    // thread that has this fault reads it; pages are replaced by others that can be read alike.
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

/// Does what would have been done without this handler.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(old) = PREVIOUS.get() else { return };
    match old.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: puts back what was there; the signal is blocked until this handler returns, and ends the process
            // then.
            unsafe {
                libc::sigaction(signal, std::ptr::from_ref(old), null_mut());
                libc::raise(signal);
            }
        }
        handler if old.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: it was installed as a handler with this signature, and gets what the system gave.
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

/// Makes the handler care for a map, for as long as this lives; that must not be longer than the map.
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

/// A place in the list of maps, used again when its map is gone.
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

    /// Where the map ends, if the address is in it.
    fn end_if_it_has(&self, address: usize) -> Option<usize> {
        let start = self.start.load(Ordering::Acquire);
        let len = self.len.load(Ordering::Acquire);
        // Another map may have got the place in between; the one with the fault cannot have lost its own.
        let same = self.start.load(Ordering::Acquire) == start;
        let inside = start > CLAIMED && address.checked_sub(start).is_some_and(|offset| offset < len);
        (same && inside).then(|| start.wrapping_add(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again_and_know_their_addresses() {
        // Pages that no map of the other tests has.
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
