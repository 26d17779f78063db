//! Passes facts about the build to `jfrkit --version -v`.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=JFRKIT_COMMIT");
    let variable = |name: &str| std::env::var(name).ok();
    let known = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    let rustc = variable("RUSTC").unwrap_or_else(|| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo::rustc-env=JFRKIT_RUSTC={}", known(version.ok()));
    for name in ["TARGET", "PROFILE"] {
        println!("cargo::rustc-env=JFRKIT_{name}={}", known(variable(name)));
    }
    // Only release builds look: otherwise each commit would rebuild the command for tests.
    let looks = variable("PROFILE").is_some_and(|profile| profile == "release");
    let commit = variable("JFRKIT_COMMIT").or_else(|| looks.then(commit).flatten());
    println!("cargo::rustc-env=JFRKIT_COMMIT={}", known(commit));
}

/// The first twelve digits of the commit: of a published package, or of the repository.
fn commit() -> Option<String> {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let hash = of_package(&folder.join(".cargo_vcs_info.json")).or_else(|| of_repository(folder.parent()?))?;
    hash.get(..12).filter(|hash| hash.bytes().all(|digit| digit.is_ascii_hexdigit())).map(str::to_owned)
}

/// `cargo package` notes the commit in this file, as `"sha1": "…"`.
fn of_package(file: &Path) -> Option<String> {
    let text = read_to_string(file).ok()?;
    Some(text.split_once("\"sha1\"")?.1.split('"').nth(1)?.to_owned())
}

/// `HEAD` has the hash, or the name of a branch whose hash is in a file of that name or in `packed-refs`.
fn of_repository(root: &Path) -> Option<String> {
    let git = root.join(".git");
    // In a work tree, `.git` is a file that names its folder, and branches are in the folder of the repository.
    let git = match read_to_string(&git) {
        Ok(link) => root.join(link.trim().strip_prefix("gitdir: ")?),
        Err(_) => git,
    };
    let shared = read_to_string(git.join("commondir")).map_or_else(|_| git.clone(), |common| git.join(common.trim()));
    let read = |path: PathBuf| {
        let text = read_to_string(&path).ok()?;
        println!("cargo::rerun-if-changed={}", path.display());
        Some(text)
    };
    let head = read(git.join("HEAD"))?;
    let Some(branch) = head.trim().strip_prefix("ref: ") else { return Some(head.trim().to_owned()) };
    read(shared.join(branch)).map(|hash| hash.trim().to_owned()).or_else(|| {
        let packed = read(shared.join("packed-refs"))?;
        let mut lines = packed.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(_, name)| *name == branch).map(|(hash, _)| hash.to_owned())
    })
}
