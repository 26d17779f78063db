//! Strings in events and constants: six encodings, some of which may contain invalid text.

use std::borrow::Cow;

use crate::cursor::{Cursor, beyond, skip_varint_at, varint_at};
use crate::error::Short;
use crate::ids::ConstantKey;

/// An undecoded string, borrowed from the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RawStr<'a> {
    /// The null string.
    Null,
    /// The empty string.
    Empty,
    /// A key into the chunk's pool of `java.lang.String`.
    Pooled(ConstantKey),
    /// Nominally UTF-8; HotSpot writes modified UTF-8 and may cut a character in two.
    Utf8(&'a [u8]),
    /// UTF-16 code units, each as a varint; lone surrogates occur.
    Utf16(&'a [u8]),
    /// ISO-8859-1, one byte per character.
    Latin1(&'a [u8]),
}

impl<'a> RawStr<'a> {
    /// Reads one string: a byte that selects the encoding, and the text.
    #[inline]
    pub fn read(cursor: &mut Cursor<'a>) -> Result<Self, Short> {
        match cursor.u8()? {
            0 => Ok(Self::Null),
            1 => Ok(Self::Empty),
            2 => Ok(Self::Pooled(ConstantKey(cursor.varint()?))),
            3 => {
                let n = cursor.count()?;
                Ok(Self::Utf8(cursor.bytes(n)?))
            }
            4 => {
                let n = cursor.count()?;
                let before = cursor.rest();
                skip_units(cursor, n)?;
                let used = before.len().checked_sub(cursor.left()).ok_or(Short)?;
                Ok(Self::Utf16(before.get(..used).ok_or(Short)?))
            }
            5 => {
                let n = cursor.count()?;
                Ok(Self::Latin1(cursor.bytes(n)?))
            }
            _ => Err(Short),
        }
    }

    /// Skips one string without decoding it.
    #[inline]
    pub fn skip(cursor: &mut Cursor<'a>) -> Result<(), Short> {
        let end = Self::skip_at(cursor.rest(), 0)?;
        cursor.move_to(end)
    }

    /// The place after the string at `place`.
    #[inline]
    pub(crate) fn skip_at(bytes: &'a [u8], place: usize) -> Result<usize, Short> {
        match bytes.get(place) {
            Some(0 | 1) => Ok(place + 1),
            Some(2) => skip_varint_at(bytes, place + 1).ok_or(Short),
            Some(3 | 5) => {
                let (n, text) = varint_at(bytes, place + 1).ok_or(Short)?;
                let end = usize::try_from(n).ok().and_then(|n| text.checked_add(n));
                end.filter(|end| *end <= bytes.len()).ok_or(Short)
            }
            Some(4) => beyond(bytes, place + 1, |at| {
                let n = at.count()?;
                skip_units(at, n)
            }),
            _ => Err(Short),
        }
    }

    /// The encoded bytes of the text.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        match *self {
            Self::Null | Self::Empty | Self::Pooled(_) => &[],
            Self::Utf8(bytes) | Self::Utf16(bytes) | Self::Latin1(bytes) => bytes,
        }
    }

    /// The same string, truncated to its first `bytes` encoded bytes.
    #[must_use]
    pub fn cut(self, bytes: usize) -> Self {
        let cut = |of: &'a [u8]| of.get(..bytes).unwrap_or(of);
        match self {
            Self::Null | Self::Empty | Self::Pooled(_) => self,
            Self::Utf8(of) => Self::Utf8(cut(of)),
            Self::Utf16(of) => Self::Utf16(cut(of)),
            Self::Latin1(of) => Self::Latin1(cut(of)),
        }
    }

    /// Like [`decode`](Self::decode), but copies the bytes before checking them: the result stays valid text
    /// even if the bytes belong to a mapped file that is overwritten in the meantime.
    pub fn decode_copied(&self) -> Option<String> {
        match *self {
            Self::Utf8(bytes) | Self::Latin1(bytes) => {
                let copy = bytes.to_vec();
                let copied = match self {
                    Self::Utf8(_) => RawStr::Utf8(&copy),
                    _ => RawStr::Latin1(&copy),
                };
                copied.decode().map(Cow::into_owned)
            }
            _ => self.decode().map(Cow::into_owned),
        }
    }

    /// Appends the text of [`decode_copied`](Self::decode_copied) to `out`, or nothing if there is none. `buffer`
    /// holds the copy.
    pub fn decode_onto(&self, out: &mut String, buffer: &mut Vec<u8>) {
        let copied = match *self {
            Self::Utf8(bytes) | Self::Latin1(bytes) => {
                buffer.clear();
                buffer.extend_from_slice(bytes);
                if matches!(self, Self::Utf8(_)) { RawStr::Utf8(buffer) } else { RawStr::Latin1(buffer) }
            }
            other => other,
        };
        out.push_str(&copied.decode().unwrap_or_default());
    }

    /// The text, borrowed if its bytes are already UTF-8. `None` for null, and for a pooled string, which only
    /// the chunk's pools can resolve.
    ///
    /// Surrogate pairs, which modified UTF-8 encodes as two three-byte sequences, are joined; invalid text
    /// becomes U+FFFD.
    pub fn decode(&self) -> Option<Cow<'a, str>> {
        crate::work::done(self.bytes().len());
        Some(match *self {
            Self::Null | Self::Pooled(_) => return None,
            Self::Empty => Cow::Borrowed(""),
            Self::Utf8(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(modified_utf8(bytes)),
            },
            Self::Latin1(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
                _ => Cow::Owned(bytes.iter().map(|&b| char::from(b)).collect()),
            },
            Self::Utf16(bytes) => Cow::Owned(utf16(bytes)),
        })
    }
}

