//! Decodes value trees.

use super::{StructValue, Value};
use crate::chunk::Chunk;
use crate::cursor::Cursor;
use crate::error::{Damage, Error, Result, Short};
use crate::event::RawEvent;
use crate::ids::{ConstantKey, TypeId};
use crate::layout::{Budget, Layout};
use crate::leaf::{Leaf, count};
use crate::limits::Limits;
use crate::metadata::{Field, Kind, Metadata, Type};
use crate::pools::Pools;
use crate::stop::Stop;

/// Decodes events and constants of one chunk into value trees. [`Chunk::value`] is a shortcut.
///
/// A reference back to a constant that contains it (a thread group may be its own ancestor) is [`Value::Null`],
/// and so is anything more than [`Limits::value_depth`] references deep.
#[derive(Debug, Clone)]
pub struct ValueReader<'c> {
    metadata: &'c Metadata,
    limits: &'c Limits,
    stop: &'c Stop,
    offset: u64,
    pools: &'c Pools<'c>,
    depth: usize,
    frames: usize,
}

/// Why a value cannot be decoded.
enum Fail {
    Short,
    Undeclared,
    TooDeep,
    /// The limit with this name was exceeded.
    Limit(&'static str),
}

impl From<Short> for Fail {
    fn from(_: Short) -> Self {
        Self::Short
    }
}

impl<'c> ValueReader<'c> {
    /// A reader for values of `chunk`. Indexes the constants of the chunk if that has not been done yet.
    #[must_use]
    pub fn new(chunk: &'c Chunk<'_>) -> Self {
        let limits = chunk.limits();
        Self {
            metadata: chunk.metadata(),
            limits,
            stop: chunk.stop(),
            offset: chunk.offset(),
            pools: chunk.pools(),
            depth: limits.value_depth,
            frames: limits.stack_frames,
        }
    }

    /// Follows references at most `depth` levels deep, if that is less than the limit.
    #[must_use]
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = self.depth.min(depth);
        self
    }

    /// Decodes only the first `frames` frames of each stack trace that are not hidden.
    #[must_use]
    pub fn stack_depth(mut self, frames: usize) -> Self {
        self.frames = self.frames.min(frames);
        self
    }

    /// Decodes the fields of an event into a [`Value::Struct`].
    ///
    /// # Errors
    /// [`Error::Unknown`] for an event of an undeclared type, [`Error::Damaged`] if the event does not match
    /// its type, [`Error::LimitExceeded`] beyond [`Limits::value_nodes`], [`Limits::array_elements`] or
    /// [`Limits::string_bytes`], [`Error::Stopped`].
    pub fn event(&self, event: &RawEvent<'c>) -> Result<Value<'c>> {
        let of = self.metadata.by_id(event.type_id);
        let of = of.ok_or_else(|| Error::Unknown { kind: "event type", name: event.type_id.to_string() })?;
        self.stop.check()?;
        let mut run = self.run();
        let value = run.fields(of, None, &mut Cursor::new(event.payload), self.nesting());
        value.map_err(|why| self.error(why, event.offset.0))
    }

    /// Decodes the constant with this key in the pool of this type; [`Value::Null`] if there is none.
    ///
    /// # Errors
    /// Same as [`event`](Self::event), except [`Error::Unknown`].
    pub fn constant(&self, type_id: TypeId, key: ConstantKey) -> Result<Value<'c>> {
        let Some(of) = self.metadata.by_id(type_id) else { return Ok(Value::Null) };
        self.run().constant(of, key, false).map_err(|why| self.error(why, 0))
    }

    fn nesting(&self) -> usize {
        self.limits.nesting
    }

    fn run(&self) -> Run<'_, 'c> {
        Run { reader: self, path: Vec::new(), open: 0, nodes: self.limits.value_nodes }
    }

    fn error(&self, why: Fail, offset: usize) -> Error {
        let offset = self.offset.saturating_add(offset as u64);
        match why {
            Fail::Short => Error::damaged(offset, Damage::Truncated),
            Fail::Undeclared => Error::damaged(offset, Damage::BadMetadata),
            Fail::TooDeep => Error::damaged(offset, Damage::TooDeep),
            Fail::Limit(name) => self.limits.exceeded(name, offset),
        }
    }
}

/// The state for decoding one tree.
struct Run<'r, 'c> {
    reader: &'r ValueReader<'c>,
    /// The constants that contain the value being decoded, as (type id, key).
    path: Vec<(TypeId, ConstantKey)>,
    /// Number of constants and inline types that contain the value being decoded. The inline types of a
    /// constant can nest again, so `path` alone would not bound the stack.
    open: usize,
    /// How many more values may be created.
    nodes: usize,
}

