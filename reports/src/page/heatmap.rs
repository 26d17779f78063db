//! The page of `jfrkit heatmap`: samples over time, and the flame graph of any selected range.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;

use jfrkit_profile::any::{AnyLabel, AnyProfile, AnySample};
use jfrkit_profile::tree::{DEFAULT_MIN, Tree, TreeError, TreeJson, View};
use jfrkit_profile::{Cancel, Moment, StrId, Timeline};
use jfrkit_web::{Block, Bundle, write_page};
use serde_json::json;
use zlib_rs::{DeflateConfig, ReturnCode, Strategy, compress_bound, compress_slice};

use super::{PageError, generator, pack, pack_bytes};

/// Length of a cell in nanoseconds: 50 per second.
pub const HEAT_STEP_NANOS: i64 = 20_000_000;
/// Maximum cells of a heat map: one week.
const MAX_CELLS: i64 = 7 * 86_400 * 50;
/// Maximum size of a page in bytes.
const MAX_BYTES: usize = 20_000_000;
/// Cells per second.
const SECOND: usize = 50;
/// The size is estimated from one second out of this many.
const PROBE: usize = 16;
/// Number of cells to process before checking for cancellation again.
const CANCEL_EVERY: usize = 1 << 12;

/// Why a heat map could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeatError {
    /// The page could not be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The samples have no times.
    #[error("its samples have no timestamps")]
    NoTimes,
    /// The samples span more than a week.
    #[error("its samples span more than a week; select a shorter time range")]
    TooLong,
}

impl From<jfrkit_profile::Canceled> for HeatError {
    fn from(_: jfrkit_profile::Canceled) -> Self {
        Self::Page(PageError::Tree(TreeError::Canceled))
    }
}

/// Labels that contain the sample's time.
const TIMES: [&str; 2] = ["end_timestamp_ns", "end timestamp ns"];

/// The timeline of a profile whose samples have times, in a column or in a label.
fn timeline_of(profile: &AnyProfile, main: usize) -> Timeline {
    let time_key = profile.samples().next().and_then(|sample| {
        let of_time = |label: &&AnyLabel| TIMES.contains(&profile.texts.get(label.key));
        sample.labels.iter().find(of_time).map(|label| label.key)
    });
    let time = |sample: &AnySample<'_>| {
        let labeled = |key: StrId| sample.labels.iter().find(|label| label.key == key).map(|label| label.number);
        sample.time.or_else(|| time_key.and_then(labeled))
    };
    let mut timeline = Timeline::new(HEAT_STEP_NANOS);
    for (number, sample) in (0_u32..).zip(profile.samples()) {
        if let (Some(nanos), Some(&value)) = (time(&sample), sample.values.get(main)) {
            timeline.push(Moment { cell: timeline.cell_of(nanos), sample: number, value });
        }
    }
    timeline
}

/// The nodes of a tree by parent and name, for finding stacks in it.
struct Nodes<'t> {
    tree: &'t TreeJson,
    children: HashMap<(usize, &'t str), usize>,
    /// For each node, the child that represents its folded children.
    folded: HashMap<usize, usize>,
}

impl<'t> Nodes<'t> {
    fn new(tree: &'t TreeJson) -> Self {
        let mut nodes = Self { tree, children: HashMap::new(), folded: HashMap::new() };
        let mut open: Vec<usize> = Vec::new();
        let kinds: Vec<char> = tree.kinds.chars().collect();
        for (node, (&depth, &name)) in tree.depth.iter().zip(&tree.name).enumerate() {
            open.truncate(depth as usize);
            if let Some(&parent) = open.last() {
                let text = nodes.tree.names.get(name as usize).map_or("", |name| &**name);
                if kinds.get(name as usize) == Some(&'x') && text.ends_with(" more]") {
                    nodes.folded.insert(parent, node);
                } else {
                    nodes.children.insert((parent, text), node);
                }
            }
            open.push(node);
        }
        nodes
    }

