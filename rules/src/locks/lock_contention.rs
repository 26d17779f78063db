//! `LockContention`: time spent waiting for locks of any kind.

use std::collections::{BTreeMap, HashMap};

use super::waits::{
    ADDRESS, CLASS, DURATION, LOCKED, LOCKS, MONITOR, OWNER, OWNERS, PARK, STACK, THREAD, WAITS, for_a_lock, longest,
    waits_for_locks,
};
use crate::cost;
use crate::cpu_load::{LOAD_FIELDS, jvm_cpu_nanos};
use crate::sites::waiting_frame;
use jfr_analyzers::events::{EVENT, Facts, Group, Level, Needs, ThreadId};
use jfr_analyzers::math::{join_overlaps, map2, ratio};
use jfr_analyzers::rule::{Category, Frame, MethodRow, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// How many threads on average wait for locks: monitors, and the locks of `java.util.concurrent`, which JMC's
/// `JavaBlocking` leaves out. Needs the list of `jdk.CPULoad`; the lock events are summed up.
///
/// Fires on `fixtures/scenarios/lock-contention.jfr.gz`; quiet on `oversized-pool` (whose threads park, waiting for work) and on
/// `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LockContention;

/// The average number of waiting threads from which the comparison with CPU time counts: a large share of almost
/// nothing means nothing.
const ENOUGH: f64 = 0.1;

impl LockContention {
    /// Why it matters.
    const WHY: &str = "A thread that waits for a lock does no work, and the request that it serves takes that much \
                       longer. If all threads have to pass through one lock, that lock limits the throughput, however \
                       large the machine is.";
    /// What to do.
    const REMEDY: &str = "Hold the lock for less time and do no I/O while holding it; split the data that it protects; \
                          use concurrent collections, atomics or LongAdder; let readers use an immutable copy.";
}

const SAMPLE: &str = "jdk.ExecutionSample";
/// How many samples to search for what owners did.
const SAMPLES: usize = 200_000;

/// Where threads wait: the first frame outside the JDK, with its share of all waiting.
fn places(facts: &Facts, stacks: &[Group<'_>], all: f64) -> Value {
    let mut sums: BTreeMap<(String, Option<u32>), f64> = BTreeMap::new();
    for group in stacks {
        if let Some(frame) = group.stack(STACK).and_then(|stack| waiting_frame(facts, stack)) {
            *sums.entry((frame.method, frame.line)).or_default() += group.sum(DURATION);
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    Value::methods(sums.into_iter().take(5).map(|((method, line), nanos)| MethodRow {
        method: Frame { method, line },
        application_frame: None,
        value: Box::new(Value::nanos_f64(nanos)),
        percent: ratio(nanos, all) * 100.0,
    }))
}

/// Where threads that held a monitor were sampled most often while another thread waited for it.
fn while_held(facts: &Facts) -> HashMap<ThreadId, String> {
    let mut held: HashMap<ThreadId, Vec<(i64, i64)>> = HashMap::new();
    for wait in facts.table(MONITOR).rows() {
        if let Some(owner) = wait.cell("previousOwner").thread() {
            held.entry(owner).or_default().push((wait.start, wait.end));
        }
    }
    held.values_mut().for_each(join_overlaps);
    let mut seen: HashMap<ThreadId, BTreeMap<String, u64>> = HashMap::new();
    for sample in facts.table(SAMPLE).rows() {
        let Some(thread) = sample.cell("sampledThread").thread() else { continue };
        let Some(waits) = held.get(&thread) else { continue };
        let next = waits.partition_point(|(start, _)| *start <= sample.start);
        let inside = next.checked_sub(1).and_then(|i| waits.get(i)).is_some_and(|(_, end)| sample.start <= *end);
        if let Some(frame) = sample.stack().filter(|_| inside).and_then(|stack| waiting_frame(facts, stack)) {
            *seen.entry(thread).or_default().entry(frame.method).or_default() += 1;
        }
    }
    let most = |methods: BTreeMap<String, u64>| {
        let all: u64 = methods.values().sum();
        let (method, count) = methods.into_iter().max_by_key(|(_, n)| *n)?;
        Some(format!("{method} ({count} of {all} samples)"))
    };
    seen.into_iter().filter_map(|(thread, methods)| Some((thread, most(methods)?))).collect()
}

impl Rule for LockContention {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("LockContention")
            .title("Lock contention")
            .category(Category::Locks)
            .description("How much time threads spend waiting for locks of any kind.")
            .formula(
                "Total duration of jdk.JavaMonitorEnter, and of jdk.ThreadPark where parkedClass is a lock \
                      (`locks`), divided by the length of the recording: the average number of waiting threads. 25 at \
                      `info`, 75 at `warning`. Pool threads that ask for work or exit are left out. If the number is \
                      0.1 or more, waiting is also divided by the CPU time of the JVM (jdk.CPULoad times hardware \
                      threads): 25 at `cpu-info`, 75 at `cpu-warning` (no warning below `info`). The higher score \
                      counts. Based on Datadog (waiting relative to CPU time) and JMC. Waits shorter than the \
                      thresholds of the events are not recorded.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 0.2, "Average number of waiting threads that is worth a look"),
                        Setting::count("warning", 1.0, "Average number of waiting threads to act on"),
                        Setting::percent("cpu-info", 10.0, "Waiting relative to CPU time that is worth a look"),
                        Setting::percent("cpu-warning", 50.0, "Waiting relative to CPU time to act on"),
                        Setting::regex("locks", LOCKS, "Classes that are locks"),
                        Setting::regex("exclude-threads", "", "Names of threads to leave out"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .groups(WAITS)
            .groups(LOCKED)
            .groups(OWNERS)
            .table("jdk.CPULoad", LOAD_FIELDS)
            .table(MONITOR, &["monitorClass", "address", "previousOwner"])
            .table_up_to(SAMPLES, SAMPLE, &["stackTrace", "sampledThread"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(&[MONITOR, PARK], Level::Enabled) {
            return Verdict::not_applicable(because);
        }
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No thread waited for a lock"),
        }
    }
}

/// Waiting for locks.
struct Measured<'f> {
    all: Group<'f>,
    /// The average number of waiting threads.
    waiting: f64,
    /// Waiting divided by the CPU time of the JVM, if that is known.
    to_cpu: Option<f64>,
    /// The locks that threads waited for longest: by class and address, or by class if threads are excluded, because
    /// groups by address do not contain the threads.
    locks: Vec<Group<'f>>,
    by_address: bool,
    /// The class whose locks threads waited for longest.
    class: Option<Group<'f>>,
    /// The threads that held monitors before others waited for them.
    owners: Vec<Group<'f>>,
    /// What these threads did meanwhile.
    doing: HashMap<ThreadId, String>,
    /// The threads that waited longest.
    threads: Vec<Group<'f>>,
    stacks: Vec<Group<'f>>,
}

/// `None` if no thread waited.
fn measure<'f>(facts: &'f Facts, settings: &'f Settings) -> Option<Measured<'f>> {
    let counts = for_a_lock(facts, settings);
    let waits = waits_for_locks(facts, settings, &counts);
    let all = waits.by(&[]).into_iter().next()?;
    let cpu = jvm_cpu_nanos(facts).filter(|n| *n > 0.0);
    let by_address = settings.is_empty("exclude-threads");
    let locks = if by_address {
        facts.groups(&LOCKED).select(&[CLASS, EVENT, ADDRESS], &counts)
    } else {
        waits.by(&[CLASS, EVENT])
    };
    let owners = facts.groups(&OWNERS).iter().filter(|g| g.thread(OWNER).is_some()).collect();
    Some(Measured {
        waiting: ratio(all.sum(DURATION), facts.nanos() as f64),
        to_cpu: cpu.map(|cpu| all.sum(DURATION) / cpu),
        all,
        locks: longest(locks, 10),
        by_address,
        class: longest(waits.by(&[CLASS]), 1).into_iter().next(),
        owners: longest(owners, 5),
        doing: while_held(facts),
        threads: longest(waits.by(&[THREAD]), 10),
        stacks: waits.by(&[STACK]),
    })
}

fn score(measured: &Measured<'_>, settings: &Settings) -> f64 {
    let number = |key| settings.number(key);
    let waiting = measured.waiting;
    let score = map2(waiting, number("info"), number("warning"));
    let Some(to_cpu) = measured.to_cpu.filter(|_| waiting >= ENOUGH) else { return score };
    let relative = map2(to_cpu * 100.0, number("cpu-info"), number("cpu-warning"));
    score.max(if waiting < number("info") { relative.min(74.0) } else { relative })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { all, waiting, stacks, .. } = measured;
    let site = stacks
        .iter()
        .max_by(|a, b| a.sum(DURATION).total_cmp(&b.sum(DURATION)))
        .and_then(|g| waiting_frame(facts, g.stack(STACK)?));
    let class = measured.class.as_ref().and_then(|g| g.text(CLASS)).unwrap_or("unknown class");
    let most = site.map(|f| format!(", most often in {}", f.method)).unwrap_or_default();
    let summary = format!("{waiting:.2} threads on average wait for locks, mostly for {class}{most}");
    Verdict::scored(score(measured, settings), summary)
        .explain(LockContention::WHY)
        .remedy(LockContention::REMEDY)
        .cost(cost::waited(facts, all.sum(DURATION)))
        .with("threads waiting on average", Value::number(*waiting, "threads"))
        .with("time waited", Value::nanos_f64(all.sum(DURATION)))
        .with("times", Value::count(all.count(), "times"))
        .with("longest", Value::nanos_f64(all.max(DURATION)))
        .with("longest at", Value::instant(all.max_start()))
        .with_some("waiting over CPU time", measured.to_cpu.map(|times| Value::number(times, "times")))
        .with("locks", lock_table(measured))
        .with("places", places(facts, stacks, all.sum(DURATION)))
        .with_some("held before by", (!measured.owners.is_empty()).then(|| owner_table(measured)))
        .with("threads", thread_table(facts, measured))
}

fn lock_table(measured: &Measured<'_>) -> Value {
    let address = |g: &Group<'_>| if measured.by_address { g.int(ADDRESS).filter(|at| *at != 0) } else { None };
    let rows = measured.locks.iter().map(|g| {
        [
            g.text(CLASS).unwrap_or("?").into(),
            address(g).map_or(String::new(), |at| format!("{at:#x}")).into(),
            if g.text(EVENT) == Some(MONITOR) { "monitor".into() } else { "java.util.concurrent".into() },
            Value::count(g.count(), "times"),
            Value::nanos_f64(g.sum(DURATION)),
            Value::nanos_f64(g.max(DURATION)),
        ]
    });
    Value::table(["class", "address", "kind", "times", "time", "longest"], rows)
}

fn owner_table(measured: &Measured<'_>) -> Value {
    let rows = measured.owners.iter().map(|g| {
        let method = g.thread_id(OWNER).and_then(|id| measured.doing.get(&id)).cloned();
        [
            g.thread(OWNER).map_or("?", |t| t.name.as_str()).into(),
            Value::count(g.count(), "times"),
            Value::nanos_f64(g.sum(DURATION)),
            method.unwrap_or_else(|| "no samples".to_owned()).into(),
        ]
    });
    Value::table(["thread", "times", "time", "what it did meanwhile"], rows)
}

fn thread_table(facts: &Facts, measured: &Measured<'_>) -> Value {
    let rows = measured.threads.iter().map(|g| {
        [
            g.thread(THREAD).map_or("?", |t| t.name.as_str()).into(),
            Value::count(g.count(), "times"),
            Value::nanos_f64(g.sum(DURATION)),
            Value::share(ratio(g.sum(DURATION), facts.nanos() as f64)),
        ]
    });
    Value::table(["thread", "times", "time", "share of recording"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{stack, thread};

    fn parked(class: &str) -> Scene {
        (0..10i64).fold(Scene::new(), |scene, i| {
            let fields = [("eventThread", thread("worker")), ("parkedClass", class.into())];
            scene.event(PARK, i * SECOND, (i + 1) * SECOND, fields)
        })
    }

    #[test]
    fn locks_of_all_kinds_are_found() {
        fixture::expect("LockContention", "scenarios/lock-contention", Severity::Warning);
        assert_eq!(
            parked("java.util.concurrent.locks.ReentrantLock$NonfairSync").verdict(&LockContention).severity,
            Severity::Warning
        );
    }

    #[test]
    fn owners_and_what_they_did_are_named_and_locks_are_kept_apart() {
        let wait = |scene: Scene, at: i64, address: i64| {
            let fields = [
                ("eventThread", thread("waiter")),
                ("previousOwner", thread("holder")),
                ("monitorClass", "shop.Cart".into()),
                ("address", address.into()),
                ("stackTrace", stack(&["java.util.Vector.add", "shop.Cart.put"])),
            ];
            scene.event(MONITOR, at, at + SECOND, fields)
        };
        let scene = (0..10i64).fold(Scene::new(), |scene, i| wait(scene, i * SECOND, 0x1000 + i % 2));
        let scene = (0..20i64).fold(scene, |scene, i| {
            let fields =
                [("sampledThread", thread("holder")), ("stackTrace", stack(&["java.lang.Math.log", "shop.Price.of"]))];
            scene.event(SAMPLE, i * SECOND / 2, i * SECOND / 2, fields)
        });
        let verdict = scene.verdict(&LockContention);
        let places = format!("{:?}", verdict.evidence.get("places"));
        assert!(places.contains("shop.Cart.put") && !places.contains("Vector"), "{places}");
    }

    #[test]
    fn excluded_threads_are_not_in_the_table_of_locks() {
        let wait = |scene: Scene, (name, class): (&str, &'static str), at: i64| {
            let fields = [("eventThread", thread(name)), ("monitorClass", class.into()), ("address", 0x10.into())];
            scene.event(MONITOR, at, at + SECOND, fields)
        };
        let scene = wait(Scene::new(), ("worker-1", "shop.Cart"), 0);
        let scene = wait(scene, ("logger", "shop.Log"), 2 * SECOND).with("exclude-threads", "logger");
        let verdict = scene.verdict(&LockContention);
        let locks = format!("{:?}", verdict.evidence.get("locks"));
        assert!(locks.contains("shop.Cart") && !locks.contains("shop.Log") && !locks.contains("0x10"), "{locks}");
    }

    #[test]
    fn waiting_for_work_is_not_contention() {
        for class in [
            "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject",
            "java.util.concurrent.CountDownLatch$Sync",
            "java.util.concurrent.Semaphore$NonfairSync",
            "java.util.concurrent.SynchronousQueue$TransferStack",
        ] {
            assert_eq!(parked(class).verdict(&LockContention).severity, Severity::Ok, "{class}");
        }
        fixture::expect("LockContention", "scenarios/oversized-pool", Severity::Ok);
        fixture::expect("LockContention", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn without_the_events_it_does_not_apply() {
        assert_eq!(Scene::new().verdict(&LockContention).severity, Severity::NotApplicable);
    }
}
