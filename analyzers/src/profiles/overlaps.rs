//! CPU samples of chunks that overlap in time: if there are several sources, they observed the same work, so only one counts.

use std::collections::BTreeMap;

use super::options::CpuSource;
use jfrkit_profile::index::{at, at_mut};

/// What was collected from CPU samples, by group of overlapping chunks and by source.
#[derive(Debug)]
pub(super) struct Overlaps<T> {
    /// The group number of each chunk.
    group_of: Vec<usize>,
    groups: BTreeMap<usize, Group<T>>,
    chosen: Option<CpuSource>,
}

#[derive(Debug)]
struct Group<T> {
    /// Number of chunks still to come.
    open: usize,
    sources: BTreeMap<CpuSource, T>,
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self { open: 0, sources: BTreeMap::new() }
    }
}

impl<T: Default> Overlaps<T> {
    /// `spans` are the recording, start and end of each chunk in nanoseconds. Chunks of different recordings never share a
    /// group. `chosen` counts in place of the best source.
    pub(super) fn new(spans: &[(usize, i64, i64)], chosen: Option<CpuSource>) -> Self {
        let group_of = overlapping(spans);
        let mut groups: BTreeMap<usize, Group<T>> = BTreeMap::new();
        for group in &group_of {
            groups.entry(*group).or_default().open += 1;
        }
        Self { group_of, groups, chosen }
    }

    fn number(&self, chunk: usize) -> usize {
        at(&self.group_of, chunk).copied().unwrap_or(chunk)
    }

    /// What was collected in the group of a chunk, by source.
    pub(super) fn sources(&mut self, chunk: usize) -> &mut BTreeMap<CpuSource, T> {
        let number = self.number(chunk);
        &mut self.groups.entry(number).or_default().sources
    }

    /// Ends a chunk, whether it could be read or not. Returns the source that counts once all chunks of the group have ended.
    pub(super) fn end(&mut self, chunk: usize) -> Option<(CpuSource, T)> {
        let number = self.number(chunk);
        let group = self.groups.entry(number).or_default();
        group.open = group.open.saturating_sub(1);
        if group.open > 0 {
            return None;
        }
        let mut sources = self.groups.remove(&number)?.sources;
        let best = self.chosen.or_else(|| CpuSource::ALL.into_iter().find(|source| sources.contains_key(source)))?;
        Some((best, sources.remove(&best)?))
    }
}

/// Groups the chunks of one recording that overlap in time, directly or indirectly, and returns their group
/// numbers.
pub(crate) fn overlapping(spans: &[(usize, i64, i64)]) -> Vec<usize> {
    let mut order: Vec<(usize, (usize, i64, i64))> = spans.iter().copied().enumerate().collect();
    order.sort_by_key(|&(_, (recording, from, _))| (recording, from));
    let mut groups = vec![0; spans.len()];
    let mut current: Option<(usize, usize, i64)> = None;
    for (i, (recording, from, to)) in order {
        let group = match current {
            // Chunks of one JVM are adjacent: one ends when the next begins.
            Some((of, group, end)) if of == recording && from < end => {
                current = Some((of, group, end.max(to)));
                group
            }
            _ => {
                current = Some((recording, i, to.max(from)));
                i
            }
        };
        if let Some(slot) = at_mut(&mut groups, i) {
            *slot = group;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::overlapping;

    #[test]
    fn chunks_that_touch_do_not_overlap() {
        assert_eq!(overlapping(&[(0, 0, 10), (0, 10, 20), (0, 5, 8)]), [0, 1, 0]);
        assert_eq!(overlapping(&[(0, 0, 10), (1, 5, 20)]), [0, 1]);
        assert_eq!(overlapping(&[(0, 12, 30), (0, 0, 10), (0, 9, 13)]), [1, 1, 1]);
    }
}