    /// The node where a stack ends, given its names from the root on, or the node that it was folded into.
    fn find<'n>(&self, names: impl Iterator<Item = &'n str>) -> usize {
        let mut at = 0;
        for name in names {
            match self.children.get(&(at, name)) {
                Some(&child) => at = child,
                None => return self.folded.get(&at).copied().unwrap_or(at),
            }
        }
        at
    }
}

/// Writes a number as LEB128.
fn leb(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// The samples in each cell, by number, in chronological order.
#[derive(Default)]
struct Cells {
    /// Where the entries of each cell begin; one more than there are cells.
    begin: Vec<usize>,
    sample: Vec<u32>,
    /// How often each was taken, in units of the weight; `u32::MAX` if the count is in `many`.
    count: Vec<u32>,
    many: HashMap<usize, u64>,
}

impl Cells {
    /// Sorts a timeline by cell, in two passes over it and without comparing.
    fn new(timeline: &Timeline, first: i64, number: usize, weight: i64, cancel: &Cancel) -> Result<Self, HeatError> {
        let place = |moment: &Moment| usize::try_from(moment.cell.saturating_sub(first)).unwrap_or(usize::MAX);
        let counted = || timeline.iter().filter(|moment| moment.value > 0);
        let mut begin = vec![0; number + 1];
        for moment in counted() {
            if let Some(count) = begin.get_mut(place(&moment).saturating_add(1)) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for of in &mut begin {
            sum += *of;
            *of = sum;
        }
        let mut made = Self { begin, sample: vec![0; sum], count: vec![0; sum], many: HashMap::new() };
        let mut next = made.begin.clone();
        for (i, moment) in counted().enumerate() {
            if i.is_multiple_of(CANCEL_EVERY) {
                cancel.check()?;
            }
            let Some(at) = next.get_mut(place(&moment)) else { continue };
            let count = moment.value.checked_div(weight).unwrap_or(0).max(0).unsigned_abs();
            if let (Some(sample), Some(small)) = (made.sample.get_mut(*at), made.count.get_mut(*at)) {
                *sample = moment.sample;
                *small = u32::try_from(count).unwrap_or(u32::MAX);
                if *small == u32::MAX {
                    made.many.insert(*at, count);
                }
            }
            *at += 1;
        }
        Ok(made)
    }

    fn len(&self) -> usize {
        self.begin.len().saturating_sub(1)
    }

    /// The samples of a cell with their counts.
    fn of(&self, cell: usize) -> impl Iterator<Item = (u32, u64)> {
        let from = self.begin.get(cell).copied().unwrap_or(0);
        let to = self.begin.get(cell + 1).copied().unwrap_or(from);
        let count = |at: usize| match self.count.get(at) {
            Some(&u32::MAX) => self.many.get(&at).copied().unwrap_or(0),
            small => small.copied().unwrap_or(0).into(),
        };
        (from..to).map(move |at| (self.sample.get(at).copied().unwrap_or(0), count(at)))
    }
}

/// The number that is subtracted from the number of a stack before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// The previous number in the same cell: differences are small if cells have many stacks.
    Cell,
    /// The number at the same position in the previous cell: differences are small if threads keep doing the same.
    Before,
}

impl Base {
    const fn name(self) -> &'static str {
        match self {
            Self::Cell => "cell",
            Self::Before => "before",
        }
    }
}

/// The three columns of cells, encoded as described in `web/README.md`.
struct Columns {
    base: Base,
    /// The stack numbers of the last cell that was not empty.
    before: Vec<u32>,
    /// The number of stacks in each cell.
    stacks: Vec<u8>,
    /// The number of each stack.
    ranks: Vec<u8>,
    /// The count of each stack.
    counts: Vec<u8>,
    /// The number of empty cells since the last one that was not empty.
    empty: u64,
    cell: Vec<(u32, u64)>,
}

impl Columns {
    fn new(base: Base) -> Self {
        let (stacks, ranks, counts) = (Vec::new(), Vec::new(), Vec::new());
        Self { base, before: Vec::new(), stacks, ranks, counts, empty: 0, cell: Vec::new() }
    }

