//! Analysis of profiles without a recording: by their stacks, their metrics, and earlier metrics of the same process.

use std::path::Path;

use super::compute::{self, trees};
use super::jfr::{gz, set_own_metrics};
use crate::app::App;
use crate::model::Profile;

/// How far back a trend looks, in milliseconds.
const HOUR: i64 = 3_600_000;
/// The types that the rules read.
const TYPES: [&str; 5] = ["cpu", "wall", "lock", "mutex", "error"];

/// Runs the rules that need no JVM, and adds the report to the derived files in `staged`.
pub(super) fn analyze(app: &App, profile: &mut Profile, staged: &Path) -> std::io::Result<()> {
    if profile.pending || profile.facets.language == "Java" {
        return Ok(());
    }
    let mut types = Vec::new();
    for entry in profile.types.iter().filter(|entry| TYPES.contains(&entry.kind.as_str())) {
        let Some(file) = &entry.file else { continue };
        let path = Some(staged.join(file)).filter(|path| path.exists());
        let bytes = std::fs::read(path.unwrap_or_else(|| app.store.derived(profile.id, file)))?;
        // We wrote this file. If it cannot be read, the user gets an error on opening it.
        if let Ok(stacks) = trees::read(&bytes) {
            types.push((entry.kind.clone(), stacks));
        }
    }
    let mut earlier = Vec::new();
    for id in app.index.of_process(&profile.process, profile.start.saturating_sub(HOUR), profile.start) {
        if id != profile.id
            && let Some(before) = app.store.profile(id)?
        {
            earlier.push((before.start, before.metrics));
        }
    }
    let report = compute::analyze_process(profile, &types, &earlier, &app.rules);
    let name = profile.files.first().map_or("profile", |file| file.label.as_str());
    gz(&staged.join("analysis.json.gz"), &compute::report_json(name, &report)?)?;
    profile.findings = compute::findings(&report);
    profile.no_analysis = None;
    set_own_metrics(profile);
    Ok(())
}
