//! `jfrkit export`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jfr_analyzers::TimeBound;
use jfr_parse::{MetadataCache, Recording, Type};
use jfrkit_profile::ProfileType;
use jfrkit_profile::units;
use jfrkit_tables::{Error, ExportOptions, Exported, Input, Table, export};

use crate::collecting::{profile_type, time_range};
use crate::event_filter::Globs;
use crate::failure::Failure;
use crate::inputs::expand;
use crate::interrupt::{FILES, TIMED_OUT};
use crate::limits;
use crate::output::{print_error, print_warning};

/// Maximum warnings to show per input; further ones are only counted.
const MAX_WARNINGS: usize = 20;

/// Export recordings as tables for DuckDB, Polars, pandas and Spark
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit export recording.jfr -o tables                       all tables of a recording, as Parquet
  jfrkit export -o tables --append logs/                      add recordings that are not in the directory yet
  jfrkit export -o tables --tables events --events 'jdk.GC*,GarbageCollection' recording.jfr
  jfrkit export -o tables --tables samples,stacks,frames,recordings --types cpu,alloc logs/
  duckdb -c \"FROM read_parquet('tables/events/type=jdk.GCHeapSummary/*.parquet') LIMIT 5\"

Tables: events (a folder for each event type), samples (a folder for each profile type), stacks and frames (events and samples \
refer to stacks by id), threads, settings, metrics, findings, recordings. Every row has the id of its recording. Timestamps are \
in UTC with nanoseconds; durations are in nanoseconds: null if unknown, the largest number if they mean \"forever\".")]
pub(crate) struct Args {
    /// Recordings, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Output directory, created if necessary
    #[arg(short, long, visible_short_alias = 'd', value_name = "DIR")]
    out_dir: PathBuf,

    /// Tables to write: events, samples, stacks, frames, threads, settings, metrics, findings, recordings; by default all
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = table)]
    tables: Vec<Table>,

    /// Only events of these types: comma-separated names, with or without package, with * and ?
    #[arg(long, value_name = "GLOBS")]
    events: Option<Globs>,

    /// Only samples of these profile types
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = profile_type)]
    types: Vec<ProfileType>,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Parquet)]
    format: Format,

    /// Add to existing tables; recordings that they already contain are skipped, whatever their names
    #[arg(long)]
    append: bool,

    /// Keep passwords, tokens and keys, which are otherwise masked in properties, variables, flags and command lines
    #[arg(long)]
    show_secrets: bool,

    /// Keep class and method names in stacks as recorded, including the numbers of lambdas, proxies and other generated classes
    #[arg(long)]
    raw_names: bool,

    /// Only events that begin at this time or later: ISO 8601, milliseconds since 1970, or relative to the
    /// beginning (10s) or the end (-10s) of each recording
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<TimeBound>,

    /// Only events that begin before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<TimeBound>,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Parquet with zstd
    Parquet,
    /// Arrow's file format (Feather)
    Arrow,
    /// Comma-separated values, nested columns with dots in their names
    Csv,
}