    fn push(&mut self, samples: impl Iterator<Item = (u32, u64)>, rank_of: &[u32]) {
        let mut cell = std::mem::take(&mut self.cell);
        cell.clear();
        cell.extend(samples.map(|(sample, count)| (rank_of.get(sample as usize).copied().unwrap_or(0), count)));
        cell.sort_unstable();
        cell.dedup_by(|more, of| {
            let same = more.0 == of.0;
            if same {
                of.1 = of.1.saturating_add(more.1);
            }
            same
        });
        if cell.is_empty() {
            self.empty += 1;
        } else {
            self.end_empty();
            leb(&mut self.stacks, u64::try_from(cell.len()).unwrap_or(0));
        }
        let mut left = 0;
        for (place, &(rank, count)) in cell.iter().enumerate() {
            leb(&mut self.counts, count);
            match self.base {
                Base::Cell => leb(&mut self.ranks, u64::from(rank.saturating_sub(left))),
                Base::Before => {
                    let before = self.before.get(place).or(self.before.last()).copied().unwrap_or(0);
                    let delta = i64::from(rank) - i64::from(before);
                    leb(&mut self.ranks, ((delta << 1) ^ (delta >> 63)).cast_unsigned());
                }
            }
            left = rank;
        }
        if self.base == Base::Before && !cell.is_empty() {
            self.before.clear();
            self.before.extend(cell.iter().map(|of| of.0));
        }
        self.cell = cell;
    }

    /// Writes a run of empty cells: a zero, and how many more follow.
    fn end_empty(&mut self) {
        if self.empty > 0 {
            self.stacks.push(0);
            leb(&mut self.stacks, self.empty - 1);
            self.empty = 0;
        }
    }

    fn pack(mut self) -> Result<[Vec<u8>; 3], PageError> {
        self.end_empty();
        Ok([smaller(&self.stacks)?, smaller(&self.ranks)?, smaller(&self.counts)?])
    }
}

/// Compresses a column: without searching for repetitions if that is smaller, as for numbers that rarely repeat, otherwise as usual.
fn smaller(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let config = DeflateConfig { window_bits: GZIP, strategy: Strategy::HuffmanOnly, ..DeflateConfig::new(6) };
    let mut space = vec![0; compress_bound(bytes.len()) + GZIP_FRAME];
    let (plain, code) = compress_slice(&mut space, bytes, config);
    if code != ReturnCode::Ok {
        return Err(std::io::Error::other("a column cannot be compressed"));
    }
    // Searching for repetitions takes ten times as long, so try it on a part first.
    let start = bytes.get(..1 << 16).unwrap_or(bytes);
    let share = plain.len().saturating_mul(start.len()) / bytes.len().max(1);
    if pack_bytes(start)?.len() > share {
        return Ok(plain.to_vec());
    }
    let repeated = pack_bytes(bytes)?;
    Ok(if repeated.len() < plain.len() { repeated } else { plain.to_vec() })
}

/// zlib's number for a window of 32 KiB in a gzip file.
const GZIP: i32 = 15 + 16;
/// How much larger a gzip file is than a zlib stream, to which zlib's bound refers.
const GZIP_FRAME: usize = 12;

/// Bytes of a block in a page: base64.
fn written(packed: &[Vec<u8>]) -> usize {
    packed.iter().map(|block| block.len().div_ceil(3) * 4).sum()
}

/// A tree folded for a page, with the place of each sample in it.
struct Folding {
    tree: TreeJson,
    /// The node of each stack, in the order of the tree, so that stacks with the same callers have similar numbers.
    nodes: Vec<usize>,
    /// The stack of each sample, by its place in `nodes`.
    rank_of: Vec<u32>,
}

