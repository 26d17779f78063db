//! Columns under construction, and the arrays made from them.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{
    ArrowPrimitiveType, DurationNanosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, ListArray, PrimitiveArray, StringArray, StructArray, UInt32Array,
    new_null_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, FieldRef};
use hashbrown::HashMap;
use jfr_parse::{ConstantKey, Cursor, Pools, RawStr, TypeId};

use crate::read::{Node, Reading};
use crate::schema::Shape;

type Hasher = foldhash::fast::RandomState;

/// The values of a column so far.
#[derive(Debug, Default)]
pub(crate) enum Col<'a> {
    /// A column that was not requested.
    #[default]
    Nothing,
    Bool(Vec<bool>),
    /// Integers, extended to 64 bits.
    Int(Vec<u64>),
    Time(Vec<Option<i64>>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Char(Vec<char>),
    Text(Box<Texts<'a>>),
    Pooled(Box<Keys>),
    Trace(Vec<ConstantKey>),
    Group(Vec<Col<'a>>),
    /// The end of each row's values.
    List(Vec<usize>, Box<Col<'a>>),
}

/// Strings, each stored once.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    string_type: TypeId,
    rows: Vec<u32>,
    list: Vec<RawStr<'a>>,
    numbers: HashMap<RawStr<'a>, u32, Hasher>,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(string_type: TypeId) -> Self {
        Self { string_type, rows: Vec::new(), list: Vec::new(), numbers: HashMap::default() }
    }

    pub(crate) fn push(&mut self, text: RawStr<'a>) {
        if let Some(&last) = self.rows.last()
            && self.list.get(last as usize) == Some(&text)
        {
            return self.rows.push(last);
        }
        let list = &mut self.list;
        let number = *self.numbers.entry(text).or_insert_with(|| {
            list.push(text);
            u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
        });
        self.rows.push(number);
    }
}

/// Constant keys, each stored once.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    rows: Vec<u32>,
    list: Vec<ConstantKey>,
    numbers: HashMap<ConstantKey, u32, Hasher>,
}

impl Keys {
    pub(crate) fn push(&mut self, key: ConstantKey) {
        if let Some(&last) = self.rows.last()
            && self.list.get(last as usize) == Some(&key)
        {
            return self.rows.push(last);
        }
        let list = &mut self.list;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            list.push(key);
            u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
        });
        self.rows.push(number);
    }
}

/// The context for turning a chunk's columns into arrays.
pub(crate) struct Finishing<'f, 'a> {
    pub(crate) pools: &'f Pools<'a>,
    pub(crate) reading: Reading,
    pub(crate) string_bytes: usize,
    /// The ids of the stacks with these keys.
    pub(crate) stacks: &'f dyn Fn(&[ConstantKey]) -> Vec<Option<i64>>,
}

/// How deep to follow constants within constants; no shape needs more.
const MAX_DEPTH: usize = 64;

