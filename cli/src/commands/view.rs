//! `jfrkit view`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use jfr_analyzers::views::{self, Answers, Catalog, Filter, Kind, Query, Truncate, View, ViewSet, write};
use jfr_parse::Recording;
use regex::Regex;

use crate::collecting;
use crate::failure::Failure;
use crate::input::each;
use crate::inputs::Source;
use crate::limits;
use crate::output::{warn, width, zone};

/// Show tables: those of the JDK's `jfr view`, more views, any event type, and your own queries
#[derive(Debug, clap::Args)]
#[group(id = "view")]
#[command(after_help = "\
Examples:
  jfrkit view hot-methods recording.jfr                  the most executed methods
  jfrkit view gc-pauses gc recording.jfr                 pause statistics, and each collection
  jfrkit view gc-summary threads waits locks rec.jfr     tables that the JDK does not have
  jfrkit view jdk.ThreadSleep recording.jfr              the events of one type as a table
  jfrkit view all-views --format json recording.jfr      every view, one JSON object per line
  jfrkit view --list
  jfrkit view --query \"SELECT eventThread, SUM(bytesRead) FROM SocketRead GROUP BY eventThread\" recording.jfr

A NAME is a view (see --list), an event type with or without its package, or one of all-views, all-events and types. \
An argument is an INPUT if it names an existing file, has a recording's extension, or is `-`. The query language and each view are described \
in docs/views.md.")]
pub(crate) struct Args {
    /// Views, followed by recordings, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "NAME|INPUT", required_unless_present = "list")]
    arguments: Vec<OsString>,

    /// List the views by category
    #[arg(long)]
    list: bool,

    /// Run this query
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,

    /// File with your own views, in the format of the JDK's view file; they override views of the same name
    #[arg(long, value_name = "FILE")]
    views: Option<PathBuf>,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Line width of text output, 0 for unlimited [default: the width of the terminal, else 120]
    #[arg(long, value_name = "N")]
    width: Option<usize>,

    /// Where to cut text that does not fit its cell
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = Cut::End)]
    truncate: Cut,

    /// Print raw numbers (nanoseconds, bytes, ratios) instead of rounded ones with units
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    time: collecting::Time,

    /// Only events of threads whose name matches
    #[arg(long, value_name = "REGEX")]
    thread: Option<Regex>,

    /// Packages of your own code, for own-code and stackTrace.topOwnFrame. The default is `[own]` in jfrkit.toml in the
    /// current directory, or else all classes of the application class loaders, except well-known libraries
    #[arg(long, value_name = "PACKAGES", value_delimiter = ',')]
    own: Vec<String>,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// All tables in sequence, with titles
    Csv,
    /// One object per line
    Json,
    /// For issues and chat
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Cut {
    /// Cut the beginning
    Beginning,
    /// Cut the end
    End,
}

/// What to read from a recording.
#[derive(Debug)]
enum Wanted {
    Views(Vec<View>),
    AllEvents,
    Types,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let catalog = args.catalog()?;
    if args.list {
        return list(&catalog, args.format);
    }
    let (names, inputs) = args.split(&catalog);
    let wanted = args.wanted(&catalog, &names)?;
    if inputs.is_empty() {
        return Err(Failure::Usage("no recording given; see --help".to_owned()));
    }
    let mut out = crate::output::stdout();
    let done = each(&inputs, &args.limits, |source, recording, many| {
        let mut job = Job { args, name: &source.name(), source, recording: &recording, many, out: &mut out };
        job.run(&catalog, &wanted)
    });
    out.flush()?;
    done
}

impl Args {
    fn catalog(&self) -> Result<Catalog, Failure> {
        let mut catalog = Catalog::built_in().clone();
        if let Some(path) = &self.views {
            let shown = path.display();
            let text = std::fs::read_to_string(path).map_err(|e| Failure::Failed(format!("{shown}: {e}")))?;
            let own = Catalog::parse(&text).map_err(|e| Failure::Usage(format!("{shown}: {}", place(&e))))?;
            catalog.extend(own);
        }
        Ok(catalog)
    }

    /// The names of the views, and the inputs.
    fn split(&self, catalog: &Catalog) -> (Vec<String>, Vec<OsString>) {
        let (mut names, mut inputs) = (Vec::new(), Vec::new());
        for argument in &self.arguments {
            let text = argument.to_str();
            let known = text.is_some_and(|text| catalog.get(text).is_some() || SPECIAL.contains(&text));
            let path = Path::new(argument);
            let recording = text.is_none_or(|text| {
                let ending = [".jfr", ".gz", ".zip", ".lz4", ".zst", ".zstd"].iter().any(|end| text.ends_with(end));
                ending || text.contains('/') || text == "-"
            });
            if known || !(recording || path.exists() || self.query.is_some()) {
                names.extend(text.map(str::to_owned));
            } else {
                inputs.push(argument.clone());
            }
        }
        (names, inputs)
    }

