//! The combined needs of all rules.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::FIELDS;
use crate::events::facts::{ALWAYS, SHAPE};
use crate::events::methods::MethodSet;
use crate::events::names::Names;
use crate::events::needs::{AMOUNT, EVENT, GroupBy, MAX_KEYS, MAX_MEASURES, Needs, TableNeed};
use crate::rule::{AnalysisError, Text};

/// What to keep of the events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Fields and row limit, by event type.
    pub(crate) tables: BTreeMap<Text, (Names, usize)>,
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
                if !wanted.groups.contains(group) {
                    wanted.groups.push(group.clone());
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

    /// Checks that groups have no more keys and measures than they can hold, and that no event type has more wanted fields
    /// than [`Plans`](super::plan::Plans) can read.
    ///
    /// # Errors
    /// [`AnalysisError::TooManyKeys`], [`AnalysisError::TooManyFields`].
    pub(crate) fn check(&self) -> Result<(), AnalysisError> {
        for group in &self.groups {
            let (keys, measures) = (group.keys.len(), group.measures.len());
            if keys > MAX_KEYS || measures > MAX_MEASURES {
                let events = group.events.join(", ");
                return Err(AnalysisError::TooManyKeys {
                    events,
                    keys,
                    most_keys: MAX_KEYS,
                    measures,
                    most_measures: MAX_MEASURES,
                });
            }
        }
        let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (event, (paths, _)) in &self.tables {
            fields.entry(event).or_default().extend(paths.iter().flat_map(|path| path.split('|')));
        }
        for group in &self.groups {
            for event in group.events.iter() {
                let paths = group.keys.iter().chain(group.measures.iter()).flat_map(|path| path.split('|'));
                fields.entry(event).or_default().extend(paths);
            }
        }
        for (event, paths) in fields {
            let read: usize = paths.iter().map(|path| Self::slots(path)).sum();
            if read > FIELDS {
                return Err(AnalysisError::TooManyFields { event: event.to_owned(), fields: read, most: FIELDS });
            }
        }
        Ok(())
    }

    /// How many fields are read for a wanted one, at most.
    fn slots(path: &str) -> usize {
        match path {
            // They are read in any case, or from no field.
            "startTime" | "duration" | "stackTrace" | SHAPE | EVENT => 0,
            AMOUNT => 2,
            _ => 1,
        }
    }

    fn table(&mut self, need: &TableNeed) {
        let (fields, cap) = self.tables.entry(need.event.clone()).or_default();
        *cap = need.cap.max(*cap);
        *fields = fields.with(&need.fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_made_at_run_time_with_too_many_keys_are_an_error() {
        let named = |n: usize| (0..n).map(|i| format!("f{i}")).collect::<Names>();
        let groups = |keys, measures| {
            let by = GroupBy::from_names(Names::constant(&["jdk.X"]), named(keys), named(measures));
            Wanted::new([&Needs::new().groups(by)]).check()
        };
        assert!(groups(MAX_KEYS, MAX_MEASURES).is_ok());
        for error in [groups(MAX_KEYS + 1, 0), groups(0, MAX_MEASURES + 1)] {
            assert!(matches!(&error, Err(AnalysisError::TooManyKeys { events, .. }) if events == "jdk.X"), "{error:?}");
        }
    }

    #[test]
    fn fields_that_would_not_be_read_are_an_error() {
        const FEW: &[&str] = &["a", "b", "c|d", "startTime"];
        const MANY: &[&str] = &[
            "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13", "f14", "f15", "f16",
            "f17",
        ];
        let needs = Needs::new().table("jdk.X", FEW);
        assert!(Wanted::new([&needs]).check().is_ok());
        let more = Needs::new().table("jdk.X", MANY).groups(GroupBy::of(&["jdk.X"]).by(&["g"]));
        let error = Wanted::new([&needs, &more]).check();
        assert!(
            matches!(&error, Err(AnalysisError::TooManyFields { event, fields: 22, most: 21 }) if event == "jdk.X"),
            "{error:?}"
        );
    }
}
