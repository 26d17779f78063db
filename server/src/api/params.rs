//! Query parameters.

use super::route::Param;
use crate::url::decode;

/// Request parameters whose names were checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Rejects names that the route does not describe.
    pub(crate) fn new(query: Option<&str>, known: &[Param]) -> Result<Self, super::Problem> {
        let pairs = decode(query.unwrap_or_default());
        match pairs.iter().find(|(name, _)| name.is_empty() || !known.iter().any(|param| param.name == name)) {
            Some((name, _)) => {
                let names: Vec<&str> = known.iter().map(|param| param.name).filter(|name| !name.is_empty()).collect();
                Err(super::Problem::bad(format!("unknown parameter {name:?}: expected {}", names.join(", "))))
            }
            None => Ok(Self(pairs)),
        }
    }

    /// The last value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }

    /// A number within bounds.
    pub(crate) fn number(&self, name: &str, default: usize, most: usize) -> Result<usize, super::Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(n) if n <= most => Ok(n),
            _ => Err(super::Problem::bad(format!("{name}: expected a number up to {most}, not {text:?}"))),
        }
    }

    /// Query and time range; the parameter names may have a prefix.
    pub(crate) fn scope(&self, prefix: &str) -> Result<crate::index::Scope, super::Problem> {
        let now = crate::time::now();
        let time = |name: &str| {
            let name = format!("{prefix}{name}");
            let parsed = self.get(&name).map(|text| crate::time::parse_api(text, now)).transpose();
            parsed.map_err(|reason| super::Problem::bad(format!("{name}: {reason}")))
        };
        let text = self.get(&format!("{prefix}q")).unwrap_or_default();
        let query = crate::index::query::parse(text).map_err(super::Problem::query)?;
        Ok(crate::index::Scope { query, from: time("from")?, to: time("to")? })
    }
}
