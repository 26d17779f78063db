//! `jfrkit flame`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use jfr_analyzers::LabelKey;
use jfrkit_profile::tree::{Group, Pattern, Tree, View};
use jfrkit_profile::{Cancel, units};
use jfrkit_reports::page::{PageError, PageHead, PageType, flame_page};

use crate::collecting;
use crate::failure::Failure;
use crate::interrupt::FILES;
use crate::limits;
use crate::output::print_warning;
use crate::profiles::{Loaded, Typed, load, tree_failure};

/// Draw flame graphs as one self-contained HTML page, or as a tree in the terminal
#[derive(Debug, clap::Args)]
#[group(id = "flame")]
#[command(after_help = "\
Examples:
  jfrkit flame recording.jfr                     writes a page and opens the browser
  jfrkit flame -o cpu.html --type cpu rec.jfr    a page with one type
  jfrkit flame cpu.pprof                         a profile from Go, Python, Node.js, …
  jfrkit flame monday/ --group thread            all recordings in a directory, combined, threads as first level
  jfrkit flame --term recording.jfr              the heaviest paths as text

The page needs no network. It has a switch for profile types, callers, a table, search, zoom and a sandwich view of a function.")]
pub(crate) struct Args {
    /// Recordings, pprof files, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    #[command(flatten)]
    types: collecting::Types,

    /// Output file; `-` for standard output. By default, the page is written to the cache directory and opened
    #[arg(short, long, value_name = "FILE.html")]
    output: Option<PathBuf>,

    /// Do not open a browser
    #[arg(long)]
    no_open: bool,

    /// Print the tree to the terminal, heaviest paths first, without paths below 1 %
    #[arg(long, conflicts_with_all = ["output", "no_open"])]
    term: bool,

    /// Group the first level by thread, class, endpoint or label:KEY
    #[arg(long, value_name = "LABEL", value_parser = group)]
    group: Option<Group>,

    /// Merge consecutive frames of the same function (recursion)
    #[arg(long)]
    collapse_recursion: bool,

    #[command(flatten)]
    library: collecting::Library,

    /// Show the lines of functions as separate frames
    #[arg(long)]
    lines: bool,

    /// Hide matching functions; their value goes to the caller
    #[arg(long, value_name = "REGEX")]
    hide: Option<String>,

    #[command(flatten)]
    collecting: collecting::Args,

    #[command(flatten)]
    limits: limits::Args,
}

pub(crate) fn group(text: &str) -> Result<Group, String> {
    Group::parse(text).ok_or_else(|| "expected thread, class, endpoint or label:KEY".to_owned())
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut labels = vec![LabelKey::Class];
    match &args.group {
        Some(Group::Thread) => labels.push(LabelKey::Thread),
        Some(Group::Endpoint) => labels.push(LabelKey::TraceEndpoint),
        Some(Group::Label(key)) => labels.extend(LabelKey::from_name(key)),
        _ => {}
    }
    let hide = args.hide.as_deref().map(Pattern::new).transpose().map_err(|e| tree_failure(&e))?;
    let view = View {
        group: args.group.clone(),
        hide,
        collapse_recursion: args.collapse_recursion,
        library: args.library.prefixes.clone(),
        lines: args.lines,
        ..args.collecting.view()?
    };
    let (mut loaded, cancel) = load(&args.inputs, &args.types.wanted(), &labels, &args.collecting, &args.limits)?;
    loaded.prefer(&args.types.names);
    if args.term {
        let mut out = crate::output::stdout();
        for (i, (_, of)) in loaded.pick_all(&args.types.names)?.into_iter().enumerate() {
            let tree = Tree::new(&of.stacks, of.value().0, &view, &cancel).map_err(|e| tree_failure(&e))?;
            if i > 0 {
                writeln!(out)?;
            }
            term(&mut out, of, &tree)?;
        }
        out.flush()?;
        return loaded.finish(false);
    }
    let only: Vec<&Typed> = match args.types.names.as_slice() {
        [] => Vec::new(),
        names => loaded.pick_all(names)?.into_iter().map(|(_, of)| of).collect(),
    };
    if loaded.types.is_empty() {
        if let Some(reason) = loaded.emptied() {
            return Err(Failure::Failed(reason));
        }
        return Err(Failure::Failed(format!("{}: there are no samples", loaded.name)));
    }
    if let Some(reason) = loaded.emptied().filter(|_| only.is_empty()) {
        print_warning(&reason);
    }
    let title = loaded.name.rsplit('/').next().unwrap_or(&loaded.name);
    write_page(args.output.as_deref(), title, args.no_open, |out| page(out, &loaded, &only, &view, &cancel))?;
    loaded.finish(false)
}

/// Writes a page with the given profiles, or with one type of them.
pub(crate) fn page(
    out: &mut dyn Write,
    loaded: &Loaded,
    only: &[&Typed],
    view: &View,
    cancel: &Cancel,
) -> std::io::Result<Result<(), Failure>> {
    let types = page_types(loaded, only);
    let title = loaded.name.rsplit('/').next().unwrap_or(&loaded.name);
    let seconds = types.iter().filter_map(|of| of.stacks).map(|stacks| stacks.seconds).fold(0.0, f64::max);
    let subtitle = if seconds > 0.0 { units::duration_f64(seconds * 1e9) } else { String::new() };
    let head = PageHead { title, subtitle: &subtitle, view };
    match flame_page(out, &head, &types, cancel) {
        Ok(()) => Ok(Ok(())),
        Err(PageError::Io(e)) => Err(e),
        Err(PageError::Tree(e)) => Ok(Err(tree_failure(&e))),
        Err(e) => Ok(Err(Failure::Failed(e.to_string()))),
    }
}

