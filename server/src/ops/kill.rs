//! Points at which tests end the process, to see that nothing acknowledged is lost.

/// Ends the process, as `SIGKILL` does, if the variable `JFRKIT_KILL_AT` names this point. Only in test builds.
#[cfg(feature = "testing")]
pub(crate) fn kill_point(name: &str) {
    if std::env::var("JFRKIT_KILL_AT").is_ok_and(|at| at == name) {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, outside of test builds.
#[cfg(not(feature = "testing"))]
pub(crate) const fn kill_point(_name: &str) {}
