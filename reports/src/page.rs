//! Pages that open from disk: a single HTML file with the script, the style and the data of `web/`, and no network access.
//!
//! `web/README.md` describes the data. Trees are folded as in the API. Tables are computed from the complete trees, and the page
//! states how much was folded.
//!
//! What a page looks like belongs in `web/`, serving it in `jfrkit-server`. This file writes the pages of `flame` and
//! `diff`, and has what all pages share. Start with [`flame_page`], then `report.rs` and `heatmap.rs`.

mod heatmap;
mod report;

pub use heatmap::{HEAT_STEP_NANOS, HeatError, heatmap_page};
pub use report::{ReportFacts, ReportFolded, ReportProfile, report_page};

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use jfrkit_profile::Cancel;
use jfrkit_profile::tree::{By, CallStacks, DEFAULT_MIN, Diff, DiffRow, Group, Per, Tree, TreeError, View, table};
use jfrkit_web::{Block, Bundle, write_page};
use serde_json::{Value, json};

/// Maximum rows of a table in a page.
const MAX_ROWS: usize = 20_000;

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// A tree could not be built.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The output could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The data could not be serialized.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The page is too large even after folding as much as possible.
    #[error("the page has {smallest} bytes with all but the largest subtrees folded, more than the {most} allowed")]
    TooLarge {
        /// Size of the smallest possible page in bytes.
        smallest: usize,
        /// The limit in bytes.
        most: usize,
    },
}

/// A profile type on a page.
#[derive(Debug, Clone, Copy)]
pub struct PageType<'a> {
    /// The short name: `cpu`.
    pub kind: &'a str,
    /// Whether it is one of the main types of its language; the others follow after a divider.
    pub core: bool,
    /// The human-readable name.
    pub title: &'a str,
    /// What it shows.
    pub definition: &'a str,
    /// How the numbers were derived.
    pub how: &'a [String],
    /// Why there are no samples.
    pub absent: Option<&'a str>,
    /// The stacks, if there are samples.
    pub stacks: Option<&'a CallStacks>,
}

/// The heading of a page, and its view.
#[derive(Debug, Clone, Copy)]
pub struct PageHead<'a> {
    /// The title of the page: the file name.
    pub title: &'a str,
    /// A one-line subtitle.
    pub subtitle: &'a str,
    /// Which stacks to include, and how to show them.
    pub view: &'a View,
}

/// Blocks of data, whose names are generated.
#[derive(Default)]
struct Blocks(Vec<(String, Vec<u8>)>);

impl Blocks {
    fn add(&mut self, prefix: &str, data: &impl serde::Serialize) -> io::Result<String> {
        let id = format!("{prefix}{}", self.0.len());
        self.0.push((id.clone(), pack(data)?));
        Ok(id)
    }

    fn write(&self, out: &mut dyn Write, title: &str, page: &Value) -> io::Result<()> {
        let page = page.to_string();
        let mut blocks = vec![Block::json("jfrkit-page", page.as_bytes())];
        blocks.extend(self.0.iter().map(|(id, packed)| Block::gzip(id, packed)));
        write_page(out, Bundle::Flame, title, &blocks)
    }
}

/// Compresses JSON for a block.
fn pack(data: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(6));
    serde_json::to_writer(&mut packed, data)?;
    packed.finish()
}

/// Compresses bytes for a block.
fn pack_bytes(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(6));
    packed.write_all(bytes)?;
    packed.finish()
}

fn generator() -> String {
    format!("jfrkit {}", env!("CARGO_PKG_VERSION"))
}

