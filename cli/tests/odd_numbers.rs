//! Recordings with impossible numbers: loads that are NaN, statistics that shrink, sums that overflow 64 bits. Commands still print
//! finite numbers, and no share exceeds 100 %.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};

use common::{arguments, jfrkit, said};
use jfr_parse::testing::{ChunkWriter, Class, DATA_AMOUNT, FLOAT, Field, LONG, Payload, TIMESPAN, TIMESTAMP};
use serde_json::Value;

const LOAD: u64 = 100;
const ALLOCATION: u64 = 101;
const EXCEPTIONS: u64 = 102;
const COLLECTION: u64 = 103;
const READ: u64 = 104;
const MEMORY: u64 = 105;
const ALLOCATED: u64 = 106;
const PROCESSOR: u64 = 107;

const MILLI: i64 = 1_000_000;

fn bytes(name: &str) -> Field {
    Field::new(name, LONG).annotated(DATA_AMOUNT, "BYTES")
}

fn length(name: &str) -> Field {
    Field::new(name, LONG).annotated(TIMESPAN, "TICKS")
}

fn event(id: u64, name: &str, fields: Vec<Field>) -> Class {
    let start = Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS");
    fields.into_iter().fold(Class::event(id, name).field(start), Class::field)
}

/// A second with events every 100 ms.
fn recording(folder: &Path) -> PathBuf {
    let mut chunk = ChunkWriter::new();
    (chunk.start_nanos, chunk.start_ticks, chunk.duration_nanos) = (0, 0, 1_000_000_000);
    let float = |name| Field::new(name, FLOAT);
    let long = |name| Field::new(name, LONG);
    chunk.metadata(&[
        event(LOAD, "jdk.CPULoad", vec![float("jvmUser"), float("jvmSystem"), float("machineTotal")]),
        event(ALLOCATION, "jdk.ObjectAllocationSample", vec![bytes("weight")]),
        event(EXCEPTIONS, "jdk.ExceptionStatistics", vec![long("throwables")]),
        event(
            COLLECTION,
            "jdk.GarbageCollection",
            vec![length("duration"), long("gcId"), length("sumOfPauses"), length("longestPause")],
        ),
        event(READ, "jdk.FileRead", vec![length("duration"), bytes("bytesRead")]),
        event(MEMORY, "jdk.PhysicalMemory", vec![bytes("totalSize"), bytes("usedSize")]),
        event(ALLOCATED, "jdk.ThreadAllocationStatistics", vec![bytes("allocated")]),
        event(PROCESSOR, "jdk.CPUInformation", vec![long("cores"), long("hwThreads")]),
    ]);
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, f32::MAX, 0.5, 2.0, f32::NAN, 0.25];
    let counts = [100, 50, i64::MAX, -1, i64::MIN, 7, 0, i64::MAX, i64::MAX];
    let systems = odd.into_iter().cycle().skip(4);
    for (n, ((load, system), count)) in (1i64..).zip(odd.into_iter().zip(systems).zip(counts)) {
        let at = || Payload::new().long(n * 100 * MILLI);
        chunk.event(LOAD, &at().float(load).float(system).float(load));
        chunk.event(ALLOCATION, &at().long(count));
        chunk.event(EXCEPTIONS, &at().long(count));
        chunk.event(COLLECTION, &at().long(count).long(n).long(i64::MAX).long(count));
        chunk.event(READ, &at().long(i64::MAX).long(i64::MAX));
        chunk.event(MEMORY, &at().long(count).long(i64::MAX));
        chunk.event(ALLOCATED, &at().long(count));
        chunk.event(PROCESSOR, &at().long(count).long(count));
    }
    let path = folder.join("odd.jfr");
    std::fs::write(&path, chunk.finish()).unwrap();
    path
}

/// Standard output of a command that succeeds and prints neither NaN nor infinity.
fn run(args: &[std::ffi::OsString]) -> String {
    let output = jfrkit(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {:?} {:?}", output.status, said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    assert!(!words.any(|word| ["NaN", "inf"].contains(&word)), "{args:?}: {text}");
    text
}

#[test]
fn no_command_prints_nan_or_infinity() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path());
    run(&arguments!("summary", "-v", &file));
    run(&arguments!("info", &file));
    run(&arguments!("metrics", "-v", &file));
    run(&arguments!("metrics", "--format", "openmetrics", &file));
    run(&arguments!("analyze", "-v", &file));
    run(&arguments!("analyze", "--format", "markdown", &file));
    run(&arguments!("top", "--type", "alloc", &file));
    run(&arguments!("convert", "-o", folder.path(), &file));
    run(&arguments!("view", "gc-pauses", "gc", "file-reads-by-path", &file));
    let metrics: Value = serde_json::from_str(&run(&arguments!("metrics", "--format", "json", &file))).unwrap();
    for metric in metrics["metrics"].as_array().unwrap() {
        let value = metric["value"].as_f64();
        assert!(value.is_none_or(|value| value.is_finite() && value >= 0.0), "{metric}");
        if metric["unit"] == "ratio" {
            assert!(value.is_none_or(|value| value <= 1.0), "{metric}");
        }
    }
}

#[test]
fn no_share_is_more_than_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path());
    for options in [&[][..], &["--from", "+250ms", "--to", "+650ms"]] {
        let mut args = arguments!("analyze", "--format", "json", &file).to_vec();
        args.extend(options.iter().map(Into::into));
        let report: Value = serde_json::from_str(&run(&args)).unwrap();
        for finding in report["findings"].as_array().unwrap() {
            let share = finding["cost"]["share"].as_f64();
            assert!(share.is_none_or(|share| (0.0..=1.0).contains(&share)), "{finding}");
        }
    }
}

#[test]
fn sums_stop_at_the_largest_number() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path());
    let top: Value =
        serde_json::from_str(&run(&arguments!("top", "--type", "alloc", "--format", "json", &file))).unwrap();
    assert_eq!(top["totals"].as_array().unwrap().last().unwrap().as_i64(), Some(i64::MAX), "{top}");
}
