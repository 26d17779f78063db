//! Views of recordings: of the fixtures, and of synthetic recordings for what no fixture has.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use jfr_analyzers::summary::Summary;
use jfr_analyzers::views::{Answers, Catalog, Filter, Kind, Query, View, ViewSet, answer, write};
use jfr_parse::Recording;
use jfr_parse::testing::{ChunkWriter, Class, DATA_AMOUNT, Field, INT, LONG, Payload, STRING, TIMESPAN, TIMESTAMP};

fn fixture(name: &str) -> Recording<'static> {
    Recording::open(format!("{}/../fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn query(text: &str) -> View {
    View {
        name: "query".to_owned(),
        category: String::new(),
        title: "Query".to_owned(),
        about: String::new(),
        since: None,
        kind: Kind::Table,
        query: Query::parse(text).unwrap(),
        text: text.to_owned(),
    }
}

fn ask(recording: &Recording<'_>, view: &View) -> Answers {
    let (answers, errors) = answer(recording, &ViewSet::new([view], Filter::default())).unwrap();
    assert_eq!(errors, [""; 0]);
    answers
}

fn rows(answers: &Answers) -> Vec<Vec<String>> {
    let first = answers.iter().next().unwrap();
    let row = |row| (0..first.columns.len()).map(|column| answers.cell(first, row, column).into_owned()).collect();
    (0..first.len()).map(row).collect()
}

fn built_in(recording: &Recording<'_>, name: &str) -> Vec<Vec<String>> {
    rows(&ask(recording, Catalog::built_in().get(name).unwrap()))
}

/// A recording with one chunk that begins in 1970 and whose clock ticks once per nanosecond.
fn made_up(classes: &[Class], events: &[(u64, Payload)]) -> Recording<'static> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(classes);
    for (id, payload) in events {
        chunk.event(*id, payload);
    }
    Recording::from_bytes(chunk.finish(), &Default::default()).unwrap()
}

fn start() -> Field {
    Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS")
}

#[test]
fn events_by_name_match_the_summary() {
    for name in ["jdk17-full.jfr", "jdk17-multichunk.jfr", "jdk25-full.jfr.gz"] {
        let recording = fixture(name);
        let summary = Summary::of(&recording).unwrap();
        let counted: u64 = built_in(&recording, "events-by-name")
            .iter()
            .map(|row| row[1].replace(',', "").parse::<u64>().unwrap())
            .sum();
        assert_eq!(counted, summary.event_count(), "{name}");
    }
}

#[test]
fn every_view_answers_every_fixture() {
    for name in
        ["jdk8-profile.jfr.gz", "jdk11-profile.jfr.gz", "jdk17-full.jfr", "jdk21-full.jfr.gz", "jdk25-full.jfr.gz"]
    {
        let recording = fixture(name);
        let views = Catalog::built_in().views();
        let (together, _) = answer(&recording, &ViewSet::new(views, Filter::default())).unwrap();
        for (view, of_all) in views.iter().zip(together.iter()) {
            assert_eq!(of_all.is_empty(), of_all.note.is_some(), "{name}: {}", view.name);
            // A view has the same answer alone and together with others.
            let alone = ask(&recording, view);
            let one = alone.iter().next().unwrap();
            assert_eq!(write::json(&alone, one, false), write::json(&together, of_all, false), "{name}: {}", view.name);
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let recording = fixture("jdk17-multichunk.jfr");
    let views = Catalog::built_in().views();
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (answers, _) = pool.install(|| answer(&recording, &ViewSet::new(views, Filter::default()))).unwrap();
        answers.iter().map(|one| serde_json::to_string(&write::json(&answers, one, true)).unwrap()).collect::<Vec<_>>()
    };
    let one = of(1);
    assert_eq!(one, of(2));
    assert_eq!(one, of(8));
}

/// `classes-by-source` is new in JDK 28.
#[test]
fn classes_by_source() {
    let define = Class::event(100, "jdk.ClassDefine").field(start()).field(Field::new("source", STRING));
    let of = |source: &str| (100, Payload::new().varint(1).utf8(source));
    let recording = made_up(&[define], &[of("file:/app.jar"), of("jrt:/java.base"), of("file:/app.jar")]);
    assert_eq!(built_in(&recording, "classes-by-source"), [["file:/app.jar", "2"], ["jrt:/java.base", "1"]]);
}

/// Several event types with the same id become one row, regardless of their order in the file.
#[test]
fn types_are_joined_by_their_key() {
    let duration = || Field::new("duration", LONG).annotated(TIMESPAN, "TICKS");
    let classes = [
        Class::event(100, "jdk.SafepointBegin")
            .field(start())
            .field(duration())
            .field(Field::new("safepointId", LONG))
            .field(Field::new("totalThreadCount", INT))
            .field(Field::new("jniCriticalThreadCount", INT)),
        Class::event(101, "jdk.SafepointEnd").field(start()).field(duration()).field(Field::new("safepointId", LONG)),
    ];
    let begin = |at: u64, id: u64| (100, Payload::new().varint(at).varint(10).varint(id).varint(1_007).varint(0));
    let end = |at: u64, id: u64| (101, Payload::new().varint(at).varint(0).varint(id));
    let recording = made_up(
        &classes,
        &[
            end(7_000_000, 1),
            begin(1_000_000, 1),
            begin(9_000_000_000, 2),
            end(9_250_000_000, 2),
            begin(10_000_000_000, 3),
        ],
    );
    let found = built_in(&recording, "safepoints");
    let column = |i: usize| found.iter().map(|row| row[i].as_str()).collect::<Vec<_>>();
    assert_eq!(column(1), ["6.00 ms", "250 ms", "Indefinite"]);
    assert_eq!(column(2), ["N/A"; 3]);
    assert_eq!(column(4), ["1,007"; 3]);
}

fn reads() -> Recording<'static> {
    let read = Class::event(100, "jdk.FileRead")
        .field(start())
        .field(Field::new("path", STRING))
        .field(Field::new("bytesRead", LONG).annotated(DATA_AMOUNT, "BYTES"));
    let of = |at: u64, path: &str, bytes: i64| {
        let payload = Payload::new().varint(at);
        (100, if path.is_empty() { payload.null() } else { payload.utf8(path) }.long(bytes))
    };
    // Not in chronological order.
    made_up(&[read], &[of(30, "b", 3 << 20), of(10, "a", 1_000), of(20, "a", 24), of(40, "", 1), of(5, "b", 7)])
}

