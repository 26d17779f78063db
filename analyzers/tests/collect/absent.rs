//! Rule 10: if a profile is missing, the reason is given.

use jfrkit_profile::ProfileType;
use jfrkit_profile::ProfileType::ClassLoad;
use jfrkit_profile::ProfileType::Cpu;
use jfrkit_profile::ProfileType::Lock;
use jfrkit_profile::ProfileType::Native;
use jfrkit_profile::ProfileType::SocketIo;

use crate::read::{profiles, profiles_with, reason};
use crate::writer::{Chunk, N};

#[test]
fn each_reason() {
    let mut chunk = Chunk::new(&[
        "jdk.ClassLoad",
        "jdk.JavaMonitorEnter",
        "jdk.NativeMethodSample",
        "jdk.ThreadSleep",
        "jdk.SocketRead",
    ]);
    chunk.setting("jdk.ClassLoad", "enabled", "false");
    chunk.setting("jdk.JavaMonitorEnter", "enabled", "true").setting("jdk.JavaMonitorEnter", "threshold", "20 ms");
    chunk.setting("jdk.SocketRead", "enabled", "true").setting("jdk.SocketRead", "threshold", "0 ns");
    chunk.event("jdk.ThreadSleep", &[]);
    let set = profiles(&[&chunk]);
    let expected = [
        (
            ClassLoad,
            "disabled in the recording's settings: jdk.ClassLoad; enable it with: jcmd PID JFR.start settings=profile \
             jdk.ClassLoad#enabled=true filename=recording.jfr",
        ),
        (
            Lock,
            "enabled, but no jdk.JavaMonitorEnter events were recorded; \
             shorter ones are hidden by the threshold: jdk.JavaMonitorEnter of 20 ms",
        ),
        (SocketIo, "enabled, but no jdk.SocketRead events were recorded"),
        (Native, "no jdk.NativeMethodSample events, and the recording does not show whether they were enabled"),
    ];
    for (kind, text) in expected {
        assert_eq!(reason(&set, kind), text, "{kind}");
    }
    assert!(reason(&set, Cpu).starts_with("this JVM does not define "), "{}", reason(&set, Cpu));
}

#[test]
fn every_type_is_present_or_absent() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep"]);
    chunk.event("jdk.ThreadSleep", &[]);
    let set = profiles(&[&chunk]);
    assert_eq!(set.profiles.len() + set.absent.len(), ProfileType::ALL.len());
    for kind in ProfileType::ALL {
        assert_ne!(set.get(*kind).is_some(), set.absent.iter().any(|a| a.kind == *kind), "{kind}");
    }
}

#[test]
fn enabled_in_one_chunk_is_not_disabled() {
    let mut off = Chunk::new(&["jdk.ClassLoad"]);
    off.setting("jdk.ClassLoad", "enabled", "false");
    let mut on = Chunk::new(&["jdk.ClassLoad"]).later(1_000_000_000);
    on.setting("jdk.ClassLoad", "enabled", "true");
    assert_eq!(reason(&profiles(&[&off, &on]), ClassLoad), "enabled, but no jdk.ClassLoad events were recorded");
}

#[test]
fn filtered_events_do_not_count_as_missing() {
    let mut chunk = Chunk::new(&["jdk.JavaMonitorEnter"]);
    chunk.event("jdk.JavaMonitorEnter", &[("duration", N(5))]);
    let mut options = jfr_analyzers::Options::default();
    options.filter.include = Some(regex::Regex::new("nowhere").unwrap());
    let set = profiles_with(&[&chunk], &options);
    assert!(
        reason(&set, Lock).contains("filters exclude all events of jdk.JavaMonitorEnter"),
        "{}",
        reason(&set, Lock)
    );
}
