//! Markdown that shows text as it is.

use jfr_parse::text::plain;

/// Text that stands for itself: no markup, no HTML, no link, no end of a table's cell or line.
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
            // Neither an address becomes a link nor a name a mention.
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out.replace("://", ":&#47;&#47;")
}
