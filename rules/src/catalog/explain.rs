//! A page on one rule, for a terminal.

use std::fmt::Write;

use super::{default, switching};
use jfr_analyzers::events::{Level, Needs};
use jfr_analyzers::rule::{JmcComparison, Origin, Rule, RuleInfo};

/// The full description of a rule: what it checks and how, its settings, its events and how to enable them.
#[must_use]
pub fn explain(rule: &dyn Rule) -> String {
    let (info, needs) = (rule.info(), rule.needs());
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut out, &info, Some(&needs));
    out
}

/// Like [`explain`], for one of [`crate::profiled::rules`], which reads no events.
#[must_use]
pub fn explain_profiled(info: &RuleInfo) -> String {
    let mut out = String::new();
    let _ = write_page(&mut out, info, None);
    out
}

fn write_page(out: &mut String, info: &RuleInfo, needs: Option<&Needs>) -> std::fmt::Result {
    let origin = match info.origin {
        Origin::Jmc => "JDK Mission Control has a rule with this id",
        Origin::Own => "not a rule of JDK Mission Control",
    };
    writeln!(out, "{} ({})\n{}; {origin}\n", info.title, info.id, info.category)?;
    section(out, "What it checks", &info.description)?;
    section(out, "Why it matters", &info.why)?;
    section(out, "What to do", &info.remedy)?;
    section(out, "How it decides", &info.formula)?;
    match &info.jmc {
        Some(JmcComparison::Same(text)) => section(out, "As in JDK Mission Control", text)?,
        Some(JmcComparison::Differs(text)) => section(out, "Unlike JDK Mission Control", text)?,
        None => {}
    }
    if info.settings.is_empty() {
        section(out, "Settings", "None.")?;
    } else {
        writeln!(out, "Settings in jfrkit.toml, with their defaults:")?;
        writeln!(out, "  [rules.{}]", toml_key(&info.id))?;
        for setting in &*info.settings {
            let line = format!("{} = \"{}\"", setting.key, default(setting).replace('\\', "\\\\").replace('"', "\\\""));
            writeln!(out, "  {line:<34}  # {}", setting.label)?;
        }
    }
    let key = toml_key(&info.id);
    writeln!(
        out,
        "  To disable the rule: enabled = false under [rules.{key}] in jfrkit.toml, or --skip {}\n",
        info.id
    )?;
    match needs {
        Some(needs) => events(out, needs),
        None => section(out, "Input", "The rule reads pprof profiles of Python, Go and Node.js instead of recordings."),
    }
}

fn section(out: &mut String, title: &str, text: &str) -> std::fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title}:")?;
    for line in wrapped(text, 96) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)
}

fn events(out: &mut String, needs: &Needs) -> std::fmt::Result {
    let events = needs.events();
    if events.is_empty() {
        return section(
            out,
            "Events",
            "Only what every recording contains: settings, flags, properties, the version of the JVM.",
        );
    }
    writeln!(out, "Events:")?;
    let width = events.iter().map(|e| e.len()).max().unwrap_or(0);
    for event in &events {
        let level = needs.level_of(event);
        let what = match level {
            Some(Level::Available) => "required: the rule does not apply without these events",
            Some(Level::Enabled) => "required: the rule does not apply if the event is disabled",
            None => "used if present",
        };
        let off = if switching::is_off(event) { "; disabled by default" } else { "" };
        writeln!(out, "  {event:<width$}  {what}{off}")?;
    }
    switching::jdk(out, &events)?;
    switching::others(out, &events)
}

fn toml_key(id: &str) -> String {
    let bare = id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { id.to_owned() } else { format!("\"{id}\"") }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
