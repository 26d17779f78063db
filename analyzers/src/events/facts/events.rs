//! Facts about an event type as a whole.

use super::Facts;

/// Facts about an event type as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFacts {
    /// Whether the metadata of some chunk declares it.
    pub declared: bool,
    /// The human-readable name in the metadata.
    pub label: Option<String>,
    /// The number of events.
    pub count: u64,
    /// How many of them describe the JVM or the recording and were written outside of the analyzed time range.
    pub(crate) outside: u64,
    /// Whether the type has a field for a stack trace.
    pub can_have_stack: bool,
    /// The number of events with a stack trace.
    pub with_stack: u64,
    /// The number of truncated stack traces.
    pub truncated: u64,
    /// Start of the first event.
    pub first: i64,
    /// End of the event that ended first.
    pub first_end: i64,
    /// End of the last event.
    pub last: i64,
    /// Number of settings that enabled it, at least one per chunk.
    pub switched_on: u64,
    /// Number of settings that disabled it.
    pub switched_off: u64,
    /// The same two numbers as counted by JMC. It sees only settings that have the same fields as those in the
    /// first chunk, which is wrong if recordings of several JVMs were concatenated.
    pub(crate) jmc_switches: (u64, u64),
}

impl Default for EventFacts {
    fn default() -> Self {
        Self {
            declared: false,
            label: None,
            count: 0,
            outside: 0,
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
            (&mut self.outside, other.outside),
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

/// What a recording can show about an event type, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// The recording does not declare it.
    Unknown,
    /// The recording declares it; nothing else is known.
    Declared,
    /// It was disabled.
    Disabled,
    /// It was enabled, but there are no events.
    Enabled,
    /// There are events.
    Available,
}

impl EventFacts {
    /// How many of the events were written within the analyzed time range.
    pub(crate) fn inside(&self) -> u64 {
        self.count.saturating_sub(self.outside)
    }

    /// What the recording can show. An event type counts as enabled if any setting in the recording enables it.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.presence_if(self.switched_on > 0, self.switched_off > 0)
    }

    /// Presence as computed by JMC: enabled or disabled only if there is exactly one such setting. That fails
    /// for recordings with several chunks, because each chunk repeats the settings.
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
    /// Facts about an event type. Available for all types in the recording, whether rules asked for them or
    /// not.
    #[must_use]
    pub fn event(&self, name: &str) -> EventFacts {
        self.events.get(name).cloned().unwrap_or_default()
    }

    /// The number of events of a type.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.events.get(name).map_or(0, |e| e.count)
    }

    /// All event types declared in the recording, by name.
    pub fn events(&self) -> impl Iterator<Item = (&str, &EventFacts)> {
        self.events.iter().map(|(name, facts)| (name.as_str(), facts))
    }

    /// What the recording can show about an event type.
    #[must_use]
    pub fn presence(&self, name: &str) -> Presence {
        self.event(name).presence()
    }

    /// Presence as computed by JMC, where an event type counts as enabled only if exactly one setting enables
    /// it.
    #[must_use]
    pub fn jmc_presence(&self, name: &str) -> Presence {
        self.event(name).jmc_presence()
    }
}
