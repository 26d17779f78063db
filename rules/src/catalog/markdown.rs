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

/// Escaped text in which parts between backticks are code. A backtick without a partner is escaped like other text.
#[must_use]
pub fn words(text: &str) -> String {
    if text.matches('`').count() % 2 == 1 {
        return escape(text);
    }
    let part = |(i, part): (usize, &str)| if i % 2 == 1 { code(part) } else { escape(part) };
    text.split('`').enumerate().map(part).collect()
}

/// Text without backticks as code, also inside a table cell; empty for empty text.
pub(super) fn code(text: &str) -> String {
    // A blank line would end the code.
    let line = text.lines().collect::<Vec<_>>().join(" ");
    match &*plain(&line) {
        "" => String::new(),
        text => format!("`{}`", text.replace('|', "\\|")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stays_code_and_other_text_is_escaped() {
        assert_eq!(words("the settings `default` of a_b"), "the settings `default` of a\\_b");
        assert_eq!(words("a `b | <c>` <d>"), "a `b \\| <c>` &lt;d&gt;");
        assert_eq!(words("one ` only"), "one \\` only");
        assert_eq!(words("`a\n\n# b`"), "`a  # b`");
    }
}
