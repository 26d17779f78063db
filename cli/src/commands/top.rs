//! `jfrkit top`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;

use jfr_analyzers::LabelKey;
use jfrkit_profile::tree::{self, By, Group, View};
use jfrkit_profile::{Cancel, ProfileType, layout, units};
use serde::Serialize;

use crate::collecting;
use crate::failure::Failure;
use crate::limits;
use crate::profiles::{Typed, load, tree_failure};

/// Show the hottest methods, lines, classes, packages, threads or labels of a profile
#[derive(Debug, clap::Args)]
#[group(id = "top")]
#[command(after_help = "\
Examples:
  jfrkit top recording.jfr                         the 20 methods with the most self CPU time
  jfrkit top --type alloc --sort total rec.jfr     which methods allocate, including their callees
  jfrkit top --type alloc --by class rec.jfr       what is allocated
  jfrkit top --type lock --by line rec.jfr         where your code waits for locks
  jfrkit top --by package logs/                    all recordings in a directory, combined
  jfrkit top --own com.acme rec.jfr                your own methods, including the library code they call
  jfrkit top --type cpu,lock --by thread --from 10s --to 20s rec.jfr
  jfrkit top --type heap heap.pb.gz                a pprof file from Go, Python, Node.js, …

`self` is what was measured in a method itself, `total` includes the methods it called.")]
pub(crate) struct Args {
    /// Recordings, pprof files, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    #[command(flatten)]
    types: collecting::Types,

    /// Rows: method, line, package, class, declaring-class, thread, endpoint, label (the one for the profile type:
    /// class, path or host), the name of a label, or label:KEY. class is the allocated, locked or thrown class if the
    /// type has one, otherwise the class that declares the method. For types that measure waiting (lock, park, wait, sleep,
    /// pinned, file-io, socket-io), line, package and declaring-class skip the JDK: they show where your code waits
    #[arg(long, value_name = "WHAT", default_value = "method", value_parser = rows)]
    by: Rows,

    /// Your own packages or classes: stacks are cut at their first method, which gets the cost of the library code it calls
    #[arg(long, value_name = "PACKAGES", value_delimiter = ',')]
    own: Vec<String>,

    #[command(flatten)]
    library: collecting::Library,

    /// Number of rows to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Sort order of the rows
    #[arg(long, value_enum, default_value_t = Sort::Own)]
    sort: Sort,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    collecting: collecting::Args,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rows {
    By(By),
    /// The label of the profile type.
    OwnLabel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    /// Measured in the row itself
    #[value(name = "self")]
    Own,
    /// Including what it called
    Total,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// One object per type
    Json,
}

fn rows(name: &str) -> Result<Rows, String> {
    let label = |key: &str| LabelKey::from_name(key).map(|label| By::Label(of_label(label)));
    match name {
        "method" | "function" => Ok(Rows::By(By::Function)),
        "label" => Ok(Rows::OwnLabel),
        _ => {
            // Label keys contain spaces where options have hyphens.
            let key = name.strip_prefix("label:").unwrap_or(name);
            let by =
                if key == "class" && key == name { Some(By::Class) } else { label(key).or_else(|| By::parse(name)) };
            by.map(Rows::By).ok_or_else(|| {
                let labels: Vec<String> = LabelKey::ALL.iter().map(|l| l.name().replace(' ', "-")).collect();
                format!(
                    "expected method, line, package, class, declaring-class, label, label:KEY or one of the labels {}",
                    labels.join(", ")
                )
            })
        }
    }
}

fn of_label(label: LabelKey) -> Group {
    match label {
        LabelKey::Thread => Group::Thread,
        LabelKey::Class => Group::Class,
        LabelKey::TraceEndpoint => Group::Endpoint,
        other => Group::Label(other.name().to_owned()),
    }
}

/// The most informative label for a profile type.
fn own_label(kind: &str) -> LabelKey {
    match ProfileType::from_name(kind) {
        Some(ProfileType::FileIo) => LabelKey::Path,
        Some(ProfileType::SocketIo) => LabelKey::Host,
        Some(ProfileType::Wall) => LabelKey::State,
        Some(
            ProfileType::Alloc
            | ProfileType::Live
            | ProfileType::Lock
            | ProfileType::Park
            | ProfileType::Wait
            | ProfileType::Error,
        ) => LabelKey::Class,
        _ => LabelKey::Thread,
    }
}

impl Rows {
    /// The labels to collect for these rows.
    fn labels(&self) -> Vec<LabelKey> {
        match self {
            Self::OwnLabel => vec![LabelKey::Class, LabelKey::Path, LabelKey::Host, LabelKey::State, LabelKey::Thread],
            Self::By(By::Class | By::Label(Group::Class)) => vec![LabelKey::Class],
            Self::By(By::Label(Group::Thread)) => vec![LabelKey::Thread],
            Self::By(By::Label(Group::Endpoint)) => vec![LabelKey::TraceEndpoint],
            Self::By(By::Label(Group::Label(key))) => LabelKey::from_name(key).into_iter().collect(),
            Self::By(_) => Vec::new(),
        }
    }

