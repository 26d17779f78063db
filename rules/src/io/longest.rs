//! The longest of many transfers: shared by the rules on files and sockets.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::LazyLock;

use hashbrown::HashMap;
use regex::Regex;

use crate::common::{Seek, time};
use crate::cost;
use crate::idle::{NEXT_REQUEST, reads_stdin};
use jfr_analyzers::events::{Facts, Group, GroupBy, ThreadId};
use jfr_analyzers::rule::{Severity, Value, Verdict};
use jfrkit_profile::StackId;

/// Methods whose reads wait for the next request.
static NEXT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(NEXT_REQUEST).ok());

/// The index of the thread key, for groups that have one.
const THREAD: usize = 2;
/// A thread that reads for at least this share of the recording does nothing else.
const ONLY_READS: f64 = 0.85;

/// The words for a kind of transfer.
pub(super) struct Words {
    /// A noun that begins with `read` for reads: `read from a file`.
    pub(super) what: &'static str,
    /// What the first key names: `file`.
    pub(super) peer: &'static str,
    /// The name of a peer without a name.
    pub(super) nameless: &'static str,
    pub(super) explanation: &'static str,
    pub(super) remedy: &'static str,
}

/// Judges the longest of the transfers that `keep` selects. The groups are by peer and stack, and measure duration and
/// bytes.
pub(super) fn judge(
    facts: &Facts,
    by: &GroupBy,
    words: &Words,
    keep: impl Fn(&Group<'_>) -> bool,
    score: impl Fn(f64) -> f64,
) -> Verdict {
    let groups = facts.groups(by);
    // JMC takes the longest of all transfers; people should not see those in which a thread waits for work.
    let all = groups.select(&[], &keep).pop();
    let as_jmc = all.as_ref().map_or(Severity::Ok, |all| Severity::of_score(score(all.max(0))));
    let next = Seek::new(facts, |method: &str| NEXT.as_ref().is_some_and(|next| next.is_match(method)));
    // A thread that does nothing but read belongs to a server or a listener and waits for input. A client processes
    // the response.
    let whole = facts.nanos() as f64;
    let only_reads: HashSet<ThreadId> = groups
        .by(&[THREAD])
        .iter()
        .filter(|g| g.sum(0) >= ONLY_READS * whole && g.count() > 0)
        .filter_map(|g| g.thread_id(0))
        .collect();
    // Many files are read from one place.
    let waiting: RefCell<HashMap<StackId, bool, foldhash::fast::RandomState>> = RefCell::default();
    let waits = |stack| {
        let find = || next.passes(stack) || facts.application_frame(stack).is_none() || reads_stdin(facts, stack);
        *waiting.borrow_mut().entry(stack).or_insert_with(find)
    };
    let is_idle = |g: &Group<'_>| {
        let pipe = words.peer == "file" && g.text(0).is_none_or(str::is_empty) && words.what.starts_with("read");
        pipe || g.thread_id(THREAD).is_some_and(|thread| only_reads.contains(&thread))
            || (words.what.starts_with("read") && g.stack(1).is_some_and(waits))
    };
    let keep = |g: &Group<'_>| keep(g) && !is_idle(g);
    let mut peers = groups.select(&[0], keep);
    let (Some(all), Some(longest)) =
        (groups.select(&[], keep).pop(), peers.iter().max_by(|a, b| a.max(0).total_cmp(&b.max(0))).cloned())
    else {
        let only_idle = if all.is_some() { ", except in threads that wait for work" } else { "" };
        return Verdict::ok(format!("No {} was recorded{only_idle}", words.what)).jmc(as_jmc);
    };
    let name = |g: &Group<'_>| g.text(0).filter(|n| !n.is_empty()).unwrap_or(words.nameless).to_owned();
    peers.sort_by(|a, b| b.sum(0).total_cmp(&a.sum(0)));
    let rows = peers.iter().take(10).map(|g| {
        [
            name(g).into(),
            Value::count(g.count(), "events"),
            Value::nanos_f64(g.sum(0)),
            Value::nanos_f64(g.max(0)),
            Value::nanos_f64(g.histogram().map_or(0.0, |h| h.quantile(0.99))),
            Value::bytes(g.sum(1)),
        ]
    });
    let stacks = groups.select(&[1], |g| g.key(0) == longest.key(0) && keep(g));
    let slowest = stacks.iter().max_by(|a, b| a.max(0).total_cmp(&b.max(0)));
    let by = slowest.and_then(|g| facts.site(g.stack(0)?)).map(|f| format!(", in {}", f.method)).unwrap_or_default();
    let start = longest.max_start();
    Verdict::scored(
        score(longest.max(0)),
        format!("The longest {} took {}: {}{by}", words.what, time(longest.max(0)), name(&longest)),
    )
    .explain(words.explanation)
    .remedy(words.remedy)
    .cost(cost::waited(facts, all.sum(0)))
    // One long call proves little; IoWait judges percentiles and time-outs.
    .at_most(Severity::Info)
    .jmc(as_jmc)
    .with("longest", Value::nanos_f64(longest.max(0)))
    .with(words.peer, name(&longest))
    .with("window", Value::window(start, start.saturating_add(jfr_analyzers::math::to_i64(longest.max(0)))))
    .with("mean", Value::nanos_f64(all.mean(0)))
    .with("sum", Value::nanos_f64(all.sum(0)))
    .with("events", Value::count(all.count(), "events"))
    .with("by peer", Value::table([words.peer, "events", "time", "longest", "99th percentile", "bytes"], rows))
    .with("where", facts.top_methods(stacks.iter().filter_map(|g| Some((g.stack(0)?, g.sum(0)))), 3, Value::nanos_f64))
}

/// Whether the stack of a group, its second key, contains one of the methods.
pub(super) fn passes(facts: &Facts, group: &Group<'_>, methods: &[&str]) -> bool {
    group.stack(1).is_some_and(|stack| facts.methods(stack).any(|m| methods.contains(&m)))
}
