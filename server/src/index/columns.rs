//! Rows as columns: facets are numbers of interned strings; tags, types and rules are numbers of interned sets.

use std::collections::HashMap;
use std::sync::Arc;

use super::Row;
use crate::id::Id;
use crate::model::{Facets, Measure, Status};

/// Interned strings.
#[derive(Debug, Default)]
pub(super) struct Texts {
    list: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Texts {
    /// The number of a string, and whether it is new.
    pub(super) fn add(&mut self, text: &str) -> (u32, bool) {
        if let Some(number) = self.numbers.get(text) {
            return (*number, false);
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.list.push(text.clone());
        self.numbers.insert(text, number);
        (number, true)
    }

    pub(super) fn get(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|n| self.list.get(n)).map_or("", |t| t)
    }

    pub(super) fn number(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|t| &**t)
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }
}

/// Interned sets of string pairs: all profiles of a process share the same tags.
#[derive(Debug, Default)]
pub(super) struct Sets {
    list: Vec<Box<[(u32, u32)]>>,
    numbers: HashMap<Box<[(u32, u32)]>, u32>,
}

impl Sets {
    pub(super) fn add(&mut self, items: Box<[(u32, u32)]>) -> u32 {
        if let Some(number) = self.numbers.get(&items) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(items.clone());
        self.numbers.insert(items, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> &[(u32, u32)] {
        usize::try_from(number).ok().and_then(|n| self.list.get(n)).map_or(&[], |s| s)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        self.list.iter().map(|s| &**s)
    }
}

/// A string column that users filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    Service,
    Env,
    Version,
    Host,
    Runtime,
    Language,
}

impl Facet {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("env", Self::Env),
        ("service", Self::Service),
        ("version", Self::Version),
        ("host", Self::Host),
        ("runtime", Self::Runtime),
        ("language", Self::Language),
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
    }
}

/// Unknown numbers are NaN.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) texts: Texts,
    pub(super) tag_sets: Sets,
    pub(super) name_sets: Sets,
    pub(super) id: Vec<Id>,
    pub(super) start: Vec<i64>,
    pub(super) end: Vec<i64>,
    pub(super) received_at: Vec<i64>,
    pub(super) service: Vec<u32>,
    pub(super) env: Vec<u32>,
    pub(super) version: Vec<u32>,
    pub(super) host: Vec<u32>,
    pub(super) runtime: Vec<u32>,
    pub(super) language: Vec<u32>,
    pub(super) process: Vec<u32>,
    pub(super) main: Vec<u32>,
    pub(super) runtime_version: Vec<u32>,
    pub(super) status: Vec<u8>,
    pub(super) cpu: Vec<f64>,
    pub(super) alloc: Vec<f64>,
    /// Bit 0: `cpu` is a lower bound; bit 1: `alloc` is one; bit 2: pinned.
    pub(super) flags: Vec<u8>,
    pub(super) bytes: Vec<u64>,
    pub(super) disk_received: Vec<u64>,
    pub(super) disk_derived: Vec<u64>,
    pub(super) warnings: Vec<u32>,
    pub(super) found_warning: Vec<u32>,
    pub(super) found_info: Vec<u32>,
    pub(super) tags: Vec<u32>,
    pub(super) types: Vec<u32>,
    pub(super) rules: Vec<u32>,
    pub(super) alive: Vec<bool>,
    pub(super) by_id: HashMap<Id, u32>,
    pub(super) dead: usize,
}

pub(super) const PINNED: u8 = 4;

macro_rules! put {
    ($columns:ident, $at:ident, $($name:ident = $value:expr),* $(,)?) => {$(
        let value = $value;
        match $columns.$name.get_mut($at) {
            Some(place) => *place = value,
            None => $columns.$name.push(value),
        }
    )*};
}

/// A row with its strings and sets replaced by numbers, as stored in SQLite.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    pub(super) id: Id,
    pub(super) times: [i64; 3],
    pub(super) texts: [u32; 9],
    pub(super) sets: [u32; 3],
    pub(super) status: u8,
    pub(super) flags: u8,
    pub(super) measures: [f64; 2],
    pub(super) sizes: [u64; 3],
    pub(super) counts: [u32; 3],
}

impl Columns {
    pub(super) fn len(&self) -> usize {
        self.id.len()
    }

    pub(super) fn find(&self, id: Id) -> Option<usize> {
        self.by_id.get(&id).and_then(|n| usize::try_from(*n).ok())
    }

    /// Interns the strings and sets of a row.
    pub(super) fn numbers(&mut self, row: &Row) -> Numbers {
        let f = &row.facets;
        let mut text = |t: &str| self.texts.add(t).0;
        let texts = [
            text(&f.service),
            text(&f.env),
            text(&f.version),
            text(&f.host),
            text(&f.runtime),
            text(&f.language),
            text(&row.process),
            text(&row.main),
            text(&row.runtime_version),
        ];
        let tags: Box<[(u32, u32)]> = row.tags.iter().map(|(k, v)| (text(k), text(v))).collect();
        let empty = text("");
        let types: Box<[(u32, u32)]> = row.types.iter().map(|t| (text(t), empty)).collect();
        let rules: Box<[(u32, u32)]> = row.rules.iter().map(|t| (text(t), empty)).collect();
        let flags = u8::from(row.cpu.at_least) | u8::from(row.alloc.at_least) << 1 | u8::from(row.pinned) << 2;
        Numbers {
            id: row.id,
            times: [row.start, row.end, row.received_at],
            texts,
            sets: [self.tag_sets.add(tags), self.name_sets.add(types), self.name_sets.add(rules)],
            status: row.status.number(),
            flags,
            measures: [row.cpu.value.unwrap_or(f64::NAN), row.alloc.value.unwrap_or(f64::NAN)],
            sizes: [row.bytes, row.disk_received, row.disk_derived],
            counts: [row.warnings, row.found_warning, row.found_info],
        }
    }