    fn of(&self, kind: &str) -> By {
        match self {
            Self::By(by) => by.clone(),
            Self::OwnLabel => By::Label(of_label(own_label(kind))),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let (loaded, cancel) = load(&args.inputs, &args.types.wanted(), &args.by.labels(), &args.collecting, &args.limits)?;
    let view = View { own: args.own.clone(), library: args.library.prefixes.clone(), ..args.collecting.view()? };
    let mut out = crate::output::stdout();
    for (i, (name, of)) in loaded.pick_all(&args.types.names)?.into_iter().enumerate() {
        let table = Table::new(args, of, name, &view, &cancel)?;
        match args.format {
            Format::Json => {
                serde_json::to_writer(&mut out, &table)?;
                writeln!(out)?;
            }
            Format::Text => {
                if i > 0 {
                    writeln!(out)?;
                }
                table.text(&mut out, crate::output::width())?;
            }
        }
    }
    out.flush()?;
    loaded.finish(args.strict)
}

/// A table of a profile type.
#[derive(Debug, Serialize)]
struct Table {
    /// The short name of the type.
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip)]
    title: String,
    /// What the values measure.
    values: Vec<ValueType>,
    /// Index of the value to sort by.
    value: usize,
    /// The sums over all samples, including those of omitted rows.
    totals: Vec<i64>,
    /// The number of samples.
    samples: i64,
    rows: Vec<Row>,
    /// The number of omitted rows.
    omitted: usize,
    #[serde(skip)]
    by: By,
}

#[derive(Debug, Serialize)]
struct ValueType {
    name: String,
    unit: String,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    #[serde(rename = "self")]
    own: Vec<i64>,
    total: Vec<i64>,
    #[serde(rename = "self_percent")]
    own_percent: f64,
    total_percent: f64,
    samples: i64,
}

impl Table {
    fn new(args: &Args, of: &Typed, name: &str, view: &View, cancel: &Cancel) -> Result<Self, Failure> {
        let by = args.by.of(&of.kind);
        let types = of.stacks.types();
        let tables: Vec<tree::Rows> = (0..types.len())
            .map(|value| tree::table(&of.stacks, value, view, &by, cancel).map_err(|e| tree_failure(&e)))
            .collect::<Result<_, _>>()?;
        let totals: Vec<i64> = tables.iter().map(|table| table.total).collect();
        let mut value = of.stacks.value_named(name).unwrap_or_else(|| of.value().0);
        // A value whose total is 0 is useless: old JDKs do not record the sizes of live objects.
        if totals.get(value) == Some(&0) {
            value = totals.iter().rposition(|total| *total != 0).unwrap_or(value);
        }
        let at = |numbers: &[i64]| numbers.get(value).copied().unwrap_or(0);
        let whole = at(&totals);
        let mut places: HashMap<(Box<str>, char), usize> = HashMap::new();
        let mut rows: Vec<Row> = Vec::new();
        for (i, table) in tables.iter().enumerate() {
            for of in &table.rows {
                let place = *places.entry((of.key.clone(), of.kind)).or_insert_with(|| {
                    let none = vec![0; types.len()];
                    rows.push(Row {
                        name: of.key.to_string(),
                        own: none.clone(),
                        total: none,
                        own_percent: 0.0,
                        total_percent: 0.0,
                        samples: 0,
                    });
                    rows.len() - 1
                });
                let Some(row) = rows.get_mut(place) else { continue };
                if let (Some(own), Some(total)) = (row.own.get_mut(i), row.total.get_mut(i)) {
                    (*own, *total) = (of.own, of.total);
                }
                row.samples = row.samples.max(of.samples);
            }
        }
        for row in &mut rows {
            row.own_percent = units::percent(at(&row.own), whole);
            row.total_percent = units::percent(at(&row.total), whole);
        }
        let rank = |row: &Row| match args.sort {
            Sort::Own => (at(&row.own), at(&row.total)),
            Sort::Total => (at(&row.total), at(&row.own)),
        };
        rows.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name)));
        let omitted = rows.len().saturating_sub(args.limit);
        rows.truncate(args.limit);
        let values =
            types.iter().map(|of| ValueType { name: of.name.to_string(), unit: of.unit.to_string() }).collect();
        let samples = tables.iter().map(|table| table.samples).max().unwrap_or(0);
        Ok(Self { kind: of.kind.clone(), title: of.title.clone(), values, value, totals, samples, rows, omitted, by })
    }

    /// Prints the names, then the numbers. Names are cut to the width of the terminal.
    fn text(&self, out: &mut impl Write, width: Option<usize>) -> Result<(), Failure> {
        let unit = self.values.get(self.value).map_or("count", |of| &of.unit);
        let at = |numbers: &[i64]| units::value(numbers.get(self.value).copied().unwrap_or(0), unit);
        // Label rows have no callees, so the self value is the total.
        let flat =
            matches!(self.by, By::Label(_)) || (self.by == By::Class && self.rows.iter().all(|r| r.own == r.total));
        // If the value is a count of samples, do not repeat it.
        let counts = unit == "count";
        let mut head = vec![row_name(&self.by)];
        head.extend(if flat { vec![column(unit), "%"] } else { vec!["self", "self %", "total", "total %"] });
        if !counts {
            head.push("samples");
        }
        let mut table: Vec<Vec<String>> = vec![head.into_iter().map(str::to_owned).collect()];
        for row in &self.rows {
            let mut cells = vec![jfr_parse::text::plain(&row.name).into_owned()];
            cells.extend([at(&row.own), format!("{:.1}", row.own_percent)]);
            if !flat {
                cells.extend([at(&row.total), format!("{:.1}", row.total_percent)]);
            }
            if !counts {
                cells.push(units::count(row.samples));
            }
            table.push(cells);
        }
        let columns = table.first().map_or(0, Vec::len);
        let widest =
            |i: usize| table.iter().filter_map(|row| row.get(i)).map(|cell| layout::width(cell)).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        let numbers: usize = widths.iter().skip(1).map(|width| width + 2).sum();
        let names = widths.first().copied().unwrap_or(0);
        let names = width.map_or(names, |width| names.min(width.saturating_sub(numbers).max(LEAST_NAME)));
        writeln!(out, "{} · {}", self.kind, jfr_parse::text::plain(&self.title))?;
        for cells in &table {
            for (i, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                if i == 0 {
                    write!(out, "{}", layout::left(&cut(cell, names), names))?;
                } else {
                    write!(out, "  {}", layout::right(cell, *width))?;
                }
            }
            writeln!(out)?;
        }
        let samples = units::things(self.samples.unsigned_abs(), "sample", "samples");
        let total = if counts && at(&self.totals) == units::count(self.samples) {
            samples
        } else {
            format!("{} in {samples}", at(&self.totals))
        };
        let more = match u64::try_from(self.omitted).unwrap_or(u64::MAX) {
            0 => String::new(),
            n => format!("; {} (-n shows more)", units::things(n, "more row", "more rows")),
        };
        writeln!(out, "\nTotal: {total}{more}")?;
        Ok(())
    }
}

