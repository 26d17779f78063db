//! What a rule needs from a recording. The needs of all rules are combined, and the recording is read once for
//! all of them.

use super::methods::MethodSet;
use super::names::Names;
use crate::rule::Text;

/// The events and fields that a rule reads.
///
/// There are two forms, and nothing else is kept of an event:
///
/// * A **table** ([`Needs::table`]) keeps all events of a type, with selected fields, up to a limit. It is for
///   infrequent events (garbage collections, pauses, CPU load) and for rules that need to see individual events
///   in order.
/// * **Groups** ([`Needs::groups`], [`GroupBy`]) keep sums by key. They are for events that can occur
///   millions of times (I/O, allocation, samples, locks). Their memory depends on the number of distinct keys, not on
///   the number of events.
///
/// Fields have the same names as in the metadata. `a|b` selects the first of two fields that the event type
/// has. A dot selects a field of an inline type (`heapSpace.committedSize`) or of a referenced object
/// (`object.type`, `classLoader.type`). A path that ends in a reference yields the name of the referenced
/// object: a class, a method, or a constant such as a cause. `eventThread` and other threads yield a
/// [`ThreadInfo`](super::ThreadInfo), and `stackTrace` a stack.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    pub(crate) levels: Vec<(Text, Level)>,
    pub(crate) tables: Vec<TableNeed>,
    pub(crate) groups: Vec<GroupBy>,
    /// The events that a rule looks at in groups that it shares with other rules.
    only: Vec<(GroupBy, Names)>,
    pub(crate) methods: Vec<MethodSet>,
}

/// What a rule requires of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It was enabled, or there are events.
    Enabled,
    /// There are events.
    Available,
}

/// Default limit for the number of rows in a table.
pub const TABLE_ROWS: usize = 100_000;
/// Default limit for the number of groups; events with further keys are added up in a single group.
pub const GROUPS: usize = 50_000;

#[derive(Debug, Clone)]
pub(crate) struct TableNeed {
    pub(crate) event: Text,
    pub(crate) fields: Names,
    pub(crate) cap: usize,
}

impl Needs {
    /// No needs except what is always read; see [`Facts`](super::Facts).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires events of this type: without any, the rule does not apply.
    #[must_use]
    pub fn available(mut self, event: impl Into<Text>) -> Self {
        self.levels.push((event.into(), Level::Available));
        self
    }

    /// Requires that this event type was enabled: otherwise, the rule does not apply.
    #[must_use]
    pub fn enabled(mut self, event: impl Into<Text>) -> Self {
        self.levels.push((event.into(), Level::Enabled));
        self
    }

    /// Requests all events of a type with these fields, up to [`TABLE_ROWS`]. Start and end are always
    /// included.
    #[must_use]
    pub fn table(self, event: impl Into<Text>, fields: impl Into<Names>) -> Self {
        self.table_up_to(TABLE_ROWS, event, fields)
    }

    /// What the rule requires of an event type, if anything.
    #[must_use]
    pub fn level_of(&self, event: &str) -> Option<Level> {
        self.levels.iter().find(|(e, _)| *e == event).map(|(_, level)| *level)
    }

    /// Like [`table`](Self::table), but keeps up to `cap` events, the first ones in the file.
    #[must_use]
    pub fn table_up_to(mut self, cap: usize, event: impl Into<Text>, fields: impl Into<Names>) -> Self {
        self.tables.push(TableNeed { event: event.into(), fields: fields.into(), cap });
        self
    }

    /// Requests sums by key.
    #[must_use]
    pub fn groups(mut self, by: GroupBy) -> Self {
        self.groups.push(by);
        self
    }

    /// Requests sums by key that several rules share, so that each event is added up once. This rule looks only at
    /// groups of these event types; the definition must have [`EVENT`] as a key.
    #[must_use]
    pub fn shared_groups(mut self, by: GroupBy, events: impl Into<Names>) -> Self {
        debug_assert!(by.keys.contains(EVENT), "groups of several event types that cannot be told apart");
        self.only.push((by.clone(), events.into()));
        self.groups(by)
    }

    /// Requests methods to look for on stacks with [`Facts::passes`](super::Facts::passes). Method names are
    /// matched against the sets of all rules at once.
    #[must_use]
    pub fn methods(mut self, set: MethodSet) -> Self {
        self.methods.push(set);
        self
    }

    /// The event types that are read for the rule, each once, in order of appearance.
    #[must_use]
    pub fn events(&self) -> Vec<&str> {
        let levels = self.levels.iter().map(|(event, _)| &**event);
        let tables = self.tables.iter().map(|t| &*t.event);
        let groups = self.groups.iter().flat_map(|by| self.events_of(by).iter());
        let mut events: Vec<&str> = Vec::new();
        for event in levels.chain(tables).chain(groups) {
            if !events.contains(&event) {
                events.push(event);
            }
        }
        events
    }
}

impl Needs {
    /// The event types that the rule looks at in these groups.
    fn events_of<'n>(&'n self, by: &'n GroupBy) -> &'n Names {
        self.only.iter().find(|(shared, _)| shared == by).map_or(&by.events, |(_, events)| events)
    }

