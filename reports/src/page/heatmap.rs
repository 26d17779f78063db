//! The page of `jfrkit heatmap`: samples over time, and the flame graph of any selected range.

use std::collections::HashMap;
use std::io::Write;

use jfrkit_profile::any::AnyProfile;
use jfrkit_profile::tree::{DEFAULT_MIN, Tree, TreeJson, View};
use jfrkit_profile::{Cancel, StrId};
use jfrkit_web::{Block, Bundle, write_page};
use serde_json::json;

use super::{PageError, generator, pack, pack_bytes};

/// Length of a cell in milliseconds: 50 per second.
const STEP_MS: i64 = 20;
/// Maximum cells of a heat map: one week.
const MAX_CELLS: i64 = 7 * 86_400 * 50;

/// Why a heat map could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeatError {
    /// The page could not be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The samples have no times.
    #[error("its samples do not say when they were taken")]
    NoTimes,
    /// The samples span more than a week.
    #[error("its samples span more than a week; choose a part of it")]
    TooLong,
}

/// A cell under construction: the number of samples of each stack.
type Cell = Vec<(u32, i64)>;

/// Labels that contain the sample's time.
const TIMES: [&str; 2] = ["end_timestamp_ns", "end timestamp ns"];

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
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        out.push(if value > 0 { byte | 0x80 } else { byte });
        if value == 0 {
            return;
        }
    }
}

/// Encodes the cells as described in `web/README.md`.
fn encode(cells: &[Cell]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(cell) = cells.get(at) {
        at += 1;
        if cell.is_empty() {
            let empty = cells.iter().skip(at).take_while(|cell| cell.is_empty()).count();
            out.push(0);
            leb(&mut out, u64::try_from(empty).unwrap_or(0));
            at += empty;
            continue;
        }
        leb(&mut out, u64::try_from(cell.len()).unwrap_or(0));
        let mut before = 0;
        for &(stack, count) in cell {
            leb(&mut out, u64::from(stack.saturating_sub(before)));
            leb(&mut out, count.max(0).unsigned_abs());
            before = stack;
        }
    }
    out
}

