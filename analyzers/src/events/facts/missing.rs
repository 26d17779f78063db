//! Why a rule does not apply: which events are missing, and how to enable them.

use super::{Facts, Presence};
use crate::events::names::Names;
use crate::events::needs::Level;
use crate::profiles::execution::is_async_profiler;
use crate::recorder::Recorder;

/// Events that JDK 8 does not have, and the first long-term support release of the JDK that has them. Names
/// without `jdk.`.
///
/// Source: the metadata of JDK 8, 11, 17, 21, 25 and 26.
const SINCE: &[(u32, &[&str])] = &[
    (
        11,
        &[
            "Deserialization",
            "SecurityPropertyModification",
            "SecurityProviderService",
            "TLSHandshake",
            "X509Certificate",
        ],
    ),
    (
        17,
        &[
            "ContainerCPUThrottling",
            "ContainerCPUUsage",
            "ContainerConfiguration",
            "ContainerMemoryUsage",
            "Deoptimization",
            "DirectBufferStatistics",
            "GCCPUTime",
            "HeapDump",
            "JITRestart",
            "ObjectAllocationSample",
            "ProcessStart",
            "SyncOnValueBasedClass",
            "SystemGC",
            "ZAllocationStall",
        ],
    ),
    (
        21,
        &[
            "FinalizerStatistics",
            "JavaAgent",
            "NativeAgent",
            "NativeMemoryUsage",
            "NativeMemoryUsageTotal",
            "ResidentSetSize",
            "VirtualThreadEnd",
            "VirtualThreadPinned",
            "VirtualThreadStart",
            "VirtualThreadSubmitFailed",
        ],
    ),
    (
        25,
        &[
            "CPUTimeSample",
            "CPUTimeSamplesLost",
            "CompilerQueueUtilization",
            "DeprecatedInvocation",
            "JavaMonitorStatistics",
            "MethodTiming",
            "MethodTrace",
            "NativeLibraryLoad",
            "SafepointLatency",
            "SerializationMisdeclaration",
        ],
    ),
    (26, &["FinalFieldMutation"]),
];

/// The first JDK that has an event; `None` for events of JDK 8, and for those that are not from the JDK.
fn since(event: &str) -> Option<u32> {
    let name = event.strip_prefix("jdk.")?;
    SINCE.iter().find(|(_, events)| events.contains(&name)).map(|(version, _)| *version)
}

impl Facts {
    /// The command that records events of this type, for the recorder that made this recording, ready to paste.
    #[must_use]
    pub fn switch_on(&self, event: &str) -> String {
        let jvm = self.jvm();
        let names = self.table("jdk.ActiveRecording").texts("name");
        let program = jvm.java_arguments.as_deref().and_then(|a| a.split_whitespace().next());
        let recorder = Recorder {
            is_async_profiler: is_async_profiler(names),
            jdk: jvm.specification,
            // A JAR is matched by its file name, without the directories.
            program: program.map(|word| word.rsplit(['/', '\\']).next().unwrap_or(word)),
        };
        recorder.command(event)
    }

    /// Why a rule that needs an event type at this level does not apply; `None` if it does.
    #[must_use]
    pub fn missing(&self, name: &str, level: Level, as_jmc: bool) -> Option<String> {
        let presence = if as_jmc { self.jmc_presence(name) } else { self.presence(name) };
        let enough = match level {
            Level::Available => Presence::Available,
            Level::Enabled => Presence::Enabled,
        };
        if presence >= enough {
            return None;
        }
        Some(match self.presence(name) {
            Presence::Unknown => self.unknown(name),
            Presence::Disabled => {
                format!("{name} is disabled in the recording's settings; enable it with: {}", self.switch_on(name))
            }
            Presence::Declared => format!(
                "no {name} events, and the recording does not show whether they were enabled; enable them with: {}",
                self.switch_on(name)
            ),
            Presence::Enabled | Presence::Available if level == Level::Available => {
                let threshold = self.setting(name, "threshold").filter(|t| !t.starts_with("0 "));
                let above = threshold.map(|t| format!(" above its threshold of {t}")).unwrap_or_default();
                format!("{name} was enabled, but no events were recorded{above}")
            }
            // Only reached with JMC's way of counting settings.
            Presence::Enabled | Presence::Available => {
                format!("no {name} events, and settings that are repeated in several chunks do not count as enabled")
            }
        })
    }

