//! What the rules say of themselves, and that the docs say the same.

use jfr_analyzers::rule::Category;
use jfrkit_rules::catalog;

use super::root;

#[test]
fn the_docs_are_up_to_date() {
    let mut page = Vec::new();
    catalog::markdown(&mut page, &jfrkit_rules::analysis()).unwrap();
    let page = String::from_utf8(page).unwrap();
    // A checkout on Windows may have other ends of lines.
    let docs = std::fs::read_to_string(root().join("docs/rules.md")).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        page == docs,
        "docs/rules.md is not what the rules say; write it anew: \
         cargo run -- analyze --list --format markdown -o docs/rules.md"
    );
}

#[test]
fn tables_name_every_rule_once() {
    let analysis = jfrkit_rules::analysis();
    let (mut text, mut json) = (Vec::new(), Vec::new());
    catalog::text(&mut text, &analysis).unwrap();
    catalog::json(&mut json, &analysis).unwrap();
    let text = String::from_utf8(text).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let json = json.as_array().unwrap();
    assert_eq!(text.lines().count(), analysis.infos().len() + 1);
    assert_eq!(json.len(), analysis.infos().len());
    for info in analysis.infos() {
        assert_eq!(text.lines().filter(|line| line.starts_with(&format!("{} ", info.id))).count(), 1, "{}", info.id);
        assert_eq!(json.iter().filter(|rule| rule["id"] == info.id).count(), 1, "{}", info.id);
    }
}

#[test]
fn a_part_of_the_rules() {
    let gc = jfrkit_rules::analysis().retain(|info| info.category == Category::Gc);
    assert!(gc.infos().len() > 10);
    assert!(gc.infos().all(|info| info.category == Category::Gc));
}
