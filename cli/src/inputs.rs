//! Several inputs: files, directories to search, standard input; and what to call what is made of them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jfr_parse::{OpenOptions, Recording};

use crate::failure::Failure;

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

    pub(crate) fn open(&self, options: &OpenOptions) -> jfr_parse::Result<Recording<'static>> {
        match &self.path {
            Some(path) => options.open(path),
            None => options.from_reader(std::io::stdin().lock()),
        }
    }
}

/// The recordings that the arguments name, directories replaced by the recordings in them. No two have the same
/// stem.
pub(crate) fn expand(arguments: &[OsString]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            sources.push(Source { path: None, stem: "stdin".into() });
        } else if path.is_dir() {
            let before = sources.len();
            search(path, &mut sources)?;
            if sources.len() == before {
                return Err(Failure::Failed(format!(
                    "{}: no recordings in this directory (files that end in .jfr, or .jfr.gz and the like)",
                    path.display()
                )));
            }
        } else {
            sources.push(Source { path: Some(path.to_owned()), stem: stem(path) });
        }
    }
    let mut used: BTreeMap<OsString, u32> = BTreeMap::new();
    for source in &mut sources {
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
    Ok(sources)
}

/// Adds the recordings below a directory, in the order of their names.
fn search(directory: &Path, out: &mut Vec<Source>) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Failed(format!("{}: {e}", directory.display()));
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A link to a directory could lead round in a circle.
        entries.push((entry.path(), entry.file_type().map_err(failed)?));
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, kind) in entries {
        if kind.is_dir() {
            search(&path, out)?;
        } else if is_recording(&path) {
            out.push(Source { stem: stem(&path), path: Some(path) });
        }
    }
    Ok(())
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
        let stems: Vec<_> = expand(&arguments).unwrap().into_iter().map(|s| s.stem).collect();
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
        let stems: Vec<_> = expand(&[dir.path().into()]).unwrap().into_iter().map(|s| s.stem).collect();
        assert_eq!(stems, ["a", "b", "c"]);
    }
}
