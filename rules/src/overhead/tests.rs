//! Every pattern fires on its own methods and not on similar ones: on synthetic samples for all patterns, on
//! recordings where we have them. `regex-hot`, `boxing`, `serialization` and `spin` of `fixtures/scenarios` have the
//! thousand samples that a judgment takes. Recordings of the corpus, which is not part of the repository, are skipped
//! if they are missing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod cases;

use cases::CASES;

use super::*;
use crate::fixture;
use crate::verdict_snapshots::{SceneSnapshot, assert_text_snapshot};
use jfr_analyzers::events::{MethodSet, Scope};
use jfr_analyzers::rule::{Analysis, AnalysisOptions, Severity, Value, Verdict};
use jfr_analyzers::testing::{Field, Scene, stack, thread};

const OWN: &str = "com.acme.Shop.main";
/// The samples of a scene, and how many of them have the stacks in question.
const SAMPLES: i64 = 1_000;
const MATCHING: i64 = 150;

/// A thousand events, 150 of which have one of the stacks.
fn scene(event: &str, stacks: &[&[&str]], fields: &[(&str, Field)]) -> Scene {
    (0..SAMPLES).fold(Scene::new(), |scene, i| {
        let at = i * 20_000_000;
        let place = usize::try_from(i).unwrap() % stacks.len();
        let mut methods = if i % SAMPLES < MATCHING { stacks[place].to_vec() } else { vec!["java.util.List.size"] };
        methods.push(OWN);
        // Shows that there are native frames at all.
        methods.push("JavaThread::run");
        let mut all = vec![("stackTrace", stack(&methods)), ("sampledThread", thread("main"))];
        all.extend(fields.iter().cloned());
        scene.event(event, at, at + 15_000_000, all)
    })
}

fn rule(id: &str) -> PatternRule {
    built().map(Result::unwrap).find(|rule| rule.pattern().id() == id).unwrap()
}

fn allocations(stacks: &[&[&str]]) -> Scene {
    scene("jdk.ObjectAllocationSample", stacks, &[("weight", 100_000_000.into())])
}

#[test]
fn all_lines_of_the_table_are_rules_and_have_a_case() {
    let ids: Vec<String> = built().map(|rule| rule.unwrap().pattern().id().to_owned()).collect();
    assert_eq!(ids.len(), table::patterns().count());
    let cases: Vec<&str> = CASES.iter().map(|(id, ..)| *id).collect();
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    assert_eq!(sorted(ids), sorted(cases.into_iter().map(str::to_owned).collect()));
}

#[test]
fn each_pattern_fires_on_its_own_methods() {
    let mut said = String::new();
    for (id, own, _) in CASES {
        let rule = rule(id);
        for (resource, thresholds) in rule.pattern().limits() {
            let scene = match resource {
                Resource::Cpu => scene("jdk.ExecutionSample", own, &[]),
                Resource::Allocation => allocations(own),
                Resource::Wall => scene("profiler.WallClockSample", own, &[("samples", 1.into())]),
                Resource::Blocking => scene("jdk.JavaMonitorEnter", own, &[]),
            };
            let of_a_start = matches!(*id, "ClassLoadingOverhead" | "ReflectionOverhead");
            let may_warn = thresholds.warning.is_some() && !of_a_start;
            let expected = if may_warn { Severity::Warning } else { Severity::Info };
            let verdict = scene.verdict(&rule);
            assert_eq!(verdict.severity, expected, "{id}, {}: {}", resource.name(), verdict.summary);
            said.push_str(&format!("{id}, {}: {}\n", resource.name(), verdict.summary));
            assert!(!verdict.explanation.is_empty() && !verdict.remedy.is_empty(), "{id}");
        }
        // Each stack alone.
        for one in *own {
            let verdict = scene("jdk.ExecutionSample", &[*one], &[]).verdict(&rule);
            assert!(verdict.is_finding(), "{id}: {one:?}: {}", verdict.summary);
        }
    }
    assert_text_snapshot(&said);
}

#[test]
fn no_pattern_fires_on_similar_methods() {
    let mut said = String::new();
    for (id, _, others) in CASES {
        let rule = rule(id);
        let verdict = scene("jdk.ExecutionSample", others, &[]).verdict(&rule);
        assert_eq!(verdict.severity, Severity::Ok, "{id}: {}", verdict.summary);
        said.push_str(&format!("{id}: {}\n", verdict.summary));
    }
    assert_text_snapshot(&said);
}

/// A pattern may cover a method of the case of another only on purpose.
#[test]
fn few_patterns_overlap() {
    for (id, own, _) in CASES {
        for (other, stacks, _) in CASES.iter().filter(|(other, ..)| other != id) {
            let meant = matches!((*id, *other), ("RegexOverhead", "RegexCompileOverhead"))
                || matches!((*id, *other), ("RegexCompileOverhead", "RegexOverhead"));
            let verdict = scene("jdk.ExecutionSample", stacks, &[]).verdict(&rule(id));
            assert!(meant || !verdict.is_finding(), "{id} on the case of {other}: {}; {own:?}", verdict.summary);
        }
    }
}

