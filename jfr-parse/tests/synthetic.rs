//! Reads recordings with features that no available JVM produces: every string form, odd keys, odd framing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use std::borrow::Cow;

use jfr_parse::de::{Timespan, Timestamp};
use jfr_parse::metadata::{Content, TimeUnit};
use jfr_parse::testing::*;
use jfr_parse::{
    Chunk, ConstantKey, Damage, Error, Inline, Limits, RawEvent, RawStr, Recording, Text, Ticks, TypeId, Value,
    ValueReader,
};
use serde::Deserialize;

const EVENT: u64 = 100;

fn open(chunk: &ChunkWriter) -> Recording<'static> {
    Recording::from_bytes(chunk.finish(), &Limits::default()).unwrap()
}

/// A chunk of one event type with these fields, and one event.
fn one_event(
    fields: impl IntoIterator<Item = Field>,
    payload: &Payload,
    more: &[Class],
    pools: &[Pool],
) -> ChunkWriter {
    let mut chunk = ChunkWriter::new();
    let event = fields.into_iter().fold(Class::event(EVENT, "test.Event"), Class::field);
    let classes: Vec<Class> = more.iter().cloned().chain([event]).collect();
    chunk.metadata(&classes).event(EVENT, payload);
    if !pools.is_empty() {
        chunk.checkpoint(pools);
    }
    chunk
}

fn first<'a>(chunk: &Chunk<'a>) -> RawEvent<'a> {
    chunk.events().next().unwrap()
}

fn text<'v>(value: &'v Value<'_>, path: &str) -> Option<&'v str> {
    value.path(path).unwrap_or_else(|| panic!("no {path} in {value:?}")).as_str()
}

#[test]
fn every_string_form_by_value_serde_and_plan() {
    let names = ["null", "empty", "pooled", "missing", "utf8", "modified", "utf16", "latin1", "key_only"];
    let fields = names.iter().map(|name| match *name {
        "key_only" => Field::new(name, STRING).pooled(),
        name => Field::new(name, STRING),
    });
    let payload = Payload::new()
        .null()
        .empty()
        .pooled(7)
        .pooled(8)
        .utf8("plain")
        .utf8([b'a', 0xc0, 0x80, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80])
        .utf16("smile \u{1f600}")
        .latin1(&[b'c', 0xe9])
        .varint(7);
    let writer = one_event(fields, &payload, &[], &[(STRING, vec![(7, Payload::new().utf8("from the pool"))])]);
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let event = first(&chunk);

    let expected = [
        None,
        Some(""),
        Some("from the pool"),
        None,
        Some("plain"),
        Some("a\0\u{1f600}"),
        Some("smile \u{1f600}"),
        Some("cé"),
        Some("from the pool"),
    ];
    let value = chunk.value(&event).unwrap();
    for (name, expected) in names.iter().zip(expected) {
        assert_eq!(text(&value, name), expected, "{name}");
    }
    // Strings that are UTF-8 in the file are not copied.
    assert!(matches!(value.get("utf8"), Some(Value::Str(Cow::Borrowed("plain")))));

    #[derive(Deserialize)]
    struct Strings<'a> {
        null: Option<&'a str>,
        missing: Option<String>,
        empty: &'a str,
        pooled: &'a str,
        utf8: &'a str,
        #[serde(borrow)]
        latin1: Cow<'a, str>,
        utf16: String,
        key_only: &'a str,
    }
    let read: Strings = chunk.deserialize(&event).unwrap();
    assert_eq!((read.null, read.missing), (None, None));
    assert_eq!([read.empty, read.pooled, read.utf8, read.key_only], ["", "from the pool", "plain", "from the pool"]);
    assert_eq!((&*read.latin1, &*read.utf16), ("cé", "smile \u{1f600}"));

    let plan = chunk.plan(chunk.metadata().by_id(TypeId(EVENT)).unwrap(), ["utf16", "pooled", "key_only"]).unwrap();
    let row = plan.read(event.payload).unwrap();
    assert_eq!(row.get(plan.field::<Text>("utf16")).decode().as_deref(), Some("smile \u{1f600}"));
    assert_eq!(row.get(plan.field::<Text>("pooled")), RawStr::Pooled(ConstantKey(7)));
    let key_only = plan.field::<ConstantKey>("key_only");
    assert!(plan.is_pooled(key_only));
    assert_eq!(
        chunk.pools().string(chunk.metadata(), TypeId(STRING), row.get(key_only)).decode().as_deref(),
        Some("from the pool")
    );
}

