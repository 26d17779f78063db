//! `StuckThreads`: threads that make no progress from one thread dump to the next.

use std::collections::HashMap;

use crate::thread_dump::{DUMP, MAX_DUMPS, Thread, threads, unreadable};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{duration_f64, things};

/// Whether threads run or are blocked at the same place for minutes. Needs the `jdk.ThreadDump` table, up to [`MAX_DUMPS`]
/// rows.
///
/// Fires on `fixtures/scenarios/stuck-threads.jfr.gz` (but not on its acceptor or its idle pool); quiet on `healthy`
/// and on synthetic dumps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StuckThreads;

/// How many top frames must match.
const FRAMES: usize = 5;

/// A thread at one place.
#[derive(Clone)]
struct Stay<'t> {
    thread: Thread<'t>,
    dumps: u64,
    from: i64,
    to: i64,
}

impl Stay<'_> {
    fn nanos(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

impl StuckThreads {
    /// Why it matters.
    const WHY: &str = "In every thread dump of that period, these threads were at the same place. A running thread \
                       may be in an endless or very long loop; a blocked thread waits for a lock that its holder does \
                       not release.";
    /// What to do.
    const REMEDY: &str = "Look at the method: what ends the loop, which thread holds the lock and what that thread \
                          does. Set a timeout on waits and outgoing calls.";
}

impl Rule for StuckThreads {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("StuckThreads")
            .title("Stuck threads")
            .category(Category::Threads)
            .description("Whether threads run or are blocked at the same place from one thread dump to the next.")
            .formula(
                "In consecutive jdk.ThreadDump events, the same thread is RUNNABLE or BLOCKED with the same five \
                      methods at the top, for `least` or longer from the first to the last dump: 25 at `info` dumps, \
                      75 at `warning`. Excludes threads that wait by design: in select, accept, read, or for a pool's \
                      next task. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 3.0, "Consecutive dumps worth a look"),
                        Setting::count("warning", 6.0, "Consecutive dumps to act on"),
                        Setting::seconds("least", 60.0, "Minimum time from the first to the last of them"),
                        Setting::regex("exclude-threads", "", "Names of threads to exclude"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available(DUMP).table_up_to(MAX_DUMPS, DUMP, &["result"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let dumps = facts.table(DUMP);
        if (dumps.len() as f64) < settings.number("info") {
            return Verdict::not_applicable(format!(
                "{} thread dumps are too few; record more with {DUMP}#period=10 s",
                dumps.len()
            ));
        }
        if let Some(because) = unreadable(dumps.texts("result")) {
            return Verdict::not_applicable(because);
        }
        verdict(facts, &measure(facts, settings), settings)
    }
}

/// Threads that stayed at one place for long, the longest first.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Vec<Stay<'f>> {
    let mut longest = stays(facts);
    longest.retain(|s| {
        s.nanos() >= settings.nanos("least")
            && s.dumps as f64 >= settings.number("info")
            && !settings.matches("exclude-threads", s.thread.name)
    });
    longest.sort_by(|a, b| (b.dumps, b.nanos(), a.thread.name).cmp(&(a.dumps, a.nanos(), b.thread.name)));
    longest
}

fn verdict(facts: &Facts, stuck: &[Stay<'_>], settings: &Settings) -> Verdict {
    let Some(worst) = stuck.first() else {
        return Verdict::ok(format!("No thread was stuck at one place across {} dumps", facts.table(DUMP).len()));
    };
    let count = u64::try_from(stuck.len()).unwrap_or(u64::MAX);
    let summary = format!(
        "Thread {} was {} in {} for at least {}{}",
        worst.thread.name,
        if worst.thread.state == "BLOCKED" { "blocked" } else { "running" },
        worst.thread.site().map_or("", Thread::method),
        duration_f64(worst.nanos() as f64),
        if count > 1 { format!(" ({})", things(count, "stuck thread", "stuck threads")) } else { String::new() }
    );
    let rows = stuck.iter().map(|s| {
        [
            s.thread.name.into(),
            s.thread.state.into(),
            s.thread.site().unwrap_or("").into(),
            s.thread.waits_for.map_or(String::new(), |(at, class)| format!("{class} @ {at}")).into(),
            Value::count(s.dumps, "dumps"),
            Value::nanos(s.nanos()),
        ]
    });
    Verdict::scored(map2(worst.dumps as f64, settings.number("info"), settings.number("warning")), summary)
        .explain(StuckThreads::WHY)
        .remedy(StuckThreads::REMEDY)
        .urgent()
        .with("stuck threads", Value::count(count, "threads"))
        .with("window", Value::window(worst.from, worst.to))
        .with("threads", Value::table(["thread", "state", "at", "waits for", "dumps", "at least"], rows))
        .with("stack", Value::list("frames", worst.thread.frames.iter().take(15).copied()))
}

fn same(a: &Thread<'_>, b: &Thread<'_>) -> bool {
    let top = |t: &Thread<'_>| t.frames.iter().take(FRAMES).map(|f| Thread::method(f).to_owned()).collect::<Vec<_>>();
    a.state == b.state && top(a) == top(b)
}

/// How long each thread was at one place, in consecutive thread dumps.
fn stays(facts: &Facts) -> Vec<Stay<'_>> {
    let mut longest: Vec<Stay<'_>> = Vec::new();
    let mut stays: HashMap<(&str, &str), Stay<'_>> = HashMap::new();
    let mut before: Option<&str> = None;
    for dump in facts.table(DUMP).rows().take_while(|_| !facts.stopped()) {
        let text = dump.text("result").unwrap_or("");
        // The text is the same as before, so no thread has moved.
        if before.replace(text).is_some_and(|before| std::ptr::eq(before, text)) {
            for stay in stays.values_mut() {
                (stay.dumps, stay.to) = (stay.dumps.saturating_add(1), dump.start);
            }
            continue;
        }
        let mut next: HashMap<(&str, &str), Stay<'_>> = HashMap::new();
        for thread in threads(text) {
            let stands = matches!(thread.state, "RUNNABLE" | "BLOCKED");
            let works = thread.state == "BLOCKED" || !(thread.waits_by_design() || thread.carries());
            if !stands || !thread.is_program() || !works {
                continue;
            }
            let key = (thread.id, thread.name);
            let before = stays.remove(&key);
            let stay = match before {
                Some(before) if same(&before.thread, &thread) => {
                    Stay { thread, dumps: before.dumps.saturating_add(1), from: before.from, to: dump.start }
                }
                before => {
                    longest.extend(before);
                    Stay { thread, dumps: 1, from: dump.start, to: dump.start }
                }
            };
            next.insert(key, stay);
        }
        longest.extend(stays.drain().map(|(_, stay)| stay));
        stays = next;
    }
    longest.extend(stays.into_values());
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_thread_that_spins_and_one_that_is_blocked_are_found() {
        let verdict = fixture::expect("StuckThreads", "scenarios/stuck-threads", Severity::Warning);
        let text = format!("{:?}", verdict.evidence.get("threads"));
        for part in ["report-builder", "report-writer", "fx.Scenarios.pollForever", "fx.Scenarios.waitForTurn"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        for part in ["acceptor", "pool-1", "lease-holder", "Reference Handler", "JFR"] {
            assert!(!text.contains(part), "{part}: {text}");
        }
    }

    fn scene(methods: &[&str]) -> Scene {
        (0i64..).zip(methods).fold(Scene::new(), |scene, (i, method)| {
            let dump = format!(
                "\"worker\" #15 prio=5 tid=0x1 nid=0x3 runnable\n   java.lang.Thread.State: RUNNABLE\n\tat {method}(Shop.java:7)\n"
            );
            scene.event(DUMP, i * 30 * SECOND, i * 30 * SECOND, [("result", dump.as_str().into())])
        })
    }

    #[test]
    fn a_thread_that_moves_is_fine() {
        assert_eq!(scene(&["a.B.c", "a.B.d", "a.B.c", "a.B.d"]).verdict(&StuckThreads).severity, Severity::Ok);
        assert_eq!(scene(&["a.B.c", "a.B.c", "a.B.c", "a.B.d"]).verdict(&StuckThreads).severity, Severity::Info);
        for waits in [
            "sun.nio.ch.Net.accept",
            "sun.nio.fs.LinuxWatchService.poll",
            "io.netty.channel.epoll.Native.epollWait0",
            "sun.nio.ch.UnixFileDispatcherImpl.read0",
            "sun.awt.X11.XToolkit.waitForEvents",
            "jdk.internal.vm.Continuation.run",
        ] {
            assert_eq!(scene(&[waits; 8]).verdict(&StuckThreads).severity, Severity::Ok, "{waits}");
        }
        assert_eq!(scene(&["shop.Loop.run"; 8]).verdict(&StuckThreads).severity, Severity::Warning);
    }

    #[test]
    fn few_dumps_say_nothing() {
        fixture::expect("StuckThreads", "scenarios/healthy", Severity::NotApplicable);
    }
}