/// Skips UTF-16 code units written as varints. Nearly all text is ASCII, with one byte per unit.
#[inline]
fn skip_units(cursor: &mut Cursor<'_>, n: usize) -> Result<(), Short> {
    if cursor.is_ascii(n) { cursor.bytes(n).map(|_| ()) } else { cursor.skip_varints(n) }
}

/// Decodes UTF-16 code units written as varints; a lone surrogate becomes U+FFFD.
fn utf16(bytes: &[u8]) -> String {
    // In a mapped file, what is checked must be a copy.
    if bytes.is_ascii()
        && let Ok(text) = String::from_utf8(bytes.to_vec())
    {
        return text;
    }
    let mut cursor = Cursor::new(bytes);
    // Writers mask to 16 bits; higher bits are not part of the unit.
    let units = std::iter::from_fn(move || cursor.varint().ok().map(low16));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn low16(unit: u64) -> u16 {
    let [a, b, ..] = unit.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// Decodes modified UTF-8: NUL is `C0 80`, and a character beyond the basic plane is two three-byte surrogates.
fn modified_utf8(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => {
                out.push_str(text);
                return out;
            }
            Err(e) => e.valid_up_to(),
        };
        let (good, bad) = rest.split_at_checked(valid).unwrap_or((rest, &[]));
        out.push_str(std::str::from_utf8(good).unwrap_or_default());
        let used = match bad {
            [0xc0, 0x80, ..] => {
                out.push('\0');
                2
            }
            [0xed, a @ 0xa0..=0xaf, b @ 0x80..=0xbf, 0xed, c @ 0xb0..=0xbf, d @ 0x80..=0xbf, ..] => {
                let high = (u32::from(a & 0x0f) << 6) | u32::from(b & 0x3f);
                let low = (u32::from(c & 0x0f) << 6) | u32::from(d & 0x3f);
                out.push(char::from_u32(0x1_0000 + (high << 10) + low).unwrap_or(char::REPLACEMENT_CHARACTER));
                6
            }
            _ => {
                out.push(char::REPLACEMENT_CHARACTER);
                1
            }
        };
        rest = bad.get(used..).unwrap_or(&[]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        RawStr::read(&mut Cursor::new(bytes)).ok().and_then(|s| s.decode()).map(Cow::into_owned)
    }

    #[test]
    fn every_encoding() {
        assert_eq!(read(&[0]), None);
        assert_eq!(read(&[1]).as_deref(), Some(""));
        assert_eq!(RawStr::read(&mut Cursor::new(&[2, 0x85, 0x01])), Ok(RawStr::Pooled(ConstantKey(133))));
        assert_eq!(read(&[3, 2, b'h', b'i']).as_deref(), Some("hi"));
        assert_eq!(read(&[5, 2, 0xe9, b'x']).as_deref(), Some("éx"));
        assert_eq!(read(&[6, 0]), None);
    }

    #[test]
    fn utf16_joins_surrogates_and_replaces_lone_ones() {
        let mut bytes = Vec::new();
        for unit in [0xd83du64, 0xde00, 0xd800, 0x41] {
            crate::cursor::push_varint(&mut bytes, unit);
        }
        assert_eq!(RawStr::Utf16(&bytes).decode().as_deref(), Some("\u{1f600}\u{fffd}A"));
        assert_eq!(RawStr::Utf16(b"plain").decode().as_deref(), Some("plain"));
        // Read and skipped alike, ASCII or not, and a unit that is written with more bytes than it needs.
        for units in [&b"plain"[..], &[b'a', 0xe4, 0x01, b'b'], &[b'a', 0xe2, 0x80, 0x00, b'b']] {
            let count = u8::try_from(units.iter().filter(|b| **b < 0x80).count()).unwrap_or(0);
            let all = [&[4, count], units, b"tail"].concat();
            let (mut read, mut skipped) = (Cursor::new(&all), Cursor::new(&all));
            assert_eq!(RawStr::read(&mut read), Ok(RawStr::Utf16(units)));
            assert_eq!(RawStr::skip(&mut skipped), Ok(()));
            assert_eq!(RawStr::skip_at(&all, 0), Ok(all.len() - b"tail".len()));
            assert_eq!((read.rest(), skipped.rest()), (&b"tail"[..], &b"tail"[..]));
        }
    }

    #[test]
    fn modified_utf8_is_joined() {
        assert_eq!(
            RawStr::Utf8(&[b'a', 0xc0, 0x80, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80, b'z']).decode().as_deref(),
            Some("a\0\u{1f600}z")
        );
        assert_eq!(RawStr::Utf8(&[b'a', 0xe6, 0xbc]).decode().as_deref(), Some("a\u{fffd}\u{fffd}"));
    }

    #[test]
    fn text_is_appended_as_it_is_decoded() {
        let (mut out, mut buffer) = (String::from("["), Vec::new());
        for text in
            [RawStr::Utf8(b"a\xc0\x80"), RawStr::Latin1(b"\xe9"), RawStr::Null, RawStr::Empty, RawStr::Utf16(b"z")]
        {
            let before = out.len();
            text.decode_onto(&mut out, &mut buffer);
            assert_eq!(out.get(before..), Some(&*text.decode_copied().unwrap_or_default()));
        }
        assert_eq!(out, "[a\0\u{e9}z");
    }

    #[test]
    fn a_forged_length_is_an_error() {
        assert_eq!(RawStr::read(&mut Cursor::new(&[3, 0xff, 0xff, 0xff, 0x7f, 1])), Err(Short));
        assert_eq!(RawStr::skip(&mut Cursor::new(&[4, 200, 1, 1])), Err(Short));
        let all = [0, 1, 2, 0x85, 0x01, 3, 2, b'h', b'i', 5, 1, 0xe9, 3, 9, b'x'];
        let mut places = vec![0];
        while let Ok(next) = RawStr::skip_at(&all, places.last().copied().unwrap_or(0)) {
            places.push(next);
        }
        assert_eq!(places, [0, 1, 2, 5, 9, 12]);
    }
}
