//! What a recording contains about the JVM and the machine: versions, settings, flags, arguments, properties.
//!
//! It is based on a few queries of [`views`](crate::views), so only the relevant events are read. Secrets are
//! masked (module `secrets`) unless requested otherwise. Start with [`Runtime::of`].

use std::fmt::Write;

use jfr_parse::text::plain;
use jfr_parse::{Content, EpochNanos, Recording, Zone};
use jfrkit_profile::{ProfileType, layout, units};
use serde::Serialize;

pub use crate::jvms::java_version;
use crate::jvms::{JvmEvent, describe};
use crate::profiles::sources::types_of;
use crate::secrets;
use crate::summary::{Producer, Summary};
use crate::views::{Answers, Filter, Kind, Query, Raw, Shape, View, ViewSet, answer};

/// Number of earlier values kept for a value that changed.
const EARLIER: usize = 5;

/// Information about the recorded JVM and machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Runtime {
    /// The ten most important lines.
    pub overview: Vec<Entry>,
    /// All information by section. Sections without data in the recording have no entries.
    pub sections: Vec<Section>,
}

/// A section of the text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// A short name for use in programs.
    pub name: &'static str,
    /// The heading.
    pub title: &'static str,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The subject: a flag, a variable, an event type.
    pub name: String,
    /// The last recorded value.
    pub value: String,
    /// The origin of the value, for flags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Earlier values, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
}

impl Entry {
    fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), origin: None, earlier: Vec::new() }
    }
}

/// The queries on the recording, answered in one pass.
const QUERIES: [(&str, &str); 24] = [
    ("processes", "SELECT startTime, pid, jvmStartTime FROM JVMInformation"),
    ("collectors", "SELECT startTime, youngCollector, oldCollector FROM GCConfiguration"),
    (
        "jvm",
        "COLUMN 'PID', 'Started', 'Name', 'Version', 'JVM arguments', 'JVM flags', 'Program' \
         SELECT pid, jvmStartTime, jvmName, jvmVersion, jvmArguments, jvmFlags, javaArguments FROM JVMInformation",
    ),
    ("os", "COLUMN 'Operating system' SELECT osVersion FROM OSInformation"),
    ("virtualization", "COLUMN 'Virtualization' SELECT name FROM VirtualizationInformation"),
    (
        "cpu",
        "COLUMN 'CPU', 'Sockets', 'Cores', 'Hardware threads', 'Description' \
         SELECT cpu, sockets, cores, hwThreads, description FROM CPUInformation",
    ),
    (
        "available",
        "COLUMN 'Processors available to the JVM' SELECT availableProcessorCores FROM datadog.AvailableProcessorCores",
    ),
    ("memory", "COLUMN 'Physical memory', 'In use' SELECT totalSize, usedSize FROM PhysicalMemory"),
    ("container", "SELECT * FROM ContainerConfiguration"),
    ("gc", "SELECT * FROM GCConfiguration"),
    ("heap", "SELECT * FROM GCHeapConfiguration"),
    ("young", "SELECT * FROM YoungGenerationConfiguration"),
    ("survivor", "SELECT * FROM GCSurvivorConfiguration"),
    ("tlab", "SELECT * FROM GCTLABConfiguration"),
    (
        "flags",
        "SELECT name, value, origin FROM BooleanFlag, IntFlag, UnsignedIntFlag, LongFlag, UnsignedLongFlag, DoubleFlag, StringFlag",
    ),
    (
        "changed",
        "SELECT name, newValue, origin FROM BooleanFlagChanged, IntFlagChanged, UnsignedIntFlagChanged, LongFlagChanged, \
         UnsignedLongFlagChanged, DoubleFlagChanged, StringFlagChanged",
    ),
    ("properties", "SELECT key, value FROM InitialSystemProperty"),
    ("environment", "SELECT key, value FROM InitialEnvironmentVariable"),
    ("agents", "SELECT name, options, eventType.label FROM JavaAgent, NativeAgent"),
    ("modules", "SELECT source.name, COUNT(*) FROM ModuleRequire GROUP BY source.name ORDER BY source.name"),
    ("recordings", "SELECT name, destination, recordingStart, recordingDuration, maxAge, maxSize FROM ActiveRecording"),
    ("settings", "SELECT id.name, name, value FROM ActiveSetting"),
    ("ends", "SELECT eventType.label, reason FROM Shutdown, DumpReason"),
    ("datadog", "SELECT * FROM datadog.DatadogProfilerConfig"),
];

