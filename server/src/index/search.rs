//! Column search: each term selects a set of rows as a bitmap, the sets are combined, and the result is counted and sorted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::columns::{Columns, Facet, PINNED};
use super::query::{NUMBERS, Number, Pattern, Term, Test};
use super::{IndexError, Row, Scope, Suggestion};
use crate::model::Status;

/// A set of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn from(len: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut words = Vec::with_capacity(len.div_ceil(64));
        for base in (0..len).step_by(64) {
            let mut word = 0u64;
            for bit in 0..64.min(len - base) {
                word |= u64::from(holds(base + bit)) << bit;
            }
            words.push(word);
        }
        Self(words)
    }

    fn of_column<T>(column: &[T], mut holds: impl FnMut(&T) -> bool) -> Self {
        Self(
            column
                .chunks(64)
                .map(|chunk| {
                    chunk.iter().enumerate().fold(0, |word, (bit, value)| word | u64::from(holds(value)) << bit)
                })
                .collect(),
        )
    }

    fn and(&mut self, other: &Self) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a &= b;
        }
    }

    fn or(&mut self, other: &Self) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    fn invert(&mut self) {
        // `not` also sets the bits beyond the last row; intersecting with the live rows clears them.
        for word in &mut self.0 {
            *word = !*word;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            let mut word = word;
            std::iter::from_fn(move || {
                let bit = usize::try_from(word.trailing_zeros()).unwrap_or(64);
                if word == 0 {
                    return None;
                }
                word &= word - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

/// The sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) key: SortKey,
    pub(crate) descending: bool,
}

/// Sortable columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortKey {
    Start,
    Received,
    Duration,
    Cpu,
    Alloc,
    Bytes,
    Findings,
    Warnings,
    Facet(&'static str),
}

impl Sort {
    /// Parses `-start`, `cpu_cores` or `service`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |rest| (rest, true));
        let key = match name {
            "start" => SortKey::Start,
            "received_at" => SortKey::Received,
            "duration" => SortKey::Duration,
            "cpu_cores" | "cpu" => SortKey::Cpu,
            "alloc_rate" | "alloc" => SortKey::Alloc,
            "bytes" | "size" => SortKey::Bytes,
            "findings" => SortKey::Findings,
            "warnings" => SortKey::Warnings,
            name => match Facet::ALL.iter().find(|(n, _)| *n == name) {
                Some((name, _)) => SortKey::Facet(name),
                None => {
                    return Err(format!(
                        "unknown sort {text:?}: expected start, duration, cpu_cores, alloc_rate, bytes, findings, \
                         warnings or a facet, with - before it for the largest first"
                    ));
                }
            },
        };
        Ok(Self { key, descending })
    }
}

impl Default for Sort {
    fn default() -> Self {
        Self { key: SortKey::Start, descending: true }
    }
}

/// A page of rows.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) total: u64,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
}

/// The values of a facet with their counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct FacetCounts {
    pub(crate) values: Vec<FacetValue>,
    /// How many values are left out.
    pub(crate) more: u64,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FacetValue {
    pub(crate) value: String,
    pub(crate) count: u64,
}

/// Counts over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Histogram {
    pub(crate) step_ms: i64,
    pub(crate) start: String,
    pub(crate) counts: Vec<u64>,
}

/// The distribution of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct MeasureSummary {
    pub(crate) min: Option<f64>,
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) max: Option<f64>,
    /// Rows with a known value.
    pub(crate) count: u64,
}

/// The sort key of a row.
#[derive(Debug, Clone, PartialEq)]
enum Key<'c> {
    Number(f64),
    Text(&'c str),
}

impl Key<'_> {
    fn is_unknown(&self) -> bool {
        match self {
            Self::Number(x) => x.is_nan(),
            Self::Text(text) => text.is_empty(),
        }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        // Unknown values sort last in both directions.
        match (self.is_unknown(), other.is_unknown()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            _ => {}
        }
        let order = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

fn float(x: i64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "times and sizes stay below 2^53")]
    let x = x as f64;
    x
}

fn float_u(x: u64) -> f64 {
    float(i64::try_from(x).unwrap_or(i64::MAX))
}

