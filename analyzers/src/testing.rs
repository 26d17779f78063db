//! Handmade facts, for tests of rules.

use std::collections::BTreeMap;

use crate::events::cell::{Cell, ThreadId};
use crate::events::facts::{EventFacts, Facts, GroupsData, Key, Lazy, Sample, TableData, ThreadInfo};
use crate::events::needs::{AMOUNT, EVENT, MAX_KEYS, MAX_MEASURES, PROFILE};
use crate::events::read::{ChunkView, Profiles, Wanted, Writer, code};
use crate::profiles::sources::{self, KEY, Measure, SourceId, source_of};
use crate::rule::Settings;
use crate::rule::Verdict;
use crate::rule::{Outcome, Severity, judge};
use crate::rule::{Rule, Text};
use crate::time_range::TimeRange;
use jfrkit_profile::{Frame, Function, Interner, StrId};

/// The value of a field in a synthetic event.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// An integer: nanoseconds, bytes, anything.
    Int(i64),
    /// Any number.
    Float(f64),
    /// A string, a class, a method or a constant.
    Text(String),
    /// A Java thread with this name.
    Thread(String),
    /// A JVM thread with this name, such as a GC thread.
    NativeThread(String),
    /// A stack with these methods, leaf first.
    Stack(Vec<String>),
}

impl From<i64> for Field {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Field {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Field {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Field {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// A field with a thread.
#[must_use]
pub fn thread(name: &str) -> Field {
    Field::Thread(name.to_owned())
}

/// A field with a JVM thread.
#[must_use]
pub fn native_thread(name: &str) -> Field {
    Field::NativeThread(name.to_owned())
}

/// A field with a stack, leaf first.
#[must_use]
pub fn stack(methods: &[&str]) -> Field {
    Field::Stack(methods.iter().map(|m| (*m).to_owned()).collect())
}

#[derive(Debug, Clone)]
struct MadeUp {
    event: String,
    start: i64,
    end: i64,
    fields: BTreeMap<String, Field>,
}

/// A synthetic recording.
///
/// ```
/// use jfr_analyzers::events::Needs;
/// use jfr_analyzers::rule::{Rule, RuleInfo, Settings, Severity, Verdict};
/// use jfr_analyzers::testing::Scene;
///
/// struct Full;
///
/// impl Rule for Full {
///     fn info(&self) -> RuleInfo {
///         RuleInfo::own("Full")
///     }
///
///     fn needs(&self) -> Needs {
///         Needs::new().table("jdk.DumpReason", &["reason"])
///     }
///
///     fn evaluate(&self, facts: &jfr_analyzers::events::Facts, _: &Settings) -> Verdict {
///         let full = facts.table("jdk.DumpReason").rows().any(|row| row.text("reason") == Some("Out of Memory"));
///         if full { Verdict::scored(100.0, "Out of memory") } else { Verdict::ok("Enough memory") }
///     }
/// }
///
/// let verdict = Scene::new().event("jdk.DumpReason", 0, 0, [("reason", "Out of Memory".into())]).judge(&Full);
/// assert_eq!(verdict.severity, Severity::Warning);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scene {
    events: Vec<MadeUp>,
    settings: Vec<(String, i64, String, String)>,
    declared: Vec<String>,
    truncated: BTreeMap<String, u64>,
    values: BTreeMap<String, String>,
}

impl Scene {
    /// An empty recording.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event with these start and end times in nanoseconds. Its `duration` is computed from them.
    #[must_use]
    pub fn event<'n>(
        mut self,
        event: &str,
        start: i64,
        end: i64,
        fields: impl IntoIterator<Item = (&'n str, Field)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.events.push(MadeUp { event: event.to_owned(), start, end, fields });
        self
    }

    /// Adds a setting of an event type, recorded at time 0.
    #[must_use]
    pub fn setting(mut self, event: &str, name: &str, value: &str) -> Self {
        self.settings.push((event.to_owned(), 0, name.to_owned(), value.to_owned()));
        self
    }

    /// Enables an event type.
    #[must_use]
    pub fn enabled(self, event: &str) -> Self {
        self.setting(event, "enabled", "true")
    }

    /// Sets how many stacks of an event type are truncated.
    #[must_use]
    pub fn truncated(mut self, event: &str, count: u64) -> Self {
        self.truncated.insert(event.to_owned(), count);
        self
    }

