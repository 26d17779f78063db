//! The longest of many transfers: shared by the rules on files and sockets.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::LazyLock;

use hashbrown::HashMap;
use regex::Regex;

use super::served::Served;
use crate::blocked::{BYTES, DURATION, ON, STACK};
use crate::cost;
use crate::idle::{NEXT_REQUEST, reads_stdin};
use crate::matching::{MethodMatcher, constant_regex};
use jfr_analyzers::events::{Facts, Group, Picked, ThreadId};
use jfr_analyzers::math::to_i64;
use jfr_analyzers::rule::{Severity, Value, Verdict};
use jfrkit_profile::StackId;
use jfrkit_profile::units::duration_f64;

/// Methods whose reads wait for the next request.
pub(super) static NEXT: LazyLock<Regex> = LazyLock::new(|| constant_regex(NEXT_REQUEST));

/// A thread that reads for at least this share of the recording does nothing else.
const ONLY_READS: f64 = 0.85;

/// The keys of groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) peer: &'static str,
    /// If the groups are by thread.
    pub(super) thread: Option<&'static str>,
}

/// The keys of [`BLOCKED`](crate::blocked::BLOCKED).
pub(super) const FILE_KEYS: Keys = Keys { peer: ON, thread: None };

/// The words for a kind of transfer.
pub(super) struct Words {
    /// A noun that begins with `read` for reads: `read from a file`.
    pub(super) what: &'static str,
    /// What a peer is called: `file`.
    pub(super) peer: &'static str,
    /// The name of a peer without a name.
    pub(super) nameless: &'static str,
    pub(super) explanation: &'static str,
    pub(super) remedy: &'static str,
}

/// Judges the longest of the transfers that `keep` selects. The groups have these keys, and measure duration and bytes.
pub(super) fn judge(
    facts: &Facts,
    groups: &Picked<'_>,
    keys: Keys,
    words: &Words,
    keep: impl Fn(&Group<'_>) -> bool,
    score: impl Fn(f64) -> f64,
) -> Verdict {
    // JMC takes the longest of all transfers; people should not see those in which a thread waits for work.
    let all = groups.iter().filter(&keep).map(|g| g.max(DURATION)).reduce(f64::max);
    let as_jmc = all.map_or(Severity::Ok, |longest| Severity::of_score(score(longest)));
    match measure(facts, groups, keys, words, keep) {
        Some(measured) => verdict(facts, &measured, keys, words, score(measured.longest.max(DURATION))).jmc(as_jmc),
        None => {
            let only_idle = if all.is_some() { ", except in threads that wait for work" } else { "" };
            Verdict::ok(format!("No {} was recorded{only_idle}", words.what)).jmc(as_jmc)
        }
    }
}

/// Transfers, except those in which a thread waits for work.
struct Measured<'f> {
    /// The file or peer with the longest transfer.
    longest: Group<'f>,
    /// All files or peers, the longest in total first.
    peers: Vec<Group<'f>>,
    /// The transfers with the first of these, by stack.
    stacks: Vec<Group<'f>>,
}

/// `None` if no transfer is left.
fn measure<'f>(
    facts: &Facts,
    groups: &Picked<'f>,
    keys: Keys,
    words: &Words,
    keep: impl Fn(&Group<'_>) -> bool,
) -> Option<Measured<'f>> {
    let is_idle = idle(facts, groups, keys, words);
    let keep = |g: &Group<'_>| keep(g) && !is_idle(g);
    let mut peers = groups.select(&[keys.peer], keep);
    let longest = peers.iter().max_by(|a, b| a.max(DURATION).total_cmp(&b.max(DURATION)))?.clone();
    peers.sort_by(|a, b| b.sum(DURATION).total_cmp(&a.sum(DURATION)));
    let stacks = groups.select(&[STACK], |g| g.key(keys.peer) == longest.key(keys.peer) && keep(g));
    Some(Measured { longest, peers, stacks })
}