impl Folding {
    fn new(tree: &Tree, min: f64, profile: &AnyProfile, seen: &[bool]) -> Self {
        let tree = tree.to_json(None, min).unwrap_or_default();
        let nodes = Nodes::new(&tree);
        let mut node_of: HashMap<&[u32], usize> = HashMap::new();
        let node_of_sample: Vec<usize> = profile
            .samples()
            .map(|sample| {
                *node_of
                    .entry(sample.locations)
                    .or_insert_with(|| nodes.find(profile.names(sample.locations).iter().map(|name| &**name)))
            })
            .collect();
        let used = node_of_sample.iter().zip(seen).filter(|(_, seen)| **seen).map(|(node, _)| *node);
        let mut nodes: Vec<usize> = used.collect();
        nodes.sort_unstable();
        nodes.dedup();
        let rank: HashMap<usize, u32> = nodes.iter().copied().zip(0..).collect();
        let rank_of = node_of_sample.iter().map(|node| rank.get(node).copied().unwrap_or(0)).collect();
        Self { tree, nodes, rank_of }
    }
}

/// Writes the page for one profile. `values` are indices of its sample types; the last one is shown. Without a `timeline`, each
/// sample must have a time.
///
/// The page has at most 20 MB: if it would be larger, narrow nodes are folded. The number of samples in each cell stays exact, and the
/// page states how much is folded.
///
/// # Errors
/// [`HeatError`].
pub fn heatmap_page(
    out: &mut dyn Write,
    title: &str,
    profile: &AnyProfile,
    timeline: Option<&Timeline>,
    values: &[usize],
    view: &View,
    cancel: &Cancel,
) -> Result<(), HeatError> {
    heatmap_within(out, title, (profile, timeline), values, view, MAX_BYTES, cancel)
}

fn heatmap_within(
    out: &mut dyn Write,
    title: &str,
    (profile, timeline): (&AnyProfile, Option<&Timeline>),
    values: &[usize],
    view: &View,
    most: usize,
    cancel: &Cancel,
) -> Result<(), HeatError> {
    let main = values.last().copied().unwrap_or(0);
    let timeline = timeline.map_or_else(|| Cow::Owned(timeline_of(profile, main)), Cow::Borrowed);
    let counted = || timeline.iter().filter(|moment| moment.value > 0);
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    // The common divisor of all samples, which is the sampling period.
    let mut weight = 0;
    for moment in counted() {
        (first, last) = (first.min(moment.cell), last.max(moment.cell));
        weight = gcd(weight, moment.value);
    }
    if first > last {
        return Err(HeatError::NoTimes);
    }
    let number = last.saturating_sub(first).saturating_add(1);
    if number > MAX_CELLS {
        return Err(HeatError::TooLong);
    }
    // The stacks of a recording were already filtered when they were collected.
    let timeline = if view.include.is_empty() && view.exclude.is_none() {
        timeline
    } else {
        let keeps = |locations| view.keeps(profile.names(locations).iter().map(|name| &**name));
        let kept: Vec<bool> = profile.samples().map(|sample| keeps(sample.locations)).collect();
        let mut some = Timeline::new(timeline.step_nanos());
        some.append(&timeline, |sample| kept.get(sample as usize).is_some_and(|kept| *kept).then_some(sample));
        Cow::Owned(some)
    };
    let cells = Cells::new(&timeline, first, usize::try_from(number).unwrap_or(0), weight, cancel)?;
    let mut seen = vec![false; profile.samples.len()];
    for &sample in &cells.sample {
        if let Some(seen) = seen.get_mut(sample as usize) {
            *seen = true;
        }
    }
    let stacks = profile.call_stacks(values);
    let tree = Tree::new(&stacks, values.len().saturating_sub(1), view, cancel).map_err(PageError::from)?;
    let step_ms = timeline.step_nanos() / 1_000_000;
    let mut min = DEFAULT_MIN;
    loop {
        let folding = Folding::new(&tree, min, profile, &seen);
        let head = [pack(&folding.tree).map_err(PageError::from)?, pack(&folding.nodes).map_err(PageError::from)?];
        let probe = |base| columns(&cells, &folding.rank_of, base, PROBE, cancel).map(|of| written(&of));
        let (by_cell, by_before) = (probe(Base::Cell)?, probe(Base::Before)?);
        let base = if by_before < by_cell { Base::Before } else { Base::Cell };
        let page = json!({
            "kind": "heatmap", "title": title, "generator": generator(),
            "heatmap": {
                "start": first.saturating_mul(step_ms), "step_ms": step_ms, "cells": number,
                "unit": profile.value(main).1, "weight": weight, "folded": folding.tree.folded,
                "tree": "t0", "stacks": "s0", "data": ["c0", "c1", "c2"], "base": base.name(),
            },
        });
        let page = page.to_string();
        let mut empty = Vec::new();
        let around = [Block::json("jfrkit-page", page.as_bytes())];
        write_page(&mut empty, Bundle::Flame, title, &around).map_err(PageError::from)?;
        let room = most.saturating_sub(empty.len() + written(&head));
        // Everything is folded: there is nothing left to leave out.
        let least = folding.nodes.len() <= 1 || min >= 1.0;
        min *= 1.5;
        let estimate = by_cell.min(by_before) * PROBE;
        // The estimate of a long recording is right to some percent, so it has to be well above before it counts.
        if cells.len() > SECOND * PROBE * PROBE && estimate > room / 8 * 9 && !least {
            continue;
        }
        let data = columns(&cells, &folding.rank_of, base, 1, cancel)?;
        let mut blocks = around.to_vec();
        let names = ["t0", "s0", "c0", "c1", "c2"];
        blocks.extend(names.iter().zip(head.iter().chain(&data)).map(|(id, packed)| Block::gzip(id, packed)));
        let mut page = Vec::new();
        write_page(&mut page, Bundle::Flame, title, &blocks).map_err(PageError::from)?;
        if page.len() > most && !least {
            continue;
        }
        return Ok(out.write_all(&page).map_err(PageError::from)?);
    }
}