    fn wanted(&self, catalog: &Catalog, names: &[String]) -> Result<Wanted, Failure> {
        if let [name] = names
            && SPECIAL.contains(&name.as_str())
            && self.query.is_none()
        {
            return Ok(match name.as_str() {
                "all-views" => Wanted::Views(catalog.views().to_vec()),
                "all-events" => Wanted::AllEvents,
                _ => Wanted::Types,
            });
        }
        let mut wanted = Vec::new();
        if let Some(text) = &self.query {
            let query = Query::parse(text).map_err(|e| Failure::Usage(format!("--query: {}", place(&e))))?;
            wanted.push(view(QUERY, "Query", query, text));
        }
        for name in names {
            if SPECIAL.contains(&name.as_str()) {
                return Err(Failure::Usage(format!("{name} cannot be combined with other views")));
            }
            match catalog.get(name) {
                Some(view) => wanted.push(view.clone()),
                // A name with capitals or dots is an event type; views have neither.
                None if name.contains('.') || name.starts_with(|c: char| c.is_uppercase()) => {
                    wanted.push(event_view(name, name));
                }
                None => {
                    let near = catalog.near(name);
                    let hint = match near.as_slice() {
                        [] => "see jfrkit view --list".to_owned(),
                        near => format!("did you mean {}? See jfrkit view --list", near.join(", ")),
                    };
                    return Err(Failure::Usage(format!("there is no view \"{name}\"; {hint}")));
                }
            }
        }
        if wanted.is_empty() {
            return Err(Failure::Usage(
                "name a view (see jfrkit view --list), an event type, or give a --query".to_owned(),
            ));
        }
        Ok(Wanted::Views(wanted))
    }

    fn filter(&self, name: &str, recording: &Recording<'_>) -> Result<Filter, Failure> {
        let range = self.time.range(name, &[recording])?;
        let mut filter = Filter::default();
        filter.range = range;
        filter.thread.clone_from(&self.thread);
        filter.own.packages = self.own()?;
        Ok(filter)
    }

    /// The packages of the user's own code, from the option or else from the settings file.
    fn own(&self) -> Result<Vec<String>, Failure> {
        if !self.own.is_empty() {
            return Ok(self.own.clone());
        }
        let path = Path::new("jfrkit.toml");
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(_) => return Ok(Vec::new()),
        };
        jfrkit_rules::config::own_packages(&text).map_err(|e| Failure::Usage(format!("jfrkit.toml: {e}")))
    }

    fn text(&self) -> write::TextOptions {
        let mut options = write::TextOptions::default();
        options.width = self.width.or_else(width).unwrap_or(120);
        options.raw = self.raw;
        options.truncate = match self.truncate {
            Cut::Beginning => Truncate::Beginning,
            Cut::End => Truncate::End,
        };
        options
    }
}

/// Names with a special meaning.
const SPECIAL: [&str; 3] = ["all-views", "all-events", "types"];

/// The name of the view created by `--query`.
const QUERY: &str = "query";

/// Whether the user wrote this view's query.
fn is_own(view: &View) -> bool {
    !view.text.is_empty() && Catalog::built_in().get(&view.name).is_none_or(|known| known.text != view.text)
}

/// A syntax error on one line.
fn place(error: &views::SyntaxError) -> String {
    format!("line {}, column {}: {}", error.line, error.column, error.message)
}

fn view(name: &str, title: &str, query: Query, text: &str) -> View {
    View {
        name: name.to_owned(),
        category: String::new(),
        title: title.to_owned(),
        about: String::new(),
        since: None,
        kind: Kind::Table,
        query,
        text: text.to_owned(),
    }
}

/// A view of all fields of an event type.
fn event_view(name: &str, title: &str) -> View {
    let source = views::Source { event: name.to_owned(), alias: None };
    view(name, title, Query { from: vec![source], ..Query::default() }, "")
}

/// The views to answer for one recording.
struct Job<'j, O> {
    args: &'j Args,
    name: &'j str,
    source: &'j Source,
    recording: &'j Recording<'j>,
    many: bool,
    out: &'j mut O,
}

