//! Sample labels, and filters on the same properties.

use jfr_parse::{Chunk, Column, ConstantKey, Pools, RawStr, Text};

use super::chunk::MAX_KEY_TEXT;
use super::context::Context;
use super::gather::{Detail, DetailId, Key};
use super::options::LabelKey;
use super::plans::{CLASS, KeyPlan, Plans, Reading, ThreadPlan};
use super::sources::{KEY, SourceId};
use crate::engine::functions::class_name;
use crate::hash::HashMap;
use crate::names;
use jfrkit_profile::{Label, LabelSetId, LabelValue, StrId, TIME_LABEL};

/// Resolves the labels of one chunk's samples, each distinct set once.
pub(super) struct Labels<'c, 'a> {
    chunk: &'c Chunk<'a>,
    plans: &'c Plans,
    pools: &'c Pools<'a>,
    context: &'c Context<'c>,
    sets: HashMap<(SourceId, ConstantKey, DetailId), LabelSetId>,
    threads: HashMap<ConstantKey, (StrId, i64)>,
    /// Texts by their position.
    texts: HashMap<(usize, usize), StrId>,
    classes: HashMap<(usize, usize), StrId>,
    thread_passes: HashMap<StrId, bool>,
    state_passes: HashMap<(SourceId, ConstantKey), bool>,
}

/// The recorded name of the class or state that an event's key refers to.
pub(super) fn key_text<'a>(
    chunk: &Chunk<'a>,
    plans: &Plans,
    pools: &Pools<'a>,
    reading: &Reading,
    key: ConstantKey,
) -> RawStr<'a> {
    let Some(type_id) = reading.plan.type_id(KEY) else { return RawStr::Null };
    let metadata = chunk.metadata();
    match plans.keys.get(&type_id) {
        Some(KeyPlan::Class(plan)) => class_name(chunk, pools, plan, key),
        Some(KeyPlan::Object(plan, class)) => {
            let row = pools.get(type_id, key).and_then(|bytes| plan.read(bytes).ok());
            row.zip(class.as_ref()).map_or(RawStr::Null, |(row, class)| class_name(chunk, pools, class, row.get(CLASS)))
        }
        None => pools.string(metadata, type_id, key),
    }
}

impl<'c, 'a> Labels<'c, 'a> {
    pub(super) fn new(chunk: &'c Chunk<'a>, plans: &'c Plans, pools: &'c Pools<'a>, context: &'c Context<'c>) -> Self {
        Self {
            chunk,
            plans,
            pools,
            context,
            sets: HashMap::default(),
            threads: HashMap::default(),
            texts: HashMap::default(),
            classes: HashMap::default(),
            thread_passes: HashMap::default(),
            state_passes: HashMap::default(),
        }
    }

    /// Whether events with this key pass the thread and state filters.
    pub(super) fn passes(&mut self, reading: &Reading, key: &Key, detail: &Detail) -> bool {
        let filter = &self.context.options.filter;
        if let Some(wanted) = &filter.threads {
            let (name, _) = self.thread(detail.thread);
            let interner = &self.context.shared.interner;
            let pass = self.thread_passes.entry(name).or_insert_with(|| wanted.is_match(interner.symbols().str(name)));
            if !*pass {
                return false;
            }
        }
        let is_state = key.source.source().key == Some(LabelKey::State);
        if let Some(wanted) = filter.states.as_ref().filter(|_| is_state) {
            let (chunk, plans, pools) = (self.chunk, self.plans, self.pools);
            return *self.state_passes.entry((key.source, key.key)).or_insert_with(|| {
                let name = key_text(chunk, plans, pools, reading, key.key).cut(MAX_KEY_TEXT);
                wanted.is_match(&name.decode().unwrap_or_default())
            });
        }
        true
    }

