//! `JavaBlocking`: time blocked entering monitors.

use crate::analysis::math::{balance, map_exp100, ratio};
use crate::analysis::{Category, Facts, Group, GroupBy, Needs, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// How many threads wait on average to enter monitors. Needs no list.
#[derive(Debug, Clone, Copy)]
pub struct JavaBlocking;

const ENTERS: GroupBy = GroupBy::of(&["jdk.JavaMonitorEnter"])
    .by(&["eventThread", "monitorClass", "address", "stackTrace"])
    .measure(&["duration"]);
const THREAD: usize = 0;
const CLASS: usize = 1;
const ADDRESS: usize = 2;
const STACK: usize = 3;

impl Rule for JavaBlocking {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Blocked on monitors",
            category: Category::Locks,
            description: "How many threads wait on average to enter monitors (synchronized).",
            formula: "Sum of the time blocked over the length of the recording, which is the number of threads blocked \
                      on average: 25 at 0.21, 75 at `warning`.",
            differences: "As in JMC, locks of java.util.concurrent are left out; LockContention has them.",
            settings: const {
                &[
                    Setting::count("warning", 1.0, "Threads blocked on average"),
                    Setting::regex("exclude-threads", r"(.*weblogic\.socket\.Muxer.*)", "Names of threads left out"),
                ]
            },
            ..RuleInfo::jmc("JavaBlocking")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JavaMonitorEnter").groups(ENTERS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let enters = facts.groups(&ENTERS);
        let counts = |g: &Group<'_>| !g.thread(THREAD).is_some_and(|t| settings.matches("exclude-threads", &t.name));
        let all = enters.select(&[], counts);
        let Some(all) = all.first() else {
            return Verdict::ok("No thread was blocked");
        };
        let blocked = ratio(all.sum(0), facts.nanos() as f64);
        let score = map_exp100(blocked, settings.number("warning"));

        let threads = enters.select(&[THREAD], counts);
        let classes = enters.select(&[CLASS], counts);
        let instances = enters.select(&[ADDRESS], counts);
        let by_thread = balance(threads.iter().map(|g| g.sum(0))) > balance(instances.iter().map(|g| g.sum(0)));
        let class = top(classes.clone()).into_iter().next();
        let thread = top(threads.clone()).into_iter().next();
        let what = match (&class, &thread) {
            (_, Some(thread)) if by_thread => thread.thread(THREAD).map_or("", |t| t.name.as_str()),
            (Some(class), _) => class.text(0).unwrap_or("unknown class"),
            _ => "",
        };
        let stacks = enters.select(&[STACK], counts);
        let summary = format!(
            "{blocked:.2} threads wait on average to enter a monitor, most {} {what}",
            if by_thread { "of all thread" } else { "for" },
        );
        Verdict::scored(score, summary)
            .explain(
                "A thread that enters a synchronized block while another holds the monitor stands still. The more \
                 threads wait, the less of the machine is used.",
            )
            .remedy("Hold the monitor for a shorter time, divide what it protects, or use a concurrent collection.")
            .with("threads blocked on average", Value::number(blocked, "threads"))
            .with("time blocked", Value::nanos_f64(all.sum(0)))
            .with("times blocked", Value::count(all.count(), "times"))
            .with(
                "most blocking classes",
                Value::table(
                    ["class", "times", "time"],
                    top(classes).into_iter().map(|g| {
                        [g.text(0).unwrap_or("?").into(), Value::count(g.count(), "times"), Value::nanos_f64(g.sum(0))]
                    }),
                ),
            )
            .with(
                "most blocked threads",
                Value::table(
                    ["thread", "times", "time"],
                    top(threads).into_iter().map(|g| {
                        let name = g.thread(0).map_or("?", |t| t.name.as_str());
                        [name.into(), Value::count(g.count(), "times"), Value::nanos_f64(g.sum(0))]
                    }),
                ),
            )
            .with(
                "where",
                facts.top_methods(stacks.iter().filter_map(|g| Some((g.stack(0)?, g.sum(0)))), 5, Value::nanos_f64),
            )
    }
}

/// The five with the longest time.
fn top(mut groups: Vec<Group<'_>>) -> Vec<Group<'_>> {
    groups.sort_by(|a, b| b.sum(0).total_cmp(&a.sum(0)));
    groups.truncate(5);
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Severity;
    use crate::analysis::testing::{Scene, stack, thread};

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
        let verdict = scene("worker").judge(&JavaBlocking);
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(verdict.summary.contains("com.example.Cache"), "{}", verdict.summary);
    }

    #[test]
    fn threads_can_be_left_out() {
        assert_eq!(scene("weblogic.socket.Muxer 1").judge(&JavaBlocking).severity, Severity::Ok);
        assert_eq!(scene("worker").with("exclude-threads", "work").judge(&JavaBlocking).severity, Severity::Ok);
    }

    #[test]
    fn without_events_it_does_not_apply() {
        assert_eq!(Scene::new().enabled("jdk.JavaMonitorEnter").judge(&JavaBlocking).severity, Severity::NotApplicable);
    }
}
