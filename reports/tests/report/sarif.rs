//! Validates SARIF 2.1.0. The requirements of the standard (OASIS, SARIF 2.1.0, section 3) for the objects that we write are
//! always checked. The license of the JSON schema is too unclear to keep a copy here, so the schema is only used where it is
//! installed: the file in `JFRKIT_SARIF_SCHEMA`, or the one in the sources of the crate `serde-sarif`, if Cargo has them.

use std::path::{Path, PathBuf};

use jfrkit_reports::{Entry, Format, Style};
use serde_json::Value as Json;

use super::{all_entries, hostile_entries, write, written};
use jfr_analyzers::rule::Severity;

fn parsed(entries: &[Entry<'_>]) -> Json {
    serde_json::from_str(&written(Format::Sarif, entries)).unwrap()
}

/// Checks that an object has these members and no others; those that begin with `!` are required.
fn members<'j>(object: &'j Json, known: &[&str]) -> &'j Json {
    let map = object.as_object().unwrap_or_else(|| panic!("expected an object: {object}"));
    for key in map.keys() {
        assert!(known.iter().any(|k| k.trim_start_matches('!') == key), "{key} in {object}");
    }
    for key in known.iter().filter_map(|k| k.strip_prefix('!')) {
        assert!(map.contains_key(key), "no {key} in {object}");
    }
    object
}

fn list(value: &Json) -> &[Json] {
    value.as_array().unwrap_or_else(|| panic!("expected a list: {value}"))
}

fn text(message: &Json) -> &str {
    let text = members(message, &["!text"])["text"].as_str().unwrap();
    assert!(!text.is_empty());
    text
}

/// Sections 3.13, 3.14, and those they refer to.
fn check(log: &Json) {
    members(log, &["$schema", "!version", "!runs"]);
    assert_eq!(log["version"], "2.1.0");
    for run in list(&log["runs"]) {
        members(
            run,
            &["!tool", "automationDetails", "artifacts", "invocations", "!results", "columnKind", "properties"],
        );
        let driver =
            members(&members(&run["tool"], &["!driver"])["driver"], &["!name", "version", "semanticVersion", "rules"]);
        let rules = list(&driver["rules"]);
        for rule in rules {
            members(
                rule,
                &["!id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"],
            );
            text(&rule["shortDescription"]);
            text(&rule["fullDescription"]);
            text(&rule["help"]);
        }
        let ids: std::collections::BTreeSet<&str> = rules.iter().map(|r| r["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rules.len(), "3.19.23: no two rules are the same");
        for invocation in list(&run["invocations"]) {
            members(invocation, &["!executionSuccessful", "toolExecutionNotifications"]);
            assert!(invocation["executionSuccessful"].is_boolean());
            for notification in list(&invocation["toolExecutionNotifications"]) {
                text(&members(notification, &["!message", "level"])["message"]);
            }
        }
        let artifacts = list(&run["artifacts"]);
        let results = list(&run["results"]);
        results.iter().for_each(|result| check_result(result, rules, artifacts));
    }
}

/// Section 3.27.
fn check_result(result: &Json, rules: &[Json], artifacts: &[Json]) {
    members(
        result,
        &["!message", "ruleId", "ruleIndex", "kind", "level", "locations", "partialFingerprints", "rank", "properties"],
    );
    text(&result["message"]);
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[index]["id"], result["ruleId"], "3.27.6: the index is that of the rule");
    let level = result["level"].as_str().unwrap();
    match result["kind"].as_str().unwrap() {
        "fail" => assert!(["warning", "note"].contains(&level), "{level}"),
        "pass" | "notApplicable" => assert_eq!(level, "none", "3.27.9: no level but for a failure"),
        other => panic!("kind {other}"),
    }
    if let Some(rank) = result.get("rank") {
        assert!((0.0..=100.0).contains(&rank.as_f64().unwrap()), "3.27.25");
    }
    for location in list(&result["locations"]) {
        members(location, &["physicalLocation", "logicalLocations"]);
        let physical = members(&location["physicalLocation"], &["artifactLocation", "region"]);
        let uri = &physical["artifactLocation"]["uri"];
        let index = usize::try_from(physical["artifactLocation"]["index"].as_u64().unwrap()).unwrap();
        assert_eq!(&artifacts[index]["location"]["uri"], uri, "3.4.5");
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/%".contains(c);
        assert!(uri.as_str().unwrap().chars().all(allowed), "RFC 3986: {uri}");
        assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1, "3.30.5");
    }
}

#[test]
fn reports_follow_the_standard() {
    check(&parsed(&all_entries()));
    check(&parsed(&hostile_entries()));
    let mut all = Style::default();
    all.least = Severity::NotApplicable;
    check(&serde_json::from_str(&write(Format::Sarif, &all_entries(), &all)).unwrap());
}

#[test]
fn a_result_for_each_finding() {
    for entry in all_entries() {
        let log = parsed(&[entry]);
        let results = list(&log["runs"][0]["results"]);
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], entry.result.is_ok());
        let findings = entry.result.map_or(0, |report| report.worst_first(Severity::Info).len());
        assert_eq!(results.len(), findings, "{}", entry.name);
        // For a server, equal findings have equal fingerprints, and different findings do not.
        let prints: std::collections::BTreeSet<String> =
            results.iter().map(|r| r["partialFingerprints"].to_string()).collect();
        assert_eq!(prints.len(), results.len());
    }
}

fn schema() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("JFRKIT_SARIF_SCHEMA") {
        return Some(path.into());
    }
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    let sources = std::fs::read_dir(home.join("registry/src")).ok()?.flatten();
    let crates = sources.filter_map(|registry| std::fs::read_dir(registry.path()).ok()).flat_map(Iterator::flatten);
    let of_sarif = crates.filter(|krate| krate.file_name().to_string_lossy().starts_with("serde-sarif-"));
    of_sarif.map(|krate| krate.path().join("src/schema.json")).find(|path| path.is_file())
}

#[test]
fn reports_are_as_the_schema_says() {
    let Some(path) = schema() else {
        eprintln!("skipped: the schema of SARIF 2.1.0 is not here; JFRKIT_SARIF_SCHEMA can name it");
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let mut schema: Json = serde_json::from_str(&text).unwrap();
    // Remove the JavaScript regular expression; nothing that we write contains a language.
    for definition in schema["definitions"].as_object_mut().unwrap().values_mut() {
        if let Some(language) = definition.pointer_mut("/properties/language").and_then(Json::as_object_mut) {
            language.remove("pattern");
        }
    }
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for log in [parsed(&all_entries()), parsed(&hostile_entries())] {
        let errors: Vec<String> =
            schema.iter_errors(&log).map(|e| format!("{}: {e:.300}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut bad = log.clone();
        bad["runs"][0]["results"] = serde_json::json!([{ "kind": "fail" }]);
        assert!(!schema.is_valid(&bad), "a result needs a message");
    }
}
