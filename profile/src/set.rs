//! The profiles of one recording, or of several merged recordings.

use std::sync::Arc;

use super::{Profile, ProfileType, Tables};

/// Profiles and the tables they refer to.
#[derive(Debug)]
pub struct ProfileSet {
    /// The strings, functions, frames, stacks and labels of all profiles.
    pub tables: Arc<Tables>,
    /// One profile per requested type that has samples, in the order of [`ProfileType::ALL`].
    pub profiles: Vec<Profile>,
    /// The requested types without samples, with the reason.
    pub absent: Vec<Absent>,
    /// What could not be read, one line each.
    pub losses: Vec<String>,
    /// What a user should know about the numbers, one line each.
    pub warnings: Vec<String>,
}

/// A profile type that has no samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The type.
    pub kind: ProfileType,
    /// The reason: disabled, hidden by a threshold, did not occur, or unknown to this JVM.
    pub reason: String,
}

impl ProfileSet {
    /// The profile of this type.
    #[must_use]
    pub fn get(&self, kind: ProfileType) -> Option<&Profile> {
        self.profiles.iter().find(|p| p.kind == kind)
    }
}