impl Columns {
    fn key(&self, at: usize, sort: SortKey) -> Key<'_> {
        let time = |column: &[i64]| float(column.get(at).copied().unwrap_or(0));
        match sort {
            SortKey::Start => Key::Number(time(&self.start)),
            SortKey::Received => Key::Number(time(&self.received_at)),
            SortKey::Duration => Key::Number(time(&self.end) - time(&self.start)),
            SortKey::Cpu => Key::Number(self.cpu.get(at).copied().unwrap_or(f64::NAN)),
            SortKey::Alloc => Key::Number(self.alloc.get(at).copied().unwrap_or(f64::NAN)),
            SortKey::Bytes => Key::Number(float_u(self.bytes.get(at).copied().unwrap_or(0))),
            SortKey::Findings => {
                let of = |column: &[u32]| f64::from(column.get(at).copied().unwrap_or(0));
                Key::Number(of(&self.found_warning) * 1e4 + of(&self.found_info))
            }
            SortKey::Warnings => Key::Number(f64::from(self.warnings.get(at).copied().unwrap_or(0))),
            SortKey::Facet(name) => {
                let column = Facet::from_name(name).map_or(&[][..], |f| self.facet(f));
                Key::Text(self.texts.get(column.get(at).copied().unwrap_or(0)))
            }
        }
    }

    fn before(&self, a: usize, b: usize, sort: &Sort) -> Ordering {
        let by_key = self.key(a, sort.key).compare(&self.key(b, sort.key), sort.descending);
        by_key.then_with(|| self.id.get(b).cmp(&self.id.get(a)))
    }

    /// For each interned string, whether one of the patterns matches it.
    fn matching_texts(&self, patterns: &[Pattern]) -> Vec<bool> {
        self.texts.iter().map(|text| patterns.iter().any(|p| matches_value(p, text))).collect()
    }

    fn test(&self, test: &Test) -> Bits {
        let within =
            |table: &[bool], number: u32| usize::try_from(number).ok().and_then(|n| table.get(n)) == Some(&true);
        match test {
            Test::Pinned(pinned) => Bits::of_column(&self.flags, |flags| (flags & PINNED != 0) == *pinned),
            Test::Range(number, range) => match number {
                Number::Cpu => Bits::of_column(&self.cpu, |x| range.holds(*x)),
                Number::Alloc => Bits::of_column(&self.alloc, |x| range.holds(*x)),
                Number::Size => Bits::of_column(&self.bytes, |x| range.holds(float_u(*x))),
                Number::Warnings => Bits::of_column(&self.warnings, |x| range.holds(f64::from(*x))),
                Number::Duration => Bits::from(
                    self.len(),
                    |at| matches!(self.key(at, SortKey::Duration), Key::Number(x) if range.holds(x)),
                ),
                Number::Findings => Bits::from(self.len(), |at| {
                    let of = |column: &[u32]| f64::from(column.get(at).copied().unwrap_or(0));
                    range.holds(of(&self.found_warning) + of(&self.found_info))
                }),
            },
            Test::Word(word) => {
                let table: Vec<bool> = self.texts.iter().map(|t| t.to_lowercase().contains(word.as_str())).collect();
                let mut found = Bits::of_column(&self.service, |n| within(&table, *n));
                for column in [&self.host, &self.version, &self.main] {
                    found.or(&Bits::of_column(column, |n| within(&table, *n)));
                }
                found
            }
            Test::Text(name, patterns) => {
                if let Some(facet) = Facet::from_name(name) {
                    let table = self.matching_texts(patterns);
                    return Bits::of_column(self.facet(facet), |n| within(&table, *n));
                }
                match name.as_str() {
                    "main" => {
                        let table = self.matching_texts(patterns);
                        Bits::of_column(&self.main, |n| within(&table, *n))
                    }
                    "status" => Bits::of_column(&self.status, |s| {
                        let name = Status::from_number(*s).name();
                        patterns.iter().any(|p| matches_value(p, name))
                    }),
                    "id" => Bits::of_column(&self.id, |id| patterns.iter().any(|p| p.matches(&id.to_string()))),
                    "type" | "rule" => {
                        let table = self.matching_texts(patterns);
                        let sets: Vec<bool> =
                            self.name_sets.iter().map(|set| set.iter().any(|(n, _)| within(&table, *n))).collect();
                        let column = if name == "type" { &self.types } else { &self.rules };
                        Bits::of_column(column, |n| within(&sets, *n))
                    }
                    tag => {
                        let Some(key) = self.texts.number(tag) else { return Bits::of_column(&self.alive, |_| false) };
                        // `team:*` matches any value of the tag, even an empty one.
                        let any = patterns.iter().any(Pattern::is_any);
                        let table = self.matching_texts(patterns);
                        let holds =
                            |set: &[(u32, u32)]| set.iter().any(|(k, v)| *k == key && (any || within(&table, *v)));
                        let sets: Vec<bool> = self.tag_sets.iter().map(holds).collect();
                        Bits::of_column(&self.tags, |n| within(&sets, *n))
                    }
                }
            }
        }
    }

    fn term(&self, term: &Term) -> Bits {
        let mut bits = self.test(&term.test);
        if term.negated {
            bits.invert();
        }
        bits
    }

    fn base(&self, scope: &Scope) -> Bits {
        let mut bits = Bits::of_column(&self.alive, |alive| *alive);
        if let Some(from) = scope.from {
            bits.and(&Bits::of_column(&self.start, |start| *start >= from));
        }
        if let Some(to) = scope.to {
            bits.and(&Bits::of_column(&self.start, |start| *start < to));
        }
        bits
    }

    /// The matching rows.
    pub(super) fn matching(&self, scope: &Scope) -> Bits {
        let mut bits = self.base(scope);
        for term in &scope.query {
            bits.and(&self.term(term));
        }
        bits
    }

    pub(super) fn page(
        &self,
        scope: &Scope,
        sort: &Sort,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page, IndexError> {
        let bits = self.matching(scope);
        let total = bits.count();
        let mut places: Vec<usize> = match cursor {
            None => bits.iter().collect(),
            Some(cursor) => {
                let (id, key) = cursor.split_once('.').ok_or(IndexError::Cursor)?;
                let id = crate::id::Id::parse(id).ok_or(IndexError::Cursor)?;
                let key = match sort.key {
                    SortKey::Facet(_) => Key::Text(key),
                    _ => Key::Number(key.parse().map_err(|_| IndexError::Cursor)?),
                };
                let after = |at: &usize| {
                    let order = key.compare(&self.key(*at, sort.key), sort.descending);
                    order.then_with(|| self.id.get(*at).cmp(&Some(&id))) == Ordering::Less
                };
                bits.iter().filter(after).collect()
            }
        };
        let more = places.len() > limit;
        if more {
            places.select_nth_unstable_by(limit, |a, b| self.before(*a, *b, sort));
            places.truncate(limit);
        }
        places.sort_unstable_by(|a, b| self.before(*a, *b, sort));
        let next = places.last().filter(|_| more).and_then(|&at| {
            let key = match self.key(at, sort.key) {
                Key::Number(x) => x.to_string(),
                Key::Text(text) => text.to_owned(),
            };
            Some(format!("{}.{key}", self.id.get(at)?))
        });
        Ok(Page { total, rows: places.into_iter().filter_map(|at| self.row(at)).collect(), next })
    }

    /// Counts by facet. A facet's own terms do not narrow its counts.
    pub(super) fn counts(&self, scope: &Scope, names: &[String], top: usize) -> BTreeMap<String, FacetCounts> {
        let base = self.base(scope);
        let terms: Vec<(Option<&str>, Bits)> = scope
            .query
            .iter()
            .map(|term| {
                let of = match &term.test {
                    Test::Text(name, _) => Some(name.as_str()),
                    _ => None,
                };
                (of, self.term(term))
            })
            .collect();
        let mut all = base.clone();
        for (_, bits) in &terms {
            all.and(bits);
        }
        let mut counts = BTreeMap::new();
        for name in names {
            let narrowed;
            let bits = if terms.iter().any(|(of, _)| *of == Some(name)) {
                let mut bits = base.clone();
                for (_, term) in terms.iter().filter(|(of, _)| *of != Some(name)) {
                    bits.and(term);
                }
                narrowed = bits;
                &narrowed
            } else {
                &all
            };
            counts.insert(name.clone(), self.count_values(name, bits, top));
        }
        counts
    }

    fn count_values(&self, name: &str, bits: &Bits, top: usize) -> FacetCounts {
        let mut by_text = vec![0u64; self.texts.len()];
        let mut add = |number: u32, n: u64| {
            if let Some(count) = usize::try_from(number).ok().and_then(|n| by_text.get_mut(n)) {
                *count += n;
            }
        };
        if name == "status" {
            let mut counts = [0u64; 4];
            for at in bits.iter() {
                if let Some(count) = self.status.get(at).and_then(|s| counts.get_mut(usize::from(*s))) {
                    *count += 1;
                }
            }
            let values = Status::ALL.iter().zip(counts).map(|(s, n)| (s.name().to_owned(), n));
            return top_values(values.filter(|(_, n)| *n > 0).collect(), top);
        }
        if let Some(column) = Facet::from_name(name).map(|f| self.facet(f)).or((name == "main").then_some(&self.main)) {
            for at in bits.iter() {
                add(column.get(at).copied().unwrap_or(0), 1);
            }
        } else {
            let column = match name {
                "type" => &self.types,
                "rule" => &self.rules,
                _ => &self.tags,
            };
            let mut by_set: HashMap<u32, u64> = HashMap::new();
            for at in bits.iter() {
                *by_set.entry(column.get(at).copied().unwrap_or(0)).or_default() += 1;
            }
            let key = self.texts.number(name);
            for (set, n) in by_set {
                match name {
                    "type" | "rule" => self.name_sets.get(set).iter().for_each(|(name, _)| add(*name, n)),
                    _ => self.tag_sets.get(set).iter().filter(|(k, _)| Some(*k) == key).for_each(|(_, v)| add(*v, n)),
                }
            }
        }
        let found = by_text.iter().zip(self.texts.iter()).filter(|(n, _)| **n > 0);
        top_values(found.map(|(n, text)| (text.to_owned(), *n)).collect(), top)
    }

    pub(super) fn histogram(&self, scope: &Scope, now: i64) -> Histogram {
        let bits = self.matching(scope);
        let starts = || bits.iter().filter_map(|at| self.start.get(at).copied());
        let from = scope.from.or_else(|| starts().min()).unwrap_or(now);
        let to = scope.to.or_else(|| starts().max().map(|t| t + 1)).unwrap_or(now).max(from + 1);
        const STEPS: [i64; 16] = [
            1_000,
            5_000,
            10_000,
            30_000,
            60_000,
            300_000,
            600_000,
            1_800_000,
            3_600_000,
            10_800_000,
            21_600_000,
            43_200_000,
            86_400_000,
            604_800_000,
            2_592_000_000,
            31_536_000_000,
        ];
        const BARS: i64 = 120;
        let step = STEPS.into_iter().find(|s| (to - from) / s < BARS).unwrap_or((to - from) / BARS + 1);
        let first = from.div_euclid(step);
        let bars = usize::try_from((to - 1).div_euclid(step) - first + 1).unwrap_or(1).min(1_000);
        let mut counts = vec![0u64; bars];
        for start in starts() {
            if let Some(n) = usize::try_from(start.div_euclid(step) - first).ok().and_then(|i| counts.get_mut(i)) {
                *n += 1;
            }
        }
        Histogram { step_ms: step, start: crate::time::rfc3339(first.saturating_mul(step)), counts }
    }

    pub(super) fn summaries(&self, scope: &Scope) -> BTreeMap<&'static str, MeasureSummary> {
        // A slider always shows the full range, so its own term does not narrow it.
        let mut of = BTreeMap::new();
        for (name, number, column) in
            [("cpu_cores", Number::Cpu, &self.cpu), ("alloc_rate", Number::Alloc, &self.alloc)]
        {
            let query = scope.query.iter().filter(|t| !matches!(&t.test, Test::Range(n, _) if *n == number)).cloned();
            let scope = Scope { query: query.collect(), ..scope.clone() };
            let bits = self.matching(&scope);
            let mut values: Vec<f64> =
                bits.iter().filter_map(|at| column.get(at).copied()).filter(|x| !x.is_nan()).collect();
            let count = u64::try_from(values.len()).unwrap_or(0);
            let mut at = |share: usize| {
                let place = values.len().saturating_sub(1) * share / 100;
                (place < values.len()).then(|| *values.select_nth_unstable_by(place, f64::total_cmp).1)
            };
            of.insert(name, MeasureSummary { min: at(0), p50: at(50), p95: at(95), max: at(100), count });
        }
        of
    }

    pub(super) fn suggest(&self, prefix: &str, scope: &Scope) -> Vec<Suggestion> {
        const MOST: usize = 20;
        let bits = self.base(scope);
        let (sign, term) = prefix.strip_prefix('-').map_or(("", prefix), |rest| ("-", rest));
        let quoted = |v: &str| {
            if v.is_empty() || v.contains(|c: char| c.is_whitespace() || "()[]\":*".contains(c)) {
                format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))
            } else {
                v.to_owned()
            }
        };
        if let Some((name, typed)) = term.split_once(':') {
            let typed = typed.trim_start_matches(['(', '"']).to_lowercase();
            if name == "pinned" {
                let pinned = |at: &usize| self.flags.get(*at).is_some_and(|flags| flags & PINNED != 0);
                let count = u64::try_from(bits.iter().filter(pinned).count()).unwrap_or(0);
                let both = [("true", count), ("false", bits.count().saturating_sub(count))];
                let found = both.into_iter().filter(|(value, _)| value.starts_with(&typed));
                let of = |(value, count)| Suggestion { text: format!("{sign}pinned:{value}"), kind: "value", count };
                return found.map(of).collect();
            }
            let values = self.count_values(name, &bits, usize::MAX).values.into_iter();
            return values
                .filter(|v| !v.value.is_empty() && v.value.to_lowercase().contains(&typed))
                .take(MOST)
                .map(|v| Suggestion {
                    text: format!("{sign}{name}:{}", quoted(&v.value)),
                    kind: "value",
                    count: v.count,
                })
                .collect();
        }
        let typed = term.to_lowercase();
        let total = bits.count();
        let mut found = Vec::new();
        let fixed = Facet::ALL.iter().map(|(name, _)| *name).chain(["main", "status", "type", "rule", "pinned"]);
        for name in fixed.filter(|name| name.starts_with(&typed)) {
            found.push(Suggestion { text: format!("{sign}{name}:"), kind: "name", count: total });
        }
        for (name, _) in NUMBERS.iter().filter(|(name, _)| !name.contains('_') && name.starts_with(&typed)) {
            found.push(Suggestion { text: format!("{sign}{name}:"), kind: "measure", count: total });
        }
        let mut by_key: BTreeMap<u32, u64> = BTreeMap::new();
        let mut by_set: HashMap<u32, u64> = HashMap::new();
        for at in bits.iter() {
            *by_set.entry(self.tags.get(at).copied().unwrap_or(0)).or_default() += 1;
        }
        for (set, n) in by_set {
            for (key, _) in self.tag_sets.get(set) {
                *by_key.entry(*key).or_default() += n;
            }
        }
        let mut keys: Vec<(&str, u64)> = by_key.iter().map(|(k, n)| (self.texts.get(*k), *n)).collect();
        keys.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        for (key, count) in keys {
            let known = Facet::from_name(key).is_some() || key.starts_with("__");
            if !known && key.to_lowercase().starts_with(&typed) {
                found.push(Suggestion { text: format!("{sign}{}:", quoted(key)), kind: "name", count });
            }
        }
        if !typed.is_empty() {
            for (name, facet) in Facet::ALL {
                let _ = facet;
                for v in self.count_values(name, &bits, 200).values {
                    if v.value.to_lowercase().contains(&typed) {
                        let text = format!("{sign}{name}:{}", quoted(&v.value));
                        found.push(Suggestion { text, kind: "value", count: v.count });
                    }
                }
            }
        }
        found.truncate(MOST);
        found
    }
}

fn top_values(mut values: Vec<(String, u64)>, top: usize) -> FacetCounts {
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = u64::try_from(values.len().saturating_sub(top)).unwrap_or(0);
    values.truncate(top);
    FacetCounts { values: values.into_iter().map(|(value, count)| FacetValue { value, count }).collect(), more }
}

/// `*` needs a non-empty value, so `-env:*` finds rows without one.
fn matches_value(pattern: &Pattern, text: &str) -> bool {
    pattern.matches(text) && !(text.is_empty() && pattern.is_any())
}
