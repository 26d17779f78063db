//! What happens when the user or the system interrupts the command.
//!
//! Only temporary files need cleaning up, so the command ends at once, whether it is waiting for a silent pipe, decompressing
//! or writing. It dies of the signal as if there were no handler: a shell loop stops, and the shell sees status 128 plus the
//! signal number, which is 130 for Ctrl-C and 143 for SIGTERM.

use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use pprof_emit::Files;

use crate::output::{clear_bar, print_error};

/// The files being written by this process.
pub(crate) static FILES: LazyLock<Files> = LazyLock::new(Files::new);

/// Handles signals from now on.
pub(crate) fn watch() {
    // Without the handler, a signal only leaves temporary files behind.
    #[cfg(unix)]
    let _ = unix::watch();
}

/// How long a command may take to end by itself once its time is up. It checks the time every few milliseconds while reading,
/// but a write to a full pipe, a large allocation or one long sort can take longer.
const GRACE: Duration = Duration::from_millis(300);

/// Ends the command if it is still running shortly after this time, whatever it is doing. Leaves no partial files.
pub(crate) fn end_after(timeout: Duration) {
    static WATCHED: Once = Once::new();
    let Some(end) = Instant::now().checked_add(timeout).and_then(|at| at.checked_add(GRACE)) else { return };
    WATCHED.call_once(|| {
        let wait = move || {
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            FILES.abandon();
            clear_bar();
            print_error(TIMED_OUT);
            std::process::exit(1);
        };
        // Without the thread, the command still ends where it checks the time.
        let _ = std::thread::Builder::new().name("timeout".to_owned()).spawn(wait);
    });
}

/// The message when the time is up.
pub(crate) const TIMED_OUT: &str = "timed out; raise --timeout to allow more time";

#[cfg(unix)]
mod unix {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::{flag, low_level};

    use crate::output::{clear_bar, print_error};

    pub(super) fn watch() -> std::io::Result<()> {
        let again = Arc::new(AtomicBool::new(false));
        let ignored = ignored();
        // `nohup` and background jobs ignore some signals on purpose.
        let heeded: Vec<i32> = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|s| !ignored.contains(s)).collect();
        // Register this first, so that no signal is lost while the others are registered.
        let mut signals = Signals::new(&heeded)?;
        for signal in &heeded {
            // A second signal ends the process without waiting for the cleanup.
            flag::register_conditional_default(*signal, again.clone())?;
            flag::register(*signal, again.clone())?;
        }
        // Without a handler, this signal ends a process that exceeds the file size limit. With one, the write fails as on a full
        // disk.
        flag::register(SIGXFSZ, Arc::default())?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                end(signal);
            }
        })?;
        Ok(())
    }

    fn end(signal: i32) {
        super::FILES.abandon();
        clear_bar();
        let name = low_level::signal_name(signal).unwrap_or("a signal");
        print_error(&format!("interrupted by {name}; completed files were kept"));
        // Does not return, except for signals that do not end a process.
        let _ = low_level::emulate_default_handler(signal);
    }

    /// The signals that were already ignored when the command started; known on Linux only.
    fn ignored() -> Vec<i32> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        (1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect()
    }
}
