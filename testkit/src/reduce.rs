//! Makes small recordings from large ones: a few events with the constants and types they need.

use std::collections::{BTreeMap, BTreeSet};

use jfr_parse::testing::{ChunkWriter, Payload, Pool};
use jfr_parse::{Chunk, ConstantKey, METADATA, Metadata, Recording, Result, Type, TypeId};

use crate::parts::{self, Part, What};
use crate::tree::Tree;

/// A recording with at most `each` events per chunk of each type selected by `wanted`; chunks without such
/// events are left out. The constants are in two checkpoints, before and after the events.
///
/// # Errors
/// Why a chunk cannot be read.
pub fn reduced(recording: &Recording<'_>, each: usize, wanted: impl Fn(Type<'_>) -> bool) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for chunk in recording.chunks() {
        if let Some(bytes) = Reduction::of(&chunk?, each, &wanted) {
            out.extend(bytes);
        }
    }
    Ok(out)
}

/// What to keep of a chunk.
struct Reduction<'c, 'a> {
    chunk: &'c Chunk<'a>,
    types: BTreeSet<TypeId>,
    constants: BTreeMap<(TypeId, u64), &'a [u8]>,
}

impl<'c, 'a> Reduction<'c, 'a> {
    fn of(chunk: &'c Chunk<'a>, each: usize, wanted: impl Fn(Type<'_>) -> bool) -> Option<Vec<u8>> {
        let mut kept = Self { chunk, types: BTreeSet::new(), constants: BTreeMap::new() };
        let mut counts: BTreeMap<TypeId, usize> = BTreeMap::new();
        let mut events = Vec::new();
        for event in chunk.events() {
            let Some(of) = kept.metadata().by_id(event.type_id).filter(|t| wanted(*t)) else { continue };
            let n = counts.entry(event.type_id).or_default();
            *n += 1;
            if *n <= each {
                kept.keep(&parts::of_event(of, event.payload), event.payload);
                kept.types.insert(event.type_id);
                events.push((event.type_id, Payload::new().raw(event.payload)));
            }
        }
        if events.is_empty() {
            return None;
        }
        kept.write(&events)
    }

    fn metadata(&self) -> &'c Metadata {
        self.chunk.metadata()
    }

    /// Keeps the constants that these parts refer to, directly or indirectly.
    fn keep(&mut self, parts: &[Part], bytes: &[u8]) {
        let mut keys = keys(parts, bytes);
        while let Some((id, key)) = keys.pop() {
            if self.constants.contains_key(&(id, key)) {
                continue;
            }
            let (Some(of), Some(value)) = (self.metadata().by_id(id), self.chunk.pools().get(id, ConstantKey(key)))
            else {
                continue;
            };
            let Some(parts) = parts::of_constant(of, value) else { continue };
            let end = parts.iter().map(|p| p.range.end).max().unwrap_or(0);
            keys.extend(self::keys(&parts, value));
            self.constants.insert((id, key), &value[..end]);
            self.types.insert(id);
        }
    }

    fn write(mut self, events: &[(TypeId, Payload)]) -> Option<Vec<u8>> {
        let header = self.chunk.header();
        let mut out = ChunkWriter::new();
        out.version = (header.major, header.minor);
        out.start_nanos = header.start_nanos.0;
        out.duration_nanos = header.duration_nanos.0;
        out.start_ticks = header.start_ticks.0;
        out.ticks_per_second = header.ticks_per_second;
        let metadata = self.chunk.walk(0..self.chunk.bytes().len()).filter(|e| e.type_id == METADATA).last();
        let metadata = self.types_of(metadata?.payload)?;
        let (mut first, mut second): (BTreeMap<u64, _>, BTreeMap<u64, _>) = (BTreeMap::new(), BTreeMap::new());
        for (i, ((id, key), value)) in self.constants.iter().enumerate() {
            let pool: &mut Vec<_> = if i % 2 == 0 { &mut first } else { &mut second }.entry(id.0).or_default();
            pool.push((*key, Payload::new().raw(value)));
        }
        out.checkpoint(&first.into_iter().collect::<Vec<Pool>>());
        for (id, payload) in events {
            out.event(id.0, payload);
        }
        out.checkpoint(&second.into_iter().collect::<Vec<Pool>>());
        out.metadata_position = out.position() as u64;
        out.event(METADATA.0, &Payload::new().raw(&metadata));
        Some(out.finish())
    }

    /// The metadata, reduced to the kept types and those they need.
    fn types_of(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let metadata = self.metadata();
        let mut left: Vec<TypeId> = self.types.iter().copied().collect();
        while let Some(id) = left.pop() {
            let Some(of) = metadata.by_id(id) else { continue };
            let annotations = of.annotations().chain(of.fields().flat_map(|f| f.annotations()));
            let needed = of.fields().map(|f| f.type_id()).chain(annotations.filter_map(|a| Some(a.value_type()?.id())));
            left.extend(needed.filter(|id| self.types.insert(*id)));
        }
        let mut tree = Tree::parse(payload)?;
        let names: BTreeSet<String> =
            self.types.iter().filter_map(|id| Some(metadata.by_id(*id)?.name().to_owned())).collect();
        let (class, list) = (tree.position("class"), tree.position("metadata"));
        let mut root = std::mem::take(&mut tree.root);
        for element in root.children.iter_mut().filter(|e| e.name == list) {
            element
                .children
                .retain(|e| e.name != class || tree.attribute(e, "name").is_some_and(|n| names.contains(n)));
            let setting = tree.texts.iter().position(|t| t == "setting");
            element.children.iter_mut().for_each(|class| class.children.retain(|e| Some(e.name) != setting));
        }
        tree.root = root;
        Some(tree.write())
    }
}

/// The keys among the parts, with the types of their constants.
fn keys(parts: &[Part], bytes: &[u8]) -> Vec<(TypeId, u64)> {
    let key = |part: &Part| match part.what {
        What::Key(id) => Some((id, jfr_parse::Cursor::new(&bytes[part.range.clone()]).varint().unwrap_or(0))),
        _ => None,
    };
    parts.iter().filter_map(key).collect()
}
