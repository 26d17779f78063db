//! Recognizes secrets and masks them in output.
//!
//! Secrets are recognized by names of passwords, tokens and keys, and by the format of well-known keys. The
//! rules about secrets use it to find them, reports and [`runtime`](crate::runtime) to mask them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What is shown in place of a secret.
pub const MASK: &str = "••••";

/// Words that occur in the names of secrets, as a regular expression.
pub(crate) const WORDS: &str =
    "passw|passphrase|pwd|secret|token|api[._-]?key|credential|private[._-]?key|access[._-]?key";

/// Names of secrets, as a regular expression.
pub const NAMES: &str =
    r"(?i)passw|passphrase|pwd|secret|token|api[._-]?key|credential|private[._-]?key|access[._-]?key";

/// Names that contain such a word but mean something else: working directories of shells, files, limits and
/// types of tokens.
pub const HARMLESS: &str = r"(?i)^(?:old)?pwd$|passworld|passwise|tokeni[sz]er|[._-](?:file|path|dir|url|uri|location|store|type|provider|class|algorithm|enabled|required|length|size|limit|timeout|ttl|expiry|count|max|min|prefix|suffix|header|name|id)$";

/// Formats of well-known keys, and their issuers.
const FORMS: [(&str, &str); 9] = [
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{22,})"),
    ("a GitLab token", r"\bglpat-[0-9A-Za-z_-]{20}"),
    ("a Slack token", r"\bxox[abeprs]-[0-9A-Za-z-]{10,}"),
    ("a Google key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{16,}"),
    ("a JSON web token", r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+"),
    ("an address with a password", r"://[^\s/:@]+:[^\s/@]+@"),
];

/// A regular expression of the program. Panics if it is not valid; otherwise secrets would go unnoticed.
#[expect(clippy::expect_used, reason = "only constants, each of which the tests use")]
pub(crate) fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid constant")
}

static FORM: LazyLock<Vec<(&'static str, Regex)>> =
    LazyLock::new(|| FORMS.iter().map(|(what, form)| (*what, constant(form))).collect());
/// A private key, complete or truncated.
static PRIVATE_KEY: LazyLock<Regex> =
    LazyLock::new(|| constant(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"));
static SECRET: LazyLock<Regex> = LazyLock::new(|| constant(NAMES));
static EXCEPT: LazyLock<Regex> = LazyLock::new(|| constant(HARMLESS));

/// `name=value`, `name: value`, `"name":"value"` and `--name value` if the name is that of a secret; a bearer
/// token; and `user:password@` in a URL. A colon without a space is followed more often by a line number than
/// by a secret.
static IN_TEXT: LazyLock<Regex> = LazyLock::new(|| {
    let name = format!(r"[\w.\-]*(?:{WORDS})[\w.\-]*");
    let value = r#"(?:"[^"]*"|'[^']*'|\S+)"#;
    constant(&format!(
        r#"(?i)(?P<name>{name}\s?=\s?|{name}:\s+|{name}["']\s*:\s*|--{name}\s+|bearer\s+|://[^\s/:@]*:)(?P<value>{value})"#
    ))
});

/// Which well-known key a value is or contains, based on its format.
#[must_use]
pub fn form(value: &str) -> Option<&'static str> {
    FORM.iter().find(|(_, form)| form.is_match(value)).map(|(what, _)| *what)
}

/// Whether a value is harmless in spite of its name: a switch, a number (except for passwords), a path, empty,
/// or already masked.
#[must_use]
pub fn is_harmless(name: &str, value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', ' ']);
    let number = !value.is_empty() && value.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_password = || ["passw", "pwd"].iter().any(|p| name.to_lowercase().contains(p));
    value.is_empty()
        || value.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.'))
        || ["true", "false", "null", "none", "yes", "no"].iter().any(|w| value.eq_ignore_ascii_case(w))
        || value.starts_with(['/', '[', '<', '$', '%'])
        || value.starts_with("file:")
        || number && !is_password()
}

/// Whether a name is that of a secret.
#[must_use]
pub fn is_name(name: &str) -> bool {
    SECRET.is_match(name) && !EXCEPT.is_match(name)
}

/// The value of a property, variable or flag in a form that is safe to show.
///
/// ```
/// use jfr_analyzers::secrets::{MASK, value};
///
/// assert_eq!(value("DB_PASSWORD", "hunter2"), MASK);
/// assert_eq!(value("JAVA_OPTS", "-Xmx1g -Dapi.key=abc"), format!("-Xmx1g -Dapi.key={MASK}"));
/// assert_eq!(value("HOME", "/home/joe"), "/home/joe");
/// ```
#[must_use]
pub fn value<'t>(name: &str, value: &'t str) -> Cow<'t, str> {
    if is_name(name) && !is_harmless(name, value) {
        return MASK.into();
    }
    text(value)
}