impl<'a> Col<'a> {
    /// Truncates the column to `rows` values.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Nothing => {}
            Self::Bool(values) => values.truncate(rows),
            Self::Int(values) => values.truncate(rows),
            Self::Trace(keys) => keys.truncate(rows),
            Self::Time(values) => values.truncate(rows),
            Self::F32(values) => values.truncate(rows),
            Self::F64(values) => values.truncate(rows),
            Self::Char(values) => values.truncate(rows),
            Self::Text(texts) => texts.rows.truncate(rows),
            Self::Pooled(keys) => keys.rows.truncate(rows),
            Self::Group(columns) => columns.iter_mut().for_each(|column| column.truncate(rows)),
            Self::List(ends, inner) => {
                ends.truncate(rows);
                inner.truncate(ends.last().copied().unwrap_or(0));
            }
        }
    }

    /// Builds an array of `rows` values, with this shape and the Arrow type `of`. `node` is what read the values.
    pub(crate) fn finish(
        self,
        node: &Node,
        shape: &Shape,
        of: &DataType,
        rows: usize,
        f: &Finishing<'_, 'a>,
        depth: usize,
    ) -> Result<ArrayRef, ArrowError> {
        let missing = || new_null_array(of, rows);
        if depth > MAX_DEPTH {
            return Ok(missing());
        }
        Ok(match self {
            Self::Nothing => missing(),
            Self::Bool(values) => Arc::new(BooleanArray::from(values)),
            Self::Int(values) => ints(&values, shape).unwrap_or_else(missing),
            Self::Time(values) => {
                let nulls = values.iter().any(Option::is_none);
                let nulls = nulls.then(|| NullBuffer::from_iter(values.iter().map(Option::is_some)));
                let values: ScalarBuffer<i64> = values.into_iter().map(Option::unwrap_or_default).collect();
                match shape {
                    Shape::Instant => {
                        Arc::new(PrimitiveArray::<TimestampNanosecondType>::new(values, nulls).with_timezone("UTC"))
                    }
                    _ => Arc::new(PrimitiveArray::<DurationNanosecondType>::new(values, nulls)),
                }
            }
            Self::F32(values) => Arc::new(PrimitiveArray::<Float32Type>::new(values.into(), None)),
            Self::F64(values) => Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), None)),
            Self::Char(values) => {
                let texts = values.iter().map(|c| Some(c.to_string()));
                dictionary(StringArray::from_iter(texts), None)?
            }
            Self::Text(texts) => {
                let decoded = texts
                    .list
                    .iter()
                    .map(|text| f.pools.resolve(texts.string_type, *text).cut(f.string_bytes).decode_copied());
                let values = strings(decoded)?;
                dictionary(values, Some(texts.rows))?
            }
            Self::Pooled(keys) => {
                let Node::Pooled { type_id, inner: Some(inner) } = node else { return Ok(missing()) };
                constants(&keys, *type_id, inner, (shape, of), f, depth)?
            }
            Self::Trace(keys) => {
                let ids = (f.stacks)(&keys);
                Arc::new(ids.into_iter().collect::<PrimitiveArray<Int64Type>>())
            }
            Self::Group(columns) => {
                let (Shape::Struct(wanted), DataType::Struct(types), Node::Group { fields, .. }) = (shape, of, node)
                else {
                    return Ok(missing());
                };
                let arrays = group(columns, fields, (wanted, types), rows, f, depth)?;
                Arc::new(StructArray::try_new_with_length(types.clone(), arrays, None, rows)?)
            }
            Self::List(ends, inner) => {
                let (Shape::List(wanted), DataType::List(item), Node::Array { inner: node, .. }) = (shape, of, node)
                else {
                    return Ok(missing());
                };
                let n = ends.last().copied().unwrap_or(0);
                let values = inner.finish(node, wanted, item.data_type(), n, f, depth + 1)?;
                let offsets = std::iter::once(0).chain(ends).map(|end| i32::try_from(end).unwrap_or(i32::MAX));
                let offsets = OffsetBuffer::new(offsets.collect::<ScalarBuffer<i32>>());
                Arc::new(ListArray::try_new(item.clone(), offsets, values, None)?)
            }
        })
    }
}

/// Builds the arrays of a struct's fields from these columns.
pub(crate) fn group<'a>(
    columns: Vec<Col<'a>>,
    fields: &[(Node, Option<usize>)],
    (wanted, types): (&[crate::schema::Column], &[FieldRef]),
    rows: usize,
    f: &Finishing<'_, 'a>,
    depth: usize,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut arrays = Vec::with_capacity(wanted.len());
    for (i, ((column, wanted), of)) in columns.into_iter().zip(wanted).zip(types).enumerate() {
        let node = fields.iter().find(|(_, place)| *place == Some(i));
        arrays.push(match node {
            Some((node, _)) => column.finish(node, &wanted.shape, of.data_type(), rows, f, depth + 1)?,
            None => new_null_array(of.data_type(), rows),
        });
    }
    Ok(arrays)
}

