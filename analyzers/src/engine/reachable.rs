//! Which constants the fields of some events can lead to.

use hashbrown::HashSet;
use jfr_parse::Metadata;

/// The ids of types.
pub(crate) type TypeIds = HashSet<u64, foldhash::fast::RandomState>;

/// These types and all types that their values refer to. Texts may be constants as well.
pub(crate) fn reachable(metadata: &Metadata, types: impl Iterator<Item = u64>) -> TypeIds {
    let mut found = TypeIds::default();
    let mut waiting: Vec<u64> = types.chain(metadata.by_name("java.lang.String").map(|of| of.id())).collect();
    while let Some(id) = waiting.pop() {
        let Some(of) = metadata.by_id(id).filter(|_| found.insert(id)) else { continue };
        waiting.extend(of.fields().map(|field| field.type_id()));
    }
    found
}