/// The queries that the overview needs, besides [`NARROW`].
const OVERVIEW: [&str; 6] = ["processes", "collectors", "jvm", "cpu", "properties", "datadog"];

/// Queries that select only what the overview needs, so that stack traces and most settings are not read.
const NARROW: [(&str, &str); 4] = [
    ("container", "SELECT containerType, effectiveCpuCount, memoryLimit FROM ContainerConfiguration"),
    ("gc", "SELECT youngCollector, oldCollector FROM GCConfiguration"),
    ("heap", "SELECT maxSize, initialSize FROM GCHeapConfiguration"),
    ("settings", "SELECT id.name, name, value FROM ActiveSetting WHERE name = 'version'"),
];

/// Whether to show secrets, and in which time zone to show times.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Show passwords, tokens and keys instead of masking them.
    pub show_secrets: bool,
    /// The time zone; UTC by default.
    pub zone: Zone,
}

impl Options {
    /// Sets whether passwords, tokens and keys are shown. Show them only to yourself.
    #[must_use]
    pub fn with_secrets(mut self, show: bool) -> Self {
        self.show_secrets = show;
        self
    }

    /// Shows times in this zone.
    #[must_use]
    pub fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }
}

/// A fact with all its values over time.
#[derive(Debug, Default)]
struct Fact {
    name: String,
    values: Vec<String>,
    origin: Option<String>,
}

/// The answers to the queries.
struct Answered {
    answers: Answers,
    options: Options,
}

impl Answered {
    /// The rows of a query with cells as text; `None` for missing values.
    fn rows(&self, name: &str) -> Vec<Vec<Option<String>>> {
        let Some(answer) = self.answers.iter().find(|answer| answer.name == name) else { return Vec::new() };
        let shape = |column: usize| answer.columns.get(column).map(|column| column.shape);
        let cell = |row, column: usize| match self.answers.raw(answer, row, column) {
            Raw::Null if answer.columns.get(column).is_some_and(|column| column.shape != Shape::Span) => None,
            Raw::Int(n) if answer.columns.get(column).is_some_and(|column| column.shape == Shape::Plain) => {
                Some(n.to_string())
            }
            Raw::Text(text) if shape(column) == Some(Shape::Instant) => Some(self.instant(&text).unwrap_or(text)),
            // In the same format as all other human-readable output.
            Raw::Int(bytes) if shape(column) == Some(Shape::Amount(Content::Bytes)) => {
                Some(units::size(i64::try_from(bytes).unwrap_or(i64::MAX)))
            }
            Raw::Int(nanos) if shape(column) == Some(Shape::Span) => {
                Some(units::duration(i64::try_from(nanos).unwrap_or(i64::MAX)))
            }
            _ => Some(self.answers.cell(answer, row, column).into_owned()).filter(|text| text != "N/A"),
        };
        (0..answer.len()).map(|row| (0..answer.columns.len()).map(|column| cell(row, column)).collect()).collect()
    }

    /// A timestamp in the requested zone.
    fn instant(&self, iso: &str) -> Option<String> {
        let bound = crate::TimeBound::parse(iso).ok()?;
        Some(self.options.zone.iso(bound.resolve(EpochNanos::default(), EpochNanos::default())))
    }

    fn titles(&self, name: &str) -> Vec<String> {
        let answer = self.answers.iter().find(|answer| answer.name == name);
        answer.map(|answer| answer.columns.iter().map(|column| column.title.clone()).collect()).unwrap_or_default()
    }

    /// One entry per column, with the values of all rows.
    fn columns(&self, name: &str) -> Vec<Entry> {
        let (titles, rows) = (self.titles(name), self.rows(name));
        let mut facts: Vec<Fact> = titles.into_iter().map(|name| Fact { name, ..Fact::default() }).collect();
        for row in rows {
            for (fact, value) in facts.iter_mut().zip(row) {
                fact.add(value);
            }
        }
        // The time of an event is not a fact about the JVM.
        let times = ["Start Time", "Event Thread", "Stack Trace", "Duration"];
        facts.retain(|fact| !fact.values.is_empty() && !times.contains(&fact.name.as_str()));
        facts.into_iter().map(|fact| self.entry(fact)).collect()
    }

