//! Writes small recordings for tests, valid and malformed. Not part of the stable interface.
//!
//! Damaging real recordings belongs in `testkit`. Start with [`ChunkWriter`]; `metadata.rs` has [`Class`] and
//! [`Field`], which declare types.
//!
//! ```
//! use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload};
//!
//! # fn main() -> jfr_parse::Result<()> {
//! let mut chunk = ChunkWriter::new();
//! chunk.metadata(&[Class::event(100, "test.Tick").field(Field::new("startTime", LONG))]);
//! chunk.event(100, &Payload::new().varint(42));
//! let bytes = chunk.finish();
//! let recording = jfr_parse::Recording::from_bytes(bytes, &Default::default())?;
//! assert_eq!(recording.chunk(0)?.events().count(), 1);
//! # Ok(())
//! # }
//! ```

mod metadata;

use std::path::{Path, PathBuf};

pub use metadata::{Class, Field};

use crate::cursor::push_varint;
use crate::event::{CHECKPOINT, METADATA};
use crate::header::{HEADER_SIZE, MAGIC};

/// The path of a file or directory in `fixtures/` of this repository.
#[must_use]
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(path)
}

/// The path of a file or directory in `../shared/corpus`, which is not part of this repository. If it is missing, prints
/// that a test is skipped, wholly or in part, and returns `None`.
#[must_use]
#[track_caller]
pub fn corpus(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus").join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: ../shared/corpus/{path} is not there ({})", std::panic::Location::caller());
    None
}

/// Type ids of the primitives that [`ChunkWriter::metadata`] always declares.
pub const BOOLEAN: u64 = 4;
/// See [`BOOLEAN`].
pub const CHAR: u64 = 5;
/// See [`BOOLEAN`].
pub const FLOAT: u64 = 6;
/// See [`BOOLEAN`].
pub const DOUBLE: u64 = 7;
/// See [`BOOLEAN`].
pub const BYTE: u64 = 8;
/// See [`BOOLEAN`].
pub const SHORT: u64 = 9;
/// See [`BOOLEAN`].
pub const INT: u64 = 10;
/// See [`BOOLEAN`].
pub const LONG: u64 = 11;
/// `java.lang.String`, see [`BOOLEAN`].
pub const STRING: u64 = 21;
/// The annotation type `jdk.jfr.Timestamp`, see [`BOOLEAN`].
pub const TIMESTAMP: u64 = 30;
/// The annotation type `jdk.jfr.Timespan`, see [`BOOLEAN`].
pub const TIMESPAN: u64 = 31;
/// The annotation type `jdk.jfr.Unsigned`, see [`BOOLEAN`].
pub const UNSIGNED: u64 = 32;
/// The annotation type `jdk.jfr.DataAmount`, see [`BOOLEAN`].
pub const DATA_AMOUNT: u64 = 33;

/// A varint padded to at least `width` bytes (at most eight), as some writers do.
#[must_use]
pub fn padded_varint(value: u64, width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, value);
    while out.len() < width.min(8) {
        if let Some(last) = out.last_mut() {
            *last |= 0x80;
        }
        out.push(0);
    }
    out
}

