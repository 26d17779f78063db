//! Evidence as text and tables, shared by all human-readable formats.

use jfr_parse::{EpochNanos, Zone};

use jfr_analyzers::events::is_jdk;
use jfr_analyzers::math::to_i64;
use jfr_analyzers::rule::{Evidence, Frame, MethodRow, Value};
use jfrkit_profile::units;

/// Maximum items of a list that is shown on one line.
const SHORT_LIST: usize = 4;
/// Maximum frames of a stack in one cell.
const FRAMES_IN_CELL: usize = 4;
/// The separator between a frame and its caller.
const ARROW: &str = " ← ";

/// Evidence in display order: first single values, then tables.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Blocks {
    pub(super) pairs: Vec<(String, String)>,
    pub(super) grids: Vec<Grid>,
}

/// A table.
#[derive(Debug, PartialEq)]
pub(super) struct Grid {
    pub(super) title: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Shown>>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Whether it contains numbers, which are right-aligned.
    pub(super) numbers: bool,
    /// Whether it contains names of methods, classes or files: single long words.
    pub(super) names: bool,
}

/// The start of the recording, and the time zone to show.
struct Start<'z> {
    nanos: EpochNanos,
    zone: &'z Zone,
}

/// A value as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// A share of a whole, 0 to 1, for drawing a bar.
    pub(super) share: Option<f64>,
    number: bool,
}

impl Shown {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), share: None, number: false }
    }
}

impl Blocks {
    /// Converts the evidence for a recording that begins at `start`, with times in a zone.
    pub(super) fn of(evidence: &Evidence, start: EpochNanos, zone: &Zone) -> Self {
        let start = &Start { nanos: start, zone };
        let mut blocks = Self::default();
        for (key, value) in evidence.iter() {
            match value {
                Value::Table { columns, rows } => {
                    if !rows.is_empty() {
                        let rows = rows.iter().map(|row| row.iter().zip(columns).map(|(v, c)| cell(v, c, start)));
                        blocks.grids.push(grid(key, columns.iter().map(|c| &**c), rows.map(Iterator::collect)));
                    }
                }
                Value::Methods { rows } => {
                    if !rows.is_empty() {
                        blocks.grids.push(methods(key, rows, start));
                    }
                }
                Value::Stack { frames } => {
                    let rows = frames.iter().map(|f| vec![Shown::text(frame(f))]);
                    blocks.grids.push(grid(key, ["stack"].into_iter(), rows));
                }
                Value::List { of, items } if items.len() > SHORT_LIST => {
                    let rows = items.iter().map(|item| vec![Shown::text(item.as_str())]);
                    blocks.grids.push(grid(key, [&**of].into_iter(), rows));
                }
                single => blocks.pairs.push((key.to_owned(), scalar(single, key, start).text)),
            }
        }
        blocks
    }
}

/// Column names that rules use for places in the code.
const CODE: [&str; 8] = ["where", "in", "application method", "called by", "at", "method", "frame", "allocated in"];

/// The place of a finding in the code: the first application method in the evidence.
pub(super) fn place(evidence: &Evidence) -> Option<String> {
    // A method in a text: a single word with a dot, perhaps with a line number.
    let code = |text: &str| (!text.contains(' ') && text.contains('.')).then(|| text.to_owned());
    let own = |frames: &[Frame]| frames.iter().find(|f| !is_jdk(&f.method)).or(frames.first()).map(frame);
    let row = |columns: &[std::borrow::Cow<'_, str>], row: &[Value]| {
        let named = |name: &str| columns.iter().position(|column| column == name).and_then(|i| row.get(i));
        CODE.iter().filter_map(|name| named(name)).find_map(|value| match value {
            Value::Text { value } => code(value),
            Value::Stack { frames } => own(frames),
            Value::Methods { rows } => {
                rows.first().map(|row| frame(row.application_frame.as_ref().unwrap_or(&row.method)))
            }
            _ => None,
        })
    };
    evidence.iter().find_map(|(_, value)| match value {
        Value::Methods { rows } => rows.first().map(|row| frame(row.application_frame.as_ref().unwrap_or(&row.method))),
        Value::Stack { frames } => own(frames),
        Value::Table { columns, rows } => row(columns, rows.first()?),
        _ => None,
    })
}

