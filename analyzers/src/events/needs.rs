//! What a rule needs from a recording. The needs of all rules that run are joined, and the recording is read once
//! for them.

use super::methods::MethodSet;

/// The events and fields that a rule reads.
///
/// Two forms are on offer, and nothing else of an event is kept:
///
/// * a **table** ([`Needs::table`]) keeps every event of a type, with chosen fields, up to a cap: for events of which
///   there are few (collections, pauses, CPU load) and for the rules that need to see single events in order;
/// * **groups** ([`Needs::groups`], [`GroupBy`]) keep sums by key: for events of which there may be millions (I/O,
///   allocation, samples, locks). They take the memory of the distinct keys, not of the events.
///
/// A field is named as in the metadata. `a|b` stands for the first of the two that the event type has. Fields of an
/// inline type are reached with a dot (`heapSpace.committedSize`), and so are those behind a reference
/// (`object.type`, `classLoader.type`). A reference that ends there becomes the name of what it refers to: a class, a
/// method, a constant such as a cause; `eventThread` and other threads become a
/// [`ThreadInfo`](super::ThreadInfo), `stackTrace` a stack.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    pub(crate) levels: Vec<(&'static str, Level)>,
    pub(crate) tables: Vec<TableNeed>,
    pub(crate) groups: Vec<GroupBy>,
    pub(crate) methods: Vec<MethodSet>,
}

/// How much of an event type has to be there for a rule to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It was switched on, or there are events.
    Enabled,
    /// There are events.
    Available,
}

/// Rows that a table keeps if the rule does not say otherwise.
pub const TABLE_ROWS: usize = 100_000;
/// Groups that are kept if the rule does not say otherwise; the events of further keys are added up as one.
pub const GROUPS: usize = 50_000;

#[derive(Debug, Clone)]
pub(crate) struct TableNeed {
    pub(crate) event: &'static str,
    pub(crate) fields: &'static [&'static str],
    pub(crate) cap: usize,
}

impl Needs {
    /// Nothing but what is always read: see [`Facts`](super::Facts).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The rule does not apply where no event of this type is in the recording.
    #[must_use]
    pub fn available(mut self, event: &'static str) -> Self {
        self.levels.push((event, Level::Available));
        self
    }

    /// The rule does not apply where this type was not even switched on.
    #[must_use]
    pub fn enabled(mut self, event: &'static str) -> Self {
        self.levels.push((event, Level::Enabled));
        self
    }

    /// Every event of a type, with these fields, up to [`TABLE_ROWS`]. Its start and end come without asking.
    #[must_use]
    pub fn table(self, event: &'static str, fields: &'static [&'static str]) -> Self {
        self.table_up_to(TABLE_ROWS, event, fields)
    }

    /// How much of an event type the rule needs to apply, if it says so.
    #[must_use]
    pub fn level_of(&self, event: &str) -> Option<Level> {
        self.levels.iter().find(|(e, _)| *e == event).map(|(_, level)| *level)
    }

    /// As [`table`](Self::table), up to `cap` events: those that come first in the file.
    #[must_use]
    pub fn table_up_to(mut self, cap: usize, event: &'static str, fields: &'static [&'static str]) -> Self {
        self.tables.push(TableNeed { event, fields, cap });
        self
    }

    /// Sums by key.
    #[must_use]
    pub fn groups(mut self, by: GroupBy) -> Self {
        self.groups.push(by);
        self
    }

    /// Methods to look for on stacks, with [`Facts::passes`](super::Facts::passes): the names of methods are held against
    /// the sets of all rules at once.
    #[must_use]
    pub fn methods(mut self, set: MethodSet) -> Self {
        self.methods.push(set);
        self
    }

    /// The event types that are read for it, each once, in the order of mention.
    #[must_use]
    pub fn events(&self) -> Vec<&'static str> {
        let levels = self.levels.iter().map(|(event, _)| *event);
        let tables = self.tables.iter().map(|t| t.event);
        let groups = self.groups.iter().flat_map(|g| g.events.iter().copied());
        let mut events: Vec<&'static str> = Vec::new();
        for event in levels.chain(tables).chain(groups) {
            if !events.contains(&event) {
                events.push(event);
            }
        }
        events
    }
}

impl Needs {
    /// These needs and others together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.levels.extend(other.levels);
        self.tables.extend(other.tables);
        self.groups.extend(other.groups);
        self.methods.extend(other.methods);
        self
    }

