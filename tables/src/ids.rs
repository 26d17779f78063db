//! Ids that are hashes of content, so that they join across recordings and days.
//!
//! XXH3 is fast and the same on every machine; it does not withstand someone who makes up content in order to make two ids
//! equal. Who does that spoils the joins over his own recordings only.

use twox_hash::{XxHash3_64, XxHash3_128};

/// The hash of a text, of which [`frame`] makes ids.
#[must_use]
pub fn text(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}

/// The id of a frame: class, method, descriptor and kind as hashes of their texts, and the line.
#[must_use]
pub fn frame(texts: [u64; 4], line: i32) -> i64 {
    let mut bytes = [0; 36];
    let (hashes, last) = bytes.split_at_mut(32);
    for (place, hash) in hashes.chunks_exact_mut(8).zip(texts) {
        place.copy_from_slice(&hash.to_le_bytes());
    }
    last.copy_from_slice(&line.to_le_bytes());
    XxHash3_64::oneshot(&bytes).cast_signed()
}

/// The id of a stack of frames with these ids, the leaf's first.
#[must_use]
pub fn stack(frames: &[i64], truncated: bool) -> i64 {
    let mut bytes = vec![u8::from(truncated); frames.len() * 8 + 1];
    for (place, frame) in bytes.chunks_exact_mut(8).zip(frames) {
        place.copy_from_slice(&frame.to_le_bytes());
    }
    XxHash3_64::oneshot(&bytes).cast_signed()
}

/// What a recording is known by: a hash of its bytes, unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordingHash(u128);

impl RecordingHash {
    /// The hash of a recording with these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(XxHash3_128::oneshot(bytes))
    }

    /// The hash of a recording whose bytes come in pieces, as [`RecordingHash::of`] all of them.
    ///
    /// # Errors
    /// Those of `next`, which yields a piece, and an empty one after the last.
    pub fn of_pieces<P: AsRef<[u8]>, E>(
        mut next: impl FnMut() -> std::result::Result<P, E>,
    ) -> std::result::Result<Self, E> {
        let mut hasher = XxHash3_128::new();
        loop {
            let piece = next()?;
            if piece.as_ref().is_empty() {
                return Ok(Self(hasher.finish_128()));
            }
            hasher.write(piece.as_ref());
        }
    }

    /// Its first eight bytes: what the rows of all tables refer to.
    #[must_use]
    pub fn id(self) -> i64 {
        let [first @ .., _, _, _, _, _, _, _, _] = self.0.to_be_bytes();
        i64::from_be_bytes(first)
    }

    /// A hash of several in this order.
    #[must_use]
    pub fn of_all(all: &[Self]) -> Self {
        let bytes: Vec<u8> = all.iter().flat_map(|hash| hash.0.to_be_bytes()).collect();
        Self::of(&bytes)
    }
}

impl std::fmt::Display for RecordingHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables on disk refer to these ids: they must not change from one version to the next.
    #[test]
    fn ids_stay_as_they_are() {
        let run = frame(["java.lang.Thread", "run", "()V", "Interpreted"].map(text), 840);
        assert_eq!(text(""), 0x2d06_8005_38d3_94c2);
        assert_ne!(run, frame(["java.lang.Threadr", "un", "()V", "Interpreted"].map(text), 840));
        assert_ne!(stack(&[run, 1], false), stack(&[run, 1], true));
        assert_ne!(stack(&[1, run], false), stack(&[run, 1], false));
        let empty = RecordingHash::of(b"");
        assert_eq!(empty.to_string(), "99aa06d3014798d86001c324468d497f");
        assert_eq!(empty.id().cast_unsigned(), 0x99aa_06d3_0147_98d8);
    }

    #[test]
    fn pieces_have_the_hash_of_the_whole() {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| n.to_le_bytes()[1]).collect();
        for size in [1_000, 33_333, 200_000] {
            let mut pieces = bytes.chunks(size);
            let hash = RecordingHash::of_pieces(|| Ok::<_, ()>(pieces.next().unwrap_or_default()));
            assert_eq!(hash, Ok(RecordingHash::of(&bytes)));
        }
    }
}
