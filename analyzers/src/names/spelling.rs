//! Converts names to Java syntax.

use std::borrow::Cow;

/// A class or package name with `.` between its parts.
#[must_use]
pub fn java_name(name: &str) -> Cow<'_, str> {
    if !name.as_bytes().contains(&b'/') {
        return Cow::Borrowed(name);
    }
    // Replacing byte for byte is several times as fast as replacing text by text.
    let bytes = name.bytes().map(|c| if c == b'/' { b'.' } else { c });
    Cow::Owned(String::from_utf8(bytes.collect()).unwrap_or_else(|_| name.replace('/', ".")))
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
    // The standard library finds characters much faster than texts, and most names have few of these.
    let lambda = class.match_indices('$').map(|(at, _)| at).find(|at| bytes.get(at + 1) == Some(&b'$'));
    let hex = |mark: u8| {
        let mut places = class.match_indices('x').filter_map(|(at, _)| at.checked_sub(2));
        places.find(|&at| bytes.get(at..at + 2).is_some_and(|two| two == [mark, b'0']))
    };
    let address = hex(b'+').or_else(|| hex(b'/'));
    let end = lambda.into_iter().chain(address).min().unwrap_or(bytes.len());
    let body = class.get(..end).unwrap_or(class);
    let start = body.bytes().rposition(|c| matches!(c, b'/' | b'.')).map_or(0, |at| at + 1);
    let simple = body.get(start..).unwrap_or(body);
    let outer = simple.split_once('$').map_or(simple, |(outer, _)| outer);
    if outer.is_empty() { String::new() } else { [outer, ".java"].concat() }
}
