//! `OversizedThreadPool`: pools with more threads than their work or the CPUs need.

use std::collections::{BTreeMap, HashMap};

use crate::cost;
use crate::cpu_samples::CPU_BY_THREAD;
use crate::names::pool_name;
use crate::time::SECOND;
use jfr_analyzers::events::{Facts, GroupBy, Level, Needs, ThreadId};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether a pool has mostly idle threads, or more compute-bound threads than there are CPUs. Needs no event table.
///
/// Fires on `fixtures/scenarios/oversized-pool.jfr.gz` (220 threads, parked except for a moment every 5 s); quiet on
/// `lock-convoy` and `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OversizedThreadPool;

const STARTS: GroupBy = GroupBy::of(&["jdk.ThreadStart"]).by(&["thread"]);
const ENDS: GroupBy = GroupBy::of(&["jdk.ThreadEnd"]).by(&["thread"]);
const PARKS: GroupBy =
    GroupBy::of(&["jdk.ThreadPark", "jdk.JavaMonitorWait"]).by(&["eventThread"]).measure(&["duration"]);
/// The JVM reports the load of each thread every 10 s.
const SLICE: i64 = 10 * SECOND;
const LOADS: GroupBy = GroupBy::of(&["jdk.ThreadCPULoad"])
    .by(&["eventThread"])
    .measure(&["user", "system"])
    .per_nanos(SLICE)
    .up_to(200_000);

/// Parked share of a thread's life from which it counts as idle.
const IDLE: f64 = 0.95;
/// Share of the machine that a pool must use to count as CPU-bound.
const BUSY: f64 = 0.7;

/// What is known of one thread.
#[derive(Debug, Clone, Copy)]
struct ThreadLife {
    from: i64,
    to: i64,
    parked: f64,
    sampled: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Pool {
    size: u64,
    idle: u64,
    /// Per time slice: the load of each thread as a share of the machine, 0 to 1.
    loads: BTreeMap<i64, Vec<f64>>,
}

impl Pool {
    fn idle_share(&self) -> f64 {
        ratio(self.idle as f64, self.size as f64)
    }

    /// The highest load of any slice, as a share of the machine.
    fn load(&self) -> f64 {
        self.loads.values().map(|l| l.iter().sum::<f64>()).fold(0.0, f64::max)
    }

    /// The most threads that compute at once: those that get at least a quarter of their fair share of the CPUs, in
    /// slices in which the pool uses most of the machine.
    fn computing(&self, cpus: f64) -> usize {
        let computing = |loads: &&Vec<f64>| {
            let fair = ratio(1.0, (loads.len() as f64).max(cpus));
            loads.iter().filter(|l| **l >= fair / 4.0).count()
        };
        let busy = self.loads.values().filter(|l| l.iter().sum::<f64>() >= BUSY);
        busy.map(|l| computing(&l)).max().unwrap_or(0)
    }

    /// The time that computing threads spent waiting for a CPU, summed over threads, in the same slices.
    fn waited(&self, cpus: f64) -> f64 {
        let busy = self.loads.values().filter(|l| l.iter().sum::<f64>() >= BUSY);
        busy.map(|loads| {
            let fair = ratio(1.0, (loads.len() as f64).max(cpus));
            let computing = loads.iter().filter(|l| **l >= fair / 4.0);
            computing.map(|load| (1.0 - load * cpus).max(0.0) * SLICE as f64).sum::<f64>()
        })
        .sum()
    }
}

impl OversizedThreadPool {
    /// Why it matters.
    const WHY: &str =
        "Compute-bound threads beyond the number of CPUs take turns: each runs slower, and none finishes earlier.";
    /// What to do.
    const REMEDY: &str =
        "Give a compute pool as many threads as there are CPUs, and let further tasks wait in its queue.";
}

impl Rule for OversizedThreadPool {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("OversizedThreadPool")
            .title("Oversized thread pool")
            .category(Category::Threads)
            .description("Whether a pool has mostly idle threads, or more compute-bound threads than there are CPUs.")
            .formula(
                "Groups threads by name without digits. A thread is idle if it has no CPU sample and is parked \
                      (jdk.ThreadPark, jdk.JavaMonitorWait) for 95 % of its time. For pools where `idle` or more of \
                      the threads are idle, the number of threads: 25 at `info`, 75 at `warning`. For pools that use \
                      70 % of the machine within 10 s (jdk.ThreadCPULoad), the threads that compute at once / the \
                      hardware threads, if above 1: 25 at `cpu-info`, 75 at `cpu-warning`. An idle pool costs the \
                      memory of its idle threads, an estimated 42 KiB each; a busy one costs the time that its threads \
                      wait for a CPU. Based on Datadog's thread pool size; the thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("idle", 80.0, "Share of idle threads from which a pool counts"),
                        Setting::count("info", 50.0, "Threads of an idle pool, worth a look"),
                        Setting::count("warning", 200.0, "Threads of an idle pool, to act on"),
                        Setting::count("cpu-info", 1.0, "Computing threads per hardware thread, worth a look"),
                        Setting::count("cpu-warning", 4.0, "Computing threads per hardware thread, to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        let needs = Needs::new().groups(STARTS).groups(ENDS).groups(PARKS).groups(LOADS).groups(CPU_BY_THREAD);
        cost::memory_needs(cost::needs(needs))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured),
            None => {
                let because =
                    facts.missing_all(&["jdk.ThreadPark", "jdk.ThreadCPULoad", "jdk.ThreadStart"], Level::Available);
                Verdict::not_applicable(because.unwrap_or_else(|| "the recording has no Java threads".to_owned()))
            }
        }
    }
}

