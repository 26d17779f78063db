//! `SecretsInConfiguration`: secrets that anyone who has the recording can read. The rule names them but never shows
//! them.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::Regex;

use crate::matching::constant_regex;
use crate::tally::{PerText, brief};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map_exp100;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfr_analyzers::secrets;
use jfrkit_profile::units::things;

/// Whether arguments, system properties and environment variables contain secrets. Needs the environment variable and
/// system property events.
///
/// Fires on `fixtures/scenarios/secrets.jfr.gz`; quiet on `healthy`, and on made-up names that only look like names of
/// secrets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecretsInConfiguration;

const ENVIRONMENT: &str = "jdk.InitialEnvironmentVariable";
const PROPERTIES: &str = "jdk.InitialSystemProperty";
const JVM: &str = "jdk.JVMInformation";
/// The property that repeats the program arguments.
const COMMAND: &str = "sun.java.command";

/// `-Dname=value`, `--name=value` and `--name`.
static OPTION: LazyLock<Regex> = LazyLock::new(|| constant_regex(r"^(--?[^\s=]+)(?:=(.*))?$"));

impl SecretsInConfiguration {
    /// Why it matters.
    const WHY: &str = "Anyone who has this recording can read them; most are also visible to anyone who can list the \
                       machine's processes. jfrkit hides the values here, but they are still in the file.";
    /// What to do.
    const REMEDY: &str = "Supply secrets in files that only the program can read, or through a vault. Rotate secrets \
                          that were in a recording that you shared. To keep them out of recordings, disable \
                          jdk.InitialEnvironmentVariable, jdk.InitialSystemProperty and jdk.JVMInformation, or scrub \
                          the file: jfr scrub --exclude-events InitialEnvironmentVariable.";
}

