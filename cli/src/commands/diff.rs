//! `jfrkit diff`.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use jfr_analyzers::LabelKey;
use jfrkit_profile::tree::{By, Diff, DiffRow, Group, Per, Regression, Side, View, regressions};
use jfrkit_profile::{ProfileType, layout, units};
use jfrkit_reports::page::{PageError, PageHead, PageType, diff_page};
use serde::Serialize;

use super::flame::write_page;
use crate::collecting;
use crate::failure::Failure;
use crate::interrupt::FILES;
use crate::limits;
use crate::profiles::{Typed, load, tree_failure};

/// Compare two profiles, or two sets of profiles: what grew, what shrank, what is noise
#[derive(Debug, clap::Args)]
#[group(id = "diff")]
#[command(after_help = "\
Examples:
  jfrkit diff before.jfr after.jfr                         functions, per second of recording
  jfrkit diff --type alloc --per share before.jfr after.jfr
  jfrkit diff monday/ tuesday/                             two directories of recordings
  jfrkit diff old.pb.gz new.pb.gz --format html -o diff.html
  jfrkit diff a.jfr b.jfr --fail-on-regression 10%         status 3 if something became slower

A change counts as noise if it is less than two standard deviations of sampling: |a − b| < 2·√(var a + var b), where the variance of a value is value² \
divided by its number of samples. --fail-on-regression checks the overall total (per second only) and each function's total: it must grow by more than the \
threshold relative to its own value in A, by at least 0.5 % of A's total, and by more than chance would produce in one of a hundred comparisons, \
corrected for the number of functions (Bonferroni) and for how much the functions vary between the two runs.")]
pub(crate) struct Args {
    /// The first profile: a recording, a pprof file, or a directory of recordings
    #[arg(value_name = "A")]
    a: OsString,

    /// The second profile
    #[arg(value_name = "B")]
    b: OsString,

    /// Profile type: cpu, alloc, lock, …, or the name of a sample type; by default the first one that both have
    #[arg(long = "type", visible_alias = "types", value_name = "TYPE")]
    kind: Option<String>,

    /// How to normalize profiles of different lengths
    #[arg(long, value_enum, default_value_t = PerArg::Second)]
    per: PerArg,

    /// Rows: function, line, package, class, thread, endpoint or label:KEY
    #[arg(long, value_name = "WHAT", default_value = "function", value_parser = by)]
    by: By,

    /// Number of rows to show; noise comes last
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Output file; by default, --format html writes the page to the cache directory and opens it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Do not open a browser
    #[arg(long)]
    no_open: bool,

    /// Exit with status 3 if the total or a function grew by more than this, beyond noise
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_on_regression: Option<f64>,

