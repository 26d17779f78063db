//! `MetaspaceOom`: metaspace ran out.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map_exp100;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Whether metaspace ran out. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MetaspaceOom;

impl MetaspaceOom {
    /// Why it matters.
    const WHY: &str = "The JVM cannot load any more classes: the application fails in places unrelated to the cause.";
    /// What to do.
    const REMEDY: &str = "Increase -XX:MaxMetaspaceSize, or find the class loaders that are retained.";
}

impl Rule for MetaspaceOom {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("MetaspaceOom")
            .title("Metaspace out of memory")
            .category(Category::Gc)
            .description("Whether metaspace ran out.")
            .formula("75 for one jdk.MetaspaceOOM, more for several.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.MetaspaceOOM")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let count = facts.count("jdk.MetaspaceOOM");
        if count == 0 {
            return Verdict::ok("Metaspace never ran out");
        }
        let max = facts.flag("MaxMetaspaceSize").float();
        Verdict::scored(map_exp100(count as f64, 1.0), format!("Metaspace ran out {}", things(count, "time", "times")))
            .explain(MetaspaceOom::WHY)
            .remedy(MetaspaceOom::REMEDY)
            .with("times", Value::count(count, "times"))
            .with_some("largest metaspace allowed", max.map(Value::bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn once_is_enough() {
        let on = Scene::new().enabled("jdk.MetaspaceOOM");
        assert_eq!(on.verdict(&MetaspaceOom).severity, Severity::Ok);
        assert_eq!(on.event("jdk.MetaspaceOOM", 0, 0, []).verdict(&MetaspaceOom).severity, Severity::Warning);
    }
}
