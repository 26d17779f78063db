//! All rules as a Markdown page: `docs/rules.md`.

use std::io::{self, Write};

use super::markdown::{code, escape, words};
use super::{default, sorted};
use jfr_analyzers::events::Needs;
use jfr_analyzers::rule::{Analysis, JmcComparison, Origin, Rule, RuleInfo};

/// Writes the rules as a Markdown page: a table per category, followed by the full description of each rule.
///
/// # Errors
/// Errors of `out`.
pub fn markdown(out: &mut dyn Write, analysis: &Analysis, profiled: &[RuleInfo]) -> io::Result<()> {
    let rules = sorted(analysis, profiled);
    let jmc = rules.iter().filter(|(info, _)| info.origin == Origin::Jmc).count();
    let pprof = rules.iter().filter(|(_, rule)| rule.is_none()).count();
    writeln!(out, "# Rules\n")?;
    writeln!(
        out,
        "{} rules; {jmc} of them have the id of a rule in JDK Mission Control, and {pprof} read pprof profiles of Python, \
         Go and Node.js instead of recordings. `jfrkit analyze --explain ID` describes \
         one rule and how to enable the events that it needs. This page is generated from the rules by `cargo run -- \
         analyze --list --format markdown -o docs/rules.md`.\n",
        rules.len()
    )?;
    writeln!(
        out,
        "A rule computes a score from 0 to 100. At 25 or more, the finding is worth a look (severity `info`); at 75 or \
         more, it is a warning, something to act on. \"How it decides\" gives the values at which a rule reaches these \
         scores; names in code style are settings. The examples are findings in the recordings of `fixtures/` or, \
         where none of these triggers the rule, in the synthetic data of the rule's tests.\n"
    )?;
    for of_category in rules.chunk_by(|(a, _), (b, _)| a.category == b.category) {
        let Some((first, _)) = of_category.first() else { continue };
        writeln!(out, "## {}\n", first.category)?;
        writeln!(out, "| Rule | JMC | pprof | What it checks |\n|:--|:--|:--|:--|")?;
        for (info, rule) in of_category {
            let jmc = if info.origin == Origin::Jmc { "yes" } else { "" };
            let pprof = if rule.is_none() { "yes" } else { "" };
            let (anchor, id) = (anchor(&info.id), escape(&info.id));
            writeln!(out, "| [{id}](#{anchor}) | {jmc} | {pprof} | {} |", words(&info.description))?;
        }
        for (info, rule) in of_category {
            writeln!(out)?;
            section(out, info, *rule)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn section(out: &mut dyn Write, info: &RuleInfo, rule: Option<&dyn Rule>) -> io::Result<()> {
    writeln!(out, "### {}\n", escape(&info.id))?;
    writeln!(out, "**{}**", escape(&info.title))?;
    part(out, "What it checks", &words(&info.description))?;
    part(out, "Why it matters", &words(&info.why))?;
    if let Some(example) = Example::of(&info.id) {
        let summary = escape(&example.summary);
        writeln!(out, "\n#### Example\n\n> {summary}")?;
        for (name, value) in &example.evidence {
            writeln!(out, "> - {}: {}", escape(name), escape(value))?;
        }
        match example.recording {
            Some(recording) => writeln!(out, "\nFound in `{recording}`.")?,
            None if rule.is_none() => writeln!(out, "\nFrom a synthetic profile.")?,
            None => writeln!(out, "\nFrom a synthetic recording.")?,
        }
    }
    part(out, "What to do", &words(&info.remedy))?;
    part(out, "How it decides", &words(&info.formula))?;
    match &info.jmc {
        Some(JmcComparison::Same(text)) => writeln!(out, "\nAs in JDK Mission Control: {}", words(text))?,
        Some(JmcComparison::Differs(text)) => writeln!(out, "\nUnlike JDK Mission Control: {}", words(text))?,
        None => {}
    }
    if info.settings.is_empty() {
        part(out, "Settings", "None.")?;
    } else {
        writeln!(out, "\n#### Settings\n\n| Setting | Default | |\n|:--|:--|:--|")?;
        for setting in &*info.settings {
            writeln!(out, "| `{}` | {} | {} |", setting.key, code(&default(setting)), words(&setting.label))?;
        }
    }
    let needs = rule.map(Rule::needs);
    let events = needs.as_ref().map(Needs::events).unwrap_or_default();
    writeln!(out, "\n#### References\n")?;
    if rule.is_none() {
        writeln!(out, "- Input: pprof profiles of Python, Go and Node.js")?;
        return writeln!(out, "- In a terminal: `jfrkit analyze --explain {}`", info.id);
    }
    if !events.is_empty() {
        let events: Vec<String> = events.into_iter().map(code).collect();
        writeln!(out, "- Events: {}", events.join(", "))?;
    }
    if info.origin == Origin::Jmc {
        writeln!(out, "- JDK Mission Control: rule {}", code(&info.id))?;
    }
    writeln!(out, "- How to record what it needs: `jfrkit analyze --explain {}`", info.id)
}

fn part(out: &mut dyn Write, title: &str, text: &str) -> io::Result<()> {
    if text.is_empty() { Ok(()) } else { writeln!(out, "\n#### {title}\n\n{text}") }
}

/// What the rule says about one of the recordings of this repository, or about the synthetic recording of a test.
#[derive(serde::Deserialize)]
struct Example {
    id: String,
    /// `None` for a synthetic one.
    recording: Option<String>,
    summary: String,
    /// The first single values of its evidence, as shown.
    evidence: Vec<(String, String)>,
}

impl Example {
    /// Generated from the recordings and from the snapshots of the rules by a test of the reports,
    /// `the_examples_are_up_to_date`.
    fn of(id: &str) -> Option<Self> {
        let all: Vec<Self> = serde_json::from_str(include_str!("examples.json")).ok()?;
        all.into_iter().find(|example| example.id == id)
    }
}

/// The anchor of a heading, as GitHub generates it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
