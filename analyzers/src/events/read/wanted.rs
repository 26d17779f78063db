//! The combined needs of all rules.

use std::collections::BTreeMap;

use crate::events::facts::ALWAYS;
use crate::events::methods::MethodSet;
use crate::events::needs::{GroupBy, MAX_KEYS, MAX_MEASURES, Needs, TableNeed};

/// What to keep of the events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Fields and row limit, by event type.
    pub(crate) tables: BTreeMap<&'static str, (Vec<&'static str>, usize)>,
    pub(crate) groups: Vec<GroupBy>,
    pub(crate) methods: Vec<MethodSet>,
}

impl Wanted {
    /// Combines what is always read with what these rules need.
    pub(crate) fn new<'n>(needs: impl IntoIterator<Item = &'n Needs>) -> Self {
        let mut wanted = Self::default();
        for table in ALWAYS {
            wanted.table(table);
        }
        for needs in needs {
            for table in &needs.tables {
                wanted.table(table);
            }
            for group in &needs.groups {
                debug_assert!(group.keys.len() <= MAX_KEYS && group.measures.len() <= MAX_MEASURES);
                if !wanted.groups.contains(group) {
                    wanted.groups.push(*group);
                }
            }
            for set in &needs.methods {
                if !wanted.methods.contains(set) {
                    wanted.methods.push(set.clone());
                }
            }
        }
        wanted
    }

    fn table(&mut self, need: &TableNeed) {
        let (fields, cap) = self.tables.entry(need.event).or_default();
        *cap = need.cap.max(*cap);
        for field in need.fields {
            if !fields.contains(field) {
                fields.push(field);
            }
        }
    }
}
