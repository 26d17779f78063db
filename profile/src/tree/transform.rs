//! Other trees of the same stacks: inverted, and a function between its callers and callees.

use super::{CallStacks, Paths, Tree, TreeError, View};
use crate::Cancel;

/// A function between its callers and its callees. Each stack that contains the function counts once in both
/// trees; if the function is on a stack several times, the frame nearest to the root counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Sandwich {
    /// Inverted tree: the function at the root, its callers below it, and so on.
    pub callers: Tree,
    /// The function at the root, and below it what it calls.
    pub callees: Tree,
}

impl Tree {
    /// Builds the inverted tree: below the root are the functions with self values, and below each function its
    /// callers. The self value of a node is that of the stacks that begin there.
    ///
    /// # Errors
    /// Same as [`Tree::new`].
    pub fn callers(stacks: &CallStacks, value: usize, view: &View, cancel: &Cancel) -> Result<Self, TreeError> {
        let mut paths = view.paths(stacks, value, cancel)?;
        paths.invert();
        Ok(Self::of_paths(paths))
    }

    /// A function between its callers and callees. If no stack contains the function, both trees consist of
    /// only the function.
    ///
    /// # Errors
    /// Same as [`Tree::new`].
    pub fn sandwich(
        stacks: &CallStacks,
        value: usize,
        view: &View,
        function: &str,
        cancel: &Cancel,
    ) -> Result<Sandwich, TreeError> {
        let paths = view.paths(stacks, value, cancel)?;
        // In a view with lines, the function consists of all its lines.
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
