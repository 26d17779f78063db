//! Mapped files that change, in a process with the guard.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unsafe_code, reason = "a test may stop; a map of its own")]

mod files;

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use files::{count, fixture, settled};
use jfr_parse::{Access, Error, OpenOptions, Recording, guard_maps};

/// Accepts the contract of maps: these tests overwrite mapped files only to check that it is detected, and read
/// only counts of events, no strings.
fn guarded() -> std::io::Result<()> {
    // SAFETY: as described above; what is read from a changed file is bytes, which are parsed as untrusted.
    unsafe { guard_maps() }
}

fn mapped() -> OpenOptions {
    // SAFETY: as above.
    unsafe { OpenOptions::new().map() }
}

const NAME: &str = "jdk17-multichunk.jfr";

/// A copy of the fixture, and the number of its events.
struct Copy {
    _folder: tempfile::TempDir,
    path: PathBuf,
    events: usize,
}

impl Copy {
    fn new() -> Self {
        guarded().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        std::fs::copy(fixture(NAME), &path).unwrap();
        settled(&path);
        let events = count(&OpenOptions::new().access(Access::Read).open(&path).unwrap());
        assert!(events > 1000);
        Self { _folder: folder, path, events }
    }

    fn file(&self) -> File {
        File::options().write(true).open(&self.path).unwrap()
    }

    fn len(&self) -> u64 {
        self.file().metadata().unwrap().len()
    }

    fn open(&self) -> Recording<'static> {
        let recording = Recording::open(&self.path).unwrap();
        if cfg!(target_os = "linux") {
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            assert!(maps.contains(self.path.to_str().unwrap()), "it is not mapped");
        }
        recording
    }
}

#[test]
fn a_truncated_map_reads_as_zeros_and_is_an_error() {
    let copy = Copy::new();
    for left in [0, 1, 4096, 100_000, copy.len() / 2, copy.len() - 1] {
        std::fs::copy(fixture(NAME), &copy.path).unwrap();
        settled(&copy.path);
        let whole = copy.len();
        let recording = copy.open();
        let chunks: Vec<_> = recording.chunks().map(Result::unwrap).collect();
        copy.file().set_len(left).unwrap();
        let found: usize = chunks.iter().map(|chunk| chunk.events().count()).sum();
        assert!(found <= copy.events);
        assert_eq!(recording.bytes().len() as u64, whole);
        assert!(recording.bytes()[usize::try_from(left).unwrap()..].iter().all(|b| *b == 0), "{left}");
        assert!(matches!(recording.check_unchanged(), Err(Error::Changed)), "{left}");
        if left + 4096 < whole {
            assert!(matches!(recording.chunk(0), Err(Error::Changed)), "{left}");
        }
        // Once torn, it stays torn.
        if left == 0 {
            std::fs::copy(fixture(NAME), &copy.path).unwrap();
            assert!(matches!(recording.check_unchanged(), Err(Error::Changed)));
        }
    }
}

#[test]
fn many_threads_read_the_same_truncated_map() {
    let copy = Copy::new();
    let recording = copy.open();
    copy.file().set_len(10_000).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(recording.bytes()[20_000..].iter().all(|b| *b == 0)));
        }
    });
    assert!(matches!(recording.check_unchanged(), Err(Error::Changed)));
}

#[test]
fn only_the_truncated_recording_is_lost() {
    let (cut, whole) = (Copy::new(), Copy::new());
    let recordings = (cut.open(), whole.open());
    cut.file().set_len(0).unwrap();
    assert_eq!((count(&recordings.0), count(&recordings.1)), (0, whole.events));
    assert!(recordings.0.check_unchanged().is_err());
    recordings.1.check_unchanged().unwrap();
}

