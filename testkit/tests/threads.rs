//! The output does not depend on the number of threads, or on what else they do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};

use jfr_analyzers::rule::AnalysisOptions;
use jfr_analyzers::{LabelKey, collect};
use jfr_parse::{Limits, MetadataCache, OpenOptions, Recording};
use jfrkit_profile::Profile;
use jfrkit_reports::{Entry, Format, Style};
use pprof_emit::{
    CheckError, CollapsedOptions, Options, Packing, ReadError, Stats, WriteError, Written, pb, read, to_bytes,
    write_all,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The files written for a recording with this many threads, by type.
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
    let Some(path) = jfr_parse::testing::corpus("bench/spark17-profile.jfr") else { return };
    same_for_any_number_of_threads(&path);
}

/// The report of a recording, made by this many threads, as JSON.
fn report(path: &Path, threads: usize) -> Option<String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let recording = Recording::open(path).ok()?;
        let report = jfrkit_rules::analysis().evaluate(&recording, &AnalysisOptions::default()).ok()?;
        let mut out = Vec::new();
        Format::Json.write(&mut out, &[Entry::new("recording", &report)], &Style::default()).unwrap();
        Some(String::from_utf8(out).unwrap())
    })
}

/// Handles of stacks and methods depend on which thread comes first, and no rule may let that show.
#[test]
fn findings() {
    let mut recordings = Vec::new();
    let ours = ["", "scenarios"].map(jfr_parse::testing::fixture);
    for folder in ours.into_iter().chain(["generated", "hard"].iter().filter_map(|f| jfr_parse::testing::corpus(f))) {
        let entries = std::fs::read_dir(&folder).unwrap();
        let small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() < 4 << 20);
        recordings.extend(entries.flatten().map(|entry| entry.path()).filter(small));
    }
    let mut judged = 0;
    for path in recordings {
        let Some(one) = report(&path, 1) else { continue };
        judged += 1;
        for threads in [2, 8] {
            let more = report(&path, threads).unwrap();
            let differs = one.lines().zip(more.lines()).find(|(a, b)| a != b);
            assert!(one == more, "{} differs with {threads} threads: {differs:?}", path.display());
        }
    }
    assert!(judged >= 40, "only {judged} recordings");
}

fn shared<T: Send + Sync>() {}

#[test]
fn threads_may_share_written_and_read_profiles() {
    shared::<(Options, Packing, Stats, Written, WriteError, CollapsedOptions)>();
    shared::<(pb::Profile, CheckError, ReadError)>();
}

/// Many threads convert recordings at the same time, sharing the same bytes and the same metadata cache.
#[test]
fn many_conversions_of_shared_bytes() {
    let names = ["jdk17-full.jfr", "jdk17-multichunk.jfr", "jdk17-profile.jfr.gz"];
    let bytes = names.map(|name| std::fs::read(Path::new(ROOT).join("fixtures").join(name)).unwrap());
    let cache = MetadataCache::default();
    let convert = |recording: &Recording<'_>| -> Vec<Vec<u8>> {
        let set = collect(recording, &jfr_analyzers::Options::default()).unwrap();
        set.profiles.iter().map(|p| to_bytes(p, &set.tables, &Options::default()).unwrap()).collect()
    };
    let options = OpenOptions::new().limits(Limits::intake());
    let recordings: Vec<Recording<'_>> = bytes.iter().map(|bytes| options.from_bytes(&**bytes).unwrap()).collect();
    let alone: Vec<_> = recordings.iter().map(convert).collect();
    assert!(alone.iter().all(|files| files.len() > 4));
    std::thread::scope(|scope| {
        for n in 0..16 {
            let (i, options) = (n % names.len(), options.clone().cache(cache.clone()));
            let (recordings, bytes, alone) = (&recordings, &bytes, &alone);
            scope.spawn(move || {
                // Some share the recording, others only its bytes.
                let found = match n {
                    0..8 => convert(&recordings[i]),
                    _ => convert(&options.from_bytes(&*bytes[i]).unwrap()),
                };
                assert!(found == alone[i], "{} differs", names[i]);
            });
        }
    });
}
