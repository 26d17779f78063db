//! Many distinct events.

use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, STRING};

use super::{
    ALLOCATION, CLASS, EXECUTION, Make, PARK, READ, SETTING, STATE, THREAD, chunk, classes, data, execution, number,
    sample, start, text,
};

/// A chunk filled with as many of these events as fit.
fn fill(n: usize, mut event: impl FnMut(u64) -> (u64, Payload)) -> Vec<u8> {
    let mut chunk = chunk();
    let mut i = 0;
    while chunk.position() < n {
        i += 1;
        let (id, payload) = event(i);
        chunk.event(id, &payload);
    }
    chunk.finish()
}

/// A chunk with events of this type, whose fields are all numbers or keys that never repeat.
fn distinct(n: usize, event: Class, fields: usize) -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&[data(), vec![event]].concat());
    let mut i = 0;
    while chunk.position() < n {
        i += 1;
        chunk.event(1_000, &(0..fields).fold(Payload::new(), |payload, _| payload.varint(i)));
    }
    chunk.finish()
}

/// An event type without fields, and as many events as fit.
fn bare(n: usize, name: &str) -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&[data(), vec![Class::event(100, name)]].concat());
    chunk.raw(&[2, 100].repeat(n / 2));
    chunk.finish()
}

pub const ALL: &[(&str, Make)] = &[
    ("samples of different stacks", |n| fill(n, |i| (EXECUTION, sample(i, 0)))),
    ("samples of different states", |n| fill(n, |i| (EXECUTION, sample(1, i)))),
    ("parks at different locks", |n| {
        fill(n, |i| (PARK, Payload::new().varint(1).varint(1).varint(1).varint(1).varint(i)))
    }),
    ("different threads", |n| {
        let mut chunk = chunk();
        let count = number(n / 40);
        let thread = |i: u64| (i, Payload::new().null().utf8(format!("thread-{i}")).varint(i).varint(0));
        chunk.checkpoint(&[(THREAD, (1..count).map(thread).collect())]);
        for i in 1..count {
            chunk.event(PARK, &Payload::new().varint(1).varint(1).varint(i).varint(1).varint(1));
        }
        chunk.finish()
    }),
    ("different classes", |n| {
        let mut chunk = chunk();
        let count = number(n / 30);
        chunk.checkpoint(&[
            (super::SYMBOL, (1..count).map(|i| (i, text(&format!("c/{i}")))).collect()),
            (CLASS, (1..count).map(|i| (i, Payload::new().varint(i))).collect()),
        ]);
        for i in 1..count {
            chunk.event(ALLOCATION, &Payload::new().varint(0).varint(i).varint(16));
        }
        chunk.finish()
    }),
    ("different paths", |n| {
        fill(n, |i| {
            let path = Payload::new().varint(1).varint(1).varint(1).varint(1).utf8(format!("/tmp/{i}"));
            (READ, path.varint(1))
        })
    }),
    ("different settings", |n| {
        fill(n, |i| (SETTING, Payload::new().varint(EXECUTION).utf8(format!("s{i}")).utf8("v")))
    }),
    ("settings of many event types", |n| {
        let count = number(n / 60);
        let types: Vec<Class> = (0..count).map(|i| Class::event(1_000 + i, &format!("test.E{i}"))).collect();
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[classes(), types].concat());
        for i in 0..count {
            chunk.event(SETTING, &Payload::new().varint(1_000 + i).utf8("enabled").utf8("true"));
        }
        chunk.finish()
    }),
    ("another setting in each chunk", |n| {
        let mut out = Vec::new();
        let mut i = 0;
        while out.len() < n {
            i += 1;
            let mut chunk = ChunkWriter::new();
            chunk.metadata(&classes());
            let setting = |name, value: String| Payload::new().varint(EXECUTION).utf8(name).utf8(value);
            chunk.event(SETTING, &setting("period", format!("{i} ms")));
            chunk.event(SETTING, &setting("threshold", format!("{i} ns")));
            chunk.event(SETTING, &setting("throttle", format!("{i}/s")));
            chunk.event(EXECUTION, &sample(1, 0));
            out.extend(chunk.finish());
        }
        out
    }),
    ("samples of an event without fields", |n| bare(n, "jdk.ExecutionSample")),
    ("collections without fields", |n| bare(n, "jdk.GarbageCollection")),
    ("heap summaries without fields", |n| bare(n, "jdk.GCHeapSummary")),
    ("reads without fields", |n| bare(n, "jdk.FileRead")),
    ("different collections", |n| {
        let of = |class: Class, field| class.field(Field::new(field, LONG));
        let class = Class::event(1_000, "jdk.GarbageCollection").field(start());
        distinct(n, ["gcId", "sumOfPauses", "longestPause"].into_iter().fold(class, of), 4)
    }),
    ("different exceptions", |n| {
        let class = Class::event(1_000, "jdk.JavaExceptionThrow").field(super::trace());
        distinct(n, class.field(Field::new("thrownClass", CLASS).pooled()), 2)
    }),
    ("different samples of one event type after the other", |n| {
        // Two types with the same name alternate.
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[data(), vec![execution(EXECUTION), execution(300)]].concat());
        let mut i = 0;
        while chunk.position() < n {
            i += 1;
            chunk.event([EXECUTION, 300][(i % 2) as usize], &sample(i, i));
        }
        chunk.finish()
    }),
    ("long texts", |n| {
        let long = "z".repeat(n / 64);
        fill(n, |_| (READ, Payload::new().varint(1).varint(1).varint(1).varint(1).utf8(&long).varint(1)))
    }),
    ("thread dumps", |n| {
        let mut chunk = ChunkWriter::new();
        let event = Class::event(1_000, "jdk.ThreadDump").field(start()).field(Field::new("result", STRING));
        chunk.metadata(&[data(), vec![event]].concat());
        let thread = "\"t\" #1 prio=5 tid=0x1 nid=0x2 waiting on condition\n   java.lang.Thread.State: RUNNABLE\n\tat a.B.c(B.java:1)\n\n";
        let dump = format!("2026-11-25 00:00:00\nFull thread dump OpenJDK (17):\n\n{}", thread.repeat(100));
        while chunk.position() < n {
            chunk.event(1_000, &Payload::new().varint(1).utf8(&dump));
        }
        chunk.finish()
    }),
    ("one long text for all", |n| {
        let mut chunk = chunk();
        chunk
            .checkpoint(&[(STRING, vec![(1, text(&"z".repeat(n / 2)))]), (STATE, vec![(1, Payload::new().pooled(1))])]);
        while chunk.position() < n {
            chunk.event(READ, &Payload::new().varint(1).varint(1).varint(1).varint(1).pooled(1).varint(1));
            chunk.event(SETTING, &Payload::new().varint(EXECUTION).pooled(1).pooled(1));
        }
        chunk.finish()
    }),
];