    #[command(flatten)]
    collecting: collecting::Args,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PerArg {
    /// Values per second of profile
    Second,
    /// Values as a share of the total
    Share,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// One object
    Json,
    /// A page with a differential flame graph
    Html,
    /// For comments on pull requests
    Markdown,
}

fn by(text: &str) -> Result<By, String> {
    let by = if text == "method" { Some(By::Function) } else { By::parse(text) };
    by.ok_or_else(|| "expected function, line, package, class, thread, endpoint or label:KEY".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let percent = number.parse::<f64>().ok().filter(|p| p.is_finite() && *p >= 0.0);
    percent.map(|p| p / 100.0).ok_or_else(|| "expected a percentage, such as 10%".to_owned())
}

/// The comparison to print.
#[derive(Serialize)]
struct Compared<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    value: &'a str,
    unit: &'a str,
    per: Per,
    #[serde(skip)]
    by: &'a By,
    a: Labeled<'a>,
    b: Labeled<'a>,
    rows: &'a [DiffRow],
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    regressions: Option<&'a [Regression]>,
}

#[derive(Serialize)]
struct Labeled<'a> {
    label: &'a str,
    #[serde(flatten)]
    side: Side,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let labels = match &args.by {
        By::Class => vec![LabelKey::Class],
        By::Label(Group::Thread) => vec![LabelKey::Thread],
        By::Label(Group::Endpoint) => vec![LabelKey::TraceEndpoint],
        By::Label(Group::Label(key)) => LabelKey::from_name(key).into_iter().collect(),
        _ => Vec::new(),
    };
    let types: Vec<ProfileType> = args.kind.as_deref().and_then(ProfileType::from_name).into_iter().collect();
    let view = args.collecting.view()?;
    let one = |path: &OsString| {
        let (mut loaded, cancel) = load(std::slice::from_ref(path), &types, &labels, &args.collecting, &args.limits)?;
        loaded.prefer(args.kind.as_slice());
        Ok::<_, Failure>((loaded, cancel))
    };
    let (a, cancel) = one(&args.a)?;
    let (b, _) = one(&args.b)?;
    let (of_a, of_b) = match args.kind.as_deref() {
        Some(kind) => (a.pick(Some(kind))?, b.pick(Some(kind))?),
        None => {
            let both = a
                .types
                .iter()
                .find_map(|of| b.types.iter().find(|other| other.kind == of.kind).map(|other| (of, other)));
            both.ok_or_else(|| Failure::Failed(format!("{} and {} have no profile type in common", a.name, b.name)))?
        }
    };
    let (at, value, unit) = of_a.value();
    let Some(other) = of_b.stacks.value_named(value) else {
        return Err(Failure::Failed(format!("{} has no value {value}, but {} does", b.name, a.name)));
    };
    let unit_b = of_b.stacks.types().get(other).map_or("", |of| &*of.unit);
    if unit_b != unit {
        return Err(Failure::Failed(format!("{value} is in {unit} in {}, in {unit_b} in {}", a.name, b.name)));
    }
    let mut per = if args.per == PerArg::Share { Per::Share } else { Per::Second };
    if per == Per::Second && (of_a.stacks.seconds <= 0.0 || of_b.stacks.seconds <= 0.0) {
        crate::output::print_warning("the duration of a profile is unknown; comparing shares of the total");
        per = Per::Share;
    }
    let sides = ((&of_a.stacks, at), (&of_b.stacks, other));
    let (side_a, side_b, mut rows) =
        Diff::table(sides.0, sides.1, &view, &args.by, per, &cancel).map_err(|e| tree_failure(&e))?;
    let worse =
        args.fail_on_regression.map(|threshold| regressions(&side_a, &side_b, &rows, threshold, per == Per::Second).0);
    // Noise goes last; within each half, rows stay sorted by change.
    rows.sort_by_key(|row| row.noise);
    let count = rows.len();
    if args.format == Format::Html {
        page(args, (of_a, at, &a.name), (of_b, other, &b.name), per, &view, &cancel)?;
    } else {
        rows.truncate(args.limit);
        let compared = Compared {
            kind: &of_a.kind,
            value,
            unit,
            per,
            by: &args.by,
            a: Labeled { label: &a.name, side: side_a },
            b: Labeled { label: &b.name, side: side_b },
            rows: &rows,
            count,
            regressions: worse.as_deref(),
        };
        let mut text = Vec::new();
        match args.format {
            Format::Json => {
                serde_json::to_writer(&mut text, &compared)?;
                text.push(b'\n');
            }
            Format::Markdown => markdown(&mut text, &compared)?,
            _ => table(&mut text, &compared)?,
        }
        match &args.output {
            Some(path) => {
                let written = FILES.write_file(path, |file| file.write_all(&text));
                written.map_err(|e| Failure::Failed(e.to_string()))?;
            }
            None => {
                let mut out = crate::output::stdout();
                out.write_all(&text)?;
                out.flush()?;
            }
        }
    }
    match worse.as_deref() {
        Some([first, rest @ ..]) => {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            let key = jfr_parse::text::plain(&first.key);
            Err(Failure::Found(format!("regression: {key} grew by {}{more}", growth(first.growth))))
        }
        _ => a.finish(false).and_then(|()| b.finish(false)),
    }
}

fn growth(share: f64) -> String {
    if share.is_finite() {
        format!("{:.1} %", share * 100.0)
    } else {
        "more than its value in A, which is 0".to_owned()
    }
}

fn page(
    args: &Args,
    a: (&Typed, usize, &str),
    b: (&Typed, usize, &str),
    per: Per,
    view: &View,
    cancel: &jfrkit_profile::Cancel,
) -> Result<(), Failure> {
    let title = format!("{} ⇄ {}", base(a.2), base(b.2));
    let head = PageHead { title: &title, subtitle: "", view };
    let of = PageType {
        kind: &a.0.kind,
        core: true,
        title: &a.0.title,
        definition: &a.0.definition,
        how: &[],
        absent: None,
        stacks: None,
    };
    let sides = ((a.2, &a.0.stacks, a.1), (b.2, &b.0.stacks, b.1));
    let fill = |out: &mut dyn Write| match diff_page(out, &head, &of, sides.0, sides.1, per, cancel) {
        Ok(()) => Ok(Ok(())),
        Err(PageError::Io(e)) => Err(e),
        Err(PageError::Tree(e)) => Ok(Err(tree_failure(&e))),
        Err(e) => Ok(Err(Failure::Failed(e.to_string()))),
    };
    write_page(args.output.as_deref(), &format!("diff-{}-{}", base(a.2), base(b.2)), args.no_open, fill)
}

