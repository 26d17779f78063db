//! Tables filled cell by cell, for tables whose size does not grow with the number of events.

use std::sync::Arc;

use arrow_array::types::{
    DurationNanosecondType, Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt16Type,
};
use arrow_array::{ArrayRef, BooleanArray, ListArray, PrimitiveArray, RecordBatch, new_null_array};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field as ArrowField, Schema};
use hashbrown::HashMap;

use crate::column::{dictionary, strings};
use crate::schema::{Column, Shape, arrow_fields};

type Hasher = foldhash::fast::RandomState;

/// Rows under construction.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<Column>,
    cells: Vec<Cells>,
}

#[derive(Debug)]
enum Cells {
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Double(Vec<Option<f64>>),
    Text { rows: Vec<Option<u32>>, list: Vec<Arc<str>>, numbers: HashMap<Arc<str>, u32, Hasher> },
    List { ends: Vec<usize>, values: Vec<i64> },
}

impl Cells {
    fn new(of: &Shape) -> Self {
        match of {
            Shape::Bool => Self::Bool(Vec::new()),
            Shape::Double => Self::Double(Vec::new()),
            Shape::Text => Self::Text { rows: Vec::new(), list: Vec::new(), numbers: HashMap::default() },
            Shape::List(_) => Self::List { ends: Vec::new(), values: Vec::new() },
            _ => Self::Int(Vec::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Text { rows, .. } => rows.len(),
            Self::List { ends, .. } => ends.len(),
        }
    }

    fn finish(self, shape: &Shape) -> Result<ArrayRef, ArrowError> {
        Ok(match (self, shape) {
            (Self::Bool(values), _) => Arc::new(BooleanArray::from(values)),
            (Self::Double(values), _) => Arc::new(values.into_iter().collect::<PrimitiveArray<Float64Type>>()),
            (Self::Int(values), Shape::Instant) => {
                Arc::new(PrimitiveArray::<TimestampNanosecondType>::from(values).with_timezone("UTC"))
            }
            (Self::Int(values), Shape::Length) => Arc::new(PrimitiveArray::<DurationNanosecondType>::from(values)),
            (Self::Int(values), Shape::Int { bits: 32, signed: true }) => {
                let narrow = values.into_iter().map(|n| n.and_then(|n| i32::try_from(n).ok()));
                Arc::new(narrow.collect::<PrimitiveArray<Int32Type>>())
            }
            (Self::Int(values), Shape::Int { bits: 16, signed: false }) => {
                let narrow = values.into_iter().map(|n| n.and_then(|n| u16::try_from(n).ok()));
                Arc::new(narrow.collect::<PrimitiveArray<UInt16Type>>())
            }
            (Self::Int(values), _) => Arc::new(values.into_iter().collect::<PrimitiveArray<Int64Type>>()),
            (Self::Text { rows, mut list, .. }, _) => {
                // Rows without a value point to an additional null string.
                let none = u32::try_from(list.len()).unwrap_or(u32::MAX);
                let texts = list.drain(..).map(Some).chain([None]);
                let values = strings(texts)?;
                dictionary(values, Some(rows.into_iter().map(|row| row.unwrap_or(none)).collect()))?
            }
            (Self::List { ends, values }, Shape::List(inner)) => {
                let offsets = std::iter::once(0).chain(ends).map(|end| i32::try_from(end).unwrap_or(i32::MAX));
                let offsets = OffsetBuffer::new(offsets.collect::<ScalarBuffer<i32>>());
                let item = ArrowField::new("item", inner.to_arrow(true), true);
                let values = PrimitiveArray::<Int64Type>::new(values.into(), None);
                Arc::new(ListArray::try_new(Arc::new(item), offsets, Arc::new(values), None)?)
            }
            (other, shape) => new_null_array(&shape.to_arrow(true), other.len()),
        })
    }
}

impl Rows {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        let cells = columns.iter().map(|column| Cells::new(&column.shape)).collect();
        Self { columns, cells }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.first().map_or(0, Cells::len)
    }

    /// Adds a number to an integer or time column.
    pub(crate) fn int(&mut self, i: usize, value: Option<i64>) {
        if let Some(Cells::Int(values)) = self.cells.get_mut(i) {
            values.push(value);
        }
    }

    pub(crate) fn bool(&mut self, i: usize, value: Option<bool>) {
        if let Some(Cells::Bool(values)) = self.cells.get_mut(i) {
            values.push(value);
        }
    }

    pub(crate) fn double(&mut self, i: usize, value: Option<f64>) {
        if let Some(Cells::Double(values)) = self.cells.get_mut(i) {
            values.push(value);
        }
    }

    pub(crate) fn text(&mut self, i: usize, value: Option<&str>) {
        let Some(Cells::Text { rows, list, numbers }) = self.cells.get_mut(i) else { return };
        let number = value.map(|value| {
            if let Some(known) = numbers.get(value) {
                return *known;
            }
            let number = u32::try_from(list.len()).unwrap_or(u32::MAX);
            let text: Arc<str> = value.into();
            list.push(text.clone());
            numbers.insert(text, number);
            number
        });
        rows.push(number);
    }

    pub(crate) fn list(&mut self, i: usize, value: impl Iterator<Item = i64>) {
        if let Some(Cells::List { ends, values }) = self.cells.get_mut(i) {
            values.extend(value);
            ends.push(values.len());
        }
    }

    /// Takes the rows so far and leaves the table empty.
    pub(crate) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let fresh = Self::new(self.columns.clone()).cells;
        let cells = std::mem::replace(&mut self.cells, fresh);
        let arrays = cells.into_iter().zip(&self.columns).map(|(cells, column)| cells.finish(&column.shape));
        RecordBatch::try_new(
            Arc::new(Schema::new(arrow_fields(&self.columns, true))),
            arrays.collect::<Result<_, _>>()?,
        )
    }
}
