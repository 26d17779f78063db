//! Rows of a few values each, stored in blocks that do not move.

/// Number of rows per block; a power of two.
const ROWS: usize = 1 << 10;

/// Rows of `width` values. A vector would hold all rows twice whenever it grows; this only allocates another
/// block.
#[derive(Debug)]
pub(crate) struct Column<T> {
    width: usize,
    rows: usize,
    blocks: Vec<Vec<T>>,
}

impl<T: Copy> Column<T> {
    /// An empty column.
    pub(crate) fn new(width: usize) -> Self {
        Self { width, rows: 0, blocks: Vec::new() }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Row `i`; empty if the column has no rows, because its values were not requested.
    #[inline]
    pub(crate) fn row(&self, i: usize) -> &[T] {
        debug_assert!(i < self.rows || self.rows == 0, "row {i} of {}", self.rows);
        let from = i % ROWS * self.width;
        self.blocks.get(i / ROWS).and_then(|block| block.get(from..from + self.width)).unwrap_or_default()
    }

    /// Row `i`, mutable.
    #[inline]
    pub(crate) fn row_mut(&mut self, i: usize) -> &mut [T] {
        debug_assert!(i < self.rows || self.rows == 0, "row {i} of {}", self.rows);
        let from = i % ROWS * self.width;
        self.blocks.get_mut(i / ROWS).and_then(|block| block.get_mut(from..from + self.width)).unwrap_or_default()
    }

    /// The value of row `i`, for rows of one value.
    #[inline]
    pub(crate) fn get(&self, i: usize) -> Option<&T> {
        self.row(i).first()
    }

    /// The value of row `i`, mutable.
    #[inline]
    pub(crate) fn get_mut(&mut self, i: usize) -> Option<&mut T> {
        self.row_mut(i).first_mut()
    }

    /// Adds a row. The number of values must be the width.
    #[inline]
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = T>) {
        if self.rows.is_multiple_of(ROWS) {
            // Most columns are short, so the first block grows like a vector.
            let room = if self.rows == 0 { 0 } else { ROWS * self.width };
            self.blocks.push(Vec::with_capacity(room));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.extend(row);
            debug_assert_eq!(block.len(), (self.rows % ROWS + 1) * self.width, "a row of another width");
        }
        self.rows += 1;
    }

    /// Approximate size in bytes.
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
    fn rows_are_read_back_as_they_were_pushed() {
        let mut column = Column::new(3);
        for i in 0..3_000u32 {
            column.push([i, i + 1, i + 2]);
        }
        column.row_mut(2_047).fill(7);
        assert!((0..3_000u32).all(|i| i == 2_047 || column.row(i as usize) == [i, i + 1, i + 2]));
        assert!(column.row(2_047) == [7; 3] && column.len() == 3_000);
        assert!(Column::<u8>::new(1).get(5).is_none());
        let mut none: Column<u8> = Column::new(0);
        none.push([]);
        assert!(none.len() == 1 && none.row(0).is_empty() && none.get(0).is_none());
    }
}
