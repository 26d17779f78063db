//! Sums up the samples of a profile by method, line or label.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::{NO_LABEL, NO_STACK};
use crate::{LabelValue, Profile, StrId, Tables};

/// Sums by group.
pub(super) struct Groups {
    names: Vec<String>,
    /// The values of all groups, one group after another.
    own: Vec<i64>,
    total: Vec<i64>,
    /// For each group, the last sample added to its total, counted from 1.
    last: Vec<usize>,
    width: usize,
}

impl Groups {
    fn new(width: usize) -> Self {
        Self { names: Vec::new(), own: Vec::new(), total: Vec::new(), last: Vec::new(), width: width.max(1) }
    }

    /// Adds a group and returns its number.
    fn push(&mut self, name: String) -> usize {
        self.names.push(name);
        self.last.push(0);
        let size = self.names.len() * self.width;
        self.own.resize(size, 0);
        self.total.resize(size, 0);
        self.names.len() - 1
    }

    fn add_own(&mut self, group: usize, values: &[i64]) {
        add(&mut self.own, group * self.width, values);
    }

    /// Adds to the total of a group, once per sample.
    fn add_total(&mut self, group: usize, sample: usize, values: &[i64]) {
        if let Some(last) = self.last.get_mut(group).filter(|last| **last != sample + 1) {
            *last = sample + 1;
            add(&mut self.total, group * self.width, values);
        }
    }

    /// The name, self values and total values of each group.
    pub(super) fn into_rows(self) -> impl Iterator<Item = (String, Vec<i64>, Vec<i64>)> {
        let Self { names, own, total, width, .. } = self;
        let part =
            move |numbers: &[i64], i: usize| numbers.get(i * width..(i + 1) * width).unwrap_or_default().to_vec();
        names.into_iter().enumerate().map(move |(i, name)| (name, part(&own, i), part(&total, i)))
    }
}

fn add(sums: &mut [i64], from: usize, values: &[i64]) {
    for (sum, value) in sums.iter_mut().skip(from).zip(values) {
        *sum = sum.saturating_add(*value);
    }
}

/// Groups by method, or by line of a method.
pub(super) fn by_frame(profile: &Profile, tables: &Tables, lines: bool) -> Groups {
    const UNKNOWN: usize = usize::MAX;
    let mut groups = Groups::new(profile.values().len());
    let mut by_key: HashMap<(StrId, u32), usize, RandomState> = HashMap::default();
    let mut by_handle = vec![UNKNOWN; tables.frame_count()];
    let mut no_stack = None;
    for (i, sample) in profile.samples.iter().enumerate() {
        let stack = tables.stack(sample.stack);
        if stack.is_empty() {
            let group = *no_stack.get_or_insert_with(|| groups.push(NO_STACK.to_owned()));
            groups.add_own(group, sample.values);
            groups.add_total(group, i, sample.values);
        }
        for (depth, &id) in stack.iter().enumerate() {
            let Some(group) = by_handle.get_mut(id.index()) else { continue };
            if *group == UNKNOWN {
                let frame = tables.frame(id);
                let (name, line) = (tables.function(frame.function).name, if lines { frame.line } else { 0 });
                *group = *by_key.entry((name, line)).or_insert_with(|| {
                    let name = tables.str(name);
                    groups.push(if line == 0 { name.to_owned() } else { format!("{name}:{line}") })
                });
            }
            if depth == 0 {
                groups.add_own(*group, sample.values);
            }
            groups.add_total(*group, i, sample.values);
        }
    }
    groups
}

/// Groups by the value of a label. If a sample has the label twice, the first value counts.
pub(super) fn by_label(profile: &Profile, tables: &Tables, key: &str) -> Groups {
    let mut groups = Groups::new(profile.values().len());
    let mut by_value: HashMap<Option<LabelValue>, usize, RandomState> = HashMap::default();
    for (i, sample) in profile.samples.iter().enumerate() {
        let value = tables.labels(sample.labels).iter().find(|label| label.key == key).map(|label| label.value);
        let group = *by_value.entry(value).or_insert_with(|| {
            groups.push(match value {
                Some(LabelValue::Text(text)) => tables.str(text).to_owned(),
                Some(LabelValue::Number(number)) => number.to_string(),
                None => NO_LABEL.to_owned(),
            })
        });
        groups.add_own(group, sample.values);
        groups.add_total(group, i, sample.values);
    }
    groups
}
