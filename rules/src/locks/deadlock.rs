//! `Deadlock`: threads that wait for each other forever.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::tally::{PerText, brief};
use crate::thread_dump::{Cycle, DUMP, MAX_DUMPS, derived_deadlocks, reported_deadlocks, threads, unreadable};
use jfr_analyzers::events::{Facts, Level, Needs, Presence, is_jdk};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::things;

/// Whether threads wait for each other in a cycle. Needs a list of at most [`MAX_DUMPS`] `jdk.ThreadDump` events, and
/// Datadog's own events.
///
/// Fires on `fixtures/scenarios/deadlock.jfr.gz` (monitors and `ReentrantLock`); quiet on `stuck-threads`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlock;

const DATADOG: &str = "datadog.DeadlockedThread";

/// The most threads of a deadlock that a summary names.
const NAMED: usize = 8;

/// A deadlock and when it was seen.
struct FoundDeadlock {
    /// Thread, lock and class of the lock, in the order of waiting.
    threads: Vec<(String, String, String)>,
    from: i64,
    to: i64,
    times: u64,
    /// Where each thread waits.
    frames: HashMap<String, String>,
    /// The threads that hold the locks, where they are known by name only.
    owners: HashMap<String, String>,
}

impl FoundDeadlock {
    /// Which threads wait, in words. Datadog may have recorded only some of the threads of a deadlock.
    fn who(&self) -> String {
        let names: HashSet<&str> = self.threads.iter().map(|(name, ..)| name.as_str()).collect();
        let shown: Vec<&str> = self.threads.iter().map(|(name, ..)| name.as_str()).take(NAMED).collect();
        let more = names.len().saturating_sub(NAMED);
        let listed = if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(" and ") };
        let owner = |name: &str| self.owners.get(name).map(String::as_str);
        match self.threads.as_slice() {
            [(name, lock, _)] => {
                let lock = if lock.is_empty() { "a lock" } else { lock };
                match owner(name) {
                    Some(owner) => format!("{name} waits forever for {lock}, which {owner} holds"),
                    None => format!("{name} waits forever for {lock}"),
                }
            }
            _ if names.iter().all(|name| owner(name).is_none_or(|owner| names.contains(owner))) => {
                format!("{listed} wait for each other")
            }
            _ => format!("{listed} wait forever for locks that these and other threads hold"),
        }
    }
}

impl Deadlock {
    /// Why it matters.
    const WHY: &str = "Each of these threads holds a lock that the next one waits for. None of them can continue, and \
                       everything that depends on them hangs until the process is restarted.";
    /// What to do.
    const REMEDY: &str = "Acquire the locks in the same order everywhere, hold only one at a time, or acquire the \
                          second with tryLock and a timeout. Do not call code that you do not control while holding a \
                          lock.";
}

impl Rule for Deadlock {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("Deadlock")
            .title("Deadlock")
            .category(Category::Locks)
            .description("Whether threads wait for each other in a cycle and can never continue.")
            .formula(
                "In the text of jdk.ThreadDump: the deadlocks that the JVM reports; if it reports none, cycles of \
                      threads that wait for locks that the others hold, matched by lock address. Also \
                      datadog.DeadlockedThread. Any deadlock is a warning.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().table_up_to(MAX_DUMPS, DUMP, &["result"]).table_up_to(
            10_000,
            DATADOG,
            &["id", "threadName", "lockName", "lockOwnerThreadName", "waitingFrame"],
        )
    }

    fn evaluate(&self, facts: &Facts, _settings: &Settings) -> Verdict {
        if let Some(because) = unknown(facts) {
            return Verdict::not_applicable(because);
        }
        verdict(facts, &measure(facts))
    }
}

/// Why it is unknown whether there are deadlocks.
fn unknown(facts: &Facts) -> Option<String> {
    let dumps = facts.table(DUMP);
    if !facts.table(DATADOG).is_empty() || facts.presence("datadog.Deadlock") >= Presence::Enabled {
        return None;
    }
    if dumps.is_empty() {
        return Some(facts.missing(DUMP, Level::Available, false).unwrap_or_default());
    }
    unreadable(dumps.texts("result")).map(str::to_owned)
}

