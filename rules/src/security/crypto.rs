//! `CryptoSecurityRule`: weak certificates.

use std::collections::BTreeMap;

use jfr_analyzers::events::{Event, Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether certificates are weak or expire. Needs the certificate events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CryptoSecurityRule;

const DAY: i64 = 86_400_000_000_000;

impl CryptoSecurityRule {
    /// Why it matters.
    const WHY: &str = "Attackers can break anything that relies on weak algorithms or short keys.";
    /// What to do.
    const REMEDY: &str = "Renew the certificates with SHA-256 or better and keys of 2048 bits (RSA) or 256 bits (EC).";
}

impl Rule for CryptoSecurityRule {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("CryptoSecurityRule")
            .title("Weak certificates")
            .category(Category::Security)
            .description("Whether the program uses certificates that are weak, have expired or soon will.")
            .formula(
                "A warning if any certificate is signed with MD2, MD5 or SHA-1, has an RSA or DSA key of fewer \
                      than 2048 bits or an EC key of fewer than 224 bits, has expired, or expires within `expiry`.",
            )
            .unlike_jmc(
                "JMC counts days from the time of the analysis, so its verdict changes from day to day; \
                          jfrkit counts from the time of the recording and does not mistake EdDSA keys for DSA keys.",
            )
            .settings(const { &[Setting::seconds("expiry", 90.0 * 86_400.0, "Time before expiry to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.X509Certificate").table(
            "jdk.X509Certificate",
            &["algorithm", "keyType", "keyLength", "validUntil", "serialNumber", "subject"],
        )
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        verdict(measure(facts, settings))
    }
}

/// What is wrong with certificates, by subject and serial number.
type Found = BTreeMap<(String, String), String>;

fn measure(facts: &Facts, settings: &Settings) -> Found {
    let mut found = Found::new();
    for certificate in facts.table("jdk.X509Certificate").rows() {
        let problems = problems(&certificate, settings.nanos("expiry"));
        if !problems.is_empty() {
            let text = |field: &str| short(certificate.text(field).unwrap_or("?"));
            found.insert((text("subject"), text("serialNumber")), problems.join(", "));
        }
    }
    found
}

/// A name in a certificate without what exceeds any real one: many certificates may refer to one long text.
fn short(name: &str) -> String {
    name.chars().take(1_000).collect()
}

/// What is wrong with a certificate. `expiry` is the least remaining time in nanoseconds.
fn problems(certificate: &Event<'_>, expiry: i64) -> Vec<String> {
    let text = |field: &str| short(certificate.text(field).unwrap_or_default()).to_uppercase();
    let (algorithm, key) = (text("algorithm"), text("keyType"));
    let length = certificate.int("keyLength").unwrap_or(0);
    let weak = ["SHA1", "MD2", "MD5"].into_iter().filter(|weak| algorithm.contains(weak));
    let mut problems: Vec<String> = weak.map(|weak| format!("signed with {weak}")).collect();
    let short = if key.contains("EDDSA") || key.contains("ED25519") || key.contains("ED448") {
        false
    } else if key.contains("RSA") || key.contains("DSA") && !key.contains("EC") {
        length > 0 && length < 2_048
    } else {
        key.contains("EC") && length > 0 && length < 224
    };
    if short {
        problems.push(format!("{key} key with {length} bits"));
    }
    if let Some(until) = certificate.int("validUntil") {
        let left = until.saturating_sub(certificate.start);
        if left < 0 {
            problems.push(format!("expired {} days before the recording", left.saturating_neg() / DAY));
        } else if left < expiry {
            problems.push(format!("expires in {} days", left / DAY));
        }
    }
    problems
}

fn verdict(found: Found) -> Verdict {
    if found.is_empty() {
        return Verdict::ok("All certificates are strong and valid");
    }
    let certificates = units::things(found.len() as u64, "certificate is", "certificates are");
    let rows = found.into_iter().map(|((subject, serial), problem)| [subject.into(), serial.into(), problem.into()]);
    Verdict::warning(format!("{certificates} weak, expired or about to expire"))
        .remedy(CryptoSecurityRule::REMEDY)
        .with("certificates", Value::table(["subject", "serial number", "problem"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn weak_and_expiring_certificates() {
        let of = |algorithm: &str, key: &str, bits: i64, days: i64| {
            Scene::new()
                .event(
                    "jdk.X509Certificate",
                    0,
                    0,
                    [
                        ("algorithm", algorithm.into()),
                        ("keyType", key.into()),
                        ("keyLength", bits.into()),
                        ("validUntil", (days * DAY).into()),
                    ],
                )
                .verdict(&CryptoSecurityRule)
                .severity
        };
        assert_eq!(of("SHA256withRSA", "RSA", 2_048, 400), Severity::Ok);
        assert_eq!(of("SHA1withRSA", "RSA", 2_048, 400), Severity::Warning);
        assert_eq!(of("SHA256withRSA", "RSA", 1_024, 400), Severity::Warning);
        assert_eq!(of("SHA256withRSA", "RSA", 2_048, 10), Severity::Warning);
        assert_eq!(of("SHA256withECDSA", "EC", 256, 400), Severity::Ok);
        assert_eq!(of("Ed25519", "EdDSA", 255, 400), Severity::Ok);
    }
}
