//! What the rules say of themselves: a table of all, and a page on one.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::markdown::escape;
use crate::analysis::{Analysis, DefaultValue, Level, Needs, Origin, Rule, RuleInfo, Setting, Unit};

/// The rules as aligned text.
///
/// # Errors
/// Those of `out`.
pub fn text(out: &mut dyn Write, analysis: &Analysis) -> io::Result<()> {
    let infos = sorted(analysis);
    let width = |of: fn(&RuleInfo) -> &str| infos.iter().map(|(i, _)| of(i).chars().count()).max().unwrap_or(0);
    let (id, category) = (width(|i| i.id), width(|i| i.category.name()).max(8));
    writeln!(out, "{:<id$}  {:<category$}  {:<4}  Title", "Rule", "Category", "JMC")?;
    for (info, _) in infos {
        let jmc = if info.origin == Origin::Jmc { "yes" } else { "" };
        writeln!(out, "{:<id$}  {:<category$}  {jmc:<4}  {}", info.id, info.category.name(), info.title)?;
    }
    Ok(())
}

/// The rules as a page of Markdown: `docs/rules.md`.
///
/// # Errors
/// Those of `out`.
pub fn markdown(out: &mut dyn Write, analysis: &Analysis) -> io::Result<()> {
    let infos = sorted(analysis);
    let jmc = infos.iter().filter(|(info, _)| info.origin == Origin::Jmc).count();
    writeln!(out, "# Rules\n")?;
    writeln!(
        out,
        "{} rules, {jmc} of them under the ids of JDK Mission Control. `jfrkit analyze --explain ID` says more of one. \
         This page is written by `jfrkit analyze --list --format markdown`.\n",
        infos.len()
    )?;
    let mut category = None;
    for (info, rule) in infos {
        if category != Some(info.category) {
            let empty = if category.is_some() { "\n" } else { "" };
            category = Some(info.category);
            writeln!(out, "{empty}## {}\n", info.category)?;
            writeln!(out, "| Rule | JMC | What it checks | Settings | Events |\n|:--|:--|:--|:--|:--|")?;
        }
        let jmc = if info.origin == Origin::Jmc { "yes" } else { "" };
        let settings: Vec<String> =
            info.settings.iter().map(|s| format!("`{}` {}", s.key, escape(&default(s)))).collect();
        let events: Vec<String> = rule.needs().events().into_iter().map(escape).collect();
        writeln!(
            out,
            "| **{}**<br>{} | {jmc} | {} | {} | {} |",
            escape(info.id),
            escape(info.title),
            escape(info.description),
            settings.join("<br>"),
            events.join("<br>")
        )?;
    }
    Ok(())
}

/// The rules as JSON: an array of what they say of themselves, with the events that they read.
///
/// # Errors
/// Those of `out`.
pub fn json(out: &mut dyn Write, analysis: &Analysis) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Line {
        #[serde(flatten)]
        info: RuleInfo,
        events: Vec<&'static str>,
    }
    let lines: Vec<Line> =
        sorted(analysis).into_iter().map(|(info, rule)| Line { info, events: rule.needs().events() }).collect();
    serde_json::to_writer(&mut *out, &lines)?;
    writeln!(out)
}

/// By category, then as registered.
fn sorted(analysis: &Analysis) -> Vec<(RuleInfo, &dyn Rule)> {
    let mut rules: Vec<(RuleInfo, &dyn Rule)> = analysis.rules().map(|rule| (rule.info(), rule)).collect();
    rules.sort_by_key(|(info, _)| info.category);
    rules
}

/// All that there is to say of one rule: what it checks and how, its settings, its events and how to switch them on.
#[must_use]
pub fn explain(rule: &dyn Rule) -> String {
    let (info, needs) = (rule.info(), rule.needs());
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut out, &info, &needs);
    out
}

