//! What looks like a secret, and how it is kept out of what is shown.
//!
//! Names of passwords, tokens and keys; values in the form of well-known keys. The rules on secrets judge by it, reports and
//! [`runtime`](crate::runtime) hide by it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What is shown for a secret.
pub const MASK: &str = "••••";

/// Words in the names of secrets, as a regular expression.
pub(crate) const WORDS: &str =
    "passw|passphrase|pwd|secret|token|api[._-]?key|credential|private[._-]?key|access[._-]?key";

/// Names of secrets, as a regular expression.
pub const NAMES: &str =
    r"(?i)passw|passphrase|pwd|secret|token|api[._-]?key|credential|private[._-]?key|access[._-]?key";

/// Names that hold such a word and mean something else: working directories of shells, files, limits and kinds of tokens.
pub const HARMLESS: &str = r"(?i)^(?:old)?pwd$|passworld|passwise|tokeni[sz]er|[._-](?:file|path|dir|url|uri|location|store|type|provider|class|algorithm|enabled|required|length|size|limit|timeout|ttl|expiry|count|max|min|prefix|suffix|header|name|id)$";

/// Values that are keys by their form, and whose.
const FORMS: [(&str, &str); 9] = [
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("an access key of AWS", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a token of GitHub", r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{22,})"),
    ("a token of GitLab", r"\bglpat-[0-9A-Za-z_-]{20}"),
    ("a token of Slack", r"\bxox[abeprs]-[0-9A-Za-z-]{10,}"),
    ("a key of Google", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a key of Stripe", r"\b[rs]k_live_[0-9A-Za-z]{16,}"),
    ("a JSON web token", r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+"),
    ("an address with a password", r"://[^\s/:@]+:[^\s/@]+@"),
];

static FORM: LazyLock<Vec<(&'static str, Regex)>> =
    LazyLock::new(|| FORMS.iter().filter_map(|(what, form)| Some((*what, Regex::new(form).ok()?))).collect());
/// All of a private key, as far as it goes.
static PRIVATE_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)").ok()
});
static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(NAMES).ok());
static EXCEPT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(HARMLESS).ok());

/// `name=value`, `name: value`, `"name":"value"` and `--name value`, where the name is one of a secret; what a bearer shows; and
/// `user:password@` of an address. A colon without a space is followed by a line number more often than by a secret.
static IN_TEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = format!(r"[\w.\-]*(?:{WORDS})[\w.\-]*");
    let value = r#"(?:"[^"]*"|'[^']*'|\S+)"#;
    Regex::new(&format!(r#"(?i)(?P<name>{name}\s?=\s?|{name}:\s+|{name}["']\s*:\s*|--{name}\s+|bearer\s+|://[^\s/:@]*:)(?P<value>{value})"#)).ok()
});

/// Which well-known key a value is, or has in it, by its form.
#[must_use]
pub fn form(value: &str) -> Option<&'static str> {
    FORM.iter().find(|(_, form)| form.is_match(value)).map(|(what, _)| *what)
}

/// Whether a value of something with the name of a secret is none: a switch, a number (but of passwords), a path, nothing,
/// or hidden already.
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

/// Whether a name is that of a secret. Without an expression nothing can be told apart; that is not known to happen, and
/// hides too much, not too little.
#[must_use]
pub fn is_name(name: &str) -> bool {
    SECRET.as_ref().is_none_or(|regex| regex.is_match(name))
        && EXCEPT.as_ref().is_none_or(|regex| !regex.is_match(name))
}

/// The value of a property, variable or flag, as it can be shown.
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

/// A text, such as a command line, with its secrets hidden; their names stay.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    let mut out = in_text(text, MASK);
    if let Some(key) = PRIVATE_KEY.as_ref().filter(|key| key.is_match(&out)) {
        out = key.replace_all(&out, MASK).into_owned().into();
    }
    for (what, form) in FORM.iter() {
        // Addresses are done already, and keep their host.
        if !what.starts_with("an address") && form.is_match(&out) {
            out = form.replace_all(&out, MASK).into_owned().into();
        }
    }
    out
}

/// The arguments of a JVM: each begins with a hyphen, so what does not belongs to the value before it.
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

/// A text in which `mask` stands for the values of secrets.
pub(crate) fn in_text<'t>(text: &'t str, mask: &str) -> Cow<'t, str> {
    let Some(regex) = IN_TEXT.as_ref() else { return mask.to_owned().into() };
    regex.replace_all(text, |found: &Captures<'_>| {
        let part = |name| found.name(name).map_or("", |m| m.as_str());
        match part("value") {
            // An address keeps its host. One without an at sign has a port there, no password.
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
    fn secrets_are_hidden_wherever_they_are() {
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
    fn every_form_is_known_and_hidden() {
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
        // One that does not compile would be no form at all, without a sound.
        assert_eq!(FORM.len(), FORMS.len());
        for ((what, _), value) in FORMS.iter().zip(&values) {
            assert_eq!(form(value), Some(*what), "{value}");
            assert!(text(value).contains(MASK), "{value}");
        }
    }

    #[test]
    fn words_that_belong_to_a_secret_argument_go_with_it() {
        let shown = arguments("-Xmx1g -Dmy.password=two words here -Dx=1 -javaagent:a.jar=token=abc");
        assert_eq!(shown, format!("-Xmx1g -Dmy.password={MASK} -Dx=1 -javaagent:a.jar=token={MASK}"));
        assert_eq!(arguments("-Xlog:gc=debug file"), "-Xlog:gc=debug file");
    }
}
