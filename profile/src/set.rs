//! The profiles of one recording, or of several merged.

use std::sync::Arc;

use super::{Profile, ProfileType, Tables};

/// Profiles with the tables they refer to.
#[derive(Debug)]
pub struct ProfileSet {
    /// Strings, functions, frames, stacks and labels of all profiles.
    pub tables: Arc<Tables>,
    /// One for each type that was asked for and has samples, in the order of [`ProfileType::ALL`].
    pub profiles: Vec<Profile>,
    /// The types that were asked for and have none, with the reason.
    pub absent: Vec<Absent>,
    /// What could not be read, a line each.
    pub losses: Vec<String>,
    /// What a user should know of the numbers, a line each.
    pub warnings: Vec<String>,
}

/// A type of profile that has no samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The type.
    pub kind: ProfileType,
    /// Why: disabled, hidden by a threshold, did not occur, not known to this JVM.
    pub reason: String,
}

impl ProfileSet {
    /// The profile of a type.
    #[must_use]
    pub fn get(&self, kind: ProfileType) -> Option<&Profile> {
        self.profiles.iter().find(|p| p.kind == kind)
    }
}
