//! What the benchmarks share: the recording that they measure.

use std::path::PathBuf;

/// The recording to measure: that of the environment variable `JFRKIT_BENCH_FILE`, else a fixture. From here on it is
/// mapped when it is opened, as the command does.
#[must_use]
pub fn recording() -> PathBuf {
    // Where that fails, reading is measured, too.
    // SAFETY: nobody writes to the recordings of a benchmark.
    #[expect(unsafe_code, reason = "files are mapped, as by the command")]
    let _ = unsafe { jfr_parse::guard_maps() };
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-multichunk.jfr");
    std::env::var_os("JFRKIT_BENCH_FILE").map_or_else(|| fixture.into(), PathBuf::from)
}
