//! The metadata event as a modifiable tree.

use std::collections::HashMap;

use jfr_parse::engine::push_varint;
use jfr_parse::{Cursor, RawStr, Short};

/// The payload of a metadata event.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Start time, duration and id.
    pub head: [u64; 3],
    /// The texts that elements refer to.
    pub texts: Vec<String>,
    /// The outermost element.
    pub root: Element,
}

/// An element; names and values are indices into the texts.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// The name.
    pub name: usize,
    /// The attributes, as keys and values.
    pub attributes: Vec<(usize, usize)>,
    /// The child elements.
    pub children: Vec<Element>,
}

/// No writer nests deeper; deeper metadata is not parsed.
const DEEPEST: usize = 12;

impl Tree {
    /// Parses a payload; `None` if it is not valid.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut at = Cursor::new(payload);
        let head = [at.varint().ok()?, at.varint().ok()?, at.varint().ok()?];
        let mut texts = Vec::new();
        for _ in 0..at.count().ok()? {
            texts.push(RawStr::read(&mut at).ok()?.decode().unwrap_or_default().into_owned());
        }
        let root = element(&mut at, DEEPEST).ok()?;
        Some(Self { head, texts, root })
    }

    /// Encodes the payload, including only the texts that are still in use.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut writer = Writer { tree: self, places: HashMap::new(), texts: Vec::new(), out: Vec::new() };
        writer.element(&self.root);
        let Writer { texts, out: elements, .. } = writer;
        let mut out = Vec::new();
        self.head.iter().for_each(|n| push_varint(&mut out, *n));
        push_varint(&mut out, texts.len() as u64);
        for text in texts {
            out.push(3);
            push_varint(&mut out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        out.extend(elements);
        out
    }

    /// The text with this index.
    #[must_use]
    pub fn text(&self, at: usize) -> &str {
        self.texts.get(at).map_or("", String::as_str)
    }

    /// The index of a text, which is added if necessary.
    pub fn position(&mut self, text: &str) -> usize {
        self.texts.iter().position(|t| t == text).unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        })
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, of: &Element, key: &str) -> Option<&str> {
        of.attributes.iter().find(|(k, _)| self.text(*k) == key).map(|(_, value)| self.text(*value))
    }

    /// The elements that declare types.
    pub fn classes_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        let is = |name: &'static str, texts: &[String]| texts.iter().position(|t| t == name).unwrap_or(usize::MAX);
        let (metadata, class) = (is("metadata", &self.texts), is("class", &self.texts));
        let lists = self.root.children.iter_mut().filter(move |e| e.name == metadata);
        lists.flat_map(|list| &mut list.children).filter(move |e| e.name == class)
    }
}

fn element(at: &mut Cursor<'_>, depth: usize) -> Result<Element, Short> {
    let depth = depth.checked_sub(1).ok_or(Short)?;
    let index = |at: &mut Cursor<'_>| usize::try_from(at.varint()?).map_err(|_| Short);
    let mut out = Element { name: index(at)?, ..Element::default() };
    for _ in 0..at.count()? {
        out.attributes.push((index(at)?, index(at)?));
    }
    for _ in 0..at.count()? {
        out.children.push(element(at, depth)?);
    }
    Ok(out)
}

struct Writer<'t> {
    tree: &'t Tree,
    places: HashMap<usize, u64>,
    texts: Vec<&'t str>,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn index(&mut self, position: usize) {
        let next = self.places.len() as u64;
        let place = *self.places.entry(position).or_insert(next);
        if place == next {
            self.texts.push(self.tree.text(position));
        }
        push_varint(&mut self.out, place);
    }

    fn element(&mut self, of: &Element) {
        self.index(of.name);
        push_varint(&mut self.out, of.attributes.len() as u64);
        for &(key, value) in &of.attributes {
            self.index(key);
            self.index(value);
        }
        push_varint(&mut self.out, of.children.len() as u64);
        of.children.iter().for_each(|child| self.element(child));
    }
}
