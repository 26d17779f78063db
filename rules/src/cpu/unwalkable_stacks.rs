//! `UnwalkableStacks`: samples whose stack the profiler could not walk.

use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::StackId;
use jfrkit_profile::units::rounded_percent;

/// How many samples have no stack, or only a frame that gives the reason why. Needs no event table.
///
/// `CpuSamplesLost` covers failed `jdk.CPUTimeSample` events. Quiet on `fixtures/scenarios/spin.jfr.gz`; fires on
/// synthetic samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnwalkableStacks;

const SAMPLES: GroupBy = GroupBy::of(&[
    "jdk.ExecutionSample",
    "profiler.WallClockSample",
    "profiler.Malloc",
    "profiler.NativeLock",
    "profiler.LiveObject",
    "datadog.ExecutionSample",
    "datadog.MethodSample",
    "datadog.ObjectSample",
])
.by(&[EVENT, "stackTrace"])
.measure(&["weight|samples"]);

/// Minimum number of samples of a kind to judge it.
const ENOUGH: f64 = 100.0;

impl UnwalkableStacks {
    /// Why it matters.
    const WHY: &str = "The profile leaves out the code that ran in these samples, or shows it under a placeholder \
                       name. Often the same code is missing each time: native libraries without frame pointers, \
                       intrinsics, code that is being deoptimized.";
    /// What to do.
    const REMEDY: &str = "With async-profiler, choose another stack walking mode (cstack=vm, dwarf or lbr), install \
                          the JVM's debug symbols, and start the JVM with -XX:+UnlockDiagnosticVMOptions \
                          -XX:+DebugNonSafepoints.";
}

impl Rule for UnwalkableStacks {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("UnwalkableStacks")
            .title("Unwalkable stacks")
            .category(Category::Recording)
            .description("Whether the profiler often failed to walk the stack, so that the profile misses what ran.")
            .formula(
                "Samples with no stack, an empty stack, or only pseudo frames (a name in brackets, or one such \
                      as unknown_Java or not_walkable_Java), as a share of all samples of their kind, for kinds with \
                      100 samples or more: 25 at `info`, 75 at `warning` for the worst kind. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 5.0, "Share worth a look"),
                        Setting::percent("warning", 20.0, "Share to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(SAMPLES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let mut kinds: Vec<Kind<'_>> = Vec::new();
        for group in facts.groups(&SAMPLES).iter() {
            let event = group.text(EVENT).unwrap_or("");
            let place = kinds.iter().position(|k| k.event == event).unwrap_or_else(|| {
                kinds.push(Kind { event, all: 0.0, bad: 0.0, marks: Vec::new() });
                kinds.len().saturating_sub(1)
            });
            if let Some(kind) = kinds.get_mut(place) {
                kind.add(facts, &group);
            }
        }
        kinds.retain(|k| k.all >= ENOUGH);
        kinds.sort_by(|a, b| b.share().total_cmp(&a.share()));
        let Some(worst) = kinds.first() else {
            let count = facts.groups(&SAMPLES).total().map_or(0, |all| all.count());
            return Verdict::not_applicable(format!(
                "{count} samples are too few to judge; at least {ENOUGH:.0} of one kind are needed \
                 (jdk.ExecutionSample#enabled=true, or a profiler)"
            ));
        };
        let share = worst.share();
        let score = map2(share * 100.0, settings.number("info"), settings.number("warning"));
        let mut marks = worst.marks.clone();
        marks.sort_by(|a, b| b.1.total_cmp(&a.1));
        Verdict::scored(
            score,
            format!("{} of the {} events have no usable stack", rounded_percent(share * 100.0), worst.event),
        )
        .explain(UnwalkableStacks::WHY)
        .remedy(UnwalkableStacks::REMEDY)
        .with("share", Value::share(share))
        .with(
            "kinds of samples",
            Value::table(
                ["event", "samples", "without a stack"],
                kinds.iter().map(|k| [k.event.into(), Value::number(k.all, "samples"), Value::share(k.share())]),
            ),
        )
        .with(
            "placeholders",
            Value::table(
                ["frame", "samples"],
                marks.iter().take(10).map(|(mark, n)| [mark.as_str().into(), Value::number(*n, "samples")]),
            ),
        )
    }
}

struct Kind<'f> {
    event: &'f str,
    all: f64,
    bad: f64,
    marks: Vec<(String, f64)>,
}

impl Kind<'_> {
    fn share(&self) -> f64 {
        ratio(self.bad, self.all)
    }

    fn add(&mut self, facts: &Facts, group: &Group<'_>) {
        // The weight of an allocation is not a number of samples.
        let weighted =
            matches!(self.event, "datadog.ExecutionSample" | "datadog.MethodSample" | "profiler.WallClockSample");
        let n = group.count() as f64;
        let n = if weighted { group.sum("weight|samples").max(n) } else { n };
        self.all += n;
        if let Some(mark) = unusable(facts, group.stack("stackTrace")) {
            self.bad += n;
            match self.marks.iter_mut().find(|(m, _)| *m == mark) {
                Some((_, sum)) => *sum += n,
                None => self.marks.push((mark, n)),
            }
        }
    }
}

/// The name to show for an unusable stack, or `None` if the stack is usable.
fn unusable(facts: &Facts, stack: Option<StackId>) -> Option<String> {
    let Some(stack) = stack else { return Some("no stack".to_owned()) };
    let mut methods = facts.methods(stack);
    let Some(first) = methods.next() else { return Some("no frames".to_owned()) };
    (is_mark(first) && methods.all(is_mark)).then(|| first.to_owned())
}

/// Whether a frame is a pseudo frame, in which async-profiler writes why it has no stack.
fn is_mark(method: &str) -> bool {
    if method.starts_with('[') && method.ends_with(']') {
        return true;
    }
    let name = method.trim_start_matches('.');
    ["unknown", "not_walkable", "no_Java_frame", "break_"].iter().any(|p| name.starts_with(p)) && !name.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    fn scene(bad: i64, marks: &[&str]) -> Scene {
        (0..200i64).fold(Scene::new(), |scene, i| {
            let methods = if i < bad { marks } else { &["[unknown]", "com.example.Shop.total"] };
            scene.event("jdk.ExecutionSample", i, i, [("stackTrace", stack(methods))])
        })
    }

    #[test]
    fn pseudo_frames_are_no_stack() {
        let verdict = scene(60, &["unknown_Java"]).verdict(&UnwalkableStacks);
        assert_eq!(verdict.severity, Severity::Warning);
        assert_eq!(scene(20, &["[not_walkable_not_Java]"]).verdict(&UnwalkableStacks).severity, Severity::Info);
    }

    #[test]
    fn a_pseudo_frame_among_others_is_fine() {
        assert_eq!(scene(2, &["[unknown]"]).verdict(&UnwalkableStacks).severity, Severity::Ok);
        fixture::expect("UnwalkableStacks", "scenarios/spin", Severity::Ok);
    }

    #[test]
    fn few_samples_say_nothing() {
        fixture::expect("UnwalkableStacks", "scenarios/healthy", Severity::NotApplicable);
    }
}
