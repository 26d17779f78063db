//! `FutureBreakage`: code that a later JDK will break, and native libraries that failed to load.

use std::collections::BTreeMap;

use crate::tally::brief;
use jfr_analyzers::events::{Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::map_exp74;
use jfr_analyzers::rule::{Category, Frame, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::StackId;
use jfrkit_profile::units::things;

/// Whether the program relies on features that the JDK is about to remove, or on missing native libraries. Needs no
/// event table.
///
/// Fires on `fixtures/scenarios/future-breakage.jfr.gz` (JDK 25) and, for the events that only JDK 26 has, on made-up
/// events. Quiet on `healthy`, and on made-up events of methods that stay and libraries that load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FutureBreakage;

const DEPRECATED: GroupBy = GroupBy::of(&["jdk.DeprecatedInvocation"]).by(&["method", "forRemoval", "stackTrace"]);
const FINALS: GroupBy = GroupBy::of(&["jdk.FinalFieldMutation"]).by(&["declaringClass", "fieldName", "stackTrace"]);
const VALUES: GroupBy = GroupBy::of(&["jdk.SyncOnValueBasedClass"]).by(&["valueBasedClass", "stackTrace"]);
const MISDECLARED: GroupBy = GroupBy::of(&["jdk.SerializationMisdeclaration"]).by(&["misdeclaredClass", "message"]);
const LIBRARIES: GroupBy =
    GroupBy::of(&["jdk.NativeLibraryLoad"]).by(&["name", "success", "errorMessage", "stackTrace"]);

/// The kinds of problems: the event type that reports each, the first JDK that has it, and the remedy.
const KINDS: [ProblemKind; 5] = [
    ProblemKind {
        name: "call to a method that will be removed",
        groups: DEPRECATED,
        event: "jdk.DeprecatedInvocation",
        jdk: 25,
        remedy: "Replace methods that are deprecated for removal; jdeprscan finds more of them in class files.",
        read: |g| {
            let removed = g.int("forRemoval") == Some(1);
            removed.then(|| (g.text("method").map_or("unknown method", brief).to_owned(), g.stack("stackTrace")))
        },
    },
    ProblemKind {
        name: "final field changed by reflection",
        groups: FINALS,
        event: "jdk.FinalFieldMutation",
        jdk: 26,
        remedy: "Do not set final fields by reflection; later JDKs refuse it (--enable-final-field-mutation allows \
                 it for a while).",
        read: |g| {
            let (class, field) =
                (g.text("declaringClass").map_or("unknown class", brief), g.text("fieldName").map_or("?", brief));
            Some((format!("{class}.{field}"), g.stack("stackTrace")))
        },
    },
    ProblemKind {
        name: "synchronized on a value-based class",
        groups: VALUES,
        event: "jdk.SyncOnValueBasedClass",
        jdk: 17,
        remedy: "Do not synchronize on boxed primitives, Optional, java.time or other value-based classes; use a \
                 lock object.",
        read: |g| Some((g.text("valueBasedClass").map_or("unknown class", brief).to_owned(), g.stack("stackTrace"))),
    },
    ProblemKind {
        name: "misdeclared serialization member",
        groups: MISDECLARED,
        event: "jdk.SerializationMisdeclaration",
        jdk: 25,
        remedy: "Correct the declarations of serialVersionUID, readObject and so on; the JDK ignores them as \
                 declared.",
        read: |g| {
            let (class, message) = (
                g.text("misdeclaredClass").map_or("unknown class", brief),
                g.text("message").map(brief).unwrap_or_default(),
            );
            Some((if message.is_empty() { class.to_owned() } else { format!("{class}: {message}") }, None))
        },
    },
    ProblemKind {
        name: "native library that failed to load",
        groups: LIBRARIES,
        event: "jdk.NativeLibraryLoad",
        jdk: 25,
        remedy: "Install the libraries that failed to load for this operating system and processor, or stop \
                 requesting them; the program may fall back to something slower.",
        read: |g| {
            let (name, error) = (
                g.text("name").map_or("unknown library", brief),
                g.text("errorMessage").map(brief).unwrap_or_default(),
            );
            // Most messages begin with the name.
            let what = match error {
                "" => name.to_owned(),
                error if error.starts_with(name) => error.to_owned(),
                error => format!("{name}: {error}"),
            };
            (g.int("success") == Some(0)).then(|| (what, g.stack("stackTrace")))
        },
    },
];

/// A kind of problem.
struct ProblemKind {
    name: &'static str,
    groups: GroupBy,
    event: &'static str,
    /// The first JDK that records it.
    jdk: u32,
    remedy: &'static str,
    /// Reads the subject and the stack of an event; `None` if the event is fine.
    read: fn(&Group<'_>) -> Option<SubjectAndStack>,
}

/// The subject of an event, and its stack.
type SubjectAndStack = (String, Option<StackId>);

/// One problem at one call site.
struct Problem {
    kind: usize,
    what: String,
    frame: Option<Frame>,
    stack: Option<StackId>,
    count: u64,
    first: i64,
}

impl FutureBreakage {
    /// Why it matters.
    const WHY: &str = "This works, or has a workaround, on the current JDK. The next JDK that you install may reject \
                       it.";
    /// What to do.
    const REMEDY: &str = "Before you move to the JDK that removes it, update the library that uses it or replace the \
                          call with a supported one.";
}

impl Rule for FutureBreakage {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("FutureBreakage")
            .title("Incompatible with later JDKs")
            .category(Category::Jvm)
            .description(
                "Whether the program calls methods that are deprecated for removal, changes final fields by \
                          reflection, synchronizes on value-based classes, misdeclares serialization members, or \
                          requests native libraries that fail to load.",
            )
            .formula(
                "Worth a look if the recording contains any of these events: jdk.DeprecatedInvocation with \
                      forRemoval (JDK 25; needs a recording that enables it at JVM startup, and reports each caller \
                      once per chunk), jdk.FinalFieldMutation (JDK 26), jdk.SyncOnValueBasedClass (JDK 17, with \
                      -XX:DiagnoseSyncOnValueBasedClasses=2), jdk.SerializationMisdeclaration (JDK 25, off by \
                      default), or jdk.NativeLibraryLoad without success (JDK 25).",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        KINDS.iter().fold(Needs::new(), |needs, kind| needs.groups(kind.groups.clone()))
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let is_on = |kind: &&ProblemKind| facts.missing(kind.event, Level::Enabled, false).is_none();
        let looked_at: Vec<&str> = KINDS.iter().filter(is_on).map(|k| k.event).collect();
        if looked_at.is_empty() {
            let events = KINDS.iter().map(|k| format!("{} (JDK {})", k.event, k.jdk)).collect::<Vec<_>>();
            return Verdict::not_applicable(format!(
                "the recording has none of these event types: {}",
                events.join(", ")
            ));
        }
        let found = found(facts);
        let Some(first) = found.first() else {
            return Verdict::ok("The recording shows nothing that later JDKs will break")
                .with("looked at", Value::list("event types", looked_at));
        };
        let name = |f: &Problem| KINDS.get(f.kind).map_or("", |k| k.name);
        let place = first.frame.as_ref().map(|f| format!(" in {}", f.method)).unwrap_or_default();
        let more = match found.len().saturating_sub(1) {
            0 => String::new(),
            n => format!(", and {}", things(n as u64, "more", "more")),
        };
        let mut remedies: Vec<&str> = Vec::new();
        for one in KINDS.iter().enumerate().filter(|(i, _)| found.iter().any(|f| f.kind == *i)) {
            remedies.push(one.1.remedy);
        }
        let rows = found.iter().map(|f| {
            let line = f.frame.as_ref().and_then(|f| f.line).map_or(String::new(), |l| l.to_string());
            [
                name(f).into(),
                f.what.as_str().into(),
                f.frame.as_ref().map_or(String::new(), |f| f.method.clone()).into(),
                line.into(),
                Value::count(f.count, "events"),
                Value::instant(f.first),
            ]
        });
        Verdict::info(format!("{}: {}{place}{more}", capital(name(first)), first.what))
            .score(map_exp74(found.len() as f64, 1.0).max(25.0))
            .explain(FutureBreakage::WHY)
            .remedy(remedies.join(" "))
            .with("found", Value::table(["kind", "what", "in", "line", "events", "first"], rows))
            .with("looked at", Value::list("event types", looked_at))
            .with_some("stack", first.stack.map(|s| facts.stack_value(s, 20)))
    }
}

/// The problems, by kind, subject and call site.
fn found(facts: &Facts) -> Vec<Problem> {
    let mut found: BTreeMap<(usize, String, Option<String>), Problem> = BTreeMap::new();
    for (kind, of) in KINDS.iter().enumerate() {
        for group in facts.groups(&of.groups).iter() {
            let Some((what, stack)) = (of.read)(&group) else { continue };
            let frame = stack.and_then(|s| facts.site(s));
            let key = (kind, what.clone(), frame.as_ref().map(|f| format!("{}:{:?}", f.method, f.line)));
            let first = group.first();
            let one = found.entry(key).or_insert(Problem { kind, what, frame, stack, count: 0, first });
            one.count = one.count.saturating_add(group.count());
            one.first = one.first.min(first);
        }
    }
    found.into_values().collect()
}

/// Capitalizes the first letter, for the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Field;
    use jfr_analyzers::testing::{Scene, stack};

    fn one<const N: usize>(event: &str, fields: [(&str, Field); N]) -> Verdict {
        let at = ("stackTrace", stack(&["java.lang.reflect.Field.set", "shop.Loader.fill"]));
        Scene::new().event(event, 0, 0, fields.into_iter().chain([at])).verdict(&FutureBreakage)
    }

    #[test]
    fn what_jdk_25_tells_is_found() {
        let verdict = fixture::expect("FutureBreakage", "scenarios/future-breakage", Severity::Info);
        let found = format!("{:?}", verdict.evidence.get("found"));
        for part in [
            "java.lang.Thread.checkAccess",
            "fx.Scenarios.nextCount",
            "java.lang.Integer",
            "fx.Scenarios.futureBreakage",
            "fx.Scenarios$Ticket: serialVersionUID must be static",
            "libfast.so: file too short",
        ] {
            assert!(found.contains(part), "{part}: {found}");
        }
        fixture::expect("FutureBreakage", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn each_kind_is_found_with_its_place() {
        let message = [("misdeclaredClass", "shop.Item".into()), ("message", "serialVersionUID is not static".into())];
        let verdicts = [
            one("jdk.DeprecatedInvocation", [("method", "java.lang.Thread.stop".into()), ("forRemoval", true.into())]),
            one("jdk.FinalFieldMutation", [("declaringClass", "shop.Item".into()), ("fieldName", "price".into())]),
            one("jdk.SyncOnValueBasedClass", [("valueBasedClass", "java.lang.Integer".into())]),
            one("jdk.NativeLibraryLoad", [("name", "libfast.so".into()), ("success", false.into())]),
            one("jdk.SerializationMisdeclaration", message),
        ];
        assert!(verdicts.iter().all(|verdict| verdict.severity == Severity::Info), "{verdicts:?}");
        assert_eq!(
            verdicts.map(|verdict| verdict.summary),
            [
                "Call to a method that will be removed: java.lang.Thread.stop in shop.Loader.fill",
                "Final field changed by reflection: shop.Item.price in shop.Loader.fill",
                "Synchronized on a value-based class: java.lang.Integer in shop.Loader.fill",
                "Native library that failed to load: libfast.so in shop.Loader.fill",
                "Misdeclared serialization member: shop.Item: serialVersionUID is not static",
            ]
        );
    }

    #[test]
    fn what_stays_and_libraries_that_load_are_fine() {
        let stays =
            one("jdk.DeprecatedInvocation", [("method", "java.util.Date.getDay".into()), ("forRemoval", false.into())]);
        assert_eq!(stays.severity, Severity::Ok);
        let loads = one("jdk.NativeLibraryLoad", [("name", "libnet.so".into()), ("success", true.into())]);
        assert_eq!(loads.severity, Severity::Ok);
    }

    #[test]
    fn older_jdks_say_nothing() {
        assert_eq!(Scene::new().verdict(&FutureBreakage).severity, Severity::NotApplicable);
    }
}