/// The deadlocks, each once.
fn measure(facts: &Facts) -> Vec<FoundDeadlock> {
    let mut found = of_dumps(facts);
    let known: HashSet<String> =
        found.iter().flat_map(|seen| seen.threads.iter().map(|(name, ..)| name.clone())).collect();
    found.extend(of_datadog(facts).into_iter().filter(|seen| seen.threads.iter().any(|t| !known.contains(&t.0))));
    found
}

/// The deadlocks of thread dumps, each once.
fn of_dumps(facts: &Facts) -> Vec<FoundDeadlock> {
    let mut found: Vec<FoundDeadlock> = Vec::new();
    let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
    // The deadlocks of a text, which many dumps can share.
    let mut of_text: PerText<'_, Vec<usize>> = PerText::default();
    for dump in facts.table(DUMP).rows().take_while(|_| !facts.stopped()) {
        let Some(text) = dump.text("result") else { continue };
        let in_text = of_text.get(text, |text| {
            let told = reported_deadlocks(text);
            let all = threads(text);
            let cycles = if told.is_empty() { derived_deadlocks(&all) } else { told };
            let mut sites: HashMap<&str, Option<&str>> = HashMap::new();
            for thread in &all {
                sites.entry(thread.name).or_insert_with(|| thread.site());
            }
            let place = |cycle| place(&mut found, &mut places, &cycle, &sites, dump.start);
            cycles.into_iter().map(place).collect()
        });
        for place in in_text.iter() {
            if let Some(seen) = found.get_mut(*place) {
                (seen.to, seen.times) = (dump.start, seen.times.saturating_add(1));
            }
        }
    }
    found
}

fn verdict(facts: &Facts, found: &[FoundDeadlock]) -> Verdict {
    let Some(first) = found.first() else {
        let read = u64::try_from(facts.table(DUMP).len()).unwrap_or(u64::MAX);
        return Verdict::ok(format!("No deadlock in {}", things(read, "thread dump", "thread dumps")));
    };
    let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let more = if found.len() > 1 { format!(", and {} more", found.len().saturating_sub(1)) } else { String::new() };
    let who = first.who();
    let window =
        Value::window(found.iter().map(|s| s.from).min().unwrap_or(0), found.iter().map(|s| s.to).max().unwrap_or(0));
    Verdict::new(Severity::Warning, format!("{}: {who}{more}", things(count, "deadlock", "deadlocks")))
        .score(100.0)
        .urgent()
        .explain(Deadlock::WHY)
        .remedy(Deadlock::REMEDY)
        .with("deadlocks", Value::count(count, "deadlocks"))
        .with("seen", window)
        .with("threads", thread_table(found))
}

fn thread_table(found: &[FoundDeadlock]) -> Value {
    let rows = (1u64..).zip(found).flat_map(|(n, seen)| {
        seen.threads.iter().map(move |(name, lock, class)| {
            let lock = if class.is_empty() { lock.clone() } else { format!("{class} @ {lock}") };
            let frame = seen.frames.get(name).map_or("", String::as_str);
            [Value::count(n, ""), name.as_str().into(), lock.into(), frame.into(), Value::count(seen.times, "dumps")]
        })
    });
    Value::table(["deadlock", "thread", "waits for", "at", "in dumps"], rows)
}