/// Thread pools.
struct Measured {
    /// Hardware threads; 0 if unknown.
    cpus: f64,
    /// The worst pool first.
    pools: Vec<Rated>,
}

/// A pool with its scores.
struct Rated {
    name: String,
    pool: Pool,
    /// For idle threads, and for threads that compete for CPUs.
    idle: f64,
    busy: f64,
}

impl Rated {
    fn score(&self) -> f64 {
        self.idle.max(self.busy)
    }

    fn of(name: String, pool: Pool, cpus: f64, settings: &Settings) -> Self {
        let idle = if pool.idle_share() * 100.0 >= settings.number("idle") {
            map2(pool.size as f64, settings.number("info"), settings.number("warning"))
        } else {
            0.0
        };
        let computing = pool.computing(cpus) as f64;
        let busy = if cpus > 0.0 && computing > cpus {
            map2(computing / cpus, settings.number("cpu-info"), settings.number("cpu-warning"))
        } else {
            0.0
        };
        Self { name, pool, idle, busy }
    }
}

/// `None` if the recording has no Java threads.
fn measure(facts: &Facts, settings: &Settings) -> Option<Measured> {
    let threads = threads(facts);
    if threads.is_empty() {
        return None;
    }
    let cpus = facts.hardware_threads().map_or(0.0, |n| n as f64);
    let pools = pools(facts, &threads).into_iter();
    let mut pools: Vec<Rated> = pools.map(|(name, pool)| Rated::of(name, pool, cpus, settings)).collect();
    pools.sort_by(|a, b| b.score().total_cmp(&a.score()).then_with(|| b.pool.size.cmp(&a.pool.size)));
    Some(Measured { cpus, pools })
}

fn pools(facts: &Facts, threads: &HashMap<ThreadId, ThreadLife>) -> BTreeMap<String, Pool> {
    let mut pools: BTreeMap<String, Pool> = BTreeMap::new();
    for (id, known) in threads {
        let pool = pools.entry(pool_name(&facts.thread(*id).name)).or_default();
        pool.size = pool.size.saturating_add(1);
        let life = known.to.saturating_sub(known.from) as f64;
        if !known.sampled && life > 0.0 && known.parked >= IDLE * life {
            pool.idle = pool.idle.saturating_add(1);
        }
    }
    for group in facts.groups(&LOADS).iter() {
        let Some(id) = group.thread_id("eventThread").filter(|id| is_pooled(facts, *id)) else { continue };
        // A thread's last load is reported when it ends, for a period other than the slice. Ten threads that ran
        // one after the other would look like ten at once.
        if threads.get(&id).is_some_and(|t| t.ended && t.to.saturating_sub(group.last()).abs() < SECOND) {
            continue;
        }
        if let Some(pool) = pools.get_mut(&pool_name(&facts.thread(id).name)) {
            pool.loads.entry(group.bucket()).or_default().push(group.mean("user") + group.mean("system"));
        }
    }
    pools
}