/// Minimum width of a name.
const LEAST_NAME: usize = 20;

fn row_name(by: &By) -> &'static str {
    match by {
        By::Function => "method",
        By::Line => "line",
        By::Package => "package",
        By::Class | By::DeclaringClass | By::Label(Group::Class) => "class",
        By::Label(Group::Thread) => "thread",
        By::Label(Group::Endpoint) => "endpoint",
        By::Label(Group::Label(key)) => match LabelKey::from_name(key) {
            Some(label) => label.name(),
            None => "label",
        },
    }
}

fn column(unit: &str) -> &'static str {
    match unit {
        "nanoseconds" => "time",
        "bytes" => "size",
        _ => "count",
    }
}

/// Keeps the end of a name, which distinguishes it from others in its package.
fn cut(name: &str, width: usize) -> String {
    match layout::width(name) <= width {
        true => name.to_owned(),
        false => format!("…{}", layout::end(name, width.saturating_sub(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_name() {
        let label = |key: &str| Ok(Rows::By(By::Label(Group::Label(key.into()))));
        assert_eq!(rows("method"), Ok(Rows::By(By::Function)));
        assert_eq!(rows("class"), Ok(Rows::By(By::Class)));
        assert_eq!(rows("label:class"), Ok(Rows::By(By::Label(Group::Class))));
        assert_eq!(rows("thread"), Ok(Rows::By(By::Label(Group::Thread))));
        assert_eq!((rows("thread-id"), rows("label:thread-id")), (label("thread id"), label("thread id")));
        assert_eq!(rows("label:pod"), label("pod"));
        assert_eq!(rows("declaring-class"), Ok(Rows::By(By::DeclaringClass)));
        assert!(rows("nothing").is_err_and(|text| text.contains("span-id")));
    }

    #[test]
    fn truncated_names_keep_their_end() {
        assert_eq!(cut("com.acme.Main.run", 9), "…Main.run");
        assert_eq!(cut("short", 9), "short");
    }
}
