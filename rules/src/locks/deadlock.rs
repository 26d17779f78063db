//! `Deadlock`: threads that wait for each other forever.

use std::collections::{HashMap, HashSet};

use crate::support::number;
use crate::tally::{PerText, brief};
use crate::threads::dump::{Cycle, found_deadlocks, threads, told_deadlocks, unreadable};
use jfr_analyzers::events::{Facts, Needs, Presence};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Value, Verdict};

/// Whether threads wait for each other in a cycle. Needs a list of at most `DUMPS` `jdk.ThreadDump` events, and
/// Datadog's own events.
///
/// Fires on `fixtures/scenarios/deadlock.jfr.gz` (monitors and `ReentrantLock`); quiet on `stuck-threads`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlock;

/// How many thread dumps to read; each may take half a megabyte.
pub(crate) const DUMPS: usize = 200;
const DUMP: &str = "jdk.ThreadDump";
const DATADOG: &str = "datadog.DeadlockedThread";

/// A deadlock and when it was seen.
struct Seen {
    /// Thread, lock and class of the lock, in the order of waiting.
    threads: Vec<(String, String, String)>,
    from: i64,
    to: i64,
    times: u64,
    /// Where each thread waits.
    frames: HashMap<String, String>,
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
        RuleInfo {
            title: "Deadlock",
            category: Category::Locks,
            description: "Whether threads wait for each other in a cycle and can never continue.",
            formula: "In the text of jdk.ThreadDump: the deadlocks that the JVM reports; if it reports none, cycles of \
                      threads that wait for locks that the others hold, matched by lock address. Also \
                      datadog.DeadlockedThread. Any deadlock is a warning.",
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::own("Deadlock")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new().table_up_to(DUMPS, DUMP, &["result"]).table_up_to(
            10_000,
            DATADOG,
            &["threadName", "lockName", "lockOwnerThreadName", "waitingFrame"],
        )
    }

    fn evaluate(&self, facts: &Facts, _settings: &Settings) -> Verdict {
        let dumps = facts.table(DUMP);
        let datadog = facts.table(DATADOG);
        let watches = facts.presence("datadog.Deadlock") >= Presence::Enabled;
        if dumps.is_empty() && datadog.is_empty() && !watches {
            let because = facts.missing(DUMP, jfr_analyzers::events::Level::Available, false);
            return Verdict::not_applicable(because.unwrap_or_default());
        }
        if datadog.is_empty()
            && !watches
            && let Some(because) = unreadable(dumps.texts("result"))
        {
            return Verdict::not_applicable(because);
        }
        let mut found: Vec<Seen> = Vec::new();
        let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
        // The deadlocks of a text, which many dumps can share.
        let mut of_text: PerText<'_, Vec<usize>> = PerText::default();
        for dump in dumps.rows().take_while(|_| !facts.stopped()) {
            let Some(text) = dump.text("result") else { continue };
            let in_text = of_text.get(text, |text| {
                let told = told_deadlocks(text);
                let all = threads(text);
                let cycles = if told.is_empty() { found_deadlocks(&all) } else { told };
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
        if !datadog.is_empty() {
            let row = |field| move |r: &jfr_analyzers::events::Event<'_>| r.text(field).map_or("?", brief).to_owned();
            let (name, lock, frame) = (row("threadName"), row("lockName"), row("waitingFrame"));
            let mut threads: Vec<_> = datadog.rows().map(|r| (name(&r), lock(&r), String::new())).collect();
            threads.sort();
            threads.dedup();
            let known: HashSet<&str> =
                found.iter().flat_map(|seen| seen.threads.iter().map(|(name, ..)| name.as_str())).collect();
            if threads.iter().any(|(t, ..)| !known.contains(t.as_str())) {
                let mut frames = HashMap::new();
                for row in datadog.rows() {
                    frames.entry(name(&row)).or_insert_with(|| frame(&row));
                }
                let from = datadog.first().map_or(0, |r| r.start);
                let to = datadog.last().map_or(0, |r| r.start);
                found.push(Seen { threads, from, to, times: datadog.seen(), frames });
            }
        }
        let Some(first) = found.first() else {
            let read = u64::try_from(dumps.len()).unwrap_or(u64::MAX);
            return Verdict::ok(format!("No deadlock in {}", number(read, "thread dump", "thread dumps")));
        };
        let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let names: Vec<&str> = first.threads.iter().map(|(name, ..)| name.as_str()).collect();
        let more =
            if found.len() > 1 { format!(", and {} more", found.len().saturating_sub(1)) } else { String::new() };
        let window = Value::window(
            found.iter().map(|s| s.from).min().unwrap_or(0),
            found.iter().map(|s| s.to).max().unwrap_or(0),
        );
        Verdict::new(
            Severity::Warning,
            format!("{}: {} wait for each other{more}", number(count, "deadlock", "deadlocks"), names.join(" and ")),
        )
        .score(100.0)
        .urgent()
        .explain(Deadlock::WHY)
        .remedy(Deadlock::REMEDY)
        .with("deadlocks", Value::count(count, "deadlocks"))
        .with("seen", window)
        .with(
            "threads",
            Value::table(
                ["deadlock", "thread", "waits for", "at", "in dumps"],
                (1u64..).zip(&found).flat_map(|(n, seen)| {
                    seen.threads.iter().map(move |(name, lock, class)| {
                        let lock = if class.is_empty() { lock.clone() } else { format!("{class} @ {lock}") };
                        let frame = seen.frames.get(name).map_or("", String::as_str);
                        [
                            Value::count(n, ""),
                            name.as_str().into(),
                            lock.into(),
                            frame.into(),
                            Value::count(seen.times, "dumps"),
                        ]
                    })
                }),
            ),
        )
    }
}

/// The index of a deadlock in `found`; adds it if it is new. Deadlocks of the same threads are the same.
fn place<'t>(
    found: &mut Vec<Seen>,
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
        found.push(Seen { threads: cycle.threads.iter().map(owned).collect(), from: at, to: at, times: 0, frames });
        found.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::fixture;
    use crate::threads::dump::example;
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
    }

    #[test]
    fn a_deadlock_in_a_recording_of_datadog_is_found() {
        let verdict = fixture::corpus("Deadlock", "public/btraceio+jafar/tck-test.jfr");
        assert!(verdict.is_none_or(|v| v.severity == Severity::Warning && v.summary.contains("worker pool")));
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
