//! Ids derived from content hashes, which join across recordings and days.
//!
//! XXH3 is fast and gives the same result on every machine. It does not resist deliberate collisions, but those only
//! break joins on the recordings that contain them.

use twox_hash::{XxHash3_64, XxHash3_128};

/// The hash of a string; [`frame`] builds ids from these.
#[must_use]
pub fn text(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}

/// The id of a frame: the hashes of class, method, descriptor and kind, and the line.
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

/// The id of a stack, from the ids of its frames, leaf first.
#[must_use]
pub fn stack(frames: &[i64], truncated: bool) -> i64 {
    let mut bytes = vec![u8::from(truncated); frames.len() * 8 + 1];
    for (place, frame) in bytes.chunks_exact_mut(8).zip(frames) {
        place.copy_from_slice(&frame.to_le_bytes());
    }
    XxHash3_64::oneshot(&bytes).cast_signed()
}

/// Identifies a recording: a hash of its decompressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordingHash(u128);

impl RecordingHash {
    /// Hashes a recording.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(XxHash3_128::oneshot(bytes))
    }

    /// Hashes a recording read in pieces, with the same result as [`RecordingHash::of`].
    ///
    /// # Errors
    /// Errors of `next`, which returns the next piece, or an empty one at the end.
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

    /// The first eight bytes, which the rows of all tables refer to.
    #[must_use]
    pub fn id(self) -> i64 {
        let [first @ .., _, _, _, _, _, _, _, _] = self.0.to_be_bytes();
        i64::from_be_bytes(first)
    }

    /// Hashes several hashes in order.
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

    /// Tables on disk contain these ids, so they must not change between versions.
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