    /// Declares an event type without events.
    #[must_use]
    pub fn declared(mut self, event: &str) -> Self {
        self.declared.push(event.to_owned());
        self
    }

    /// Overrides a setting of the rule.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.values.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The verdict of a rule, including "not applicable" for missing events and for an invalid setting.
    #[must_use]
    pub fn judge(&self, rule: &dyn Rule) -> Verdict {
        let needs = rule.needs();
        let info = rule.info();
        match Settings::with(&info.id, &info.settings, &self.values) {
            Ok(settings) => {
                let outcome: Outcome = judge(rule, &needs, &settings, &self.facts(&Wanted::new([&needs])));
                outcome.verdict
            }
            Err(error) => Verdict::not_applicable(error.to_string()),
        }
    }

    /// The verdict of JMC, for a rule that JMC also has. An invalid setting counts as not applicable.
    #[must_use]
    pub fn as_jmc(&self, rule: &dyn Rule) -> Severity {
        let needs = rule.needs();
        let info = rule.info();
        let Ok(settings) = Settings::with(&info.id, &info.settings, &self.values) else {
            return Severity::NotApplicable;
        };
        let outcome = judge(rule, &needs, &settings, &self.facts(&Wanted::new([&needs])));
        outcome.jmc_severity.unwrap_or(outcome.verdict.severity)
    }

    fn facts(&self, wanted: &Wanted) -> Facts {
        let mut maker = Maker { interner: Interner::new(), threads: Vec::new() };
        let mut events: BTreeMap<String, EventFacts> = BTreeMap::new();
        let mut tables: BTreeMap<Text, TableData> = wanted
            .tables
            .iter()
            .map(|(event, (fields, cap))| (event.clone(), TableData::new(fields.clone(), *cap)))
            .collect();
        let mut groups: Vec<GroupsData> = wanted.groups.iter().map(|by| GroupsData::new(by.clone())).collect();
        for event in &self.declared {
            events.entry(event.clone()).or_default().declared = true;
        }
        for (event, at, name, value) in &self.settings {
            events.entry(event.clone()).or_default().declared = true;
            if let Some(table) = tables.get_mut("jdk.ActiveSetting") {
                let text = |text: &str| Cell::Text(maker.interner.symbols().string(text));
                table.push(*at, *at, [text(event), Cell::Null, text(name), text(value)].into_iter());
            }
        }
        for made_up in &self.events {
            let MadeUp { event, start, end, .. } = made_up;
            let facts = events.entry(event.clone()).or_default();
            let with_stack = u64::from(made_up.fields.contains_key("stackTrace"));
            facts.merge(&EventFacts {
                declared: true,
                count: 1,
                with_stack,
                first: *start,
                first_end: *end,
                last: *end,
                ..EventFacts::default()
            });
            if let Some(table) = tables.get_mut(event.as_str()) {
                let fields = table.fields.clone();
                let cells: Vec<Cell> = fields.iter().map(|f| maker.cell(made_up, f)).collect();
                for (declared, cell) in table.declared.iter_mut().zip(&cells) {
                    *declared |= *cell != Cell::Null;
                }
                table.push(*start, *end, cells.into_iter());
            }
            for group in groups.iter_mut().filter(|g| g.by.events.contains(event)) {
                let mut key: Key = ([Cell::Null; MAX_KEYS], 0);
                for (to, field) in key.0.iter_mut().zip(group.by.keys.iter()) {
                    *to = maker.cell(made_up, field);
                }
                if group.by.bucket > 0 {
                    key.1 = end.div_euclid(group.by.bucket).saturating_mul(group.by.bucket);
                }
                let mut sample = Sample { start: *start, end: *end, measures: [0.0; MAX_MEASURES], since: *end };
                for (to, field) in sample.measures.iter_mut().zip(group.by.measures.iter()) {
                    *to = maker.cell(made_up, field).float().unwrap_or(0.0);
                }
                group.add(&key, &sample);
            }
        }
        for (event, count) in &self.truncated {
            events.entry(event.clone()).or_default().truncated = *count;
        }
        let by_event: Vec<TableData> = wanted.tables.keys().filter_map(|event| tables.get(event).cloned()).collect();
        let groups = self.by_profile(&by_event, groups, wanted, &maker.interner);
        for table in tables.values_mut() {
            table.sort();
        }
        let mut facts = Facts {
            names: maker.interner.freeze().into(),
            threads: maker.threads,
            events,
            tables,
            groups,
            methods: wanted.methods.clone(),
            chunks: 1,
            first_shape: None,
            header_range: (0, 0),
            range: TimeRange::default(),
            gaps: Vec::new(),
            unread_chunks: 0,
            warnings: Vec::new(),
            notes: Vec::new(),
            empty: TableData::default(),
            stops: Default::default(),
            lazy: Lazy::default(),
        };
        facts.count_switches();
        facts
    }
}

impl Scene {
    /// Builds the groups by profile, as if all events were in one chunk.
    fn by_profile(
        &self,
        tables: &[TableData],
        mut groups: Vec<GroupsData>,
        wanted: &Wanted,
        interner: &Interner,
    ) -> Vec<GroupsData> {
        let default = Field::Text("STATE_DEFAULT".to_owned());
        let chunk = ChunkView {
            index: 0,
            writer: Writer::of(true, tables, wanted, interner),
            has_default_state: self.events.iter().any(|e| e.fields.get("state") == Some(&default)),
            counts: SourceId::all()
                .map(|id| self.events.iter().filter(|e| e.event == id.source().event).count() as u64)
                .collect(),
        };
        let mut profiles = Profiles::new(&wanted.groups, &[(0, 1)], interner);
        profiles.assign_profiles(&chunk, &mut groups, interner, Cell::Stack);
        profiles.finish_chunk(0, &mut groups);
        groups
    }
}

struct Maker {
    interner: Interner,
    threads: Vec<ThreadInfo>,
}

impl Maker {
    fn thread(&mut self, name: String, java: bool) -> Cell {
        let place = self.threads.iter().position(|t| t.name == name && t.is_java() == java);
        let place = place.unwrap_or_else(|| {
            let id = i64::try_from(self.threads.len()).unwrap_or(0).saturating_add(1);
            let java_id = if java { id } else { 0 };
            self.threads.push(ThreadInfo { name, java_id, os_id: id, ..ThreadInfo::UNKNOWN });
            self.threads.len() - 1
        });
        Cell::Thread(ThreadId(u32::try_from(place).unwrap_or(u32::MAX)))
    }