#[test]
fn few_samples_are_not_judged() {
    let regex = rule("RegexOverhead");
    let few = (0..999i64).fold(Scene::new(), |scene, i| {
        scene.event("jdk.ExecutionSample", i, i, [("stackTrace", stack(&["java.util.regex.Matcher.find"]))])
    });
    assert_eq!(few.verdict(&regex).severity, Severity::Warning, "999 of 999 are enough");
    let rare = (0..999i64).fold(Scene::new(), |scene, i| {
        let method = if i < 20 { "java.util.regex.Matcher.find" } else { OWN };
        scene.event("jdk.ExecutionSample", i, i, [("stackTrace", stack(&[method]))])
    });
    assert_eq!(rare.verdict(&regex).severity, Severity::NotApplicable, "20 may be chance");
    assert_eq!(rare.clone().with("samples", "500").verdict(&regex).severity, Severity::Info);
    let waits = |n: i64| {
        let stacks = ["java.lang.ClassLoader.loadClass", OWN];
        (0..n).fold(Scene::new(), |scene, i| {
            scene.event("jdk.JavaMonitorEnter", i, i + 9, [("stackTrace", stack(&stacks))])
        })
    };
    assert_eq!(waits(29).verdict(&rule("ClassLoadingOverhead")).severity, Severity::NotApplicable);
    // Every startup loads classes.
    assert_eq!(waits(100).verdict(&rule("ClassLoadingOverhead")).severity, Severity::Info);
}

#[test]
fn thresholds_are_settings() {
    let scene = scene("jdk.ExecutionSample", &[&["java.util.regex.Matcher.find"]], &[]);
    let severity = |info: &str, warning: &str| {
        scene.clone().with("cpu-info", info).with("cpu-warning", warning).verdict(&rule("RegexOverhead")).severity
    };
    assert_eq!(severity("14 %", "16 %"), Severity::Info);
    assert_eq!(severity("16 %", "20 %"), Severity::Ok);
}

#[test]
fn patterns_of_the_jvm_do_not_apply_without_native_frames() {
    let java = (0..SAMPLES).fold(Scene::new(), |scene, i| {
        scene.event("jdk.ExecutionSample", i, i, [("stackTrace", stack(&["com.acme.Shop.main"]))])
    });
    let verdict = java.verdict(&rule("SafepointOverhead"));
    assert!(verdict.not_applicable_because.unwrap().contains("no functions of the JVM"));
}

#[test]
fn the_caller_is_the_first_application_method() {
    let stacks: &[&[&str]] =
        &[&["java.util.regex.Matcher.find", "java.lang.String.replaceAll", "com.acme.Words.clean"]];
    let verdict = scene("jdk.ExecutionSample", stacks, &[]).verdict(&rule("RegexOverhead"));
    let Some(Value::Methods { rows }) = verdict.evidence.get("callers by CPU samples") else {
        unreachable!("{verdict:?}")
    };
    assert_eq!(rows[0].application_frame.as_ref().unwrap().method, "com.acme.Words.clean");
    assert_eq!((rows.len(), rows[0].percent), (1, 15.0));
    // They are the first 150 of a thousand samples.
    assert_eq!(verdict.evidence.get("over time"), Some(&Value::text("burst")));
    assert_eq!(verdict.evidence.get("share on that thread"), Some(&Value::percent(100.0)));
}

/// The wall-clock samples of async-profiler are not CPU samples, whatever their event is called.
#[test]
fn samples_count_in_the_profile_that_they_belong_to() {
    let stacks: &[&[&str]] = &[&["java.util.regex.Matcher.find"]];
    let wall = scene("jdk.ExecutionSample", stacks, &[("state", "STATE_SLEEPING".into())])
        .event("jdk.ActiveRecording", 0, 0, [("name", "async-profiler 3.0".into())])
        .setting("jdk.ActiveRecording", "event", "wall");
    let verdict = wall.verdict(&rule("RegexOverhead"));
    assert_eq!(verdict.severity, Severity::Warning);
    assert_eq!(wall.verdict(&rule("SerializationOverhead")).severity, Severity::NotApplicable);
    // Only one of two sources of CPU samples counts.
    let both = scene("jdk.ExecutionSample", stacks, &[]);
    let both = (0..3_000i64).fold(both, |scene, i| {
        scene.event("jdk.CPUTimeSample", i, i, [("stackTrace", stack(&[OWN])), ("eventThread", thread("main"))])
    });
    assert_eq!(both.verdict(&rule("RegexOverhead")).summary, "Regular expressions take 0 % of CPU time");
}

