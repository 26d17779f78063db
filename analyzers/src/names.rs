//! Names for people.

use std::borrow::Cow;

/// `/` to `.`.
pub fn java_name(name: &str) -> Cow<'_, str> {
    name.replace('/', ".").into()
}
/// x
pub fn normalise_class(name: &str) -> Cow<'_, str> {
    name.into()
}
/// x
pub fn normalise_method(name: &str) -> Cow<'_, str> {
    name.into()
}
/// x
pub fn normalise_descriptor(name: &str) -> Cow<'_, str> {
    name.into()
}
/// x
pub fn source_file(name: &str) -> String {
    format!("{}.java", name.rsplit('/').next().unwrap_or(name).split('$').next().unwrap_or(""))
}
/// x
pub fn type_name(name: &str) -> Cow<'_, str> {
    java_name(name)
}