    /// One entry per value in the first column, with the values of the second column; the third column is the
    /// origin.
    fn pairs(&self, names: &[&str]) -> Vec<Entry> {
        let mut places = std::collections::HashMap::<String, usize>::new();
        let mut facts: Vec<Fact> = Vec::new();
        for name in names {
            for row in self.rows(name) {
                let mut cells = row.into_iter();
                let Some(key) = cells.next().flatten() else { continue };
                let (value, origin) = (cells.next().flatten(), cells.next().flatten());
                let place = *places.entry(key.clone()).or_insert_with(|| {
                    facts.push(Fact { name: key, ..Fact::default() });
                    facts.len() - 1
                });
                if let Some(fact) = facts.get_mut(place) {
                    fact.add(value);
                    fact.origin = origin.or(fact.origin.take());
                }
            }
        }
        facts.sort_by(|a, b| a.name.cmp(&b.name));
        facts.into_iter().map(|fact| self.entry(fact)).collect()
    }

    fn entry(&self, mut fact: Fact) -> Entry {
        let hide = |value: String| {
            if self.options.show_secrets {
                value
            } else if matches!(fact.name.as_str(), "JVM arguments" | "JVM flags") {
                secrets::arguments(&value)
            } else {
                secrets::value(&fact.name, &value).into_owned()
            }
        };
        let value = fact.values.pop().map(hide).unwrap_or_default();
        let from = fact.values.len().saturating_sub(EARLIER);
        let earlier: Vec<String> =
            fact.values.drain(..).skip(from).map(hide).filter(|earlier| *earlier != value).collect();
        Entry { name: fact.name, value, origin: fact.origin, earlier }
    }

    /// A note if the recording contains several JVMs or has gaps.
    fn jvms(&self, summary: &Summary) -> Option<String> {
        let processes = self.rows("processes").into_iter().filter_map(|row| match <[_; 3]>::try_from(row).ok()? {
            [Some(at), Some(pid), Some(start)] => Some(JvmEvent { at, process: Some((pid, start)), collectors: None }),
            _ => None,
        });
        let collectors = self.rows("collectors").into_iter().filter_map(|row| match <[_; 3]>::try_from(row).ok()? {
            [Some(at), young, old] if young.is_some() || old.is_some() => {
                let names: Vec<String> = [young, old].into_iter().flatten().collect();
                Some(JvmEvent { at, process: None, collectors: Some(names.join(", ")) })
            }
            _ => None,
        });
        describe(processes.chain(collectors).collect(), summary.recorded_nanos().0, summary.duration_nanos.0)
    }

    /// The last value of a column.
    fn last(&self, name: &str, column: usize) -> Option<String> {
        self.rows(name).into_iter().rev().find_map(|row| row.into_iter().nth(column).flatten())
    }

    /// The last value of the column with this title, for a query that selects all columns.
    fn titled(&self, name: &str, title: &str) -> Option<String> {
        self.last(name, self.titles(name).iter().position(|known| known.eq_ignore_ascii_case(title))?)
    }

    fn property(&self, key: &str) -> Option<String> {
        let is = |row: &Vec<Option<String>>| row.first().and_then(Option::as_deref) == Some(key);
        self.rows("properties").into_iter().rev().find(is)?.into_iter().nth(1).flatten()
    }
}

impl Fact {
    fn add(&mut self, value: Option<String>) {
        let Some(value) = value else { return };
        // A value that occurs again moves to the end.
        self.values.retain(|known| *known != value);
        self.values.push(value);
    }
}

/// Questions that people have about a recording, the events that answer them, and the JDK version that introduced those.
const QUESTIONS: [(&str, &[&str], &str); 14] = [
    ("CPU time of methods", &["jdk.ExecutionSample", "jdk.CPUTimeSample", "datadog.ExecutionSample"], "all"),
    ("Native code", &["jdk.NativeMethodSample"], "all"),
    (
        "Allocations",
        &[
            "jdk.ObjectAllocationSample",
            "jdk.ObjectAllocationInNewTLAB",
            "jdk.ObjectAllocationOutsideTLAB",
            "datadog.ObjectSample",
        ],
        "all",
    ),
    ("Live objects, leaks", &["jdk.OldObjectSample", "profiler.LiveObject", "datadog.HeapLiveObject"], "all"),
    ("Waiting for monitors", &["jdk.JavaMonitorEnter"], "all"),
    ("Parked threads, locks of java.util.concurrent", &["jdk.ThreadPark"], "all"),
    ("File I/O", &["jdk.FileRead", "jdk.FileWrite"], "all"),
    ("Socket I/O", &["jdk.SocketRead", "jdk.SocketWrite"], "all"),
    ("Exceptions", &["jdk.JavaExceptionThrow", "jdk.JavaErrorThrow", "datadog.ExceptionSample"], "all"),
    ("Pauses of the collector", &["jdk.GCPhasePause"], "all"),
    ("Heap before and after collections", &["jdk.GCHeapSummary"], "all"),
    ("CPU load", &["jdk.CPULoad"], "all"),
    ("CPU load of threads", &["jdk.ThreadCPULoad"], "all"),
    ("Native memory", &["jdk.NativeMemoryUsage", "profiler.Malloc"], "JDK 21 with -XX:NativeMemoryTracking=summary"),
];

