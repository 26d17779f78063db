//! `UnsafeDeserialization`: objects that are deserialized without checking their classes.

use std::collections::BTreeMap;

use crate::security::is_jdk_class;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map_exp74, map_exp100};
use jfr_analyzers::rule::{Category, Frame, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::StackId;
use jfrkit_profile::units::things;

/// Whether the program deserializes objects of application classes without a filter, or a filter rejected objects.
/// Needs no event table.
///
/// Fires on `fixtures/scenarios/deserialization.jfr.gz`; quiet on made-up events of JDK classes and of filtered
/// objects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnsafeDeserialization;

const EVENT: &str = "jdk.Deserialization";
const READS: GroupBy = GroupBy::of(&[EVENT]).by(&["filterConfigured", "filterStatus", "type", "stackTrace"]);

/// Objects of one class that are deserialized at one call site.
#[derive(Debug)]
struct Site<'f> {
    frame: Option<Frame>,
    class: &'f str,
    rejected: bool,
    stack: Option<StackId>,
    count: u64,
    first: i64,
    last: i64,
}

impl UnsafeDeserialization {
    /// Why it matters.
    const WHY: &str = "The sender of the stream chooses the classes, and deserializing them runs their code; with \
                       the right classes on the class path, that is arbitrary code. A rejected object is either such \
                       an attack or a sign that the filter is too strict.";
    /// What to do.
    const REMEDY: &str = "Set a filter that allows only the expected classes, for the JVM \
                          (-Djdk.serialFilter=shop.*;java.base/*;!*) or for the stream \
                          (ObjectInputStream.setObjectInputFilter). Better, use a data-only format such as JSON. If \
                          objects were rejected, find out who sent them.";
}

impl Rule for UnsafeDeserialization {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("UnsafeDeserialization")
            .title("Deserialization without a filter")
            .category(Category::Security)
            .description(
                "Whether the program deserializes Java objects without a filter that limits the classes, \
                          and whether a filter rejected objects.",
            )
            .formula(
                "jdk.Deserialization (JDK 17 and later, off by default): a warning if any object was rejected, \
                      worth a look if an object of a class outside the JDK was deserialized without a filter.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled(EVENT).groups(READS)
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        verdict(facts, &measure(facts))
    }
}

/// Objects that were deserialized.
struct Measured<'f> {
    all: u64,
    /// Those that a filter rejected, and those of the program's own classes without a filter.
    rejected: u64,
    open: u64,
    /// Where, the worst first.
    sites: Vec<Site<'f>>,
}

fn measure(facts: &Facts) -> Measured<'_> {
    let sites = sites(facts);
    let of = |rejected: bool| {
        sites.iter().filter(|s| s.rejected == rejected).fold(0u64, |sum, s| sum.saturating_add(s.count))
    };
    let all = facts.groups(&READS).total().map_or(0, |g| g.count());
    Measured { all, rejected: of(true), open: of(false), sites }
}

fn verdict(facts: &Facts, measured: &Measured<'_>) -> Verdict {
    let Measured { all, rejected, open, sites } = measured;
    let Some(first) = sites.first() else {
        return Verdict::ok(format!(
            "{} deserialized, all of JDK classes or allowed by a filter",
            things(*all, "object was", "objects were")
        ));
    };
    let place = first.frame.as_ref().map(|f| format!(" in {}", f.method)).unwrap_or_default();
    let mostly = format!("mostly of {}{place}", first.class);
    let verdict = if *rejected > 0 {
        Verdict::warning(format!("A filter rejected {}, {mostly}", things(*rejected, "object", "objects")))
            .score(map_exp100(*rejected as f64, 1.0).max(75.0))
            .urgent()
    } else {
        let objects = things(*open, "object was", "objects were");
        Verdict::info(format!("{objects} deserialized without a filter, {mostly}"))
            .score(map_exp74(*open as f64, 1.0).max(25.0))
    };
    verdict
        .explain(UnsafeDeserialization::WHY)
        .remedy(UnsafeDeserialization::REMEDY)
        .with("rejected", Value::count(*rejected, "objects"))
        .with("without a filter", Value::count(*open, "objects"))
        .with("all", Value::count(*all, "objects"))
        .with("places", site_table(sites))
        .with_some("stack", first.stack.map(|s| facts.stack_value(s, 20)))
}