    fn profile(&mut self, of: &MadeUp) -> Cell {
        let Some(place) = source_of(&of.event) else { return Cell::Null };
        let field = place.source().field(KEY);
        code(place, self.cell(of, field).text())
    }

    /// How much an event adds to its profile.
    fn amount(&mut self, of: &MadeUp) -> Cell {
        let Some(source) = source_of(&of.event).map(SourceId::source) else { return Cell::Null };
        let mut field = |column| self.cell(of, source.field(column));
        match source.measure {
            Measure::Count | Measure::Period | Measure::CpuTicks => Cell::Int(1),
            Measure::Weight | Measure::Bytes => field(sources::AMOUNT),
            Measure::WeightedBytes => {
                let (weight, size) = (field(sources::AMOUNT).float(), field(sources::SECOND).float());
                Cell::of_float(weight.unwrap_or(0.0) * size.unwrap_or(0.0))
            }
            Measure::Ticks | Measure::BytesAndTicks => self.cell(of, "duration"),
        }
    }

    fn cell(&mut self, of: &MadeUp, wanted: &str) -> Cell {
        match wanted {
            PROFILE => return self.profile(of),
            AMOUNT => return self.amount(of),
            _ => {}
        }
        let found = wanted.split('|').find_map(|path| match path {
            EVENT => Some(Field::Text(of.event.clone())),
            "duration" => Some(Field::Int(of.end.saturating_sub(of.start))),
            path => of.fields.get(path).cloned(),
        });
        match found {
            None => Cell::Null,
            Some(Field::Int(value)) => Cell::Int(value),
            Some(Field::Float(value)) => Cell::of_float(value),
            Some(Field::Text(text)) => Cell::Text(self.interner.symbols().string(&text)),
            Some(Field::Thread(name)) => self.thread(name, true),
            Some(Field::NativeThread(name)) => self.thread(name, false),
            Some(Field::Stack(methods)) => {
                let frames: Vec<_> = methods
                    .iter()
                    .map(|method| {
                        let mut symbols = self.interner.symbols();
                        let name = symbols.string(method);
                        let none = StrId::default();
                        let function =
                            symbols.function_id(Function { name, system_name: name, file: none, library: none });
                        symbols.frame_id(Frame { function, line: 0 })
                    })
                    .collect();
                Cell::Stack(self.interner.stack(&frames))
            }
        }
    }
}