/// Builds an array of the constants with these keys. Each constant is read once and then copied to its rows.
fn constants<'a>(
    keys: &Keys,
    type_id: TypeId,
    node: &Node,
    (shape, of): (&Shape, &DataType),
    f: &Finishing<'_, 'a>,
    depth: usize,
) -> Result<ArrayRef, ArrowError> {
    let mut column = node.column();
    let mut known = 0u32;
    let pool = f.pools.of_type(type_id);
    let places: Vec<Option<u32>> = keys
        .list
        .iter()
        .map(|key| {
            let bytes = pool?.get(*key)?;
            if node.read(&mut Cursor::new(bytes), &mut column, &f.reading).is_err() {
                // If a constant cannot be read, the event is still kept.
                column.truncate(known as usize);
                return None;
            }
            known += 1;
            Some(known - 1)
        })
        .collect();
    let values = column.finish(node, shape, of, known as usize, f, depth + 1)?;
    let at: UInt32Array = if places.iter().all(Option::is_some) {
        // Each constant is used once and in this order.
        UInt32Array::new(keys.rows.clone().into(), None)
    } else {
        keys.rows.iter().map(|row| places.get(*row as usize).copied().flatten()).collect()
    };
    arrow_select::take::take(&values, &at, None)
}

fn ints(values: &[u64], shape: &Shape) -> Option<ArrayRef> {
    fn array<T: ArrowPrimitiveType>(values: &[u64], of: impl Fn(u64) -> T::Native) -> ArrayRef {
        let values: ScalarBuffer<T::Native> = values.iter().map(|&n| of(n)).collect();
        Arc::new(PrimitiveArray::<T>::new(values, None))
    }
    let Shape::Int { bits, signed } = shape else { return None };
    #[expect(clippy::cast_possible_truncation, reason = "read with as many bits, at most")]
    Some(match (bits, signed) {
        (8, true) => array::<Int8Type>(values, |n| (n as u8).cast_signed()),
        (8, false) => array::<UInt8Type>(values, |n| n as u8),
        (16, true) => array::<Int16Type>(values, |n| (n as u16).cast_signed()),
        (16, false) => array::<UInt16Type>(values, |n| n as u16),
        (32, true) => array::<Int32Type>(values, |n| (n as u32).cast_signed()),
        (32, false) => array::<UInt32Type>(values, |n| n as u32),
        (_, true) => array::<Int64Type>(values, u64::cast_signed),
        (_, false) => array::<UInt64Type>(values, |n| n),
    })
}

/// Maximum bytes of strings in a column of one part of a chunk, because Arrow's offsets have 31 bits.
const MAX_TEXT: usize = 1 << 30;

/// Strings as an array.
pub(crate) fn strings<S: AsRef<str>>(texts: impl Iterator<Item = Option<S>>) -> Result<StringArray, ArrowError> {
    let texts: Vec<Option<S>> = texts.collect();
    let bytes = texts.iter().flatten().map(|text| text.as_ref().len()).fold(0, usize::saturating_add);
    if bytes > MAX_TEXT {
        return Err(ArrowError::InvalidArgumentError(format!("{bytes} bytes of text do not fit into a column")));
    }
    let mut array = StringBuilder::with_capacity(texts.len(), bytes);
    array.extend(texts);
    Ok(array.finish())
}

/// Strings by row as a dictionary array; rows with a null string are null.
pub(crate) fn dictionary(values: StringArray, rows: Option<Vec<u32>>) -> Result<ArrayRef, ArrowError> {
    let rows: Vec<u32> = rows.unwrap_or_else(|| (0u32..).take(values.len()).collect());
    let keys: PrimitiveArray<Int32Type> = if values.null_count() == 0 {
        let keys: ScalarBuffer<i32> = rows.into_iter().map(u32::cast_signed).collect();
        PrimitiveArray::new(keys, None)
    } else {
        let nulls = NullBuffer::from_iter(rows.iter().map(|row| values.is_valid(*row as usize)));
        let keys: ScalarBuffer<i32> = rows.into_iter().map(u32::cast_signed).collect();
        PrimitiveArray::new(keys, Some(nulls))
    };
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values))?))
}
