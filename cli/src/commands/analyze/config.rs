//! The file of settings.

use std::path::Path;

use jfr_analyzers::analysis::{Analysis, AnalysisOptions};
use jfr_analyzers::config::Config;

use crate::failure::Failure;
use crate::output::complain;

/// Looked for where the command is called.
const NAME: &str = "jfrkit.toml";

/// Brings the settings of the file that is named, or of the one in the current directory, into the options.
pub(super) fn apply(named: Option<&Path>, analysis: &Analysis, options: &mut AnalysisOptions) -> Result<(), Failure> {
    let path = named.unwrap_or(Path::new(NAME));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::Usage(format!("{}: {error}", path.display()))),
    };
    let config =
        Config::parse(&text, analysis).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    config.apply(options);
    if !config.patterns.is_empty() {
        complain("warning", &format!("{}: this version does not evaluate [[pattern]]", path.display()));
    }
    Ok(())
}
