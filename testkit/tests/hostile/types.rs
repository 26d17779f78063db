//! Hostile metadata.

use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, STRING};

use super::{EXECUTION, Make, data, execution, number, sample, trace};

/// A chunk with these types and one event for each of these ids.
fn declaring(classes: &[Class], events: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(classes);
    for id in events {
        chunk.event(id, &sample(1, 1));
    }
    chunk.finish()
}

/// A type with this many fields, alternately strings and numbers, so that no two of them merge into one step.
fn mixed(id: u64, fields: usize) -> Class {
    let of = |i| [LONG, STRING][i % 2];
    (0..fields).fold(Class::new(id, "test.Mixed"), |class, i| class.field(Field::new("f", of(i))))
}

const MIXED: u64 = 60;

/// Stored once in the metadata, no matter how many types have it.
const LONG_NAME: usize = 4_096;

pub const ALL: &[(&str, Make)] = &[
    ("types without fields", |n| {
        let types: Vec<Class> = (0..n / 24).map(|i| Class::new(1_000 + number(i), &format!("t{i}"))).collect();
        declaring(&types, [])
    }),
    ("event types", |n| {
        let count = n / 30;
        let types: Vec<Class> = (0..count).map(|i| Class::event(1_000 + number(i), &format!("t{i}"))).collect();
        declaring(&types, 1_000..1_000 + number(count))
    }),
    ("event types of one name", |n| {
        let count = n / 60;
        let types: Vec<Class> = (0..count).map(|i| execution(1_000 + number(i))).collect();
        declaring(&[data(), types].concat(), 1_000..1_000 + number(count))
    }),
    ("event types of one name, which rules want", |n| {
        let count = n / 40;
        let types = (0..count)
            .map(|i| Class::event(1_000 + number(i), "jdk.GarbageCollection").field(Field::new("sumOfPauses", LONG)));
        declaring(&types.collect::<Vec<_>>(), 1_000..1_000 + number(count))
    }),
    ("event types with one long name", |n| {
        let (name, count) = ("x".repeat(LONG_NAME), n / 48);
        let types: Vec<Class> = (0..count).map(|i| Class::event(1_000 + number(i), &name)).collect();
        declaring(&types, 1_000..1_000 + number(count))
    }),
    ("event types with one long label", |n| {
        let (label, count) = ("x".repeat(LONG_NAME), n / 80);
        let class = |i| Class::event(1_000 + number(i), &format!("t{i}")).annotated(70, &[("value", &label)]);
        let types: Vec<Class> = (0..count).map(class).chain([Class::annotation_type(70, "jdk.jfr.Label")]).collect();
        declaring(&types, 1_000..1_000 + number(count))
    }),
    ("types that hold one large type", |n| {
        let holders = (0..n / 30).map(|i| Class::new(1_000 + number(i), "h").field(Field::new("f", MIXED)));
        declaring(&holders.chain([mixed(MIXED, 4_000)]).collect::<Vec<_>>(), [])
    }),
    ("types within types", |n| {
        // Each of sixteen types contains the next one four times, repeated as often as there is space.
        let mut types = Vec::new();
        for i in 0..number(n / 1_600) {
            let first = 1_000 + 16 * i;
            for id in first..first + 15 {
                let four = (0..4).fold(Class::new(id, "t"), |class, _| class.field(Field::new("f", id + 1)));
                types.push(four);
            }
            types.push(Class::new(first + 15, "t").field(Field::new("f", LONG)));
        }
        declaring(&types, [])
    }),
    ("types that hold themselves", |n| {
        let class = |i| Class::new(1_000 + i, "t").field(Field::new("a", 1_000 + i)).field(Field::new("b", 1_000 + i));
        declaring(&(0..number(n / 45)).map(class).collect::<Vec<_>>(), [])
    }),
    ("an event with many large fields", |n| {
        let event = (0..n / 30)
            .fold(Class::event(EXECUTION, "jdk.ExecutionSample"), |class, _| class.field(Field::new("f", MIXED)));
        declaring(&[data(), vec![mixed(MIXED, 4_000), event.field(trace())]].concat(), [EXECUTION])
    }),
    ("an event with many fields", |n| {
        let half = n / 2;
        let event = (0..half / 20).fold(Class::event(EXECUTION, "jdk.ExecutionSample"), |class, i| {
            class.field(Field::new(&format!("f{i}"), LONG))
        });
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[data(), vec![event.field(trace())]].concat());
        while chunk.position() < n {
            chunk.event(EXECUTION, &Payload::new().varint(1));
        }
        chunk.finish()
    }),
    ("one inline field many times", |n| {
        let inner = (0..n / 60)
            .fold(Class::new(MIXED, "test.Space"), |class, _| class.field(Field::new("committedSize", LONG)));
        let event = (0..n / 60)
            .fold(Class::event(1_000, "jdk.GCHeapSummary"), |class, _| class.field(Field::new("heapSpace", MIXED)));
        declaring(&[inner, event], [1_000])
    }),
    ("an event whose fields take no bytes", |n| {
        let event = (0..n / 40).fold(Class::event(EXECUTION, "jdk.ExecutionSample").field(trace()), |class, _| {
            class.field(Field::new("f", MIXED))
        });
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[data(), vec![Class::new(MIXED, "test.Nothing"), event]].concat());
        while chunk.position() < n {
            chunk.event(EXECUTION, &Payload::new().varint(1));
        }
        chunk.finish()
    }),
    ("annotations", |n| {
        let event =
            (0..n / 10).fold(Class::event(EXECUTION, "jdk.ExecutionSample"), |class, _| class.annotated(70, &[]));
        declaring(&[event, Class::annotation_type(70, "jdk.jfr.Label")], [EXECUTION])
    }),
    ("a count of strings without strings", |_| {
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[]);
        chunk.metadata_position = number(chunk.position());
        chunk.event(0, &Payload::new().varint(0).varint(0).varint(1).varint(1 << 31));
        chunk.finish()
    }),
];
