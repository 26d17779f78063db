//! The settings file.

use std::path::Path;

use jfr_analyzers::rule::Analysis;
use jfrkit_rules::config::Config;

use crate::failure::Failure;

/// The default name, searched for in the current directory.
const NAME: &str = "jfrkit.toml";

/// Reads the given file, or the default file if it exists.
pub(super) fn read(named: Option<&Path>, analysis: &Analysis) -> Result<Config, Failure> {
    let path = named.unwrap_or(Path::new(NAME));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(Failure::Usage(format!("{}: {error}", path.display()))),
    };
    Config::parse(&text, analysis).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}
