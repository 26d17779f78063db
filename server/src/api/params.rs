//! Query parameters.

use super::route::Param;

/// Decodes `a=b&c=d`; a plus sign is a space.
pub(crate) fn decode(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (unescape(key), unescape(value)))
        .collect()
}

/// Decodes percent escapes and plus signs; invalid escapes are kept as they are.
pub(crate) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match (first, digits.and_then(|d| u8::from_str_radix(d, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Escapes characters that have a meaning in a query or a path.
pub(crate) fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

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
