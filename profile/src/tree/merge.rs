//! Merges many profiles into one.

use super::stacks::Key;
use super::{CANCEL_EVERY, CallStacks, TreeError};
use crate::Cancel;

/// Adds up profiles that measure the same things. Names, stacks and labels are compared by content, so the
/// profiles may come from different processes. Durations are added ([`CallStacks::seconds`]); the start is the
/// earliest one. Without profiles, the result is empty.
///
/// # Errors
/// [`TreeError::DifferentTypes`] if the names or units of values differ, [`TreeError::Canceled`].
pub fn merge<'p>(profiles: impl IntoIterator<Item = &'p CallStacks>, cancel: &Cancel) -> Result<CallStacks, TreeError> {
    let mut profiles = profiles.into_iter();
    let Some(first) = profiles.next() else { return Ok(CallStacks::default()) };
    let mut sum = first.clone();
    for profile in profiles {
        sum.append(profile, cancel)?;
    }
    Ok(sum)
}

impl CallStacks {
    /// Adds another profile to this one, as [`merge`] does. Profiles that are added as they are read need not all be in memory.
    ///
    /// # Errors
    /// Same as [`merge`].
    pub fn append(&mut self, profile: &Self, cancel: &Cancel) -> Result<(), TreeError> {
        cancel.check()?;
        if self.types() != profile.types() {
            let text = |stacks: &Self| {
                let types: Vec<String> = stacks.types().iter().map(|t| format!("{}/{}", t.name, t.unit)).collect();
                types.join(", ")
            };
            return Err(TreeError::DifferentTypes { a: text(self), b: text(profile) });
        }
        let frames: Vec<u32> = profile
            .frames()
            .iter()
            .map(|frame| {
                let (name, kind) = (&profile.names()[frame.name as usize], profile.kinds()[frame.name as usize]);
                self.frame(name, kind, frame.line)
            })
            .collect();
        let labels: Vec<u32> = profile.label_sets().iter().map(|labels| self.label_set(labels)).collect();
        let mut path = Vec::new();
        let mut stacks = Vec::new();
        for (i, stack) in profile.stacks().enumerate() {
            if i.is_multiple_of(CANCEL_EVERY) {
                cancel.check()?;
            }
            path.clear();
            path.extend(stack.iter().map(|frame| frames[*frame as usize]));
            stacks.push(self.stack(&path));
        }
        for (key, values) in profile.keyed() {
            let key = Key { stack: stacks[key.stack as usize], labels: labels[key.labels as usize] };
            self.add_key(key, values);
        }
        self.seconds += profile.seconds;
        self.time_nanos = match (self.time_nanos, profile.time_nanos) {
            (0, other) | (other, 0) => other,
            (a, b) => a.min(b),
        };
        Ok(())
    }
}