fn grid<'c>(title: &str, columns: impl Iterator<Item = &'c str>, rows: impl Iterator<Item = Vec<Shown>>) -> Grid {
    let rows: Vec<Vec<Shown>> = rows.collect();
    let columns = columns.enumerate().map(|(i, name)| {
        let cells = || rows.iter().filter_map(|row| row.get(i));
        let numbers = !rows.is_empty() && cells().all(|c| c.number);
        let words = || cells().flat_map(|c| c.text.split(ARROW)).filter(|part| !part.is_empty());
        let names = !numbers && words().all(|w| !w.contains(' ')) && words().any(|w| w.contains(['.', '/']));
        Column { name: name.to_owned(), numbers, names }
    });
    Grid { title: title.to_owned(), columns: columns.collect(), rows }
}

fn methods(title: &str, rows: &[MethodRow], start: &Start<'_>) -> Grid {
    let elsewhere = |row: &MethodRow| row.application_frame.clone().filter(|f| *f != row.method);
    let with_caller = rows.iter().any(|row| elsewhere(row).is_some());
    let mut columns = vec!["method"];
    columns.extend(with_caller.then_some("called from"));
    columns.extend(["value", "share"]);
    let rows = rows.iter().map(|row| {
        let mut cells = vec![Shown::text(frame(&row.method))];
        if with_caller {
            cells.push(Shown::text(elsewhere(row).as_ref().map(frame).unwrap_or_default()));
        }
        cells.push(scalar(&row.value, "value", start));
        cells.push(scalar(&Value::percent(row.percent), "share", start));
        cells
    });
    grid(title, columns.into_iter(), rows)
}

fn cell(value: &Value, column: &str, start: &Start<'_>) -> Shown {
    match value {
        Value::Stack { frames } => {
            let first: Vec<String> = frames.iter().take(FRAMES_IN_CELL).map(frame).collect();
            let more = if frames.len() > FRAMES_IN_CELL { " ← …" } else { "" };
            Shown::text(first.join(ARROW) + more)
        }
        Value::Methods { rows } => {
            Shown::text(rows.iter().take(2).map(|r| frame(&r.method)).collect::<Vec<_>>().join(", "))
        }
        Value::Table { rows, .. } => Shown::text(super::plural(rows.len(), "row", "rows")),
        // Use short forms, because tables have little space.
        Value::Instant { epoch_nanos } if *epoch_nanos >= start.nanos => {
            Shown::text(time_of_day(*epoch_nanos, start.zone))
        }
        single => scalar(single, column, start),
    }
}

/// A single value, without its unit if the column name already contains it.
fn scalar(value: &Value, column: &str, start: &Start<'_>) -> Shown {
    let number = |text| Shown { text, share: None, number: true };
    match value {
        Value::Number { value, unit } => {
            let text = units::number(*value);
            let known = unit.is_empty() || column.contains(&**unit);
            let unit = if *value == 1.0 { singular(unit) } else { unit };
            number(if known { text } else { format!("{text} {unit}") })
        }
        Value::Text { value } => Shown::text(value.as_str()),
        Value::Flag { value } => Shown::text(if *value { "yes" } else { "no" }),
        Value::Duration { nanos } => number(units::duration(nanos.0)),
        Value::Bytes { value } => number(units::size(to_i64(*value))),
        Value::Percent { value } => {
            Shown { share: Some((value / 100.0).clamp(0.0, 1.0)), ..number(units::percentage(*value)) }
        }
        Value::Instant { epoch_nanos } => Shown::text(at(*epoch_nanos, start)),
        Value::Window { from_nanos, to_nanos } => Shown::text(window(*from_nanos, *to_nanos, start.nanos, start.zone)),
        Value::List { items, .. } => Shown::text(if items.is_empty() { "none".into() } else { items.join(", ") }),
        other => Shown::text(format!("{other:?}")),
    }
}

/// The singular of a unit: `sample`, `class`; `per second` is unchanged.
fn singular(unit: &str) -> &str {
    match unit.strip_suffix("sses") {
        Some(_) => unit.strip_suffix("es").unwrap_or(unit),
        None if unit.ends_with("ss") || unit.contains(' ') => unit,
        None => unit.strip_suffix('s').filter(|one| one.len() > 2).unwrap_or(unit),
    }
}

pub(super) fn frame(frame: &Frame) -> String {
    match frame.line {
        Some(line) if line > 0 => format!("{}:{line}", frame.method),
        _ => frame.method.clone(),
    }
}

