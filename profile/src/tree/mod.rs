//! Call trees of a profile in any language: flame graphs, callers, a function between its callers and callees,
//! tables, comparisons.
//!
//! Start with [`CallStacks`], the stacks with their values: `CallStacks::of` converts a profile of this crate,
//! `pprof_emit::call_stacks` any pprof file. A [`View`] selects stacks and controls how frames are shown;
//! [`Tree::new`] builds the tree and [`table`] the rows. [`TreeJson`] is the form shared by the server's API,
//! the web page and `--format json` (its schema is in `/api/v1/openapi.json`). Drawing and formatting do not
//! belong here: `web/` draws trees, the command prints tables.
//!
//! The indices used here are handles created by the code in this folder, so a wrong one is a bug and panics.
#![expect(clippy::indexing_slicing, reason = "indices are made here, never read from a file")]

mod address;
mod diff;
mod error;
mod json;
mod merge;
mod regression;
mod stacks;
mod table;
mod transform;
mod view;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

pub use address::{Address, ROOT};
pub use diff::{Diff, DiffRow, Per, Side};
pub use error::TreeError;
pub use json::{DEFAULT_MIN, DiffJson, Folded, Matches, TreeJson};
pub use merge::merge;
pub use regression::{Regression, regressions};
pub use stacks::{CallFrame, CallStacks, FrameKind, LabelText, NO_STACK_FRAME, SampleType};
pub use table::{By, Rows, TableRow, table};
pub use transform::Sandwich;
pub use view::{Group, NOT_OWN, Pattern, View};

use crate::Cancel;

/// Number of stacks to process before checking for cancellation again.
const CANCEL_EVERY: usize = 1 << 10;

/// A call tree in preorder, in flat arrays indexed by node; node 0 is the root `all`.
///
/// The subtree of node `i` is the range `i..end[i]`. Siblings are ordered by total, largest first, then by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The names of functions, by name index. The first one is that of the root.
    pub names: Vec<Box<str>>,
    /// The kind of each name.
    pub kinds: Vec<FrameKind>,
    /// The distance of each node from the root.
    pub depth: Vec<u32>,
    /// The name index of each node.
    pub name: Vec<u32>,
    /// The self value of each node.
    pub own: Vec<i64>,
    /// The total value of each node.
    pub total: Vec<i64>,
    /// Sampling variance of each total: the sum over all samples of value² / count, which is exact for Poisson
    /// counts of equal weights.
    pub variance: Vec<f64>,
    /// The number of samples in the tree: the sum of the first value if it is a count, otherwise the number of
    /// stacks.
    pub samples: i64,
}

/// The name of every root.
pub(crate) const ALL: &str = "all";

impl Tree {
    /// Builds the tree for one value from the stacks that the view keeps.
    ///
    /// # Errors
    /// [`TreeError::NoSuchValue`] if there is no such value, [`TreeError::Canceled`].
    pub fn new(stacks: &CallStacks, value: usize, view: &View, cancel: &Cancel) -> Result<Self, TreeError> {
        let paths = view.paths(stacks, value, cancel)?;
        Ok(Self::of_paths(paths))
    }

    /// The number of nodes, including the root.
    #[must_use]
    pub fn len(&self) -> usize {
        self.depth.len()
    }

