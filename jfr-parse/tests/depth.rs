//! Types and constants nested as deep as the limits allow can be read on the stack of an ordinary thread.
#![allow(clippy::unwrap_used)]

use jfr_parse::testing::*;
use jfr_parse::text::TextWriter;
use jfr_parse::{Limits, Recording, ValueReader};

/// Each constant contains inline types nested to the limit, and the innermost one refers to the next constant.
fn nested(limits: &Limits) -> Vec<u8> {
    const FIRST: u64 = 200;
    let types = limits.nesting as u64;
    let class = |i: u64| {
        let name = format!("test.Level{i}");
        let inner =
            if i + 1 == types { Field::new("next", FIRST).pooled() } else { Field::new("inner", FIRST + i + 1) };
        Class::new(FIRST + i, &name).field(inner).field(Field::new("number", LONG))
    };
    let mut classes: Vec<Class> = (0..types).map(class).collect();
    classes.push(Class::event(100, "test.Deep").field(Field::new("top", FIRST).pooled()));
    let constants = (1..=2 * limits.value_depth as u64)
        .map(|key| (key, (0..types).fold(Payload::new().varint(key + 1), |payload, _| payload.varint(7))));
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&classes);
    chunk.checkpoint(&[(FIRST, constants.collect())]);
    chunk.event(100, &Payload::new().varint(1));
    chunk.finish()
}

#[test]
fn the_deepest_value_fits_the_stack_of_a_thread() {
    for limits in [Limits::intake(), Limits::tool()] {
        let bytes = nested(&limits);
        // Rust's default stack size for threads.
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let work = move || {
            let recording = Recording::from_bytes(&bytes, &limits).unwrap();
            let chunk = recording.chunk(0).unwrap();
            let event = chunk.events().next().unwrap();
            let tree = ValueReader::new(&chunk).event(&event).unwrap();
            let mut text = TextWriter::new(chunk.clock(), 5);
            text.event(tree.as_struct().unwrap());
            assert!(!text.as_str().is_empty());
            let json = serde_json::to_value(&tree).unwrap();
            let read: serde_json::Value = chunk.deserialize(&event).unwrap();
            assert_eq!(read, json);
        };
        thread.spawn(work).unwrap().join().unwrap();
    }
}
