//! Iterates over the fields of a protocol buffer.

/// The bytes are not a valid message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    /// Number of bytes between the damage and the end of the message.
    pub(super) left: usize,
}

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'b> {
    /// A number.
    Number(u64),
    /// A string, a message, or packed numbers.
    Bytes(&'b [u8]),
    /// Four or eight bytes; no field of a profile has this type.
    Fixed,
}

/// The rest of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'b>(pub(super) &'b [u8]);

impl<'b> Scan<'b> {
    fn broken(&self) -> Broken {
        Broken { left: self.0.len() }
    }

    /// A varint.
    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, Broken> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let Some((&byte, rest)) = self.0.split_first() else { return Err(self.broken()) };
            self.0 = rest;
            // The tenth byte has one bit left.
            if shift == 63 && byte > 1 {
                return Err(self.broken());
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
            if shift > 63 {
                return Err(self.broken());
            }
        }
    }

    fn bytes(&mut self, size: u64) -> Result<&'b [u8], Broken> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (bytes, rest) = self.0.split_at_checked(size).ok_or(self.broken())?;
        self.0 = rest;
        Ok(bytes)
    }

    /// The next field, as its number and value.
    #[inline]
    pub(super) fn field(&mut self) -> Result<Option<(u64, Field<'b>)>, Broken> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let before = self.broken();
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Field::Number(self.number()?),
            1 => self.bytes(8).map(|_| Field::Fixed)?,
            2 => {
                let size = self.number()?;
                Field::Bytes(self.bytes(size)?)
            }
            5 => self.bytes(4).map(|_| Field::Fixed)?,
            _ => return Err(before),
        };
        if tag >> 3 == 0 { Err(before) } else { Ok(Some((tag >> 3, value))) }
    }
}
