//! `SeriousErrors`: errors after which the state of a program is doubtful.

use super::thrown::{self, DATADOG, ERROR_FIELDS, ERRORS, THROWN, THROWS};
use crate::tally::InOrder;
use jfr_analyzers::events::{EVENT, Facts, Level, Needs};
use jfr_analyzers::math::{map_exp74, map_exp100};
use jfr_analyzers::rule::{Category, Frame, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::things;
use jfrkit_profile::{FrameId, StackId};

/// Whether memory or stack ran out, or classes do not fit together. Needs the table of errors.
///
/// Fires on `fixtures/scenarios/oom-error.jfr.gz`; quiet on `healthy` and on the errors that the JDK creates and
/// catches itself, as in `fixtures/jdk17-profile.jfr.gz`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriousErrors;

const OUT_OF_MEMORY: &str = "java.lang.OutOfMemoryError";

/// Errors of the JVM itself, and `LinkageError` with its subclasses: classes that do not fit together.
const SERIOUS: [&str; 21] = [
    OUT_OF_MEMORY,
    "java.lang.StackOverflowError",
    "java.lang.InternalError",
    "java.lang.UnknownError",
    "java.lang.NoClassDefFoundError",
    "java.lang.ExceptionInInitializerError",
    "java.lang.LinkageError",
    "java.lang.AbstractMethodError",
    "java.lang.BootstrapMethodError",
    "java.lang.ClassCircularityError",
    "java.lang.ClassFormatError",
    "java.lang.IllegalAccessError",
    "java.lang.IncompatibleClassChangeError",
    "java.lang.InstantiationError",
    "java.lang.NoSuchFieldError",
    "java.lang.NoSuchMethodError",
    "java.lang.UnsatisfiedLinkError",
    "java.lang.UnsupportedClassVersionError",
    "java.lang.VerifyError",
    "java.lang.reflect.GenericSignatureFormatError",
    "java.util.ServiceConfigurationError",
];

/// Errors of one class from one place.
#[derive(Debug, Default)]
struct Site<'f> {
    count: u64,
    message: Option<&'f str>,
    stack: Option<StackId>,
    made_in: Option<FrameId>,
    first: i64,
    last: i64,
}

type Sites<'f> = InOrder<(&'f str, Option<FrameId>), Site<'f>>;

impl SeriousErrors {
    /// Why it matters.
    const WHY: &str = "After such an error, the state of the interrupted work is unknown. A class whose initializer \
                       failed stays unusable until the JVM ends.";
    /// What to do.
    const REMEDY: &str = "Read the message and the stack of the first error. After an OutOfMemoryError, find out what \
                          fills the heap; after a linkage error, compare the class path with the build.";
}

impl Rule for SeriousErrors {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("SeriousErrors")
            .title("Serious errors")
            .category(Category::Exceptions)
            .description(
                "Whether memory or stack ran out, a class could not be initialized, or classes do not fit \
                          together (LinkageError and its subclasses).",
            )
            .formula(
                "A warning at `warning` or more OutOfMemoryErrors, worth a look at `info` or more other errors. Errors \
                      that the JDK creates and catches itself, for example when it looks for an optional method, are \
                      ignored (`exclude`: where they are created). A JDK records OutOfMemoryError only as \
                      jdk.JavaExceptionThrow, which is off by default up to JDK 24, and it records none of those that \
                      the JVM itself throws: if the heap is full, also look at HeapFull and DumpReason.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 1.0, "Errors that are worth a look"),
                        Setting::count("warning", 1.0, "OutOfMemoryErrors to act on"),
                        Setting::regex(
                            "exclude",
                            r"^java\.lang\.invoke\.|^java\.io\.ObjectStreamClass\.",
                            "Methods whose errors are ignored",
                        ),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().table(ERRORS, ERROR_FIELDS).groups(THROWN)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing(ERRORS, Level::Enabled, false)
            && facts.groups(&THROWN).is_empty()
        {
            return Verdict::not_applicable(because);
        }
        verdict(facts, &measure(facts, settings), settings)
    }
}

