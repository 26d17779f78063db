//! Which constants the fields of some events can lead to.

use crate::hash::HashSet;
use jfr_parse::{Chunk, Metadata, Plan, TypeId};

pub(crate) type TypeIds = HashSet<TypeId>;

/// The constants of a chunk that plans can lead to, indexed when the first event needs them.
#[derive(Debug)]
pub(crate) struct Reachable(Option<TypeIds>);

impl Reachable {
    /// The constants that the fields selected by these plans lead to.
    pub(crate) fn new<'p, const N: usize>(metadata: &Metadata, plans: impl Iterator<Item = &'p Plan<N>>) -> Self {
        let types = plans.flat_map(|plan| plan.columns().into_iter().filter_map(move |column| plan.type_id(column)));
        Self(Some(reachable(metadata, types)))
    }

    /// Indexes them on the first call.
    #[inline]
    pub(crate) fn index(&mut self, chunk: &Chunk<'_>) {
        if let Some(wanted) = self.0.take() {
            let _ = chunk.pools_for(|of| wanted.contains(&of.id()));
        }
    }
}

/// These types and all types that their values refer to. Texts may be constants as well.
pub(crate) fn reachable(metadata: &Metadata, types: impl Iterator<Item = TypeId>) -> TypeIds {
    let mut found = TypeIds::default();
    let mut waiting: Vec<TypeId> = types.chain([metadata.string_type()]).collect();
    while let Some(id) = waiting.pop() {
        let Some(of) = metadata.by_id(id).filter(|_| found.insert(id)) else { continue };
        waiting.extend(of.fields().map(|field| field.type_id()));
    }
    found
}
