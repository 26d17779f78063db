//! Rule 7: what a profile reveals about the recording, and what it does not.

use jfrkit_profile::ProfileType::Sleep;

use crate::read::{comments, profiles};
use crate::writer::{Chunk, N, T};

/// A chunk of a program that was started with secrets.
fn chunk(version: &str, arguments: &str) -> Chunk {
    let mut chunk = Chunk::new(&["jdk.JVMInformation", "jdk.InitialEnvironmentVariable", "jdk.ThreadSleep"]);
    let jvm = [("jvmName", T("Some VM")), ("jvmVersion", T(version)), ("javaArguments", T(arguments))];
    chunk.event("jdk.JVMInformation", &jvm);
    for (key, value) in [("DB_PASSWORD", "hunter2"), ("HOSTNAME", "node-7"), ("API_TOKEN", "0123")] {
        chunk.event("jdk.InitialEnvironmentVariable", &[("key", T(key)), ("value", T(value))]);
    }
    chunk.event("jdk.ThreadSleep", &[("duration", N(1))]);
    chunk
}

#[test]
fn comments_name_jvm_program_and_host_but_no_secrets() {
    let long = "OpenJDK 64-Bit Server VM (17.0.15+6) for linux-amd64 JRE (17.0.15+6), built on May  1 2025";
    let chunk = chunk(long, "/opt/app/server.jar --password=hunter2 node-8");
    let set = profiles(&[&chunk]);
    let expected = format!(
        "made by jfrkit {}\njvm: Some VM 17.0.15+6\nmain: server.jar\nhost: node-7\n\
         source: jdk.ThreadSleep, 1 event\n1 of 1 samples have no stack trace",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(comments(&set, Sleep), expected);
    let profile = set.get(Sleep).unwrap();
    assert_eq!(profile.main.as_deref(), Some("server.jar"));
    assert_eq!((profile.time_nanos, profile.duration_nanos), (chunk.chunk.start_nanos, 1_000_000_000));
    assert_eq!(profile.period, None);
}

#[test]
fn each_jvm_of_a_recording_is_named_once() {
    let first = chunk("8", "a.Main x");
    let again = chunk("8", "a.Main x").later(1_000_000_000);
    let other = chunk("25", "a.Other").later(2_000_000_000);
    let set = profiles(&[&first, &again, &other]);
    let comments = comments(&set, Sleep);
    let jvms: Vec<&str> = comments.lines().filter(|l| l.starts_with("jvm: ") || l.starts_with("main: ")).collect();
    assert_eq!(jvms, ["jvm: Some VM 8", "main: a.Main", "jvm: Some VM 25", "main: a.Other"]);
    assert_eq!(set.get(Sleep).unwrap().main.as_deref(), Some("a.Main"));
}

#[test]
fn thresholds_and_throttles_are_in_the_comments() {
    let mut chunk = chunk("25", "a.Main");
    chunk.setting("jdk.ThreadSleep", "threshold", "20 ms").setting("jdk.ThreadSleep", "throttle", "300/s");
    let told = comments(&profiles(&[&chunk]), Sleep);
    assert!(told.contains("threshold of jdk.ThreadSleep: 20 ms"), "{told}");
    assert!(told.contains("throttle of jdk.ThreadSleep: 300/s"), "{told}");
    chunk.setting("jdk.ThreadSleep", "threshold", "0 ns").setting("jdk.ThreadSleep", "throttle", "off");
    let told = comments(&profiles(&[&chunk]), Sleep);
    assert!(!told.contains("threshold") && !told.contains("throttle"), "{told}");
}
