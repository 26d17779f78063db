//! Other trees of the same stacks: callers, a function between its callers and callees.

use super::{CallStacks, Paths, Tree, TreeError, View};
use crate::Cancel;

/// A function between its callers and its callees. Each stack through the function counts once in both: where it is on a stack
/// several times, the frame nearest to the root counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Sandwich {
    /// Inverted: the function at the root, below it its callers, below each its callers.
    pub callers: Tree,
    /// The function at the root, below it what it calls.
    pub callees: Tree,
}

impl Tree {
    /// The inverted tree: below the root the functions that something was counted in, below each its callers. The own value of a
    /// node is that of the stacks that begin there.
    ///
    /// # Errors
    /// As [`Tree::new`].
    pub fn callers(stacks: &CallStacks, value: usize, view: &View, cancel: &Cancel) -> Result<Self, TreeError> {
        let paths = view.paths(stacks, value, cancel)?;
        let mut inverted = Paths::new(paths.names.clone(), paths.kinds.clone());
        let mut path = Vec::new();
        for (frames, amount, count) in paths.counted() {
            path.clear();
            path.extend(frames.iter().rev());
            inverted.push(&path, amount, count)?;
        }
        Ok(Self::of_paths(inverted))
    }

    /// A function between its callers and callees; both trees are only the function where nothing passes it.
    ///
    /// # Errors
    /// As [`Tree::new`].
    pub fn sandwich(
        stacks: &CallStacks,
        value: usize,
        view: &View,
        function: &str,
        cancel: &Cancel,
    ) -> Result<Sandwich, TreeError> {
        let paths = view.paths(stacks, value, cancel)?;
        // With lines the function is all of its lines.
        let wanted: Vec<bool> = paths
            .names
            .iter()
            .map(|name| {
                let line = || {
                    view.lines
                        && name
                            .rsplit_once(':')
                            .is_some_and(|(name, line)| name == function && line.bytes().all(|b| b.is_ascii_digit()))
                };
                &**name == function || line()
            })
            .collect();
        let named = || {
            let mut names = paths.names.clone();
            let mut kinds = paths.kinds.clone();
            if let Some(at) = wanted.iter().skip(1).position(|is| *is) {
                kinds[0] = kinds[at + 1];
            }
            names[0] = function.into();
            Paths::new(names, kinds)
        };
        let (mut above, mut below) = (named(), named());
        let mut path = Vec::new();
        for (frames, amount, count) in paths.counted() {
            let Some(at) = frames.iter().position(|name| wanted[*name as usize]) else { continue };
            path.clear();
            path.extend(frames[..at].iter().rev());
            above.push(&path, amount, count)?;
            below.push(&frames[at + 1..], amount, count)?;
        }
        Ok(Sandwich { callers: Self::of_paths(above), callees: Self::of_paths(below) })
    }
}
