//! `jfrkit --version -v`: what a bug report needs.

use std::ffi::OsString;
use std::io::Write;

use crate::failure::Failure;

/// Whether the arguments ask for the version in its long form.
pub(crate) fn is_wanted(mut arguments: impl Iterator<Item = OsString>) -> bool {
    let (mut version, mut verbose) = (false, false);
    let known = arguments.all(|argument| {
        match argument.to_str() {
            Some("--version" | "-V") => version = true,
            Some("--verbose" | "-v") => verbose = true,
            Some("-vV" | "-Vv") => (version, verbose) = (true, true),
            _ => return false,
        }
        true
    });
    known && version && verbose
}

/// Prints the version in its long form.
pub(crate) fn print() -> Result<(), Failure> {
    let mut out = crate::output::stdout();
    writeln!(out, "jfrkit {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "commit:   {}", env!("JFRKIT_COMMIT"))?;
    writeln!(out, "built:    {}, {}, {}", env!("JFRKIT_TARGET"), env!("JFRKIT_PROFILE"), env!("JFRKIT_RUSTC"))?;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    writeln!(out, "system:   {} {} {}", std::env::consts::OS, kernel.trim(), std::env::consts::ARCH)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    writeln!(out, "threads:  {threads}")?;
    writeln!(out, "reads:    JFR 1.0 to 2.x; plain, gzip, zip, LZ4, zstd")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::is_wanted;

    #[test]
    fn version_and_verbose_work_in_any_order() {
        let wanted = |arguments: &[&str]| is_wanted(arguments.iter().map(Into::into));
        assert!(wanted(&["--version", "-v"]) && wanted(&["-v", "-V"]) && wanted(&["-Vv"]));
        assert!(!wanted(&["--version"]) && !wanted(&["-v"]) && !wanted(&["--version", "-v", "convert"]));
    }
}
