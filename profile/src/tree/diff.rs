//! Compares two profiles, or two sets of profiles, node by node and row by row.

use hashbrown::HashMap;
use serde::Serialize;

use super::{ALL, By, CallStacks, FrameKind, Tree, TreeError, View, table, variance};
use crate::Cancel;

/// How profiles of different durations are made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// Values per second of profile.
    #[default]
    Second,
    /// Values as a share of the profile's total.
    Share,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Side {
    /// The sum of the value.
    pub total: i64,
    /// The number of samples.
    pub samples: i64,
    /// The duration of the profile in seconds; 0 if unknown.
    pub seconds: f64,
    /// The factor by which values are scaled: 1 / seconds, or 1 / total.
    #[serde(skip)]
    pub scale: f64,
}

impl Side {
    fn new(total: i64, samples: i64, seconds: f64, per: Per) -> Self {
        let whole = match per {
            Per::Second => seconds,
            Per::Share => total as f64,
        };
        // Without a duration, the values themselves are compared.
        let scale = if whole > 0.0 { 1.0 / whole } else { 1.0 };
        Self { total, samples, seconds, scale }
    }
}

/// Whether sampling alone can explain the difference of two sums of samples: |a − b| < 2 · √(var a + var b).
/// The variance of a sum of `n` independent samples of equal weight is v² / n (Poisson counts). The samples of
/// one stack are assumed to have equal weights; if they do not, this understates the variance. The normal
/// approximation is poor for rows of fewer than about ten samples.
fn within_noise(a: f64, b: f64, variance: f64) -> bool {
    // Equal sums without samples do not differ.
    (a - b).abs() < 2.0 * variance.sqrt() || a == b
}

/// Two trees merged into one, in which each node has its values in A and in B. Siblings are ordered by the mean
/// of both, largest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The names, by name index.
    pub names: Vec<Box<str>>,
    /// The kind of each name.
    pub kinds: Vec<FrameKind>,
    /// The distance of each node from the root.
    pub depth: Vec<u32>,
    /// The name index of each node.
    pub name: Vec<u32>,
    /// Self value of each node in A.
    pub own_a: Vec<i64>,
    /// Self value of each node in B.
    pub own_b: Vec<i64>,
    /// Total value of each node in A.
    pub total_a: Vec<i64>,
    /// Total value of each node in B.
    pub total_b: Vec<i64>,
    /// Whether the difference of the totals is within sampling noise.
    pub noise: Vec<bool>,
    /// Side A.
    pub a: Side,
    /// Side B.
    pub b: Side,
    /// How values are made comparable.
    pub per: Per,
}

/// The nodes of both trees before sorting.
#[derive(Default)]
struct Union {
    parent: Vec<u32>,
    name: Vec<u32>,
    own: [Vec<i64>; 2],
    total: [Vec<i64>; 2],
    variance: [Vec<f64>; 2],
    known: HashMap<(u32, u32), u32, foldhash::fast::RandomState>,
}

impl Union {
    fn node(&mut self, parent: u32, name: u32) -> u32 {
        let next = u32::try_from(self.name.len()).unwrap_or(u32::MAX);
        let node = *self.known.entry((parent, name)).or_insert(next);
        if node == next {
            self.parent.push(parent);
            self.name.push(name);
            for side in 0..2 {
                self.own[side].push(0);
                self.total[side].push(0);
                self.variance[side].push(0.0);
            }
        }
        node
    }

    fn add(&mut self, tree: &Tree, side: usize, names: &[u32]) {
        let mut open: Vec<u32> = Vec::new();
        for node in 0..tree.len() {
            open.truncate(tree.depth[node] as usize);
            // The root is its own parent.
            let at = self.node(open.last().copied().unwrap_or(0), names[tree.name[node] as usize]);
            self.own[side][at as usize] = tree.own[node];
            self.total[side][at as usize] = tree.total[node];
            self.variance[side][at as usize] = tree.variance[node];
            open.push(at);
        }
    }
}

impl Diff {
    /// Compares one value of two profiles in a view. To compare sets of profiles, [`merge`](super::merge) them
    /// first.
    ///
    /// # Errors
    /// Same as [`Tree::new`].
    pub fn new(
        a: (&CallStacks, usize),
        b: (&CallStacks, usize),
        view: &View,
        per: Per,
        cancel: &Cancel,
    ) -> Result<Self, TreeError> {
        let trees = [Tree::new(a.0, a.1, view, cancel)?, Tree::new(b.0, b.1, view, cancel)?];
        let side = |tree: &Tree, stacks: &CallStacks| Side::new(tree.total[0], tree.samples, stacks.seconds, per);
        Ok(Self::of(&trees, side(&trees[0], a.0), side(&trees[1], b.0), per))
    }

    fn of(trees: &[Tree; 2], a: Side, b: Side, per: Per) -> Self {
        let (mut names, mut kinds) = (Vec::new(), Vec::new());
        let mut known: HashMap<(&str, FrameKind), u32, foldhash::fast::RandomState> = HashMap::default();
        let mut union = Union::default();
        for (side, tree) in trees.iter().enumerate() {
            let of_name: Vec<u32> = tree
                .names
                .iter()
                .zip(&tree.kinds)
                .map(|(name, kind)| {
                    *known.entry((name, *kind)).or_insert_with(|| {
                        names.push(name.clone());
                        kinds.push(*kind);
                        u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
                    })
                })
                .collect();
            union.add(tree, side, &of_name);
        }
        let mut diff = Self {
            names,
            kinds,
            depth: Vec::new(),
            name: Vec::new(),
            own_a: Vec::new(),
            own_b: Vec::new(),
            total_a: Vec::new(),
            total_b: Vec::new(),
            noise: Vec::new(),
            a,
            b,
            per,
        };
        diff.fill(&union);
        diff
    }

