//! A compressor for profiles: deflate (RFC 1951) with little search and good codes.
//!
//! Profiles are names, which have long matches nearby, and numbers, which have few: looking long for better matches,
//! as zlib does from level 2 on, takes several times as long and gains some percent.

mod bits;
mod block;
mod huffman;
mod matches;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests;
mod tokens;

use bits::Bits;
use matches::Finder;
use tokens::Tokens;

/// Compresses one piece after the other; its memory is used again.
#[derive(Default)]
pub(crate) struct Deflater {
    finder: Finder,
    tokens: Tokens,
}

impl Deflater {
    /// Compresses a piece into blocks that can stand anywhere in a stream, at the beginning of a byte, none of them
    /// the last.
    pub(crate) fn pack(&mut self, raw: &[u8]) -> Vec<u8> {
        let mut out = Bits::with_capacity(raw.len() / 4 + 64);
        self.finder.clear();
        let mut at = 0;
        while at < raw.len() {
            self.tokens.clear();
            at = self.finder.find(raw, at, &mut self.tokens);
            block::write(&mut self.tokens, &mut out);
        }
        out.align();
        out.finish()
    }
}
