//! Files are written atomically.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod common;

use std::fs;
use std::io::{self, Write};

use common::Plain;
use jfrkit_profile::{Profile, ProfileSet, ProfileType};
use pprof_emit::{Options, Packing, read, to_bytes, write_all, write_file};

fn names(directory: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_failure_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.pb.gz");
    let fail = |out: &mut fs::File| -> io::Result<()> {
        out.write_all(b"half")?;
        Err(io::Error::other("full"))
    };
    let error = write_file(&path, fail).unwrap_err();
    assert!(error.to_string().contains("out.pb.gz") && error.to_string().contains("full"));
    assert!(names(directory.path()).is_empty());

    fs::write(&path, "before").unwrap();
    assert!(write_file(&path, fail).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert_eq!(names(directory.path()), ["out.pb.gz"]);

    write_file(&path, |out| out.write_all(b"after")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"after");
    assert_eq!(names(directory.path()), ["out.pb.gz"]);
}

#[test]
fn a_directory_is_not_replaced_and_a_missing_one_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    assert!(write_file(directory.path(), |_| Ok(())).is_err());
    assert!(write_file(&directory.path().join("missing/out"), |_| Ok(())).is_err());
    assert!(names(directory.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_the_file_is_not_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (target, link) = (directory.path().join("target"), directory.path().join("link"));
    fs::write(&target, "before").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    write_file(&link, |out| out.write_all(b"after")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&target).unwrap(), b"after");

    let plain = directory.path().join("plain");
    fs::write(&plain, "").unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&target), mode(&plain), "the process's mask applies");
}

#[cfg(unix)]
#[test]
fn devices_are_written_directly() {
    write_file("/dev/null".as_ref(), |out| out.write_all(b"gone")).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn alone_or_together_a_profile_has_the_same_bytes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
    let recording = jfr_parse::Recording::open(path).unwrap();
    let set = jfr_analyzers::collect(&recording, &jfr_analyzers::Options::default()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for packing in [Packing::Raw, Packing::Gzip(1), Packing::Gzip(6)] {
        let options = Options { packing, ..Options::default() };
        let path = |p: &Profile| directory.path().join(p.kind.name());
        let written = write_all(&set, path, &options).unwrap();
        assert!(written.len() > 5);
        for (profile, file) in set.profiles.iter().zip(written) {
            assert_eq!(profile.kind, file.kind);
            assert!(fs::read(file.path).unwrap() == to_bytes(profile, &set.tables, &options).unwrap());
        }
    }
}

#[test]
fn each_profile_gets_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let (profile, tables) = Plain::new(ProfileType::Cpu).sample(&["a", "b"], &[1, 10]).model(0);
    let mut other = profile.clone();
    other.kind = ProfileType::Alloc;
    let set = ProfileSet {
        tables: tables.into(),
        profiles: vec![profile, other],
        absent: Vec::new(),
        losses: Vec::new(),
        warnings: Vec::new(),
    };
    let path = |p: &Profile| directory.path().join(format!("x.{}.pb.gz", p.kind));
    let written = write_all(&set, path, &Options::default()).unwrap();
    assert_eq!(written.iter().map(|w| w.kind).collect::<Vec<_>>(), [ProfileType::Cpu, ProfileType::Alloc]);
    assert_eq!(names(directory.path()), ["x.alloc.pb.gz", "x.cpu.pb.gz"]);
    for file in written {
        let bytes = fs::read(&file.path).unwrap();
        assert_eq!(bytes.len() as u64, file.stats.bytes);
        let back = read(&bytes).unwrap();
        assert_eq!(back.string_table[back.sample_type[0].r#type as usize], file.kind.values()[0].name);
    }
}