    fn fill(&mut self, union: &Union) {
        let count = union.name.len();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); count];
        for node in 1..count {
            children[union.parent[node] as usize].push(node);
        }
        let scaled =
            |node: usize| union.total[0][node] as f64 * self.a.scale + union.total[1][node] as f64 * self.b.scale;
        for below in &mut children {
            below.sort_by(|x, y| {
                let by_name = || self.names[union.name[*x] as usize].cmp(&self.names[union.name[*y] as usize]);
                scaled(*y).total_cmp(&scaled(*x)).then_with(by_name)
            });
        }
        let mut order = Vec::with_capacity(count);
        let mut open = vec![(0usize, 0u32)];
        while let Some((node, depth)) = open.pop() {
            order.push((node, depth));
            open.extend(children[node].iter().rev().map(|child| (*child, depth + 1)));
        }
        for (node, depth) in order {
            let (total_a, total_b) = (union.total[0][node], union.total[1][node]);
            let variance = union.variance[0][node] * self.a.scale * self.a.scale
                + union.variance[1][node] * self.b.scale * self.b.scale;
            self.depth.push(depth);
            self.name.push(union.name[node]);
            self.own_a.push(union.own[0][node]);
            self.own_b.push(union.own[1][node]);
            self.total_a.push(total_a);
            self.total_b.push(total_b);
            self.noise.push(within_noise(total_a as f64 * self.a.scale, total_b as f64 * self.b.scale, variance));
        }
    }

    /// The nodes that exist in only one of the trees: those of A, and those of B.
    #[must_use]
    pub fn only(&self) -> (Vec<usize>, Vec<usize>) {
        let nodes = |side: &[i64], other: &[i64]| {
            (0..side.len()).filter(|node| side[*node] != 0 && other[*node] == 0).collect()
        };
        (nodes(&self.total_a, &self.total_b), nodes(&self.total_b, &self.total_a))
    }

    /// The rows of both profiles side by side, with the largest change of the total first.
    ///
    /// # Errors
    /// Same as [`Tree::new`].
    pub fn table(
        a: (&CallStacks, usize),
        b: (&CallStacks, usize),
        view: &View,
        by: &By,
        per: Per,
        cancel: &Cancel,
    ) -> Result<(Side, Side, Vec<DiffRow>), TreeError> {
        let tables = [table(a.0, a.1, view, by, cancel)?, table(b.0, b.1, view, by, cancel)?];
        let sides = [
            Side::new(tables[0].total, tables[0].samples, a.0.seconds, per),
            Side::new(tables[1].total, tables[1].samples, b.0.seconds, per),
        ];
        let mut rows: Vec<DiffRow> = Vec::new();
        let mut known: HashMap<(&str, char), usize, foldhash::fast::RandomState> = HashMap::default();
        for (side, of_side) in tables.iter().enumerate() {
            for row in &of_side.rows {
                let at = *known.entry((&*row.key, row.kind)).or_insert_with(|| {
                    rows.push(DiffRow::new(row.key.clone(), row.kind));
                    rows.len() - 1
                });
                rows[at].set(side, row.own, row.total, row.samples);
            }
        }
        for row in &mut rows {
            row.compare(&sides);
        }
        rows.sort_by(|x, y| y.change.abs().total_cmp(&x.change.abs()).then_with(|| x.key.cmp(&y.key)));
        Ok((sides[0], sides[1], rows))
    }
}

/// A row of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiffRow {
    /// The function, class or other item of the row.
    pub key: Box<str>,
    /// The letter of its kind.
    pub kind: char,
    /// Total in A.
    pub a: i64,
    /// Total in B.
    pub b: i64,
    /// Self value in A.
    pub self_a: i64,
    /// Self value in B.
    pub self_b: i64,
    /// Number of samples in A.
    pub samples_a: i64,
    /// Number of samples in B.
    pub samples_b: i64,
    /// The increase from A to B, per second or as a share.
    pub change: f64,
    /// The scaled total in B divided by that in A; `None` if the row is not in A.
    pub ratio: Option<f64>,
    /// The change in standard deviations of the sampling error.
    pub deviations: f64,
    /// Whether the change is within sampling noise: less than two standard deviations.
    pub noise: bool,
}

impl DiffRow {
    fn new(key: Box<str>, kind: char) -> Self {
        Self {
            key,
            kind,
            a: 0,
            b: 0,
            self_a: 0,
            self_b: 0,
            samples_a: 0,
            samples_b: 0,
            change: 0.0,
            ratio: None,
            deviations: 0.0,
            noise: false,
        }
    }

    /// The row for the whole profile.
    #[must_use]
    pub fn total(a: &Side, b: &Side) -> Self {
        let mut row = Self::new(ALL.into(), FrameKind::MadeUp.letter());
        row.set(0, 0, a.total, a.samples);
        row.set(1, 0, b.total, b.samples);
        row.compare(&[*a, *b]);
        row
    }

    fn set(&mut self, side: usize, own: i64, total: i64, samples: i64) {
        if side == 0 {
            (self.self_a, self.a, self.samples_a) = (own, total, samples);
        } else {
            (self.self_b, self.b, self.samples_b) = (own, total, samples);
        }
    }

    fn compare(&mut self, sides: &[Side; 2]) {
        let (a, b) = (self.a as f64 * sides[0].scale, self.b as f64 * sides[1].scale);
        let variance = variance(a, self.samples_a as f64) + variance(b, self.samples_b as f64);
        self.change = b - a;
        self.ratio = (a != 0.0).then(|| b / a);
        self.deviations = if variance > 0.0 { self.change / variance.sqrt() } else { 0.0 };
        self.noise = within_noise(a, b, variance);
    }
}
