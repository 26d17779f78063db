//! Several inputs: files, directories to search, standard input; and what to call what is made of them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jfr_parse::{OpenOptions, Recording};

use crate::output::complain;

/// Endings of packed recordings.
const PACKED: [&str; 5] = ["gz", "zip", "lz4", "zst", "zstd"];

/// One of the recordings to read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// `None` for standard input.
    path: Option<PathBuf>,
    /// What files made of it begin with.
    pub(crate) stem: OsString,
}

impl Source {
    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        self.path.as_deref().map_or("standard input".into(), |path| path.display().to_string())
    }

    /// Bytes of the file, 0 where that is not known.
    pub(crate) fn size(&self) -> u64 {
        self.path.as_deref().and_then(|path| path.metadata().ok()).map_or(0, |about| about.len())
    }

    /// The content as it is.
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

    /// The bytes, whatever they are.
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

/// What the arguments name.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// The recordings, directories replaced by the recordings in them. No two have the same stem.
    pub(crate) sources: Vec<Source>,
    /// Directories that cannot be searched or have no recordings in them, and why.
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

    /// Tells the user what cannot be searched. Says whether there is any such.
    pub(crate) fn complain(&self) -> bool {
        for failure in &self.failures {
            complain("error", &format!("{}: {}", failure.name, failure.reason));
        }
        !self.failures.is_empty()
    }
}

/// Finds the recordings that the arguments name.
pub(crate) fn expand(arguments: &[OsString]) -> Inputs {
    let mut inputs = Inputs::default();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            inputs.sources.push(Source { path: None, stem: "stdin".into() });
        } else if path.is_dir() {
            let before = (inputs.sources.len(), inputs.failures.len());
            search(path, &mut inputs);
            if (inputs.sources.len(), inputs.failures.len()) == before {
                let reason = "no recordings in this directory (files that end in .jfr, or .jfr.gz and the like)";
                inputs.fail(path, &reason);
            }
        } else {
            inputs.sources.push(Source { path: Some(path.to_owned()), stem: stem(path) });
        }
    }
    let mut used: BTreeMap<OsString, u32> = BTreeMap::new();
    for source in &mut inputs.sources {
        let wanted = source.stem.clone();
        loop {
            let n = used.entry(wanted.clone()).or_insert(0);
            *n = n.saturating_add(1);
            if *n > 1 {
                source.stem = wanted.clone();
                source.stem.push(format!("-{n}"));
            }
            if source.stem == wanted || !used.contains_key(&source.stem) {
                break;
            }
        }
        used.entry(source.stem.clone()).or_insert(1);
    }
    inputs
}

/// Adds the recordings below a directory, in the order of their names.
fn search(directory: &Path, out: &mut Inputs) {
    let entries = std::fs::read_dir(directory).and_then(|entries| {
        // A link to a directory could lead round in a circle.
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
            search(&path, out);
        } else if is_recording(&path) && path.metadata().map_or(true, |about| about.is_file()) {
            // Opening a pipe that nobody writes to would never end. A link that leads nowhere is told of when opened.
            out.sources.push(Source { stem: stem(&path), path: Some(path) });
        }
    }
}

/// Whether a file is called like a recording.
fn is_recording(path: &Path) -> bool {
    let jfr = |path: &Path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jfr"));
    jfr(path) || (is_packed(path) && path.file_stem().is_some_and(|stem| jfr(Path::new(stem))))
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|e| PACKED.iter().any(|p| e.eq_ignore_ascii_case(p)))
}

/// The file name without `.jfr` and the ending of a packed file: `rec.jfr.gz` is `rec`.
fn stem(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or(OsStr::new("recording"));
    let unpacked = if is_packed(path) { Path::new(name).file_stem().unwrap_or(name) } else { name };
    let inner = Path::new(unpacked);
    let jfr = inner.extension().is_some_and(|e| e.eq_ignore_ascii_case("jfr"));
    if jfr { inner.file_stem().unwrap_or(unpacked) } else { unpacked }.to_owned()
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
        ] {
            assert_eq!(stem(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn equal_stems_are_told_apart() {
        let arguments = ["a/rec.jfr", "b/rec.jfr", "rec-2.jfr", "c/rec.jfr.gz"].map(OsString::from);
        let stems: Vec<_> = expand(&arguments).sources.into_iter().map(|s| s.stem).collect();
        let distinct: std::collections::BTreeSet<_> = stems.iter().collect();
        assert_eq!(distinct.len(), stems.len(), "{stems:?}");
        assert_eq!(stems.first().unwrap(), "rec");
    }

    #[test]
    fn directories_are_searched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        for name in ["b.jfr", "a.jfr.gz", "notes.txt", "sub/c.jfr"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        let stems: Vec<_> = expand(&[dir.path().into()]).sources.into_iter().map(|s| s.stem).collect();
        assert_eq!(stems, ["a", "b", "c"]);
    }
}
