//! Temporary files are removed if the process has to end. A separate program, because nothing can be written
//! afterward.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::mpsc::channel;

use pprof_emit::Files;

#[test]
fn unfinished_files_are_removed_and_finished_ones_stay() {
    let directory = tempfile::tempdir().unwrap();
    let names = || std::fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    let (half, whole) = (directory.path().join("half"), directory.path().join("whole"));
    let files = Files::new();
    files.write_file(&whole, |out| out.write_all(b"all of it")).unwrap();
    let (begun, has_begun) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let (ended, has_ended) = channel();
    let of_thread = files.clone();
    std::thread::spawn(move || {
        let done = of_thread.write_file(&half, |out| {
            out.write_all(b"half")?;
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            out.write_all(b"the rest")
        });
        ended.send(done.is_ok()).unwrap();
    });
    has_begun.recv().unwrap();
    assert_eq!(names().len(), 2);
    files.abandon();
    assert_eq!(names(), ["whole"]);
    // It can no longer rename anything, or find out that it failed.
    go_on.send(()).unwrap();
    assert!(has_ended.recv_timeout(std::time::Duration::from_millis(200)).is_err());
    assert_eq!(names(), ["whole"]);
    // Other files are not affected.
    Files::new().write_file(&whole.with_file_name("other"), |out| out.write_all(b"other")).unwrap();
    assert_eq!(std::fs::read(&whole).unwrap(), b"all of it");
}