fn site_table(sites: &[Site<'_>]) -> Value {
    let rows = sites.iter().take(20).map(|s| {
        let line = s.frame.as_ref().and_then(|f| f.line).map_or(String::new(), |l| l.to_string());
        [
            s.frame.as_ref().map_or(String::new(), |f| f.method.clone()).into(),
            line.into(),
            s.class.into(),
            if s.rejected { "rejected" } else { "no filter" }.into(),
            Value::count(s.count, "objects"),
            Value::window(s.first, s.last),
        ]
    });
    Value::table(["in", "line", "class", "filter", "objects", "time"], rows)
}

/// The call sites to report: rejected objects first, then by number.
fn sites(facts: &Facts) -> Vec<Site<'_>> {
    let mut sites: BTreeMap<_, Site<'_>> = BTreeMap::new();
    for group in facts.groups(&READS).iter() {
        let rejected = group.text("filterStatus") == Some("REJECTED");
        let class = group.text("type").unwrap_or_default();
        let open = group.int("filterConfigured") == Some(0) && !class.is_empty() && !is_jdk_class(class);
        if !rejected && !open {
            continue;
        }
        let stack = group.stack("stackTrace");
        let frame = stack.and_then(|s| facts.site(s));
        let key = (rejected, class, frame.as_ref().map(|f| f.method.clone()), frame.as_ref().and_then(|f| f.line));
        let (first, last) = (group.first(), group.last());
        let site = sites.entry(key).or_insert(Site { frame, class, rejected, stack, count: 0, first, last });
        site.count = site.count.saturating_add(group.count());
        (site.first, site.last) = (site.first.min(first), site.last.max(last));
    }
    let mut sites: Vec<Site<'_>> = sites.into_values().collect();
    sites.sort_by_key(|s| (!s.rejected, std::cmp::Reverse(s.count)));
    sites
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Field;
    use jfr_analyzers::testing::{Scene, stack};

    fn read(filter: bool, status: Option<&str>, class: &str) -> Verdict {
        let mut fields: Vec<(&str, Field)> = vec![
            ("filterConfigured", filter.into()),
            ("type", class.into()),
            ("stackTrace", stack(&["java.io.ObjectInputStream.filterCheck", "shop.Basket.load"])),
        ];
        fields.extend(status.map(|s| ("filterStatus", s.into())));
        Scene::new().event(EVENT, 0, 0, fields).verdict(&UnsafeDeserialization)
    }

    #[test]
    fn rejected_and_unfiltered_objects_are_found() {
        let verdict = fixture::expect("UnsafeDeserialization", "deserialization", Severity::Warning);
        assert_eq!(verdict.evidence.get("without a filter"), Some(&Value::count(10, "objects")));
    }

    #[test]
    fn without_a_filter_only_own_classes_are_worth_a_look() {
        assert_eq!(read(false, None, "shop.Item").severity, Severity::Info);
        for class in ["java.util.ArrayList", "java.lang.Object[]", "byte[]"] {
            assert_eq!(read(false, None, class).severity, Severity::Ok, "{class}");
        }
    }

    #[test]
    fn what_a_filter_allows_is_fine() {
        assert_eq!(read(true, Some("ALLOWED"), "shop.Item").severity, Severity::Ok);
        assert_eq!(read(true, Some("REJECTED"), "java.util.ArrayList").severity, Severity::Warning);
        fixture::expect("UnsafeDeserialization", "healthy", Severity::NotApplicable);
    }
}