fn verdict(facts: &Facts, measured: &Measured) -> Verdict {
    let cpus = measured.cpus;
    let Some(worst) = measured.pools.first() else {
        return Verdict::ok("There are no threads");
    };
    let Rated { name, pool, idle, busy } = worst;
    let score = worst.score();
    let verdict = if busy > idle {
        let summary = format!("{} threads in pool {name} compete for {cpus:.0} hardware threads", pool.computing(cpus));
        Verdict::scored(score, summary)
            .explain(OversizedThreadPool::WHY)
            .remedy(OversizedThreadPool::REMEDY)
            .cost(cost::waited(facts, pool.waited(cpus)))
    } else if score >= Severity::INFO_SCORE {
        Verdict::scored(score, format!("{} of the {} threads in pool {name} sat idle", pool.idle, pool.size))
            .explain(
                "An idle thread costs its stack (up to 1 MiB), makes thread dumps, safepoints and the garbage \
                 collector's root scan longer, and hides how few threads are needed.",
            )
            .remedy(
                "Make the pool smaller, let idle threads end (allowCoreThreadTimeOut, or the minimum and maximum \
                 of the server's pool), or use virtual threads for work that mostly waits.",
            )
            .estimate(cost::stacks(facts, pool.idle as f64))
    } else {
        Verdict::scored(score, format!("No thread pool is too large ({} checked)", measured.pools.len()))
    };
    verdict
        .with_some("hardware threads", (cpus > 0.0).then(|| Value::number(cpus, "threads")))
        .with("pools", pool_table(&measured.pools))
}

fn pool_table(pools: &[Rated]) -> Value {
    let rows = pools.iter().take(10).map(|Rated { name, pool, .. }| {
        [
            name.as_str().into(),
            Value::count(pool.size, "threads"),
            Value::count(pool.idle, "threads"),
            Value::share(pool.load()),
        ]
    });
    Value::table(["pool", "threads", "idle", "largest load of the machine"], rows)
}

/// Whether a thread may belong to a pool; virtual threads and compiler threads do not.
fn is_pooled(facts: &Facts, id: ThreadId) -> bool {
    let thread = facts.thread(id);
    thread.is_java() && !thread.is_virtual && !thread.name.contains("CompilerThread")
}

fn threads(facts: &Facts) -> HashMap<ThreadId, ThreadLife> {
    let mut threads: HashMap<ThreadId, ThreadLife> = HashMap::new();
    let (from, to) = (facts.start(), facts.end());
    let unknown = ThreadLife { from, to, parked: 0.0, sampled: false, ended: false };
    let java = |id: &ThreadId| is_pooled(facts, *id);
    for group in facts.groups(&STARTS).iter() {
        if let Some(id) = group.thread_id("thread").filter(java) {
            threads.entry(id).or_insert(unknown).from = group.first();
        }
    }
    for group in facts.groups(&PARKS).iter() {
        if let Some(id) = group.thread_id("eventThread").filter(java) {
            let known = threads.entry(id).or_insert(unknown);
            known.parked = group.sum("duration");
            // A park that was under way when the recording began.
            known.from = known.from.min(group.first());
        }
    }
    for group in facts.groups(&LOADS).iter() {
        if let Some(id) = group.thread_id("eventThread").filter(java) {
            threads.entry(id).or_insert(unknown);
        }
    }
    for group in facts.groups(&CPU_BY_THREAD).iter() {
        if let Some(id) = group.thread_id("sampledThread|eventThread").filter(java) {
            threads.entry(id).or_insert(unknown).sampled = true;
        }
    }
    for group in facts.groups(&ENDS).iter() {
        if let Some(known) = group.thread_id("thread").and_then(|id| threads.get_mut(&id)) {
            (known.to, known.ended) = (group.last(), true);
        }
    }
    threads
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    #[test]
    fn a_pool_without_work_is_found() {
        fixture::expect("OversizedThreadPool", "scenarios/oversized-pool", Severity::Warning);
    }

    /// 30 threads that share 2 hardware threads.
    fn computing(load: f64) -> Scene {
        let scene = Scene::new().event("jdk.CPUInformation", 0, 0, [("hwThreads", 2.into())]);
        (0..30i64).fold(scene, |scene, i| {
            let fields = [("eventThread", thread(&format!("calc-{i}"))), ("user", load.into()), ("system", 0.0.into())];
            scene.event("jdk.ThreadCPULoad", 10 * SECOND, 10 * SECOND, fields)
        })
    }

    #[test]
    fn more_computing_threads_than_cpus_are_found() {
        assert_eq!(computing(0.03).verdict(&OversizedThreadPool).severity, Severity::Warning);
    }

    #[test]
    fn a_pool_that_works_or_is_small_is_fine() {
        assert_eq!(computing(0.01).verdict(&OversizedThreadPool).severity, Severity::Ok);
        fixture::expect("OversizedThreadPool", "scenarios/lock-convoy", Severity::Ok);
        fixture::expect("OversizedThreadPool", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn without_threads_it_does_not_apply() {
        assert_eq!(Scene::new().verdict(&OversizedThreadPool).severity, Severity::NotApplicable);
    }
}
