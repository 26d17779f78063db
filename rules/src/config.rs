//! Settings of an analysis in a file, `jfrkit.toml`.
//!
//! ```toml
//! [rules.LongGcPause]
//! info = "500 ms"          # a value with its unit
//!
//! [rules.PID1Rule]
//! enabled = false
//!
//! [[pattern]]              # code that takes more than its share of the samples
//! id = "OurCache"
//! title = "Our cache"
//! methods = ["com.acme.cache", "com.acme.Shop.find*"]
//! cpu = { info = "2 %", warning = "5 %" }
//! allocation = { info = "10 %" }
//! remedy = "Make the keys smaller."
//!
//! [own]                    # your own code, for `jfrkit view own-code`
//! packages = ["com.acme"]
//! ```
//!
//! A pattern becomes a rule like any other, see [`Pattern`](crate::overhead::Pattern); it may also have `wall`,
//! `blocking`, `scope` (`"anywhere"` or `"direct"`, see [`Scope`](jfr_analyzers::events::Scope)), `category` and
//! `explanation`.

mod pattern;

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::overhead::PatternRule;
use crate::profiled;
use jfr_analyzers::rule::{Analysis, AnalysisError, AnalysisOptions, Rule, RuleInfo, Settings};

type Spanned<T> = toml::Spanned<T>;

/// The contents of a settings file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Values of settings, as text with a unit, by rule and key.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// The rules that are disabled.
    pub off: Vec<String>,
    /// The rules of custom patterns.
    pub patterns: Vec<PatternRule>,
    /// Prefixes of the class names of the user's own code.
    pub own: Vec<String>,
}