fn table(name: &str) -> Result<Table, String> {
    Table::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Table::ALL.iter().map(|table| table.name()).collect();
        format!("no such table; expected one of {}", names.join(", "))
    })
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let inputs = expand(&args.inputs);
    let unsearched = inputs.print_failures();
    let opening = args.limits.opening().cache(MetadataCache::default());
    let fits = Arc::new(AtomicBool::new(false));
    let mut options = ExportOptions::new(&args.out_dir);
    options.format = match args.format {
        Format::Parquet => jfrkit_tables::Format::Parquet,
        Format::Arrow => jfrkit_tables::Format::Arrow,
        Format::Csv => jfrkit_tables::Format::Csv,
    };
    if !args.tables.is_empty() {
        options.tables.clone_from(&args.tables);
    }
    if let Some(globs) = args.events.clone() {
        let fits = fits.clone();
        options.events = Some(Arc::new(move |of: Type<'_>| {
            let fit = globs.fits_type(of);
            if fit {
                fits.store(true, Ordering::Relaxed);
            }
            fit
        }));
    }
    options.types.clone_from(&args.types);
    if args.from.is_some() || args.to.is_some() {
        let (from, to) = (args.from, args.to);
        options.range = Some(Box::new(move |recording: &Recording<'_>| {
            time_range("", from, to, &[recording]).map_err(|failure| failure.to_string())
        }));
    }
    options.raw_names = args.raw_names;
    options.show_secrets = args.show_secrets;
    options.append = args.append;
    options.files = FILES.clone();
    let opening = &opening;
    let of_export: Vec<Input<'_>> = inputs
        .sources
        .iter()
        .map(|source| Input {
            name: source.name(),
            open: Box::new(move || source.open(opening)),
            again: source.is_file(),
        })
        .collect();
    let exported = export(&of_export, &options).map_err(|error| match (&error, &*inputs.sources) {
        (Error::Read(_), [only]) => failure(&only.name(), &error),
        (Error::Read(jfr_parse::Error::Stopped), _) => Failure::Failed(TIMED_OUT.to_owned()),
        _ => Failure::Failed(error.to_string()),
    })?;
    let lost = warn(args, &exported);
    if exported.added > 0
        && let Some(globs) = args.events.as_ref().filter(|_| !fits.load(Ordering::Relaxed))
    {
        print_warning(&format!("no event type matches {}", globs.shown()));
    }
    let samples = options.tables.contains(&Table::Samples);
    for kind in args.types.iter().filter(|_| exported.added > 0 && samples) {
        let table = format!("samples/type={}", kind.name());
        if !exported.written.iter().any(|file| file.table == table) {
            print_warning(&format!("there are no {kind} samples"));
        }
    }
    tell(args, &exported)?;
    if let Some(name) = lost.filter(|_| args.strict) {
        return Err(Failure::lossy(&name));
    }
    if unsearched || !exported.failures.is_empty() { Err(Failure::Reported) } else { Ok(()) }
}

/// The failure of an input.
fn failure(name: &str, error: &Error) -> Failure {
    match error {
        Error::Read(error) => Failure::of(name, error),
        error => Failure::Failed(format!("{name}: {error}")),
    }
}

/// Reports losses and failures. Returns what is not complete: an input, or the tables because of a conflict between inputs.
fn warn(args: &Args, exported: &Exported) -> Option<String> {
    for conflict in &exported.conflicts {
        print_warning(conflict);
    }
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, warning) in &exported.warnings {
        let n = shown.entry(name).or_default();
        *n += 1;
        if *n <= MAX_WARNINGS {
            print_warning(&format!("{name}: {warning}"));
        }
    }
    for (name, n) in shown.into_iter().filter(|(_, n)| *n > MAX_WARNINGS) {
        print_warning(&format!("{name}: {} more warnings", n - MAX_WARNINGS));
    }
    for (name, error) in &exported.failures {
        print_error(&failure(name, error).to_string());
    }
    let input = exported.warnings.first().map(|(name, _)| name.clone());
    input.or_else(|| exported.conflicts.first().map(|_| args.out_dir.display().to_string()))
}

/// Prints a line for each kind of table.
fn tell(args: &Args, exported: &Exported) -> Result<(), Failure> {
    let mut out = crate::output::stdout();
    for name in &exported.known {
        writeln!(out, "{name}: already in these tables")?;
    }
    for table in Table::ALL {
        let of_table = || exported.written.iter().filter(|file| file.table.split('/').next() == Some(table.name()));
        let (rows, bytes) = of_table().fold((0u64, 0u64), |sum, file| (sum.0 + file.rows, sum.1 + file.bytes));
        let files = of_table().count();
        if files == 0 {
            continue;
        }
        let types = match table {
            Table::Events | Table::Samples => units::things(u64::try_from(files).unwrap_or(u64::MAX), "type", "types"),
            _ => String::new(),
        };
        let path = args.out_dir.join(table.name());
        let rows = units::things(rows, "row", "rows");
        let size = units::size(i64::try_from(bytes).unwrap_or(i64::MAX));
        writeln!(out, "{:<10} {rows:>16} {types:>11} {size:>11}  {}", table.name(), path.display())?;
    }
    Ok(out.flush()?)
}
