//! Inputs: files, directories to search, standard input; and the names of the output files.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jfr_parse::{OpenOptions, Recording};

use crate::output::print_error;

/// Extensions of compressed recordings.
const PACKED: [&str; 5] = ["gz", "zip", "lz4", "zst", "zstd"];
/// Extensions of pprof files.
const PROFILES: [&str; 4] = ["pprof", "pb", "prof", "profile"];

/// An input to read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// `None` for standard input.
    path: Option<PathBuf>,
    /// The beginning of output file names. For a file found in a directory, it includes the path below that directory.
    pub(crate) stem: PathBuf,
}

impl Source {
    /// The name in messages.
    pub(crate) fn name(&self) -> String {
        self.path.as_deref().map_or("standard input".into(), |path| path.display().to_string())
    }

    /// Whether it has the name of a recording.
    pub(crate) fn is_recording(&self) -> bool {
        self.path.as_deref().is_some_and(is_recording)
    }

    /// Whether it may be a pprof file, judging by its name.
    pub(crate) fn may_be_pprof(&self) -> bool {
        !self.is_recording()
    }

    /// Whether it is this file.
    pub(crate) fn is(&self, other: &Path) -> bool {
        let same = |path: &Path| path.canonicalize().ok();
        self.path.as_deref().and_then(same).is_some_and(|own| same(other) == Some(own))
    }

    /// The name in JSON; `-` for standard input.
    pub(crate) fn label(&self) -> String {
        self.path.as_deref().map_or("-".into(), |path| path.display().to_string())
    }

    /// The file size in bytes; 0 if unknown.
    pub(crate) fn size(&self) -> u64 {
        self.path.as_deref().and_then(|path| path.metadata().ok()).map_or(0, |about| about.len())
    }

    /// The unchanged content.
    #[cfg(feature = "serve")]
    pub(crate) fn bytes(&self) -> std::io::Result<Vec<u8>> {
        match &self.path {
            Some(path) => std::fs::read(path),
            None => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// Whether it is a file that can be opened again.
    pub(crate) fn is_file(&self) -> bool {
        self.path.as_deref().is_some_and(Path::is_file)
    }

    /// A reader of the unchanged content.
    pub(crate) fn reader(&self) -> std::io::Result<Box<dyn std::io::Read>> {
        Ok(match &self.path {
            Some(path) => Box::new(std::fs::File::open(path)?),
            None => Box::new(std::io::stdin().lock()),
        })
    }

    pub(crate) fn open(&self, options: &OpenOptions) -> jfr_parse::Result<Recording<'static>> {
        match &self.path {
            Some(path) => options.open(path),
            None => options.from_reader(std::io::stdin().lock()),
        }
    }
}

/// The inputs given by the arguments.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// The inputs, with directories replaced by the recordings in them. Stems are unique.
    pub(crate) sources: Vec<Source>,
    /// Directories that cannot be searched or contain no recordings, and why.
    pub(crate) failures: Vec<Unsearched>,
}

/// A directory that yields no recordings.
#[derive(Debug)]
pub(crate) struct Unsearched {
    pub(crate) name: String,
    pub(crate) reason: String,
}

impl Inputs {
    fn fail(&mut self, directory: &Path, reason: &impl std::fmt::Display) {
        self.failures.push(Unsearched { name: directory.display().to_string(), reason: reason.to_string() });
    }

    /// Reports directories that cannot be searched. Returns whether there are any.
    pub(crate) fn print_failures(&self) -> bool {
        for failure in &self.failures {
            print_error(&format!("{}: {}", failure.name, failure.reason));
        }
        !self.failures.is_empty()
    }
}

/// What to look for in directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Recordings,
    /// Recordings and pprof files.
    Profiles,
}

impl Wanted {
    /// Whether the file name matches.
    fn is(self, path: &Path) -> bool {
        is_recording(path) || (self == Self::Profiles && is_pprof(path))
    }
}

