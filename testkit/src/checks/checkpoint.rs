//! Checks of constants: arbitrary bytes as a checkpoint in a chunk with valid events and types.

use jfr_parse::testing::{BOOLEAN, ChunkWriter, Class, DOUBLE, Field, INT, LONG, Payload, Pool, STRING, TIMESTAMP};
use jfr_parse::{CHECKPOINT, HEADER_SIZE, Limits, Metadata, Recording};

const CLASS: u64 = 40;
const CLASS_LOADER: u64 = 41;
const SYMBOL: u64 = 42;
const METHOD: u64 = 43;
const FRAME: u64 = 44;
const FRAME_TYPE: u64 = 45;
const TRACE: u64 = 46;
const THREAD: u64 = 47;
const GROUP: u64 = 48;
const ODD: u64 = 49;
const SAMPLE: u64 = 100;

/// The types that make up stacks, and one that covers everything these do not.
fn classes() -> Vec<Class> {
    let key = |name: &str, id: u64| Field::new(name, id).pooled();
    vec![
        Class::new(CLASS, "java.lang.Class").field(key("classLoader", CLASS_LOADER)).field(key("name", SYMBOL)),
        Class::new(CLASS_LOADER, "jdk.types.ClassLoader").field(key("type", CLASS)).field(key("name", SYMBOL)),
        Class::symbol(SYMBOL, "jdk.types.Symbol"),
        Class::new(METHOD, "jdk.types.Method")
            .field(key("type", CLASS))
            .field(key("name", SYMBOL))
            .field(key("descriptor", SYMBOL))
            .field(Field::new("hidden", BOOLEAN)),
        Class::new(FRAME, "jdk.types.StackFrame")
            .field(key("method", METHOD))
            .field(Field::new("lineNumber", INT))
            .field(Field::new("bytecodeIndex", INT))
            .field(key("type", FRAME_TYPE)),
        Class::new(FRAME_TYPE, "jdk.types.FrameType").field(Field::new("description", STRING)).simple(),
        Class::new(TRACE, "jdk.types.StackTrace")
            .field(Field::new("truncated", BOOLEAN))
            .field(Field::new("frames", FRAME).array()),
        Class::new(THREAD, "java.lang.Thread")
            .field(Field::new("osName", STRING))
            .field(Field::new("osThreadId", LONG))
            .field(Field::new("javaName", STRING))
            .field(Field::new("javaThreadId", LONG))
            .field(key("group", GROUP)),
        Class::new(GROUP, "jdk.types.ThreadGroup").field(key("parent", GROUP)).field(Field::new("name", STRING)),
        Class::new(ODD, "test.Odd")
            .field(Field::new("numbers", LONG).array())
            .field(Field::new("texts", STRING).array())
            .field(Field::new("threads", THREAD).array().pooled())
            .field(Field::new("ratio", DOUBLE))
            .field(Field::new("frame", FRAME)),
        Class::event(SAMPLE, "jdk.ExecutionSample")
            .field(Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS"))
            .field(key("sampledThread", THREAD))
            .field(key("stackTrace", TRACE))
            .field(key("odd", ODD)),
    ]
}

/// The chunk that contains the checkpoint.
fn chunk(payload: &[u8]) -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&classes());
    chunk.constant_pool_position = chunk.position() as u64;
    chunk.event(CHECKPOINT.0, &Payload::new().raw(payload));
    for key in 0..4 {
        chunk.event(SAMPLE, &Payload::new().varint(2_000 + key).varint(key).varint(key).varint(key));
    }
    chunk.finish()
}

/// The types that [`checkpoint`] declares.
#[must_use]
pub fn checkpoint_types() -> Metadata {
    let bytes = chunk(&[]);
    let image = crate::Image::parse(&bytes);
    Metadata::parse(image.chunks[0].events[0].payload(), 0, &Limits::intake()).expect("it was just written")
}

/// The payload of a valid checkpoint, as a starting point.
#[must_use]
pub fn sound_checkpoint() -> Vec<u8> {
    let new = Payload::new;
    let pools: Vec<Pool> = vec![
        (
            TRACE,
            (1..4)
                .map(|n| (n, (0..n).fold(new().byte(0).varint(n), |p, i| p.varint(i).varint(n).varint(0).varint(1))))
                .collect(),
        ),
        (METHOD, (1..4).map(|n| (n, new().varint(1).varint(n).varint(2).byte(0))).collect()),
        (SYMBOL, vec![(1, new().utf8("run")), (2, new().latin1(b"()V")), (3, new().pooled(1))]),
        (CLASS, vec![(1, new().varint(1).varint(1))]),
        (CLASS_LOADER, vec![(1, new().varint(1).varint(1))]),
        (FRAME_TYPE, vec![(1, new().utf8("JIT compiled"))]),
        (THREAD, (1..4).map(|n| (n, new().utf8("main").varint(n).utf16("main").varint(1).varint(1))).collect()),
        (GROUP, vec![(1, new().varint(2).utf8("main")), (2, new().varint(1).null())]),
        (STRING, vec![(1, new().utf8("pooled")), (2, new().pooled(2))]),
        (
            ODD,
            vec![(
                1,
                new()
                    .varint(2)
                    .varint(7)
                    .varint(8)
                    .varint(1)
                    .pooled(1)
                    .varint(2)
                    .varint(1)
                    .varint(2)
                    .double(0.5)
                    .varint(1)
                    .varint(1)
                    .varint(1)
                    .varint(1),
            )],
        ),
    ];
    let mut chunk = ChunkWriter::new();
    chunk.checkpoint(&pools);
    let bytes = chunk.finish();
    let image = crate::Image::parse(&bytes);
    image.chunks[0].events[0].payload().to_vec()
}

/// Reads arbitrary bytes as the payload of a checkpoint, in every way that a recording is read.
pub fn checkpoint(payload: &[u8]) {
    let bytes = chunk(payload);
    super::recording(&bytes);
    super::convert(&bytes);
    let recording = Recording::from_bytes(&bytes, &Limits::intake()).expect("the chunk is in order");
    let chunk = recording.chunk(0).expect("the chunk is in order");
    // The bytes may claim that other checkpoints begin within events. Those events are skipped, but must be
    // reported.
    let mut events = chunk.walk(HEADER_SIZE..chunk.bytes().len());
    let read = events.by_ref().filter(|event| event.type_id.0 == SAMPLE).count();
    assert!(read == 4 || read < 4 && !events.skipped().is_empty(), "{read} events, passed over {:?}", events.skipped());
}