/// The deadlocks that Datadog's agent reports, each once.
fn of_datadog(facts: &Facts) -> Vec<FoundDeadlock> {
    let mut by_id: BTreeMap<i64, FoundDeadlock> = BTreeMap::new();
    let mut known: HashSet<(i64, String)> = HashSet::new();
    for row in facts.table(DATADOG).rows() {
        let text = |field| row.text(field).map(brief).filter(|text| !text.is_empty() && *text != "null");
        let name = text("threadName").unwrap_or("?").to_owned();
        let id = row.int("id").unwrap_or(0);
        let seen = by_id.entry(id).or_insert_with(|| FoundDeadlock {
            threads: Vec::new(),
            from: row.start,
            to: row.start,
            times: 1,
            frames: HashMap::new(),
            owners: HashMap::new(),
        });
        seen.to = row.start;
        if !known.insert((id, name.clone())) {
            continue;
        }
        seen.threads.push((name.clone(), text("lockName").unwrap_or_default().to_owned(), String::new()));
        seen.owners.extend(text("lockOwnerThreadName").map(|owner| (name.clone(), owner.to_owned())));
        // `package.Class.method#line`, with a negative line for native methods.
        let (method, line) =
            text("waitingFrame").map_or(("", ""), |frame| frame.split_once('#').unwrap_or((frame, "")));
        if !is_jdk(method) {
            let has_line = line.parse::<u32>().is_ok_and(|line| line > 0);
            seen.frames.insert(name, if has_line { format!("{method}:{line}") } else { method.to_owned() });
        }
    }
    let mut found: BTreeMap<Vec<String>, FoundDeadlock> = BTreeMap::new();
    for mut seen in by_id.into_values() {
        seen.threads.sort();
        let names = seen.threads.iter().map(|(name, ..)| name.clone()).collect();
        match found.entry(names) {
            Entry::Vacant(place) => {
                place.insert(seen);
            }
            Entry::Occupied(mut place) => {
                let before = place.get_mut();
                (before.to, before.times) = (seen.to.max(before.to), before.times.saturating_add(1));
            }
        }
    }
    found.into_values().collect()
}

/// The index of a deadlock in `found`; adds it if it is new. Deadlocks of the same threads are the same.
fn place<'t>(
    found: &mut Vec<FoundDeadlock>,
    places: &mut HashMap<Vec<&'t str>, usize>,
    cycle: &Cycle<'t>,
    sites: &HashMap<&str, Option<&str>>,
    at: i64,
) -> usize {
    let mut names: Vec<&str> = cycle.threads.iter().map(|t| t.0).collect();
    names.sort_unstable();
    *places.entry(names).or_insert_with(|| {
        let owned = |t: &(&str, &str, &str)| (t.0.to_owned(), t.1.to_owned(), t.2.to_owned());
        let site = |name: &str| Some((name.to_owned(), sites.get(name).copied().flatten()?.to_owned()));
        let frames = cycle.threads.iter().filter_map(|(name, ..)| site(name)).collect();
        found.push(FoundDeadlock {
            threads: cycle.threads.iter().map(owned).collect(),
            from: at,
            to: at,
            times: 0,
            frames,
            owners: HashMap::new(),
        });
        found.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::thread_dump::example;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn monitors_and_locks_are_found() {
        fixture::expect("Deadlock", "scenarios/deadlock", Severity::Warning);
    }

    #[test]
    fn a_cycle_that_the_jvm_does_not_report_is_found() {
        let scene = Scene::new().event(DUMP, 5, 5, [("result", example::LOCKED.into())]);
        assert_eq!(scene.verdict(&Deadlock).severity, Severity::Warning);
    }

    #[test]
    fn threads_that_datadog_reports_are_found() {
        let fields = [("threadName", "left".into()), ("lockName", "shop.Account@1".into())];
        let verdict = Scene::new().event(DATADOG, 5, 5, fields).verdict(&Deadlock);
        assert_eq!(verdict.severity, Severity::Warning);
        assert_eq!(verdict.summary, "1 deadlock: left waits forever for shop.Account@1");
    }

    #[test]
    fn the_owner_of_the_lock_is_named() {
        let fields = [
            ("threadName", "left".into()),
            ("lockName", "shop.Account@1".into()),
            ("lockOwnerThreadName", "right".into()),
        ];
        let verdict = Scene::new().event(DATADOG, 5, 5, fields).verdict(&Deadlock);
        assert_eq!(verdict.summary, "1 deadlock: left waits forever for shop.Account@1, which right holds");
    }

    #[test]
    fn a_deadlock_in_a_recording_of_datadog_is_found() {
        let verdict = fixture::corpus("Deadlock", "public/btraceio+jafar/tck-test.jfr");
        let Some(verdict) = verdict else { return };
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(verdict.summary.contains("worker pool"), "{}", verdict.summary);
    }

    #[test]
    fn a_thread_that_waits_long_is_not_a_deadlock() {
        fixture::expect("Deadlock", "scenarios/stuck-threads", Severity::Ok);
        fixture::expect("Deadlock", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn without_dumps_it_does_not_apply() {
        assert_eq!(Scene::new().verdict(&Deadlock).severity, Severity::NotApplicable);
    }
}
