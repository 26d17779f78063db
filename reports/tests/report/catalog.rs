//! Checks that the descriptions of rules are complete, and that the docs match them.

use jfr_analyzers::rule::Category;
use jfrkit_rules::catalog;

use jfrkit_reports::{Entry, Format};

use super::verdicts::alone;
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

/// The headings of each rule in `docs/rules.md`, in this order.
const HEADINGS: [&str; 7] =
    ["What it checks", "Why it matters", "Example", "What to do", "How it decides", "Settings", "References"];

#[test]
fn each_rule_in_the_docs_has_the_same_headings() {
    let mut page = Vec::new();
    catalog::markdown(&mut page, &jfrkit_rules::analysis(), &jfrkit_rules::profiled::rules()).unwrap();
    let page = String::from_utf8(page).unwrap();
    let mut rules = 0;
    for section in page.split("\n### ").skip(1) {
        let section = section.split("\n## ").next().unwrap();
        let headings: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("#### ")).collect();
        assert_eq!(headings, HEADINGS, "{}", section.lines().next().unwrap());
        rules += 1;
    }
    assert_eq!(rules, jfrkit_rules::analysis().infos().len() + jfrkit_rules::profiled::rules().len());
}

/// The example of a rule that finds nothing in our recordings: the snapshot of its tests with the highest score. The
/// snapshots are those of `rules/src/verdict_snapshots.rs`: severity and summary, then lines with a name and a value.
fn synthetic(id: &str) -> serde_json::Value {
    let mut texts: Vec<String> = std::fs::read_dir(root().join("rules/src/snapshots"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{id}.")))
        .map(|path| std::fs::read_to_string(path).unwrap().replace("\r\n", "\n"))
        .filter(|text| text.contains(&format!(" {id}\n")))
        .collect();
    texts.sort();
    let score = |text: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix("score: "));
        line.map_or(0.0, |score| score.parse().unwrap())
    };
    let is_finding = |text: &str| !text.contains(&format!("\nOK {id}\n"));
    let best = texts.iter().rev().max_by(|a, b| is_finding(a).cmp(&is_finding(b)).then(score(a).total_cmp(&score(b))));
    let best = best.unwrap_or_else(|| panic!("{id} finds nothing in any fixture, and has no snapshot"));
    let mut lines = best.lines().skip_while(|line| !line.ends_with(&format!(" {id}"))).skip(1);
    let summary = lines.next().unwrap();
    let about = ["score", "JMC", "cost", "why", "what to do"];
    let evidence: Vec<[&str; 2]> = lines
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_once(": ").map(|(name, value)| [name, value]))
        // The times of synthetic events mean nothing.
        .filter(|[name, value]| !about.contains(name) && !value.is_empty() && !value.contains("1970-01-01T"))
        .take(4)
        .collect();
    serde_json::json!({ "id": id, "recording": null, "summary": summary, "evidence": evidence })
}

/// The examples in `docs/rules.md`: for each rule, its most expensive finding in our recordings, preferably in one made for
/// it; if there is none, what it says about the synthetic recording of a test.
#[test]
fn the_examples_are_up_to_date() {
    let folder = root().join("rules/src/catalog/examples.json");
    let mut examples = Vec::new();
    for info in jfrkit_rules::analysis().infos() {
        let found = fixtures().iter().filter_map(|(name, report)| {
            let outcome = report.outcome(&info.id).filter(|outcome| outcome.verdict.is_finding())?;
            // One that is part of another finding comes last.
            let place = report.findings.iter().position(|finding| finding.id == info.id);
            Some((place.unwrap_or(usize::MAX), name, report, outcome))
        });
        let Some((_, name, report, outcome)) =
            found.min_by_key(|(place, name, ..)| (*place, name.contains("/metrics/"), (*name).clone()))
        else {
            examples.push(synthetic(&info.id));
            continue;
        };
        let (report, _) = alone(report, outcome);
        let entries = [Entry::new("x", &report)];
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
    examples.extend(jfrkit_rules::profiled::rules().iter().map(|info| synthetic(&info.id)));
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
