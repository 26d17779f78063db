//! `JavaBlocking`: time blocked on monitors and locks.

use super::waits::{CLASS, DURATION, LOCKS, MONITOR, PARK, STACK, THREAD, WAITS, for_a_lock, longest, waits_for_locks};
use crate::cost;
use jfr_analyzers::events::{Facts, Group, Level, Needs};
use jfr_analyzers::math::{balance, map_exp100, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// How many threads on average wait for monitors and locks. Needs no list.
///
/// `LockContention` compares the same time with the CPU time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JavaBlocking;

impl JavaBlocking {
    /// Why it matters.
    const WHY: &str = "A thread that needs a monitor or lock that another holds is blocked. The more threads are \
                       blocked, the less of the machine the program can use.";
    /// What to do.
    const REMEDY: &str = "Hold the lock for less time, split the data that it protects, or use a concurrent \
                          collection.";
}

impl Rule for JavaBlocking {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("JavaBlocking")
            .title("Threads blocked on locks")
            .category(Category::Locks)
            .description("How many threads on average wait to enter monitors (synchronized) and for locks.")
            .formula(
                "Total duration of jdk.JavaMonitorEnter, and of jdk.ThreadPark where parkedClass is a lock, \
                      divided by the length of the recording: the average number of blocked threads. 25 at 0.21, 75 at \
                      `warning`.",
            )
            .unlike_jmc(
                "JMC looks at jdk.JavaMonitorEnter only, so it misses waits for a ReentrantLock, a \
                          ReentrantReadWriteLock or a StampedLock. jfrkit also counts jdk.ThreadPark on those, except \
                          for idle pool threads. JMC names the most blocked thread if blocked time is concentrated \
                          more by thread than by monitor; jfrkit compares it with the concentration by monitor class.",
            )
            .settings(
                const {
                    &[
                        Setting::count("warning", 1.0, "Average number of blocked threads"),
                        Setting::regex("locks", LOCKS, "Classes that are locks"),
                        Setting::regex(
                            "exclude-threads",
                            r"(.*weblogic\.socket\.Muxer.*)",
                            "Names of threads to leave out",
                        ),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().groups(WAITS))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(&[MONITOR, PARK], Level::Available) {
            return Verdict::not_applicable(because);
        }
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No thread was blocked"),
        }
    }
}

/// Waiting for locks.
struct Measured<'f> {
    all: Group<'f>,
    /// The average number of blocked threads.
    blocked: f64,
    /// Whether blocking is concentrated on few threads rather than on few classes.
    by_thread: bool,
    /// The five most, the most first.
    classes: Vec<Group<'f>>,
    threads: Vec<Group<'f>>,
    stacks: Vec<Group<'f>>,
}

/// `None` if no thread was blocked.
fn measure<'f>(facts: &'f Facts, settings: &'f Settings) -> Option<Measured<'f>> {
    let waits = waits_for_locks(facts, settings, for_a_lock(facts, settings));
    let all = waits.by(&[]).into_iter().next()?;
    let threads = waits.by(&[THREAD]);
    let classes = waits.by(&[CLASS]);
    let balance_of = |groups: &[Group<'_>]| balance(groups.iter().map(|g| g.sum(DURATION)));
    Some(Measured {
        blocked: ratio(all.sum(DURATION), facts.nanos() as f64),
        all,
        by_thread: balance_of(&threads) > balance_of(&classes),
        classes: longest(classes, 5),
        threads: longest(threads, 5),
        stacks: waits.by(&[STACK]),
    })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { all, blocked, by_thread, classes, threads, stacks } = measured;
    let what = match (classes.first(), threads.first()) {
        (_, Some(thread)) if *by_thread => thread.thread(THREAD).map_or("", |t| t.name.as_str()),
        (Some(class), _) => class.text(CLASS).unwrap_or("unknown class"),
        _ => "",
    };
    let summary = format!(
        "{blocked:.2} threads on average are blocked on a monitor or lock, {} {what}",
        if *by_thread { "most of all" } else { "mostly on" },
    );
    let class = |g: &Group<'_>| g.text(CLASS).unwrap_or("?").to_owned();
    let thread = |g: &Group<'_>| g.thread(THREAD).map_or("?", |t| t.name.as_str()).to_owned();
    let stacks = stacks.iter().filter_map(|g| Some((g.stack(STACK)?, g.sum(DURATION))));
    Verdict::scored(map_exp100(*blocked, settings.number("warning")), summary)
        .explain(JavaBlocking::WHY)
        .remedy(JavaBlocking::REMEDY)
        .cost(cost::waited(facts, all.sum(DURATION)))
        .with("threads blocked on average", Value::number(*blocked, "threads"))
        .with("time blocked", Value::nanos_f64(all.sum(DURATION)))
        .with("times blocked", Value::count(all.count(), "times"))
        .with("most blocking classes", table("class", classes, class))
        .with("most blocked threads", table("thread", threads, thread))
        .with("where", facts.top_methods(stacks, 5, Value::nanos_f64))
}

fn table(key: &'static str, groups: &[Group<'_>], name: impl Fn(&Group<'_>) -> String) -> Value {
    let row = |g: &Group<'_>| [name(g).into(), Value::count(g.count(), "times"), Value::nanos_f64(g.sum(DURATION))];
    Value::table([key, "times", "time"], groups.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{stack, thread};

    fn scene(name: &str) -> Scene {
        (0..10i64).fold(Scene::new(), |scene, i| {
            scene.event(
                "jdk.JavaMonitorEnter",
                i * 100,
                i * 100 + 100,
                [
                    ("eventThread", thread(name)),
                    ("monitorClass", "com.example.Cache".into()),
                    ("address", 42.into()),
                    ("stackTrace", stack(&["com.example.Cache.get"])),
                ],
            )
        })
    }

    #[test]
    fn a_thread_that_always_waits_is_a_warning() {
        let verdict = scene("worker").verdict(&JavaBlocking);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn locks_of_java_util_concurrent_count_too() {
        let parked = |class: &str| {
            let fields = [("eventThread", thread("worker")), ("parkedClass", class.into())];
            Scene::new().event(PARK, 0, 1_000, fields).verdict(&JavaBlocking).severity
        };
        assert_eq!(parked("java.util.concurrent.locks.ReentrantLock$NonfairSync"), Severity::Warning);
        assert_eq!(parked("java.util.concurrent.CountDownLatch$Sync"), Severity::Ok);
    }

    #[test]
    fn threads_can_be_left_out() {
        assert_eq!(scene("weblogic.socket.Muxer 1").verdict(&JavaBlocking).severity, Severity::Ok);
        assert_eq!(scene("worker").with("exclude-threads", "work").verdict(&JavaBlocking).severity, Severity::Ok);
    }

    #[test]
    fn without_events_it_does_not_apply() {
        assert_eq!(Scene::new().enabled(MONITOR).verdict(&JavaBlocking).severity, Severity::NotApplicable);
    }
}