    /// Whether there is nothing except the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() <= 1
    }

    /// The name of a node.
    #[must_use]
    pub fn node_name(&self, node: usize) -> &str {
        &self.names[self.name[node] as usize]
    }

    /// One past the last node of each subtree.
    #[must_use]
    pub fn ends(&self) -> Vec<usize> {
        let mut ends = vec![0; self.len()];
        let mut open: Vec<usize> = Vec::new();
        for node in 0..self.len() {
            while open.len() > self.depth[node] as usize {
                if let Some(closed) = open.pop() {
                    ends[closed] = node;
                }
            }
            open.push(node);
        }
        for node in open {
            ends[node] = self.len();
        }
        ends
    }

    /// The parent of each node; the root is its own parent.
    #[must_use]
    pub fn parents(&self) -> Vec<usize> {
        let mut parents = vec![0; self.len()];
        let mut open: Vec<usize> = Vec::new();
        for (node, parent) in parents.iter_mut().enumerate() {
            open.truncate(self.depth[node] as usize);
            *parent = open.last().copied().unwrap_or(0);
            open.push(node);
        }
        parents
    }

    /// The node with this path of names, starting at the child of the root.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<usize> {
        let ends = self.ends();
        let mut at = 0;
        for name in path {
            let mut child = at + 1;
            at = loop {
                if child >= ends[at] {
                    return None;
                }
                if self.node_name(child) == *name {
                    break child;
                }
                child = ends[child];
            };
        }
        Some(at)
    }

    /// Builds a tree from paths of name indices, which may repeat.
    pub(crate) fn of_paths(mut paths: Paths) -> Self {
        paths.sort();
        let Paths { names, kinds, frames, rows, samples } = paths;
        // Nodes in the order of the sorted paths: each node is after its parent, so sums propagate upward in
        // one backward pass.
        let (mut parent, mut name, mut own, mut variance) = (vec![0u32], vec![0u32], vec![0i64], vec![0f64]);
        let mut open: Vec<u32> = vec![0];
        let mut before: &[u32] = &[];
        for row in &rows {
            let path = &frames[row.from as usize..row.to as usize];
            let shared = path.iter().zip(before).take_while(|(a, b)| a == b).count();
            open.truncate(shared + 1);
            for &frame in &path[shared..] {
                parent.push(open[open.len() - 1]);
                open.push(u32::try_from(name.len()).unwrap_or(u32::MAX));
                name.push(frame);
                own.push(0);
                variance.push(0.0);
            }
            let leaf = open[open.len() - 1] as usize;
            own[leaf] = own[leaf].saturating_add(row.value);
            variance[leaf] += row.variance();
            before = path;
        }
        let mut total = own.clone();
        for node in (1..total.len()).rev() {
            let up = parent[node] as usize;
            total[up] = total[up].saturating_add(total[node]);
            variance[up] += variance[node];
        }
        Self::ordered(names, kinds, &Links { parent, name, own, total, variance }, samples)
    }

    /// Sorts nodes, which are in preorder, into preorder with siblings by total. Nodes whose values are zero are left
    /// out.
    fn ordered(names: Vec<Box<str>>, kinds: Vec<FrameKind>, links: &Links, samples: i64) -> Self {
        let count = links.parent.len();
        let kept = |node: usize| links.total[node] != 0 || links.variance[node] > 0.0;
        // The number of nodes in each subtree: the next sibling comes after it.
        let mut size = vec![1u32; count];
        for node in (1..count).rev() {
            let up = links.parent[node] as usize;
            size[up] = size[up].saturating_add(size[node]);
        }
        let order = |a: &usize, b: &usize| -> Ordering {
            let by_name = || names[links.name[*a] as usize].cmp(&names[links.name[*b] as usize]);
            links.total[*b].cmp(&links.total[*a]).then_with(by_name)
        };
        let mut tree = Self {
            names: Vec::new(),
            kinds: Vec::new(),
            depth: Vec::with_capacity(count),
            name: Vec::with_capacity(count),
            own: Vec::with_capacity(count),
            total: Vec::with_capacity(count),
            variance: Vec::with_capacity(count),
            samples,
        };
        let mut below: Vec<usize> = Vec::new();
        let mut open: Vec<(usize, u32)> = Vec::new();
        let mut next = Some((0, 0));
        while let Some((node, depth)) = next {
            tree.depth.push(depth);
            tree.name.push(links.name[node]);
            tree.own.push(links.own[node]);
            tree.total.push(links.total[node]);
            tree.variance.push(links.variance[node]);
            below.clear();
            let mut child = node + 1;
            while child < node + size[node] as usize {
                below.extend(Some(child).filter(|child| kept(*child)));
                child += size[child] as usize;
            }
            // Most nodes have a single child, which needs no sorting and no waiting.
            if below.len() > 1 {
                below.sort_unstable_by(order);
                open.extend(below[1..].iter().rev().map(|child| (*child, depth + 1)));
            }
            next = below.first().map(|child| (*child, depth + 1)).or_else(|| open.pop());
        }
        tree.names = names;
        tree.kinds = kinds;
        tree
    }
}

/// Nodes with links to their parents, which come first.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) parent: Vec<u32>,
    pub(crate) name: Vec<u32>,
    pub(crate) own: Vec<i64>,
    pub(crate) total: Vec<i64>,
    pub(crate) variance: Vec<f64>,
}

/// One path with its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathRow {
    from: u32,
    to: u32,
    value: i64,
    count: i64,
}

impl PathRow {
    fn variance(&self) -> f64 {
        variance(self.value as f64, self.count as f64)
    }
}

/// The variance of a value that is the sum of `count` independent samples of equal weight.
fn variance(value: f64, count: f64) -> f64 {
    if count > 0.0 { value * value / count } else { 0.0 }
}

/// The paths of name indices, root first, from which a tree is built.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) kinds: Vec<FrameKind>,
    frames: Vec<u32>,
    rows: Vec<PathRow>,
    samples: i64,
}

impl Paths {
    pub(crate) fn new(names: Vec<Box<str>>, kinds: Vec<FrameKind>) -> Self {
        Self { names, kinds, frames: Vec::new(), rows: Vec::new(), samples: 0 }
    }

    /// Adds a path; `count` is the number of samples it represents.
    pub(crate) fn push(&mut self, path: &[u32], value: i64, count: i64) -> Result<(), TreeError> {
        let from = u32::try_from(self.frames.len()).map_err(|_| TreeError::TooLarge)?;
        self.frames.extend_from_slice(path);
        let to = u32::try_from(self.frames.len()).map_err(|_| TreeError::TooLarge)?;
        self.rows.push(PathRow { from, to, value, count });
        self.samples = self.samples.saturating_add(count);
        Ok(())
    }

    /// Each path with its value and the number of samples it represents.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (&[u32], i64, i64)> {
        self.rows.iter().map(|row| (&self.frames[row.from as usize..row.to as usize], row.value, row.count))
    }

    /// Turns each path around: leaf first.
    pub(crate) fn invert(&mut self) {
        for row in &self.rows {
            self.frames[row.from as usize..row.to as usize].reverse();
        }
    }

    fn sort(&mut self) {
        let frames = &self.frames;
        self.rows.sort_by(|a, b| frames[a.from as usize..a.to as usize].cmp(&frames[b.from as usize..b.to as usize]));
    }
}
