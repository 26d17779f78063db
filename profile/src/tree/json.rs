//! The JSON form of a tree, shared by the API, the web page and `--format json`.

use hashbrown::HashMap;
use serde::Serialize;

use super::{Address, Diff, FrameKind, Pattern, Per, Side, Tree};

/// By default, a node is folded if its total is less than this share of the root's total: narrower than a pixel
/// on any screen.
pub const DEFAULT_MIN: f64 = 1e-4;

/// Maximum number of nodes to send.
const MAX_NODES: usize = 500_000;

/// Maximum number of matching addresses to list.
const MAX_MATCHES: usize = 1_000;

/// A tree in preorder, with siblings sorted by total, largest first. The reader computes totals by summing self
/// values upward.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TreeJson {
    /// The profile type.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The name of the value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// The unit of the value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The duration of the profile in seconds.
    pub seconds: f64,
    /// The sum over all stacks.
    pub total: i64,
    /// The number of samples.
    pub samples: i64,
    /// The names, by name index.
    pub names: Vec<Box<str>>,
    /// One letter per name; see [`FrameKind::letter`].
    pub kinds: String,
    /// The distance of each node from the root.
    pub depth: Vec<u32>,
    /// The name index of each node.
    pub name: Vec<u32>,
    /// The self value of each node.
    #[serde(rename = "self")]
    pub own: Vec<i64>,
    /// What the `[N more]` nodes represent.
    pub folded: Folded,
    /// The result of a search over the whole tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<Matches>,
}

/// What was omitted from a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Folded {
    /// The number of nodes.
    pub nodes: usize,
    /// The sum of their values.
    pub value: i64,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Matches {
    /// The value of the stacks that contain a matching frame, counting each stack once.
    pub value: i64,
    /// The addresses of the matching nodes, at most 1,000, in preorder.
    pub addresses: Vec<String>,
    /// The number of further matches.
    pub more: usize,
}

/// The names used by the nodes that are sent.
#[derive(Default)]
struct Names {
    names: Vec<Box<str>>,
    kinds: String,
    known: HashMap<u32, u32, foldhash::fast::RandomState>,
    more: HashMap<usize, u32, foldhash::fast::RandomState>,
}

impl Names {
    fn push(&mut self, name: Box<str>, kind: FrameKind) -> u32 {
        self.names.push(name);
        self.kinds.push(kind.letter());
        u32::try_from(self.names.len() - 1).unwrap_or(u32::MAX)
    }

    fn of(&mut self, names: &[Box<str>], kinds: &[FrameKind], name: u32) -> u32 {
        if let Some(known) = self.known.get(&name) {
            return *known;
        }
        let made = self.push(names[name as usize].clone(), kinds[name as usize]);
        self.known.insert(name, made);
        made
    }

    fn more(&mut self, nodes: usize) -> u32 {
        if let Some(known) = self.more.get(&nodes) {
            return *known;
        }
        let count = crate::units::count(i64::try_from(nodes).unwrap_or(i64::MAX));
        let made = self.push(format!("[{count} more]").into(), FrameKind::MadeUp);
        self.more.insert(nodes, made);
        made
    }
}

/// Visits the nodes to send, in preorder, and folds nodes that are too narrow. Calls `send` with a node and its
/// depth, and `fold` with the nodes below one parent that are folded together.
fn walk(
    depth: &[u32],
    ends: &[usize],
    root: usize,
    ancestors: &[usize],
    wide: impl Fn(usize) -> bool,
    mut send: impl FnMut(usize, u32),
    mut fold: impl FnMut(&[(usize, usize)], u32),
) {
    for (level, ancestor) in ancestors.iter().enumerate() {
        send(*ancestor, u32::try_from(level).unwrap_or(u32::MAX));
    }
    let below = |node: usize| {
        let mut children = Vec::new();
        let mut child = node + 1;
        while child < ends[node] {
            children.push(child);
            child = ends[child];
        }
        children
    };
    enum Step {
        Node(usize),
        Folded(Vec<(usize, usize)>, u32),
    }
    let mut open = vec![Step::Node(root)];
    while let Some(step) = open.pop() {
        match step {
            Step::Folded(ranges, depth) => fold(&ranges, depth),
            Step::Node(node) => {
                send(node, depth[node]);
                let (wide, narrow): (Vec<usize>, Vec<usize>) = below(node).into_iter().partition(|child| wide(*child));
                if !narrow.is_empty() {
                    let ranges = narrow.iter().map(|child| (*child, ends[*child])).collect();
                    open.push(Step::Folded(ranges, depth[node] + 1));
                }
                open.extend(wide.into_iter().rev().map(Step::Node));
            }
        }
    }
}