/// All queries.
fn queries() -> ViewSet {
    let views: Vec<View> = QUERIES.iter().filter_map(|(name, text)| view(name, text)).collect();
    ViewSet::new(&views, Filter::default())
}

impl Runtime {
    /// Reads the runtime information of a recording.
    ///
    /// # Errors
    /// Same as [`Summary::of`].
    pub fn of(recording: &Recording<'_>, options: Options) -> jfr_parse::Result<Self> {
        let (summary, answers) = Summary::with(recording, &queries())?;
        Ok(Self::from_answers(Answered { answers, options }, &summary))
    }

    /// Only the [overview](Self::overview), with the summary of the recording; both are computed in one pass.
    ///
    /// # Errors
    /// Same as [`Summary::of`].
    pub fn overview_of(recording: &Recording<'_>, options: Options) -> jfr_parse::Result<(Summary, Vec<Entry>)> {
        let queries = QUERIES.iter().filter(|(name, _)| OVERVIEW.contains(name)).chain(&NARROW);
        let views: Vec<View> = queries.filter_map(|(name, text)| view(name, text)).collect();
        let (summary, answers) = Summary::with(recording, &ViewSet::new(&views, Filter::default()))?;
        let answered = Answered { answers, options };
        let overview = overview(&answered, &summary, &answered.columns("jvm"));
        Ok((summary, overview))
    }

    /// Like [`of`](Self::of), with an existing summary of the recording.
    ///
    /// # Errors
    /// Same as [`answer`].
    pub fn with(recording: &Recording<'_>, summary: &Summary, options: Options) -> jfr_parse::Result<Self> {
        let (answers, _) = answer(recording, &queries())?;
        Ok(Self::from_answers(Answered { answers, options }, summary))
    }

    fn from_answers(answered: Answered, summary: &Summary) -> Self {
        let flags = answered.pairs(&["flags", "changed"]);
        let settings = Settings::of(&answered);
        let jvm = answered.columns("jvm");
        let pick = |names: &[&str]| {
            jvm.iter().filter(|entry| names.contains(&entry.name.as_str())).cloned().collect::<Vec<_>>()
        };
        let overview = overview(&answered, summary, &jvm);
        let mut sections = vec![
            Section {
                name: "process",
                title: "Process",
                entries: process(&answered, summary, pick(&["PID", "Started"])),
            },
            Section { name: "jvm", title: "JVM", entries: java(&answered, pick(&["Name", "Version"])) },
            Section {
                name: "os",
                title: "Operating system",
                entries: [answered.columns("os"), answered.columns("virtualization")].concat(),
            },
            Section {
                name: "cpu",
                title: "CPU",
                entries: [answered.columns("cpu"), answered.columns("available")].concat(),
            },
            Section { name: "container", title: "Container", entries: answered.columns("container") },
            Section { name: "memory", title: "Memory", entries: answered.columns("memory") },
            Section {
                name: "heap",
                title: "Collector and heap",
                entries: ["gc", "heap", "young", "survivor", "tlab"]
                    .iter()
                    .flat_map(|name| prefixed(&answered, name))
                    .collect(),
            },
            Section {
                name: "flags-changed",
                title: "Flags that differ from the defaults",
                entries: flags.iter().filter(|flag| flag.origin.as_deref() != Some("Default")).cloned().collect(),
            },
            Section {
                name: "arguments",
                title: "Arguments",
                entries: pick(&["JVM arguments", "JVM flags", "Program"]),
            },
            Section { name: "agents", title: "Agents", entries: agents(&answered, &jvm) },
            Section { name: "profiler", title: "Profiler", entries: profiler(&answered, summary) },
            Section { name: "settings", title: "Settings of the recording, by event", entries: settings.entries() },
            Section {
                name: "missing",
                title: "What the recording cannot show, and how to enable it",
                entries: missing(summary, &settings),
            },
            Section { name: "properties", title: "System properties", entries: answered.pairs(&["properties"]) },
            Section { name: "environment", title: "Environment", entries: answered.pairs(&["environment"]) },
            Section { name: "modules", title: "Modules", entries: modules(&answered) },
            Section { name: "flags", title: "All flags, with their origin", entries: flags.clone() },
        ];
        for section in &mut sections {
            // A value that was not given on the command line is not an argument.
            section.entries.retain(|entry| section.name != "arguments" || !entry.value.is_empty());
        }
        Self { overview, sections }
    }