    /// Adds a row, or replaces the one with the same id.
    pub(super) fn put(&mut self, row: &Numbers) {
        let at = self.find(row.id).unwrap_or(self.len());
        let columns = self;
        let [start, end, received_at] = row.times;
        let [service, env, version, host, runtime, language, process, main, runtime_version] = row.texts;
        let [tags, types, rules] = row.sets;
        let [cpu, alloc] = row.measures;
        let [bytes, disk_received, disk_derived] = row.sizes;
        let [warnings, found_warning, found_info] = row.counts;
        put!(
            columns,
            at,
            id = row.id,
            start = start,
            end = end,
            received_at = received_at,
            service = service,
            env = env,
            version = version,
            host = host,
            runtime = runtime,
            language = language,
            process = process,
            main = main,
            runtime_version = runtime_version,
            status = row.status,
            flags = row.flags,
            cpu = cpu,
            alloc = alloc,
            bytes = bytes,
            disk_received = disk_received,
            disk_derived = disk_derived,
            warnings = warnings,
            found_warning = found_warning,
            found_info = found_info,
            tags = tags,
            types = types,
            rules = rules,
            alive = true,
        );
        columns.by_id.insert(row.id, u32::try_from(at).unwrap_or(u32::MAX));
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, id: Id) -> bool {
        let Some(at) = self.by_id.remove(&id).and_then(|n| usize::try_from(n).ok()) else { return false };
        if let Some(alive) = self.alive.get_mut(at) {
            *alive = false;
            self.dead += 1;
        }
        if self.dead > 1_000 && self.dead > self.len() / 2 {
            self.compact();
        }
        true
    }

    fn compact(&mut self) {
        let rows: Vec<Numbers> = (0..self.len()).filter(|at| self.is_alive(*at)).filter_map(|at| self.at(at)).collect();
        let mut fresh = Self {
            texts: std::mem::take(&mut self.texts),
            tag_sets: std::mem::take(&mut self.tag_sets),
            name_sets: std::mem::take(&mut self.name_sets),
            ..Self::default()
        };
        for row in &rows {
            fresh.put(row);
        }
        *self = fresh;
    }

    pub(super) fn is_alive(&self, at: usize) -> bool {
        self.alive.get(at).copied().unwrap_or(false)
    }

    pub(super) fn at(&self, at: usize) -> Option<Numbers> {
        Some(Numbers {
            id: *self.id.get(at)?,
            times: [*self.start.get(at)?, *self.end.get(at)?, *self.received_at.get(at)?],
            texts: [
                *self.service.get(at)?,
                *self.env.get(at)?,
                *self.version.get(at)?,
                *self.host.get(at)?,
                *self.runtime.get(at)?,
                *self.language.get(at)?,
                *self.process.get(at)?,
                *self.main.get(at)?,
                *self.runtime_version.get(at)?,
            ],
            sets: [*self.tags.get(at)?, *self.types.get(at)?, *self.rules.get(at)?],
            status: *self.status.get(at)?,
            flags: *self.flags.get(at)?,
            measures: [*self.cpu.get(at)?, *self.alloc.get(at)?],
            sizes: [*self.bytes.get(at)?, *self.disk_received.get(at)?, *self.disk_derived.get(at)?],
            counts: [*self.warnings.get(at)?, *self.found_warning.get(at)?, *self.found_info.get(at)?],
        })
    }

    pub(super) fn facet(&self, facet: Facet) -> &[u32] {
        match facet {
            Facet::Service => &self.service,
            Facet::Env => &self.env,
            Facet::Version => &self.version,
            Facet::Host => &self.host,
            Facet::Runtime => &self.runtime,
            Facet::Language => &self.language,
        }
    }

    /// The row at a position, with its strings.
    pub(super) fn row(&self, at: usize) -> Option<Row> {
        let n = self.at(at)?;
        let text = |number: u32| self.texts.get(number).to_owned();
        let [service, env, version, host, runtime, language, process, main, runtime_version] = n.texts;
        let [tags, types, rules] = n.sets;
        let names = |set: u32| self.name_sets.get(set).iter().map(|(name, _)| text(*name)).collect();
        let measure = |value: f64, bit: u8| Measure {
            value: (!value.is_nan()).then_some(value),
            at_least: n.flags & bit != 0,
            how: String::new(),
        };
        let [cpu, alloc] = n.measures;
        let [bytes, disk_received, disk_derived] = n.sizes;
        let [warnings, found_warning, found_info] = n.counts;
        let [start, end, received_at] = n.times;
        Some(Row {
            id: n.id,
            start,
            end,
            received_at,
            facets: Facets {
                service: text(service),
                env: text(env),
                version: text(version),
                host: text(host),
                runtime: text(runtime),
                language: text(language),
            },
            process: text(process),
            main: text(main),
            runtime_version: text(runtime_version),
            status: Status::from_number(n.status),
            cpu: measure(cpu, 1),
            alloc: measure(alloc, 2),
            bytes,
            disk_received,
            disk_derived,
            warnings,
            found_warning,
            found_info,
            pinned: n.flags & PINNED != 0,
            tags: self.tag_sets.get(tags).iter().map(|(k, v)| (text(*k), text(*v))).collect(),
            types: names(types),
            rules: names(rules),
        })
    }
}
