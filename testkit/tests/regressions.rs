//! Replays what the fuzz targets found: each file in `fuzz/regressions/TARGET` goes through the check of its
//! target.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use jfrkit_testkit::checks;

/// A property that must hold for any bytes.
type Check = fn(&[u8]);

/// The checks by the names of their targets.
const CHECKS: [(&str, Check); 13] = [
    ("recording", checks::recording),
    ("serde", checks::serde),
    ("convert", checks::convert),
    ("analysis", checks::analysis),
    ("chunk_header", checks::header),
    ("metadata", checks::metadata),
    ("checkpoint", checks::checkpoint),
    ("strings", checks::strings),
    ("varints", checks::varints),
    ("unpack", checks::unpack),
    ("pprof", checks::pprof),
    ("names", |bytes| checks::names(&String::from_utf8_lossy(bytes))),
    ("configuration", |bytes| checks::configuration(&String::from_utf8_lossy(bytes))),
];

#[test]
fn fixed_findings_stay_fixed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for folder in std::fs::read_dir(root.join("regressions")).into_iter().flatten().flatten() {
        let target = folder.file_name();
        let check = CHECKS.iter().find(|(name, _)| *name == target);
        let Some((_, check)) = check else { panic!("unknown target {}", target.display()) };
        for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
            println!("{}", file.path().display());
            check(&std::fs::read(file.path()).unwrap());
        }
    }
}

#[test]
fn every_target_has_its_check() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    let mut targets: Vec<String> = std::fs::read_dir(root)
        .unwrap()
        .flatten()
        .map(|file| file.path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    targets.sort();
    let mut checks: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    checks.sort_unstable();
    assert_eq!(targets, checks);
}
