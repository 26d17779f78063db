//! The web page of jfrkit as bytes: what a server serves, and standalone pages that open from disk.
//!
//! The sources are in `web/src` and the bundles in `web/dist`. Both are committed, so building this crate does
//! not need Node.js. `web/README.md` describes the data that goes into a page.
//!
//! Computing the data of a page belongs in `jfrkit-reports` and `jfrkit-server`. Start with `page.rs`, which
//! writes a standalone page; `escape.rs` makes data safe inside it.
//!
//! ```
//! use jfrkit_web::{Block, Bundle, write_page};
//!
//! let page = br#"{"kind":"flame","title":"app.jfr","generator":"jfrkit","types":[]}"#;
//! let mut html = Vec::new();
//! write_page(&mut html, Bundle::Flame, "app.jfr", &[Block::json("jfrkit-page", page)])?;
//! assert!(html.starts_with(b"<!doctype html>"));
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]

mod escape;
mod hashes;
mod page;

pub use escape::{base64, html, json};
pub use page::{Block, Bundle, write_page};

/// A file of the web page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Its URL path, without a leading slash.
    pub path: &'static str,
    /// Its media type, including the character set if there is one.
    pub content_type: &'static str,
    /// Its contents.
    pub bytes: &'static [u8],
}

/// The page itself: the response for every URL of the page (`/`, `/profiles`, `/profiles/ID`, `/compare`,
/// `/flame`, `/setup`, `/status`).
pub const INDEX: File =
    File { path: "index.html", content_type: "text/html; charset=utf-8", bytes: include_bytes!("../dist/index.html") };

/// The files that [`INDEX`] loads, at the root of the URL.
pub const FILES: &[File] = &[
    File { path: "app.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("../dist/app.js") },
    File { path: "app.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("../dist/app.css") },
    File { path: "icon.svg", content_type: "image/svg+xml", bytes: include_bytes!("../dist/icon.svg") },
];

/// The file with this path, with or without the leading slash.
#[must_use]
pub fn file(path: &str) -> Option<&'static File> {
    let path = path.strip_prefix('/').unwrap_or(path);
    FILES.iter().find(|file| file.path == path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_file_that_the_page_asks_for_is_there() {
        let index = String::from_utf8(INDEX.bytes.to_vec()).unwrap();
        for file in FILES {
            assert!(index.contains(&format!("\"/{}\"", file.path)), "{} is not asked for", file.path);
            assert!(!file.bytes.is_empty(), "{} is empty", file.path);
        }
        assert_eq!(file("/app.js").map(|f| f.path), Some("app.js"));
        assert_eq!(file("/../app.js"), None);
    }
}
