//! `jfrkit metrics` as run by users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{arguments, demo, fixture, jfrkit, said, shown};
use insta::assert_snapshot;
use serde_json::Value;

fn run(args: &[std::ffi::OsString]) -> String {
    let output = jfrkit(args).output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_line_for_each_measure_and_reasons_for_the_others() {
    assert_snapshot!(shown(&common::run!("metrics", fixture("metrics/g1-tlab.jfr.gz"))), @r"
    31.3 s from 2026-11-27 00:33:05 UTC, one point every 500 ms

    cpu.cores               0.21 cores   ▁ ▆█ ▇▆ ▇ ▆▆ ▆▄ ▅ ▆▄ ▄▄ ▄▅ ▅ ▅▅ ▄▄ ▃ ▄▄ ▄▄ ▃ ▄▄ ▄  0 cores – 0.4 cores
    cpu.machine                 95.4 %   ▁ ▇▇ ██ █ ██ ██ █ ██ ██ ██ █ ██ ██ █ ██ ██ █ ██ █  0 % – 100 %
    alloc.rate              52.8 MiB/s  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▆▇▇▇▇▇▇▇▇▆▇▇▇▆▇▇▇▇▆▇▇▇▆▇▇▇▆█  43 MiB/s – 61.2 MiB/s
    gc.pause.share              0.27 %  ▅▅▁▇▁▅▁▁▅▁▁▁▁█▁▁▁▆▁▁▁▃▁▁▁▃▁▁▁▁▄▁▁▁▃▁▁▁▃▁▁▁▃▁▁▁▃▁▁▁  0 % – 2.42 %
    gc.pause.max               12.1 ms
    gc.count                  26.9/min  ██▁█▁█▁▁█▁▁▁▁█▁▁▁█▁▁▁█▁▁▁█▁▁▁▁█▁▁▁█▁▁▁█▁▁▁█▁▁▁█▁▁▁  0/min – 120/min
    heap.after_gc             65.2 MiB  ▂▃ ▄ ▄  ▅    ▅   ▆   ▆   ▆    ▇   ▇   ▇   █   █     13.2 MiB – 65.2 MiB
    heap.committed             256 MiB  ██ █ █  █    █   █   █   █    █   █   █   █   █     256 MiB – 256 MiB
    metaspace.used            3.42 MiB  ██ █ █  █    █   █   █   █    █   █   █   █   █     3.4 MiB – 3.42 MiB
    threads                         11   █ ██ ██ █ ██ ██ █ ██ ██ ██ █ ██ ██ █ ██ ██ █ ██ █  11 – 11
    threads.started                1/s     ██ ██ █ ██ ██ █ ██ ██ ██ █ ██ ██ █ ██ ██ █ ██ █  0.98/s – 1/s
    exceptions                  0.18/s   █ ▁▁ ▁▁ ▁ ▁▁ ▁▁ ▁ ▁▁ ▁▁ ▁▁ ▁ ▁▁ ▁▁ ▁ ▁▁ ▁▁ ▁ ▁▁ ▁  0/s – 2.27/s
    classes.loaded               1,406   █ ██ ██ █ ██ ██ █ ██ ██ ██ █ ██ ██ █ ██ ██ █ ██ █  1,404 – 1,406
    compile.time            0.0005 s/s     ▁▅ ▁▂ ▁ ▁▂ ▁▁ ▃ ▁▁ ▁▁ ▁▁ ▁ ▁█ ▁▁ ▁ ▁▂ ▁▁ ▂ ▁▁ ▁  0 s/s – 0.01 s/s
    safepoint.share            ≥ 0.3 %  █▄▁▆▁▄▁▁▅▁▁▁▁▇▁▁▁▅▁▁▁▃▁▁▁▃▁▁▁▁▃▁▁▁▃▁▁▁▃▁▁▁▃▁▁▁▃▁▁▁  0 % – 3 %
    context_switches           1,597/s         ▃       █       ▇       ▅       ▇       ▇    512/s – 2,176/s
    upload.bytes               189 KiB

    Not known:
    rss          no jdk.ResidentSetSize: the JVM or the profiler does not record it
    lock.wait    jdk.JavaMonitorEnter is not recorded: jdk.JavaMonitorEnter#enabled=true
    file.time    jdk.FileRead, jdk.FileWrite, jdk.FileForce are not recorded: jdk.FileRead#enabled=true
    socket.time  jdk.SocketRead, jdk.SocketWrite are not recorded: jdk.SocketRead#enabled=true
    native.time  jdk.NativeMethodSample is not recorded: jdk.NativeMethodSample#enabled=true
    ");
    let verbose = run(&arguments!("metrics", "-v", fixture("metrics/g1-tlab.jfr.gz")));
    assert_snapshot!(verbose.lines().take(6).collect::<Vec<_>>().join("\n"), @r"
    31.3 s from 2026-11-27 00:33:05 UTC, one point every 500 ms

    cpu.cores               0.21 cores   ▁ ▆█ ▇▆ ▇ ▆▆ ▆▄ ▅ ▆▄ ▄▄ ▄▅ ▅ ▅▅ ▄▄ ▃ ▄▄ ▄▄ ▃ ▄▄ ▄  0 cores – 0.4 cores
                        time-weighted mean of jvmUser + jvmSystem in 31 jdk.CPULoad samples × 2 processors (jdk.CPUInformation)
    cpu.machine                 95.4 %   ▁ ▇▇ ██ █ ██ ██ █ ██ ██ ██ █ ██ ██ █ ██ ██ █ ██ █  0 % – 100 %
                        time-weighted mean of machineTotal of jdk.CPULoad
    ");
}

#[test]
fn steps_are_as_long_as_asked_for() {
    let json = run(&arguments!("metrics", "--step", "2s", "--format", "json", fixture("metrics/g1-tlab.jfr.gz")));
    let metrics: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(metrics["step_nanos"], 2_000_000_000i64);
    let rate = metrics["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == "alloc.rate").unwrap();
    let times: Vec<i64> = rate["points"].as_array().unwrap().iter().map(|point| point[0].as_i64().unwrap()).collect();
    assert!(times.len() >= 15 && times.windows(2).all(|pair| pair[1] - pair[0] == 2_000), "{times:?}");
    let csv = run(&arguments!("metrics", "--step", "2s", "--format", "csv", fixture("metrics/g1-tlab.jfr.gz")));
    assert!(csv.starts_with("time,metric,unit,min,mean,max\n"));
    assert_eq!(csv.lines().filter(|line| line.contains(",alloc.rate,bytes_per_second,")).count(), times.len());
    assert_snapshot!(shown(&common::run!("metrics", "--step", "soon", fixture("metrics/g1-tlab.jfr.gz"))), @r"
    jfrkit: error: invalid value 'soon' for '--step <TIME>': expected a time such as 1s or 100ms; see --help
    exit status 2
    ");
}

#[test]
fn openmetrics_has_all_inputs() {
    let files = [fixture("metrics/g1-tlab.jfr.gz"), fixture("jdk17-full.jfr")];
    let text = run(&arguments!("metrics", "--format", "openmetrics", &files[0], &files[1]));
    assert_eq!(text.matches("# TYPE jfr_cpu_cores gauge").count(), 1);
    for file in files {
        assert!(text.contains(&format!("jfr_cpu_cores{{file=\"{}\"}}", file.display())), "{}", file.display());
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn profiles_of_other_languages_have_values_for_their_whole_length() {
    let json = run(&arguments!("metrics", "--format", "json", demo("python.pprof.zst"), demo("go-cpu.pprof.gz")));
    let all: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let value = |of: &Value, name: &str| {
        let metrics = of["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == name).map(|metric| metric["value"].clone())
    };
    for of in &all {
        let cores = value(of, "cpu.cores").unwrap().as_f64().unwrap();
        let top = jfrkit(&arguments!("top", "--type", "cpu", "--format", "json", of["file"].as_str().unwrap()));
        let top: Value = serde_json::from_slice(&{ top }.output().unwrap().stdout).unwrap();
        let total = top["totals"].as_array().map_or(&top["total"], |totals| totals.last().unwrap()).as_f64().unwrap();
        let nanos = (of["end_nanos"].as_i64().unwrap() - of["start_nanos"].as_i64().unwrap()) as f64;
        assert!((cores - total / nanos).abs() < 1e-9, "{cores} {total} {nanos}");
    }
    // Python has wall-clock time, Go counts goroutines; a metric that the file does not contain has a reason.
    assert!(value(&all[0], "wall").unwrap().is_number() && value(&all[1], "wall").is_none());
    assert_eq!(value(&all[1], "goroutines"), Some(Value::Null));
    assert_snapshot!(shown(&common::run!("metrics", demo("go-cpu.pprof.gz"))), @r"
    8.04 s from 2026-11-27 01:39:56 UTC

    cpu.cores        0.19 cores

    Not known:
    alloc.rate  the profile has no alloc_space
    heap.live   the profile has no inuse_space
    goroutines  the profile has no goroutine and no goroutines
    ");
}