#[test]
fn it_fires_on_recordings() {
    let regex = fixture::expect("RegexOverhead", "scenarios/regex-hot", Severity::Warning);
    assert!(serde_json::to_string(&regex).unwrap().contains("fx.Scenarios."), "{regex:?}");
    fixture::expect("RegexCompileOverhead", "scenarios/regex-hot", Severity::Info);
    fixture::expect("BoxingOverhead", "scenarios/boxing", Severity::Warning);
    fixture::expect("SerializationOverhead", "scenarios/serialization", Severity::Warning);
    fixture::expect("BusySpin", "scenarios/spin", Severity::Warning);
    // The polling call is inlined: nearly all samples are of the line that makes it.
    fixture::expect("BusySpin", "scenarios/busy-queue-consumer", Severity::Warning);
    assert!(!crate::fixture::judge("BusySpin", "scenarios/idle-queue-consumer").is_finding());
    for (id, name) in [("BoxingOverhead", "regex-hot"), ("RegexOverhead", "boxing"), ("BusySpin", "serialization")] {
        fixture::expect(id, &format!("scenarios/{name}"), Severity::Ok);
    }
}

#[test]
fn healthy_recordings_are_quiet() {
    for info in crate::analysis().infos().filter(|info| CASES.iter().any(|(id, ..)| *id == info.id)) {
        for name in ["scenarios/healthy", "jdk17-profile"] {
            let verdict = fixture::judge(&info.id, name);
            assert!(!verdict.is_finding(), "{} of {name}: {}", info.id, verdict.summary);
        }
    }
}

/// The verdict of a rule on a recording of the corpus; `None` without the corpus.
fn corpus(id: &str, name: &str) -> Option<Verdict> {
    fixture::corpus(id, &format!("public/{name}"))
}

#[test]
fn it_fires_on_recordings_of_others() {
    for (id, name, severity) in [
        ("JsonOverhead", "grafana+jfr-parser/object-allocation-sample.jfr.gz", Severity::Warning),
        ("LockInternalsOverhead", "grafana+jfr-parser/goland-multichunk.jfr.gz", Severity::Warning),
        ("HashCollisionOverhead", "grafana+jfr-parser/goland-multichunk.jfr.gz", Severity::Warning),
        ("VmOperationOverhead", "btraceio+jafar/tck-test.jfr", Severity::Warning),
        ("CollectionGrowthOverhead", "grafana+jfr-parser/dd-trace-java.jfr.gz", Severity::Ok),
        ("SafepointOverhead", "btraceio+jafar/tck-test.jfr", Severity::Ok),
        ("JsonOverhead", "grafana+jfr-parser/goland-multichunk.jfr.gz", Severity::Ok),
    ] {
        if let Some(verdict) = corpus(id, name) {
            assert_eq!(verdict.severity, severity, "{id} of {name}: {}", verdict.summary);
        }
    }
}

#[test]
fn an_invalid_pattern_is_refused() {
    let pattern = |id: &str| Pattern::new(id, "X", ["com.acme"]).unwrap();
    let limit = |info, warning| pattern("X").limit(Resource::Cpu, Thresholds::new(info, warning));
    assert!(PatternRule::new(pattern("X")).is_err());
    assert!(PatternRule::new(pattern("").limit(Resource::Cpu, Thresholds::info(1.0))).is_err());
    assert!(PatternRule::new(limit(5.0, 2.0)).is_err());
    assert!(PatternRule::new(limit(50.0, 200.0)).is_err());
    assert!(PatternRule::new(limit(f64::NAN, 2.0)).is_err());
    assert!(PatternRule::new(limit(2.0, 5.0)).is_ok());
}

/// More patterns than bits in a word, and one in a different word than the built-in ones.
#[test]
fn a_large_table_is_searched_at_once() {
    let mut analysis = Analysis::empty();
    for i in 0..130 {
        let pattern =
            Pattern::new(format!("Mine{i}"), format!("Mine {i}"), [format!("com.acme.p{i}"), "x.Y".to_owned()]);
        let pattern = pattern.unwrap().scope(if i % 2 == 0 { Scope::Anywhere } else { Scope::Direct });
        let rule = PatternRule::new(pattern.limit(Resource::Cpu, Thresholds::info(50.0))).unwrap();
        analysis = analysis.with_rule(rule).unwrap();
    }
    let wanted = MethodSet::new(["fx.Scenarios"]).unwrap();
    let last = Pattern::new("Last", "Last", wanted.patterns().iter().cloned()).unwrap();
    let last = PatternRule::new(last.limit(Resource::Cpu, Thresholds::info(50.0))).unwrap();
    let analysis = analysis.with_rule(last).unwrap();
    let path = format!("{}/../fixtures/scenarios/spin.jfr.gz", env!("CARGO_MANIFEST_DIR"));
    let recording = jfr_parse::Recording::open(path).unwrap();
    let report = analysis.evaluate(&recording, &AnalysisOptions::default()).unwrap();
    let found: Vec<&str> = report.worst_first(Severity::Info).iter().map(|o| &*o.rule.id).collect();
    assert_eq!(found, ["Last"]);
}
