//! Formats types as declarations in the syntax of the JDK's `jfr metadata`.

use super::{plain, put};
use crate::metadata::{Annotation, Type};

/// The declaration of a type: annotations, settings with their defaults, and fields. Ends with a line break.
#[must_use]
pub fn declaration(of: Type<'_>) -> String {
    let mut out = String::new();
    if of.name().contains('.') && of.annotation("jdk.jfr.Name").is_none() {
        put(&mut out, format_args!("@Name({})\n", quoted(of.name())));
    }
    for annotation in of.annotations() {
        annotate(&mut out, "", annotation);
    }
    put(&mut out, format_args!("class {}", plain(of.simple_name())));
    if let Some(parent) = of.super_type() {
        put(&mut out, format_args!(" extends {}", plain(parent)));
    }
    out.push_str(" {\n");
    for setting in of.settings() {
        let control = setting.value_type().map_or("?", |t| t.name());
        let (name, default) = (plain(setting.name()), quoted(setting.default_value()));
        put(&mut out, format_args!("  // setting {name} = {default} ({})\n", plain(control)));
    }
    let mut first = of.settings().len() == 0;
    for field in of.fields() {
        if !std::mem::take(&mut first) {
            out.push('\n');
        }
        for annotation in field.annotations() {
            annotate(&mut out, "  ", annotation);
        }
        let value_type = field.value_type().map_or("?", |t| t.simple_name());
        let array = if field.is_array() { "[]" } else { "" };
        put(&mut out, format_args!("  {}{array} {};\n", plain(value_type), plain(field.name())));
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text))
}

/// Writes one annotation on its own line. A single member `value` is shown without its name.
fn annotate(out: &mut String, indent: &str, annotation: Annotation<'_>) {
    let name = annotation.value_type().map_or("?", |t| t.simple_name());
    put(out, format_args!("{indent}@{}", plain(name)));
    let members: Vec<_> = annotation.members().collect();
    // The elements of an array are separate members: value-0, value-1, …
    let is_array = !members.is_empty()
        && members.iter().enumerate().all(|(i, (key, _))| key.strip_prefix("value-") == Some(&i.to_string()));
    // Numbers and booleans are not quoted.
    let declared = |key: &str| annotation.value_type().and_then(|t| t.field(key)).and_then(|f| f.value_type());
    let shown = |key: &str, value: &str| match declared(key).map(|t| t.name()) {
        Some("java.lang.String") | None => quoted(value),
        Some(_) => plain(value).into_owned(),
    };
    match members.as_slice() {
        [] => {}
        [("value", value)] | [("value-0", value)] => put(out, format_args!("({})", shown("value", value))),
        members => {
            let parts: Vec<String> =
                members
                    .iter()
                    .map(|(key, value)| {
                        if is_array { shown("value", value) } else { format!("{} = {}", plain(key), shown(key, value)) }
                    })
                    .collect();
            let (open, close) = if is_array { ("({", "})") } else { ("(", ")") };
            put(out, format_args!("{open}{}{close}", parts.join(", ")));
        }
    }
    out.push('\n');
}
