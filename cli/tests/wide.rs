//! Names in Chinese and Japanese take up two columns of a terminal per character. Tables stay aligned.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{run, shown};
use insta::assert_snapshot;
use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, STRING, TIMESTAMP};
use jfrkit_profile::any::{AnyFunction, AnyProfile, Line, Location, SampleType};

/// A recording with two event types, one of them with a Chinese name.
fn recording() -> (tempfile::TempDir, std::path::PathBuf) {
    let mut chunk = ChunkWriter::new();
    (chunk.start_nanos, chunk.start_ticks, chunk.duration_nanos) = (0, 0, 40_000_000);
    let event = |id, name| {
        let start = Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS");
        Class::event(id, name).field(start).field(Field::new("who", STRING)).field(Field::new("n", LONG))
    };
    chunk.metadata(&[event(100, "商店.读取顧客数据"), event(101, "shop.Read")]);
    for (n, who) in (1..).zip(["顧客管理システム担当者", "customer", "ｶﾅ"]) {
        chunk.event(100, &Payload::new().long(n * 10_000_000).utf8(who).long(n));
        chunk.event(101, &Payload::new().long(n * 10_000_000).utf8(who).long(n * 1_000));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.jfr");
    std::fs::write(&path, chunk.finish()).unwrap();
    (folder, path)
}

#[test]
fn summary_aligns_them() {
    let (_folder, file) = recording();
    assert_snapshot!(shown(&run!("summary", "-v", &file)), @r"
    File:       TEMP/wide.jfr
    Main class: the recording does not say
    JVM:        the recording does not say
    Collector:  the recording does not say
    Heap:       the recording does not say
    CPUs:       the recording does not say
    Container:  none, or not recorded
    Span:       40 ms from 1970-01-01 00:00:00 UTC, 1 chunk
    Events:     6 events of 2 types
    Profiler:   unknown
    Profiles:   none

    Chunk  Version  Writer                Size        Events  Start                               Duration  Remarks
        0  2.1      unknown              840 B             6  1970-01-01T00:00:00.000000000Z         40 ms

    Event type                Count     share        Size     share
    shop.Read                     3      50 %        77 B      51 %
    商店.读取顧客数据             3      50 %        74 B      49 %
    ");
}

#[test]
fn view_aligns_and_cuts_them() {
    let (_folder, file) = recording();
    assert_snapshot!(shown(&run!("view", "商店.读取顧客数据", &file)), @r"
            商店.读取顧客数据

    startTime who                    n
    --------- ---------------------- -
    00:00:00  顧客管理システム担当者 1
    00:00:00  customer               2
    00:00:00  ｶﾅ                     3
    ");
    assert_snapshot!(shown(&run!("view", "商店.读取顧客数据", "--width", "25", &file)), @r"
        商店.读取顧客数据

    startTime who           n
    --------- ------------- -
    00:00:00  顧客管理シ... 1
    00:00:00  customer      2
    00:00:00  ｶﾅ            3
    ");
}

#[test]
fn top_and_diff_align_and_cut_them() {
    let mut of = AnyProfile::default();
    let (name, unit, file) = (of.texts.push("cpu"), of.texts.push("nanoseconds"), of.texts.push("main.go"));
    of.sample_types = vec![SampleType { name, unit }];
    for (i, name) in (0..).zip(["商店.仓库.读取全部顧客的数据记录", "shop.read"]) {
        let name = of.texts.push(name);
        of.functions.push(AnyFunction { name, file, ..AnyFunction::default() });
        of.lines.push(Line { function: i, line: 3, column: 0 });
        of.locations.push(Location { lines_from: i, lines_to: i + 1, ..Location::default() });
        of.samples.push([i], &[1_000_000 * (1 + i64::from(i))], []);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wide.pb.gz");
    pprof_emit::write_any(&of, std::fs::File::create(&file).unwrap()).unwrap();
    assert_snapshot!(shown(&run!("top", &file)), @r"
    cpu · CPU
    method                            self  self %  total  total %  samples
    shop.read                         2 ms    66.7   2 ms     66.7        1
    商店.仓库.读取全部顧客的数据记录  1 ms    33.3   1 ms     33.3        1

    Total: 3 ms in 2 samples
    ");
    let mut narrow = common::jfrkit(&common::arguments!["top", &file]);
    assert_snapshot!(shown(&narrow.env("COLUMNS", "66").output().unwrap()), @r"
    cpu · CPU
    method                       self  self %  total  total %  samples
    shop.read                    2 ms    66.7   2 ms     66.7        1
    …库.读取全部顧客的数据记录   1 ms    33.3   1 ms     33.3        1

    Total: 3 ms in 2 samples
    ");
    assert_snapshot!(shown(&run!("diff", &file, &file)), @r"
    cpu · cpu
    A  TEMP/wide.pb.gz: 3 ms in 0 ns, 2 samples
    B  TEMP/wide.pb.gz: 3 ms in 0 ns, 2 samples

           A         B  change
    100.00 %  100.00 %  +0.0 %  noise  all
     66.67 %   66.67 %  +0.0 %  noise  shop.read
     33.33 %   33.33 %  +0.0 %  noise  商店.仓库.读取全部顧客的数据记录
    jfrkit: warning: the duration of a profile is unknown; comparing shares of the total
    ");
}