/// Finds the recordings given by the arguments.
pub(crate) fn expand(arguments: &[OsString]) -> Inputs {
    find(arguments, Wanted::Recordings)
}

/// Finds the recordings, or recordings and pprof files, given by the arguments: files, directories to search, and patterns
/// with `*`, `?` and `**` that were quoted in the shell.
pub(crate) fn find(arguments: &[OsString], wanted: Wanted) -> Inputs {
    let mut inputs = Inputs::default();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            inputs.sources.push(Source { path: None, stem: "stdin".into() });
        } else if path.is_dir() {
            let before = (inputs.sources.len(), inputs.failures.len());
            search(path, Path::new(""), wanted, &mut inputs);
            if (inputs.sources.len(), inputs.failures.len()) == before {
                let reason = match wanted {
                    Wanted::Recordings => {
                        "no recordings in this directory (files ending in .jfr, .jfr.gz and the like)"
                    }
                    Wanted::Profiles => {
                        "no profiles in this directory (files ending in .jfr, .pprof, .pb or .prof, compressed or not)"
                    }
                };
                inputs.fail(path, &reason);
            }
        } else if let Some(pattern) = pattern(path) {
            let before = inputs.sources.len();
            for found in glob(&pattern) {
                if found.is_dir() {
                    search(&found, Path::new(""), wanted, &mut inputs);
                } else {
                    inputs.sources.push(Source { stem: stem(&found).into(), path: Some(found) });
                }
            }
            if inputs.sources.len() == before {
                inputs.fail(path, &"no file matches this pattern");
            }
        } else {
            inputs.sources.push(Source { path: Some(path.to_owned()), stem: stem(path).into() });
        }
    }
    make_stems_unique(&mut inputs.sources);
    inputs
}

/// The components of the path if it is a pattern and not a file.
fn pattern(path: &Path) -> Option<Vec<OsString>> {
    let text = path.to_str()?;
    (text.contains(['*', '?']) && path.symlink_metadata().is_err())
        .then(|| path.components().map(|component| component.as_os_str().to_owned()).collect())
}

/// Whether a name matches a component: `*` matches any characters, `?` one. Hidden files need a dot in the pattern.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while let Some(&c) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == c => (p, n) = (p + 1, n + 1),
            _ => match star {
                // The last star matches one more character.
                Some((at, from)) => {
                    (p, n) = (at + 1, from + 1);
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&c| c == '*')
}

/// The files and directories that match a pattern, sorted by name.
fn glob(pattern: &[OsString]) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for (at, component) in pattern.iter().enumerate() {
        let text = component.to_str().unwrap_or_default();
        let last = at + 1 == pattern.len();
        let mut next = Vec::new();
        for base in found {
            if text == "**" {
                below(&base, &mut next);
            } else if text.contains(['*', '?']) {
                let folder = if base.as_os_str().is_empty() { Path::new(".") } else { &base };
                let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
                let mut names: Vec<OsString> =
                    names.filter(|name| name.to_str().is_some_and(|name| matches(text, name))).collect();
                names.sort();
                next.extend(names.into_iter().map(|name| base.join(name)));
            } else {
                next.push(base.join(component));
            }
        }
        next.retain(|path| if last { path.exists() } else { path.is_dir() });
        found = next;
    }
    found
}

/// A directory and everything below it. Links to directories are not followed, because they could form a cycle.
fn below(directory: &Path, out: &mut Vec<PathBuf>) {
    let folder = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    out.push(directory.to_owned());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<OsString> =
        entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        below(&directory.join(name), out);
    }
}

/// How many sources use each stem.
fn uses(sources: &[Source]) -> BTreeMap<PathBuf, u32> {
    let mut uses = BTreeMap::new();
    for source in sources {
        *uses.entry(source.stem.clone()).or_insert(0) += 1;
    }
    uses
}

