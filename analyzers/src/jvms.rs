//! The version of a JVM, and which JVMs a file contains if there are several.

use jfr_parse::text::duration;

/// The Java version in the version text of a JVM, such as `OpenJDK 64-Bit Server VM (25.432-b06) for linux-amd64 JRE
/// (1.8.0_432-b06), built on …`.
#[must_use]
pub fn java_version(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("JRE (")?;
    Some(rest.split_once(')').map_or(rest, |(version, _)| version))
}

/// An event that identifies the JVM that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JvmEvent {
    /// The time, as ISO 8601 in UTC.
    pub(crate) at: String,
    /// Its process id and start time, from `jdk.JVMInformation`.
    pub(crate) process: Option<(String, String)>,
    /// Its collectors, from `jdk.GCConfiguration`.
    pub(crate) collectors: Option<String>,
}

/// A JVM.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Jvm {
    from: String,
    process: Option<(String, String)>,
    collectors: Option<String>,
}

impl Jvm {
    /// Whether this JVM may have written the event: its process and its collectors never change.
    fn wrote(&self, event: &JvmEvent) -> bool {
        let same = |mine: &Option<_>, theirs: &Option<_>| mine.is_none() || theirs.is_none() || mine == theirs;
        same(&self.process, &event.process)
            && match (&self.collectors, &event.collectors) {
                (Some(mine), Some(theirs)) => mine == theirs,
                _ => true,
            }
    }
}

/// Tells users that a file contains several JVMs or has gaps: `recorded` of `span` nanoseconds were recorded.
pub(crate) fn describe(mut events: Vec<JvmEvent>, recorded: i64, span: i64) -> Option<String> {
    events.sort_by(|a, b| a.at.cmp(&b.at));
    let mut jvms: Vec<Jvm> = Vec::new();
    for event in events {
        match jvms.iter_mut().rev().find(|jvm| jvm.wrote(&event)) {
            Some(jvm) => {
                jvm.process = jvm.process.take().or(event.process);
                jvm.collectors = jvm.collectors.take().or(event.collectors);
            }
            None => jvms.push(Jvm { from: event.at, process: event.process, collectors: event.collectors }),
        }
    }
    let covered = (recorded < span)
        .then(|| format!("{} of {} were recorded; rates refer to this time", duration(recorded), duration(span)));
    if jvms.len() < 2 {
        return covered;
    }
    let list: Vec<String> = jvms.iter().take(MOST).map(line).collect();
    let more = if jvms.len() > MOST { "; …" } else { "" };
    let covered = covered.map(|text| format!("; {text}")).unwrap_or_default();
    Some(format!("{} JVMs in one file: {}{more}{covered}", jvms.len(), list.join("; ")))
}

/// Maximum JVMs to list.
const MOST: usize = 5;

fn line(jvm: &Jvm) -> String {
    let time = |iso: &str| iso.get(..19).unwrap_or(iso).replace('T', " ");
    let process = jvm.process.as_ref().map(|(pid, start)| format!("pid {pid}, started {}", time(start)));
    let parts: Vec<String> = process.into_iter().chain(jvm.collectors.clone()).collect();
    let what = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("from {} UTC{what}", time(&jvm.from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gc(second: u32, name: &str) -> JvmEvent {
        JvmEvent {
            at: format!("2026-11-26T21:04:{second}.000000000Z"),
            process: None,
            collectors: Some(name.to_owned()),
        }
    }

    fn process(second: u32, pid: &str) -> JvmEvent {
        let start = "2026-11-26T21:00:00.000000000Z".to_owned();
        let at = format!("2026-11-26T21:04:{second}.000000001Z");
        JvmEvent { at, process: Some((pid.to_owned(), start)), collectors: None }
    }

    #[test]
    fn collectors_distinguish_jvms() {
        let text = describe(vec![gc(49, "ParallelOld"), gc(40, "ZGC"), gc(43, "ZGC")], 6_000_000_000, 13_000_000_000);
        assert_eq!(
            text.as_deref(),
            Some(
                "2 JVMs in one file: from 2026-11-26 21:04:40 UTC (ZGC); from 2026-11-26 21:04:49 UTC (ParallelOld); \
                 6.00 s of 13.0 s were recorded; rates refer to this time"
            )
        );
    }

    #[test]
    fn processes_distinguish_jvms_with_the_same_collector() {
        let text =
            describe(vec![gc(10, "G1"), process(10, "7"), gc(20, "G1"), process(20, "8")], 9, 9).unwrap_or_default();
        assert!(
            text.starts_with(
                "2 JVMs in one file: from 2026-11-26 21:04:10 UTC (pid 7, started 2026-11-26 21:00:00, G1); from"
            ),
            "{text}"
        );
        assert!(text.contains("pid 8"), "{text}");
    }

    #[test]
    fn one_jvm_without_gaps_needs_no_note() {
        assert_eq!(describe(vec![gc(10, "G1"), process(10, "7"), gc(20, "G1"), process(20, "7")], 9, 9), None);
        assert_eq!(describe(Vec::new(), 9, 9), None);
        assert!(
            describe(vec![gc(10, "G1")], 1_000_000_000, 9_000_000_000)
                .is_some_and(|text| text.starts_with("1.00 s of 9.00 s"))
        );
    }
}
