//! What is written does not depend on the number of threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use jfr_analyzers::{LabelKey, collect, model::Profile};
use jfr_parse::Recording;
use pprof_emit::{Options, read, write_all};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The files made of a recording by so many threads, by type.
fn files(path: &Path, threads: usize) -> Vec<(String, Vec<u8>)> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        assert_eq!(rayon::current_num_threads(), threads);
        let recording = Recording::open(path).unwrap();
        let mut options = jfr_analyzers::Options::default();
        options.labels = vec![LabelKey::Thread, LabelKey::Class, LabelKey::State];
        let set = collect(&recording, &options).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = |profile: &Profile| directory.path().join(profile.kind.name());
        let written = write_all(&set, file, &Options::default()).unwrap();
        written.into_iter().map(|w| (w.kind.to_string(), std::fs::read(w.path).unwrap())).collect()
    })
}

fn same_for_any_number_of_threads(path: &Path) {
    let one = files(path, 1);
    assert!(one.len() > 2, "{}", path.display());
    for (kind, bytes) in &one {
        assert!(!read(bytes).unwrap().sample.is_empty(), "{kind}");
    }
    for threads in [2, 8] {
        let more = files(path, threads);
        assert_eq!(more.len(), one.len());
        for ((kind, expected), (also, found)) in one.iter().zip(&more) {
            assert_eq!(kind, also);
            assert!(expected == found, "{}: {kind} differs with {threads} threads", path.display());
        }
    }
}

#[test]
fn fixtures() {
    for file in ["jdk17-full.jfr", "jdk17-multichunk.jfr", "jdk21-full.jfr.gz", "jdk25-full.jfr.gz"] {
        same_for_any_number_of_threads(&Path::new(ROOT).join("fixtures").join(file));
    }
}

#[test]
fn a_recording_of_a_real_program() {
    let path = Path::new(ROOT).join("../shared/corpus/bench/spark17-profile.jfr");
    if !path.exists() {
        println!("skipped: the corpus is not there");
        return;
    }
    same_for_any_number_of_threads(&path);
}