    /// What is read of which event type: tables and groups, each field as the rule names it, `a|b` where it takes the first
    /// that is there, and without those that begin with `@`, which are not fields. For documentation and tests.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, &'static str)> {
        let tables = self.tables.iter().flat_map(|t| t.fields.iter().map(|field| (t.event, *field)));
        let groups = self.groups.iter().flat_map(|g| {
            g.events.iter().flat_map(|event| g.keys.iter().chain(g.measures).map(|field| (*event, *field)))
        });
        let mut fields: Vec<_> = tables.chain(groups).filter(|(_, field)| !field.starts_with('@')).collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

/// Keys of a group, at most.
pub const MAX_KEYS: usize = 4;
/// Measures of a group, at most.
pub const MAX_MEASURES: usize = 3;

/// Events added up by key. A rule keeps it as a constant, declares it with [`Needs::groups`] and hands the same
/// constant to [`Facts::groups`](super::Facts::groups). Equal ones are computed once for all rules.
///
/// ```
/// use jfr_analyzers::events::GroupBy;
/// const READS: GroupBy = GroupBy::of(&["jdk.FileRead"]).by(&["path"]).measure(&["duration", "bytesRead"]);
/// ```
///
/// Each group counts its events, knows when the first began and the last ended, and has sum, least and greatest of
/// each measure, and when the event with the greatest first measure began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBy {
    pub(crate) events: &'static [&'static str],
    pub(crate) keys: &'static [&'static str],
    pub(crate) measures: &'static [&'static str],
    pub(crate) bucket: i64,
    pub(crate) histogram: bool,
    pub(crate) spread: bool,
    pub(crate) cap: usize,
}

/// As a key of a [`GroupBy`]: the name of the event type, to tell several apart.
pub const EVENT: &str = "@event";

/// As a key of a [`GroupBy`]: the name of the profile that the event counts in, by the rules of
/// [`collect`](crate::collect()): of several sources of CPU samples that see the same work one counts (a
/// [`CpuSource`](crate::CpuSource)), what an execution sample means depends on who wrote the chunk, and sampled
/// allocations count where allocations are not recorded one by one. Events that count nowhere are left out. Class
/// definitions, throws and `profiler.Free`, of which other events decide whether they count, are left out too.
pub const PROFILE: &str = "@profile";

/// As a measure of a [`GroupBy`]: what the event adds to its profile: samples, bytes, or nanoseconds that it took.
pub const AMOUNT: &str = "@amount";

impl GroupBy {
    /// The event types whose events are added up.
    #[must_use]
    pub const fn events(&self) -> &'static [&'static str] {
        self.events
    }

    /// All events of these types as one group.
    #[must_use]
    pub const fn of(events: &'static [&'static str]) -> Self {
        Self { events, keys: &[], measures: &[], bucket: 0, histogram: false, spread: false, cap: GROUPS }
    }

    /// Apart by these fields; [`EVENT`] for the event's type.
    ///
    /// # Panics
    /// With more than [`MAX_KEYS`]; in a constant that is an error of the compiler.
    #[must_use]
    pub const fn by(mut self, keys: &'static [&'static str]) -> Self {
        assert!(keys.len() <= MAX_KEYS, "more keys than a group can have");
        self.keys = keys;
        self
    }

    /// Adding up these fields; `duration` among them, if wanted.
    ///
    /// # Panics
    /// With more than [`MAX_MEASURES`]; in a constant that is an error of the compiler.
    #[must_use]
    pub const fn measure(mut self, measures: &'static [&'static str]) -> Self {
        assert!(measures.len() <= MAX_MEASURES, "more measures than a group can have");
        self.measures = measures;
        self
    }

    /// Apart by time, too: by the slice of this many nanoseconds in which the event ends, counted from the epoch.
    #[must_use]
    pub const fn per_nanos(mut self, nanos: i64) -> Self {
        self.bucket = nanos;
        self
    }

    /// With a histogram of the first measure.
    #[must_use]
    pub const fn histogram(mut self) -> Self {
        self.histogram = true;
        self
    }

    /// With the slices of time in which there were events, see [`Spread`](crate::math::Spread).
    #[must_use]
    pub const fn spread(mut self) -> Self {
        self.spread = true;
        self
    }

    /// At most this many groups.
    #[must_use]
    pub const fn up_to(mut self, groups: usize) -> Self {
        self.cap = groups;
        self
    }
}
