//! Converts names to Java syntax.

use std::borrow::Cow;

/// A class or package name with `.` between its parts.
#[must_use]
pub fn java_name(name: &str) -> Cow<'_, str> {
    if name.as_bytes().contains(&b'/') { Cow::Owned(name.replace('/', ".")) } else { Cow::Borrowed(name) }
}

/// A type in Java syntax: `[Ljava/lang/String;` becomes `java.lang.String[]`, `[[I` becomes `int[][]`. Anything
/// that is not a descriptor is treated as a class name.
#[must_use]
pub fn type_name(name: &str) -> Cow<'_, str> {
    let element = name.trim_start_matches('[');
    let dimensions = name.len() - element.len();
    let element = match element.strip_prefix('L').and_then(|e| e.strip_suffix(';')) {
        Some(class) => java_name(class),
        None if dimensions > 0 => primitive(element).map_or_else(|| java_name(element), Cow::Borrowed),
        None => java_name(element),
    };
    if dimensions == 0 {
        return element;
    }
    let mut out = element.into_owned();
    out.extend(std::iter::repeat_n("[]", dimensions));
    Cow::Owned(out)
}

/// Source: The Java Virtual Machine Specification, table 4.3-A.
fn primitive(descriptor: &str) -> Option<&'static str> {
    Some(match descriptor {
        "B" => "byte",
        "C" => "char",
        "D" => "double",
        "F" => "float",
        "I" => "int",
        "J" => "long",
        "S" => "short",
        "Z" => "boolean",
        _ => return None,
    })
}

/// The likely source file of a class: `Outer.java` for `a/b/Outer$Inner`. Recordings do not contain the file
/// name, so the guess is wrong for a second top-level class in a file and for languages other than Java. Empty
/// for generated classes, whose name begins with `$` (such as proxies), and if there is no name.
#[must_use]
pub fn source_file(class: &str) -> String {
    // The address of a hidden class follows `$$Lambda` or a similar marker, and may contain separators.
    let bytes = class.as_bytes();
    // Finds the first occurrence of `mark` by searching for its byte number `rare`, which most names rarely
    // contain.
    let first = |mark: &[u8], rare: usize| {
        let (before, byte) = (bytes.get(rare..)?, *mark.get(rare)?);
        let mut places = before.iter().enumerate().filter(|(_, c)| **c == byte).map(|(at, _)| at);
        places.find(|&at| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark)))
    };
    let lambda = first(b"$$", 0);
    let address = first(b"+0x", 2).or_else(|| first(b"/0x", 2));
    let end = lambda.into_iter().chain(address).min().unwrap_or(bytes.len());
    let body = class.get(..end).unwrap_or(class);
    let start = body.bytes().rposition(|c| matches!(c, b'/' | b'.')).map_or(0, |at| at + 1);
    let simple = body.get(start..).unwrap_or(body);
    let outer = simple.bytes().position(|c| c == b'$').and_then(|at| simple.get(..at)).unwrap_or(simple);
    if outer.is_empty() { String::new() } else { [outer, ".java"].concat() }
}