/// Masks the secrets in a text, such as a command line; their names are kept.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    let mut out = in_text(text, MASK);
    if PRIVATE_KEY.is_match(&out) {
        out = PRIVATE_KEY.replace_all(&out, MASK).into_owned().into();
    }
    for (what, form) in FORM.iter() {
        // URLs are already masked, and keep their host.
        if !what.starts_with("an address") && form.is_match(&out) {
            out = form.replace_all(&out, MASK).into_owned().into();
        }
    }
    out
}

/// Masks the secrets in the arguments of a JVM. Each argument begins with a hyphen, so a word without one
/// belongs to the value before it.
#[must_use]
pub fn arguments(arguments: &str) -> String {
    let mut out = String::new();
    let mut hidden = false;
    for word in arguments.split_inclusive(' ') {
        let bare = word.trim_end();
        if !bare.starts_with('-') && hidden {
            continue;
        }
        let (name, given) = bare.split_once('=').unwrap_or((bare, ""));
        hidden = bare.starts_with('-') && is_name(name) && !is_harmless(name, given);
        if hidden {
            out.push_str(name);
            out.push('=');
            out.push_str(MASK);
            out.push_str(word.get(bare.len()..).unwrap_or_default());
        } else {
            out.push_str(word);
        }
    }
    text(&out).into_owned()
}

/// Replaces the values of secrets in a text with `mask`.
pub(crate) fn in_text<'t>(text: &'t str, mask: &str) -> Cow<'t, str> {
    IN_TEXT.replace_all(text, |found: &Captures<'_>| {
        let part = |name| found.name(name).map_or("", |m| m.as_str());
        match part("value") {
            // A URL keeps its host. Without an at sign, the part after the colon is a port, not a password.
            value if part("name").starts_with("://") => match value.rsplit_once('@') {
                Some((_, host)) => format!("{}{mask}@{host}", part("name")),
                None => format!("{}{value}", part("name")),
            },
            _ => format!("{}{mask}", part("name")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_all_sections() {
        let github = format!("ghp_{}", "a1B2".repeat(9));
        for (name, secret) in [
            ("DB_PASSWORD", "geheim"),
            ("my.token", "geheim"),
            ("KEY_A", "-----BEGIN RSA PRIVATE KEY-----\ngeheim\n-----END RSA PRIVATE KEY-----"),
            ("AWS", "AKIAABCDEFGHIJKLMNOP"),
            ("SETTING", github.as_str()),
            ("JAVA_TOOL_OPTIONS", "-Ddb.password=geheim -Xmx1g"),
            ("sun.java.command", "app.jar --api-key geheim run"),
            ("DATABASE_URL", "jdbc:pg://joe:geheim@db/shop"),
        ] {
            let shown = value(name, secret);
            assert!(shown.contains(MASK) && !shown.contains("geheim") && !shown.contains("AKIA"), "{name}: {shown}");
        }
        for (name, harmless) in [
            ("PWD", "/home/joe"),
            ("max.token.count", "4096"),
            ("DB_PASSWORD_FILE", "/run/secrets/db"),
            ("use.password", "true"),
            ("java.class.path", "a.jar:b.jar"),
        ] {
            assert_eq!(value(name, harmless), harmless);
        }
    }

    #[test]
    fn every_format_is_recognized_and_masked() {
        let jwt = format!("eyJ{0}.eyJ{0}.{0}", "a1B2c3D4");
        let values = [
            "-----BEGIN EC PRIVATE KEY-----".to_owned(),
            "ASIAABCDEFGHIJKLMNOP".to_owned(),
            format!("github_pat_{}", "a1_B".repeat(6)),
            format!("glpat-{}", "a1-B_".repeat(4)),
            "xoxb-1234567890-abc".to_owned(),
            format!("AIza{}", "a1B2c".repeat(7)),
            format!("sk_live_{}", "a1B2".repeat(4)),
            jwt,
            "redis://joe:geheim@cache".to_owned(),
        ];
        // An expression that does not compile would silently match nothing.
        assert_eq!(FORM.len(), FORMS.len());
        for ((what, _), value) in FORMS.iter().zip(&values) {
            assert_eq!(form(value), Some(*what), "{value}");
            assert!(text(value).contains(MASK), "{value}");
        }
    }

    #[test]
    fn all_words_of_a_secret_argument_are_masked() {
        let shown = arguments("-Xmx1g -Dmy.password=two words here -Dx=1 -javaagent:a.jar=token=abc");
        assert_eq!(shown, format!("-Xmx1g -Dmy.password={MASK} -Dx=1 -javaagent:a.jar=token={MASK}"));
        assert_eq!(arguments("-Xlog:gc=debug file"), "-Xlog:gc=debug file");
    }
}
