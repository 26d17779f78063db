//! The command that makes a recorder write an event, ready to paste. It depends on which tool made the recording.

/// The facts about a recorder that a command depends on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Recorder<'t> {
    /// Whether async-profiler made the recording, not the JVM.
    pub(crate) is_async_profiler: bool,
    /// The version of the JDK, if known.
    pub(crate) jdk: Option<u32>,
    /// The main class, by which `jcmd` and `asprof` find the process.
    pub(crate) program: Option<&'t str>,
}

/// The first JDK whose `JFR.start` accepts settings of individual events.
const SETTINGS: u32 = 17;

/// async-profiler's options by event. It records all other JVM events with `--jfrsync`.
const OPTIONS: &[(&str, &str)] = &[
    ("jdk.ExecutionSample", "-e cpu"),
    ("profiler.WallClockSample", "-e wall"),
    ("jdk.ObjectAllocationInNewTLAB", "-e alloc"),
    ("jdk.ObjectAllocationOutsideTLAB", "-e alloc"),
    ("jdk.ObjectAllocationSample", "-e alloc"),
    ("profiler.LiveObject", "-e alloc --live"),
    ("jdk.JavaMonitorEnter", "-e lock"),
    ("jdk.ThreadPark", "-e lock"),
    ("profiler.Malloc", "-e nativemem"),
    ("profiler.Free", "-e nativemem"),
    ("profiler.NativeLock", "--nativelock 1ms"),
    ("jdk.MethodTrace", "--trace 'CLASS.METHOD'"),
];

impl Recorder<'_> {
    /// The command that records events of this type.
    pub(crate) fn command(&self, event: &str) -> String {
        let target = self.target();
        let option = OPTIONS.iter().find(|(of, _)| *of == event).map(|(_, option)| *option);
        if self.is_async_profiler || event.starts_with("profiler.") {
            let option = option.unwrap_or("-e cpu --jfrsync profile");
            return format!("asprof -d 60 {option} -f recording.jfr {target}");
        }
        if self.jdk.is_some_and(|jdk| jdk < SETTINGS) {
            return format!(
                "jcmd {target} JFR.start settings=my.jfc filename=recording.jfr, where my.jfc is a copy of lib/jfr/profile.jfc in \
                 which {event} is enabled"
            );
        }
        format!("jcmd {target} JFR.start settings=profile {event}#enabled=true filename=recording.jfr")
    }

    /// The process, quoted for a shell.
    fn target(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        match self.program {
            Some(program) if !program.is_empty() && program.chars().all(plain) => program.to_owned(),
            Some(program) if !program.is_empty() && program.chars().all(|c| plain(c) || c == '$') => {
                format!("'{program}'")
            }
            _ => "PID".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_fit_the_recorder() {
        let jdk = Recorder { jdk: Some(21), program: Some("com.acme.Main"), ..Recorder::default() };
        assert_eq!(
            jdk.command("jdk.FileRead"),
            "jcmd com.acme.Main JFR.start settings=profile jdk.FileRead#enabled=true filename=recording.jfr"
        );
        assert_eq!(jdk.command("profiler.Malloc"), "asprof -d 60 -e nativemem -f recording.jfr com.acme.Main");
        let profiler = Recorder { is_async_profiler: true, ..Recorder::default() };
        assert_eq!(profiler.command("profiler.WallClockSample"), "asprof -d 60 -e wall -f recording.jfr PID");
        assert_eq!(profiler.command("jdk.FileRead"), "asprof -d 60 -e cpu --jfrsync profile -f recording.jfr PID");
        assert_eq!(profiler.command("jdk.ObjectAllocationSample"), "asprof -d 60 -e alloc -f recording.jfr PID");
        let old = Recorder { jdk: Some(11), program: Some("a b; rm -rf"), ..Recorder::default() };
        assert!(old.command("jdk.FileRead").starts_with("jcmd PID JFR.start settings=my.jfc"));
        let inner = Recorder { program: Some("a.B$C"), ..Recorder::default() };
        assert!(inner.command("jdk.FileRead").starts_with("jcmd 'a.B$C' JFR.start"));
    }
}