#[test]
fn numbers_are_truncated_to_their_width() {
    let unsigned = |name, of| Field::new(name, of).annotated(UNSIGNED, "");
    let fields = [
        Field::new("byte", BYTE),
        unsigned("ubyte", BYTE),
        Field::new("short", SHORT),
        Field::new("int", INT),
        Field::new("extended", INT),
        unsigned("uint", INT),
        Field::new("long", LONG),
        unsigned("ulong", LONG),
        Field::new("char", CHAR),
        Field::new("float", FLOAT),
        Field::new("double", DOUBLE),
        Field::new("bool", BOOLEAN),
        Field::new("padded", LONG),
    ];
    let payload = Payload::new()
        .byte(0xfe)
        .byte(0xfe)
        .varint(0xffff)
        .int(-5)
        .long(-5)
        .int(-5)
        .long(-5)
        .long(-5)
        .varint('é'.into())
        .float(1.5)
        .double(-2.25)
        .byte(7)
        .padded(30, 5);
    let writer = one_event(fields, &payload, &[], &[]);
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let value = chunk.value(&first(&chunk)).unwrap();
    let all: Vec<Value> = value.as_struct().unwrap().fields().map(|(_, v)| v.clone()).collect();
    let expected = [
        Value::I64(-2),
        Value::U64(254),
        Value::I64(-1),
        Value::I64(-5),
        Value::I64(-5),
        Value::U64(4_294_967_291),
        Value::I64(-5),
        Value::U64(u64::MAX - 4),
        Value::Char('é'),
        Value::F32(1.5),
        Value::F64(-2.25),
        Value::Bool(true),
        Value::I64(30),
    ];
    assert_eq!(all, expected);

    let of = chunk.metadata().by_id(TypeId(EVENT)).unwrap();
    let plan = chunk.plan(of, ["short", "extended", "uint", "padded", "double"]).unwrap();
    let row = plan.read(first(&chunk).payload).unwrap();
    let number = |name| row.get(plan.field::<i64>(name));
    assert_eq!((number("short"), number("extended"), number("padded")), (-1, -5, 30));
    assert_eq!(row.get(plan.field::<u64>("uint")), 4_294_967_291);
    assert!((row.get(plan.field::<f64>("double")) + 2.25).abs() < f64::EPSILON);

    #[derive(Deserialize, Debug, PartialEq)]
    struct Numbers {
        byte: i8,
        ubyte: u8,
        int: i32,
        ulong: u64,
        char: char,
        float: f32,
        bool: bool,
    }
    let read: Numbers = chunk.deserialize(&first(&chunk)).unwrap();
    let expected = Numbers { byte: -2, ubyte: 254, int: -5, ulong: u64::MAX - 4, char: 'é', float: 1.5, bool: true };
    assert_eq!(read, expected);
}

