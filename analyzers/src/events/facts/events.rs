//! What is known of an event type as a whole.

use super::Facts;

/// What is known of an event type as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFacts {
    /// The metadata of a chunk declares it.
    pub declared: bool,
    /// The name for people in the metadata.
    pub label: Option<String>,
    /// How many there are.
    pub count: u64,
    /// The type has a field for a stack trace.
    pub can_have_stack: bool,
    /// How many of them have a stack trace.
    pub with_stack: u64,
    /// How many of those are truncated.
    pub truncated: u64,
    /// When the first began.
    pub first: i64,
    /// When the one that ended first ended.
    pub first_end: i64,
    /// When the last ended.
    pub last: i64,
    /// Settings that switched it on, one a chunk at least.
    pub switched_on: u64,
    /// Settings that switched it off.
    pub switched_off: u64,
    /// The same two as JMC counts them: it sees only the settings that have the fields of the first chunk's, which is
    /// wrong where recordings of several JVMs are joined.
    pub(crate) jmc_switches: (u64, u64),
}

impl Default for EventFacts {
    fn default() -> Self {
        Self {
            declared: false,
            label: None,
            count: 0,
            can_have_stack: false,
            with_stack: 0,
            truncated: 0,
            first: i64::MAX,
            first_end: i64::MAX,
            last: i64::MIN,
            switched_on: 0,
            switched_off: 0,
            jmc_switches: (0, 0),
        }
    }
}

impl EventFacts {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.declared |= other.declared;
        self.can_have_stack |= other.can_have_stack;
        if self.label.is_none() {
            self.label.clone_from(&other.label);
        }
        for (mine, theirs) in [
            (&mut self.count, other.count),
            (&mut self.with_stack, other.with_stack),
            (&mut self.truncated, other.truncated),
            (&mut self.switched_on, other.switched_on),
            (&mut self.switched_off, other.switched_off),
        ] {
            *mine = mine.saturating_add(theirs);
        }
        self.first = self.first.min(other.first);
        self.first_end = self.first_end.min(other.first_end);
        self.last = self.last.max(other.last);
    }
}

/// Whether a recording can say something about an event type, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// The recording does not know it.
    Unknown,
    /// The recording knows it, and no more can be said.
    Declared,
    /// It was switched off.
    Disabled,
    /// It was switched on, and nothing was recorded.
    Enabled,
    /// There are events.
    Available,
}

impl EventFacts {
    /// What the recording can say. An event type is switched on if any setting in the recording says so.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.presence_if(self.switched_on > 0, self.switched_off > 0)
    }

    /// As JMC computes it: on, or off, only if exactly one setting says so. That fails in recordings of several
    /// chunks, each of which repeats the settings.
    #[must_use]
    pub fn jmc_presence(&self) -> Presence {
        self.presence_if(self.jmc_switches.0 == 1, self.jmc_switches.1 == 1)
    }

    fn presence_if(&self, on: bool, off: bool) -> Presence {
        match self {
            _ if self.count > 0 => Presence::Available,
            _ if on => Presence::Enabled,
            _ if off => Presence::Disabled,
            _ if self.declared => Presence::Declared,
            _ => Presence::Unknown,
        }
    }
}

impl Facts {
    /// What is known of an event type: of all types of the recording, whether rules asked for them or not.
    #[must_use]
    pub fn event(&self, name: &str) -> EventFacts {
        self.events.get(name).cloned().unwrap_or_default()
    }

    /// How many events of a type there are.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.events.get(name).map_or(0, |e| e.count)
    }

    /// All event types that the recording declares, by name.
    pub fn events(&self) -> impl Iterator<Item = (&str, &EventFacts)> {
        self.events.iter().map(|(name, facts)| (name.as_str(), facts))
    }

    /// Whether the recording can say something about an event type.
    #[must_use]
    pub fn presence(&self, name: &str) -> Presence {
        self.event(name).presence()
    }

    /// The same as JMC sees it, which takes a type as switched on only where exactly one setting says so.
    #[must_use]
    pub fn jmc_presence(&self, name: &str) -> Presence {
        self.event(name).jmc_presence()
    }
}
