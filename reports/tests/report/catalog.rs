//! Checks that the descriptions of rules are complete, and that the docs match them.

use jfr_analyzers::rule::Category;
use jfrkit_rules::catalog;

use jfrkit_reports::{Entry, Format};

use super::{fixtures, root, written};

#[test]
fn the_docs_are_up_to_date() {
    let mut page = Vec::new();
    catalog::markdown(&mut page, &jfrkit_rules::analysis(), &jfrkit_rules::profiled::rules()).unwrap();
    let page = String::from_utf8(page).unwrap();
    if std::env::var_os("JFRKIT_BLESS").is_some() {
        std::fs::write(root().join("docs/rules.md"), &page).unwrap();
    }
    // A checkout on Windows may have other line endings.
    let docs = std::fs::read_to_string(root().join("docs/rules.md")).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        page == docs,
        "docs/rules.md does not match the rules; regenerate it: \
         cargo run -- analyze --list --format markdown -o docs/rules.md"
    );
}

/// The examples in `docs/rules.md`: for each rule, its most expensive finding in our recordings, preferably in one made for
/// it.
#[test]
fn the_examples_are_up_to_date() {
    let folder = root().join("rules/src/catalog/examples.json");
    let mut examples = Vec::new();
    for info in jfrkit_rules::analysis().infos() {
        let found = fixtures().iter().filter_map(|(name, report)| {
            let place = report.findings.iter().position(|finding| finding.id == info.id)?;
            Some((place, name, report.outcome(&info.id)?))
        });
        let Some((_, name, outcome)) = found.min_by_key(|(place, name, _)| (*place, (*name).clone())) else { continue };
        let entries = [Entry::new("x", &fixtures().iter().find(|(known, _)| known == name).unwrap().1)];
        let markdown = written(Format::Markdown, &entries);
        // The evidence as shown in the report.
        let section = markdown.split("\n## ").find(|part| part.contains(&format!("(`{}`", info.id))).unwrap();
        let rows =
            section.lines().skip_while(|line| *line != "|:--|:--|").skip(1).take_while(|line| line.starts_with("| "));
        let evidence: Vec<[String; 2]> = rows
            .filter_map(|row| {
                let (name, value) = row.trim_matches('|').trim().split_once(" | ")?;
                let plain = |text: &str| {
                    text.replace('\\', "")
                        .replace("&lt;", "<")
                        .replace("&gt;", ">")
                        .replace("&amp;", "&")
                        .trim()
                        .to_owned()
                };
                Some([plain(name), plain(value)])
            })
            .take(4)
            .collect();
        examples.push(serde_json::json!({
            "id": info.id, "recording": name, "summary": outcome.verdict.summary, "evidence": evidence,
        }));
    }
    assert!(examples.len() > 40, "{}", examples.len());
    let text = serde_json::to_string_pretty(&examples).unwrap() + "\n";
    if std::env::var_os("JFRKIT_BLESS").is_some() {
        std::fs::write(&folder, &text).unwrap();
    }
    let known = std::fs::read_to_string(&folder).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        text == known,
        "rules/src/catalog/examples.json is not what the rules say of the recordings; run with JFRKIT_BLESS=1"
    );
}

#[test]
fn tables_name_every_rule_once() {
    let analysis = jfrkit_rules::analysis();
    let (mut text, mut json) = (Vec::new(), Vec::new());
    let profiled = jfrkit_rules::profiled::rules();
    catalog::text(&mut text, &analysis, &profiled).unwrap();
    catalog::json(&mut json, &analysis, &profiled).unwrap();
    let text = String::from_utf8(text).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let json = json.as_array().unwrap();
    assert_eq!(text.lines().count(), analysis.infos().len() + profiled.len() + 1);
    assert_eq!(json.len(), analysis.infos().len() + profiled.len());
    for info in analysis.infos().chain(profiled.iter().cloned()) {
        assert_eq!(text.lines().filter(|line| line.starts_with(&format!("{} ", info.id))).count(), 1, "{}", info.id);
        assert_eq!(json.iter().filter(|rule| rule["id"] == *info.id).count(), 1, "{}", info.id);
    }
}

#[test]
fn a_part_of_the_rules() {
    let gc = jfrkit_rules::analysis().retain(|info| info.category == Category::Gc);
    assert!(gc.infos().len() > 10);
    assert!(gc.infos().all(|info| info.category == Category::Gc));
}
