//! `jfrkit top`.

use std::io::Write;

use jfr_analyzers::{LabelKey, collect};
use jfrkit_profile::top::{Measure, Top, TopOptions};
use jfrkit_profile::tree::{self, Group};
use jfrkit_profile::{ProfileType, units};

use crate::collecting::{self, profile_type};
use crate::failure::Failure;
use crate::input;
use crate::profiles::{load, tree_failure};

/// Show the methods, lines, threads or labels that a profile is made of
#[derive(Debug, clap::Args)]
#[group(id = "top")]
#[command(after_help = "\
Examples:
  jfrkit top --type cpu recording.jfr                        the 20 methods with most CPU time of their own
  jfrkit top --type alloc --sort total --limit 50 rec.jfr    with what they call
  jfrkit top --type lock --by class rec.jfr                  the classes whose locks are waited for
  jfrkit top --type file-io --by path rec.jfr
  jfrkit top --type cpu --by thread --from 10s --to 20s rec.jfr
  jfrkit top --type heap heap.pb.gz                          a pprof file of Go, Python, Node.js, …
  jfrkit top --type cpu monday/                              all recordings and pprof files of a directory together

`self` is what was counted in a method itself, `total` what was counted in it and in what it called.")]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,

    /// More inputs, added up with the first: recordings, pprof files, directories of them
    #[arg(value_name = "MORE")]
    more: Vec<std::ffi::OsString>,

    /// Type of profile: cpu, alloc, lock, …; of a pprof file also the name of a sample type
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,

    /// What a row is: method, line, thread, label (the one that belongs to the type: class, path or host), or a
    /// label by name
    #[arg(long, value_name = "WHAT", default_value = "method", value_parser = by)]
    by: By,

    /// How many rows to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// What the rows are sorted by
    #[arg(long, value_enum, default_value_t = Sort::Own)]
    sort: Sort,

    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    collecting: collecting::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Method,
    Line,
    /// The label that belongs to the type.
    Label,
    Named(LabelKey),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    /// By what was counted in the row itself
    #[value(name = "self")]
    Own,
    /// By that and what was counted below it
    Total,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

fn by(name: &str) -> Result<By, String> {
    match name {
        "method" => Ok(By::Method),
        "line" => Ok(By::Line),
        "label" => Ok(By::Label),
        _ => LabelKey::from_name(name).map(By::Named).ok_or_else(|| {
            let labels: Vec<&str> = LabelKey::ALL.iter().map(|l| l.name()).collect();
            format!("give method, line, label or one of the labels {}", labels.join(", "))
        }),
    }
}

