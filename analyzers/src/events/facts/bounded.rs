//! Loops in rules: each iteration counts as work, and no further iterations happen after the analysis was
//! stopped.

use std::ops::Range;

use super::Facts;

/// Number of iterations between two checks of the stop flag. In one iteration, a rule may read a long text.
const STOP_EVERY: u32 = 64;

/// The indices of a table or of groups; ends when the analysis is stopped.
#[derive(Debug, Clone)]
pub(super) struct Places<'f> {
    facts: &'f Facts,
    left: Range<usize>,
    turns: u32,
}

impl<'f> Places<'f> {
    pub(super) fn new(facts: &'f Facts, count: usize) -> Self {
        Self { facts, left: 0..count, turns: 0 }
    }

    /// Counts an iteration and returns whether it may happen.
    #[inline]
    fn turn(&mut self) -> bool {
        jfr_parse::work::done(1);
        if self.turns.is_multiple_of(STOP_EVERY) && self.facts.stopped() {
            self.left = 0..0;
        }
        self.turns = self.turns.wrapping_add(1);
        !self.left.is_empty()
    }
}

impl Iterator for Places<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.turn() { self.left.next() } else { None }
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<usize> {
        if self.turn() { self.left.nth(n) } else { None }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl DoubleEndedIterator for Places<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<usize> {
        if self.turn() { self.left.next_back() } else { None }
    }
}

impl ExactSizeIterator for Places<'_> {}
