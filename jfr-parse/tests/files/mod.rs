//! Recordings as files that change.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jfr_parse::Recording;

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// Makes a file look as if nobody had written to it for an hour.
pub(crate) fn settled(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

/// The number of events in all readable chunks.
pub(crate) fn count(recording: &Recording<'_>) -> usize {
    recording.chunks().flatten().map(|chunk| chunk.events().count()).sum()
}
