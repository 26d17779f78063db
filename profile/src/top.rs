//! Tables of a profile: by method, line, thread or any label, with what is their own and what is below them.

mod group;

use serde::Serialize;

use crate::units::percent;
use crate::{Profile, Tables, ValueType};
use group::{Groups, by_label};

/// The row of samples without a stack.
pub const NO_STACK: &str = "[no stack trace]";

/// The row of samples without the label that is asked for.
pub const NO_LABEL: &str = "[none]";

/// What rows are sorted by, and what their percentages are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// What was counted in the method itself.
    #[default]
    Own,
    /// What was counted in it and in what it called.
    Total,
}

/// Which rows to show, and in what order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopOptions {
    /// Which value decides, from 0; the last one if not said. One that is too high is the last one.
    pub value: Option<usize>,
    /// Which measure of it.
    pub measure: Measure,
    /// How many rows at most; all if not said.
    pub limit: Option<usize>,
}

/// A table of a profile, the highest row first; rows that are equal stand in the order of their names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Top {
    /// What the values count.
    pub values: &'static [ValueType],
    /// Which of them decides, from 0.
    pub value: usize,
    /// The sums over all samples, whatever rows are shown.
    pub totals: Vec<i64>,
    /// The rows.
    pub rows: Vec<Row>,
    /// How many more there are.
    pub omitted: usize,
}

/// A row of a table. Sums that do not fit stay at the highest number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The method (`package.Class.method`), that with a line (`package.Class.method:12`), or the label's value.
    pub name: String,
    /// What was counted in the method itself, for each value.
    #[serde(rename = "self")]
    pub own: Vec<i64>,
    /// What was counted in it and in what it called, each sample once, however often the method is in its stack.
    pub total: Vec<i64>,
    /// [`own`](Self::own) of the value that decides, in percent of all.
    #[serde(rename = "self_percent")]
    pub own_percent: f64,
    /// [`total`](Self::total) of the value that decides, in percent of all.
    pub total_percent: f64,
}

impl Top {
    /// By method. Overloaded methods share a row, as they share a name.
    #[must_use]
    pub fn by_method(profile: &Profile, tables: &Tables, options: &TopOptions) -> Self {
        Self::new(profile, options, group::by_frame(profile, tables, false))
    }

    /// By line of a method; just the method where the line is unknown.
    #[must_use]
    pub fn by_line(profile: &Profile, tables: &Tables, options: &TopOptions) -> Self {
        Self::new(profile, options, group::by_frame(profile, tables, true))
    }

    /// By thread: by the label `thread`, with which the profile must have been collected.
    #[must_use]
    pub fn by_thread(profile: &Profile, tables: &Tables, options: &TopOptions) -> Self {
        Self::by_label(profile, tables, "thread", options)
    }

    /// By the value of a label. Samples without it are in the row [`NO_LABEL`].
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
