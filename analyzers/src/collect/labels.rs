//! The labels of samples, and the filters that look at the same things.

use hashbrown::HashMap;
use jfr_parse::{Chunk, Pools, RawStr};

use super::chunk::Context;
use super::functions::class_name;
use super::gather::{Detail, Key};
use super::options::LabelKey;
use super::plans::{ClassPlan, Plans, Reading};
use super::sources::{KEY, SOURCES};
use crate::model::{Label, LabelSetId, LabelValue};
use crate::names;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Resolves the labels of one chunk's samples, each distinct set once.
pub(super) struct Labels<'c, 'a> {
    chunk: &'c Chunk<'a>,
    plans: &'c Plans,
    pools: &'c Pools<'a>,
    context: &'c Context<'c>,
    sets: Map<(u32, u64, u32), LabelSetId>,
    threads: Map<u64, (String, i64)>,
    thread_passes: Map<u64, bool>,
    state_passes: Map<(u32, u64), bool>,
}

/// The recorded name of the class or state that an event's key stands for.
pub(super) fn key_text<'a>(
    chunk: &Chunk<'a>,
    plans: &Plans,
    pools: &Pools<'a>,
    reading: &Reading,
    key: u64,
) -> RawStr<'a> {
    let Some(type_id) = reading.plan.type_id(KEY) else { return RawStr::Null };
    let metadata = chunk.metadata();
    let Some(of) = metadata.by_id(type_id) else { return RawStr::Null };
    match &*of.canonical_name() {
        "java.lang.Class" => match plans.stacks.as_ref().and_then(|s| s.class.as_ref()) {
            Some(plan) if plan.class_type == type_id => class_name(chunk, pools, plan, key),
            _ => ClassPlan::new(chunk, of).map_or(RawStr::Null, |plan| class_name(chunk, pools, &plan, key)),
        },
        "jdk.types.OldObject" => {
            let class = chunk.plan(of, ["type"]).ok().and_then(|plan| {
                let row = plan.read(pools.get(type_id, key)?).ok()?;
                Some((metadata.by_id(plan.type_id(0)?)?, row.u64(0)))
            });
            class
                .and_then(|(of, key)| Some(class_name(chunk, pools, &ClassPlan::new(chunk, of).ok()?, key)))
                .unwrap_or(RawStr::Null)
        }
        _ => pools.string(metadata, type_id, key),
    }
}

impl<'c, 'a> Labels<'c, 'a> {
    pub(super) fn new(chunk: &'c Chunk<'a>, plans: &'c Plans, pools: &'c Pools<'a>, context: &'c Context<'c>) -> Self {
        Self {
            chunk,
            plans,
            pools,
            context,
            sets: Map::default(),
            threads: Map::default(),
            thread_passes: Map::default(),
            state_passes: Map::default(),
        }
    }

    /// Whether events of this key pass the filters of thread and state.
    pub(super) fn passes(&mut self, reading: &Reading, key: &Key, detail: &Detail) -> bool {
        let filter = &self.context.options.filter;
        if let Some(wanted) = &filter.threads {
            let pass = match self.thread_passes.get(&detail.thread) {
                Some(pass) => *pass,
                None => {
                    let pass = wanted.is_match(&self.thread(detail.thread).0);
                    self.thread_passes.insert(detail.thread, pass);
                    pass
                }
            };
            if !pass {
                return false;
            }
        }
        let is_state = SOURCES.get(key.source as usize).is_some_and(|s| s.key == Some(LabelKey::State));
        if let Some(wanted) = filter.states.as_ref().filter(|_| is_state) {
            let (chunk, plans, pools) = (self.chunk, self.plans, self.pools);
            return *self.state_passes.entry((key.source, key.key)).or_insert_with(|| {
                wanted.is_match(&key_text(chunk, plans, pools, reading, key.key).decode().unwrap_or_default())
            });
        }
        true
    }

    fn thread(&mut self, key: u64) -> &(String, i64) {
        let (chunk, plans, pools) = (self.chunk, self.plans, self.pools);
        self.threads.entry(key).or_insert_with(|| {
            let found = plans.threads.as_ref().and_then(|plan| {
                let row = plan.thread.read(pools.get(plan.thread_type, key)?).ok()?;
                let text = |i: usize| {
                    let raw = match plan.thread.type_id(i) {
                        Some(id) if plan.thread.is_pooled(i) => pools.string(chunk.metadata(), id, row.u64(i)),
                        _ => pools.resolve(plans.string_type, row.str(i)),
                    };
                    raw.decode().filter(|name| !name.is_empty())
                };
                let name = text(0).or_else(|| text(1)).unwrap_or_default().into_owned();
                let id = if row.i64(2) > 0 { row.i64(2) } else { row.i64(3) };
                Some((name, id))
            });
            found.unwrap_or_default()
        })
    }

    /// The labels of a sample.
    pub(super) fn set(&mut self, reading: &Reading, key: &Key, detail: &Detail, text: RawStr<'a>) -> LabelSetId {
        if self.context.options.labels.is_empty() {
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
        let Some(source) = SOURCES.get(key.source as usize) else { return LabelSetId::default() };
        let mut labels: Vec<Label> = Vec::new();
        for wanted in LabelKey::ALL.into_iter().filter(|l| self.context.options.labels.contains(l)) {
            let text_label = |this: &Self, text: &str| {
                (!text.is_empty()).then(|| LabelValue::Text(this.context.shared.interner.symbols().string(text)))
            };
            let number = |n: u64| (n != 0).then_some(LabelValue::Number(n.cast_signed()));
            let value = match wanted {
                LabelKey::Thread => {
                    let name = self.thread(detail.thread).0.clone();
                    text_label(self, &name)
                }
                LabelKey::ThreadId => number(self.thread(detail.thread).1.cast_unsigned()),
                LabelKey::Class | LabelKey::State if source.key == Some(wanted) => {
                    let name =
                        key_text(self.chunk, self.plans, self.pools, reading, key.key).decode().unwrap_or_default();
                    let name = if wanted == LabelKey::Class { self.class(&name) } else { name.into_owned() };
                    text_label(self, &name)
                }
                LabelKey::Path | LabelKey::Host | LabelKey::Class if source.text == Some(wanted) => {
                    let text = self.pools.resolve(self.plans.string_type, text).decode().unwrap_or_default();
                    text_label(self, &text)
                }
                LabelKey::Port => number(u64::from(detail.port)),
                LabelKey::SpanId => number(detail.span),
                // The endpoint is told later in the recording; until then its root span stands for it.
                LabelKey::LocalRootSpanId | LabelKey::TraceEndpoint => number(detail.root_span),
                _ => None,
            };
            labels.extend(value.map(|value| Label { key: wanted.name(), value }));
        }
        self.context.shared.interner.symbols().label_set(&labels)
    }

    fn class(&self, recorded: &str) -> String {
        if self.context.options.raw_names {
            return names::type_name(recorded).into_owned();
        }
        names::type_name(&names::normalise_class(recorded)).into_owned()
    }
}