    /// Why a rule that needs one of several event types does not apply; `None` if one is available. The reason
    /// is that of the type closest to being available.
    #[must_use]
    pub fn missing_all(&self, names: impl Into<Names>, level: Level) -> Option<String> {
        let names = names.into();
        let reasons: Option<Vec<(Presence, String)>> =
            names.iter().map(|name| Some((self.presence(name), self.missing(name, level, false)?))).collect();
        let mut reasons = reasons?;
        // Among equals, the one that the rule names first.
        reasons.reverse();
        let (_, nearest) = reasons.into_iter().max_by_key(|(presence, _)| *presence)?;
        Some(match names.len() {
            0 | 1 => nearest,
            2 => format!("neither {} is available: {nearest}", names.join(" nor ")),
            _ => format!("none of {} is available: {nearest}", names.join(", ")),
        })
    }

    fn unknown(&self, name: &str) -> String {
        let running = self.jvm().specification.or_else(|| self.jvm().version.as_ref().map(|v| v.major));
        match (since(name), running) {
            (Some(since), Some(running)) if running < since => {
                format!("{name} needs JDK {since} or later; this recording is from JDK {running}")
            }
            (Some(since), None) => format!("the recording does not define {name}, which needs JDK {since} or later"),
            (_, Some(_)) if name.starts_with("jdk.") => format!(
                "the recording does not define {name}; the tool that made it does not emit this event. Try the JDK's own \
                 recorder (-XX:StartFlightRecording)"
            ),
            _ => format!("the recording does not define {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::events::Needs;
    use crate::rule::{Rule, RuleInfo, Settings, Verdict};
    use crate::testing::Scene;

    struct Asks(&'static [&'static str]);

    impl Rule for Asks {
        fn info(&self) -> RuleInfo {
            RuleInfo::own("Asks")
        }
        fn needs(&self) -> Needs {
            Needs::new()
        }
        fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
            match facts.missing_all(self.0, Level::Available) {
                Some(because) => Verdict::not_applicable(because),
                None => Verdict::ok("there"),
            }
        }
    }

    fn reason(scene: &Scene, events: &'static [&'static str]) -> String {
        scene.judge(&Asks(events)).not_applicable_because.unwrap()
    }

    #[test]
    fn the_reason_includes_a_remedy() {
        let jdk17 = Scene::new().event(
            "jdk.JVMInformation",
            0,
            0,
            [("jvmVersion", "OpenJDK 64-Bit Server VM (17.0.15+6) for linux-amd64 JRE (17.0.15+6)".into())],
        );
        let old = reason(&jdk17, &["jdk.VirtualThreadPinned"]);
        assert_eq!(old, "jdk.VirtualThreadPinned needs JDK 21 or later; this recording is from JDK 17");
        assert!(reason(&jdk17, &["jdk.FileRead"]).contains("-XX:StartFlightRecording"));
        let off = Scene::new().setting("jdk.FileRead", "enabled", "false");
        assert!(
            reason(&off, &["jdk.FileRead"])
                .ends_with("JFR.start settings=profile jdk.FileRead#enabled=true filename=recording.jfr")
        );
        let on = Scene::new().enabled("jdk.FileRead").setting("jdk.FileRead", "threshold", "20 ms");
        assert!(reason(&on, &["jdk.FileRead"]).ends_with("no events were recorded above its threshold of 20 ms"));
    }

    #[test]
    fn the_nearest_of_several_reasons_is_given() {
        let scene = Scene::new().setting("jdk.FileWrite", "enabled", "false").enabled("jdk.FileForce");
        let because = reason(&scene, &["jdk.FileRead", "jdk.FileWrite", "jdk.FileForce"]);
        assert!(because.starts_with("none of jdk.FileRead, jdk.FileWrite, jdk.FileForce is available: "), "{because}");
        assert!(because.contains("jdk.FileForce was enabled, but"), "{because}");
        let there = scene.event("jdk.FileRead", 0, 1, []);
        assert_eq!(there.judge(&Asks(&["jdk.FileWrite", "jdk.FileRead"])).not_applicable_because, None);
    }
}
