//! Reads protobuf messages from a file one field at a time, without loading them.

use std::io::{self, BufRead};

/// A field: its number, and its value or the length of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Number(u64, u64),
    Bytes(u64, u64),
}

/// A reader that counts down the remaining bytes of the current message.
#[derive(Debug)]
pub(super) struct Walker<R> {
    inner: R,
    left: u64,
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a protobuf message of this type")
}

impl<R: BufRead> Walker<R> {
    pub(super) const fn new(inner: R, bytes: u64) -> Self {
        Self { inner, left: bytes }
    }

    /// Remaining bytes of the message.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.left = self.left.checked_sub(1).ok_or_else(invalid)?;
        let mut byte = [0u8];
        self.inner.read_exact(&mut byte)?;
        let [byte] = byte;
        Ok(byte)
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(invalid())
    }

    /// The next field; `None` once `end` bytes remain.
    pub(super) fn next(&mut self, end: u64) -> io::Result<Option<Field>> {
        if self.left <= end {
            return if self.left == end { Ok(None) } else { Err(invalid()) };
        }
        let key = self.varint()?;
        let number = key >> 3;
        match key & 7 {
            0 => Ok(Some(Field::Number(number, self.varint()?))),
            1 => self.skip(8).map(|()| Some(Field::Number(number, 0))),
            5 => self.skip(4).map(|()| Some(Field::Number(number, 0))),
            2 => {
                let length = self.varint()?;
                if length > self.left.saturating_sub(end) {
                    return Err(invalid());
                }
                Ok(Some(Field::Bytes(number, length)))
            }
            _ => Err(invalid()),
        }
    }

    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.copy(bytes, |_| Ok::<(), io::Error>(()))
    }

    /// Passes on the next bytes in pieces.
    pub(super) fn copy<E: From<io::Error>>(
        &mut self,
        bytes: u64,
        mut to: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.left = self.left.checked_sub(bytes).ok_or_else(invalid)?;
        let mut piece = vec![0u8; super::body::PIECE.min(usize::try_from(bytes).unwrap_or(super::body::PIECE))];
        let mut rest = bytes;
        while rest > 0 {
            let n = usize::try_from(rest).unwrap_or(usize::MAX).min(piece.len());
            let part = piece.get_mut(..n).unwrap_or_default();
            self.inner.read_exact(part)?;
            to(part)?;
            rest = rest.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// A string of at most `limit` bytes.
    pub(super) fn text(&mut self, bytes: u64, limit: usize) -> io::Result<String> {
        if bytes > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a string is longer than {limit} bytes")));
        }
        let mut out = Vec::new();
        self.copy(bytes, |piece| {
            out.extend_from_slice(piece);
            Ok::<(), io::Error>(())
        })?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}
