//! `jfrkit metrics` as run by users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{arguments, fixture, jfrkit, said};
use serde_json::Value;

fn run(args: &[std::ffi::OsString]) -> String {
    let output = jfrkit(args).output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_line_for_each_measure_and_reasons_for_the_others() {
    let text = run(&arguments!("metrics", fixture("metrics/g1-tlab.jfr.gz")));
    assert!(text.lines().any(|line| line.starts_with("cpu.cores ") && line.contains(" cores ")), "{text}");
    let unknown: Vec<&str> = text.split("\nNot known:\n").nth(1).unwrap().lines().collect();
    assert!(unknown.iter().any(|line| line.starts_with("rss ") && line.contains("jdk.ResidentSetSize")), "{text}");
    let verbose = run(&arguments!("metrics", "-v", fixture("metrics/g1-tlab.jfr.gz")));
    assert!(verbose.contains("mean of jvmUser + jvmSystem"), "{verbose}");
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
    let output = jfrkit(&arguments!("metrics", "--step", "soon", fixture("metrics/g1-tlab.jfr.gz"))).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
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
    let file = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo").join(name);
    let json = run(&arguments!("metrics", "--format", "json", file("python.pprof.zst"), file("go-cpu.pprof.gz")));
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
    let text = run(&arguments!("metrics", file("go-cpu.pprof.gz")));
    assert!(text.contains("\ngoroutines  the profile has no goroutine"), "{text}");
    assert!(!text.contains("one point every"), "{text}");
}