    /// The name and id of a thread.
    fn thread(&mut self, key: ConstantKey) -> (StrId, i64) {
        if let Some(known) = self.threads.get(&key) {
            return *known;
        }
        let (chunk, plans, pools) = (self.chunk, self.plans, self.pools);
        let row = plans
            .threads
            .as_ref()
            .and_then(|plan| Some((plan, plan.thread.read(pools.get(plan.thread_type, key)?).ok()?)));
        let found = row.map_or((StrId::default(), 0), |(plan, row)| {
            let mut text = |name: Column<Text>| self.text(pools.text(chunk.metadata(), &plan.thread, &row, name));
            let [java_name, os_name] = ThreadPlan::NAMES;
            let java = text(java_name);
            let name = if java == StrId::default() { text(os_name) } else { java };
            let [java_id, os_id] = ThreadPlan::IDS.map(|id| row.get(id));
            (name, if java_id > 0 { java_id } else { os_id })
        });
        self.threads.insert(key, found);
        found
    }

    /// Interns a text. Any number of constants may refer to the same text, so it is identified by its position.
    fn text(&mut self, raw: RawStr<'a>) -> StrId {
        let (context, longest) = (self.context, self.chunk.limits().string_bytes);
        *self
            .texts
            .entry(place(raw))
            .or_insert_with(|| context.shared.interner.symbols().string(&raw.cut(longest).decode().unwrap_or_default()))
    }

    /// The name of a class.
    fn class(&mut self, raw: RawStr<'a>) -> StrId {
        let (context, longest) = (self.context, self.chunk.limits().string_bytes);
        *self.classes.entry(place(raw)).or_insert_with(|| {
            let recorded = raw.cut(longest).decode().unwrap_or_default();
            let name = if context.options.raw_names {
                recorded
            } else {
                names::normalize_class(&recorded).into_owned().into()
            };
            context.shared.interner.symbols().string(&names::type_name(&name))
        })
    }

    /// The labels of a sample.
    pub(super) fn set(&mut self, reading: &Reading, key: &Key, detail: &Detail, text: RawStr<'a>) -> LabelSetId {
        if self.context.options.labels.is_empty() && !self.context.options.times {
            return LabelSetId::default();
        }
        let known = (key.source, key.key, key.detail);
        if let Some(set) = self.sets.get(&known) {
            return *set;
        }
        let set = self.compose(reading, key, detail, text);
        self.sets.insert(known, set);
        set
    }

    fn compose(&mut self, reading: &Reading, key: &Key, detail: &Detail, text: RawStr<'a>) -> LabelSetId {
        let source = key.source.source();
        let mut labels: Vec<Label> = Vec::new();
        for wanted in
            LabelKey::ALL.into_iter().chain([LabelKey::ContextId]).filter(|l| self.context.options.labels.contains(l))
        {
            let text_label = |text: StrId| (text != StrId::default()).then_some(LabelValue::Text(text));
            let number = |n: u64| (n != 0).then_some(LabelValue::Number(n.cast_signed()));
            let value = match wanted {
                LabelKey::Thread => text_label(self.thread(detail.thread).0),
                LabelKey::ThreadId => number(self.thread(detail.thread).1.cast_unsigned()),
                LabelKey::Class | LabelKey::State if source.key == Some(wanted) => {
                    let name = key_text(self.chunk, self.plans, self.pools, reading, key.key);
                    text_label(if wanted == LabelKey::Class { self.class(name) } else { self.text(name) })
                }
                LabelKey::Path | LabelKey::Host | LabelKey::Class if source.text == Some(wanted) => {
                    text_label(self.text(self.pools.resolve(self.plans.string_type, text)))
                }
                LabelKey::Port => number(u64::from(detail.port)),
                LabelKey::SpanId if !reading.context => number(detail.span),
                LabelKey::ContextId if reading.context => number(detail.span),
                // The endpoint is recorded later; until then, its root span id represents it.
                LabelKey::LocalRootSpanId | LabelKey::TraceEndpoint => number(detail.root_span),
                _ => None,
            };
            labels.extend(value.map(|value| Label { key: wanted.name(), value }));
        }
        if detail.time != 0 {
            labels.push(Label { key: TIME_LABEL, value: LabelValue::Number(detail.time) });
        }
        self.context.shared.interner.symbols().label_set(&labels)
    }
}

/// The position of the bytes of a string; all empty strings share one.
fn place(raw: RawStr<'_>) -> (usize, usize) {
    match raw.bytes() {
        [] => (0, 0),
        bytes => (bytes.as_ptr().addr(), bytes.len()),
    }
}
