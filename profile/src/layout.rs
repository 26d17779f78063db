//! Aligns text in columns of a terminal, where a character takes up no, one or two columns: `顧客` takes up four. `format!`
//! pads by the number of characters, so tables with names from recordings use these functions instead.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The number of columns that a text takes up.
///
/// ```
/// use jfrkit_profile::layout::{left, right, width};
///
/// assert_eq!(width("顧客.读取"), 9);
/// assert_eq!(left("顧客", 6) + "|", "顧客  |");
/// assert_eq!(right("顧客", 6), "  顧客");
/// ```
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text followed by spaces up to this width.
#[must_use]
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text after spaces up to this width.
#[must_use]
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text up to this width. A character that would cross the edge is left out.
#[must_use]
pub fn start(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let beyond = text.char_indices().find(|(_, c)| {
        used += of_char(*c);
        used > columns
    });
    beyond.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The end of the text up to this width. A character that would cross the edge is left out.
#[must_use]
pub fn end(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let beyond = text.char_indices().rev().find(|(_, c)| {
        used += of_char(*c);
        used > columns
    });
    beyond.and_then(|(at, c)| text.get(at + c.len_utf8()..)).unwrap_or(text)
}

/// The number of columns that a character takes up.
#[must_use]
pub fn of_char(c: char) -> usize {
    c.width().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!((start("顧客.读取", 5), start("顧客.读取", 6), start("abc", 9)), ("顧客.", "顧客.", "abc"));
        assert_eq!((end("顧客.读取", 5), end("顧客.读取", 6), end("abc", 9)), (".读取", ".读取", "abc"));
        assert_eq!((start("顧", 1), end("顧", 1), start("", 3), end("abc", 0)), ("", "", "", ""));
    }
}
