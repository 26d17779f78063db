//! `ManagementAgent`: unprotected remote JMX access.

use std::collections::BTreeSet;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};

/// Whether anyone can use remote JMX access. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ManagementAgent;

impl ManagementAgent {
    /// Why it matters.
    const WHY: &str = "Anyone who can reach the port can run arbitrary code in the JVM.";
    /// What to do.
    const REMEDY: &str = "Enable com.sun.management.jmxremote.authenticate and .ssl.";
}

impl Rule for ManagementAgent {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ManagementAgent")
            .title("JMX remote management")
            .category(Category::Security)
            .description("Whether remote JMX access works without a password or without encryption.")
            .formula(
                "If com.sun.management.jmxremote.port is set: a warning without authentication, worth a look \
                      without SSL. Worth a look if one of the properties has several values.",
            )
            .unlike_jmc(
                "JMC reports nothing if both are off, which is the worst case, and gives no verdict if both \
                          are on.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.InitialSystemProperty")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let table = facts.table("jdk.InitialSystemProperty");
        let values = |name: &str| -> BTreeSet<&str> {
            let key = format!("com.sun.management.jmxremote.{name}");
            table.rows().filter(|r| r.text("key") == Some(key.as_str())).filter_map(|r| r.text("value")).collect()
        };
        let (ports, authenticate, ssl) = (values("port"), values("authenticate"), values("ssl"));
        if [&ports, &authenticate, &ssl].iter().any(|v| v.len() > 1) {
            return Verdict::info("The remote JMX settings changed during the recording");
        }
        let Some(port) = ports.first() else { return Verdict::ok("Remote JMX access is off") };
        // Both are on unless switched off.
        let on = |values: &BTreeSet<&str>| !values.iter().any(|v| v.eq_ignore_ascii_case("false"));
        let evidence = |v: Verdict| {
            v.with("port", *port).with("authentication", on(&authenticate)).with("SSL", Value::from(on(&ssl)))
        };
        match (on(&authenticate), on(&ssl)) {
            (true, true) => evidence(Verdict::ok("Remote JMX access requires a password and encryption")),
            (false, ssl) => evidence(
                Verdict::warning(if ssl {
                    "Remote JMX access needs no password"
                } else {
                    "Remote JMX access needs no password and is not encrypted"
                })
                .explain(ManagementAgent::WHY)
                .remedy(ManagementAgent::REMEDY)
                .urgent(),
            ),
            (true, false) => evidence(
                Verdict::info("Remote JMX access is not encrypted")
                    .explain("Passwords cross the network in clear text.")
                    .remedy("Enable com.sun.management.jmxremote.ssl."),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn what_is_off_decides() {
        let of = |properties: &[(&str, &str)]| {
            let scene = Scene::new().event("jdk.InitialSystemProperty", 0, 0, [("key", "a".into())]);
            let scene = properties.iter().fold(scene, |s, (name, value)| {
                let key = format!("com.sun.management.jmxremote.{name}");
                s.event("jdk.InitialSystemProperty", 0, 0, [("key", key.as_str().into()), ("value", (*value).into())])
            });
            scene.verdict(&ManagementAgent).severity
        };
        assert_eq!(of(&[]), Severity::Ok);
        assert_eq!(of(&[("port", "1"), ("authenticate", "false"), ("ssl", "false")]), Severity::Warning);
        assert_eq!(of(&[("port", "1"), ("authenticate", "true"), ("ssl", "false")]), Severity::Info);
        assert_eq!(of(&[("port", "1")]), Severity::Ok);
    }
}
