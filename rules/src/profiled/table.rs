//! Functions and their shares, for the rules on stacks.

use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Settings, Value};
use jfrkit_profile::Cancel;
use jfrkit_profile::tree::{By, CallStacks, TableRow, View, table};
use jfrkit_profile::units;

/// The fewest samples that suffice to judge.
pub(super) const FEW_SAMPLES: i64 = 50;

/// The score of a share, whose settings are in percent.
pub(super) fn score(share: f64, settings: &Settings) -> f64 {
    map2(share, settings.number("info") / 100.0, settings.number("warning") / 100.0)
}

/// The rows of a type, with their total and sample count.
pub(super) fn rows(stacks: &CallStacks, by: &By) -> (Vec<TableRow>, i64, i64) {
    let value = stacks.types().len().saturating_sub(1);
    table(stacks, value, &View::default(), by, &Cancel::never())
        .map_or_else(|_| (Vec::new(), 0, 0), |rows| (rows.rows, rows.total, rows.samples))
}

pub(super) fn share(part: i64, whole: i64) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}

/// The first rows, with their share of the total.
pub(super) fn top(rows: &[TableRow], total: i64, unit: &str, what: &'static str) -> Value {
    let line = |row: &TableRow| {
        let value = units::value(row.own, unit);
        [Value::text(&*row.key), Value::text(value), Value::share(share(row.own, total))]
    };
    Value::table([what, "itself", "share"], rows.iter().filter(|row| row.own > 0).take(10).map(line))
}

pub(super) fn unit(stacks: &CallStacks) -> &str {
    stacks.types().last().map_or("", |t| &t.unit)
}
