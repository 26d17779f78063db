//! Loops of rules: each turn counts as work, and none is made once the analysis is to end.

use std::ops::Range;

use super::Facts;

/// Turns between two looks at the stop. A turn can be a long text that a rule reads.
const STOP_EVERY: u32 = 64;

/// The places of a table or of groups, as long as the analysis is not to end.
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

    /// Notes a turn; whether it may be made.
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
