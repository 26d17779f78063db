//! Native memory that was allocated and not freed.
//!
//! A profiler samples allocations but records every freed address, so only the times show whether the last
//! allocation at an address was freed: the later event decides, regardless of the order in the file.

use crate::hash::HashMap;

/// The last allocation and the last free at each address. `K` identifies where an allocation was made.
#[derive(Debug)]
pub(crate) struct Memory<K> {
    allocated: HashMap<u64, Block<K>>,
    freed: HashMap<u64, i64>,
}

#[derive(Debug, Clone, Copy)]
struct Block<K> {
    nanos: i64,
    size: i64,
    key: K,
}

impl<K> Default for Memory<K> {
    fn default() -> Self {
        Self { allocated: HashMap::default(), freed: HashMap::default() }
    }
}

impl<K: Copy> Memory<K> {
    pub(super) fn malloc(&mut self, address: u64, nanos: i64, key: K, size: i64) {
        let block = Block { nanos, size, key };
        let known = self.allocated.entry(address).or_insert(block);
        if known.nanos <= nanos {
            *known = block;
        }
    }

    pub(super) fn free(&mut self, address: u64, nanos: i64) {
        let known = self.freed.entry(address).or_insert(nanos);
        *known = nanos.max(*known);
    }

    /// Adds the data of a later part of the recording, with its keys converted.
    pub(super) fn append(&mut self, later: Self, key: impl Fn(K) -> K) {
        for (address, block) in later.allocated {
            self.malloc(address, block.nanos, key(block.key), block.size);
        }
        for (address, nanos) in later.freed {
            self.free(address, nanos);
        }
    }

    /// Converts the keys; blocks for which `key` returns `None` are dropped.
    pub(super) fn map<L>(self, mut key: impl FnMut(K) -> Option<L>) -> Memory<L> {
        // In chronological order, so that anything `key` numbers is the same in every run.
        let mut blocks: Vec<_> = self.allocated.into_iter().collect();
        blocks.sort_unstable_by_key(|(address, block)| (block.nanos, *address));
        let mapped = blocks.into_iter().filter_map(|(address, block)| {
            Some((address, Block { nanos: block.nanos, size: block.size, key: key(block.key)? }))
        });
        Memory { allocated: mapped.collect(), freed: self.freed }
    }

    /// Where the blocks that were not freed were allocated, and their sizes, in chronological order.
    pub(super) fn leaked(&self) -> Vec<(K, i64)> {
        let freed = |address: &u64, block: &Block<K>| self.freed.get(address).is_some_and(|at| *at >= block.nanos);
        let mut left: Vec<_> = self.allocated.iter().filter(|(address, block)| !freed(address, block)).collect();
        left.sort_unstable_by_key(|(address, block)| (block.nanos, **address));
        left.into_iter().map(|(_, block)| (block.key, block.size)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn the_later_of_allocation_and_freeing_decides() {
        let mut memory = Memory::default();
        memory.free(1, 20);
        memory.malloc(1, 10, "freed, though the file says so before", 5);
        memory.malloc(2, 10, "freed", 7);
        memory.free(2, 20);
        memory.malloc(2, 30, "allocated again", 8);
        let mut later = Memory::default();
        later.malloc(3, 5, "in a later chunk", 9);
        memory.append(later, |key| key);
        assert_eq!(memory.leaked(), [("in a later chunk", 9), ("allocated again", 8)]);
    }
}
