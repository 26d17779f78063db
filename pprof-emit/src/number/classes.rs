//! Sorts functions by class.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use jfrkit_profile::{FunctionId, StrId, Tables};
use rayon::prelude::*;

/// Maps the handle of a function to the rank of its class among all classes sorted by name. Computed once for
/// all profiles of a set.
pub(crate) struct Classes(Vec<usize>);

impl Classes {
    /// Sorts the classes of functions, given as pairs of handle number and name.
    fn new(functions: impl Iterator<Item = (usize, StrId)>, tables: &Tables) -> Self {
        let mut classes: HashMap<&str, usize, RandomState> = HashMap::default();
        let mut of_function = vec![None; tables.function_count()];
        for (function, name) in functions {
            let name = tables.str(name);
            let class = name.rsplit_once('.').map_or("", |(class, _)| class);
            let next = classes.len();
            super::set(&mut of_function, function, Some(*classes.entry(class).or_insert(next)));
        }
        let mut names: Vec<(&str, usize)> = classes.into_iter().collect();
        names.par_sort_unstable();
        let mut ranks = vec![0; names.len()];
        for (rank, &(_, class)) in names.iter().enumerate() {
            super::set(&mut ranks, class, rank);
        }
        let rank = |class: Option<usize>| class.and_then(|class| ranks.get(class).copied()).unwrap_or(0);
        Self(of_function.into_iter().map(rank).collect())
    }

    /// The classes of all functions.
    pub(crate) fn of_all(tables: &Tables) -> Self {
        Self::new((0..).map_while(|i| Some((i, tables.function_at(i)?.name))), tables)
    }

    /// The classes of these functions.
    pub(crate) fn of(functions: &[FunctionId], tables: &Tables) -> Self {
        Self::new(functions.iter().map(|&id| (id.index(), tables.function(id).name)), tables)
    }

    /// Sorts functions by class, keeping the order within a class. Names make up most of a profile, and the
    /// compressor exploits what neighbors have in common: the result is 14 % smaller than in the order of first
    /// use. Also sorting the functions of a class by name takes longer and gains nothing.
    pub(crate) fn sort(&self, functions: &mut [FunctionId]) {
        functions.sort_by_key(|id| self.0.get(id.index()).copied());
    }
}
