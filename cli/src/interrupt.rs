//! What happens when the user or the system ends the command before it is done.
//!
//! Nothing has to be wound down but temporary files, so the command ends at once, wherever it is: reading a pipe that
//! says nothing, unpacking, writing. It ends by the signal that it got, as if there were no handler: a shell that runs
//! it in a loop stops, and sees the status 128 and the signal's number, 130 after Ctrl-C, 143 after SIGTERM.

use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use pprof_emit::Files;

use crate::output::{clear_bar, complain};

/// The files that this process writes.
pub(crate) static FILES: LazyLock<Files> = LazyLock::new(Files::new);

/// Takes care of signals from here on.
pub(crate) fn watch() {
    // Without it, temporary files stay after a signal; nothing else is lost.
    #[cfg(unix)]
    let _ = unix::watch();
}

/// How long a command may take to end by itself once its time is up. It looks at the time every few milliseconds while it
/// reads; a write to a full pipe, a large allocation or one long sort can take longer.
const GRACE: Duration = Duration::from_millis(300);

/// Ends the command soon after this time, if it has not ended by then, whatever it is doing. No part of a file stays.
pub(crate) fn end_after(timeout: Duration) {
    static WATCHED: Once = Once::new();
    let Some(end) = Instant::now().checked_add(timeout).and_then(|at| at.checked_add(GRACE)) else { return };
    WATCHED.call_once(|| {
        let wait = move || {
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            FILES.abandon();
            clear_bar();
            complain("error", TIMED_OUT);
            std::process::exit(1);
        };
        // Without the thread the command still ends where it looks at the time.
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

    use crate::output::{clear_bar, complain};

    pub(super) fn watch() -> std::io::Result<()> {
        let again = Arc::new(AtomicBool::new(false));
        let ignored = ignored();
        // `nohup` and shells in the background have commands ignore some.
        let heeded: Vec<i32> = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|s| !ignored.contains(s)).collect();
        // First of all, so that none is lost that comes while the others are registered.
        let mut signals = Signals::new(&heeded)?;
        for signal in &heeded {
            // The second one does not wait for what the first one has begun.
            flag::register_conditional_default(*signal, again.clone())?;
            flag::register(*signal, again.clone())?;
        }
        // Ends a process that makes a file larger than it may, unless it has a handler; then writing fails, as on a
        // full disk.
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
        complain("error", &format!("interrupted by {name}; completed files were kept"));
        // Does not return, but for signals that do not end a process.
        let _ = low_level::emulate_default_handler(signal);
    }

    /// The signals that whoever started this command had it ignore; known on Linux.
    fn ignored() -> Vec<i32> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        (1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect()
    }
}