/// Writes the page for one profile whose samples have times. `values` are indices of its sample types; the last one is shown.
///
/// # Errors
/// [`HeatError`].
pub fn heatmap_page(
    out: &mut dyn Write,
    title: &str,
    profile: &AnyProfile,
    values: &[usize],
    view: &View,
    cancel: &Cancel,
) -> Result<(), HeatError> {
    let time_key = profile.samples().next().and_then(|sample| {
        let of_time = |label: &&jfrkit_profile::any::AnyLabel| TIMES.contains(&profile.texts.get(label.key));
        sample.labels.iter().find(of_time).map(|label| label.key)
    });
    let time = |sample: &jfrkit_profile::any::AnySample<'_>| {
        let labeled = |key: StrId| sample.labels.iter().find(|label| label.key == key).map(|label| label.number);
        sample.time.or_else(|| time_key.and_then(labeled)).map(|nanos| nanos.div_euclid(1_000_000))
    };
    let main = values.last().copied().unwrap_or(0);
    let counted = || {
        let samples = profile.samples().filter_map(|sample| Some((time(&sample)?, sample)));
        samples.filter(|(_, sample)| sample.values.get(main).is_some_and(|value| *value > 0))
    };
    let (Some(start), Some(end)) = (counted().map(|(at, _)| at).min(), counted().map(|(at, _)| at).max()) else {
        return Err(HeatError::NoTimes);
    };
    let number = (end - start) / STEP_MS + 1;
    if number > MAX_CELLS {
        return Err(HeatError::TooLong);
    }
    let stacks = profile.call_stacks(values);
    let tree = Tree::new(&stacks, values.len().saturating_sub(1), view, cancel).map_err(PageError::from)?;
    let tree = tree.to_json(None, DEFAULT_MIN).unwrap_or_default();
    let nodes = Nodes::new(&tree);
    // The common divisor of all samples, which is the sampling period.
    let weight = counted().map(|(_, sample)| value(&sample, main)).fold(0, gcd).max(1);
    let mut node_of: HashMap<&[u32], usize> = HashMap::new();
    let mut by_node: HashMap<usize, (u32, i64)> = HashMap::new();
    let mut at_cells: Vec<(usize, usize, i64)> = Vec::new();
    for (i, (at, sample)) in counted().enumerate() {
        if i.is_multiple_of(1 << 12) && cancel.is_raised() {
            return Err(PageError::Tree(jfrkit_profile::tree::TreeError::Canceled).into());
        }
        let node = *node_of.entry(sample.locations).or_insert_with(|| {
            let lines = sample.locations.iter().rev().flat_map(|&location| profile.lines_of(location).iter().rev());
            let names: Vec<&str> = lines
                .map(|line| {
                    let function = profile.functions.get(line.function as usize).copied().unwrap_or_default();
                    let name = profile.texts.get(function.name);
                    if name.is_empty() { profile.texts.get(function.system_name) } else { name }
                })
                .collect();
            nodes.find(names.into_iter())
        });
        let count = value(&sample, main) / weight;
        let next = u32::try_from(by_node.len()).unwrap_or(u32::MAX);
        let known = by_node.entry(node).or_insert((next, 0));
        known.1 = known.1.saturating_add(count);
        at_cells.push((usize::try_from((at - start) / STEP_MS).unwrap_or(0), node, count));
    }
    // The stacks with the most samples get the smallest numbers.
    let mut order: Vec<(usize, u32, i64)> = by_node.iter().map(|(node, of)| (*node, of.0, of.1)).collect();
    order.sort_by_key(|&(_, first, count)| (std::cmp::Reverse(count), first));
    let place: HashMap<usize, u32> = order.iter().zip(0_u32..).map(|(of, place)| (of.0, place)).collect();
    let mut cells: Vec<Cell> = vec![Vec::new(); usize::try_from(number).unwrap_or(0)];
    for (at, node, count) in at_cells {
        let Some(cell) = cells.get_mut(at) else { continue };
        let stack = place.get(&node).copied().unwrap_or(0);
        match cell.iter_mut().find(|of| of.0 == stack) {
            Some(of) => of.1 = of.1.saturating_add(count),
            None => cell.push((stack, count)),
        }
    }
    cells.iter_mut().for_each(|cell| cell.sort_unstable());
    let unit = profile.value(main).1;
    let nodes: Vec<usize> = order.iter().map(|of| of.0).collect();
    let page = json!({
        "kind": "heatmap", "title": title, "generator": generator(),
        "heatmap": {
            "start": start, "step_ms": STEP_MS, "cells": number, "unit": unit, "weight": weight,
            "tree": "t0", "stacks": "s0", "data": "c0",
        },
    });
    let page = page.to_string();
    let packed = [
        ("t0", pack(&tree).map_err(PageError::from)?),
        ("s0", pack(&nodes).map_err(PageError::from)?),
        ("c0", pack_bytes(&encode(&cells)).map_err(PageError::from)?),
    ];
    let mut blocks = vec![Block::json("jfrkit-page", page.as_bytes())];
    blocks.extend(packed.iter().map(|(id, packed)| Block::gzip(id, packed)));
    Ok(write_page(out, Bundle::Flame, title, &blocks).map_err(PageError::from)?)
}

fn value(sample: &jfrkit_profile::any::AnySample<'_>, at: usize) -> i64 {
    sample.values.get(at).copied().unwrap_or(0)
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cells_as_the_page_reads_them() {
        let cells = [vec![], vec![], vec![(3, 1), (300, 200)], vec![], vec![(0, 1)]];
        assert_eq!(encode(&cells), [0, 1, 2, 3, 1, 0xa9, 2, 0xc8, 1, 0, 0, 1, 0, 1]);
        assert_eq!([20, 60, 100].into_iter().fold(0, gcd), 20);
    }
}
