//! `JavaBlocking`: time blocked on monitors and locks.

use super::waits::longest;
use super::waits::{CLASS, DURATION, LOCKS, MONITOR, PARK, STACK, THREAD, WAITS, for_a_lock, waits_for_locks};
use crate::cost;
use jfr_analyzers::events::{Facts, Level, Needs};
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
        let waits = waits_for_locks(facts, settings, for_a_lock(facts, settings));
        let all = waits.by(&[]);
        let Some(all) = all.first() else {
            return Verdict::ok("No thread was blocked");
        };
        let blocked = ratio(all.sum(DURATION), facts.nanos() as f64);
        let score = map_exp100(blocked, settings.number("warning"));

        let threads = waits.by(&[THREAD]);
        let classes = waits.by(&[CLASS]);
        let by_thread =
            balance(threads.iter().map(|g| g.sum(DURATION))) > balance(classes.iter().map(|g| g.sum(DURATION)));
        let (classes, threads) = (longest(classes, 5), longest(threads, 5));
        let (class, thread) = (classes.first(), threads.first());
        let what = match (class, thread) {
            (_, Some(thread)) if by_thread => thread.thread(THREAD).map_or("", |t| t.name.as_str()),
            (Some(class), _) => class.text(CLASS).unwrap_or("unknown class"),
            _ => "",
        };
        let stacks = waits.by(&[STACK]);
        let summary = format!(
            "{blocked:.2} threads on average are blocked on a monitor or lock, {} {what}",
            if by_thread { "most of all" } else { "mostly on" },
        );
        Verdict::scored(score, summary)
            .explain(JavaBlocking::WHY)
            .remedy(JavaBlocking::REMEDY)
            .cost(cost::waited(facts, all.sum(DURATION)))
            .with("threads blocked on average", Value::number(blocked, "threads"))
            .with("time blocked", Value::nanos_f64(all.sum(DURATION)))
            .with("times blocked", Value::count(all.count(), "times"))
            .with(
                "most blocking classes",
                Value::table(
                    ["class", "times", "time"],
                    classes.iter().map(|g| {
                        [
                            g.text(CLASS).unwrap_or("?").into(),
                            Value::count(g.count(), "times"),
                            Value::nanos_f64(g.sum(DURATION)),
                        ]
                    }),
                ),
            )
            .with(
                "most blocked threads",
                Value::table(
                    ["thread", "times", "time"],
                    threads.iter().map(|g| {
                        let name = g.thread(THREAD).map_or("?", |t| t.name.as_str());
                        [name.into(), Value::count(g.count(), "times"), Value::nanos_f64(g.sum(DURATION))]
                    }),
                ),
            )
            .with(
                "where",
                facts.top_methods(
                    stacks.iter().filter_map(|g| Some((g.stack(STACK)?, g.sum(DURATION)))),
                    5,
                    Value::nanos_f64,
                ),
            )
    }
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