/// The encoded fields of an event or a constant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// A payload without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The encoded bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Appends arbitrary bytes.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a varint: a number, a key or a count.
    #[must_use]
    pub fn varint(mut self, value: u64) -> Self {
        push_varint(&mut self.0, value);
        self
    }

    /// Appends a varint padded to at least `width` bytes.
    #[must_use]
    pub fn padded(self, value: u64, width: usize) -> Self {
        self.raw(&padded_varint(value, width))
    }

    /// Appends a long, sign-extended.
    #[must_use]
    pub fn long(self, value: i64) -> Self {
        self.varint(value.cast_unsigned())
    }

    /// Appends an int as the JDK writes it: masked to 32 bits.
    #[must_use]
    pub fn int(self, value: i32) -> Self {
        self.varint(value.cast_unsigned().into())
    }

    /// Appends one byte: a byte or a boolean.
    #[must_use]
    pub fn byte(self, value: u8) -> Self {
        self.raw(&[value])
    }

    /// Appends a float.
    #[must_use]
    pub fn float(self, value: f32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a double.
    #[must_use]
    pub fn double(self, value: f64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a null string.
    #[must_use]
    pub fn null(self) -> Self {
        self.byte(0)
    }

    /// Appends an empty string.
    #[must_use]
    pub fn empty(self) -> Self {
        self.byte(1)
    }

    /// Appends a reference to a string in the pool of strings.
    #[must_use]
    pub fn pooled(self, key: u64) -> Self {
        self.byte(2).varint(key)
    }

    /// Appends a string that is nominally UTF-8.
    #[must_use]
    pub fn utf8(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.byte(3).varint(bytes.len() as u64).raw(bytes)
    }

    /// Appends a string as UTF-16 code units.
    #[must_use]
    pub fn utf16(self, text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        units.iter().fold(self.byte(4).varint(units.len() as u64), |out, unit| out.varint((*unit).into()))
    }

    /// Appends a string as ISO-8859-1 bytes.
    #[must_use]
    pub fn latin1(self, bytes: &[u8]) -> Self {
        self.byte(5).varint(bytes.len() as u64).raw(bytes)
    }
}

/// A pool in a checkpoint: the type id, and the keys with their values.
pub type Pool = (u64, Vec<(u64, Payload)>);

/// Writes one chunk. The header describes what was written, unless its fields are changed by hand.
#[derive(Debug, Clone)]
pub struct ChunkWriter {
    bytes: Vec<u8>,
    /// Major and minor version.
    pub version: (u16, u16),
    /// Wall-clock time at the beginning, in nanoseconds since the Unix epoch.
    pub start_nanos: i64,
    /// Duration in nanoseconds.
    pub duration_nanos: i64,
    /// Tick counter at the beginning.
    pub start_ticks: i64,
    /// Ticks per second.
    pub ticks_per_second: i64,
    /// 0 for a finished chunk.
    pub state: u8,
    /// Bit 0: integers are varints.
    pub flags: u16,
    /// Offset of the newest checkpoint event.
    pub constant_pool_position: u64,
    /// Offset of the newest metadata event.
    pub metadata_position: u64,
    /// Number of bytes to which the size field of an event is padded.
    pub size_width: usize,
}

impl Default for ChunkWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkWriter {
    /// An empty, finished chunk of version 2.1 that begins in 2026 and whose clock ticks once per nanosecond.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: vec![0; HEADER_SIZE],
            version: (2, 1),
            start_nanos: 1_780_000_000_000_000_000,
            duration_nanos: 1_000_000_000,
            start_ticks: 1_000,
            ticks_per_second: 1_000_000_000,
            state: 0,
            flags: 1,
            constant_pool_position: 0,
            metadata_position: 0,
            size_width: 1,
        }
    }

    /// Offset at which the next event will begin.
    #[must_use]
    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    /// Appends bytes that are not an event.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends an event. Its size field is as short as possible, but not shorter than `size_width`.
    pub fn event(&mut self, type_id: u64, payload: &Payload) -> &mut Self {
        let mut body = Vec::new();
        push_varint(&mut body, type_id);
        body.extend_from_slice(&payload.0);
        let mut width = self.size_width;
        let size = loop {
            let size = padded_varint((width + body.len()) as u64, width);
            if size.len() <= width {
                break size;
            }
            width = size.len();
        };
        self.raw(&size).raw(&body)
    }

    /// Appends a metadata event with these classes, the primitives and a region. It becomes the newest one.
    pub fn metadata(&mut self, classes: &[Class]) -> &mut Self {
        self.metadata_position = self.position() as u64;
        let payload = metadata::payload(classes);
        self.event(METADATA.0, &payload)
    }

    /// Appends a checkpoint, chained to the previous one. It becomes the newest one.
    pub fn checkpoint(&mut self, pools: &[Pool]) -> &mut Self {
        let here = self.position() as u64;
        let delta = match self.constant_pool_position {
            0 => 0,
            before => before.wrapping_sub(here).cast_signed(),
        };
        self.constant_pool_position = here;
        self.checkpoint_with(delta, pools)
    }

    /// Appends a checkpoint with an arbitrary link to another one, without updating the header.
    pub fn checkpoint_with(&mut self, delta: i64, pools: &[Pool]) -> &mut Self {
        let mut payload = Payload::new().varint(0).varint(0).long(delta).byte(0).varint(pools.len() as u64);
        for (type_id, entries) in pools {
            payload = payload.varint(*type_id).varint(entries.len() as u64);
            for (key, value) in entries {
                payload = payload.varint(*key).raw(&value.0);
            }
        }
        self.event(CHECKPOINT.0, &payload)
    }

    /// The bytes of the chunk.
    #[must_use]
    pub fn finish(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len());
        out.extend(MAGIC);
        out.extend(self.version.0.to_be_bytes());
        out.extend(self.version.1.to_be_bytes());
        out.extend((self.bytes.len() as u64).to_be_bytes());
        out.extend(self.constant_pool_position.to_be_bytes());
        out.extend(self.metadata_position.to_be_bytes());
        out.extend(self.start_nanos.to_be_bytes());
        out.extend(self.duration_nanos.to_be_bytes());
        out.extend(self.start_ticks.to_be_bytes());
        out.extend(self.ticks_per_second.to_be_bytes());
        out.extend([self.state, 0]);
        out.extend(self.flags.to_be_bytes());
        out.extend(self.bytes.iter().skip(HEADER_SIZE));
        out
    }
}
