//! Points at which tests end the process, to see that nothing acknowledged is lost.

/// Ends the process, as `SIGKILL` does, if the variable `JFRKIT_KILL_AT` names this point. Only in builds for development and tests.
#[cfg(debug_assertions)]
pub(crate) fn kill_point(name: &str) {
    if std::env::var("JFRKIT_KILL_AT").is_ok_and(|at| at == name) {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
pub(crate) const fn kill_point(_name: &str) {}