impl<'c> Run<'_, 'c> {
    fn spend(&mut self) -> Result<(), Fail> {
        self.nodes = self.nodes.checked_sub(1).ok_or(Fail::Limit("value_nodes"))?;
        Ok(())
    }

    fn fields(
        &mut self,
        of: Type<'c>,
        key: Option<ConstantKey>,
        at: &mut Cursor<'c>,
        nesting: usize,
    ) -> Result<Value<'c>, Fail> {
        let fields = of.fields();
        let mut values = Vec::with_capacity(fields.len());
        for field in fields {
            values.push(self.field(field, at, nesting)?);
        }
        Ok(Value::Struct(StructValue { of, key, values }))
    }

    fn field(&mut self, field: Field<'c>, at: &mut Cursor<'c>, nesting: usize) -> Result<Value<'c>, Fail> {
        self.spend()?;
        if !field.is_array() {
            return self.scalar(field, at, nesting);
        }
        let of = field.value_type();
        let bare = |of: Type<'_>| of.kind() == Kind::Struct && of.fields().len() == 0;
        let n = count(at, !field.is_pooled() && of.is_some_and(bare))?;
        if n > self.reader.limits.array_elements {
            return Err(Fail::Limit("array_elements"));
        }
        let stack = of.is_some_and(|of| of.is_named("jdk.types.StackFrame"));
        let mut shown = self.reader.frames;
        let mut values = Vec::with_capacity(n.min(64).min(if stack { shown } else { n }));
        for i in 0..n {
            if stack && shown == 0 {
                // An event can continue after an inline stack trace.
                self.skip(field, at, n - i)?;
                break;
            }
            self.spend()?;
            let value = self.scalar(field, at, nesting)?;
            if stack && value.path("method.hidden") != Some(&Value::Bool(true)) {
                shown -= 1;
            }
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    /// Skips `n` elements of an array.
    fn skip(&mut self, field: Field<'c>, at: &mut Cursor<'c>, n: usize) -> Result<(), Fail> {
        let layout = Layout::of_element(field, self.reader.limits, &mut Budget::single()).ok_or(Fail::TooDeep)?;
        for _ in 0..n {
            layout.skip(at)?;
        }
        Ok(())
    }

    fn scalar(&mut self, field: Field<'c>, at: &mut Cursor<'c>, nesting: usize) -> Result<Value<'c>, Fail> {
        if field.is_pooled() {
            let key = ConstantKey(at.varint()?);
            let Some(of) = field.value_type() else { return Ok(Value::Null) };
            return self.constant(of, key, field.is_unsigned());
        }
        let of = field.value_type().ok_or(Fail::Undeclared)?;
        self.value(of, None, field.is_unsigned(), at, nesting)
    }

    fn constant(&mut self, of: Type<'c>, key: ConstantKey, unsigned: bool) -> Result<Value<'c>, Fail> {
        let Some(bytes) = self.reader.pools.get(of.id(), key) else { return Ok(Value::Null) };
        let here = (of.id(), key);
        if self.path.len().max(self.open) >= self.reader.depth || self.path.contains(&here) {
            return Ok(Value::Null);
        }
        self.path.push(here);
        let value = self.value(of, Some(key), unsigned, &mut Cursor::new(bytes), self.reader.nesting());
        self.path.pop();
        match value {
            // A single unreadable constant does not invalidate the event.
            Err(Fail::Short | Fail::Undeclared | Fail::TooDeep) => Ok(Value::Null),
            other => other,
        }
    }

    fn value(
        &mut self,
        of: Type<'c>,
        key: Option<ConstantKey>,
        unsigned: bool,
        at: &mut Cursor<'c>,
        nesting: usize,
    ) -> Result<Value<'c>, Fail> {
        if let Some(leaf) = Leaf::read(of.kind(), unsigned, at)? {
            return self.leaf(of, leaf);
        }
        let nesting = nesting.checked_sub(1).ok_or(Fail::TooDeep)?;
        let mut fields = of.fields();
        self.open += 1;
        let value = match (fields.next(), fields.next()) {
            (Some(only), None) if of.is_simple() => self.field(only, at, nesting),
            _ => self.fields(of, key, at, nesting),
        };
        self.open -= 1;
        value
    }

    fn leaf(&self, of: Type<'c>, leaf: Leaf<'c>) -> Result<Value<'c>, Fail> {
        Ok(match leaf {
            Leaf::Bool(b) => Value::Bool(b),
            Leaf::Signed(n) => Value::I64(n),
            Leaf::Unsigned(n) => Value::U64(n),
            Leaf::F32(n) => Value::F32(n),
            Leaf::F64(n) => Value::F64(n),
            Leaf::Char(c) => Value::Char(c),
            Leaf::Str(raw) => {
                let raw = self.reader.pools.resolve(of.id(), raw);
                if raw.bytes().len() > self.reader.limits.string_bytes {
                    return Err(Fail::Limit("string_bytes"));
                }
                raw.decode().map_or(Value::Null, Value::Str)
            }
        })
    }
}
