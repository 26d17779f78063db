//! Checks that the three ways of reading events and constants agree.

use jfr_parse::de::{Timespan, Timestamp};
use jfr_parse::text::TextWriter;
use jfr_parse::{Chunk, HEADER_SIZE, Inline, Kind, Limits, Plan, RawEvent, Recording, Text, Type, Value, ValueReader};
use serde::Deserialize;

/// Number of events of a type to read per chunk; further ones take the same code paths.
const EACH: usize = 3;
/// Number of events to read per chunk.
const ALL: usize = 100;
/// Number of chunks to read.
const CHUNKS: usize = 8;

/// Reads a recording as trees, as rows and with serde, and the constants of all pools as trees.
pub fn recording(bytes: &[u8]) {
    let Some(recording) = super::open(bytes) else { return };
    for chunk in recording.chunks().flatten().take(CHUNKS) {
        framing(&chunk);
        let reader = ValueReader::new(&chunk);
        let mut text = TextWriter::new(chunk.clock(), 5);
        for (of, event) in some_events(&chunk) {
            let Ok(tree) = reader.event(&event) else { continue };
            text.clear();
            let Some(fields) = tree.as_struct() else { panic!("an event is a struct") };
            text.event(fields);
            assert!(!text.as_str().contains('\u{1b}'), "an escape reaches the terminal");
            let _ = serde_json::to_value(fields.timed(chunk.clock())).expect("a tree becomes JSON");
            rows_agree(&chunk, of, &event, &tree);
        }
        for of in chunk.metadata().types().take(500) {
            let keys: Vec<jfr_parse::ConstantKey> =
                chunk.pools().of_type(of.id()).map(|p| p.keys().take(10).collect()).unwrap_or_default();
            for key in keys {
                let _ = reader.clone().depth(4).constant(of.id(), key);
                let _ = chunk.pools().string(chunk.metadata(), of.id(), key).decode();
            }
        }
    }
}

/// Walking a chunk in parts must find the same events as walking it as a whole, each within its chunk.
fn framing(chunk: &Chunk<'_>) {
    let whole = chunk.walk(HEADER_SIZE..chunk.bytes().len());
    let whole: Vec<_> = whole.map(|e| (e.offset, e.size, e.type_id)).collect();
    let mut end = HEADER_SIZE;
    for &(offset, size, _) in &whole {
        assert!(offset.0 >= end && size > 0, "events overlap");
        end = offset.0 + size;
    }
    assert!(end <= chunk.bytes().len().max(HEADER_SIZE));
    for target in [1, 777, 1 << 20] {
        let parts: Vec<_> = chunk.segments(target);
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start), "parts leave gaps");
        let walked = parts.into_iter().flat_map(|part| chunk.walk(part));
        assert!(walked.map(|e| (e.offset, e.size, e.type_id)).eq(whole.iter().copied()), "parts of {target} differ");
    }
}

/// A few events of each type.
fn some_events<'c, 'a>(chunk: &'c Chunk<'a>) -> impl Iterator<Item = (Type<'c>, RawEvent<'a>)> {
    let mut seen = std::collections::HashMap::new();
    let events = chunk.events().filter(move |event| {
        let n: &mut usize = seen.entry(event.type_id).or_default();
        *n += 1;
        *n <= EACH
    });
    events.filter_map(|event| Some((chunk.metadata().by_id(event.type_id)?, event))).take(ALL)
}

