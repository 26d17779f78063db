//! `WeakCrypto`: weak protocols and algorithms, and changed security properties.

use std::collections::BTreeMap;

use crate::security::algorithms::{self, Suite};
use crate::tally::brief;
use jfr_analyzers::events::{Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::{map_exp74, map_exp100};
use jfr_analyzers::rule::{Category, Frame, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::StackId;
use jfrkit_profile::units::things;

/// Whether TLS connections, requested algorithms, or changed security properties are weak. Needs no event table.
///
/// Fires on `fixtures/scenarios/tls-weak.jfr.gz`; quiet on made-up events, and on the JDK's own use as in
/// `fixtures/jdk17-full.jfr`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeakCrypto;

const HANDSHAKE: &str = "jdk.TLSHandshake";
const SERVICE: &str = "jdk.SecurityProviderService";
const PROPERTY: &str = "jdk.SecurityPropertyModification";

const HANDSHAKES: GroupBy = GroupBy::of(&[HANDSHAKE]).by(&["protocolVersion", "cipherSuite", "peerHost", "stackTrace"]);
const SERVICES: GroupBy = GroupBy::of(&[SERVICE]).by(&["type", "algorithm", "provider", "stackTrace"]);
const CHANGES: GroupBy = GroupBy::of(&[PROPERTY]).by(&["key", "value", "stackTrace"]);

/// Packages in which the JDK looks up a requested algorithm; the caller is further down the stack.
const LOOKUP: [&str; 3] = ["java.security.", "javax.crypto.", "sun.security.jca."];

/// A weakness at one call site.
#[derive(Debug)]
struct Weakness {
    what: String,
    frame: Option<Frame>,
    stack: Option<StackId>,
    count: u64,
    /// Whether it is a warning; otherwise it is worth a look.
    is_bad: bool,
    first: i64,
}

impl WeakCrypto {
    /// Why it matters.
    const WHY: &str = "TLS before 1.2, MD5, SHA-1, DES and RC4 can be broken with moderate effort, and ECB reveals \
                       identical blocks. MD5 and SHA-1 are still fine as checksums against accidental corruption. A \
                       security property that changes at run time changes for all code in the JVM.";
    /// What to do.
    const REMEDY: &str = "Allow only TLS 1.2 and 1.3, with AEAD suites (GCM, ChaCha20-Poly1305). Hash with SHA-256 \
                          and encrypt with AES/GCM. Set security properties in java.security, and do not empty \
                          jdk.tls.disabledAlgorithms.";
}

impl Rule for WeakCrypto {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("WeakCrypto")
            .title("Weak cryptography")
            .category(Category::Security)
            .description(
                "Whether TLS connections use old protocols or weak cipher suites, whether the program \
                          requests weak algorithms, and whether security properties were changed at run time.",
            )
            .formula(
                "jdk.TLSHandshake: a warning below TLS 1.2, and for suites that do not encrypt (NULL) or do not \
                      authenticate the peer (anon); worth a look for suites with RC4, DES, export keys, or CBC with \
                      SHA-1. jdk.SecurityProviderService: worth a look for MD2, MD5, SHA-1, DES, DESede, RC2, RC4 \
                      and ECB (except with RSA, where the mode means nothing), if the program requests them and not \
                      the JDK for its own use; HMACs do not count. jdk.SecurityPropertyModification: worth a look, \
                      except for properties that `exclude` matches. Needs JDK 11 or later (JDK 20 for the stacks of \
                      jdk.SecurityProviderService); all of these events are off by default.",
            )
            .settings(
                const {
                    &[Setting::regex("exclude", r"^networkaddress\.cache\.", "Security properties that may be changed")]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(HANDSHAKES).groups(SERVICES).groups(CHANGES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let missing: Vec<String> =
            [HANDSHAKE, SERVICE, PROPERTY].iter().filter_map(|e| facts.missing(e, Level::Enabled, false)).collect();
        if missing.len() == 3 {
            return Verdict::not_applicable(missing.join("; "));
        }
        let mut found: BTreeMap<(String, Option<String>), Weakness> = BTreeMap::new();
        handshakes(facts, &mut found);
        services(facts, &mut found);
        changes(facts, settings, &mut found);
        let mut found: Vec<Weakness> = found.into_values().collect();
        found.sort_by_key(|f| (!f.is_bad, std::cmp::Reverse(f.count)));
        let not_looked_at = (!missing.is_empty()).then(|| Value::list("reasons", missing));
        let Some(worst) = found.first() else {
            return Verdict::ok("The program used no weak cryptography").with_some("not looked at", not_looked_at);
        };
        let place = worst.frame.as_ref().map(|f| format!(" in {}", f.method)).unwrap_or_default();
        let others = match found.len().saturating_sub(1) {
            0 => String::new(),
            n => format!(", and {}", things(n as u64, "more", "more")),
        };
        let summary = format!("Weak cryptography: {}{place}{others}", worst.what);
        let bad = found.iter().filter(|f| f.is_bad).count();
        let verdict = if bad > 0 {
            Verdict::warning(summary).score(map_exp100(bad as f64, 1.0).max(75.0)).urgent()
        } else {
            Verdict::info(summary).score(map_exp74(found.len() as f64, 1.0).max(25.0))
        };
        let rows = found.iter().take(30).map(|f| {
            let line = f.frame.as_ref().and_then(|f| f.line).map_or(String::new(), |l| l.to_string());
            [
                f.what.as_str().into(),
                f.frame.as_ref().map_or(String::new(), |f| f.method.clone()).into(),
                line.into(),
                Value::count(f.count, "times"),
                Value::instant(f.first),
            ]
        });
        verdict
            .explain(WeakCrypto::WHY)
            .remedy(WeakCrypto::REMEDY)
            .with("found", Value::table(["what", "in", "line", "times", "first"], rows))
            .with_some("not looked at", not_looked_at)
            .with_some("stack", worst.stack.map(|s| facts.stack_value(s, 20)))
    }
}

type Findings = BTreeMap<(String, Option<String>), Weakness>;

fn add(facts: &Facts, found: &mut Findings, what: String, group: &Group<'_>, stack: Option<StackId>, is_bad: bool) {
    let frame = stack.and_then(|s| facts.site(s));
    let key = (what.clone(), frame.as_ref().map(|f| format!("{}:{:?}", f.method, f.line)));
    let one = found.entry(key).or_insert(Weakness { what, frame, stack, count: 0, is_bad, first: group.first() });
    one.count = one.count.saturating_add(group.count());
    one.first = one.first.min(group.first());
    one.is_bad |= is_bad;
}

fn handshakes(facts: &Facts, found: &mut Findings) {
    for group in facts.groups(&HANDSHAKES).iter() {
        let (protocol, suite) = (
            group.text("protocolVersion").map(brief).unwrap_or_default(),
            group.text("cipherSuite").map(brief).unwrap_or_default(),
        );
        let peer = group
            .text("peerHost")
            .map(brief)
            .filter(|p| !p.is_empty())
            .map(|p| format!(" with {p}"))
            .unwrap_or_default();
        let old = algorithms::is_old_protocol(protocol);
        match algorithms::suite(suite) {
            Suite::Open => add(facts, found, format!("{suite}{peer}"), &group, group.stack("stackTrace"), true),
            Suite::Weak if !old => {
                add(facts, found, format!("{suite}{peer}"), &group, group.stack("stackTrace"), false)
            }
            _ => {}
        }
        if old {
            add(facts, found, format!("{protocol}{peer} ({suite})"), &group, group.stack("stackTrace"), true);
        }
    }
}

fn services(facts: &Facts, found: &mut Findings) {
    for group in facts.groups(&SERVICES).iter() {
        let (kind, algorithm) =
            (group.text("type").map(brief).unwrap_or_default(), group.text("algorithm").map(brief).unwrap_or_default());
        // Without a stack, the JDK's own requests, which are frequent, cannot be told apart from the program's.
        let Some(stack) = group.stack("stackTrace").filter(|_| algorithms::is_weak(kind, algorithm)) else { continue };
        let asks = |m: &&str| !LOOKUP.iter().any(|p| m.starts_with(p));
        if facts.methods(stack).find(asks).is_some_and(|m| !jfr_analyzers::events::is_jdk(m)) {
            add(facts, found, format!("{kind} {algorithm}"), &group, Some(stack), false);
        }
    }
}

fn changes(facts: &Facts, settings: &Settings, found: &mut Findings) {
    for group in facts.groups(&CHANGES).iter() {
        let (key, value) =
            (group.text("key").map(brief).unwrap_or_default(), group.text("value").map(brief).unwrap_or_default());
        if !settings.matches("exclude", key) {
            let now = if value.is_empty() { "nothing" } else { value };
            add(
                facts,
                found,
                format!("security property {key} set to {now}"),
                &group,
                group.stack("stackTrace"),
                false,
            );
        }
    }
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
    fn old_protocols_algorithms_and_changes_are_found() {
        let verdict = fixture::expect("WeakCrypto", "tls-weak", Severity::Warning);
        let text = fixture::text(&verdict);
        assert!(!text.contains("TLSv1.2") && !text.contains("TLSv1.3"), "{text}");
    }

    fn handshake(protocol: &str, suite: &str) -> Severity {
        let fields = [("protocolVersion", protocol.into()), ("cipherSuite", suite.into()), ("peerHost", "db".into())];
        Scene::new().event(HANDSHAKE, 0, 0, fields).verdict(&WeakCrypto).severity
    }

    #[test]
    fn handshakes() {
        assert_eq!(handshake("TLSv1.3", "TLS_AES_256_GCM_SHA384"), Severity::Ok);
        assert_eq!(handshake("TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA"), Severity::Info);
        assert_eq!(handshake("TLSv1.2", "TLS_RSA_WITH_NULL_SHA256"), Severity::Warning);
        assert_eq!(handshake("TLSv1.1", "TLS_RSA_WITH_AES_128_GCM_SHA256"), Severity::Warning);
    }

    #[test]
    fn what_the_jdk_asks_for_is_its_own_business() {
        let of = |algorithm: &str, asks: &str| {
            let methods = ["sun.security.jca.ProviderList.getService", "java.security.MessageDigest.getInstance", asks];
            let fields =
                [("type", "MessageDigest".into()), ("algorithm", algorithm.into()), ("stackTrace", stack(&methods))];
            Scene::new().event(SERVICE, 0, 0, fields).verdict(&WeakCrypto)
        };
        assert_eq!(of("MD5", "java.util.UUID.nameUUIDFromBytes").severity, Severity::Ok);
        assert_eq!(of("SHA-256", "shop.Users.hash").severity, Severity::Ok);
        let weak = of("MD5", "shop.Users.hash");
        assert_eq!(weak.severity, Severity::Info);
    }

    #[test]
    fn properties_that_may_change() {
        let of = |key: &str| {
            Scene::new()
                .event(PROPERTY, 0, 0, [("key", key.into()), ("value", "x".into())])
                .verdict(&WeakCrypto)
                .severity
        };
        assert_eq!(of("jdk.certpath.disabledAlgorithms"), Severity::Info);
        assert_eq!(of("networkaddress.cache.ttl"), Severity::Ok);
        fixture::expect("WeakCrypto", "healthy", Severity::NotApplicable);
    }
}
