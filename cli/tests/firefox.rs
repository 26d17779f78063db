//! Files for the Firefox Profiler satisfy its format: every column of every table has the right type and length, and every reference
//! an existing target.
//!
//! The format is what `src/types/profile.js` and `markers.js` of github.com/firefox-devtools/profiler say of version 55 of the
//! processed profile; viewers convert it to their own version. `web/test/formats.mjs` also runs the viewer's own import code, where
//! a checkout of it is available.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::io::Read;
use std::path::{Path, PathBuf};

use common::{arguments, fixture, jfrkit};
use serde_json::{Value, json};

const VERSION: u64 = 55;

/// What a field or column contains.
#[derive(Debug, Clone, Copy)]
enum Is<'a> {
    Number,
    Natural,
    Bool,
    Text,
    Object,
    /// A reference to a row of a table with this many rows.
    Row(usize),
    /// -1, or a natural number.
    NaturalOrMinusOne,
    RowOrMinusOne(usize),
    OneOf(&'a [&'a str]),
    Null(&'a Is<'a>),
}

impl Is<'_> {
    fn fits(&self, value: &Value) -> bool {
        let natural = value.as_u64();
        let row = |rows: usize| natural.is_some_and(|row| row < rows as u64);
        match self {
            Self::Number => value.is_number(),
            Self::Natural => natural.is_some(),
            Self::Bool => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Object => value.is_object(),
            Self::Row(rows) => row(*rows),
            Self::NaturalOrMinusOne => natural.is_some() || value.as_i64() == Some(-1),
            Self::RowOrMinusOne(rows) => row(*rows) || value.as_i64() == Some(-1),
            Self::OneOf(texts) => value.as_str().is_some_and(|text| texts.contains(&text)),
            Self::Null(is) => value.is_null() || is.fits(value),
        }
    }
}

/// Collects what is wrong.
#[derive(Default)]
struct Check {
    wrong: Vec<String>,
}

impl Check {
    fn expect(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right && self.wrong.len() < 20 {
            self.wrong.push(what());
        }
    }