/// Makes stems unique: sources with equal stems use their path below their common directory. Files that still collide
/// (`a.jfr` and `a.jfr.gz`) keep their extension, and inputs given twice get a number.
fn make_stems_unique(sources: &mut [Source]) {
    let collide = |sources: &[Source]| {
        let uses = uses(sources);
        let is_one = |source: &&Source| uses.get(&source.stem).is_some_and(|n| *n > 1);
        sources.iter().filter(is_one).map(|source| source.stem.clone()).collect::<std::collections::BTreeSet<_>>()
    };
    for wanted in collide(sources) {
        let places: Vec<Option<PathBuf>> = sources
            .iter()
            .map(|source| source.path.as_deref().filter(|_| source.stem == wanted).and_then(absolute))
            .collect();
        let common =
            places.iter().flatten().filter_map(|path| path.parent()).fold(None, |common: Option<PathBuf>, parent| {
                let Some(common) = common else { return Some(parent.to_owned()) };
                let shared = common.components().zip(parent.components()).take_while(|(a, b)| a == b);
                Some(shared.map(|(part, _)| part).collect())
            });
        let Some(common) = common else { continue };
        for (source, place) in sources.iter_mut().zip(&places) {
            if let Some(below) = place.as_deref().and_then(|place| place.strip_prefix(&common).ok()) {
                source.stem = below.with_file_name(stem(below));
            }
        }
    }
    for wanted in collide(sources) {
        for source in sources.iter_mut().filter(|source| source.stem == wanted) {
            if let Some(name) = source.path.as_deref().filter(|path| is_packed(path)).and_then(Path::file_name) {
                source.stem = source.stem.with_file_name(name);
            }
        }
    }
    let mut used: BTreeMap<PathBuf, u32> = BTreeMap::new();
    for i in 0..sources.len() {
        let taken = uses(sources);
        let Some(source) = sources.get_mut(i) else { continue };
        let n = used.entry(source.stem.clone()).or_insert(0);
        *n += 1;
        if *n > 1 {
            let numbered = |n: u32| {
                let mut name = source.stem.file_name().unwrap_or_default().to_owned();
                name.push(format!("-{n}"));
                source.stem.with_file_name(name)
            };
            let free = (*n..).map(numbered).find(|stem| !taken.contains_key(stem));
            source.stem = free.unwrap_or_default();
        }
    }
}

/// The absolute path without `.` and `..`.
fn absolute(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in std::path::absolute(path).ok()?.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    Some(out)
}

/// Adds the recordings below a directory, sorted by name; `below` is the path from the directory named by the user.
fn search(directory: &Path, below: &Path, wanted: Wanted, out: &mut Inputs) {
    let entries = std::fs::read_dir(directory).and_then(|entries| {
        // A link to a directory could form a cycle.
        let entries = entries.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?.is_dir()))));
        entries.collect::<std::io::Result<Vec<(PathBuf, bool)>>>()
    });
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(e) => return out.fail(directory, &e),
    };
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, is_directory) in entries {
        if is_directory {
            search(&path, &below.join(path.file_name().unwrap_or_default()), wanted, out);
        } else if wanted.is(&path) && path.metadata().map_or(true, |about| about.is_file()) {
            // Skip pipes, because opening one without a writer blocks. Keep broken links, so that opening them reports the error.
            out.sources.push(Source { stem: below.join(stem(&path)), path: Some(path) });
        }
    }
}

/// Whether a file has the name of a recording.
fn is_recording(path: &Path) -> bool {
    let jfr = |path: &Path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jfr"));
    jfr(path) || (is_packed(path) && path.file_stem().is_some_and(|stem| jfr(Path::new(stem))))
}

