//! Native memory that was allocated and not freed.
//!
//! A profiler samples allocations but tells of every address that is freed, so only time can say whether the last
//! allocation at an address was freed: whichever is later, whatever the order in the file.

use hashbrown::HashMap;

type Map<V> = HashMap<u64, V, foldhash::fast::RandomState>;

/// The last allocation and the last freeing at each address. `K` says where an allocation was made.
#[derive(Debug)]
pub(crate) struct Memory<K> {
    allocated: Map<Block<K>>,
    freed: Map<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Block<K> {
    nanos: i64,
    size: i64,
    key: K,
}

impl<K> Default for Memory<K> {
    fn default() -> Self {
        Self { allocated: Map::default(), freed: Map::default() }
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

    /// Adds what a later part of the recording tells, with keys of this one's.
    pub(super) fn append(&mut self, later: Self, key: impl Fn(K) -> K) {
        for (address, block) in later.allocated {
            self.malloc(address, block.nanos, key(block.key), block.size);
        }
        for (address, nanos) in later.freed {
            self.free(address, nanos);
        }
    }

    /// The same with other keys; blocks for which there is none are left out.
    pub(super) fn map<L>(self, mut key: impl FnMut(K) -> Option<L>) -> Memory<L> {
        // In the order of time, so that what `key` numbers comes out the same in every run.
        let mut blocks: Vec<_> = self.allocated.into_iter().collect();
        blocks.sort_unstable_by_key(|(address, block)| (block.nanos, *address));
        let mapped = blocks.into_iter().filter_map(|(address, block)| {
            Some((address, Block { nanos: block.nanos, size: block.size, key: key(block.key)? }))
        });
        Memory { allocated: mapped.collect(), freed: self.freed }
    }

    /// Where the blocks that were not freed were allocated, and how large they are, in the order of time.
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
