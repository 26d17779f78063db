//! Recordings crafted to be expensive, of about the requested size.
//!
//! Each is a function of the number of bytes; [`all`] lists them. With twice the bytes there is twice as much
//! of the same, so that work can be compared.
#![allow(dead_code, unreachable_pub, clippy::cast_possible_truncation, clippy::indexing_slicing, clippy::unwrap_used)]

mod constants;
mod events;
mod framing;
mod types;

use jfr_parse::testing::{BOOLEAN, ChunkWriter, Class, Field, INT, LONG, Payload, STRING, TIMESPAN, TIMESTAMP};

pub type Make = fn(usize) -> Vec<u8>;

/// All hostile recordings, by name.
pub fn all() -> Vec<(&'static str, Make)> {
    [framing::ALL, types::ALL, constants::ALL, events::ALL].concat()
}

/// Chunks that differ in when they begin only: equal ones would count once.
pub fn copies(chunk: &[u8], times: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunk.len() * times);
    for i in 0..times {
        let from = out.len() + 32;
        out.extend(chunk);
        let start = i64::from_be_bytes(out[from..from + 8].try_into().unwrap());
        out[from..from + 8].copy_from_slice(&(start + i64::try_from(i).unwrap()).to_be_bytes());
    }
    out
}

pub const TRACE: u64 = 40;
pub const FRAME: u64 = 41;
pub const METHOD: u64 = 42;
pub const CLASS: u64 = 43;
pub const SYMBOL: u64 = 44;
pub const THREAD: u64 = 45;
pub const STATE: u64 = 46;
pub const GROUP: u64 = 47;

/// Event types declared by [`classes`].
pub const EXECUTION: u64 = 100;
pub const SETTING: u64 = 101;
pub const PARK: u64 = 102;
pub const READ: u64 = 103;
pub const ALLOCATION: u64 = 104;

/// The data types of a JVM, as far as profiles need them.
pub fn data() -> Vec<Class> {
    vec![
        Class::new(TRACE, "jdk.types.StackTrace")
            .field(Field::new("truncated", BOOLEAN))
            .field(Field::new("frames", FRAME).array()),
        Class::new(FRAME, "jdk.types.StackFrame")
            .field(Field::new("method", METHOD).pooled())
            .field(Field::new("lineNumber", INT)),
        Class::new(METHOD, "jdk.types.Method")
            .field(Field::new("type", CLASS).pooled())
            .field(Field::new("name", SYMBOL).pooled())
            .field(Field::new("descriptor", SYMBOL).pooled()),
        Class::new(CLASS, "java.lang.Class").field(Field::new("name", SYMBOL).pooled()),
        Class::symbol(SYMBOL, "jdk.types.Symbol"),
        Class::new(THREAD, "java.lang.Thread")
            .field(Field::new("osName", STRING))
            .field(Field::new("javaName", STRING))
            .field(Field::new("javaThreadId", LONG))
            .field(Field::new("group", GROUP).pooled()),
        Class::new(STATE, "jdk.types.ThreadState").field(Field::new("name", STRING)).simple(),
        Class::new(GROUP, "jdk.types.ThreadGroup")
            .field(Field::new("parent", GROUP).pooled())
            .field(Field::new("name", STRING)),
    ]
}

pub fn start() -> Field {
    Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS")
}

pub fn duration() -> Field {
    Field::new("duration", LONG).annotated(TIMESPAN, "TICKS")
}

pub fn trace() -> Field {
    Field::new("stackTrace", TRACE).pooled()
}

pub fn execution(id: u64) -> Class {
    Class::event(id, "jdk.ExecutionSample").field(trace()).field(Field::new("state", STATE).pooled())
}

/// Data types and some events.
pub fn classes() -> Vec<Class> {
    let mut classes = data();
    classes.extend([
        execution(EXECUTION),
        Class::event(SETTING, "jdk.ActiveSetting")
            .field(Field::new("id", LONG))
            .field(Field::new("name", STRING))
            .field(Field::new("value", STRING)),
        Class::event(PARK, "jdk.ThreadPark")
            .field(start())
            .field(duration())
            .field(Field::new("eventThread", THREAD).pooled())
            .field(trace())
            .field(Field::new("parkedClass", CLASS).pooled()),
        Class::event(READ, "jdk.FileRead")
            .field(start())
            .field(duration())
            .field(Field::new("eventThread", THREAD).pooled())
            .field(trace())
            .field(Field::new("path", STRING))
            .field(Field::new("bytesRead", LONG)),
        Class::event(ALLOCATION, "jdk.ObjectAllocationInNewTLAB")
            .field(trace())
            .field(Field::new("objectClass", CLASS).pooled())
            .field(Field::new("tlabSize", LONG)),
    ]);
    classes
}

/// A chunk that declares [`classes`].
pub fn chunk() -> ChunkWriter {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&classes());
    chunk
}

pub fn number(value: usize) -> u64 {
    value as u64
}

/// A symbol, or a name that is a string.
pub fn text(text: &str) -> Payload {
    Payload::new().utf8(text)
}

/// A stack trace of these methods, at line 1.
pub fn stack(methods: impl ExactSizeIterator<Item = u64>) -> Payload {
    let trace = Payload::new().byte(0).varint(methods.len() as u64);
    methods.fold(trace, |trace, method| trace.varint(method).varint(1))
}

/// A method of the class, name and descriptor with these keys.
pub fn method(class: u64, name: u64, descriptor: u64) -> Payload {
    Payload::new().varint(class).varint(name).varint(descriptor)
}

/// An execution sample with this stack trace key and state key.
pub fn sample(stack: u64, state: u64) -> Payload {
    Payload::new().varint(stack).varint(state)
}
