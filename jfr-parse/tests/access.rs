//! A file that changes after it was opened, in a process without the guard: the file was read into memory.
#![allow(clippy::unwrap_used, unsafe_code, reason = "a test may stop; maps of fixtures")]

mod files;

use files::{count, fixture, settled};
use jfr_parse::{Access, OpenOptions, Recording};

/// All ways to open a file.
fn ways() -> [OpenOptions; 3] {
    // SAFETY: nobody writes to the fixtures.
    let mapped = unsafe { OpenOptions::new().map() };
    [OpenOptions::new().access(Access::Auto), OpenOptions::new().access(Access::Read), mapped]
}

#[test]
fn changes_to_a_file_after_reading_have_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["jdk17-multichunk.jfr", "jdk17-profile.jfr.gz"] {
        let path = folder.path().join(name);
        std::fs::copy(fixture(name), &path).unwrap();
        settled(&path);
        let expected = count(&Recording::open(&path).unwrap());
        assert!(expected > 1000);
        for access in [Access::Auto, Access::Read] {
            std::fs::copy(fixture(name), &path).unwrap();
            settled(&path);
            let recording = OpenOptions::new().access(access).open(&path).unwrap();
            // The same length, filled with zeros.
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            let len = file.metadata().unwrap().len();
            file.set_len(0).unwrap();
            assert_eq!(count(&recording), expected, "{access:?}");
            file.set_len(len).unwrap();
            assert_eq!(count(&recording), expected, "{access:?}");
            recording.check_unchanged().unwrap();
        }
    }
}

#[test]
fn all_ways_of_opening_yield_the_same_events() {
    for name in ["jdk17-multichunk.jfr", "jdk17-profile.jfr.gz"] {
        let all = ways().map(|way| way.open(fixture(name)).unwrap());
        for recording in &all {
            assert!(recording.bytes() == all[0].bytes());
            recording.check_unchanged().unwrap();
        }
    }
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.jfr");
    for way in ways() {
        let open = |path: &std::path::Path| way.open(path).unwrap_err().to_string();
        assert!(open(&missing).contains("missing.jfr"));
        assert!(open(folder.path()).contains(folder.path().to_str().unwrap()));
        let empty = folder.path().join("empty.jfr");
        std::fs::write(&empty, "").unwrap();
        assert!(open(&empty).contains("an empty file"));
    }
}
