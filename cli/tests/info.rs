//! `jfrkit info` and `jfrkit summary` as run by users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{arguments, fixture, jfrkit, run, said, shown};
use insta::assert_snapshot;
use serde_json::Value;

fn info(args: &[std::ffi::OsString]) -> String {
    let output = jfrkit(args).output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The entries of a section, by name.
fn section(runtime: &Value, name: &str) -> Vec<(String, String)> {
    let section = runtime["sections"].as_array().unwrap().iter().find(|section| section["name"] == name).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    section["entries"].as_array().unwrap().iter().map(|e| (text(&e["name"]), text(&e["value"]))).collect()
}

#[test]
fn every_section_is_there() {
    let text = info(&arguments!("info", fixture("jdk17-full.jfr")));
    let lines: Vec<&str> = text.lines().collect();
    let headings: Vec<&str> = lines.windows(2).filter(|pair| pair[1].starts_with("---")).map(|pair| pair[0]).collect();
    assert_snapshot!(headings.join("\n"), @r"
    Process
    JVM
    Operating system
    CPU
    Container
    Memory
    Collector and heap
    Flags that differ from the defaults
    Arguments
    Agents
    Profiler
    Settings of the recording, by event
    What the recording cannot show, and how to enable it
    System properties
    Environment
    Modules
    All flags, with their origin
    ");
    let runtime: Value =
        serde_json::from_str(&info(&arguments!("info", "--format", "json", fixture("jdk17-full.jfr")))).unwrap();
    let heap = section(&runtime, "heap");
    assert!(heap.contains(&("Young Garbage Collector".into(), "G1New".into())), "{heap:?}");
    let settings = section(&runtime, "settings");
    let load = settings.iter().find(|(name, _)| name == "jdk.CPULoad").unwrap();
    assert_snapshot!(load.1, @"on, period 1 s");
    // This recording has the flags.
    let profile = fixture("jdk17-profile.jfr.gz");
    let flags: Value = serde_json::from_str(&info(&arguments!("info", "--format", "json", profile))).unwrap();
    let (all, changed) = (section(&flags, "flags"), section(&flags, "flags-changed"));
    assert!(all.len() > 500 && !changed.is_empty() && changed.len() < 100, "{} {}", all.len(), changed.len());
    assert!(changed.iter().all(|flag| all.contains(flag)));
    assert_eq!(runtime["overview"].as_array().unwrap().len(), 10);
}

#[test]
fn secrets_are_hidden_unless_they_are_asked_for() {
    let file = fixture("scenarios/secrets.jfr.gz");
    for format in ["text", "json"] {
        let hidden = info(&arguments!("info", "--format", format, &file));
        assert!(!hidden.contains("made-up"), "{format}");
        assert!(hidden.contains("••••") && hidden.contains("DB_PASSWORD"), "{format}");
        let shown = info(&arguments!("info", "--format", format, "--show-secrets", &file));
        assert!(shown.contains("made-up"), "{format}");
    }
    assert!(!info(&arguments!("summary", &file)).contains("made-up"));
}

#[test]
fn a_value_that_changed_has_its_earlier_ones() {
    // Two JVMs in sequence.
    let directory = tempfile::tempdir().unwrap();
    let joined = directory.path().join("joined.jfr");
    let bytes = ["jdk17-full.jfr", "jdk17-multichunk.jfr"].map(|name| std::fs::read(fixture(name)).unwrap()).concat();
    std::fs::write(&joined, bytes).unwrap();
    let of = |file: &std::ffi::OsStr| -> Value {
        let runtime: Value = serde_json::from_str(&info(&arguments!("info", "--format", "json", file))).unwrap();
        let process =
            runtime["sections"].as_array().unwrap().iter().find(|section| section["name"] == "process").unwrap();
        process["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == "PID").unwrap().clone()
    };
    let (first, second) = (of(fixture("jdk17-full.jfr").as_os_str()), of(fixture("jdk17-multichunk.jfr").as_os_str()));
    let both = of(joined.as_os_str());
    assert_eq!(both["value"], second["value"]);
    assert_eq!(both["earlier"], serde_json::json!([first["value"]]));
}

#[test]
fn sections_by_name() {
    assert_snapshot!(shown(&run!("info", "--section", "cpu,memory", fixture("jdk17-full.jfr"))), @r"
    CPU
    ---
    CPU               Intel (null) SSE SSE2 SSE3 SSSE3 SSE4.1 SSE4.2 Core Intel64
    Sockets           1
    Cores             2
    Hardware threads  2
    Description       Brand: Intel(R) Xeon(R) Processor, Vendor: GenuineIntel
                      Family: <unknown> (0x6), Model: <unknown> (0xa7), Stepping: 0x1
                      Ext. family: 0x0, Ext. model: 0xa, Type: 0x0, Signature: 0x000a0671
                      Features: ebx: 0x01020800, ecx: 0xfffa3203, edx: 0x1f8bfbff
                      Ext. features: eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000121, edx: 0x2c100800
                      Supports: On-Chip FPU, Virtual Mode Extensions, Debugging Extensions, Page Size Extensions, Time Stamp Counter, Model Specific Registers, Physical Address Extension, Machine Check Exceptions, CMPXCHG8B Instruction, On-Chip APIC, Fast System Call, Memory Type Range Registers, Page Global Enable, Machine Check Architecture, Conditional Mov Instruction, Page Attribute Table, 36-bit Page Size Extension, CLFLUSH Instruction, Intel Architecture MMX Technology, Fast Float Point Save and Restore, Streaming SIMD extensions, Streaming SIMD extensions 2, Self-Snoop, Hyper Threading, Streaming SIMD Extensions 3, PCLMULQDQ, Supplemental Streaming SIMD Extensions 3, Fused Multiply-Add, CMPXCHG16B, Process-context identifiers, Streaming SIMD extensions 4.1, Streaming SIMD extensions 4.2, x2APIC, MOVBE, Popcount instruction, TSC-Deadline, AESNI, XSAVE, OSXSAVE, AVX, F16C, LAHF/SAHF instruction support, Advanced Bit Manipulations: LZCNT, SYSCALL/SYSRET, Execute Disable Bit, RDTSCP, Intel 64 Architecture, Invariant TSC

    Memory
    ------
    Physical memory  23.5 GiB
    In use           1.3 GiB  (before: 1.29 GiB)
    ");
    assert_snapshot!(shown(&run!("info", "--section", "nothing", fixture("jdk17-full.jfr"))), @r#"
    jfrkit: error: no such section: "nothing"; expected one of process, jvm, os, cpu, container, memory, heap, flags-changed, arguments, agents, profiler, settings, missing, properties, environment, modules, flags
    exit status 2
    "#);
}

#[test]
fn a_summary_is_ten_lines_and_the_rest_with_v() {
    let file = fixture("jdk17-full.jfr");
    let short = info(&arguments!("summary", &file));
    assert_eq!(short.lines().count(), 11);
    let long = info(&arguments!("summary", "-v", &file));
    let rest = long.strip_prefix(&short).unwrap();
    assert_snapshot!(rest.lines().take(6).collect::<Vec<_>>().join("\n"), @r"
    Chunk  Version  Writer                Size        Events  Start                               Duration  Remarks
        0  2.1      HotSpot            537 KiB         7,043  2026-11-23T11:34:44.455510092Z        10.4 s

    Event type                                Count     share        Size     share
    jdk.ExecutionSample                       2,099    29.8 %    22.5 KiB    15.9 %
    ");
}
