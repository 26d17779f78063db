//! Tables of a profile by method, line, thread or label, with self and total values.
//!
//! This file has the options and the finished table; `group.rs` sums up the samples. Only profiles of
//! recordings belong here. `jfrkit top`, the server and the pages use [`tree::table`](fn@crate::tree::table)
//! instead: it takes profiles of any language, filters stacks, and also groups by class and package. Start with
//! [`Top::by_method`].

mod group;

use serde::Serialize;

use crate::units::percent;
use crate::{Profile, Tables, ValueType};
use group::{Groups, by_label};

/// The row for samples without a stack.
pub const NO_STACK: &str = "[no stack trace]";

/// The row for samples without the requested label.
pub const NO_LABEL: &str = "[none]";

/// The measure by which rows are sorted, and to which their percentages refer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Self: what was counted in the method itself.
    #[default]
    Own,
    /// Total: what was counted in the method and in what it called.
    Total,
}

/// Which rows to show, and in what order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopOptions {
    /// Index of the value to sort by; the default is the last one. An index that is too high selects the last
    /// one.
    pub value: Option<usize>,
    /// The measure to sort by.
    pub measure: Measure,
    /// Maximum number of rows; the default is all.
    pub limit: Option<usize>,
}

/// A table of a profile, with the highest row first. Equal rows are sorted by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Top {
    /// What the values measure.
    pub values: &'static [ValueType],
    /// Index of the value that the rows are sorted by.
    pub value: usize,
    /// The sums over all samples, including those of omitted rows.
    pub totals: Vec<i64>,
    /// The rows.
    pub rows: Vec<Row>,
    /// The number of omitted rows.
    pub omitted: usize,
}

/// A row of a table. Sums saturate at the highest number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The method (`package.Class.method`), the method with a line (`package.Class.method:12`), or the value of
    /// the label.
    pub name: String,
    /// Self: what was counted in the method itself, for each value.
    #[serde(rename = "self")]
    pub own: Vec<i64>,
    /// Total: what was counted in the method and in what it called. A sample counts once, even if the method
    /// occurs several times in its stack.
    pub total: Vec<i64>,
    /// [`own`](Self::own) of the value to sort by, in percent of its sum.
    #[serde(rename = "self_percent")]
    pub own_percent: f64,
    /// [`total`](Self::total) of the value to sort by, in percent of its sum.
    pub total_percent: f64,
}

impl Top {
    /// Groups by method. Overloaded methods share a row because they share a name.
    #[must_use]
    pub fn by_method(profile: &Profile, tables: &Tables, options: &TopOptions) -> Self {
        Self::new(profile, options, group::by_frame(profile, tables, false))
    }

    /// Groups by line of a method; by method if the line is unknown.
    #[must_use]
    pub fn by_line(profile: &Profile, tables: &Tables, options: &TopOptions) -> Self {
        Self::new(profile, options, group::by_frame(profile, tables, true))
    }

    /// Groups by thread, using the label `thread`. The profile must have been collected with that label.
    #[must_use]
    pub fn by_thread(profile: &Profile, tables: &Tables, options: &TopOptions) -> Self {
        Self::by_label(profile, tables, "thread", options)
    }

    /// Groups by the value of a label. Samples without the label are in the row [`NO_LABEL`].
    #[must_use]
    pub fn by_label(profile: &Profile, tables: &Tables, key: &str, options: &TopOptions) -> Self {
        Self::new(profile, options, by_label(profile, tables, key))
    }

    fn new(profile: &Profile, options: &TopOptions, groups: Groups) -> Self {
        let values = profile.values();
        let last = values.len().saturating_sub(1);
        let value = options.value.unwrap_or(last).min(last);
        let at = |numbers: &[i64]| numbers.get(value).copied().unwrap_or(0);
        let totals = profile.totals();
        let whole = at(&totals);
        let mut rows: Vec<Row> = groups
            .into_rows()
            .map(|(name, own, total)| {
                let (own_percent, total_percent) = (percent(at(&own), whole), percent(at(&total), whole));
                Row { name, own, total, own_percent, total_percent }
            })
            .collect();
        let rank = |row: &Row| match options.measure {
            Measure::Own => (at(&row.own), at(&row.total)),
            Measure::Total => (at(&row.total), at(&row.own)),
        };
        rows.sort_unstable_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name)));
        let shown = options.limit.unwrap_or(usize::MAX).min(rows.len());
        let omitted = rows.len() - shown;
        rows.truncate(shown);
        Self { values, value, totals, rows, omitted }
    }
}

#[cfg(test)]
mod tests;
