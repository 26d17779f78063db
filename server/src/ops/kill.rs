//! Points where tests kill the process, to check that acknowledged uploads survive.

/// Kills the process as `SIGKILL` would if `JFRKIT_KILL_AT` names this point. Only in development and test builds.
#[cfg(debug_assertions)]
pub(crate) fn kill_point(name: &str) {
    if std::env::var("JFRKIT_KILL_AT").is_ok_and(|at| at == name) {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        loop {
            std::thread::park();
        }
    }
}

/// Does nothing in release builds.
#[cfg(not(debug_assertions))]
pub(crate) const fn kill_point(_name: &str) {}