    /// The section with this name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// All sections as text. Control characters are escaped.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for section in &self.sections {
            if !out.is_empty() {
                out.push('\n');
            }
            let _ = writeln!(out, "{}\n{}", section.title, "-".repeat(layout::width(section.title)));
            if section.entries.is_empty() {
                out.push_str("(the recording does not say)\n");
            }
            let width =
                section.entries.iter().map(|entry| layout::width(&plain(&entry.name))).max().unwrap_or(0).min(48);
            for entry in &section.entries {
                entry.line(&mut out, width);
            }
        }
        out
    }
}

impl Entry {
    /// Appends the entry as one line, or as several if the value has several lines.
    fn line(&self, out: &mut String, width: usize) {
        let value = self.value.replace('\t', " ");
        let mut lines = value.trim_end().lines();
        let name = layout::left(&plain(&self.name), width);
        let _ = write!(out, "{name}  {}", plain(lines.next().unwrap_or_default()));
        if let Some(origin) = &self.origin {
            let _ = write!(out, "  ({})", plain(origin));
        }
        if !self.earlier.is_empty() {
            let earlier: Vec<_> = self.earlier.iter().map(|value| plain(value)).collect();
            let _ = write!(out, "  (before: {})", earlier.join(", "));
        }
        out.push('\n');
        for line in lines {
            let _ = writeln!(out, "{:width$}  {}", "", plain(line));
        }
    }
}

fn view(name: &str, text: &str) -> Option<View> {
    // A test checks that they can be parsed.
    let query = Query::parse(text).ok()?;
    Some(View {
        name: name.to_owned(),
        category: String::new(),
        title: String::new(),
        about: String::new(),
        since: None,
        kind: Kind::Table,
        query,
        text: text.to_owned(),
    })
}

/// The last settings in effect for each event type.
struct Settings {
    /// (event type, setting, value), sorted.
    rows: Vec<(String, String, String)>,
}

impl Settings {
    fn of(answered: &Answered) -> Self {
        let mut values = std::collections::BTreeMap::new();
        for row in answered.rows("settings") {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let key = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
            let value = cells.next().unwrap_or_default();
            // If there are two recordings at once, the one that enables the event wins.
            let enabled = key.1 == "enabled" && values.get(&key).is_some_and(|known| known == "true");
            if !enabled {
                values.insert(key, value);
            }
        }
        Self { rows: values.into_iter().map(|((event, name), value)| (event, name, value)).collect() }
    }

