//! Collapsed stacks: one line per stack, with its frames from the root on separated by `;`, a space, and a
//! value.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use jfrkit_profile::{Cancel, work};
use jfrkit_profile::{Profile, StrId, Tables};

/// Number of stacks to process before checking for cancellation again.
const STOP_EVERY: usize = 1 << 10;

/// Options for writing collapsed stacks.
#[derive(Debug, Clone, Default)]
pub struct CollapsedOptions {
    /// Index of the value; the default is the last one.
    pub value: Option<usize>,
    /// Cancels the writing.
    pub cancel: Cancel,
}

/// Writes a profile as collapsed stacks, for flame graphs and for `sort` and `grep`. Stacks that differ only in
/// lines or labels are merged; they are in the order of their first sample. In names, `;` is replaced by `:`
/// and control characters, such as line breaks, by spaces.
///
/// # Errors
/// Errors of `out`; [`io::ErrorKind::InvalidInput`] if the profile has no such value.
pub fn write_collapsed(
    profile: &Profile,
    tables: &Tables,
    out: impl Write,
    options: &CollapsedOptions,
) -> io::Result<()> {
    let width = profile.values().len();
    let value = options.value.or(width.checked_sub(1)).filter(|&v| v < width);
    let value = value.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the profile has no such value"))?;
    let mut out = BufWriter::new(out);
    for (i, (names, sum)) in merged(profile, tables, value, &options.cancel)?.into_iter().enumerate() {
        if i.is_multiple_of(STOP_EVERY) {
            options.cancel.check().map_err(io::Error::other)?;
        }
        for (i, &name) in names.iter().enumerate() {
            if i > 0 {
                out.write_all(b";")?;
            }
            out.write_all(clean(tables.str(name)).as_bytes())?;
        }
        writeln!(out, " {sum}")?;
    }
    out.flush()
}

/// The names of each stack, root first, with the sum of the value. A sum of `i64` values cannot overflow an
/// `i128`.
fn merged(profile: &Profile, tables: &Tables, value: usize, cancel: &Cancel) -> io::Result<Vec<(Box<[StrId]>, i128)>> {
    let mut lines: Vec<(Box<[StrId]>, i128)> = Vec::new();
    let mut places: HashMap<Box<[StrId]>, usize, foldhash::fast::RandomState> = HashMap::default();
    for (i, sample) in profile.samples.iter().enumerate() {
        if i.is_multiple_of(STOP_EVERY) {
            cancel.check().map_err(io::Error::other)?;
        }
        work::done(tables.stack(sample.stack).len());
        let frames = tables.stack(sample.stack).iter().rev();
        let names: Box<[StrId]> = frames.map(|&f| tables.function(tables.frame(f).function).name).collect();
        let add = i128::from(sample.values.get(value).copied().unwrap_or(0));
        match places.entry(names) {
            Entry::Occupied(place) => {
                if let Some((_, sum)) = lines.get_mut(*place.get()) {
                    *sum += add;
                }
            }
            Entry::Vacant(place) => {
                lines.push((place.key().clone(), add));
                place.insert(lines.len() - 1);
            }
        }
    }
    Ok(lines)
}

/// A name that cannot be mistaken for two frames or two lines, and is not empty.
pub(crate) fn clean(name: &str) -> Cow<'_, str> {
    if name.is_empty() {
        return Cow::Borrowed("[unknown]");
    }
    if !name.contains(|c: char| c == ';' || c.is_control()) {
        return Cow::Borrowed(name);
    }
    let replace = |c: char| match c {
        ';' => ':',
        c if c.is_control() => ' ',
        c => c,
    };
    Cow::Owned(name.chars().map(replace).collect())
}