/// Recognizes transfers in which a thread waits for work.
fn idle<'f>(facts: &'f Facts, groups: &Picked<'_>, keys: Keys, words: &Words) -> impl Fn(&Group<'_>) -> bool + use<'f> {
    let next = MethodMatcher::new(facts, |method: &str| NEXT.is_match(method));
    // A thread that does nothing but read belongs to a server or a listener and waits for input. A client processes
    // the response.
    let whole = facts.nanos() as f64;
    let only_reads: HashSet<ThreadId> = keys
        .thread
        .map_or_else(Vec::new, |thread| groups.by(&[thread]))
        .iter()
        .filter(|g| g.sum(DURATION) >= ONLY_READS * whole && g.count() > 0)
        .filter_map(|g| g.thread_id(keys.thread?))
        .collect();
    let served = (words.peer == "address").then(|| Served::of(facts));
    // Many files are read from one place.
    let waiting: RefCell<HashMap<StackId, bool, foldhash::fast::RandomState>> = RefCell::default();
    let waits = move |stack| {
        let find = || {
            next.passes(stack)
                || facts.application_frame(stack).is_none()
                || reads_stdin(facts, stack)
                || served.as_ref().is_some_and(|served| served.waits(facts, stack))
        };
        *waiting.borrow_mut().entry(stack).or_insert_with(find)
    };
    let reads = words.what.starts_with("read");
    let reads_files = reads && words.peer == "file";
    move |g| {
        let pipe = reads_files && g.text(keys.peer).is_none_or(str::is_empty);
        pipe || keys.thread.and_then(|thread| g.thread_id(thread)).is_some_and(|thread| only_reads.contains(&thread))
            || (reads && g.stack(STACK).is_some_and(&waits))
    }
}

fn verdict(facts: &Facts, measured: &Measured<'_>, keys: Keys, words: &Words, score: f64) -> Verdict {
    let Measured { longest, peers, stacks } = measured;
    let name = |g: &Group<'_>| g.text(keys.peer).filter(|n| !n.is_empty()).unwrap_or(words.nameless).to_owned();
    let rows = peers.iter().take(10).map(|g| {
        [
            name(g).into(),
            Value::count(g.count(), "events"),
            Value::nanos_f64(g.sum(DURATION)),
            Value::nanos_f64(g.max(DURATION)),
            Value::nanos_f64(g.histogram().map_or(0.0, |h| h.quantile(0.99))),
            Value::bytes(g.sum(BYTES)),
        ]
    });
    let slowest = stacks.iter().max_by(|a, b| a.max(DURATION).total_cmp(&b.max(DURATION)));
    let by = slowest.and_then(|g| facts.site(g.stack(STACK)?)).map(|f| format!(", in {}", f.method));
    let took = duration_f64(longest.max(DURATION));
    let summary = format!("The longest {} took {took}: {}{}", words.what, name(longest), by.unwrap_or_default());
    let start = longest.max_start();
    let sum: f64 = peers.iter().map(|g| g.sum(DURATION)).sum();
    let count = peers.iter().fold(0u64, |count, g| count.saturating_add(g.count()));
    let stacks = stacks.iter().filter_map(|g| Some((g.stack(STACK)?, g.sum(DURATION))));
    Verdict::scored(score, summary)
        .explain(words.explanation)
        .remedy(words.remedy)
        .cost(cost::waited(facts, sum))
        // One long call proves little; IoWait judges percentiles and time-outs.
        .at_most(Severity::Info)
        .with("longest", Value::nanos_f64(longest.max(DURATION)))
        .with(words.peer, name(longest))
        .with("window", Value::window(start, start.saturating_add(to_i64(longest.max(DURATION)))))
        .with("mean", Value::nanos_f64(sum / count.max(1) as f64))
        .with("sum", Value::nanos_f64(sum))
        .with("events", Value::count(count, "events"))
        .with("by peer", Value::table([words.peer, "events", "time", "longest", "99th percentile", "bytes"], rows))
        .with("where", facts.top_methods(stacks, 3, Value::nanos_f64))
}

/// Whether the stack of a group contains one of the methods.
pub(super) fn passes(facts: &Facts, group: &Group<'_>, methods: &[&str]) -> bool {
    group.stack(STACK).is_some_and(|stack| facts.methods(stack).any(|m| methods.contains(&m)))
}
