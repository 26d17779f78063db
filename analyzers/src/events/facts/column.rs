//! Rows of a few values each, in blocks that do not move.

/// Rows in a block; a power of two.
const ROWS: usize = 1 << 10;

/// Rows of `width` values. A vector of so many rows would hold them twice whenever it grows; this takes another block.
#[derive(Debug)]
pub(crate) struct Column<T> {
    width: usize,
    rows: usize,
    blocks: Vec<Vec<T>>,
}

impl<T: Copy> Column<T> {
    /// No rows.
    pub(crate) fn new(width: usize) -> Self {
        Self { width, rows: 0, blocks: Vec::new() }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Row `i`; empty where there is none.
    #[inline]
    pub(crate) fn row(&self, i: usize) -> &[T] {
        let from = i % ROWS * self.width;
        self.blocks.get(i / ROWS).and_then(|block| block.get(from..from + self.width)).unwrap_or_default()
    }

    /// Row `i`, to be changed.
    #[inline]
    pub(crate) fn row_mut(&mut self, i: usize) -> &mut [T] {
        let from = i % ROWS * self.width;
        self.blocks.get_mut(i / ROWS).and_then(|block| block.get_mut(from..from + self.width)).unwrap_or_default()
    }

    /// The value of row `i`, where each has one.
    #[inline]
    pub(crate) fn get(&self, i: usize) -> Option<&T> {
        self.row(i).first()
    }

    /// The value of row `i`, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, i: usize) -> Option<&mut T> {
        self.row_mut(i).first_mut()
    }

    /// Adds a row of as many values as rows have.
    #[inline]
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = T>) {
        if self.rows.is_multiple_of(ROWS) {
            // Most columns are short: the first block grows as vectors do.
            let room = if self.rows == 0 { 0 } else { ROWS * self.width };
            self.blocks.push(Vec::with_capacity(room));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.extend(row);
            debug_assert_eq!(block.len(), (self.rows % ROWS + 1) * self.width, "a row of another width");
        }
        self.rows += 1;
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks
            .iter()
            .fold(0, |sum: usize, block| sum.saturating_add(block.capacity()))
            .saturating_mul(size_of::<T>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_pushed() {
        let mut column = Column::new(3);
        for i in 0..3_000u32 {
            column.push([i, i + 1, i + 2]);
        }
        column.row_mut(2_047).fill(7);
        assert!((0..3_000u32).all(|i| i == 2_047 || column.row(i as usize) == [i, i + 1, i + 2]));
        assert!(column.row(2_047) == [7; 3] && column.row(3_000).is_empty() && column.len() == 3_000);
        let mut none: Column<u8> = Column::new(0);
        none.push([]);
        assert!(none.len() == 1 && none.row(0).is_empty() && none.get(0).is_none());
    }
}
