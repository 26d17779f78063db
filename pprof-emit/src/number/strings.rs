//! Assigns numbers to the strings of a profile.

use std::io;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use jfrkit_profile::index::IndexVec;
use jfrkit_profile::{StrId, Tables};

use super::number;

/// The string table. The empty string has number 0.
pub(crate) struct Strings<'p> {
    tables: &'p Tables,
    pub(crate) texts: Vec<&'p str>,
    by_handle: IndexVec<StrId, u32>,
    fixed: HashMap<&'p str, u32, RandomState>,
}

impl<'p> Strings<'p> {
    pub(crate) fn new(tables: &'p Tables) -> Self {
        let fixed = std::iter::once(("", 0)).collect();
        Self { tables, texts: vec![""], by_handle: IndexVec::filled(0, tables.string_count()), fixed }
    }

    /// Numbers a string that may not be in the tables. Call it before any [`add`](Self::add).
    pub(crate) fn fixed(&mut self, text: &'p str) -> io::Result<u32> {
        if let Some(&number) = self.fixed.get(text) {
            return Ok(number);
        }
        let at = number(self.texts.len())?;
        self.texts.push(text);
        self.fixed.insert(text, at);
        if let Some(handle) = self.tables.string_id(text) {
            self.by_handle[handle] = at;
        }
        Ok(at)
    }

    /// Numbers a string of the tables.
    pub(crate) fn add(&mut self, handle: StrId) -> io::Result<u32> {
        let known = self.number(handle);
        let text = self.tables.str(handle);
        if known != 0 || text.is_empty() {
            return Ok(known);
        }
        let at = number(self.texts.len())?;
        self.texts.push(text);
        self.by_handle[handle] = at;
        Ok(at)
    }

    /// The number of a string of the tables.
    #[inline]
    pub(crate) fn number(&self, text: StrId) -> u32 {
        self.by_handle[text]
    }

    /// The number of a fixed string.
    #[inline]
    pub(crate) fn number_of_fixed(&self, text: &str) -> u32 {
        self.fixed.get(text).copied().unwrap_or(0)
    }
}
