//! `ExecutorQueueDelay`: tasks that wait in an executor's queue.

use crate::cost;
use jfr_analyzers::events::{Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// How long tasks wait before an executor runs them, as Datadog's agent measures it. Needs no event table.
///
/// Fires on `tck-test.jfr` of the shared corpus (skipped if that is not available) and on synthetic events. Quiet only
/// on synthetic events, because only Datadog's agent writes real ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExecutorQueueDelay;

const EVENT: &str = "datadog.QueueTime";
const WAITS: GroupBy = GroupBy::of(&[EVENT]).by(&[SCHEDULER, TASK, QUEUE]).measure(&[DELAY]).histogram();
const SCHEDULER: &str = "scheduler";
const TASK: &str = "task";
const QUEUE: &str = "queueType";
const DELAY: &str = "duration";

/// Minimum number of tasks of a scheduler to judge it.
const ENOUGH: u64 = 10;

impl ExecutorQueueDelay {
    /// Why it matters.
    const WHY: &str = "A task that waits for a thread is late before it starts. One long task delays all tasks behind \
                       it. A queue that never empties means too few threads, or threads that wait for something else.";
    /// What to do.
    const REMEDY: &str = "Move long tasks to a separate pool, give the pool more threads if the CPUs are not busy, \
                          bound its queue, or run tasks that mostly wait on virtual threads.";
}

impl Rule for ExecutorQueueDelay {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ExecutorQueueDelay")
            .title("Executor queue delay")
            .category(Category::Threads)
            .description("How long tasks wait in an executor's queue before they run.")
            .formula(
                "Mean duration of datadog.QueueTime per scheduler, for schedulers with ten tasks or more: 25 at \
                      `info`, 75 at `warning` for the slowest. The cost is the time that tasks waited. Based on jafar and \
                      Datadog.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("info", 0.02, "Mean delay worth a look"),
                        Setting::seconds("warning", 0.1, "Mean delay to act on"),
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
        if facts.groups(&WAITS).is_empty() {
            return Verdict::not_applicable(format!("there are no {EVENT} events, which only Datadog's agent writes"));
        }
        match measure(facts) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::not_applicable("no executor has ten measured tasks"),
        }
    }
}

/// How long tasks wait in the queues of executors.
struct Measured<'f> {
    /// The executor with the longest mean.
    worst: Group<'f>,
    /// Executors with enough tasks, the longest mean first.
    executors: Vec<Group<'f>>,
    /// The tasks of the worst executor, the longest wait in total first.
    tasks: Vec<Group<'f>>,
}

/// `None` if no executor has enough tasks.
fn measure(facts: &Facts) -> Option<Measured<'_>> {
    let groups = facts.groups(&WAITS);
    let mut executors: Vec<Group<'_>> = groups.by(&[SCHEDULER]);
    executors.retain(|g| g.count() >= ENOUGH);
    executors.sort_by(|a, b| b.mean(DELAY).total_cmp(&a.mean(DELAY)));
    let worst = executors.first()?.clone();
    let mut tasks = groups.select(&[TASK, QUEUE], |g| g.key(SCHEDULER) == worst.key(SCHEDULER));
    tasks.sort_by(|a, b| b.sum(DELAY).total_cmp(&a.sum(DELAY)));
    Some(Measured { worst, executors, tasks })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { worst, executors, tasks } = measured;
    let score = map2(worst.mean(DELAY) / 1e9, settings.number("info"), settings.number("warning"));
    let summary = format!(
        "Tasks wait {} on average in the queue of {}, up to {}",
        duration_f64(worst.mean(DELAY)),
        worst.text(SCHEDULER).unwrap_or("unknown executor"),
        duration_f64(worst.max(DELAY))
    );
    let task_rows = tasks.iter().take(10).map(|g| {
        [
            g.text(TASK).unwrap_or("?").into(),
            g.text(QUEUE).unwrap_or("").into(),
            Value::count(g.count(), "times"),
            Value::nanos_f64(g.mean(DELAY)),
        ]
    });
    Verdict::scored(score, summary)
        .explain(ExecutorQueueDelay::WHY)
        .remedy(ExecutorQueueDelay::REMEDY)
        .cost(cost::waited(facts, executors.iter().map(|g| g.sum(DELAY)).sum()))
        .with("mean", Value::nanos_f64(worst.mean(DELAY)))
        .with("longest at", Value::instant(worst.max_start()))
        .with("executors", executor_table(executors))
        .with("tasks of the slowest", Value::table(["task", "queue", "times", "mean"], task_rows))
}

fn executor_table(executors: &[Group<'_>]) -> Value {
    let rows = executors.iter().take(10).map(|g| {
        [
            g.text(SCHEDULER).unwrap_or("?").into(),
            Value::count(g.count(), "tasks"),
            Value::nanos_f64(g.mean(DELAY)),
            Value::nanos_f64(g.histogram().map_or(0.0, |h| h.quantile(0.99)).min(g.max(DELAY))),
            Value::nanos_f64(g.max(DELAY)),
        ]
    });
    Value::table(["executor", "tasks", "mean", "99th percentile", "longest"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(millis: i64) -> Scene {
        (0..20i64).fold(Scene::new(), |scene, i| {
            let fields = [("scheduler", "shop.Pool".into()), ("task", "shop.Order".into())];
            scene.event(EVENT, i, i + millis * 1_000_000, fields)
        })
    }

    #[test]
    fn datadogs_measurements_are_read() {
        let verdict = fixture::corpus("ExecutorQueueDelay", "public/btraceio+jafar/tck-test.jfr");
        let Some(verdict) = verdict else { return };
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(verdict.summary.contains("java.util.concurrent.ThreadPoolExecutor"), "{}", verdict.summary);
    }

    #[test]
    fn tasks_that_wait_long_are_found() {
        assert_eq!(scene(150).verdict(&ExecutorQueueDelay).severity, Severity::Warning);
        assert_eq!(scene(30).verdict(&ExecutorQueueDelay).severity, Severity::Info);
    }

    #[test]
    fn tasks_that_run_soon_are_fine() {
        assert_eq!(scene(2).verdict(&ExecutorQueueDelay).severity, Severity::Ok);
    }

    #[test]
    fn without_datadog_it_does_not_apply() {
        assert_eq!(Scene::new().verdict(&ExecutorQueueDelay).severity, Severity::NotApplicable);
    }
}