/// Writes a page to standard output, to a file, or to the cache directory and opens it in the browser.
pub(crate) fn write_page(
    output: Option<&Path>,
    title: &str,
    no_open: bool,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<Result<(), Failure>>,
) -> Result<(), Failure> {
    if output.is_some_and(|output| output.as_os_str() == "-") {
        let mut out = crate::output::stdout();
        fill(&mut out)??;
        return Ok(out.flush()?);
    }
    let path = match output {
        Some(output) => output.to_owned(),
        None => cached(title)?,
    };
    let mut refused = None;
    let written = FILES.write_file(&path, |file| {
        let mut out = std::io::BufWriter::new(file);
        if let Err(failure) = fill(&mut out)? {
            refused = Some(failure);
            // An error here makes `write_file` remove the temporary file.
            return Err(std::io::Error::other("not written"));
        }
        out.flush()
    });
    match refused {
        Some(failure) => return Err(failure),
        None => written.map_err(|e| Failure::Failed(e.to_string()))?,
    }
    let mut out = crate::output::stdout();
    writeln!(out, "{}", jfr_parse::text::plain(&path.to_string_lossy()))?;
    out.flush()?;
    if output.is_none() && !no_open {
        open(&path);
    }
    Ok(())
}

/// The path of a file in the user's cache directory.
fn cached(title: &str) -> Result<PathBuf, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME")
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| {
            set("HOME").map(|home| home.join(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" }))
        })
        .unwrap_or_else(std::env::temp_dir)
        .join("jfrkit");
    std::fs::create_dir_all(&folder).map_err(|e| Failure::Failed(format!("{}: {e}", folder.display())))?;
    let safe: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).take(80).collect();
    Ok(folder.join(format!("{safe}.html")))
}

/// Opens a file in the browser, if there is a display and this is not CI. Failing to do so is fine, because the path is printed.
fn open(path: &Path) {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let (program, display) = if cfg!(target_os = "macos") {
        ("open", true)
    } else if cfg!(windows) {
        ("explorer", true)
    } else {
        ("xdg-open", is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"))
    };
    if display && !is_set("CI") {
        use std::process::{Command, Stdio};
        let _ =
            Command::new(program).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}

fn page_types<'a>(loaded: &'a Loaded, only: &[&'a Typed]) -> Vec<PageType<'a>> {
    let shown = |of: &&Typed| only.is_empty() || only.iter().any(|only| std::ptr::eq(*only, *of));
    let mut types: Vec<PageType<'a>> = loaded
        .types
        .iter()
        .filter(shown)
        .map(|of| PageType {
            kind: &of.kind,
            core: true,
            title: &of.title,
            definition: &of.definition,
            how: &of.how,
            absent: None,
            stacks: Some(&of.stacks),
        })
        .collect();
    if only.is_empty() {
        types.extend(loaded.absent.iter().filter(|(kind, _)| kind.is_core()).map(|(kind, reason)| PageType {
            kind: kind.name(),
            core: true,
            title: jfrkit_profile::any::java_title(*kind),
            definition: kind.title(),
            how: &[],
            absent: Some(reason),
            stacks: None,
        }));
    }
    types
}

/// Paths with less than this share of the total are left out.
const LEAST: f64 = 0.01;

/// Prints the tree as indented text: value, share, name. A line below each node gives the share of what was left out.
fn term(out: &mut impl Write, of: &Typed, tree: &Tree) -> std::io::Result<()> {
    let (_, value, unit) = of.value();
    let total = tree.total.first().copied().unwrap_or(0);
    let samples = units::things(tree.samples.unsigned_abs(), "sample", "samples");
    writeln!(out, "{} · {value}: {} in {samples}", of.title, units::value(total, unit))?;
    let share = |n: i64| if total == 0 { 0.0 } else { n as f64 / total as f64 };
    let Some(folded) = tree.to_json(None, LEAST) else { return Ok(()) };
    let mut sums = folded.own.clone();
    let mut open: Vec<usize> = Vec::new();
    let mut parents = vec![0; sums.len()];
    for (node, (&depth, parent)) in folded.depth.iter().zip(&mut parents).enumerate() {
        open.truncate(depth as usize);
        *parent = open.last().copied().unwrap_or(0);
        open.push(node);
    }
    for (node, &parent) in parents.iter().enumerate().skip(1).rev() {
        let below = sums.get(node).copied().unwrap_or(0);
        if let Some(sum) = sums.get_mut(parent) {
            *sum = sum.saturating_add(below);
        }
    }
    for ((&depth, &name), &sum) in folded.depth.iter().zip(&folded.name).zip(&sums).skip(1) {
        let name = folded.names.get(name as usize).map_or("", |name| &**name);
        let indent = "  ".repeat((depth as usize).saturating_sub(1));
        let name = jfr_parse::text::plain(name);
        writeln!(out, "{:>10} {:>5.1} %  {indent}{name}", units::value(sum, unit), share(sum) * 100.0)?;
    }
    Ok(())
}