#[test]
fn keys_of_any_size_and_repeated_ones() {
    const NAME: u64 = 40;
    let symbol = Class::symbol(NAME, "jdk.types.Symbol");
    let keys = [0u64, 1, 339_839_288_025, u64::MAX, 1 << 63, 77];
    let fields = (0..keys.len()).map(|i| Field::new(&format!("f{i}"), NAME).pooled());
    let payload = keys.iter().fold(Payload::new(), |out, key| out.varint(*key));
    let entry = |key: u64, text: &str| (key, Payload::new().utf8(text));
    let event = fields.fold(Class::event(EVENT, "test.Event"), Class::field);
    let mut writer = ChunkWriter::new();
    writer.metadata(&[symbol, event]);
    // The oldest checkpoint wins; within it the last entry. Empty pools are legal.
    writer.checkpoint(&[
        (STRING, Vec::new()),
        (NAME, vec![entry(1, "first"), entry(1, "second"), entry(339_839_288_025, "large")]),
    ]);
    writer.event(EVENT, &payload);
    writer.checkpoint(&[(NAME, vec![entry(1, "newer"), entry(u64::MAX, "minus one"), entry(1 << 63, "top bit")])]);
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let value = chunk.value(&first(&chunk)).unwrap();
    assert_eq!(value.get("f0"), Some(&Value::Null), "key 0 without an entry is null");
    assert_eq!(text(&value, "f1"), Some("second"));
    assert_eq!(text(&value, "f2"), Some("large"));
    assert_eq!(text(&value, "f3"), Some("minus one"));
    assert_eq!(text(&value, "f4"), Some("top bit"));
    assert_eq!(value.get("f5"), Some(&Value::Null), "a key that leads nowhere is null");
    assert_eq!(chunk.pools().of_type(TypeId(NAME)).unwrap().keys().count(), 4);
}