/// Serious errors.
struct Measured<'f> {
    /// How many: out of memory, and others.
    memory: u64,
    others: u64,
    /// Whether OutOfMemoryErrors would be recorded.
    seen: bool,
    /// By class and place: OutOfMemoryErrors first, then the most frequent.
    sites: Vec<((&'f str, Option<FrameId>), Site<'f>)>,
}

fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Measured<'f> {
    let mut sites = sites(facts, settings).into_entries();
    sites.sort_by_key(|((class, _), site)| (*class != OUT_OF_MEMORY, std::cmp::Reverse(site.count)));
    let of = |memory: bool| {
        let some = sites.iter().filter(|((class, _), _)| (*class == OUT_OF_MEMORY) == memory);
        some.fold(0u64, |sum, (_, site)| sum.saturating_add(site.count))
    };
    let seen = facts.missing(THROWS, Level::Enabled, false).is_none() || facts.count(DATADOG) > 0;
    Measured { memory: of(true), others: of(false), seen, sites }
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { memory, others, seen, sites } = measured;
    let Some((_, first)) = sites.first() else {
        return Verdict::ok("There were no serious errors").with("OutOfMemoryError is recorded", *seen);
    };
    let summary = summary(facts, measured);
    let by_memory = map_exp100(*memory as f64, settings.number("warning"));
    // Rounding of the power can make this slightly less than 25.
    let by_others = map_exp74(*others as f64, settings.number("info"));
    let verdict = if *memory > 0 && *memory as f64 >= settings.number("warning") {
        Verdict::warning(summary).score(by_memory.max(75.0))
    } else if *others as f64 >= settings.number("info") {
        Verdict::info(summary).score(by_others.max(25.0))
    } else {
        Verdict::ok(summary).score(by_memory.max(by_others).min(24.0))
    };
    // Nobody knows what state a program is in after it ran out of memory.
    let verdict = if verdict.severity == Severity::Warning { verdict.urgent() } else { verdict };
    verdict
        .explain(SeriousErrors::WHY)
        .remedy(remedy(sites.iter().map(|((class, _), _)| *class)))
        .with("OutOfMemoryErrors", Value::count(*memory, "errors"))
        .with("others", Value::count(*others, "errors"))
        .with("OutOfMemoryError is recorded", *seen)
        .with("errors", site_table(facts, sites))
        .with_some("stack", first.stack.map(|s| facts.stack_value(s, 20)))
}

/// Where an error was created: in the program itself, or else anywhere.
fn place(facts: &Facts, own: Option<FrameId>, site: &Site<'_>) -> Option<Frame> {
    own.or(site.made_in).map(|f| facts.frame(f))
}

fn summary(facts: &Facts, measured: &Measured<'_>) -> String {
    let Measured { memory, others, sites, .. } = measured;
    let top = sites.first().map(|((class, own), site)| {
        let at = place(facts, *own, site).map(|f| format!(" in {}", f.method)).unwrap_or_default();
        format!(": {class}{at}")
    });
    let more = if sites.len() > 1 { " and elsewhere" } else { "" };
    let thrown = things(memory.saturating_add(*others), "serious error was", "serious errors were");
    format!("{thrown} thrown{}{more}", top.unwrap_or_default())
}

