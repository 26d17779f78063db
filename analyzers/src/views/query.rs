//! Compiled queries: with hidden columns for sorting, and the definition of a row.

use super::catalog::{Kind, View};
use super::syntax::{Aggregate, CellFormat, Condition, FieldRef, Source};

/// A column of a query, visible or hidden.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) title: Option<String>,
    pub(crate) format: CellFormat,
    pub(crate) aggregate: Option<Aggregate>,
    pub(crate) field: FieldRef,
}

/// What becomes a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Each event.
    Event,
    /// All events with the same key; without keys, all events.
    Group,
}

/// A compiled query.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
    pub(crate) from: Vec<Source>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) columns: Vec<Column>,
    /// The number of visible columns.
    pub(crate) shown: usize,
    /// Whether this is `SELECT *`: the columns are those of the event type.
    pub(crate) star: bool,
    pub(crate) group_by: Vec<FieldRef>,
    /// The columns by which rows are sorted, most important first, and whether the order is descending.
    pub(crate) order: Vec<(usize, Option<bool>)>,
    pub(crate) limit: Option<usize>,
    pub(crate) mode: Mode,
}

impl Compiled {
    pub(crate) fn new(view: &View) -> Self {
        let query = &view.query;
        let mut columns: Vec<Column> = query
            .select
            .iter()
            .enumerate()
            .map(|(i, item)| Column {
                title: query.titles.get(i).cloned(),
                format: query.formats.get(i).cloned().unwrap_or_default(),
                aggregate: item.aggregate,
                field: item.field.clone(),
            })
            .collect();
        let shown = columns.len();
        let mut order = Vec::new();
        for key in &query.order_by {
            let by_alias = query.select.iter().position(|item| item.alias.as_deref() == Some(&key.field.path));
            let found = by_alias.filter(|_| key.aggregate.is_none()).or_else(|| {
                columns.iter().position(|column| {
                    column.field.path == key.field.path
                        && (key.field.sources.is_empty() || key.field.sources == column.field.sources)
                        && (key.aggregate.is_none() || key.aggregate == column.aggregate)
                })
            });
            let column = found.unwrap_or_else(|| {
                columns.push(Column {
                    title: None,
                    format: CellFormat::default(),
                    aggregate: key.aggregate,
                    field: key.field.clone(),
                });
                columns.len() - 1
            });
            order.push((column, key.descending));
        }
        let aggregates = columns.iter().any(|column| column.aggregate.is_some());
        let group = (aggregates || !query.group_by.is_empty() || view.kind == Kind::Form) && !query.select.is_empty();
        let mut compiled = Self {
            name: view.name.clone(),
            title: view.title.clone(),
            kind: view.kind,
            from: query.from.clone(),
            conditions: query.conditions.clone(),
            columns,
            shown,
            star: query.select.is_empty(),
            group_by: query.group_by.clone(),
            order,
            limit: query.limit,
            mode: if group { Mode::Group } else { Mode::Event },
        };
        if compiled.order.is_empty() {
            compiled.order = compiled.natural_order();
        }
        compiled
    }

    /// All fields in the query.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldRef> {
        let columns = self.columns.iter().map(|column| &column.field);
        let conditions = self.conditions.iter().map(|condition| &condition.field);
        columns.chain(&self.group_by).chain(conditions)
    }

    /// Whether the end times of events matter.
    pub(crate) fn needs_time(&self) -> bool {
        let ordered = |aggregate| {
            matches!(
                aggregate,
                None | Some(Aggregate::First | Aggregate::Last | Aggregate::LastBatch | Aggregate::Difference)
            )
        };
        self.mode == Mode::Group && self.columns.iter().any(|column| ordered(column.aggregate))
    }

    /// By each aggregated column from left to right, so that the last one is the most important; without
    /// aggregates, by the grouping columns or, without those, by the first column.
    fn natural_order(&self) -> Vec<(usize, Option<bool>)> {
        let mut order: Vec<_> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.aggregate.is_some())
            .map(|(i, _)| (i, None))
            .collect();
        order.reverse();
        if order.is_empty() {
            let grouped = |column: &Column| self.group_by.iter().any(|field| field.path == column.field.path);
            order.push((self.columns.iter().position(grouped).unwrap_or(0), None));
        }
        order
    }
}