#[test]
fn key_zero_is_valid_if_the_pool_has_it() {
    let symbol = Class::symbol(40, "jdk.types.FrameType");
    let pools = [(40, vec![(0, Payload::new().utf8("Interpreted"))])];
    let writer = one_event([Field::new("type", 40).pooled()], &Payload::new().varint(0), &[symbol], &pools);
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    assert_eq!(text(&chunk.value(&first(&chunk)).unwrap(), "type"), Some("Interpreted"));

    #[derive(Deserialize, Debug, PartialEq)]
    enum FrameType {
        Interpreted,
        Native,
    }
    #[derive(Deserialize)]
    struct Event {
        r#type: FrameType,
    }
    let read: Event = chunk.deserialize(&first(&chunk)).unwrap();
    assert_eq!(read.r#type, FrameType::Interpreted);
    assert_ne!(read.r#type, FrameType::Native);
}

#[test]
fn arrays_inline_structs_and_pooled_elements() {
    let point = Class::new(50, "test.Point").field(Field::new("x", INT)).field(Field::new("y", INT));
    let nested = Class::new(51, "test.Line").field(Field::new("from", 50)).field(Field::new("to", 50));
    let name = Class::symbol(52, "test.Name");
    let fields = [
        Field::new("line", 51),
        Field::new("numbers", LONG).array(),
        Field::new("points", 50).array(),
        Field::new("names", 52).array().pooled(),
        Field::new("last", INT),
    ];
    let payload = Payload::new()
        .int(1)
        .int(2)
        .int(3)
        .int(-4)
        .varint(3)
        .long(10)
        .long(-20)
        .long(30)
        .varint(2)
        .int(5)
        .int(6)
        .int(7)
        .int(8)
        .varint(3)
        .varint(1)
        .varint(9)
        .varint(2)
        .int(99);
    let pools = [(52, vec![(1, Payload::new().utf8("one")), (2, Payload::new().latin1(b"two"))])];
    let writer = one_event(fields, &payload, &[point, nested, name], &pools);
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let value = chunk.value(&first(&chunk)).unwrap();
    assert_eq!(value.path("line.to.y"), Some(&Value::I64(-4)));
    assert_eq!(value.get("numbers"), Some(&Value::Array(vec![Value::I64(10), Value::I64(-20), Value::I64(30)])));
    assert_eq!(value.get("points").unwrap().as_array().unwrap()[1].get("x"), Some(&Value::I64(7)));
    let names = [Value::Str("one".into()), Value::Null, Value::Str("two".into())];
    assert_eq!(value.get("names").unwrap().as_array().unwrap(), names);
    assert_eq!(value.get("last"), Some(&Value::I64(99)));
    assert_eq!(
        serde_json::to_string(&value).unwrap(),
        r#"{"line":{"from":{"x":1,"y":2},"to":{"x":3,"y":-4}},"numbers":[10,-20,30],"points":[{"x":5,"y":6},{"x":7,"y":8}],"names":["one",null,"two"],"last":99}"#
    );

    #[derive(Deserialize, Debug, PartialEq)]
    struct Point {
        y: i32,
    }
    #[derive(Deserialize)]
    struct Line {
        to: Point,
    }
    #[derive(Deserialize)]
    struct Event<'a> {
        last: i64,
        line: Line,
        points: Vec<Point>,
        #[serde(borrow)]
        names: Vec<Option<&'a str>>,
        absent: Option<i64>,
    }
    let read: Event = chunk.deserialize(&first(&chunk)).unwrap();
    assert_eq!((read.last, read.line.to, read.absent), (99, Point { y: -4 }, None));
    assert_eq!(read.points, [Point { y: 6 }, Point { y: 8 }]);
    assert_eq!(read.names, [Some("one"), None, Some("two")]);

    let of = chunk.metadata().by_id(TypeId(EVENT)).unwrap();
    let plan = chunk.plan(of, ["line.to.y", "numbers", "last", "nothing"]).unwrap();
    let row = plan.read(first(&chunk).payload).unwrap();
    assert_eq!((row.get(plan.field::<i64>("line.to.y")), row.get(plan.field::<i64>("last"))), (-4, 99));
    let nothing = plan.field::<i64>("nothing");
    assert_eq!((plan.has(nothing), row.get(nothing)), (false, 0));
    // A field that is not what it is read as is treated as missing.
    let last = plan.field::<f64>("last");
    assert_eq!(
        (plan.has(last), row.get(last).to_bits(), row.get(plan.field::<Text>("last"))),
        (false, 0, RawStr::Null)
    );
    let mut numbers = row.get(plan.field::<Inline>("numbers")).unwrap();
    assert_eq!((numbers.varint().unwrap(), numbers.varint().unwrap()), (3, 10));
}

#[test]
fn times_by_their_annotations() {
    let fields = [
        Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS"),
        Field::new("duration", LONG).annotated(TIMESPAN, "TICKS"),
        Field::new("until", LONG).annotated(TIMESTAMP, "MILLISECONDS_SINCE_EPOCH"),
        Field::new("unset", LONG).annotated(TIMESTAMP, "TICKS"),
        Field::new("forever", LONG).annotated(TIMESPAN, "SECONDS"),
        Field::new("plain", LONG),
    ];
    let payload = Payload::new().long(998).long(6).long(1_500).long(i64::MIN).long(i64::MAX).long(3);
    let mut writer = one_event(fields, &payload, &[], &[]);
    (writer.start_nanos, writer.ticks_per_second) = (1_000_000_000, 2_000_000_000);
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let value = chunk.value(&first(&chunk)).unwrap();
    let tree = value.as_struct().unwrap();
    let contents: Vec<_> = tree.fields().map(|(field, _)| field.content()).collect();
    assert_eq!(contents[1], Some(Content::Timespan(TimeUnit::Ticks)));
    assert_eq!(contents[2], Some(Content::Timestamp(TimeUnit::Millis)));
    assert_eq!(contents[5], None);
    // An event may begin before its chunk.
    assert_eq!(
        serde_json::to_string(&tree.timed(chunk.clock())).unwrap(),
        r#"{"startTime":"1970-01-01T00:00:00.999999999Z","duration":3,"until":"1970-01-01T00:00:01.500000000Z","unset":null,"forever":"forever","plain":3}"#
    );

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Times {
        start_time: Timestamp,
        duration: Option<Timespan>,
        until: Timestamp,
        unset: Option<Timestamp>,
        forever: Option<Timespan>,
    }
    let expected = Times {
        start_time: Timestamp { nanos: 999_999_999 },
        duration: Some(Timespan { nanos: 3 }),
        until: Timestamp { nanos: 1_500_000_000 },
        unset: None,
        forever: None,
    };
    assert_eq!(chunk.deserialize::<Times>(&first(&chunk)).unwrap(), expected);

    #[derive(Deserialize, Debug)]
    struct Wrong {
        #[serde(rename = "plain")]
        _plain: Timespan,
    }
    let error = chunk.deserialize::<Wrong>(&first(&chunk)).unwrap_err();
    assert!(error.to_string().contains("not annotated as a timespan"), "{error}");
}

/// A thread group and its ancestors, with keys from 1 on; `last` is the parent of the last one.
fn groups(count: u64, last: u64) -> ChunkWriter {
    const GROUP: u64 = 60;
    let group = Class::new(GROUP, "jdk.types.ThreadGroup")
        .field(Field::new("parent", GROUP).pooled())
        .field(Field::new("name", STRING));
    let parent = |key| if key == count { last } else { key + 1 };
    let entries = (1..=count).map(|key| (key, Payload::new().varint(parent(key)).utf8("g"))).collect();
    one_event([Field::new("group", GROUP).pooled()], &Payload::new().varint(1), &[group], &[(GROUP, entries)])
}

/// Groups above the first.
fn ancestors(value: &Value<'_>) -> usize {
    let parents = std::iter::successors(value.get("group"), |group| group.get("parent"));
    parents.filter(|v| !v.is_null()).count() - 1
}

#[test]
fn circular_constants_end() {
    for (count, last) in [(1, 1), (3, 1), (3, 2)] {
        let writer = groups(count, last);
        let recording = open(&writer);
        let chunk = recording.chunk(0).unwrap();
        let value = chunk.value(&first(&chunk)).unwrap();
        assert_eq!(ancestors(&value) as u64, count - 1);
    }
}

#[test]
fn a_long_chain_of_constants_is_truncated() {
    #[derive(Deserialize)]
    struct Group {
        parent: Option<Box<Group>>,
    }
    #[derive(Deserialize)]
    struct Event {
        group: Group,
    }
    let limit = Limits::default().value_depth;
    for (count, last, whole) in [(10, 0, true), (1_000, 0, false), (1, 1, false)] {
        let writer = groups(count, last);
        let recording = open(&writer);
        let chunk = recording.chunk(0).unwrap();
        let event = first(&chunk);
        let expected = if whole { usize::try_from(count).unwrap() } else { limit };
        let read: Event = chunk.deserialize(&event).unwrap();
        assert_eq!(std::iter::successors(Some(&read.group), |g| g.parent.as_deref()).count(), expected);
        if last == 0 {
            assert_eq!(ancestors(&chunk.value(&event).unwrap()), expected - 1);
            assert_eq!(ancestors(&ValueReader::new(&chunk).depth(3).event(&event).unwrap()), 2);
        }
    }
}

#[test]
fn a_value_tree_that_is_too_large_is_an_error() {
    // Each constant contains the next one 100 times: 100^8 values without a limit.
    const BUSH: u64 = 61;
    let bush = Class::new(BUSH, "test.Bush").field(Field::new("twigs", BUSH).array().pooled());
    let constant = |key: u64| (0..100).fold(Payload::new().varint(100), |out, _| out.varint(key + 1));
    let fields = [Field::new("bush", BUSH).pooled()];
    let pool = (1..=8).map(|key| (key, constant(key))).collect();
    let writer = one_event(fields, &Payload::new().varint(1), &[bush], &[(BUSH, pool)]);
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let refused = |e: &Error| matches!(e, Error::LimitExceeded { name: "value_nodes", .. });
    assert!(refused(&chunk.value(&first(&chunk)).unwrap_err()));
    assert!(refused(&chunk.deserialize::<serde_json::Value>(&first(&chunk)).unwrap_err()));
}

#[test]
fn a_forged_count_is_an_error_and_the_next_event_is_read() {
    let mut writer = one_event([Field::new("numbers", LONG).array()], &Payload::new().varint(1 << 40), &[], &[]);
    writer.event(EVENT, &Payload::new().varint(1).varint(5));
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let events: Vec<_> = chunk.events().collect();
    let truncated = |e: &Error| matches!(e, Error::Damaged { what: Damage::Truncated, .. });
    assert!(truncated(&chunk.value(&events[0]).unwrap_err()));
    assert!(truncated(&chunk.deserialize::<serde_json::Value>(&events[0]).unwrap_err()));
    assert_eq!(chunk.value(&events[1]).unwrap().get("numbers"), Some(&Value::Array(vec![Value::I64(5)])));
}

#[test]
fn an_event_of_an_undeclared_type_is_unknown() {
    let mut writer = one_event([Field::new("n", LONG)], &Payload::new().long(1), &[], &[]);
    writer.event(4711, &Payload::new().long(1));
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let event = chunk.events().nth(1).unwrap();
    assert!(matches!(chunk.value(&event), Err(Error::Unknown { kind: "event type", .. })));
    assert!(matches!(chunk.deserialize::<serde_json::Value>(&event), Err(Error::Unknown { .. })));
}

#[test]
fn padded_sizes_frame_the_same_events() {
    for width in 1..=8 {
        let mut writer = ChunkWriter::new();
        writer.size_width = width;
        writer.metadata(&[Class::event(EVENT, "test.Event").field(Field::new("n", LONG))]);
        for n in 0..200 {
            writer.event(EVENT, &Payload::new().long(n));
        }
        writer.event(EVENT, &Payload::new().padded(200, 8).raw(&[0; 500]));
        let recording = open(&writer);
        let chunk = recording.chunk(0).unwrap();
        let plan = chunk.plan(chunk.metadata().by_id(TypeId(EVENT)).unwrap(), ["n"]).unwrap();
        let numbers: Vec<i64> =
            chunk.events().map(|e| plan.read(e.payload).unwrap().get(plan.field::<i64>("n"))).collect();
        assert_eq!(numbers, (0..=200).collect::<Vec<_>>(), "width {width}");
        let parts = chunk.segments(100);
        assert!(parts.len() > 5);
        assert_eq!(parts.into_iter().map(|p| chunk.walk(p).count()).sum::<usize>(), 202);
    }
}

#[test]
fn the_newest_metadata_counts_for_the_whole_chunk() {
    let old = Class::event(EVENT, "test.Event").field(Field::new("n", LONG));
    let new = Class::event(EVENT + 1, "test.Later").field(Field::new("m", LONG));
    let mut writer = ChunkWriter::new();
    writer.metadata(std::slice::from_ref(&old)).event(EVENT, &Payload::new().long(1));
    writer.event(EVENT + 1, &Payload::new().long(2));
    writer.metadata(&[old, new]).event(EVENT, &Payload::new().long(3));
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let seen: Vec<String> = chunk.events().map(|e| serde_json::to_string(&chunk.value(&e).unwrap()).unwrap()).collect();
    assert_eq!(seen, [r#"{"n":1}"#, r#"{"m":2}"#, r#"{"n":3}"#]);
}

#[test]
fn numbers_that_json_lacks_are_strings() {
    let fields = [
        Field::new("nan", DOUBLE),
        Field::new("up", FLOAT),
        Field::new("down", DOUBLE),
        Field::new("unsigned", LONG).annotated(UNSIGNED, ""),
        Field::new("line", CHAR),
    ];
    let payload = Payload::new()
        .raw(&f64::NAN.to_be_bytes())
        .raw(&f32::INFINITY.to_be_bytes())
        .raw(&f64::NEG_INFINITY.to_be_bytes())
        .long(-1)
        .varint(10);
    let recording = open(&one_event(fields, &payload, &[], &[]));
    let chunk = recording.chunk(0).unwrap();
    let value = chunk.value(&first(&chunk)).unwrap();
    let tree = value.as_struct().unwrap();
    assert_eq!(
        serde_json::to_string(&tree.timed(chunk.clock())).unwrap(),
        r#"{"nan":"NaN","up":"Infinity","down":"-Infinity","unsigned":18446744073709551615,"line":"\n"}"#
    );
    let mut text = jfr_parse::text::TextWriter::new(chunk.clock(), 5);
    text.event(tree);
    assert!(
        text.as_str().contains("  line = \\n\n") && text.as_str().contains("unsigned = 18446744073709551615"),
        "{}",
        text.as_str()
    );
}

#[test]
fn a_renamed_thread_has_its_latest_name() {
    const THREAD: u64 = 40;
    let thread = Class::new(THREAD, "java.lang.Thread").field(Field::new("javaName", STRING));
    let symbol = Class::symbol(41, "jdk.types.Symbol");
    let event = Class::event(EVENT, "test.Event")
        .field(Field::new("thread", THREAD).pooled())
        .field(Field::new("s", 41).pooled());
    let mut writer = ChunkWriter::new();
    writer.metadata(&[thread, symbol, event]);
    for name in ["Thread-1", "checkout"] {
        writer
            .checkpoint(&[(THREAD, vec![(1, Payload::new().utf8(name))]), (41, vec![(1, Payload::new().utf8(name))])]);
        writer.event(EVENT, &Payload::new().varint(1).varint(1));
    }
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    for event in chunk.events() {
        let value = chunk.value(&event).unwrap();
        assert_eq!((text(&value, "thread.javaName"), text(&value, "s")), (Some("checkout"), Some("Thread-1")));
    }
}

#[test]
fn recordings_of_jmcs_writer_are_read() {
    // Version 2.0, pools before metadata, small ids, stack first and start time last, pooled frames.
    const STACK: u64 = 130;
    const FRAME: u64 = 129;
    let frame = Class::new(FRAME, "jdk.types.StackFrame").field(Field::new("lineNumber", INT));
    let stack = Class::new(STACK, "jdk.types.StackTrace")
        .field(Field::new("truncated", BOOLEAN))
        .field(Field::new("frames", FRAME).array().pooled());
    let event = Class::event(EVENT, "test.Event")
        .field(Field::new("stackTrace", STACK).pooled())
        .field(Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS"));
    let mut writer = ChunkWriter::new();
    writer.version = (2, 0);
    writer.checkpoint(&[
        (STACK, vec![(1, Payload::new().byte(0).varint(3).varint(11).varint(12).varint(11))]),
        (FRAME, vec![(11, Payload::new().int(-1)), (12, Payload::new().int(40))]),
    ]);
    writer.metadata(&[frame, stack, event]);
    writer.event(EVENT, &Payload::new().varint(1).long(1_010));
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let value = chunk.value(&first(&chunk)).unwrap();
    let frames = value.path("stackTrace.frames").unwrap().as_array().unwrap();
    let lines: Vec<i64> = frames.iter().map(|f| f.get("lineNumber").unwrap().as_i64().unwrap()).collect();
    assert_eq!(lines, [-1, 40, -1]);
    let of = chunk.metadata().by_id(TypeId(EVENT)).unwrap();
    let plan = chunk.plan(of, ["startTime"]).unwrap();
    assert_eq!(plan.read(first(&chunk).payload).unwrap().get(plan.field::<Ticks>("startTime")), Ticks(1_010));
    let short = ValueReader::new(&chunk).stack_depth(2).event(&first(&chunk)).unwrap();
    assert_eq!(short.path("stackTrace.frames").unwrap().as_array().unwrap().len(), 2);
    assert_eq!(short.get("startTime"), Some(&Value::I64(1_010)));
}

#[test]
fn a_pool_of_an_undeclared_type_loses_only_the_rest_of_its_checkpoint() {
    let symbol = Class::symbol(40, "jdk.types.Symbol");
    let entry = |key, text: &str| (key, Payload::new().utf8(text));
    let mut writer = ChunkWriter::new();
    let event =
        Class::event(EVENT, "test.Event").field(Field::new("a", 40).pooled()).field(Field::new("b", 40).pooled());
    writer.metadata(&[symbol, event]);
    writer.checkpoint(&[(40, vec![entry(1, "one")]), (999, vec![entry(1, "?")]), (40, vec![entry(2, "lost")])]);
    writer.checkpoint(&[(40, vec![entry(2, "two")])]);
    writer.event(EVENT, &Payload::new().varint(1).varint(2));
    let recording = open(&writer);
    let chunk = recording.chunk(0).unwrap();
    let value = chunk.value(&first(&chunk)).unwrap();
    assert_eq!((text(&value, "a"), text(&value, "b")), (Some("one"), Some("two")));
}
