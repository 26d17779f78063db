//! The strings that a profile uses outside its samples.

use std::io;

use jfrkit_profile::Profile;

use super::strings::Strings;

/// The head of a profile, with strings as numbers.
pub(crate) struct Head {
    /// The name and unit of each value.
    pub(crate) sample_types: Vec<(u32, u32)>,
    /// The name and unit of the period, and its amount.
    pub(crate) period: Option<(u32, u32, i64)>,
    /// The comments.
    pub(crate) comments: Vec<u32>,
    /// The program.
    pub(crate) main: u32,
}

impl Head {
    /// Assigns numbers to the strings of the head.
    pub(crate) fn new<'p>(profile: &'p Profile, strings: &mut Strings<'p>) -> io::Result<Self> {
        let mut sample_types = Vec::new();
        for value in profile.values() {
            sample_types.push((strings.fixed(value.name)?, strings.fixed(value.unit)?));
        }
        let period = match profile.period {
            Some(p) => Some((strings.fixed(p.value.name)?, strings.fixed(p.value.unit)?, p.amount)),
            None => None,
        };
        let comments = profile.comments.iter().map(|c| strings.fixed(c)).collect::<io::Result<_>>()?;
        let main = profile.main.as_deref().filter(|main| !main.is_empty()).unwrap_or("java");
        Ok(Self { sample_types, period, comments, main: strings.fixed(main)? })
    }
}
