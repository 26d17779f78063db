//! Chunks and the events in them.

use jfr_parse::testing::{BYTE, ChunkWriter, Class, Payload, padded_varint};
use jfr_parse::{CHECKPOINT, HEADER_SIZE, MAGIC, METADATA};

use super::{EXECUTION, Make, chunk, copies, data, execution, number, sample};

pub const ALL: &[(&str, Make)] = &[
    ("events of one byte", |n| {
        let mut chunk = chunk();
        chunk.raw(&vec![1; n]);
        chunk.finish()
    }),
    ("events of two bytes", |n| {
        let mut chunk = chunk();
        chunk.raw(&[2, 100].repeat(n / 2));
        chunk.finish()
    }),
    ("events of size 0", |n| {
        let mut chunk = chunk();
        chunk.raw(&vec![0; n]);
        chunk.finish()
    }),
    ("chunks that are headers", |n| copies(&ChunkWriter::new().finish(), n / HEADER_SIZE)),
    ("chunks that are equal", |n| ChunkWriter::new().finish().repeat(n / HEADER_SIZE)),
    ("chunks with equal metadata", |n| {
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[]);
        let chunk = chunk.finish();
        copies(&chunk, n / chunk.len())
    }),
    ("chunks with different metadata", |n| {
        let mut out = Vec::new();
        for i in 0.. {
            let mut chunk = ChunkWriter::new();
            chunk.metadata(&[Class::event(16_000 + i, &format!("test.Event{i}"))]);
            chunk.event(16_000 + i, &Payload::new());
            out.extend(chunk.finish());
            if out.len() >= n {
                break;
            }
        }
        out
    }),
    ("large metadata in every chunk", |n| {
        let mut out = Vec::new();
        let classes: Vec<Class> = (0..500).map(|i| Class::event(1_000 + i, &format!("test.Event{i}"))).collect();
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&classes);
        for id in 1_000..1_500 {
            chunk.event(id, &Payload::new());
        }
        let chunk = chunk.finish();
        out.extend(copies(&chunk, n / chunk.len() + 1));
        out
    }),
    ("chunks whose size is wrong", |n| {
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[]).checkpoint(&[]);
        let mut chunk = chunk.finish();
        chunk[8..16].copy_from_slice(&u64::MAX.to_be_bytes());
        copies(&chunk, n / chunk.len())
    }),
    ("chunks of size 0", |n| {
        let mut chunk = ChunkWriter::new().finish();
        chunk[8..16].fill(0);
        copies(&chunk, n / chunk.len())
    }),
    ("chunks that overlap", |n| {
        // The size of each one extends to the end of the file.
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&[]);
        let chunk = chunk.finish();
        let times = n / chunk.len();
        let mut out = copies(&chunk, times);
        let all = out.len();
        for i in 0..times {
            let at = i * chunk.len();
            out[at + 8..at + 16].copy_from_slice(&number(all - at - i % 2).to_be_bytes());
        }
        out
    }),
    ("beginnings of chunks everywhere", |n| {
        let mut chunk = chunk();
        chunk.raw(&MAGIC.repeat(n / 4));
        let mut bytes = chunk.finish();
        bytes[8..16].fill(0);
        bytes
    }),
    ("a chain of checkpoints", |n| {
        let mut chunk = chunk();
        while chunk.position() < n {
            chunk.checkpoint(&[]);
        }
        chunk.finish()
    }),
    ("a chain of checkpoints that turns", |n| {
        // Forward: each one links to the one after it.
        let mut chunk = chunk();
        let first = chunk.position();
        chunk.size_width = 2;
        while chunk.position() < n {
            let before = chunk.position();
            chunk.checkpoint_with(8, &[]);
            assert_eq!(chunk.position() - before, 8);
        }
        chunk.checkpoint_with(0, &[]);
        chunk.constant_pool_position = number(first);
        chunk.finish()
    }),
    ("checkpoints within each other", |n| {
        let mut chunk = chunk();
        let begin = chunk.position();
        // Each one begins inside the last one and extends to the end; its constants are whatever follows.
        let (mut at, mut before) = (begin, None);
        const HEAD: usize = 32;
        let end = begin + n / HEAD * HEAD;
        while at < end {
            let delta = before.map_or(0, |before: usize| number(before).wrapping_sub(number(at)));
            let mut head = padded_varint(number(end - at), 5);
            head.extend([1, 0, 0]);
            head.extend(padded_varint(delta, 1));
            head.extend([0, 1, BYTE as u8]);
            head.extend(padded_varint(number(n), 5));
            head.resize(HEAD, 0);
            chunk.raw(&head);
            before = Some(at);
            at += HEAD;
        }
        chunk.constant_pool_position = number(end - HEAD);
        chunk.finish()
    }),
    ("a chain in a circle", |n| {
        let mut chunk = chunk();
        let first = chunk.position();
        chunk.checkpoint(&[]);
        let second = chunk.position();
        while chunk.position() < n {
            chunk.checkpoint(&[]);
        }
        let mut bytes = chunk.finish();
        // The first one links to the second: its delta is the byte after size, type, start and duration.
        bytes[first + 4] = (second - first) as u8;
        bytes
    }),
    ("metadata events that do not parse", |n| {
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&data());
        while chunk.position() < n {
            chunk.event(METADATA.0, &Payload::new().varint(0).varint(0).varint(1).varint(500).raw(&[1; 500]));
        }
        chunk.metadata_position = number(HEADER_SIZE + 1);
        chunk.finish()
    }),
    ("many metadata events", |n| {
        let mut chunk = ChunkWriter::new();
        while chunk.position() < n {
            chunk.metadata(&[execution(EXECUTION)]);
            chunk.event(EXECUTION, &sample(1, 1));
        }
        chunk.finish()
    }),
    ("events of types that are not declared", |n| {
        let mut chunk = chunk();
        let mut id = 1_000;
        while chunk.position() < n {
            chunk.event(id, &Payload::new());
            id += 1;
        }
        chunk.finish()
    }),
    ("checkpoints that do not parse", |n| {
        let mut chunk = chunk();
        while chunk.position() < n {
            chunk.event(CHECKPOINT.0, &Payload::new().raw(&[0xff; 9]));
        }
        chunk.finish()
    }),
];