impl<O: Write> Job<'_, O> {
    fn run(&mut self, catalog: &Catalog, wanted: &Wanted) -> Result<(), Failure> {
        for loss in self.recording.losses() {
            warn(self.name, loss);
        }
        let mut lossy = !self.recording.losses().is_empty();
        let counts = match wanted {
            Wanted::Views(views) if views.iter().all(|view| catalog.get(&view.name).is_some()) => BTreeMap::new(),
            _ => self.types(&mut lossy)?,
        };
        let views: Vec<View> = match wanted {
            Wanted::Types => return self.list_types(catalog, &counts),
            Wanted::AllEvents => {
                counts.iter().map(|(name, label)| event_view(name, label.as_deref().unwrap_or(name))).collect()
            }
            Wanted::Views(views) => views.iter().map(|view| self.named(view, &counts)).collect::<Result<_, _>>()?,
        };
        let set = ViewSet::new(&views, self.args.filter(self.name, self.recording)?);
        let (answers, errors) = views::answer(self.recording, &set).map_err(|e| Failure::of(self.name, &e))?;
        let answers = if self.args.format == Format::Json { answers } else { answers.in_zone(zone()) };
        for error in &errors {
            warn(self.name, error);
        }
        lossy |= !errors.is_empty();
        let mut answers = answers;
        if let Wanted::Views(views) = wanted {
            for (answer, view) in answers.iter_mut().zip(views).filter(|(_, view)| is_own(view)) {
                self.check_names(answer, view)?;
            }
        }
        let all = matches!(wanted, Wanted::AllEvents) || views.len() > 12;
        self.write(&answers, all)?;
        if lossy && self.args.strict {
            return Err(Failure::lossy(self.name));
        }
        Ok(())
    }

    /// The event types that the recording declares, with their labels.
    fn types(&self, lossy: &mut bool) -> Result<BTreeMap<String, Option<String>>, Failure> {
        let (mut types, mut readable) = (BTreeMap::new(), false);
        let mut failed = None;
        for chunk in self.recording.chunks() {
            match chunk {
                Ok(chunk) => {
                    readable = true;
                    for of in chunk.metadata().event_types() {
                        types.insert(of.canonical_name().into_owned(), of.label().map(str::to_owned));
                    }
                }
                Err(e) => failed = Some(e),
            }
        }
        *lossy |= failed.is_some();
        match failed {
            Some(e) if !readable => Err(Failure::of(self.name, &e)),
            _ => Ok(types),
        }
    }

    /// Checks that the fields and event types in a user's query exist.
    fn check_names(&self, answer: &mut views::Answer, view: &View) -> Result<(), Failure> {
        if answer.unknown_fields.is_empty() && !answer.declared().is_empty() {
            return Ok(());
        }
        let mut types = Vec::new();
        let mut fields: Vec<String> =
            ["startTime", "duration", "eventThread", "stackTrace"].map(str::to_owned).to_vec();
        for chunk in self.recording.chunks().flatten() {
            for of in chunk.metadata().event_types() {
                let name = of.canonical_name().into_owned();
                if answer.declared().contains(&name) {
                    fields.extend(of.fields().map(|field| field.name().to_owned()));
                }
                types.push(name);
            }
        }
        if let Some(unknown) = answer.unknown_fields.first() {
            let first = unknown.split('.').next().unwrap_or(unknown);
            let list = format!("jfrkit metadata shows the fields of {}", answer.declared().join(" and "));
            let hint = crate::near::hint(first, fields.iter().map(String::as_str), &list);
            let message = format!("{} has no field {unknown:?}{hint}", answer.declared().join(" or "));
            if view.name == QUERY {
                let at = view.text.find(unknown.as_str()).unwrap_or_default();
                let error = views::SyntaxError::at(&view.text, at, message);
                return Err(Failure::Usage(format!("--query: {}", place(&error))));
            }
            // Views are written for recordings of several JDKs, so a missing column is only a warning.
            warn(self.name, format!("view {}: {message}", view.name));
        }
        if answer.declared().is_empty()
            && let Some(source) = answer.sources().first().cloned()
        {
            let near = crate::near::near(&source, types.iter().map(String::as_str));
            if let Some(note) = answer.note.as_mut().filter(|_| !near.is_empty()) {
                note.push_str(&format!(" Did you mean {}?", near.join(" or ")));
            }
        }
        Ok(())
    }

    /// A view of an event type, under the name used in the recording.
    fn named(&self, view: &View, types: &BTreeMap<String, Option<String>>) -> Result<View, Failure> {
        if !view.text.is_empty() || types.is_empty() {
            return Ok(view.clone());
        }
        let wanted = view.name.as_str();
        let simple = |name: &str| name.rsplit('.').next() == Some(wanted);
        let found = types.get_key_value(wanted).or_else(|| types.iter().find(|(name, _)| simple(name)));
        match found {
            Some((name, label)) => Ok(event_view(name, label.as_deref().unwrap_or(name))),
            // It may exist in another JDK.
            None if wanted.contains('.') => Ok(view.clone()),
            None => {
                let lower = wanted.to_lowercase();
                let near: Vec<&str> = types
                    .keys()
                    .filter(|name| {
                        let simple = name.rsplit('.').next().unwrap_or(name).to_lowercase();
                        simple.contains(&lower) || lower.contains(&simple)
                    })
                    .map(String::as_str)
                    .take(6)
                    .collect();
                let hint = match near.as_slice() {
                    [] => "see jfrkit view types".to_owned(),
                    near => format!("did you mean {}?", near.join(", ")),
                };
                Err(Failure::Usage(format!("there is no view and no event type \"{wanted}\"; {hint}")))
            }
        }
    }

    fn write(&mut self, answers: &Answers, all: bool) -> Result<(), Failure> {
        let text = self.args.text();
        if self.many && matches!(self.args.format, Format::Text | Format::Markdown) {
            writeln!(self.out, "# {}\n", jfr_parse::text::plain(self.name))?;
        }
        let mut empty = Vec::new();
        let count = answers.iter().len();
        for answer in answers.iter() {
            // For all views or types, print only those with rows; JSON also contains the others.
            if all && answer.is_empty() && self.args.format != Format::Json {
                empty.push(answer.name.as_str());
                continue;
            }
            match self.args.format {
                Format::Text => {
                    write::text(self.out, answers, answer, &text)?;
                    writeln!(self.out)?;
                }
                Format::Markdown => write::markdown(self.out, answers, answer, self.args.raw)?,
                Format::Csv => {
                    if count > 1 || self.many {
                        writeln!(self.out, "# {} {}", answer.name, self.name)?;
                    }
                    write::csv(self.out, answers, answer, self.args.raw)?;
                }
                Format::Json => {
                    let mut object = write::json(answers, answer, self.args.raw);
                    if self.many || count > 1 {
                        object.insert("file".to_owned(), self.source.name().into());
                    }
                    serde_json::to_writer(&mut *self.out, &object)?;
                    writeln!(self.out)?;
                }
            }
        }
        if !empty.is_empty() && self.args.format == Format::Text {
            writeln!(self.out, "No rows ({}): {}", empty.len(), empty.join(", "))?;
        }
        Ok(())
    }

    fn list_types(&mut self, catalog: &Catalog, types: &BTreeMap<String, Option<String>>) -> Result<(), Failure> {
        match self.args.format {
            Format::Json => {
                let views: Vec<&str> = catalog.views().iter().map(|view| view.name.as_str()).collect();
                let object = serde_json::json!({"file": self.name, "views": views, "types": types});
                writeln!(self.out, "{object}")?;
            }
            _ => {
                list_views(self.out, catalog)?;
                writeln!(self.out, "\nEvent types of {}", jfr_parse::text::plain(self.name))?;
                for (name, label) in types {
                    let label = label.as_deref().map(jfr_parse::text::plain).unwrap_or_default();
                    writeln!(self.out, "  {:<44} {label}", jfr_parse::text::plain(name))?;
                }
            }
        }
        Ok(())
    }
}

fn list(catalog: &Catalog, format: Format) -> Result<(), Failure> {
    let mut out = crate::output::stdout();
    match format {
        Format::Json => {
            for view in catalog.views() {
                let object = serde_json::json!({
                    "name": view.name, "title": view.title, "category": view.category, "about": view.about,
                    "since": view.since, "query": view.text,
                });
                writeln!(out, "{object}")?;
            }
        }
        _ => list_views(&mut out, catalog)?,
    }
    Ok(out.flush()?)
}

fn list_views(out: &mut impl Write, catalog: &Catalog) -> Result<(), Failure> {
    let mut last = "";
    for view in catalog.views() {
        if view.category != last {
            let blank = if last.is_empty() { "" } else { "\n" };
            let title = match view.category.as_str() {
                "jvm" => "Java virtual machine",
                "environment" => "Environment",
                "application" => "Application",
                "own" => "Beyond the JDK's",
                other => other,
            };
            writeln!(out, "{blank}{title}")?;
            last = &view.category;
        }
        writeln!(out, "  {:<32} {}", view.name, view.about)?;
    }
    Ok(())
}