    fn get(&self, event: &str, name: &str) -> Option<&str> {
        let found = self.rows.iter().find(|(of, setting, _)| of == event && setting == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// One entry per event type: whether it is enabled, and with which settings.
    fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for of in self.rows.chunk_by(|a, b| a.0 == b.0) {
            let Some((event, ..)) = of.first() else { continue };
            let value =
                |name: &str| of.iter().find(|(_, setting, _)| setting == name).map(|(_, _, value)| value.as_str());
            let mut parts = vec![if value("enabled") == Some("false") { "off".to_owned() } else { "on".to_owned() }];
            for (_, name, value) in of.iter().filter(|(_, name, value)| name != "enabled" && !value.is_empty()) {
                let plain = if name == "stackTrace" { "stack trace" } else { name.as_str() };
                parts.push(match value.as_str() {
                    "true" => plain.to_owned(),
                    "false" => format!("no {plain}"),
                    value => format!("{plain} {value}"),
                });
            }
            entries.push(Entry::new(event.as_str(), secrets::text(&parts.join(", "))));
        }
        entries
    }
}

fn process(answered: &Answered, summary: &Summary, mut entries: Vec<Entry>) -> Vec<Entry> {
    if let Some(main) = main_class(answered) {
        entries.insert(0, Entry::new("Main class", main));
    }
    let end = summary.start_nanos.saturating_add(summary.duration_nanos);
    entries.push(Entry::new("Recorded from", answered.options.zone.iso(summary.start_nanos)));
    entries.push(Entry::new("Recorded to", answered.options.zone.iso(end)));
    for row in answered.rows("ends") {
        if let [Some(kind), Some(reason)] = row.as_slice() {
            entries.push(Entry::new(kind.as_str(), reason.as_str()));
        }
    }
    entries
}

/// The class or JAR file that was started, without arguments.
fn main_class(answered: &Answered) -> Option<String> {
    let program = answered.last("jvm", 6).filter(|program| !program.is_empty());
    let program = program.or_else(|| answered.property("sun.java.command"))?;
    program.split_whitespace().next().map(str::to_owned)
}

fn java(answered: &Answered, mut entries: Vec<Entry>) -> Vec<Entry> {
    for (name, key) in [
        ("Java version", "java.version"),
        ("Java runtime", "java.runtime.version"),
        ("Specification", "java.vm.specification.version"),
        ("Vendor", "java.vm.vendor"),
        ("Mode", "java.vm.info"),
        ("Home", "java.home"),
    ] {
        if let Some(value) = answered.property(key) {
            entries.push(Entry::new(name, value));
        }
    }
    entries
}

/// The configuration of a part of the heap, with prefixed names.
fn prefixed(answered: &Answered, name: &str) -> Vec<Entry> {
    let prefix = match name {
        "young" => "Young generation: ",
        "survivor" => "Survivors: ",
        "tlab" => "TLAB: ",
        _ => "",
    };
    let mut entries = answered.columns(name);
    entries.iter_mut().for_each(|entry| entry.name.insert_str(0, prefix));
    entries
}

/// The agents from agent events or, without those, from the arguments.
fn agents(answered: &Answered, jvm: &[Entry]) -> Vec<Entry> {
    let mut entries = answered.pairs(&["agents"]);
    if entries.is_empty()
        && let Some(arguments) = jvm.iter().find(|entry| entry.name == "JVM arguments")
    {
        for word in arguments.value.split_whitespace() {
            for option in ["-javaagent:", "-agentpath:", "-agentlib:"] {
                if let Some(agent) = word.strip_prefix(option) {
                    let (path, options) = agent.split_once('=').unwrap_or((agent, ""));
                    let mut entry = Entry::new(path, options);
                    entry.origin = Some(option.trim_end_matches(':').to_owned());
                    entries.push(entry);
                }
            }
        }
    }
    entries
}

fn modules(answered: &Answered) -> Vec<Entry> {
    let names: Vec<String> =
        answered.rows("modules").into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
    if names.is_empty() { Vec::new() } else { vec![Entry::new(format!("{} modules", names.len()), names.join(" "))] }
}

/// What wrote the chunks, and with which settings.
fn profiler(answered: &Answered, summary: &Summary) -> Vec<Entry> {
    let mut entries = Vec::new();
    for producer in producers(summary) {
        let chunks = summary.chunks.iter().filter(|chunk| chunk.producer == producer).count();
        let many = if chunks == 1 { "1 chunk".to_owned() } else { format!("{chunks} chunks") };
        entries.push(Entry::new("Written by", format!("{producer}, {many}")));
    }
    for row in answered.rows("recordings") {
        let mut cells = row.into_iter();
        let name = cells.next().flatten().unwrap_or_default();
        let mut parts = Vec::new();
        for (label, cell) in ["to", "from", "for", "at most", "at most"].iter().zip(cells) {
            if let Some(cell) = cell.filter(|cell| !matches!(cell.as_str(), "" | "Indefinite" | "0 bytes" | "0 B")) {
                parts.push(format!("{label} {cell}"));
            }
        }
        let entry = Entry::new(format!("Recording {name}"), parts.join(", "));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    // async-profiler and Datadog's profiler record their options as settings of jdk.ActiveRecording.
    let own = producers(summary).iter().any(|producer| *producer != Producer::HotSpot);
    for (event, name, value) in &Settings::of(answered).rows {
        let of_the_jvm = ["enabled", "threshold", "stackTrace", "period"].contains(&name.as_str());
        if own && !of_the_jvm && event == "jdk.ActiveRecording" && !value.is_empty() {
            entries.push(Entry::new(name.as_str(), secrets::value(name, value)));
        }
    }
    entries.extend(answered.columns("datadog"));
    entries
}

fn producers(summary: &Summary) -> Vec<Producer> {
    let mut producers = Vec::new();
    for chunk in &summary.chunks {
        if !producers.contains(&chunk.producer) {
            producers.push(chunk.producer);
        }
    }
    producers
}

/// What cannot be answered, why, and how to record it.
fn missing(summary: &Summary, settings: &Settings) -> Vec<Entry> {
    let present = |event: &str| summary.events.iter().any(|of| jfr_parse::metadata::canonical_name(&of.name) == event);
    let mut entries = Vec::new();
    for (question, events, since) in QUESTIONS {
        if !events.iter().any(|event| present(event)) {
            let jdk: Vec<&str> = events.iter().filter(|event| event.starts_with("jdk.")).copied().collect();
            let Some(first) = jdk.first() else { continue };
            let off = jdk.iter().any(|event| settings.get(event, "enabled") == Some("false"));
            let on = jdk.iter().find(|event| settings.get(event, "enabled") == Some("true"));
            let how = match (on, off) {
                (Some(event), _) => match settings.get(event, "threshold").filter(|t| !t.starts_with("0 ")) {
                    Some(threshold) => {
                        format!("{event} is enabled, but no event lasted {threshold}: set {event}#threshold=0 ms")
                    }
                    None => format!("{event} is enabled, but no events occurred"),
                },
                (None, true) => format!("disabled: start with {first}#enabled=true"),
                (None, false) if since == "all" => format!("not recorded: {first}#enabled=true"),
                (None, false) => format!("not recorded: {first}#enabled=true, {since}"),
            };
            entries.push(Entry::new(question, how));
            continue;
        }
        // Some are recorded, but not all.
        for event in events.iter().filter(|event| present(event)) {
            if let Some(threshold) = settings.get(event, "threshold").filter(|t| !t.starts_with("0 ") && !t.is_empty())
            {
                let how = format!("only {event} events of at least {threshold}: set {event}#threshold=0 ms");
                entries.push(Entry::new(format!("{question}, short ones"), how));
            }
            if let Some(throttle) = settings.get(event, "throttle").filter(|t| !matches!(*t, "off" | "")) {
                let how = format!("only a sample of {event} events, {throttle}: set {event}#throttle=off");
                entries.push(Entry::new(format!("{question}, all of them"), how));
            }
        }
    }
    entries
}

/// The ten most important lines.
fn overview(answered: &Answered, summary: &Summary, jvm: &[Entry]) -> Vec<Entry> {
    let of = |name: &str| jvm.iter().find(|entry| entry.name == name).map(|entry| entry.value.clone());
    let unknown = || "the recording does not say".to_owned();
    let mut entries = vec![Entry::new("Main class", main_class(answered).unwrap_or_else(unknown))];
    let version = answered.property("java.runtime.version").or_else(|| answered.property("java.vm.version"));
    let jvm_line = match (of("Name"), version, of("Version")) {
        (Some(name), Some(version), _) => format!("{name} {version}"),
        (Some(name), None, Some(version)) => {
            format!("{name} {}", java_version(&version).unwrap_or(&version))
        }
        (Some(name), None, None) => name,
        _ => unknown(),
    };
    entries.push(Entry::new("JVM", jvm_line));
    let collectors: Vec<String> =
        [answered.titled("gc", "Young Garbage Collector"), answered.titled("gc", "Old Garbage Collector")]
            .into_iter()
            .flatten()
            .collect();
    // Profilers record the arguments, but not the configuration.
    let argument = |wanted: &dyn Fn(&str) -> Option<String>| {
        of("JVM arguments").and_then(|arguments| arguments.split_whitespace().rev().find_map(wanted))
    };
    let chosen = argument(&|word| word.strip_prefix("-XX:+Use").filter(|name| name.ends_with("GC")).map(str::to_owned));
    let collector = if collectors.is_empty() { chosen.unwrap_or_else(unknown) } else { collectors.join(", ") };
    entries.push(Entry::new("Collector", collector));
    let heap: Vec<String> = [("up to", "Maximum Heap Size"), ("initially", "Initial Heap Size")]
        .iter()
        .filter_map(|(word, title)| Some(format!("{word} {}", answered.titled("heap", title)?)))
        .collect();
    let largest = argument(&|word| word.strip_prefix("-Xmx").map(|size| format!("up to {size}")));
    entries.push(Entry::new("Heap", if heap.is_empty() { largest.unwrap_or_else(unknown) } else { heap.join(", ") }));
    let cpus = answered.last("cpu", 3).map(|threads| {
        let cores = answered.last("cpu", 2).unwrap_or_default();
        let things = |number: &str, one, many| {
            number.parse().map_or_else(|_| format!("{number} {many}"), |n| units::things(n, one, many))
        };
        format!("{}, {}", things(&threads, "hardware thread", "hardware threads"), things(&cores, "core", "cores"))
    });
    entries.push(Entry::new("CPUs", cpus.unwrap_or_else(unknown)));
    let container = answered.titled("container", "Container Type").map(|kind| {
        let cpus = answered.titled("container", "Effective CPU Count").map(|n| format!(", {n} CPUs"));
        let memory = answered.titled("container", "Memory Limit").map(|limit| match limit.starts_with(['-', '0']) {
            true => ", no memory limit".to_owned(),
            false => format!(", {limit} of memory"),
        });
        format!("{kind}{}{}", cpus.unwrap_or_default(), memory.unwrap_or_default())
    });
    entries.push(Entry::new("Container", container.unwrap_or_else(|| "none, or not recorded".to_owned())));
    let zone = &answered.options.zone;
    let start = zone.local(summary.start_nanos).to_string().replace('T', " ");
    let whole = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    entries.push(Entry::new(
        "Span",
        format!(
            "{} from {} {}, {}",
            units::duration(summary.duration_nanos.0),
            start.get(..19).unwrap_or(&start),
            zone.name(summary.start_nanos),
            units::things(whole(summary.chunks.len()), "chunk", "chunks")
        ),
    ));
    entries.push(Entry::new(
        "Events",
        format!(
            "{} of {}",
            units::things(summary.event_count(), "event", "events"),
            units::things(whole(summary.events.len()), "type", "types")
        ),
    ));
    if let Some(jvms) = answered.jvms(summary) {
        entries.push(Entry::new("Note", jvms));
    }
    let names: Vec<String> = producers(summary).iter().map(Producer::to_string).collect();
    let version = Settings::of(answered).get("jdk.ActiveRecording", "version").map(|version| format!(" {version}"));
    let version = version.or_else(|| answered.titled("datadog", "version").map(|version| format!(" {version}")));
    let profiler = match version {
        Some(version) if names.len() == 1 => format!("{}{version}", names.join(", ")),
        _ => names.join(", "),
    };
    entries.push(Entry::new("Profiler", profiler));
    let canonical: Vec<String> =
        summary.events.iter().map(|event| jfr_parse::metadata::canonical_name(&event.name).into_owned()).collect();
    let types: Vec<&str> = types_of(canonical.iter().map(String::as_str)).into_iter().map(ProfileType::name).collect();
    entries.push(Entry::new("Profiles", if types.is_empty() { "none".to_owned() } else { types.join(", ") }));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_can_be_read() {
        for (name, text) in QUERIES {
            assert!(view(name, text).is_some(), "{name}: {:?}", Query::parse(text).err());
        }
        assert!(NARROW.iter().all(|(name, text)| view(name, text).is_some()));
        assert!(OVERVIEW.iter().all(|name| QUERIES.iter().any(|(known, _)| known == name)));
    }

    /// On the fixtures, and on the corpus where it is available.
    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn the_overview_needs_few_queries() {
        let mut compared = 0;
        let folders = [Some(jfr_parse::testing::fixture("")), jfr_parse::testing::corpus("generated")];
        let folders = folders.into_iter().flatten().flat_map(|folder| std::fs::read_dir(folder).unwrap());
        for path in folders.map(|entry| entry.unwrap().path()) {
            let Ok(recording) = Recording::open(&path) else { continue };
            let Ok(whole) = Runtime::of(&recording, Options::default()) else { continue };
            let (summary, overview) = Runtime::overview_of(&recording, Options::default()).unwrap();
            assert_eq!(overview, whole.overview, "{}", path.display());
            assert_eq!(summary, Summary::of(&recording).unwrap(), "{}", path.display());
            compared += 1;
        }
        assert!(compared > 5, "{compared}");
    }
}