#[test]
fn every_aggregate_of_a_column() {
    let all = "SELECT COUNT(*), SUM(bytesRead), AVG(bytesRead), MIN(bytesRead), MAX(bytesRead), MEDIAN(bytesRead), \
               FIRST(bytesRead), LAST(bytesRead), DIFF(bytesRead), UNIQUE(path), SET(path), LIST(path) FROM FileRead";
    let answers = ask(&reads(), &query(all));
    let titles: Vec<&str> = answers.iter().next().unwrap().columns.iter().map(|c| c.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Count",
            "Total bytesRead",
            "Avg. bytesRead",
            "Min. bytesRead",
            "Max. bytesRead",
            "Median bytesRead",
            "bytesRead",
            "bytesRead",
            "Difference bytesRead",
            "Unique Count path",
            "path",
            "path"
        ]
    );
    assert_eq!(
        rows(&answers),
        [[
            "5",
            "3.0 MB",
            "614.6 kB",
            "1 byte",
            "3.0 MB",
            "24 bytes",
            "7 bytes",
            "1 byte",
            "-6 bytes",
            "2",
            "b, a",
            "b, a, a, b"
        ]]
    );
}

#[test]
fn groups_conditions_orders_and_limits() {
    let grouped = query(
        "COLUMN 'P', 'S' FORMAT missing:none, normalized SELECT path, SUM(bytesRead) FROM FileRead GROUP BY path",
    );
    assert_eq!(rows(&ask(&reads(), &grouped)), [["b", "99.97%"], ["a", "0.03%"], ["none", "0.00%"]]);
    let filtered = query("SELECT path, bytesRead FROM jdk.FileRead WHERE path = 'a' ORDER BY bytesRead DESC LIMIT 1");
    assert_eq!(rows(&ask(&reads(), &filtered)), [["a", "1000 bytes"]]);
    let aliased = query("SELECT path AS p, COUNT(*) AS n FROM FileRead GROUP BY p ORDER BY n DESC, p DESC LIMIT 2");
    assert_eq!(rows(&ask(&reads(), &aliased)), [["b", "2"], ["a", "2"]]);
}

#[test]
fn values_in_the_units_of_the_recording() {
    let answers =
        ask(&reads(), &query("SELECT startTime, path, bytesRead FROM FileRead ORDER BY bytesRead DESC LIMIT 1"));
    let json = write::json(&answers, answers.iter().next().unwrap(), true);
    assert_eq!(json["units"], serde_json::json!([null, null, "B"]));
    assert_eq!(json["rows"][0][2], 3 << 20);
    assert!(json["rows"][0][0].as_str().unwrap().ends_with("30Z"), "{json:?}");
}

#[test]
fn missing_events_and_fields_are_named() {
    let recording = reads();
    let note = |name: &str| {
        let answers = ask(&recording, Catalog::built_in().get(name).unwrap());
        answers.iter().next().unwrap().note.clone().unwrap()
    };
    assert!(note("socket-reads-by-host").starts_with("The recording cannot have jdk.SocketRead"));
    let declared = made_up(&[Class::event(100, "jdk.SocketRead").field(start())], &[]);
    let answers = ask(&declared, Catalog::built_in().get("socket-reads-by-host").unwrap());
    let note = answers.iter().next().unwrap().note.clone().unwrap();
    assert!(note.contains("JFR.start settings=profile jdk.SocketRead#enabled=true filename=recording.jfr"), "{note}");
}

#[test]
fn events_of_a_thread_and_of_a_time() {
    let recording = fixture("jdk17-full.jfr");
    let view = query("SELECT ownThread, COUNT(*) FROM ThreadSleep GROUP BY ownThread");
    let mut filter = Filter::default();
    filter.thread = Some(regex::Regex::new("^lock").unwrap());
    let (answers, _) = answer(&recording, &ViewSet::new([&view], filter)).unwrap();
    assert!(rows(&answers).iter().all(|row| row[0].starts_with("lock")), "{:?}", rows(&answers));
    let mut filter = Filter::default();
    filter.range.to = Some(recording.headers().next().unwrap().1.start_nanos);
    let (answers, _) = answer(&recording, &ViewSet::new([&view], filter)).unwrap();
    assert!(answers.iter().next().unwrap().is_empty());
}

#[test]
fn text_fits_its_width() {
    let recording = fixture("jdk17-full.jfr");
    let answers = ask(&recording, Catalog::built_in().get("longest-compilations").unwrap());
    let mut options = write::TextOptions::default();
    for width in [60, 80, 200] {
        options.width = width;
        let mut out = Vec::new();
        write::text(&mut out, &answers, answers.iter().next().unwrap(), &options).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.lines().all(|line| line.chars().count() <= width), "{width}:\n{out}");
        assert!(width > 100 || out.contains("..."), "{out}");
    }
}