fn write_page(out: &mut String, info: &RuleInfo, needs: &Needs) -> std::fmt::Result {
    let origin = match info.origin {
        Origin::Jmc => "JDK Mission Control has a rule of this id",
        Origin::Own => "beyond the rules of JDK Mission Control",
    };
    writeln!(out, "{} ({})\n{}; {origin}\n", info.title, info.id, info.category)?;
    section(out, "What it checks", info.description)?;
    section(out, "How it decides", info.formula)?;
    section(out, "Unlike JDK Mission Control", info.differences)?;
    if info.settings.is_empty() {
        section(out, "Settings", "None of its own.")?;
    } else {
        writeln!(out, "Settings, with their defaults, as they stand in jfrkit.toml:")?;
        writeln!(out, "  [rules.{}]", toml_key(info.id))?;
        for setting in info.settings {
            let line = format!("{} = \"{}\"", setting.key, default(setting).replace('\\', "\\\\").replace('"', "\\\""));
            writeln!(out, "  {line:<34}  # {}", setting.label)?;
        }
    }
    writeln!(out, "  To switch it off: enabled = false there, or --skip {}\n", info.id)?;
    events(out, needs)
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
            "Only what every recording holds: settings, flags, properties, the JVM's version.",
        );
    }
    writeln!(out, "Events:")?;
    let width = events.iter().map(|e| e.len()).max().unwrap_or(0);
    for event in &events {
        let level = needs.levels.iter().find(|(e, _)| e == event).map(|(_, level)| *level);
        let what = match level {
            Some(Level::Available) => "needed: does not apply without events of it",
            Some(Level::Enabled) => "needed: does not apply where it is switched off",
            None => "looked at where it is there",
        };
        writeln!(out, "  {event:<width$}  {what}")?;
    }
    let of = |prefix: &str| events.iter().filter(|e| e.starts_with(prefix)).copied().collect::<Vec<_>>();
    let jdk = of("jdk.");
    if !jdk.is_empty() {
        let settings: Vec<String> = jdk.iter().map(|event| format!("{event}#enabled=true")).collect();
        writeln!(out, "\nTo record them (JDK 17 and later; before that, edit a copy of lib/jfr/profile.jfc):")?;
        writeln!(out, "  jfr configure --input profile --output rules.jfc \\")?;
        for (i, setting) in settings.iter().enumerate() {
            let end = if i + 1 < settings.len() { " \\" } else { "" };
            writeln!(out, "    {setting}{end}")?;
        }
        writeln!(out, "  java -XX:StartFlightRecording:settings=rules.jfc,filename=recording.jfr …")?;
        for (event, setting, why) in FURTHER.iter().filter(|(event, ..)| jdk.contains(event)) {
            writeln!(out, "  {event}#{setting}: {why}")?;
        }
    }
    for (prefix, writer) in
        [("datadog.", "Datadog's profiler, in its own recordings"), ("profiler.", "async-profiler, with -o jfr")]
    {
        if !of(prefix).is_empty() {
            writeln!(out, "\n{prefix}* events are written by {writer}.")?;
        }
    }
    Ok(())
}

/// Settings of events that decide how much they tell, beside `enabled`.
const FURTHER: &[(&str, &str, &str)] = &[
    (
        "jdk.OldObjectSample",
        "cutoff=10s",
        "finds the way to what holds the objects, too; it stops the program for that",
    ),
    ("jdk.FileRead", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.FileWrite", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.FileForce", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.SocketRead", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.SocketWrite", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.JavaMonitorEnter", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.JavaMonitorWait", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.ThreadPark", "threshold=1ms", "shorter ones are not recorded; 20 ms by default"),
    ("jdk.ExecutionSample", "period=10ms", "time between samples; 20 ms by default"),
    ("jdk.ThreadDump", "period=10s", "time between dumps; one for each chunk or every minute by default"),
    ("jdk.ObjectCount", "period=everyChunk", "counts the objects in the heap; each count is a full collection"),
];

fn toml_key(id: &str) -> String {
    let bare = id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { id.to_owned() } else { format!("\"{id}\"") }
}

/// The default of a setting as it is written in a file.
fn default(setting: &Setting) -> String {
    let number = match setting.default {
        DefaultValue::Text(text) => return text.to_owned(),
        DefaultValue::Number(number) => number,
    };
    match setting.unit {
        Unit::Percent => format!("{number} %"),
        Unit::PerSecond => format!("{number}/s"),
        Unit::PerMinute => format!("{number}/min"),
        Unit::Duration => {
            let (scale, unit) = match number.abs() {
                n if n >= 86_400.0 && n % 86_400.0 == 0.0 => (1.0 / 86_400.0, "d"),
                n if n >= 3_600.0 && n % 3_600.0 == 0.0 => (1.0 / 3_600.0, "h"),
                n if n >= 60.0 && n % 60.0 == 0.0 => (1.0 / 60.0, "min"),
                n if n >= 1.0 || n == 0.0 => (1.0, "s"),
                n if n >= 1e-3 => (1e3, "ms"),
                _ => (1e6, "us"),
            };
            format!("{} {unit}", rounded(number * scale))
        }
        Unit::Bytes => {
            let (scale, unit) = match number.abs() {
                n if n >= 1_073_741_824.0 && n % 1_073_741_824.0 == 0.0 => (1_073_741_824.0, "GiB"),
                n if n >= 1_048_576.0 && n % 1_048_576.0 == 0.0 => (1_048_576.0, "MiB"),
                n if n >= 1_024.0 && n % 1_024.0 == 0.0 => (1_024.0, "KiB"),
                _ => (1.0, "B"),
            };
            format!("{} {unit}", number / scale)
        }
        Unit::Count | Unit::Regex => number.to_string(),
    }
}

/// Without what a factor of ten leaves in binary.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn defaults_are_written_as_they_are_read() {
        for rule in Analysis::builtin().rules() {
            for setting in rule.info().settings {
                if let DefaultValue::Number(number) = setting.default {
                    let read = setting.unit.parse(&default(setting)).unwrap();
                    assert!((read - number).abs() <= number.abs() * 1e-9, "{}: {}", rule.info().id, default(setting));
                }
            }
        }
    }

    #[test]
    fn every_rule_can_be_explained() {
        for rule in Analysis::builtin().rules() {
            let page = explain(rule);
            let info = rule.info();
            for part in [info.id, info.title, "What it checks:", "How it decides:", "Events:"] {
                assert!(page.contains(part), "{part}: {page}");
            }
            assert!(info.settings.iter().all(|s| page.contains(s.key) && page.contains(s.label)), "{page}");
        }
    }
}
