//! Escaping: JSON inside a page, text inside a page, bytes as text.

use std::io::{self, Write};

/// Writes JSON so that it can be the text of a `<script>` element: `<`, U+2028 and U+2029 become JSON escapes.
///
/// In JSON, these characters occur only inside strings, so the value stays the same, and neither `</script>`
/// nor `<!--` can occur.
///
/// # Errors
///
/// Errors of `out`.
pub fn json(out: &mut dyn Write, text: &[u8]) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'<' || byte == 0xe2) {
        let (plain, found) = rest.split_at(at);
        out.write_all(plain)?;
        let (length, escape): (usize, &[u8]) = match found {
            [b'<', ..] => (1, b"\\u003c"),
            [0xe2, 0x80, 0xa8, ..] => (3, b"\\u2028"),
            [0xe2, 0x80, 0xa9, ..] => (3, b"\\u2029"),
            _ => (1, b"\xe2"),
        };
        out.write_all(escape)?;
        rest = found.get(length..).unwrap_or_default();
    }
    out.write_all(rest)
}

/// Escapes text for use in HTML text or in a quoted attribute value.
#[must_use]
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // HTML cannot represent it.
            '\0' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Writes bytes as base64 with padding (RFC 4648, section 4).
///
/// # Errors
///
/// Errors of `out`.
pub fn base64(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| DIGITS.get((bits & 63) as usize).copied().unwrap_or(b'=');
    let mut buffer = Vec::with_capacity(4096);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        buffer.push(digit(bits >> 18));
        buffer.push(digit(bits >> 12));
        buffer.push(if group.len() > 1 { digit(bits >> 6) } else { b'=' });
        buffer.push(if group.len() > 2 { digit(bits) } else { b'=' });
        if buffer.len() + 4 > 4096 {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        json(&mut out, text.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_in_data_can_end_its_script() {
        assert_eq!(escaped(r#"["</script>","<!--"]"#), r#"["\u003c/script>","\u003c!--"]"#);
        assert_eq!(escaped("[\"a\u{2028}b\u{2029}c\"]"), r#"["a\u2028b\u2029c"]"#);
        assert_eq!(escaped("[\"€…\"]"), "[\"€…\"]");
        assert_eq!(escaped("<"), "\\u003c");
    }

    #[test]
    fn base64_has_the_values_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = Vec::new();
            base64(&mut out, bytes.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn titles_are_text() {
        assert_eq!(html("<b a='\"'>&\0"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}");
    }
}