/// Writes the page of `jfrkit flame`: a switch for the types, each with trees and tables.
///
/// # Errors
/// [`PageError`].
pub fn flame_page(
    out: &mut dyn Write,
    head: &PageHead<'_>,
    types: &[PageType<'_>],
    cancel: &Cancel,
) -> Result<(), PageError> {
    let mut blocks = Blocks::default();
    let mut shown = Vec::new();
    let mut seconds = 0.0_f64;
    for of in types {
        let mut values = Vec::new();
        if let Some(stacks) = of.stacks {
            seconds = seconds.max(stacks.seconds);
            for at in 0..stacks.types().len() {
                values.push(value(stacks, at, head.view, &mut blocks, cancel)?);
            }
            // The last one is shown first.
            if stacks.default_value < values.len() {
                let first = values.remove(stacks.default_value);
                values.push(first);
            }
        }
        shown.push(json!({
            "type": of.kind, "name": of.title, "definition": of.definition, "absent": of.absent,
            "core": of.core, "how": of.how, "values": values,
        }));
    }
    let page = json!({
        "kind": "flame", "title": head.title, "subtitle": head.subtitle, "generator": generator(), "seconds": seconds,
        "types": shown,
    });
    Ok(blocks.write(out, head.title, &page)?)
}

fn value(
    stacks: &CallStacks,
    at: usize,
    view: &View,
    blocks: &mut Blocks,
    cancel: &Cancel,
) -> Result<Value, PageError> {
    let (name, unit) = stacks.types().get(at).map_or(("", ""), |of| (&*of.name, &*of.unit));
    let tree = Tree::new(stacks, at, view, cancel)?;
    let tree = tree.to_json(None, DEFAULT_MIN).unwrap_or_default();
    let mut out = json!({ "name": name, "unit": unit, "total": tree.total, "samples": tree.samples });
    if tree.folded.nodes > 0 {
        let rows = table(stacks, at, view, &By::Function, cancel)?.rows;
        let some = rows.get(..MAX_ROWS).unwrap_or(&rows);
        put(&mut out, "table", json!(blocks.add("f", &json!({ "rows": some, "count": rows.len() }))?));
        put(&mut out, "folded", json!(tree.folded));
    }
    let mut groups = serde_json::Map::new();
    let keys = stacks.label_keys();
    for (key, group) in [("thread", Group::Thread), ("class", Group::Class)] {
        if keys.contains(&key) && view.group.is_none() && at == stacks.default_value {
            let view = View { group: Some(group), ..view.clone() };
            let tree = Tree::new(stacks, at, &view, cancel)?.to_json(None, DEFAULT_MIN).unwrap_or_default();
            groups.insert(key.to_owned(), json!(blocks.add("g", &tree)?));
        }
    }
    put(&mut out, "groups", Value::Object(groups));
    put(&mut out, "tree", json!(blocks.add("t", &tree)?));
    Ok(out)
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// One side of a comparison: its name, its stacks, and the value.
pub type DiffSide<'a> = (&'a str, &'a CallStacks, usize);

/// Writes the page of `jfrkit diff`: the differential flame graph and its table.
///
/// # Errors
/// [`PageError`].
pub fn diff_page(
    out: &mut dyn Write,
    head: &PageHead<'_>,
    of: &PageType<'_>,
    a: DiffSide<'_>,
    b: DiffSide<'_>,
    per: Per,
    cancel: &Cancel,
) -> Result<(), PageError> {
    let mut blocks = Blocks::default();
    let diff = Diff::new((a.1, a.2), (b.1, b.2), head.view, per, cancel)?;
    let (side_a, side_b, rows) = Diff::table((a.1, a.2), (b.1, b.2), head.view, &By::Function, per, cancel)?;
    let rows: &[DiffRow] = rows.get(..MAX_ROWS).unwrap_or(&rows);
    let (name, unit) = a.1.types().get(a.2).map_or(("", ""), |of| (&*of.name, &*of.unit));
    let tree = diff.to_json(DEFAULT_MIN);
    let folded = tree.tree.folded;
    let tree = blocks.add("t", &tree)?;
    let table = blocks.add("f", &json!({ "rows": rows }))?;
    let page = json!({
        "kind": "diff", "title": head.title, "subtitle": head.subtitle, "generator": generator(), "per": per,
        "seconds": side_b.seconds, "a": { "label": a.0 }, "b": { "label": b.0 },
        "types": [{
            "type": of.kind, "name": of.title, "definition": of.definition, "absent": null, "how": of.how,
            "values": [{
                "name": name, "unit": unit, "total": side_a.total, "samples": side_a.samples,
                "a": side_a, "b": side_b, "tree": tree, "table": table, "folded": folded,
            }],
        }],
    });
    Ok(blocks.write(out, head.title, &page)?)
}