/// The compressed columns of one second in `every`.
fn columns(
    cells: &Cells,
    rank_of: &[u32],
    base: Base,
    every: usize,
    cancel: &Cancel,
) -> Result<[Vec<u8>; 3], HeatError> {
    let mut columns = Columns::new(base);
    for second in (0..cells.len().div_ceil(SECOND)).step_by(every) {
        cancel.check()?;
        for cell in second * SECOND..(second * SECOND + SECOND).min(cells.len()) {
            columns.push(cells.of(cell), rank_of);
        }
    }
    Ok(columns.pack()?)
}

/// The greatest common divisor of two nonnegative numbers.
fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a.checked_rem(b).unwrap_or(0));
    }
    a
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use jfrkit_profile::any::{AnyFunction, Line, Location, SampleType};

    #[test]
    fn cells_are_encoded_as_the_page_decodes_them() {
        for (base, ranks) in [(Base::Cell, &[3, 0xa9, 2, 0][..]), (Base::Before, &[6, 0xd8, 4, 5])] {
            let mut columns = Columns::new(base);
            let rank_of: Vec<u32> = (0..400).collect();
            for cell in [vec![], vec![], vec![(300, 200), (3, 1)], vec![], vec![(0, 1), (0, 2)], vec![]] {
                columns.push(cell.into_iter(), &rank_of);
            }
            columns.end_empty();
            assert_eq!(columns.stacks, [0, 1, 2, 0, 0, 1, 0, 0]);
            assert_eq!(columns.ranks, ranks);
            assert_eq!(columns.counts, [1, 0xc8, 1, 3]);
        }
        assert_eq!([20, 60, 100].into_iter().fold(0, gcd), 20);
    }

    #[test]
    fn cells_are_sorted_by_time_and_hold_any_count() {
        let mut timeline = Timeline::new(HEAT_STEP_NANOS);
        for (cell, sample, value) in [(7, 1, 10), (5, 0, 10), (7, 2, 50_000_000_000), (6, 0, 0), (5, 3, 20)] {
            timeline.push(Moment { cell, sample, value });
        }
        let cells = Cells::new(&timeline, 5, 3, 10, &Cancel::never()).unwrap();
        let of = |cell| cells.of(cell).collect::<Vec<_>>();
        assert_eq!((of(0), of(1), of(2)), (vec![(0, 1), (3, 2)], vec![], vec![(1, 1), (2, 5_000_000_000)]));
    }

    /// Stacks of three frames, with one sample per cell.
    fn many_stacks(stacks: u32, cells: u32) -> (AnyProfile, Timeline) {
        let mut of = AnyProfile::default();
        let mut text = |text: &str| of.texts.push(text);
        of.sample_types = vec![SampleType { name: text("cpu"), unit: text("nanoseconds") }];
        let file = text("a.go");
        let names: Vec<StrId> = (0..stacks).map(|i| text(&format!("main.work{i}"))).collect();
        for (i, name) in (0..).zip(names) {
            of.functions.push(AnyFunction { name, file, ..AnyFunction::default() });
            of.lines.push(Line { function: i, line: 3, column: 0 });
            of.locations.push(Location { lines_from: i, lines_to: i + 1, ..Location::default() });
        }
        let mut timeline = Timeline::new(HEAT_STEP_NANOS);
        let mut counts = vec![0_i64; stacks as usize];
        let mut random = 1_u64;
        for cell in 0..cells {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            // Small numbers far more often than large ones.
            let wide = u64::from(stacks) * ((random >> 33) % 1_000 + 1) / 1_000;
            let sample = u32::try_from((random >> 43) % wide.max(1)).unwrap();
            counts[sample as usize] += 1;
            timeline.push(Moment { cell: cell.into(), sample, value: 20_000_000 });
        }
        for (i, count) in (0_u32..).zip(counts) {
            of.samples.push([i, i / 40, 0], &[count * 20_000_000], []);
        }
        (of, timeline)
    }

    fn page(most: usize) -> (String, serde_json::Value) {
        let (profile, timeline) = many_stacks(2_000, 60_000);
        let mut out = Vec::new();
        let of = (&profile, Some(&timeline));
        heatmap_within(&mut out, "a", of, &[0], &View::default(), most, &Cancel::never()).unwrap();
        let html = String::from_utf8(out).unwrap();
        let from = html.find("id=\"jfrkit-page\">").unwrap() + "id=\"jfrkit-page\">".len();
        let json = html[from..].split("</script>").next().unwrap();
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        (html, value["heatmap"].clone())
    }

    #[test]
    fn a_page_that_would_be_too_large_folds_narrow_stacks_and_reports_it() {
        let (whole, of) = page(MAX_BYTES);
        let narrow = of["folded"]["nodes"].as_i64().unwrap();
        assert_eq!(of["cells"].as_i64(), Some(60_000));
        let empty = whole.len() - whole.find("id=\"t0\"").unwrap();
        let most = whole.len() - empty / 3;
        let (small, of) = page(most);
        assert!(small.len() <= most && small.len() > most / 2, "{} of {most}, whole {}", small.len(), whole.len());
        assert!(
            of["folded"]["nodes"].as_i64() > Some(narrow + 100) && of["folded"]["value"].as_i64() > Some(0),
            "{of}"
        );
        // The smallest page has no stacks at all.
        let (least, of) = page(0);
        assert!(least.len() < small.len() && of["folded"]["value"].as_i64() > Some(0), "{of}");
    }

    #[test]
    fn a_canceled_page_is_not_written() {
        let (profile, timeline) = many_stacks(10, 100);
        let mut out = Vec::new();
        let canceled = Cancel::when(|| true);
        let error =
            heatmap_page(&mut out, "a", &profile, Some(&timeline), &[0], &View::default(), &canceled).unwrap_err();
        assert_eq!((error.to_string(), out.len()), (TreeError::Canceled.to_string(), 0));
    }
}