fn base(name: &str) -> &str {
    name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(name)
}

/// A value in its scaled form.
fn shown(value: i64, side: &Side, of: &Compared<'_>) -> String {
    match of.per {
        Per::Share => format!("{:.2} %", value as f64 * side.scale * 100.0),
        Per::Second => {
            let rate = value as f64 * side.scale;
            match of.unit {
                "nanoseconds" => format!("{:.3} s/s", rate / 1e9),
                unit => {
                    #[expect(clippy::cast_possible_truncation, reason = "a saturating cast, for show")]
                    let whole = rate.round() as i64;
                    if rate < 10.0 && unit == "count" {
                        format!("{rate:.2}/s")
                    } else {
                        format!("{}/s", units::value(whole, unit))
                    }
                }
            }
        }
    }
}

/// What the rows are.
fn row_name(by: &By) -> String {
    match by {
        By::Function => "function",
        By::Line => "line",
        By::Package => "package",
        By::Class | By::DeclaringClass | By::Label(Group::Class) => "class",
        By::Label(Group::Thread) => "thread",
        By::Label(Group::Endpoint) => "endpoint",
        By::Label(Group::Label(key)) => key,
    }
    .to_owned()
}

fn change(row: &DiffRow) -> String {
    match row.ratio {
        _ if row.b == 0 => "only in A".to_owned(),
        Some(ratio) => format!("{:+.1} %", (ratio - 1.0) * 100.0),
        None => "only in B".to_owned(),
    }
}

fn cells(of: &Compared<'_>) -> Vec<[String; 5]> {
    let (a, b) = (&of.a.side, &of.b.side);
    let mut total = DiffRow::total(a, b);
    total.noise = total.noise || of.per == Per::Share;
    let row = |row: &DiffRow| {
        let noise = if row.noise { "noise" } else { "" };
        [
            shown(row.a, a, of),
            shown(row.b, b, of),
            change(row),
            noise.to_owned(),
            jfr_parse::text::plain(&row.key).into_owned(),
        ]
    };
    std::iter::once(row(&total)).chain(of.rows.iter().map(row)).collect()
}

fn table(out: &mut impl Write, of: &Compared<'_>) -> std::io::Result<()> {
    writeln!(out, "{} · {}", of.kind, of.value)?;
    for (sign, side) in [("A", &of.a), ("B", &of.b)] {
        let label = jfr_parse::text::plain(side.label);
        let total = units::value(side.side.total, of.unit);
        writeln!(
            out,
            "{sign}  {label}: {total} in {}, {}",
            units::duration_f64(side.side.seconds * 1e9),
            units::things(side.side.samples.unsigned_abs(), "sample", "samples")
        )?;
    }
    writeln!(out)?;
    let mut rows = vec![["A", "B", "change", "", ""].map(str::to_owned)];
    rows.extend(cells(of));
    let width = |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| layout::width(cell)).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            write!(out, "{}  ", layout::right(cell, width))?;
        }
        writeln!(out, "{}", row.last().map_or("", String::as_str))?;
    }
    if of.count > of.rows.len() {
        writeln!(
            out,
            "\n{} more rows; -n shows more",
            units::count(i64::try_from(of.count - of.rows.len()).unwrap_or(i64::MAX))
        )?;
    }
    Ok(())
}

fn markdown(out: &mut impl Write, of: &Compared<'_>) -> std::io::Result<()> {
    let clean = |text: &str| jfr_parse::text::plain(text).replace('|', "\\|").replace('`', "'");
    writeln!(out, "**{}** ({}), A: `{}`, B: `{}`\n", of.kind, of.value, clean(of.a.label), clean(of.b.label))?;
    writeln!(out, "| {} | A | B | change | |\n|---|--:|--:|--:|---|", clean(&row_name(of.by)))?;
    for [a, b, change, noise, key] in cells(of) {
        writeln!(out, "| `{}` | {a} | {b} | {change} | {noise} |", clean(&key))?;
    }
    Ok(())
}