    /// The fields of an object. Fields that are not listed are wrong, because the viewer's types are exact; a name that ends with `?`
    /// is optional.
    fn fields(&mut self, place: &str, of: &Value, fields: &[(&str, Is<'_>)]) {
        let Some(object) = of.as_object() else { return self.expect(false, || format!("{place} is not an object")) };
        for (name, is) in fields {
            let plain = name.trim_end_matches('?');
            match object.get(plain) {
                None => self.expect(name.ends_with('?'), || format!("{place} has no {plain}")),
                Some(value) => self.expect(is.fits(value), || format!("{place}.{plain}: {value} is not {is:?}")),
            }
        }
    }

    fn only(&mut self, place: &str, of: &Value, names: &[&str]) {
        for name in of.as_object().into_iter().flat_map(|object| object.keys()) {
            self.expect(names.contains(&name.as_str()), || format!("{place} has the unknown field {name}"));
        }
    }

    /// A table: columns of equal length. Returns its number of rows.
    fn table(&mut self, place: &str, of: &Value, columns: &[(&str, Is<'_>)]) -> usize {
        let rows = of["length"].as_u64().map_or(usize::MAX, |rows| usize::try_from(rows).unwrap());
        self.expect(rows < usize::MAX, || format!("{place} has no length"));
        for (name, is) in columns {
            let plain = name.trim_end_matches('?');
            let Some(column) = of[plain].as_array() else {
                self.expect(name.ends_with('?') && of.get(plain).is_none(), || {
                    format!("{place} has no column {plain}")
                });
                continue;
            };
            self.expect(column.len() == rows, || format!("{place}.{plain} has {} rows of {rows}", column.len()));
            if let Some(row) = column.iter().position(|value| !is.fits(value)) {
                self.expect(false, || format!("{place}.{plain}[{row}]: {} is not {is:?}", column[row]));
            }
        }
        rows
    }
}

fn rows(of: &Value) -> usize {
    of["length"].as_u64().map_or(0, |rows| usize::try_from(rows).unwrap())
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

const COLORS: [&str; 13] = [
    "transparent",
    "purple",
    "green",
    "orange",
    "yellow",
    "lightblue",
    "blue",
    "brown",
    "magenta",
    "red",
    "lightred",
    "darkgrey",
    "grey",
];
const DISPLAYS: [&str; 7] = [
    "marker-chart",
    "marker-table",
    "timeline-overview",
    "timeline-memory",
    "timeline-ipc",
    "timeline-fileio",
    "stack-chart",
];
const FORMATS: [&str; 22] = [
    "url",
    "file-path",
    "sanitized-string",
    "string",
    "unique-string",
    "flow-id",
    "terminating-flow-id",
    "duration",
    "time",
    "seconds",
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "bytes",
    "percentage",
    "integer",
    "decimal",
    "hexadecimal",
    "pid",
    "tid",
    "list",
    "table",
];

/// What is wrong with a file.
fn wrong(file: &Value) -> Vec<String> {
    let mut check = Check::default();
    let meta = &file["meta"];
    check.fields(
        "meta",
        meta,
        &[
            ("interval", Is::Number),
            ("startTime", Is::Number),
            ("processType", Is::Natural),
            ("product", Is::Text),
            ("version", Is::Natural),
            ("preprocessedProfileVersion", Is::Natural),
            ("symbolicated?", Is::Bool),
            ("debug?", Is::Bool),
        ],
    );
    check.expect(meta["preprocessedProfileVersion"] == VERSION, || "this test is for version 55".to_owned());
    if let Some(units) = meta.get("sampleUnits") {
        let cycles = ["ns", "µs", "variable CPU cycles"];
        check.fields(
            "meta.sampleUnits",
            units,
            &[
                ("time", Is::OneOf(&["ms", "bytes"])),
                ("eventDelay", Is::OneOf(&["ms"])),
                ("threadCPUDelta", Is::OneOf(&cycles)),
            ],
        );
    }
    let categories = list(&meta["categories"]);
    for (i, category) in categories.iter().enumerate() {
        let place = format!("meta.categories[{i}]");
        check.fields(&place, category, &[("name", Is::Text), ("color", Is::OneOf(&COLORS))]);
        let names = list(&category["subcategories"]);
        check.expect(!names.is_empty() && names.iter().all(Value::is_string), || format!("{place}: subcategories"));
    }
    // The viewer looks for it.
    check.expect(categories.iter().any(|category| category["color"] == "grey"), || "no default category".to_owned());
    for (i, schema) in list(&meta["markerSchema"]).iter().enumerate() {
        let place = format!("meta.markerSchema[{i}]");
        let texts =
            ["name", "tooltipLabel?", "tableLabel?", "chartLabel?", "description?"].map(|name| (name, Is::Text));
        check.fields(&place, schema, &texts);
        let shown = list(&schema["display"]);
        check.expect(!shown.is_empty() && shown.iter().all(|at| Is::OneOf(&DISPLAYS).fits(at)), || {
            format!("{place}: display")
        });
        check.expect(schema["fields"].is_array(), || format!("{place} has no fields"));
        for field in list(&schema["fields"]) {
            let fields = [("key", Is::Text), ("label?", Is::Text), ("format", Is::OneOf(&FORMATS))];
            check.fields(&format!("{place}.fields"), field, &fields);
        }
    }
    check.expect(file["libs"].is_array(), || "no libs".to_owned());
    let threads = list(&file["threads"]);
    check.expect(!threads.is_empty(), || "no threads".to_owned());
    for (i, of) in threads.iter().enumerate() {
        thread(&mut check, &format!("threads[{i}]"), of, file);
    }
    for (i, counter) in list(&file["counters"]).iter().enumerate() {
        let place = format!("counters[{i}]");
        let texts = ["name", "category", "description", "pid"].map(|name| (name, Is::Text));
        check.fields(&place, counter, &texts);
        check.fields(&place, counter, &[("mainThreadIndex", Is::Row(threads.len()))]);
        let columns = [("count", Is::Number), ("number?", Is::Number)];
        check.table(&format!("{place}.samples"), &counter["samples"], &columns);
        times(&mut check, &place, &counter["samples"]);
    }
    check.wrong
}

/// `time` or `timeDeltas`, in order of time.
fn times(check: &mut Check, place: &str, of: &Value) {
    let (times, deltas) = (of.get("time"), of.get("timeDeltas"));
    check.expect(times.is_some() != deltas.is_some(), || format!("{place} needs one of time and timeDeltas"));
    check.table(place, of, &[("time?", Is::Number), ("timeDeltas?", Is::Number)]);
    if let Some(deltas) = deltas {
        check.expect(list(deltas).iter().all(|delta| delta.as_f64() >= Some(0.0)), || {
            format!("{place}: time runs back")
        });
    }
    if let Some(times) = times {
        check.expect(list(times).is_sorted_by(|a, b| a.as_f64() <= b.as_f64()), || format!("{place}: time runs back"));
    }
}

fn thread(check: &mut Check, place: &str, of: &Value, file: &Value) {
    use Is::{Bool, Natural, NaturalOrMinusOne, Null, Number, Object, Row, RowOrMinusOne, Text};
    check.fields(
        place,
        of,
        &[
            ("processType", Text),
            ("processStartupTime", Number),
            ("processShutdownTime", Null(&Number)),
            ("registerTime", Number),
            ("unregisterTime", Null(&Number)),
            ("name", Text),
            ("isMainThread", Bool),
            ("processName?", Text),
            ("pid", Text),
            ("showMarkersInTimeline?", Bool),
        ],
    );
    check.expect(of["tid"].is_string() || of["tid"].is_number(), || format!("{place}.tid"));
    check.expect(of["pausedRanges"].is_array(), || format!("{place}.pausedRanges"));
    let at = |name: &str| format!("{place}.{name}");
    let strings = list(&of["stringArray"]);
    check.expect(strings.iter().all(Value::is_string), || at("stringArray"));
    let categories = list(&file["meta"]["categories"]);
    let (libs, string) = (list(&file["libs"]).len(), Row(strings.len()));
    let symbols = check.table(
        &at("nativeSymbols"),
        &of["nativeSymbols"],
        &[("libIndex", Row(libs)), ("address", Natural), ("name", string), ("functionSize", Null(&Natural))],
    );
    let resources = check.table(
        &at("resourceTable"),
        &of["resourceTable"],
        &[("lib", Null(&Row(libs))), ("name", string), ("host", Null(&string)), ("type", Row(6))],
    );
    let functions = check.table(
        &at("funcTable"),
        &of["funcTable"],
        &[
            ("name", string),
            ("isJS", Bool),
            ("relevantForJS", Bool),
            ("resource", RowOrMinusOne(resources)),
            ("fileName", Null(&string)),
            ("lineNumber", Null(&Natural)),
            ("columnNumber", Null(&Natural)),
        ],
    );
    let frames = check.table(
        &at("frameTable"),
        &of["frameTable"],
        &[
            ("address", NaturalOrMinusOne),
            ("inlineDepth", Natural),
            ("category", Null(&Row(categories.len()))),
            ("subcategory", Null(&Natural)),
            ("func", Row(functions)),
            ("nativeSymbol", Null(&Row(symbols))),
            ("innerWindowID", Null(&Natural)),
            ("line", Null(&Natural)),
            ("column", Null(&Natural)),
        ],
    );
    for (category, sub) in list(&of["frameTable"]["category"]).iter().zip(list(&of["frameTable"]["subcategory"])) {
        let named = category.as_u64().and_then(|i| categories.get(usize::try_from(i).unwrap()));
        let names = named.map_or(1, |category| list(&category["subcategories"]).len());
        check.expect(Null(&Row(names)).fits(sub), || at("frameTable.subcategory"));
    }
    let table = &of["stackTable"];
    let stacks = rows(table);
    let stack = Row(stacks);
    check.table(&at("stackTable"), table, &[("frame", Row(frames)), ("prefix", Null(&Row(stacks)))]);
    // Parents come first, so there are no cycles.
    let after = |(i, prefix): (usize, &Value)| prefix.as_u64().is_none_or(|prefix| prefix < i as u64);
    check.expect(list(&table["prefix"]).iter().enumerate().all(after), || {
        at("stackTable.prefix is not before its stack")
    });
    let samples = &of["samples"];
    let weights = ["samples", "tracing-ms", "bytes"];
    check.fields(&at("samples"), samples, &[("weightType", Is::OneOf(&weights))]);
    let columns = [("stack", Null(&stack)), ("threadCPUDelta?", Null(&Number))];
    let count = check.table(&at("samples"), samples, &columns);
    let weight = &samples["weight"];
    check.expect(weight.is_null() || list(weight).len() == count && list(weight).iter().all(Value::is_number), || {
        at("samples.weight")
    });
    times(check, &at("samples"), samples);
    if let Some(allocations) = of.get("nativeAllocations") {
        check.fields(&at("nativeAllocations"), allocations, &[("weightType", Is::OneOf(&["bytes"]))]);
        let columns = [("time", Number), ("weight", Number), ("stack", Null(&stack))];
        check.table(&at("nativeAllocations"), allocations, &columns);
    }
    let markers = &of["markers"];
    check.table(
        &at("markers"),
        markers,
        &[
            ("data", Null(&Object)),
            ("name", string),
            ("startTime", Null(&Number)),
            ("endTime", Null(&Number)),
            ("phase", Row(4)),
            ("category", Row(categories.len())),
        ],
    );
    let schemas = list(&file["meta"]["markerSchema"]);
    for i in 0..rows(markers) {
        let (start, end) = (markers["startTime"][i].as_f64(), markers["endTime"][i].as_f64());
        let right = match markers["phase"][i].as_u64() {
            // An instant; an interval; its start; its end.
            Some(0 | 2) => start.is_some(),
            Some(1) => start.is_some() && end.is_some() && start <= end,
            _ => end.is_some(),
        };
        check.expect(right, || at(&format!("markers[{i}]: times {start:?} and {end:?}")));
        let Some(data) = markers["data"][i].as_object() else { continue };
        let schema = schemas.iter().find(|schema| Some(&schema["name"]) == data.get("type"));
        check.expect(schema.is_some(), || at(&format!("markers[{i}]: type {:?} has no schema", data.get("type"))));
        for field in schema.into_iter().flat_map(|schema| list(&schema["fields"])) {
            let Some(value) = field["key"].as_str().and_then(|key| data.get(key)) else { continue };
            let is = match field["format"].as_str() {
                Some("unique-string" | "flow-id" | "terminating-flow-id") => string,
                Some("string" | "url" | "file-path" | "sanitized-string") => Text,
                _ => Number,
            };
            check.expect(is.fits(value), || at(&format!("markers[{i}]: {value} is not {is:?}")));
        }
        if let Some(cause) = data.get("cause") {
            check.fields(&at("markers.cause"), cause, &[("stack", Null(&Row(stacks)))]);
        }
    }
    let tables = ["stackTable", "frameTable", "funcTable", "resourceTable", "nativeSymbols", "stringArray", "samples"];
    check.only(
        place,
        of,
        &[
            &tables[..],
            &["markers", "nativeAllocations", "jsAllocations", "name", "isMainThread", "pid", "tid", "pausedRanges"],
            &["processType", "processName", "processStartupTime", "processShutdownTime", "registerTime"],
            &["unregisterTime", "showMarkersInTimeline", "eTLD+1", "isPrivateBrowsing", "userContextId"],
        ]
        .concat(),
    );
}

/// The only file in a directory.
fn written(folder: &Path) -> Value {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let packed = std::fs::read(files.next().unwrap()).unwrap();
    assert!(files.next().is_none());
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn converted(input: &Path, more: &[&str]) -> Value {
    let out = tempfile::tempdir().unwrap();
    let output = jfrkit(&arguments!["convert", input, "--format", "firefox", "-o", out.path()]).args(more).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}: {}", input.display(), String::from_utf8_lossy(&output.stderr));
    written(out.path())
}

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

#[test]
fn files_satisfy_the_format_of_the_firefox_profiler() {
    let fixtures = [
        "jdk17-full.jfr",
        "jdk17-multichunk.jfr",
        "jdk8-profile.jfr.gz",
        "jdk11-profile.jfr.gz",
        "jdk21-full.jfr.gz",
        "jdk25-full.jfr.gz",
        "metrics/g1-tlab.jfr.gz",
        "scenarios/lock-contention.jfr.gz",
    ];
    let profiles = [
        "server/demo/go-cpu.pprof.gz",
        "server/demo/python.pprof.zst",
        "cli/tests/node/wall.pprof.gz",
        "cli/tests/node/heap.pprof.gz",
    ];
    for input in fixtures.iter().map(|name| fixture(name)).chain(profiles.iter().map(|name| demo(name))) {
        assert_eq!(wrong(&converted(&input, &[])), [""; 0], "{}", input.display());
    }
    for kind in ["alloc", "lock", "live"] {
        assert_eq!(wrong(&converted(&fixture("jdk17-full.jfr"), &["--types", kind])), [""; 0], "{kind}");
    }
}

/// A check that cannot fail is worthless.
#[test]
fn damage_to_each_table_is_found() {
    let sound = converted(&fixture("jdk17-full.jfr"), &[]);
    let busy = list(&sound["threads"]).iter().position(|thread| rows(&thread["samples"]) > 10).unwrap();
    let marked = list(&sound["threads"]).iter().position(|thread| rows(&thread["markers"]) > 10).unwrap();
    let of = |thread: usize, place: &str| format!("/threads/{thread}/{place}");
    let damages = [
        ("/meta/preprocessedProfileVersion".to_owned(), json!(70)),
        ("/meta/categories/0/color".to_owned(), json!("pink")),
        ("/meta/markerSchema/0/fields/0/format".to_owned(), json!("text")),
        ("/meta/markerSchema/0/name".to_owned(), json!("other")),
        ("/meta/startTime".to_owned(), json!(null)),
        ("/threads".to_owned(), json!([])),
        ("/counters/0/mainThreadIndex".to_owned(), json!(9_999)),
        ("/counters/0/samples/count/0".to_owned(), json!("1")),
        (of(busy, "samples/length"), json!(1)),
        (of(busy, "samples/stack/3"), json!(1 << 30)),
        (of(busy, "samples/timeDeltas/3"), json!(-1.0)),
        (of(busy, "samples/weight/3"), json!(null)),
        (of(busy, "samples/weightType"), json!("seconds")),
        (of(busy, "stackTable/prefix/0"), json!(0)),
        (of(busy, "stackTable/frame/0"), json!(-1)),
        (of(busy, "frameTable/func/0"), json!(1 << 30)),
        (of(busy, "frameTable/category/0"), json!(99)),
        (of(busy, "funcTable/name/0"), json!(1 << 30)),
        (of(busy, "stringArray/0"), json!(7)),
        (of(busy, "pid"), json!(7)),
        (of(marked, "markers/phase/0"), json!(4)),
        (of(marked, "markers/name/0"), json!(-1)),
        (of(marked, "markers/startTime/0"), json!(null)),
        (of(marked, "markers/data/0/type"), json!("unheard of")),
    ];
    for (place, value) in damages {
        let mut file = sound.clone();
        *file.pointer_mut(&place).unwrap_or_else(|| panic!("{place} does not exist")) = value;
        assert!(!wrong(&file).is_empty(), "{place}");
    }
}

/// Bytes allocated in a function, including what it calls.
fn allocated(file: &Value, function: &str) -> i64 {
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let mut sum = 0;
    for of in list(&file["threads"]) {
        let allocations = &of["nativeAllocations"];
        for i in 0..rows(allocations) {
            let mut stack = allocations["stack"][i].clone();
            while !stack.is_null() {
                let at = index(&stack);
                let frame = index(&of["stackTable"]["frame"][at]);
                let name = &of["funcTable"]["name"][index(&of["frameTable"]["func"][frame])];
                if of["stringArray"][index(name)] == function {
                    sum += allocations["weight"][i].as_i64().unwrap();
                    break;
                }
                stack = of["stackTable"]["prefix"][at].clone();
            }
        }
    }
    sum
}

#[test]
fn allocations_have_their_stacks() {
    let input = fixture("jdk17-full.jfr");
    let file = converted(&input, &[]);
    // Ten arrays of 1 MiB with their header.
    assert_eq!(allocated(&file, "fx.Workload.allocateSlabs"), 10 * ((1 << 20) + 16));
    let top = jfrkit(&arguments!["top", "--type", "alloc", "--format", "json", "-n", "9", "--sort", "total", &input]);
    let top: Value = serde_json::from_slice(&{ top }.output().unwrap().stdout).unwrap();
    for row in list(&top["rows"]) {
        let name = row["name"].as_str().unwrap();
        assert_eq!(allocated(&file, name), row["total"][1].as_i64().unwrap(), "{name}");
    }
}