impl Rule for SecretsInConfiguration {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("SecretsInConfiguration")
            .title("Secrets in configuration")
            .category(Category::Security)
            .description(
                "Whether the JVM or program arguments, system properties or environment variables in the \
                          recording contain passwords, tokens or keys.",
            )
            .formula(
                "A warning if `names` matches the name of a property, variable or argument that has a value, or if a \
                      value looks like a well-known kind of secret: a private key, an AWS, GitHub, GitLab, Slack, \
                      Google or Stripe token, a JSON Web Token, or a URL with a password. Names that `exclude` \
                      matches, switches (true, false), numbers (except for passwords), paths and masked values (***) \
                      do not count. Values are never shown.",
            )
            .settings(
                const {
                    &[
                        Setting::regex("names", secrets::NAMES, "Names of secrets"),
                        Setting::regex("exclude", secrets::HARMLESS, "Names that are not secrets"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().table(ENVIRONMENT, &["key", "value"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let events = [ENVIRONMENT, PROPERTIES, JVM];
        if events.iter().all(|event| facts.count(event) == 0) {
            return Verdict::not_applicable(format!("the recording has no {} events", events.join(", ")));
        }
        verdict(measure(facts, settings))
    }
}

/// Where each name or value that looks like a secret was found, and why it looks like one.
type Found = BTreeMap<String, (Vec<&'static str>, &'static str)>;

fn measure(facts: &Facts, settings: &Settings) -> Found {
    let (looks, names) = (PerText::default(), PerText::default());
    let mut search = Search { settings, found: BTreeMap::new(), looks, names };
    for row in facts.table(JVM).rows() {
        for (field, place) in
            [("jvmArguments", "JVM arguments"), ("jvmFlags", "JVM arguments"), ("javaArguments", "program arguments")]
        {
            let line = search.look(row.text(field).unwrap_or_default());
            search.words(place, "", &line);
        }
    }
    for (event, place) in [(PROPERTIES, "system properties"), (ENVIRONMENT, "environment variables")] {
        for row in facts.table(event).rows() {
            search.pair(place, row.text("key").unwrap_or_default(), row.text("value").unwrap_or_default());
        }
    }
    search.found
}

fn verdict(found: Found) -> Verdict {
    if found.is_empty() {
        return Verdict::ok("No name or value looks like a secret");
    }
    let count = found.len() as u64;
    let mut names: Vec<&str> = found.keys().map(String::as_str).collect();
    let more = if names.len() > 3 { ", …" } else { "" };
    names.truncate(3);
    // Not `a secret: NAME`, which would be masked like any other value after that word.
    let summary = format!(
        "{} ({}{more})",
        things(count, "name or value looks like a secret", "names or values look like secrets"),
        names.join(", ")
    );
    let rows = found.into_iter().map(|(name, (places, why))| [places.join(", ").into(), name.into(), why.into()]);
    Verdict::warning(summary)
        .score(map_exp100(count as f64, 1.0).max(75.0))
        .urgent()
        .explain(SecretsInConfiguration::WHY)
        .remedy(SecretsInConfiguration::REMEDY)
        .with("found", Value::table(["where", "name", "why"], rows))
}

/// Collects the secrets: for each name, the places and the reason.
struct Search<'s, 'f> {
    settings: &'s Settings,
    found: Found,
    /// Cached because values may be long, and many events may repeat them.
    looks: PerText<'f, Rc<Look>>,
    names: PerText<'f, bool>,
}

/// What a value reveals regardless of its name.
struct Look {
    /// Whether it cannot be a secret, and whether it cannot be a password.
    harmless: [bool; 2],
    /// The well-known kind of key that it looks like.
    form: Option<&'static str>,
    /// The secrets in it if it is a command line, with the reasons.
    words: Vec<(String, &'static str)>,
    /// The kind of key that only the whole line looks like.
    line: Option<&'static str>,
}

impl<'f> Search<'_, 'f> {
    fn look(&mut self, value: &'f str) -> Rc<Look> {
        let settings = self.settings;
        self.looks.get(value, |value| Rc::new(Look::at(value, settings))).clone()
    }

    /// A property or variable.
    fn pair(&mut self, place: &'static str, name: &'f str, value: &'f str) {
        let (look, settings) = (self.look(value), self.settings);
        let [other, password] = look.harmless;
        // A number counts only as the value of a password.
        let harmless = if other != password { secrets::is_harmless(brief(name), "1") } else { other };
        if !harmless && *self.names.get(name, |name| is_name(name, settings)) {
            self.add(place, name, "its name");
        }
        match look.form {
            Some(what) => self.add(place, name, what),
            // The value holds options for another JVM, or the whole command line.
            None if value.contains('-') => self.words(place, if name == COMMAND { "" } else { name }, &look),
            None => {}
        }
    }

    /// Searches a command line; `within` names the variable that contains it, if any.
    fn words(&mut self, place: &'static str, within: &str, line: &Look) {
        for (name, why) in &line.words {
            let full = if within.is_empty() { name.clone() } else { format!("{}: {name}", brief(within)) };
            self.add(place, &full, why);
        }
        if let Some(what) = line.line {
            self.add(place, if within.is_empty() { "arguments" } else { within }, what);
        }
    }

    fn add(&mut self, place: &'static str, name: &str, why: &'static str) {
        // A property from the command line appears in two places.
        let name = brief(name.strip_prefix("-D").unwrap_or(name));
        let (places, _) = self.found.entry(name.to_owned()).or_insert_with(|| (Vec::new(), why));
        if !places.contains(&place) {
            places.push(place);
        }
    }
}

impl Look {
    fn at(value: &str, settings: &Settings) -> Self {
        let harmless = ["", "password"].map(|name| secrets::is_harmless(name, value));
        let mut look = Self { harmless, form: secrets::form(value), words: Vec::new(), line: None };
        // An option without a value may have its value in the next word: `--password x`.
        let (mut before, mut formed) = (None, false);
        for (i, word) in value.split_whitespace().enumerate() {
            let parts = OPTION.captures(word);
            let part = |i: usize| parts.as_ref().and_then(|c| c.get(i)).map(|m| m.as_str());
            let (name, value) = match (part(1), part(2)) {
                (Some(name), Some(value)) => (name.to_owned(), value),
                (Some(name), None) => {
                    before = Some(name.to_owned());
                    continue;
                }
                _ => (before.take().unwrap_or_else(|| format!("argument {}", i.saturating_add(1))), word),
            };
            let form = secrets::form(value);
            let bare = name.trim_start_matches("-D").trim_start_matches('-');
            let by_name = !secrets::is_harmless(bare, value) && is_name(bare, settings);
            formed |= form.is_some();
            if let Some(why) = form.or(by_name.then_some("its name")) {
                look.words.push((name, why));
            }
        }
        // Even the first line of a private key consists of several words.
        look.line = look.form.filter(|_| !formed);
        look
    }
}

/// Whether this is the name of a secret.
fn is_name(name: &str, settings: &Settings) -> bool {
    settings.matches("names", name) && !settings.matches("exclude", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn variable(key: &str, value: &str) -> Verdict {
        Scene::new()
            .event(ENVIRONMENT, 0, 0, [("key", key.into()), ("value", value.into())])
            .verdict(&SecretsInConfiguration)
    }

    fn arguments(text: &str) -> Verdict {
        Scene::new().event(JVM, 0, 0, [("javaArguments", text.into())]).verdict(&SecretsInConfiguration)
    }

    #[test]
    fn secrets_are_named_and_never_shown() {
        let verdict = fixture::expect("SecretsInConfiguration", "secrets", Severity::Warning);
        let text = fixture::text(&verdict);
        for name in
            ["my.password", "api.key", "API_TOKEN", "DB_PASSWORD", "--db-password", "JVM arguments, system properties"]
        {
            assert!(text.contains(name), "{name}: {text}");
        }
        assert_eq!(
            verdict.summary, "5 names or values look like secrets (--db-password, API_TOKEN, DB_PASSWORD, …)",
            "the report does not mask the names"
        );
        assert!(!text.contains("made-up"), "{text}");
        fixture::expect("SecretsInConfiguration", "healthy", Severity::Ok);
    }

    #[test]
    fn values_in_the_form_of_keys() {
        let github = format!("ghp_{}", "a1B2".repeat(9));
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";
        for value in
            ["AKIAABCDEFGHIJKLMNOP", &github, jwt, "jdbc:pg://joe:hunter2@db/shop", "-----BEGIN RSA PRIVATE KEY-----"]
        {
            let verdict = variable("SETTING_A", value);
            assert_eq!(verdict.severity, Severity::Warning, "{value}");
            let text = fixture::text(&verdict);
            assert!(text.contains("SETTING_A") && !text.contains(value), "{text}");
            assert_eq!(arguments(&format!("app.jar run {value}")).severity, Severity::Warning, "{value}");
        }
        assert_eq!(variable("COMMIT", "9fceb02d0ae598e95dc970b74767f19372d61af8").severity, Severity::Ok);
    }

    #[test]
    fn names_that_mean_something_else() {
        for (key, value) in [
            ("PWD", "/home/joe"),
            ("OLDPWD", "relative"),
            ("max.token.count", "4096"),
            ("TOKEN_TTL", "30s"),
            ("DB_PASSWORD_FILE", "/run/secrets/db"),
            ("DB_PASSWORD", ""),
            ("use.password", "true"),
            ("DB_PASSWORD", "***"),
            ("javax.net.ssl.trustStore", "cacerts"),
        ] {
            assert_eq!(variable(key, value).severity, Severity::Ok, "{key}");
        }
        assert_eq!(variable("DB_PASSWORD", "1234").severity, Severity::Warning);
        assert_eq!(Scene::new().verdict(&SecretsInConfiguration).severity, Severity::NotApplicable);
    }

    #[test]
    fn arguments_with_an_equals_sign_and_without() {
        for text in ["app.jar --token=geheim7", "app.jar --api-key geheim7 run", "app.jar -Dmy.secret=geheim7"] {
            let verdict = arguments(text);
            assert_eq!(verdict.severity, Severity::Warning, "{text}");
            assert!(!fixture::text(&verdict).contains("geheim"), "{verdict:?}");
        }
        assert_eq!(arguments("app.jar --token --verbose").severity, Severity::Ok);
        let verdict = variable("JAVA_TOOL_OPTIONS", "-Xmx1g -Ddb.password=geheim7");
        assert!(fixture::text(&verdict).contains("JAVA_TOOL_OPTIONS: -Ddb.password"), "{verdict:?}");
        assert!(!fixture::text(&verdict).contains("geheim"), "{verdict:?}");
    }
}