impl Tree {
    /// The tree below `root` (and its ancestors) in JSON form. Subtrees narrower than `min`, a share of the
    /// root's total, are folded into `[N more]` nodes, so that totals stay exact. `None` if no node has this
    /// address.
    #[must_use]
    pub fn to_json(&self, root: Option<Address>, min: f64) -> Option<TreeJson> {
        let root = match root {
            Some(address) => self.at(address)?,
            None => 0,
        };
        let ends = self.ends();
        let parents = self.parents();
        let mut ancestors = Vec::new();
        let mut at = root;
        while at != 0 {
            at = parents[at];
            ancestors.push(at);
        }
        ancestors.reverse();
        let least = self.least(root, ends[root], min);
        let mut json = TreeJson { total: self.total[0], samples: self.samples, ..TreeJson::default() };
        let mut names = Names::default();
        let mut sent: Vec<(u32, u32, i64)> = Vec::new();
        let mut folded = Folded::default();
        {
            let names = std::cell::RefCell::new(&mut names);
            let sent = std::cell::RefCell::new(&mut sent);
            walk(
                &self.depth,
                &ends,
                root,
                &ancestors,
                |node| self.total[node].unsigned_abs() as f64 >= least,
                |node, depth| {
                    let name = names.borrow_mut().of(&self.names, &self.kinds, self.name[node]);
                    // Of the ancestors, only the path to the root of this tree is sent.
                    let own = if ancestors.contains(&node) { 0 } else { self.own[node] };
                    sent.borrow_mut().push((depth, name, own));
                },
                |ranges, depth| {
                    let nodes: usize = ranges.iter().map(|(from, to)| to - from).sum();
                    let value = ranges.iter().fold(0i64, |sum, (from, _)| sum.saturating_add(self.total[*from]));
                    let name = names.borrow_mut().more(nodes);
                    sent.borrow_mut().push((depth, name, value));
                    folded.nodes += nodes;
                    folded.value = folded.value.saturating_add(value);
                },
            );
        }
        json.names = names.names;
        json.kinds = names.kinds;
        json.folded = folded;
        for (depth, name, own) in sent {
            json.depth.push(depth);
            json.name.push(name);
            json.own.push(own);
        }
        Some(json)
    }

    /// The lowest total of a node to send: `min` of the root's total, or more if that would be too many nodes.
    fn least(&self, root: usize, end: usize, min: f64) -> f64 {
        let of_root = self.total[root].unsigned_abs() as f64;
        let least = of_root * min.clamp(0.0, 1.0);
        let wide = self.total[root..end].iter().filter(|total| total.unsigned_abs() as f64 >= least).count();
        if wide <= MAX_NODES {
            return least;
        }
        let mut totals: Vec<u64> = self.total[root..end].iter().map(|total| total.unsigned_abs()).collect();
        let (_, nth, _) = totals.select_nth_unstable_by(MAX_NODES, |a, b| b.cmp(a));
        *nth as f64 + 0.5
    }

    /// Searches the whole tree for a pattern and returns the value of the stacks that contain a matching frame,
    /// counting each stack once.
    #[must_use]
    pub fn search(&self, pattern: &Pattern) -> Matches {
        let matching: Vec<bool> = self.names.iter().map(|name| pattern.matches(name)).collect();
        let (ends, addresses) = (self.ends(), self.addresses());
        let mut matches = Matches::default();
        let mut outer = 0;
        for node in 1..self.len() {
            if !matching[self.name[node] as usize] {
                continue;
            }
            if matches.addresses.len() < MAX_MATCHES {
                matches.addresses.push(addresses[node].to_string());
            } else {
                matches.more += 1;
            }
            if node >= outer {
                matches.value = matches.value.saturating_add(self.total[node]);
                outer = ends[node];
            }
        }
        matches
    }
}

/// The JSON form of a comparison. `self` in `tree` is the self value in A.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiffJson {
    /// The tree; its totals are those of A.
    #[serde(flatten)]
    pub tree: TreeJson,
    /// The self value of each node in B.
    pub self_b: Vec<i64>,
    /// 1 if the difference of the totals is within sampling noise.
    pub noise: Vec<u8>,
    /// Side A.
    pub a: Side,
    /// Side B.
    pub b: Side,
    /// How values are made comparable.
    pub per: Per,
}

impl Diff {
    /// The comparison in JSON form. Subtrees narrower than `min`, a share of the mean of both sides, are
    /// folded.
    #[must_use]
    pub fn to_json(&self, min: f64) -> DiffJson {
        let count = self.depth.len();
        let mut ends = vec![count; count];
        let mut open: Vec<usize> = Vec::new();
        for node in 0..count {
            while open.len() > self.depth[node] as usize {
                if let Some(closed) = open.pop() {
                    ends[closed] = node;
                }
            }
            open.push(node);
        }
        let width = |node: usize| self.total_a[node] as f64 * self.a.scale + self.total_b[node] as f64 * self.b.scale;
        let least = width(0) * min.clamp(0.0, 1.0);
        let mut names = Names::default();
        let mut rows: Vec<(u32, u32, i64, i64, bool)> = Vec::new();
        let mut folded = Folded::default();
        {
            let names = std::cell::RefCell::new(&mut names);
            let rows = std::cell::RefCell::new(&mut rows);
            walk(
                &self.depth,
                &ends,
                0,
                &[],
                |node| width(node) >= least,
                |node, depth| {
                    let name = names.borrow_mut().of(&self.names, &self.kinds, self.name[node]);
                    rows.borrow_mut().push((depth, name, self.own_a[node], self.own_b[node], self.noise[node]));
                },
                |ranges, depth| {
                    let nodes: usize = ranges.iter().map(|(from, to)| to - from).sum();
                    let sum = |side: &[i64]| ranges.iter().fold(0i64, |sum, (from, _)| sum.saturating_add(side[*from]));
                    let (a, b) = (sum(&self.total_a), sum(&self.total_b));
                    let name = names.borrow_mut().more(nodes);
                    rows.borrow_mut().push((depth, name, a, b, true));
                    folded.nodes += nodes;
                    folded.value = folded.value.saturating_add(a).saturating_add(b);
                },
            );
        }
        let mut json = DiffJson {
            tree: TreeJson {
                total: self.a.total,
                samples: self.a.samples,
                seconds: self.a.seconds,
                names: names.names,
                kinds: names.kinds,
                folded,
                ..TreeJson::default()
            },
            self_b: Vec::new(),
            noise: Vec::new(),
            a: self.a,
            b: self.b,
            per: self.per,
        };
        for (depth, name, own_a, own_b, noise) in rows {
            json.tree.depth.push(depth);
            json.tree.name.push(name);
            json.tree.own.push(own_a);
            json.self_b.push(own_b);
            json.noise.push(u8::from(noise));
        }
        json
    }
}