/// The label that tells most about samples of a type.
fn own_label(kind: ProfileType) -> LabelKey {
    match kind {
        ProfileType::FileIo => LabelKey::Path,
        ProfileType::SocketIo => LabelKey::Host,
        ProfileType::Wall => LabelKey::State,
        ProfileType::Alloc
        | ProfileType::Live
        | ProfileType::Lock
        | ProfileType::Park
        | ProfileType::Wait
        | ProfileType::Error => LabelKey::Class,
        _ => LabelKey::Thread,
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let path = args.input.path();
    if !args.more.is_empty() || crate::profiles::is_set(path) || crate::profiles::is_profile(path, args.input.limits())?
    {
        return any(args);
    }
    let kind = profile_type(&args.kind).map_err(|e| Failure::Usage(format!("--type {}: {e}", args.kind)))?;
    let input = args.input.open()?;
    let mut options = args.collecting.options(input.name, &[kind], &[&input.recording])?;
    let label = match args.by {
        By::Method | By::Line => None,
        By::Label => Some(own_label(kind)),
        By::Named(label) => Some(label),
    };
    options.labels = label.into_iter().collect();
    let set = collect(&input.recording, &options).map_err(|e| Failure::of(input.name, &e))?;
    for loss in &set.losses {
        input.losses.warn(loss);
    }
    let Some(profile) = set.get(kind) else {
        let reason = set.absent.first().map(|a| a.reason.as_str()).unwrap_or_default();
        return Err(Failure::Failed(format!("{}: no {kind} profile: {reason}", input.name)));
    };
    let measure = match args.sort {
        Sort::Own => Measure::Own,
        Sort::Total => Measure::Total,
    };
    let shown = TopOptions { value: None, measure, limit: Some(args.limit) };
    let top = match (args.by, label) {
        (By::Line, _) => Top::by_line(profile, &set.tables, &shown),
        (_, Some(label)) => Top::by_label(profile, &set.tables, label.name(), &shown),
        _ => Top::by_method(profile, &set.tables, &shown),
    };
    let mut out = crate::output::stdout();
    match args.format {
        Format::Json => {
            serde_json::to_writer(&mut out, &top)?;
            writeln!(out)?;
        }
        Format::Text => text(&mut out, &top, label.is_some())?,
    }
    out.flush()?;
    input.losses.finish()
}

/// The table of pprof files of any language, or of a set of recordings.
fn any(args: &Args) -> Result<(), Failure> {
    let of_label = |label: LabelKey| match label {
        LabelKey::Thread => Group::Thread,
        LabelKey::Class => Group::Class,
        LabelKey::TraceEndpoint => Group::Endpoint,
        other => Group::Label(other.name().to_owned()),
    };
    let by = match args.by {
        By::Method => tree::By::Function,
        By::Line => tree::By::Line,
        By::Named(label) => tree::By::Label(of_label(label)),
        By::Label => {
            let known = profile_type(&args.kind).map_or(LabelKey::Thread, own_label);
            tree::By::Label(of_label(known))
        }
    };
    let mut paths = vec![args.input.path().clone()];
    paths.extend(args.more.iter().cloned());
    let labels: Vec<LabelKey> = match args.by {
        By::Named(label) => vec![label],
        By::Label => profile_type(&args.kind).ok().map(own_label).into_iter().collect(),
        By::Method | By::Line => Vec::new(),
    };
    let wanted = super::flame::wanted(Some(&args.kind));
    let (loaded, cancel) = load(&paths, &wanted, &labels, &args.collecting, args.input.limits())?;
    let of = loaded.pick(Some(&args.kind))?;
    let (mut at, mut value, mut unit) = of.value();
    if let Some(named) = of.stacks.value_named(&args.kind) {
        let of = of.stacks.types().get(named);
        (at, value, unit) = (named, of.map_or("", |of| &of.name), of.map_or("", |of| &of.unit));
    }
    let view = args.collecting.view()?;
    let mut table = tree::table(&of.stacks, at, &view, &by, &cancel).map_err(|e| tree_failure(&e))?;
    if args.sort == Sort::Total {
        table.rows.sort_by(|a, b| b.total.cmp(&a.total).then(b.own.cmp(&a.own)).then_with(|| a.key.cmp(&b.key)));
    }
    let omitted = table.rows.len().saturating_sub(args.limit);
    table.rows.truncate(args.limit);
    let mut out = crate::output::stdout();
    if args.format == Format::Json {
        let json = serde_json::json!({
            "type": of.kind, "value": value, "unit": unit, "total": table.total, "samples": table.samples,
            "rows": table.rows, "omitted": omitted,
        });
        writeln!(out, "{json}")?;
    } else {
        let percent = |part: i64| if table.total == 0 { 0.0 } else { part as f64 / table.total as f64 * 100.0 };
        writeln!(out, "{:>12} {:>6}  {:>12} {:>6}", "self", "%", "total", "%")?;
        for row in &table.rows {
            let (own, total) = (units::value(row.own, unit), units::value(row.total, unit));
            let (own_share, total_share) = (percent(row.own), percent(row.total));
            let key = jfr_parse::text::plain(&row.key);
            writeln!(out, "{own:>12} {own_share:>6.1}  {total:>12} {total_share:>6.1}  {key}")?;
        }
        let more = if omitted > 0 { format!("; {omitted} more rows") } else { String::new() };
        writeln!(out, "\nin all: {} {value}{more}", units::value(table.total, unit))?;
    }
    out.flush()?;
    match loaded.lossy && args.input.strict {
        true => {
            Err(Failure::Failed(format!("{}: not read completely; leave out --strict to accept that", loaded.name)))
        }
        false => Ok(()),
    }
}

/// A column for each value, then the names. Labels have nothing below them, so `self` is all there is.
fn text(out: &mut impl Write, top: &Top, flat: bool) -> Result<(), Failure> {
    let mut table: Vec<Vec<String>> = Vec::new();
    let measures: &[bool] = if flat { &[true] } else { &[true, false] };
    let mut head = Vec::new();
    for &own in measures {
        let prefix = match (flat, own) {
            (true, _) => "",
            (_, true) => "self ",
            _ => "total ",
        };
        head.extend(top.values.iter().map(|v| format!("{prefix}{}", v.name)));
        head.push("%".to_owned());
    }
    table.push(head);
    for row in &top.rows {
        let mut cells = Vec::new();
        for &own in measures {
            let (values, percent) = if own { (&row.own, row.own_percent) } else { (&row.total, row.total_percent) };
            cells.extend(values.iter().zip(top.values).map(|(value, of)| units::value(*value, of.unit)));
            cells.push(format!("{percent:.1}"));
        }
        table.push(cells);
    }
    let columns = table.first().map_or(0, Vec::len);
    let width = |i: usize| table.iter().filter_map(|row| row.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let names = std::iter::once("").chain(top.rows.iter().map(|row| row.name.as_str()));
    for (cells, name) in table.iter().zip(names) {
        for (cell, width) in cells.iter().zip(&widths) {
            write!(out, "{cell:>width$}  ")?;
        }
        writeln!(out, "{}", jfr_parse::text::plain(name))?;
    }
    let totals: Vec<String> = top
        .totals
        .iter()
        .zip(top.values)
        .map(|(total, of)| format!("{} {}", units::value(*total, of.unit), of.name))
        .collect();
    let more = if top.omitted > 0 { format!("; {} more rows", top.omitted) } else { String::new() };
    writeln!(out, "\nin all: {}{more}", totals.join(", "))?;
    Ok(())
}