/// Whether a file has the name of a pprof file.
fn is_pprof(path: &Path) -> bool {
    let pprof = |path: &Path| path.extension().is_some_and(|e| PROFILES.iter().any(|p| e.eq_ignore_ascii_case(p)));
    pprof(path) || (is_packed(path) && path.file_stem().is_some_and(|stem| pprof(Path::new(stem))))
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|e| PACKED.iter().any(|p| e.eq_ignore_ascii_case(p)))
}

/// The file name without `.jfr` and the compression extension: `rec` for `rec.jfr.gz`.
fn stem(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or(OsStr::new("recording"));
    let unpacked = if is_packed(path) { Path::new(name).file_stem().unwrap_or(name) } else { name };
    let inner = Path::new(unpacked);
    let known = |e: &OsStr| e.eq_ignore_ascii_case("jfr") || PROFILES.iter().any(|p| e.eq_ignore_ascii_case(p));
    if inner.extension().is_some_and(known) { inner.file_stem().unwrap_or(unpacked) } else { unpacked }.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stems() {
        for (path, expected) in [
            ("a/rec.jfr", "rec"),
            ("rec.jfr.gz", "rec"),
            ("rec.JFR.ZST", "rec"),
            ("my.rec.jfr", "my.rec"),
            ("rec", "rec"),
            ("rec.zip", "rec"),
            ("shop.cpu.pb.gz", "shop.cpu"),
            ("heap.pprof", "heap"),
        ] {
            assert_eq!(stem(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn equal_stems_are_distinguished_by_the_path_below_the_common_parent() {
        let stems = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            expand(&arguments).sources.into_iter().map(|s| s.stem.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(stems(&["x/a/rec.jfr", "x/b/rec.jfr", "other.jfr"]), ["a/rec", "b/rec", "other"]);
        assert_eq!(stems(&["a/rec.jfr", "a/c/rec.jfr.gz", "b/../rec.jfr"]), ["a/rec", "a/c/rec", "rec"]);
        // No output escapes the output directory.
        assert_eq!(stems(&["../a/rec.jfr", "../b/rec.jfr"]), ["a/rec", "b/rec"]);
        assert_eq!(stems(&["a/rec.jfr", "a/rec.jfr.gz"]), ["rec", "rec.jfr.gz"]);
        assert_eq!(
            stems(&["rec.jfr", "rec.jfr", "rec-2.jfr", "-", "-"]),
            ["rec", "rec-3", "rec-2", "stdin", "stdin-2"]
        );
    }

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "a.jfr", true),
            ("*.jfr", "a.jfr", true),
            ("*.jfr", "a.jfr.gz", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("?.pb.gz", "x.pb.gz", true),
            ("?.pb.gz", "xy.pb.gz", false),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_and_directories_find_profiles() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for name in ["x.pb.gz", "y.pprof", "z.jfr", "notes.txt", "a/k.pb", "a/b/l.prof.zst"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        let found = |pattern: &str| {
            let argument = if pattern.is_empty() { dir.path().to_owned() } else { dir.path().join(pattern) };
            let inputs = find(&[argument.into_os_string()], Wanted::Profiles);
            let names = inputs.sources.iter().map(|s| s.name().rsplit('/').next().unwrap().to_owned());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(""), "l.prof.zst k.pb x.pb.gz y.pprof z.jfr");
        assert_eq!(found("*.pb.gz"), "x.pb.gz");
        assert_eq!(found("?.jfr"), "z.jfr");
        assert_eq!(found("**/*.p*"), "x.pb.gz y.pprof k.pb l.prof.zst");
        assert_eq!(found("a/*"), "l.prof.zst k.pb");
        assert_eq!(found("*.nothing"), "");
    }

    #[test]
    fn directories_are_searched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        for name in ["b.jfr", "a.jfr.gz", "notes.txt", "sub/c.jfr"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        let stems: Vec<_> = expand(&[dir.path().into()]).sources.into_iter().map(|s| s.stem).collect();
        assert_eq!(stems, [Path::new("a"), Path::new("b"), Path::new("sub/c")]);
    }
}
