//! Removes secrets from reports, no matter which rule quotes a command line or a property.

use super::evidence::Value;
use super::verdict::Verdict;
use crate::secrets;

/// The replacement for a secret in a verdict.
const HIDDEN: &str = "***";

/// Masks the values of passwords, tokens and other secrets in a verdict. Their names are kept.
pub(super) fn hide(mut verdict: Verdict) -> Verdict {
    for text in [&mut verdict.summary, &mut verdict.explanation, &mut verdict.remedy] {
        in_text(text);
    }
    verdict.not_applicable_because.iter_mut().for_each(in_text);
    for (key, value) in verdict.evidence.iter_mut() {
        // `password` alone may be a rule's word for something harmless; `db.password` hardly is.
        if key.contains('.') && is_secret(key) {
            cover(value);
        }
        in_text(key.to_mut());
        in_value(value);
    }
    verdict
}

fn is_secret(name: &str) -> bool {
    static NAME: std::sync::LazyLock<regex::Regex> =
        std::sync::LazyLock::new(|| secrets::constant(&format!("(?i){}", secrets::WORDS)));
    NAME.is_match(name)
}

fn cover(value: &mut Value) {
    if let Value::Text { value } = value {
        HIDDEN.clone_into(value);
    }
}

fn in_text(text: &mut String) {
    if let std::borrow::Cow::Owned(hidden) = secrets::in_text(text, HIDDEN) {
        *text = hidden;
    }
}

fn in_value(value: &mut Value) {
    match value {
        Value::Text { value } => in_text(value),
        Value::List { items, .. } => items.iter_mut().for_each(in_text),
        Value::Stack { frames } => frames.iter_mut().for_each(|frame| in_text(&mut frame.method)),
        Value::Methods { rows } => {
            for row in rows {
                in_text(&mut row.method.method);
                row.application_frame.iter_mut().for_each(|frame| in_text(&mut frame.method));
            }
        }
        Value::Table { columns, rows } => {
            let of_value: Vec<bool> = columns.iter().map(|c| c.eq_ignore_ascii_case("value")).collect();
            for row in rows {
                let secret = row.iter().any(|cell| matches!(cell, Value::Text { value } if is_secret(value)));
                for (cell, of_value) in row.iter_mut().zip(&of_value) {
                    if secret && *of_value {
                        cover(cell);
                    }
                    in_value(cell);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_masked_and_names_kept() {
        for (text, shown) in [
            ("-Ddb.password=hunter2 -Dx=1", "-Ddb.password=*** -Dx=1"),
            ("--api-key abc,def end", "--api-key *** end"),
            ("MY_SECRET='two words' left", "MY_SECRET=*** left"),
            ("jdbc:x://joe:pa@ss@host:80/db", "jdbc:x://joe:***@host:80/db"),
            ("http://host:8080/path and joe@host", "http://host:8080/path and joe@host"),
            ("Passwords are given: look at db.password", "Passwords are given: look at db.password"),
            ("-Xmx1g -XX:+UseG1GC", "-Xmx1g -XX:+UseG1GC"),
            ("wrong password: hunter2 given", "wrong password: *** given"),
            ("{\"user\":\"joe\",\"password\":\"hunter2\"}", "{\"user\":\"joe\",\"password\":***}"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            (
                "com.acme.TokenReader.read:45 ← com.acme.Main.run:7",
                "com.acme.TokenReader.read:45 ← com.acme.Main.run:7",
            ),
        ] {
            let mut hidden = text.to_owned();
            in_text(&mut hidden);
            assert_eq!(hidden, shown);
        }
    }

    #[test]
    fn secrets_in_evidence_are_masked() {
        let row = |key: &str, value: &str| [Value::text(key), Value::text(value)];
        let verdict = Verdict::ok("-Dtoken=abc")
            .with("arguments", Value::list("arguments", ["-Dtoken=abc", "-Xmx1g"]))
            .with("properties", Value::table(["key", "value"], [row("my.token", "abc"), row("user.dir", "/x")]))
            .with("classes", Value::table(["class", "method"], [row("a.TokenReader", "a.B.read")]));
        let shown = serde_json::to_string(&hide(verdict)).unwrap_or_default();
        assert!(!shown.contains("abc"), "{shown}");
        for kept in ["my.token", "/x", "-Xmx1g", "a.B.read", "-Dtoken=***"] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }
}