fn site_table(facts: &Facts, sites: &[((&str, Option<FrameId>), Site<'_>)]) -> Value {
    let rows = sites.iter().take(10).map(|((class, own), site)| {
        let frame = place(facts, *own, site);
        let line = frame.as_ref().and_then(|f| f.line).map_or(String::new(), |l| l.to_string());
        [
            (*class).into(),
            frame.map_or(String::new(), |f| f.method).into(),
            line.into(),
            Value::count(site.count, "errors"),
            site.message.unwrap_or_default().into(),
            Value::window(site.first, site.last),
        ]
    });
    Value::table(["class", "in", "line", "errors", "a message", "time"], rows)
}

/// Serious errors by class and place in the program.
fn sites<'f>(facts: &'f Facts, settings: &Settings) -> Sites<'f> {
    let mut sites = Sites::default();
    let mut add = |class: &'f str, stack: Option<StackId>, message: Option<&'f str>, count: u64, time: (i64, i64)| {
        if !SERIOUS.contains(&class) {
            return;
        }
        let (made_in, own) = stack.map_or((None, None), |s| thrown::place(facts, s, class));
        if made_in.is_some_and(|f| settings.matches("exclude", facts.method(f))) {
            return;
        }
        let site =
            sites.get_or((class, own.or(made_in)), || Site { first: i64::MAX, last: i64::MIN, ..Site::default() });
        site.count = site.count.saturating_add(count);
        site.message = site.message.or(message);
        site.stack = site.stack.or(stack);
        site.made_in = site.made_in.or(made_in);
        (site.first, site.last) = (site.first.min(time.0), site.last.max(time.1));
    };
    let errors = facts.table(ERRORS);
    let mut memory = false;
    for row in errors.rows() {
        let class = row.text("thrownClass").unwrap_or_default();
        memory |= class == OUT_OF_MEMORY;
        add(class, row.stack(), row.text("message"), 1, (row.start, row.end));
    }
    for group in facts.groups(&THROWN).iter() {
        let class = group.text("thrownClass|type").unwrap_or_default();
        // The JDK also writes other errors here, twice.
        let only_here = match group.text(EVENT) {
            Some(THROWS) => class == OUT_OF_MEMORY && !memory,
            _ => errors.is_empty(),
        };
        if only_here {
            add(class, group.stack("stackTrace"), None, group.count(), (group.first(), group.last()));
        }
    }
    sites
}

/// What to do about these classes.
fn remedy<'c>(classes: impl Iterator<Item = &'c str>) -> String {
    let mut advice: Vec<&str> = Vec::new();
    for class in classes {
        let one = match class {
            OUT_OF_MEMORY => {
                "OutOfMemoryError: its message names what ran out. Record a heap dump \
                 (-XX:+HeapDumpOnOutOfMemoryError), let the JVM exit (-XX:+ExitOnOutOfMemoryError) and look at the \
                 heap rules."
            }
            "java.lang.StackOverflowError" => {
                "StackOverflowError: limit the recursion or turn it into a loop; -Xss only moves the limit."
            }
            "java.lang.ExceptionInInitializerError" => {
                "ExceptionInInitializerError: its cause shows why the static initializer failed; keep I/O and \
                 configuration out of static initializers."
            }
            "java.lang.InternalError" | "java.lang.UnknownError" => {
                "InternalError: look for messages of the JVM from that time."
            }
            _ => {
                "Linkage errors: the class path has a different version of a library than the one that the program was \
                 compiled with, or none; compare what is deployed with what the build resolved."
            }
        };
        if !advice.contains(&one) {
            advice.push(one);
        }
    }
    advice.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    #[test]
    fn errors_are_found_with_their_place() {
        let verdict = fixture::expect("SeriousErrors", "oom-error", Severity::Warning);
        assert_eq!(verdict.evidence.get("others"), Some(&Value::count(120, "errors")));
    }

    #[test]
    fn a_healthy_program_is_quiet() {
        fixture::expect("SeriousErrors", "healthy", Severity::Ok);
    }

    #[test]
    fn one_of_linking_is_worth_a_look_but_not_what_the_jdk_catches_itself() {
        let of = |class: &str, made_in: &str| {
            let made = ["java.lang.Error.<init>", "java.lang.LinkageError.<init>", made_in, "shop.Main.main"];
            let fields = [("thrownClass", class.into()), ("stackTrace", stack(&made))];
            Scene::new().event(ERRORS, 0, 0, fields).verdict(&SeriousErrors).severity
        };
        assert_eq!(of("java.lang.NoSuchMethodError", "shop.Cart.add"), Severity::Info);
        assert_eq!(of("java.lang.NoSuchMethodError", "java.lang.invoke.MethodHandleNatives.resolve"), Severity::Ok);
        assert_eq!(of("shop.Broken", "shop.Cart.add"), Severity::Ok);
        assert_eq!(Scene::new().verdict(&SeriousErrors).severity, Severity::NotApplicable);
    }
}
