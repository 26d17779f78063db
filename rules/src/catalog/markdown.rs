//! Markdown that shows text literally.

use jfr_parse::text::plain;

/// Escapes text so that it contains no markup, HTML or link, and does not end a table cell or line.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // A line break would end a heading, a quote or a row.
    let line = text.lines().collect::<Vec<_>>().join(" ");
    for c in plain(&line).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // An address must not become a link, nor a name a mention.
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out.replace("://", ":&#47;&#47;")
}