/// A plan must read the same values as the tree has.
fn rows_agree(chunk: &Chunk<'_>, of: Type<'_>, event: &RawEvent<'_>, tree: &Value<'_>) {
    for field in of.fields() {
        // If two fields have the same name, the tree returns the first and a plan the last.
        if of.fields().filter(|f| f.name() == field.name()).count() > 1 || field.name().contains('.') {
            continue;
        }
        let limits = chunk.limits();
        let plans = [Plan::new(of, [field.name()], limits), Plan::whole(of, [field.name()], limits)];
        for plan in plans.into_iter().flatten() {
            let row = event.read(&plan).expect("the tree could be read");
            let [column] = plan.columns();
            let Some(value) = tree.get(field.name()) else { panic!("{field:?} is not in the tree") };
            if field.is_array() {
                let Some(mut at) = row.get(column.of::<Inline>()) else { panic!("{field:?} is not in the row") };
                let stack = field.value_type().is_some_and(|t| t.is_named("jdk.types.StackFrame"));
                let n = at.varint().expect("the tree could be read");
                let found = value.as_array().map_or(0, <[_]>::len) as u64;
                assert!(found == n || found == 0 || stack && found <= n, "{field:?}: {found} of {n}");
            } else if field.is_pooled() {
                let key = value.as_struct().and_then(|s| s.key());
                // A constant of a type that wraps a single field does not show its own key.
                if key.is_some() && !field.value_type().is_some_and(|t| t.is_simple()) {
                    assert_eq!(key, Some(row.get(column.of::<jfr_parse::ConstantKey>())), "{field:?}");
                }
            } else {
                match (field.value_type().map(|t| t.kind()), value) {
                    (_, Value::I64(n)) => assert_eq!(row.get(column.of::<i64>()), *n, "{field:?}"),
                    (_, Value::U64(n)) => assert_eq!(row.get(column.of::<u64>()), *n, "{field:?}"),
                    (_, Value::Bool(b)) => assert_eq!(row.get(column.of::<bool>()), *b, "{field:?}"),
                    (_, Value::F64(n)) => assert_eq!(row.get(column.of::<f64>()).to_bits(), n.to_bits(), "{field:?}"),
                    (Some(Kind::String), Value::Str(text)) => {
                        let string = chunk.pools().resolve(field.type_id(), row.get(column.of::<Text>()));
                        assert_eq!(string.decode().as_deref(), Some(&**text), "{field:?}");
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A thread, a class and a stack trace as a user might ask for them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "being filled is all that is asked of it")]
struct Common<'a> {
    start_time: Timestamp,
    #[serde(default)]
    duration: Option<Timespan>,
    #[serde(borrow)]
    event_thread: Option<Thread<'a>>,
    #[serde(borrow)]
    stack_trace: Option<StackTrace<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "being filled is all that is asked of it")]
struct Thread<'a> {
    #[serde(borrow)]
    java_name: Option<std::borrow::Cow<'a, str>>,
    os_thread_id: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "being filled is all that is asked of it")]
struct StackTrace<'a> {
    truncated: bool,
    #[serde(borrow)]
    frames: Vec<Frame<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "being filled is all that is asked of it")]
struct Frame<'a> {
    #[serde(borrow)]
    method: Option<Method<'a>>,
    line_number: i32,
    r#type: Option<FrameType>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "being filled is all that is asked of it")]
struct Method<'a> {
    #[serde(borrow)]
    name: Option<std::borrow::Cow<'a, str>>,
    r#type: Option<Class>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "being filled is all that is asked of it")]
struct Class {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
enum FrameType {
    Interpreted,
    #[serde(rename = "JIT compiled")]
    Compiled,
    Inlined,
    Native,
    #[serde(other)]
    Other,
}

/// Reads a recording with serde into structs and into JSON, which must equal the JSON of the tree.
pub fn serde(bytes: &[u8]) {
    // With a limit on frames, the tree would have fewer than serde, which has no such limit.
    let mut limits = Limits::intake();
    limits.stack_frames = usize::MAX;
    // Forged constants can branch for each event until this stops them.
    limits.value_nodes = 1 << 13;
    let Ok(recording) = Recording::from_bytes(bytes, &limits) else { return };
    for chunk in recording.chunks().flatten().take(CHUNKS) {
        let reader = ValueReader::new(&chunk);
        for (of, event) in some_events(&chunk) {
            let _ = chunk.deserialize::<serde::de::IgnoredAny>(&event);
            let _ = chunk.deserialize::<Common<'_>>(&event);
            let Ok(json) = chunk.deserialize::<serde_json::Value>(&event) else { continue };
            if let Ok(tree) = reader.event(&event)
                && whole(&tree)
            {
                let of_tree = serde_json::to_value(&tree).expect("a tree becomes JSON");
                assert_eq!(json, of_tree, "{of:?} at {}", event.offset.0);
            }
        }
    }
}

/// Whether a tree is complete: values are left out if references form a cycle or a constant cannot be read.
fn whole(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Array(values) => values.iter().all(whole),
        Value::Struct(value) => value.fields().all(|(_, value)| whole(value)),
        _ => true,
    }
}