    /// Combines these needs with others.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.levels.extend(other.levels);
        self.tables.extend(other.tables);
        self.groups.extend(other.groups);
        self.only.extend(other.only);
        self.methods.extend(other.methods);
        self
    }

    /// The fields that are read, as pairs of event type and field, from tables and groups. Fields are as the
    /// rule names them, including `a|b` for alternatives, without the pseudo-fields that begin with `@`. For
    /// documentation and tests.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let tables = self.tables.iter().flat_map(|t| t.fields.iter().map(|field| (&*t.event, field)));
        let groups = self.groups.iter().flat_map(|g| {
            let fields = g.keys.iter().chain(g.measures.iter());
            self.events_of(g).iter().flat_map(move |event| fields.clone().map(move |field| (event, field)))
        });
        let mut fields: Vec<_> = tables.chain(groups).filter(|(_, field)| !field.starts_with('@')).collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

/// Maximum number of keys of a group.
pub const MAX_KEYS: usize = 4;
/// Maximum number of measures of a group.
pub const MAX_MEASURES: usize = 3;

/// Defines sums of events by key. A rule declares it as a constant, requests it with [`Needs::groups`] and
/// passes the same constant to [`Facts::groups`](super::Facts::groups). Equal definitions are computed once for
/// all rules. A query whose names are known only at run time is made with [`GroupBy::from_names`].
///
/// ```
/// use jfr_analyzers::events::GroupBy;
/// const READS: GroupBy = GroupBy::of(&["jdk.FileRead"]).by(&["path"]).measure(&["duration", "bytesRead"]);
/// ```
///
/// Each group has the number of its events, the start of the first and the end of the last event, the sum,
/// minimum and maximum of each measure, and the start of the event with the greatest first measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBy {
    pub(crate) events: Names,
    pub(crate) keys: Names,
    pub(crate) measures: Names,
    pub(crate) bucket: i64,
    pub(crate) histogram: bool,
    pub(crate) spread: bool,
    pub(crate) cap: usize,
}

/// A key for [`GroupBy`]: the name of the event type, to distinguish several.
pub const EVENT: &str = "@event";

/// A key for [`GroupBy`]: the name of the profile in which the event counts, by the same rules as in
/// [`collect`](crate::collect()). If several sources of CPU samples observe the same work, only one counts (a
/// [`CpuSource`](crate::CpuSource)); the meaning of an execution sample depends on what wrote the chunk; and
/// sampled allocations count only if allocations are not recorded individually. Events that do not count are
/// left out. Class definitions, throws and `profiler.Free` are also left out, because whether they count
/// depends on other events.
pub const PROFILE: &str = "@profile";

/// A measure for [`GroupBy`]: what the event adds to its profile, in samples, bytes, or nanoseconds.
pub const AMOUNT: &str = "@amount";

/// A measure of groups: the first one, whatever its name, for code that judges groups of several definitions.
pub const FIRST: &str = "@first";

impl GroupBy {
    /// The event types that are added up.
    #[must_use]
    pub const fn events(&self) -> &Names {
        &self.events
    }

    /// All events of these types as a single group.
    #[must_use]
    pub const fn of(events: &'static [&'static str]) -> Self {
        Self {
            events: Names::constant(events),
            keys: Names::NONE,
            measures: Names::NONE,
            bucket: 0,
            histogram: false,
            spread: false,
            cap: GROUPS,
        }
    }

    /// Events of these types by these keys, with these measures; for names that are known only at run time. More than
    /// [`MAX_KEYS`] keys or [`MAX_MEASURES`] measures are an error of the analysis
    /// ([`AnalysisError::TooManyKeys`](crate::rule::AnalysisError::TooManyKeys)).
    #[must_use]
    pub fn from_names(events: Names, keys: Names, measures: Names) -> Self {
        Self { events, keys, measures, ..Self::of(&[]) }
    }

    /// Groups by these fields; use [`EVENT`] for the event type.
    ///
    /// # Panics
    /// With more than [`MAX_KEYS`] fields; in a constant, that is a compile-time error.
    #[must_use]
    pub const fn by(mut self, keys: &'static [&'static str]) -> Self {
        assert!(keys.len() <= MAX_KEYS, "more keys than a group can have");
        // A constant cannot run the destructor of what is replaced.
        std::mem::forget(std::mem::replace(&mut self.keys, Names::constant(keys)));
        self
    }

    /// Adds up these fields, which may include `duration`.
    ///
    /// # Panics
    /// With more than [`MAX_MEASURES`] fields; in a constant, that is a compile-time error.
    #[must_use]
    pub const fn measure(mut self, measures: &'static [&'static str]) -> Self {
        assert!(measures.len() <= MAX_MEASURES, "more measures than a group can have");
        std::mem::forget(std::mem::replace(&mut self.measures, Names::constant(measures)));
        self
    }

    /// Also groups by time: by the slice of this many nanoseconds, counted from the epoch, in which the event
    /// ends.
    #[must_use]
    pub const fn per_nanos(mut self, nanos: i64) -> Self {
        self.bucket = nanos;
        self
    }

    /// Adds a histogram of the first measure.
    #[must_use]
    pub const fn histogram(mut self) -> Self {
        self.histogram = true;
        self
    }

    /// Adds the time slices that contain events; see [`Spread`](crate::math::Spread).
    #[must_use]
    pub const fn spread(mut self) -> Self {
        self.spread = true;
        self
    }

    /// Limits the number of groups.
    #[must_use]
    pub const fn up_to(mut self, groups: usize) -> Self {
        self.cap = groups;
        self
    }
}
