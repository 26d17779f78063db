//! Collapsed stacks of any profile.

use std::io::{self, BufWriter, Write};

use hashbrown::HashMap;
use jfrkit_profile::Cancel;
use jfrkit_profile::any::TIME_LABELS;

use super::Typed;
use crate::collapsed::clean;

/// Writes the default value of a type as collapsed stacks: one line per stack, with its functions from the root on separated by
/// `;`, a space, and the value. With `labels`, each label becomes a frame before the root, `[key: value]`, except times. Stacks
/// are in the order of their first sample.
///
/// # Errors
/// Errors of `out`.
pub fn write_collapsed_any(of: &Typed<'_>, labels: bool, out: impl Write, cancel: &Cancel) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let at = of.main();
    let texts = &of.profile.texts;
    let mut lines: Vec<(String, i128)> = Vec::new();
    let mut places: HashMap<String, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut line = String::new();
    for (i, sample) in of.samples().enumerate() {
        if i.is_multiple_of(1 << 10) {
            cancel.check().map_err(io::Error::other)?;
        }
        let value = of.amount(&sample, at);
        if value == 0 {
            continue;
        }
        line.clear();
        let shown = sample.labels.iter().filter(|label| labels && !TIME_LABELS.contains(&texts.get(label.key)));
        for label in shown {
            let key = texts.get(label.key);
            let number = label.number.to_string();
            let text = texts.get(label.text);
            line.push_str(&clean(&format!("[{key}: {}]", if text.is_empty() { &number } else { text })));
            line.push(';');
        }
        for &location in sample.locations.iter().rev() {
            for frame in of.frames(location) {
                line.push_str(&clean(&frame.name));
                line.push(';');
            }
        }
        if line.pop().is_none() {
            line.push_str("[no stack trace]");
        }
        match places.get(&line).and_then(|&place| lines.get_mut(place)) {
            Some((_, sum)) => *sum += i128::from(value),
            None => {
                places.insert(line.clone(), lines.len());
                lines.push((line.clone(), value.into()));
            }
        }
    }
    for (line, sum) in lines {
        writeln!(out, "{line} {sum}")?;
    }
    out.flush()
}
