//! Shared by the benchmarks: the recording to measure.

use std::path::PathBuf;

/// The recording to measure, from the environment variable `JFRKIT_BENCH_FILE`, or a fixture. Afterward,
/// recordings are mapped when they are opened, as in the command.
#[must_use]
pub fn recording() -> PathBuf {
    // If that fails, the time for reading is included.
    // SAFETY: nobody writes to the recordings of a benchmark.
    #[expect(unsafe_code, reason = "files are mapped, as by the command")]
    let _ = unsafe { jfr_parse::guard_maps() };
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-multichunk.jfr");
    std::env::var_os("JFRKIT_BENCH_FILE").map_or_else(|| fixture.into(), PathBuf::from)
}
