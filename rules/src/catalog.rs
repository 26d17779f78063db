//! The descriptions of the rules: tables of all rules, and a page on one.
//!
//! This file writes the tables of `jfrkit analyze --list` as text and JSON, `page.rs` the page `docs/rules.md`, and
//! `explain.rs` the page of `--explain`. The words about a rule belong in the rule itself, and findings in a recording
//! in `jfrkit-reports`. `examples.json` is generated from recordings; CONTRIBUTING.md says how. Start with
//! [`explain()`].

mod explain;
mod markdown;
mod page;
mod switching;

use std::io::{self, Write};

pub use explain::{explain, explain_profiled};
use jfr_analyzers::rule::{Analysis, DefaultValue, Origin, Rule, RuleInfo, Setting, Unit};
pub use markdown::{escape as escape_markdown, words as markdown_words};
pub use page::markdown;

/// Writes the rules as aligned text: those for recordings, and `profiled` ones, see [`crate::profiled::rules`].
///
/// # Errors
/// Errors of `out`.
pub fn text(out: &mut dyn Write, analysis: &Analysis, profiled: &[RuleInfo]) -> io::Result<()> {
    let infos = sorted(analysis, profiled);
    let width = |of: fn(&RuleInfo) -> &str| infos.iter().map(|(i, _)| of(i).chars().count()).max().unwrap_or(0);
    let (id, category) = (width(|i| &i.id), width(|i| i.category.name()).max(8));
    writeln!(out, "{:<id$}  {:<category$}  {:<4}  {:<5}  Title", "Rule", "Category", "JMC", "pprof")?;
    for (info, rule) in infos {
        let jmc = if info.origin == Origin::Jmc { "yes" } else { "" };
        let pprof = if rule.is_none() { "yes" } else { "" };
        writeln!(out, "{:<id$}  {:<category$}  {jmc:<4}  {pprof:<5}  {}", info.id, info.category.name(), info.title)?;
    }
    Ok(())
}

/// Writes the rules as JSON: an array of their descriptions, with the events that they read, and whether they read
/// pprof profiles instead.
///
/// # Errors
/// Errors of `out`.
pub fn json(out: &mut dyn Write, analysis: &Analysis, profiled: &[RuleInfo]) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Line {
        #[serde(flatten)]
        info: RuleInfo,
        events: Vec<String>,
        pprof: bool,
    }
    let lines: Vec<Line> = sorted(analysis, profiled)
        .into_iter()
        .map(|(info, rule)| Line {
            info,
            events: rule.map(|rule| rule.needs().events().into_iter().map(str::to_owned).collect()).unwrap_or_default(),
            pprof: rule.is_none(),
        })
        .collect();
    serde_json::to_writer(&mut *out, &lines)?;
    writeln!(out)
}

/// Sorted by category, then by registration; those that read pprof profiles come last and have only a description.
fn sorted<'a>(analysis: &'a Analysis, profiled: &[RuleInfo]) -> Vec<(RuleInfo, Option<&'a dyn Rule>)> {
    let mut rules: Vec<(RuleInfo, Option<&dyn Rule>)> =
        analysis.rules().map(|rule| (rule.info(), Some(rule))).collect();
    rules.extend(profiled.iter().map(|info| (info.clone(), None)));
    rules.sort_by_key(|(info, _)| info.category);
    rules
}

/// The default of a setting as written in a file.
fn default(setting: &Setting) -> String {
    let number = match &setting.default {
        DefaultValue::Text(text) => return text.clone().into_owned(),
        DefaultValue::Number(number) => *number,
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

/// Removes the binary rounding errors of a factor of ten.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn defaults_are_written_as_they_are_read() {
        for rule in crate::analysis().rules() {
            for setting in rule.info().settings.iter() {
                if let DefaultValue::Number(number) = setting.default {
                    let read = setting.unit.parse(&default(setting)).unwrap();
                    assert!((read - number).abs() <= number.abs() * 1e-9, "{}: {}", rule.info().id, default(setting));
                }
            }
        }
    }

    #[test]
    fn every_rule_can_be_explained() {
        for rule in crate::analysis().rules() {
            let page = explain(rule);
            let info = rule.info();
            for part in [&info.id, &info.title, "What it checks:", "How it decides:", "Events:"] {
                assert!(page.contains(part), "{part}: {page}");
            }
            assert!(info.settings.iter().all(|s| page.contains(&*s.key) && page.contains(&*s.label)), "{page}");
        }
        for info in crate::profiled::rules() {
            let page = explain_profiled(&info);
            for part in [&info.id, &info.title, "What it checks:", "How it decides:", "reads pprof profiles"] {
                assert!(page.contains(part), "{part}: {page}");
            }
            assert!(!page.contains("jfr configure") && !page.contains("Events:"), "{page}");
        }
    }
}
