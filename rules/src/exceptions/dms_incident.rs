//! `DMSIncident`: incidents of Oracle's Dynamic Monitoring Service.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map_exp100;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether Oracle's DMS recorded incidents. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DmsIncident;

impl DmsIncident {
    /// Why it matters.
    const WHY: &str = "An incident is something that a monitoring product considered worth an alert.";
    /// What to do.
    const REMEDY: &str = "Look at the incidents in Oracle's diagnostic framework.";
}

impl Rule for DmsIncident {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("DMSIncident")
            .title("DMS incidents")
            .category(Category::Exceptions)
            .description("Whether Oracle's Dynamic Monitoring Service recorded incidents.")
            .formula("75 at `warning` events of a type whose name ends with DFW_Incident_state.")
            .settings(const { &[Setting::count("warning", 1.0, "Incidents to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some((_, event)) = facts.events().find(|(name, _)| name.ends_with("DFW_Incident_state")) else {
            return Verdict::not_applicable("the program does not use the Dynamic Monitoring Service");
        };
        let count = event.count as f64;
        if count < settings.number("warning") {
            return Verdict::ok("There were no incidents");
        }
        Verdict::scored(
            map_exp100(count, settings.number("warning")),
            format!("Oracle's DMS reported {}", units::things(event.count, "incident", "incidents")),
        )
        .remedy(DmsIncident::REMEDY)
        .with("incidents", Value::number(count, "incidents"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn one_is_enough() {
        let known = Scene::new().declared("oracle.dms.DFW_Incident_state");
        assert_eq!(known.verdict(&DmsIncident).severity, Severity::Ok);
        let one = known.event("oracle.dms.DFW_Incident_state", 0, 0, []);
        assert_eq!(one.verdict(&DmsIncident).severity, Severity::Warning);
        assert_eq!(Scene::new().verdict(&DmsIncident).severity, Severity::NotApplicable);
    }
}
