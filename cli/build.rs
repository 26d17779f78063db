//! What `jfrkit --version -v` prints of the build.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=JFRKIT_COMMIT");
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let rustc = Command::new(variable("RUSTC")).arg("-V").output();
    let rustc =
        rustc.map_or_else(|_| "unknown".to_owned(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    println!("cargo::rustc-env=JFRKIT_RUSTC={rustc}");
    println!("cargo::rustc-env=JFRKIT_TARGET={}", variable("TARGET"));
    println!("cargo::rustc-env=JFRKIT_PROFILE={}", variable("PROFILE"));
    // Set by .ci/release; a build from a checkout does not look at git, so that it need not run again with each commit.
    println!("cargo::rustc-env=JFRKIT_COMMIT={}", variable("JFRKIT_COMMIT"));
}
