//! Standalone pages that open from disk: one file with the data, script and style, and a policy that allows
//! nothing else.

use crate::{escape, hashes};
use std::io::{self, Write};

const TEMPLATE: &str = include_str!("../dist/page.html");

/// Which script and style a page includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundle {
    /// The panel with flame graph, callers and table: the pages of `flame`, `diff` and `heatmap`.
    Flame,
    /// The whole page with its tabs: the page of `report`.
    Report,
}

impl Bundle {
    fn script(self) -> (&'static [u8], &'static str) {
        match self {
            Self::Flame => (include_bytes!("../dist/flame.js"), hashes::FLAME_JS),
            Self::Report => (include_bytes!("../dist/app.js"), hashes::APP_JS),
        }
    }

    fn style(self) -> (&'static [u8], &'static str) {
        match self {
            Self::Flame => (include_bytes!("../dist/flame.css"), hashes::FLAME_CSS),
            Self::Report => (include_bytes!("../dist/app.css"), hashes::APP_CSS),
        }
    }
}

/// A piece of data in a page, found by its id.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    id: &'a str,
    data: Data<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Data<'a> {
    Json(&'a [u8]),
    Gzip(&'a [u8]),
}

impl<'a> Block<'a> {
    /// JSON in UTF-8. It is escaped when it is written.
    #[must_use]
    pub const fn json(id: &'a str, text: &'a [u8]) -> Self {
        Self { id, data: Data::Json(text) }
    }

    /// Arbitrary bytes, compressed with gzip by the caller: this reduces a large tree to a fifth of its size.
    /// They are written as base64.
    #[must_use]
    pub const fn gzip(id: &'a str, packed: &'a [u8]) -> Self {
        Self { id, data: Data::Gzip(packed) }
    }
}

/// Writes a page with its data. The first block must be `jfrkit-page`.
///
/// # Errors
///
/// Errors of `out`.
pub fn write_page(out: &mut dyn Write, bundle: Bundle, title: &str, blocks: &[Block<'_>]) -> io::Result<()> {
    let (script, script_hash) = bundle.script();
    let (style, style_hash) = bundle.style();
    let mut rest = TEMPLATE;
    while let Some((before, marked)) = rest.split_once("@@") {
        let Some((mark, after)) = marked.split_once("@@") else {
            break;
        };
        out.write_all(before.as_bytes())?;
        match mark {
            "TITLE" => out.write_all(escape::html(title).as_bytes())?,
            "SCRIPT" => out.write_all(script)?,
            "STYLE" => out.write_all(style)?,
            "SCRIPT-HASH" => out.write_all(script_hash.as_bytes())?,
            "STYLE-HASH" => out.write_all(style_hash.as_bytes())?,
            "DATA" => {
                for block in blocks {
                    write_block(out, block)?;
                }
            }
            unknown => return Err(io::Error::other(format!("the template has an unknown mark {unknown}"))),
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn write_block(out: &mut dyn Write, block: &Block<'_>) -> io::Result<()> {
    let id = escape::html(block.id);
    match block.data {
        Data::Json(text) => {
            write!(out, "<script type=\"application/json\" id=\"{id}\">")?;
            escape::json(out, text)?;
        }
        Data::Gzip(packed) => {
            write!(out, "<script type=\"application/gzip\" id=\"{id}\">")?;
            escape::base64(out, packed)?;
        }
    }
    out.write_all(b"</script>\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn page(bundle: Bundle, title: &str, blocks: &[Block<'_>]) -> String {
        let mut out = Vec::new();
        write_page(&mut out, bundle, title, blocks).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_page_has_a_policy_that_allows_its_own_script_and_style_only() {
        for bundle in [Bundle::Flame, Bundle::Report] {
            let html = page(bundle, "a", &[]);
            assert!(html.contains("default-src 'none'"));
            assert!(html.contains(&format!("script-src '{}'", bundle.script().1)));
            assert!(html.contains(&format!("style-src '{}'", bundle.style().1)));
            assert!(!html.contains("@@"), "a mark of the template stayed");
        }
    }

    #[test]
    fn hostile_titles_and_data_stay_text() {
        let data = "{\"title\":\"</script><script>alert(1)</script><!--\u{2028}\"}";
        let html =
            page(Bundle::Flame, "</title><script>alert(2)</script>", &[Block::json("jfrkit-page", data.as_bytes())]);
        assert_eq!(html.matches("<script").count(), 2, "the data block and the script");
        assert!(!html.contains("alert(2)</script>"));
        assert!(!html.contains('\u{2028}'));
    }

    #[test]
    fn packed_blocks_are_base64() {
        let html = page(Bundle::Flame, "a", &[Block::gzip("jfrkit-tree-0", b"foob")]);
        assert!(html.contains("<script type=\"application/gzip\" id=\"jfrkit-tree-0\">Zm9vYg==</script>"));
    }
}
