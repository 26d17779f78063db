//! Ids of uploads and profiles: 26 letters and digits that sort by time (ULID).

use parking_lot::Mutex;

/// Crockford's base 32, the alphabet of ULIDs.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The id of an upload and of the profile made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u128);

impl Id {
    /// Parses an id; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 26 {
            return None;
        }
        let mut value = 0u128;
        for letter in text.bytes() {
            let digit = LETTERS.iter().position(|l| *l == letter)?;
            value = value.checked_mul(32)?.checked_add(u128::try_from(digit).ok()?)?;
        }
        Some(Self(value))
    }

    /// When the id was made, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        i64::try_from(self.0 >> 80).unwrap_or(i64::MAX)
    }

    /// The id as 16 bytes, for the index.
    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads an id from 16 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(u128::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        for place in (0..26).rev() {
            let digit = usize::try_from((self.0 >> (place * 5)) & 31).unwrap_or(0);
            f.write_char(char::from(LETTERS.get(digit).copied().unwrap_or(b'0')))?;
        }
        Ok(())
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected an id of 26 letters and digits"))
    }
}

/// Generates ids that always increase, even if the clock goes back.
#[derive(Debug, Default)]
pub(crate) struct Ids(Mutex<u128>);

impl Ids {
    /// Starts after the given id.
    pub(crate) fn after(last: Option<Id>) -> Self {
        Self(Mutex::new(last.map_or(0, |id| id.0)))
    }

    /// The next id for this time.
    pub(crate) fn next(&self, millis: i64) -> Id {
        let mut random = [0u8; 16];
        // Without random bytes, ids are still unique within a server.
        let _ = getrandom::fill(&mut random);
        let low = u128::from_be_bytes(random) & ((1 << 80) - 1);
        let time = u128::try_from(millis).unwrap_or(0) & ((1 << 48) - 1);
        let mut last = self.0.lock();
        let id = (time << 80) | low;
        *last = if id > *last { id } else { last.wrapping_add(1) };
        Id(*last)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_sort_by_time_even_if_the_clock_goes_back() {
        let ids = Ids::default();
        let made: Vec<Id> = [5_000, 6_000, 6_000, 1_000, 7_000].into_iter().map(|t| ids.next(t)).collect();
        assert!(made.is_sorted());
        assert_eq!(made.first().unwrap().millis(), 5_000);
        assert_eq!(made.last().unwrap().millis(), 7_000);
    }

    #[test]
    fn only_texts_of_ids_are_parsed() {
        let id = Ids::default().next(1_700_000_000_000);
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        assert_eq!(Id::from_bytes(&id.to_bytes()), Some(id));
        for wrong in ["", "../../../../etc/passwd......", "01ARZ3NDEKTSV4RRFFQ69G5FA", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
            assert_eq!(Id::parse(wrong), None, "{wrong}");
        }
    }
}