/// `2026-11-22 10:36:30 UTC`.
pub(super) fn instant(epoch_nanos: EpochNanos, zone: &Zone) -> String {
    let local = zone.local(epoch_nanos).to_string();
    let (date, time) = local.split_once('T').unwrap_or((&local, ""));
    format!("{date} {} {}", time.split('.').next().unwrap_or(time), zone.name(epoch_nanos))
}

/// The time of day with milliseconds.
pub(super) fn time_of_day(epoch_nanos: EpochNanos, zone: &Zone) -> String {
    let local = zone.local(epoch_nanos).to_string();
    let time = local.split_once('T').map_or("", |(_, time)| time);
    time.get(..12).unwrap_or(time).to_owned()
}

/// A timestamp, and its distance from the start of the recording.
fn at(epoch_nanos: EpochNanos, start: &Start<'_>) -> String {
    // Anything before the recording, such as the start of the JVM, needs a date.
    if epoch_nanos < start.nanos {
        return instant(epoch_nanos, start.zone);
    }
    let after = units::duration(epoch_nanos.saturating_since(start.nanos).0);
    format!("{} (+{after})", time_of_day(epoch_nanos, start.zone))
}

/// The start and end of a time range, and its distance from the start of the recording.
pub(super) fn window(from: EpochNanos, to: EpochNanos, start: EpochNanos, zone: &Zone) -> String {
    let length = units::duration(to.saturating_since(from).0);
    format!(
        "{} – {} ({length} from +{})",
        time_of_day(from, zone),
        time_of_day(to, zone),
        units::duration(from.saturating_since(start).0.max(0))
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use jfr_analyzers::rule::Verdict;

    #[test]
    fn numbers_have_three_digits() {
        for (number, shown) in [
            (0.0, "0"),
            (12_345.6, "12,346"),
            (1.5, "1.5"),
            (12.34, "12.3"),
            (0.012_34, "0.0123"),
            (-2.0, "-2"),
            (1e-9, "1.0e-9"),
        ] {
            assert_eq!(units::number(number), shown);
        }
    }

    #[test]
    fn single_values_come_before_tables() {
        let verdict = Verdict::ok("")
            .with("classes", Value::table(["class", "events"], [[Value::text("A"), Value::count(3, "events")]]))
            .with("longest", Value::nanos(1_500_000))
            .with("threads", Value::list("threads", ["a", "b"]))
            .with("window", Value::window(2_000_000_000, 3_000_000_000));
        let blocks = Blocks::of(&verdict.evidence, EpochNanos(1_000_000_000), &Zone::UTC);
        let pairs: Vec<(&str, &str)> = blocks.pairs.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(
            pairs,
            [("longest", "1.5 ms"), ("threads", "a, b"), ("window", "00:00:02.000 – 00:00:03.000 (1 s from +1 s)")]
        );
        let grid = &blocks.grids[0];
        assert_eq!((grid.columns[1].numbers, &*grid.rows[0][1].text), (true, "3"));
        assert!(!grid.columns[0].numbers);
        // The name already says what is counted.
        let named = Verdict::ok("").with("errors", Value::count(3, "errors")).with("rate", Value::number(2.0, "per s"));
        let pairs = Blocks::of(&named.evidence, EpochNanos(0), &Zone::UTC).pairs;
        assert_eq!((&*pairs[0].1, &*pairs[1].1), ("3", "2 per s"));
    }

    #[test]
    fn columns_of_names_are_distinguished_from_words() {
        let names = |cells: &[&str]| {
            let rows = cells.iter().map(|cell| vec![Shown::text(*cell)]);
            grid("t", ["c"].into_iter(), rows).columns[0].names
        };
        assert!(names(&["byte[]", "java.util.HashMap$Node[]"]));
        assert!(names(&["", "a.B.c:12 ← a.B.d"]));
        assert!(!names(&["System.gc()", "Heap Inspection Initiated GC"]));
        assert!(!names(&["monitor", "ReentrantLock"]));
    }

    #[test]
    fn a_count_of_one_is_singular() {
        for (unit, one) in
            [("samples", "sample"), ("classes", "class"), ("per second", "per second"), ("s", "s"), ("class", "class")]
        {
            assert_eq!(singular(unit), one);
        }
        let shown = |value| {
            scalar(&Value::number(value, "collections"), "", &Start { nanos: EpochNanos(0), zone: &Zone::UTC }).text
        };
        assert_eq!((shown(1.0), shown(2.0)), ("1 collection".into(), "2 collections".into()));
    }
}
