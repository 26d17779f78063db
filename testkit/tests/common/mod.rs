//! Recordings to damage.
#![allow(dead_code, unreachable_pub, clippy::print_stdout)]

use std::path::PathBuf;

use jfr_parse::Recording;
use jfrkit_testkit::reduced;

/// Larger recordings would only make the tests slow.
const LARGEST: usize = 400_000;

/// A recording to damage.
pub struct Seed {
    /// The file name.
    pub name: String,
    /// The decompressed bytes.
    pub bytes: Vec<u8>,
}

/// All recordings in the fixtures and, if available, in the corpus.
pub fn recordings() -> Vec<(String, Recording<'static>)> {
    let mut folders = vec![jfr_parse::testing::fixture("")];
    folders.extend(["public", "generated", "hard"].iter().filter_map(|name| jfr_parse::testing::corpus(name)));
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { paths.push(entry.path()) }
        }
    }
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().filter_map(|path| Some((name(path), Recording::open(path).ok()?))).collect()
}

/// The smaller recordings, and all but the largest ones reduced to a few events of each type: many small
/// recordings reach more code than a few large ones.
pub fn seeds() -> Vec<Seed> {
    let (mut whole, mut small) = (Vec::new(), Vec::new());
    for (name, recording) in recordings() {
        let bytes = recording.bytes();
        if bytes.len() <= LARGEST {
            whole.push(Seed { name: name.clone(), bytes: bytes.to_vec() });
        }
        if bytes.len() <= 8 * LARGEST
            && let Ok(bytes) = reduced(&recording, 2, |_| true)
            && !bytes.is_empty()
        {
            small.push(Seed { name: format!("{name}, reduced"), bytes });
        }
    }
    whole.sort_by_key(|seed| (seed.bytes.len(), seed.name.clone()));
    whole.truncate(40);
    whole.extend(small);
    whole
}