/// Reads only `[own]` of a settings file: the packages of the user's own code, for callers that run no rules.
///
/// # Errors
/// Invalid TOML, and an invalid `[own]`.
pub fn own_packages(text: &str) -> Result<Vec<String>, ConfigError> {
    let reader = Reader { text };
    let document = DeTable::parse(text)
        .map_err(|error| reader.error(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    match document.get_ref().get("own") {
        Some(own) => reader.own(own),
        None => Ok(Vec::new()),
    }
}

/// What is wrong in a settings file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ConfigError {
    /// The line, counted from 1.
    pub line: usize,
    /// The problem.
    pub message: String,
}

impl Config {
    /// Reads the text of a file, which may name the rules of `analysis` and of [`profiled`].
    ///
    /// # Errors
    /// Invalid TOML, an unknown rule or key, or a value that does not fit the unit of its setting.
    pub fn parse(text: &str, analysis: &Analysis) -> Result<Self, ConfigError> {
        let reader = Reader { text };
        let document = DeTable::parse(text)
            .map_err(|error| reader.error(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
        let mut infos: Vec<RuleInfo> = analysis.infos().chain(profiled::rules()).collect();
        let mut config = Self::default();
        // Patterns first: they become rules that `[rules]` may configure.
        let mut parts: Vec<_> = document.get_ref().iter().collect();
        parts.sort_by_key(|(key, _)| &**key.get_ref() == "rules");
        for (key, value) in parts {
            match (&**key.get_ref(), value.get_ref()) {
                ("rules", DeValue::Table(rules)) => reader.rules("", rules, &infos, &mut config)?,
                ("rules", _) => return Err(reader.at(value, "`rules` must be a table: [rules.ID]")),
                ("pattern", DeValue::Array(patterns)) => {
                    for table in patterns.iter() {
                        let rule = reader.pattern(table)?;
                        let info = rule.info();
                        if infos.iter().any(|known| known.id == info.id) {
                            return Err(reader.at(table, format!("the rule {:?} already exists", info.id)));
                        }
                        infos.push(info);
                        config.patterns.push(rule);
                    }
                }
                ("pattern", _) => return Err(reader.at(value, "patterns must be written as [[pattern]]")),
                ("own", _) => config.own = reader.own(value)?,
                (other, _) => {
                    return Err(
                        reader.at(key, format!("unknown key {other:?}; expected [rules.ID], [[pattern]] or [own]"))
                    );
                }
            }
        }
        Ok(config)
    }

    /// Adds the rules of the patterns.
    ///
    /// # Errors
    /// [`AnalysisError::DuplicateRule`] for a rule that already exists.
    pub fn add_to(&self, analysis: Analysis) -> Result<Analysis, AnalysisError> {
        self.patterns.iter().cloned().try_fold(analysis, Analysis::with_rule)
    }

    /// Adds the settings and the disabled rules to the options. The options win: a rule that they name runs anyway,
    /// and a value that they set stays.
    pub fn apply(&self, options: &mut AnalysisOptions) {
        self.apply_to(options, |id| !profiled::has(id));
    }

    /// Like [`apply`](Self::apply), for [`profiled::evaluate_with`].
    pub fn apply_to_profiled(&self, options: &mut AnalysisOptions) {
        self.apply_to(options, profiled::has);
    }

    fn apply_to(&self, options: &mut AnalysisOptions, of: impl Fn(&str) -> bool) {
        for (rule, values) in self.settings.iter().filter(|(rule, _)| of(rule)) {
            let of_rule = options.settings.entry(rule.clone()).or_default();
            for (key, value) in values {
                of_rule.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        let off = self.off.iter().filter(|id| of(id) && !options.rules.contains(id)).cloned().collect::<Vec<_>>();
        options.skip.extend(off);
    }
}

/// Parses the document and maps errors to lines.
struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn error(&self, offset: usize, message: impl Into<String>) -> ConfigError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        ConfigError { line: before.matches('\n').count() + 1, message: message.into() }
    }

    fn at<T>(&self, place: &Spanned<T>, message: impl Into<String>) -> ConfigError {
        self.error(place.span().start, message)
    }

    /// `[own]`, which has `packages`.
    fn own(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, ConfigError> {
        let wrong = "expected [own] with packages = [\"com.acme\"]";
        let DeValue::Table(table) = value.get_ref() else { return Err(self.at(value, wrong)) };
        let mut packages = Vec::new();
        for (key, value) in table {
            let ("packages", DeValue::Array(list)) = (&**key.get_ref(), value.get_ref()) else {
                return Err(self.at(key, wrong));
            };
            for package in list.iter() {
                let DeValue::String(package) = package.get_ref() else { return Err(self.at(package, wrong)) };
                packages.push(package.to_string());
            }
        }
        Ok(packages)
    }

    /// Tables by rule id. An id with a dot looks like a table inside a table.
    fn rules(
        &self,
        prefix: &str,
        table: &DeTable<'_>,
        infos: &[RuleInfo],
        config: &mut Config,
    ) -> Result<(), ConfigError> {
        for (key, value) in table {
            let id = format!("{prefix}{}", key.get_ref());
            match (infos.iter().find(|info| info.id == id), value.get_ref()) {
                (Some(info), DeValue::Table(values)) => self.rule(info, values, infos, config)?,
                (Some(_), _) => return Err(self.at(key, format!("{id} must be a table: [rules.{id}]"))),
                (None, DeValue::Table(inner)) if infos.iter().any(|i| i.id.starts_with(&format!("{id}."))) => {
                    self.rules(&format!("{id}."), inner, infos, config)?;
                }
                (None, _) => {
                    let message = format!("there is no rule {id:?}; `jfrkit analyze --list` lists all rules");
                    return Err(self.at(key, message));
                }
            }
        }
        Ok(())
    }

    fn rule(
        &self,
        info: &RuleInfo,
        values: &DeTable<'_>,
        infos: &[RuleInfo],
        config: &mut Config,
    ) -> Result<(), ConfigError> {
        for (key, value) in values {
            let name = key.get_ref();
            match (&**name, value.get_ref()) {
                ("enabled", DeValue::Boolean(true)) => {}
                ("enabled", DeValue::Boolean(false)) => config.off.push(info.id.clone().into_owned()),
                ("enabled", _) => return Err(self.at(value, "enabled must be true or false")),
                (_, DeValue::Table(inner)) if infos.iter().any(|i| i.id == format!("{}.{name}", info.id)) => {
                    let id = format!("{}.{name}", info.id);
                    if let Some(of) = infos.iter().find(|i| i.id == id) {
                        self.rule(of, inner, infos, config)?;
                    }
                }
                _ => {
                    let text = self.scalar(value)?;
                    let alone = BTreeMap::from([(name.to_string(), text.clone())]);
                    if let Err(error) = Settings::with(&info.id, &info.settings, &alone) {
                        let wrong_key = !info.settings.iter().any(|s| s.key == **name);
                        let message = error.to_string();
                        return Err(if wrong_key { self.at(key, message) } else { self.at(value, message) });
                    }
                    config.settings.entry(info.id.clone().into_owned()).or_default().insert(name.to_string(), text);
                }
            }
        }
        Ok(())
    }

    /// A string, or a number without a unit.
    fn scalar(&self, value: &Spanned<DeValue<'_>>) -> Result<String, ConfigError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            other => Err(self.at(
                value,
                format!("this is a {}; expected text with a unit such as \"250 ms\", or a number", other.type_str()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, &crate::analysis())
    }

    #[test]
    fn settings_of_rules() {
        let config = parse(
            "[rules.LongGcPause]\ninfo = \"500 ms\"\n[rules.FileRead]\nwarning = \"2.5 s\"\nenabled = true\n\
             [rules.Allocations.class]\nenabled = false\n[rules.\"Allocations.thread\"]\nenabled = false\n",
        )
        .unwrap();
        assert_eq!(config.settings["LongGcPause"]["info"], "500 ms");
        assert_eq!(config.settings["FileRead"]["warning"], "2.5 s");
        let mut off = config.off.clone();
        off.sort();
        assert_eq!(off, ["Allocations.class", "Allocations.thread"]);

        let mut options = AnalysisOptions::default();
        options.rules = vec!["Allocations.class".into()];
        config.apply(&mut options);
        assert_eq!(options.skip, ["Allocations.thread"]);
        assert_eq!(options.settings["LongGcPause"]["info"], "500 ms");
    }

    #[test]
    fn errors_name_the_line() {
        for (text, line, part) in [
            ("[rules.LongGcPause]\n\ninfo = \"500 MiB\"\n", 3, "give a time with its unit"),
            ("[rules.LongGcPause]\ninfos = \"1 s\"\n", 2, "no setting \"infos\""),
            ("[rules.LongGcPause]\ninfo = true\n", 2, "this is a boolean"),
            ("[rules.LongGcPause]\nenabled = \"no\"\n", 2, "true or false"),
            ("\n[rules.LongGCPause]\ninfo = \"1 s\"\n", 2, "there is no rule \"LongGCPause\""),
            ("[rules.Allocations.classes]\nenabled = false\n", 1, "Allocations.classes"),
            ("[rule.LongGcPause]\n", 1, "unknown key \"rule\""),
            ("[rules]\nLongGcPause = 1\n", 2, "must be a table"),
            ("[rules.LongGcPause\n", 1, ""),
            ("x = 1\ny = = 2\n", 2, ""),
            (
                "[[pattern]]\nid = \"LongGcPause\"\nmethods = [\"a\"]\ncpu = { info = \"2 %\", warning = \"5 %\" }\n",
                1,
                "already",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }
}
