//! `MetaspaceOom`: no room for classes.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map_exp100;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};

/// Whether the metaspace ran out. Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MetaspaceOom;

impl MetaspaceOom {
    /// Why it matters.
    const WHY: &str = "No more classes can be loaded: the program fails in places that have nothing to do with it.";
    /// What to do.
    const REMEDY: &str = "Raise -XX:MaxMetaspaceSize, or look for class loaders that are kept.";
}

impl Rule for MetaspaceOom {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Metaspace out of memory",
            category: Category::Gc,
            description: "Whether the memory for classes ran out.",
            formula: "75 for one jdk.MetaspaceOOM, more for more.",
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("MetaspaceOom")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.MetaspaceOOM")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let count = facts.count("jdk.MetaspaceOOM");
        if count == 0 {
            return Verdict::ok("The metaspace never ran out");
        }
        let max = facts.flag("MaxMetaspaceSize").float();
        Verdict::scored(map_exp100(count as f64, 1.0), format!("The metaspace ran out {count} times"))
            .explain(MetaspaceOom::WHY)
            .remedy(MetaspaceOom::REMEDY)
            .with("times", Value::count(count, "times"))
            .with_some("largest metaspace allowed", max.map(Value::bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn once_is_enough() {
        let on = Scene::new().enabled("jdk.MetaspaceOOM");
        assert_eq!(on.judge(&MetaspaceOom).severity, Severity::Ok);
        assert_eq!(on.event("jdk.MetaspaceOOM", 0, 0, []).judge(&MetaspaceOom).severity, Severity::Warning);
    }
}
