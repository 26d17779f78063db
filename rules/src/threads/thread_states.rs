//! `ThreadStates`: whether threads spend their time running, waiting or blocked.

use std::collections::HashMap;

use crate::tally::tally;
use crate::thread_dump::{DUMP, MAX_DUMPS, threads, unreadable};
use jfr_analyzers::events::{EVENT, Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// The share of time that threads run, wait, or are blocked on locks. Needs the `jdk.ThreadDump` table, up to [`MAX_DUMPS`]
/// rows; the samples of wall-clock profilers are only counted.
///
/// Fires on `fixtures/scenarios/deadlock.jfr.gz` and on synthetic samples; quiet on synthetic samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThreadStates;

/// Datadog's wall-clock samples show lock waits; async-profiler's show only whether the thread sleeps.
const SAMPLES: GroupBy = GroupBy::of(&["datadog.MethodSample", "profiler.WallClockSample"])
    .by(&[EVENT, "sampledThread|eventThread", "state"])
    .measure(&["weight|samples"]);
const THREAD: &str = "sampledThread|eventThread";
const STATE: &str = "state";

/// Minimum number of dumps to judge.
const ENOUGH_DUMPS: usize = 3;
/// Minimum number of samples to judge.
const ENOUGH_SAMPLES: f64 = 100.0;
/// Share of the time from which a thread is lock-bound, as in jafar.
const LOCK_BOUND: f64 = 0.2;

#[derive(Debug, Clone, Copy, Default)]
struct Times {
    running: f64,
    waiting: f64,
    blocked: f64,
}

impl Times {
    fn all(&self) -> f64 {
        self.running + self.waiting + self.blocked
    }

    fn add(&mut self, state: State, n: f64) {
        match state {
            State::Running => self.running += n,
            State::Waiting => self.waiting += n,
            State::Blocked => self.blocked += n,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            running: self.running + other.running,
            waiting: self.waiting + other.waiting,
            blocked: self.blocked + other.blocked,
        }
    }

    /// What the thread is bound by, with jafar's labels.
    fn label(&self) -> &'static str {
        let share = |part: f64| ratio(part, self.all());
        if share(self.blocked) > LOCK_BOUND {
            "lock-bound"
        } else if share(self.running) > 0.8 {
            "CPU-bound"
        } else if share(self.waiting) > 0.7 {
            "waiting"
        } else {
            "balanced"
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Running,
    Waiting,
    Blocked,
}

impl State {
    /// From the state's name in samples of Datadog, async-profiler or the JDK.
    fn of(name: &str) -> Option<Self> {
        match name.strip_prefix("STATE_").unwrap_or(name) {
            "RUNNABLE" | "SYSCALL" => Some(Self::Running),
            "CONTENDED" | "BLOCKED_ON_MONITOR_ENTER" | "MONITOR_WAIT" => Some(Self::Blocked),
            "PARKED" | "OBJECT_WAIT" | "CONDVAR_WAIT" | "SLEEPING" | "WAITING" | "TIMED_WAITING" => Some(Self::Waiting),
            _ => None,
        }
    }
}

impl ThreadStates {
    /// Why it matters.
    const WHY: &str = "A blocked thread could continue, but another thread holds the lock that it needs. The more \
                       time threads spend blocked, the less it helps to add threads or CPUs.";
    /// What to do.
    const REMEDY: &str = "See LockContention and LockConvoy for the locks and where they are taken.";
}

impl Rule for ThreadStates {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ThreadStates")
            .title("Thread states")
            .category(Category::Threads)
            .description("What share of their time threads run, wait, and are blocked on locks.")
            .formula(
                "Share of BLOCKED over all threads of the program: 25 at `info`, 75 at `warning`. Taken from \
                      Datadog's wall-clock samples, else from three or more jdk.ThreadDump events, else (running and \
                      waiting only) from async-profiler's wall-clock samples. Threads are labeled as in jafar: \
                      lock-bound over 20 % blocked, CPU-bound over 80 % running, waiting over 70 %, else balanced.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 10.0, "Share of time blocked worth a look"),
                        Setting::percent("warning", 20.0, "Share of time blocked to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(SAMPLES).table_up_to(MAX_DUMPS, DUMP, &["result"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts) {
            Ok(measured) => verdict(&measured, settings),
            Err(because) => Verdict::not_applicable(because),
        }
    }
}

/// The states of threads.
struct Measured {
    /// Where they come from, and whether that shows waiting for locks.
    source: &'static str,
    knows_locks: bool,
    /// The most blocked threads first.
    threads: Vec<(String, Times)>,
    /// The sum over all threads.
    all: Times,
}

/// The error is why states are unknown.
fn measure(facts: &Facts) -> Result<Measured, String> {
    let (source, threads, knows_locks) = states(facts)?;
    let all = threads.values().copied().fold(Times::default(), Times::plus);
    let mut threads: Vec<(String, Times)> = threads.into_iter().collect();
    threads.sort_by(|a, b| {
        let key = |t: &Times| (t.blocked, t.running, t.all());
        key(&b.1).partial_cmp(&key(&a.1)).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.0.cmp(&b.0))
    });
    Ok(Measured { source, knows_locks, threads, all })
}

/// The states by thread from the best source, its name, and whether it shows waiting for locks.
fn states(facts: &Facts) -> Result<(&'static str, HashMap<String, Times>, bool), String> {
    let enough = |t: &HashMap<String, Times>| t.values().map(Times::all).sum::<f64>() >= ENOUGH_SAMPLES;
    let datadog = sampled(facts, "datadog.MethodSample");
    if enough(&datadog) {
        return Ok(("Datadog's wall-clock samples", datadog, true));
    }
    let dumps = facts.table(DUMP);
    if dumps.len() >= ENOUGH_DUMPS && unreadable(dumps.texts("result")).is_none() {
        return Ok(("thread dumps", dumped(facts), true));
    }
    let wall = sampled(facts, "profiler.WallClockSample");
    if enough(&wall) {
        return Ok(("async-profiler's wall-clock samples", wall, false));
    }
    if dumps.len() >= ENOUGH_DUMPS {
        return Err(unreadable(dumps.texts("result")).unwrap_or_default().to_owned());
    }
    Err(format!(
        "{} thread dumps are too few ({ENOUGH_DUMPS} are needed; record more with {DUMP}#period=10 s), \
         and there are fewer than 100 wall-clock samples from a profiler",
        dumps.len()
    ))
}

fn verdict(measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { source, threads, all, .. } = measured;
    let share = |part: f64| ratio(part, all.all());
    let blocked = share(all.blocked);
    let bound = threads.iter().filter(|(_, t)| ratio(t.blocked, t.all()) > LOCK_BOUND);
    let bound: Vec<&str> = bound.map(|(name, _)| name.as_str()).collect();
    let summary = if measured.knows_locks {
        let most = bound.first().map(|t| format!("; {t} is blocked most")).unwrap_or_default();
        format!(
            "Threads are blocked {:.0} % of the time, wait {:.0} % and run {:.0} %{most} (from {source})",
            blocked * 100.0,
            share(all.waiting) * 100.0,
            share(all.running) * 100.0
        )
    } else {
        format!("Threads run {:.0} % of the time; {source} do not show lock waits", share(all.running) * 100.0)
    };
    Verdict::scored(map2(blocked * 100.0, settings.number("info"), settings.number("warning")), summary)
        .explain(ThreadStates::WHY)
        .remedy(ThreadStates::REMEDY)
        .cost(Cost::elapsed(blocked))
        .with("running", Value::share(share(all.running)))
        .with("waiting", Value::share(share(all.waiting)))
        .with("blocked", Value::share(blocked))
        .with("threads bound by locks", Value::list("threads", bound))
        .with("threads", thread_table(threads))
}

fn thread_table(threads: &[(String, Times)]) -> Value {
    let rows = threads.iter().take(20).map(|(name, times)| {
        let share = |part: f64| Value::share(ratio(part, times.all()));
        [name.as_str().into(), times.label().into(), share(times.running), share(times.waiting), share(times.blocked)]
    });
    Value::table(["thread", "label", "running", "waiting", "blocked"], rows)
}

fn sampled(facts: &Facts, event: &str) -> HashMap<String, Times> {
    let mut threads: HashMap<String, Times> = HashMap::new();
    for group in facts.groups(&SAMPLES).iter().filter(|g| g.text(EVENT) == Some(event)) {
        let Some(state) = group.text(STATE).and_then(State::of) else { continue };
        let name = group.thread(THREAD).map_or("?", |t| t.name.as_str());
        // Not every release writes how many samples an event stands for.
        let n = group.sum("weight|samples").max(group.count() as f64);
        threads.entry(name.to_owned()).or_default().add(state, n);
    }
    threads
}

fn dumped(facts: &Facts) -> HashMap<String, Times> {
    let mut times: HashMap<String, Times> = HashMap::new();
    let dumps: Vec<(&str, f64)> = tally(facts.table(DUMP).texts("result"), |text| text, |count, _| *count += 1.0);
    for (dump, count) in dumps.into_iter().take_while(|_| !facts.stopped()) {
        for thread in threads(dump).into_iter().filter(|t| t.is_program()) {
            let state = match thread.state {
                "BLOCKED" => State::Blocked,
                // The JVM reports a thread that waits in native code as runnable.
                "RUNNABLE" if !thread.waits_by_design() => State::Running,
                _ => State::Waiting,
            };
            times.entry(thread.name.to_owned()).or_default().add(state, count);
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::{SceneSnapshot, assert_snapshot};
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    fn scene(states: &[(&str, i64)]) -> Scene {
        states.iter().fold(Scene::new(), |scene, (state, weight)| {
            let fields = [("eventThread", thread("worker")), ("state", (*state).into()), ("weight", (*weight).into())];
            scene.event("datadog.MethodSample", 0, 0, fields)
        })
    }

    #[test]
    fn blocked_threads_are_found() {
        fixture::expect("ThreadStates", "scenarios/deadlock", Severity::Warning);
        let samples = scene(&[("RUNNABLE", 60), ("CONTENDED", 15), ("PARKED", 45)]);
        assert_eq!(samples.verdict(&ThreadStates).severity, Severity::Info);
    }

    #[test]
    fn the_samples_of_profilers_are_read() {
        for (name, source) in
            [("public/btraceio+jafar/tck-test.jfr", "Datadog's"), ("generated/ap17-all.jfr", "async-profiler's")]
        {
            let Some(verdict) = fixture::corpus("ThreadStates", name) else { continue };
            assert_eq!(verdict.severity, Severity::Ok, "{name}");
            assert!(verdict.summary.contains(source), "{name}: {}", verdict.summary);
        }
    }

    #[test]
    fn async_profiler_does_not_show_lock_waits() {
        let scene = [("RUNNABLE", 60), ("SLEEPING", 240)].iter().fold(Scene::new(), |scene, (state, samples)| {
            let state = format!("STATE_{state}");
            let fields =
                [("sampledThread", thread("worker")), ("state", state.as_str().into()), ("samples", (*samples).into())];
            scene.event("profiler.WallClockSample", 0, 0, fields)
        });
        assert_snapshot("ThreadStates", &scene.verdict(&ThreadStates));
    }

    #[test]
    fn threads_that_run_and_wait_are_fine() {
        let verdict = scene(&[("RUNNABLE", 60), ("PARKED", 240)]).verdict(&ThreadStates);
        assert_eq!(verdict.severity, Severity::Ok);
        assert!(format!("{:?}", verdict.evidence).contains("waiting"));
    }

    #[test]
    fn few_dumps_say_nothing() {
        fixture::expect("ThreadStates", "scenarios/healthy", Severity::NotApplicable);
    }
}