#[test]
fn a_file_that_grew_or_was_replaced_or_touched_is_unchanged() {
    use std::io::Write;
    let copy = Copy::new();
    let recording = copy.open();
    File::options().append(true).open(&copy.path).unwrap().write_all(&std::fs::read(fixture(NAME)).unwrap()).unwrap();
    assert_eq!(count(&recording), copy.events);
    recording.check_unchanged().unwrap();

    let copy = Copy::new();
    let recording = copy.open();
    copy.file().set_modified(std::time::SystemTime::now()).unwrap();
    recording.check_unchanged().unwrap();
    let other = copy.path.with_extension("new");
    std::fs::write(&other, "short").unwrap();
    std::fs::rename(&other, &copy.path).unwrap();
    assert_eq!(count(&recording), copy.events);
    recording.check_unchanged().unwrap();
    std::fs::remove_file(&copy.path).unwrap();
    recording.check_unchanged().unwrap();
}

#[test]
fn an_overwritten_file_is_an_error() {
    let copy = Copy::new();
    let recording = copy.open();
    let mut other = std::fs::read(fixture("jdk17-full.jfr")).unwrap();
    other.resize(usize::try_from(copy.len()).unwrap() + 1, 0);
    // In place, so that the file is never shorter.
    std::io::Write::write_all(&mut copy.file(), &other).unwrap();
    assert!(matches!(recording.check_unchanged(), Err(Error::Changed)));
}

#[test]
fn an_unfinished_file_is_read_instead_of_mapped() {
    let copy = Copy::new();
    copy.file().set_modified(std::time::SystemTime::now()).unwrap();
    let fresh = Recording::open(&copy.path).unwrap();
    // The header counts the flushes of an unfinished chunk.
    let mut bytes = std::fs::read(fixture(NAME)).unwrap();
    bytes[64] = 1;
    std::fs::write(&copy.path, bytes).unwrap();
    settled(&copy.path);
    let unfinished = Recording::open(&copy.path).unwrap();
    let expected = (count(&fresh), count(&unfinished));
    assert_eq!(expected.0, copy.events);
    copy.file().set_len(0).unwrap();
    assert_eq!((count(&fresh), count(&unfinished)), expected);
    fresh.check_unchanged().unwrap();
    unfinished.check_unchanged().unwrap();
}

/// Runs this program again, for the part `name` of a test that has to die.
fn again(name: &str, path: &Path) -> std::process::ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env("MAP_TEST_FILE", path);
    command.output().unwrap().status
}

/// A fault in a map of other code ends the process, with or without the guard; so does a signal from outside.
#[test]
fn other_faults_end_the_process() {
    let Some(path) = std::env::var_os("MAP_TEST_FILE") else {
        let copy = Copy::new();
        let status = again("other_faults_end_the_process", &copy.path);
        assert_eq!(status.signal(), Some(libc::SIGBUS), "{status}");
        return;
    };
    guarded().unwrap();
    // A map of our own next to it, so that there is something to search.
    let own = mapped().open(fixture(NAME)).unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    // SAFETY: it is only read.
    let map = unsafe { memmap2::Mmap::map(&file).unwrap() };
    file.set_len(0).unwrap();
    let sum: usize = map.iter().map(|b| usize::from(*b)).sum();
    println!("survived: {sum} {}", own.chunk_count());
}

/// Without the guard, truncating a mapped file ends the process: the reason why the guard exists.
#[test]
fn without_the_guard_truncation_ends_the_process() {
    let Some(path) = std::env::var_os("MAP_TEST_FILE") else {
        let copy = Copy::new();
        let status = again("without_the_guard_truncation_ends_the_process", &copy.path);
        assert_eq!(status.signal(), Some(libc::SIGBUS), "{status}");
        return;
    };
    let recording = mapped().open(&path).unwrap();
    File::options().write(true).open(path).unwrap().set_len(0).unwrap();
    println!("survived: {}", count(&recording));
}

/// A stack overflow is still reported: that handler is Rust's own, and was installed before ours.
#[test]
fn a_stack_overflow_is_reported() {
    fn deeper(n: u64) -> u64 {
        let local = std::hint::black_box([n; 64]);
        if n == u64::MAX { 0 } else { deeper(n + 1) + local[0] }
    }
    let name = "a_stack_overflow_is_reported";
    if std::env::var_os("MAP_TEST_FILE").is_some() {
        guarded().unwrap();
        println!("survived: {}", deeper(0));
        return;
    }
    let status = again(name, Path::new("."));
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{status}");
}
