//! Patterns of the user's own: code that should not take more than its share.

use toml::de::DeValue;

use super::{ConfigError, Reader, Spanned};
use crate::analysis::Unit;

/// Methods that should not take more than a share of the samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pattern {
    /// The id of the rule that it becomes.
    pub id: String,
    /// Its name for people; the id if none is given.
    pub title: String,
    /// Beginnings of `package.Class.method`. A sample counts if any of its frames begins with one of them.
    pub frames: Vec<String>,
    /// What to do about it.
    pub remedy: String,
    /// Shares of the samples of the CPU.
    pub cpu: Option<Thresholds>,
    /// Shares of the bytes allocated.
    pub allocation: Option<Thresholds>,
    /// Shares of the samples by wall clock.
    pub wall: Option<Thresholds>,
    /// Shares of the time that threads were blocked.
    pub blocking: Option<Thresholds>,
}

/// Shares, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Worth a look.
    pub info: f64,
    /// To be acted on.
    pub warning: f64,
}

const KEYS: &str = "id, title, frames, remedy, cpu, allocation, wall, blocking";

impl Reader<'_> {
    pub(super) fn pattern(&self, value: &Spanned<DeValue<'_>>) -> Result<Pattern, ConfigError> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.at(value, "patterns are tables of a list: [[pattern]]"));
        };
        let mut pattern = Pattern::default();
        for (key, value) in table {
            match &**key.get_ref() {
                "id" => pattern.id = self.text(value)?,
                "title" => pattern.title = self.text(value)?,
                "remedy" => pattern.remedy = self.text(value)?,
                "frames" => {
                    let DeValue::Array(frames) = value.get_ref() else {
                        return Err(self.at(value, "frames are a list of texts: [\"com.acme.cache.\"]"));
                    };
                    pattern.frames = frames.iter().map(|frame| self.text(frame)).collect::<Result<_, _>>()?;
                }
                "cpu" => pattern.cpu = Some(self.thresholds(value)?),
                "allocation" => pattern.allocation = Some(self.thresholds(value)?),
                "wall" => pattern.wall = Some(self.thresholds(value)?),
                "blocking" => pattern.blocking = Some(self.thresholds(value)?),
                other => return Err(self.at(key, format!("a pattern has no key {other:?}; it has: {KEYS}"))),
            }
        }
        if pattern.id.is_empty() {
            return Err(self.at(value, "a pattern needs an id"));
        }
        if pattern.frames.is_empty() || pattern.frames.iter().any(String::is_empty) {
            return Err(self.at(value, "a pattern needs frames: beginnings of package.Class.method"));
        }
        if [pattern.cpu, pattern.allocation, pattern.wall, pattern.blocking].iter().all(Option::is_none) {
            return Err(self.at(value, "a pattern needs shares: cpu = { info = \"2 %\", warning = \"5 %\" }"));
        }
        if pattern.title.is_empty() {
            pattern.title.clone_from(&pattern.id);
        }
        Ok(pattern)
    }

    fn text(&self, value: &Spanned<DeValue<'_>>) -> Result<String, ConfigError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            other => Err(self.at(value, format!("this is a {}, it has to be a text", other.type_str()))),
        }
    }

    fn thresholds(&self, value: &Spanned<DeValue<'_>>) -> Result<Thresholds, ConfigError> {
        let form = "shares look like this: { info = \"2 %\", warning = \"5 %\" }";
        let DeValue::Table(table) = value.get_ref() else { return Err(self.at(value, form)) };
        let (mut info, mut warning) = (None, None);
        for (key, value) in table {
            let place = match &**key.get_ref() {
                "info" => &mut info,
                "warning" => &mut warning,
                other => return Err(self.at(key, format!("no such key {other:?}; {form}"))),
            };
            let share = Unit::Percent.parse(&self.scalar(value)?).filter(|share| (0.0..=100.0).contains(share));
            *place = Some(share.ok_or_else(|| self.at(value, form))?);
        }
        match (info, warning) {
            (Some(info), Some(warning)) if info <= warning => Ok(Thresholds { info, warning }),
            (Some(_), Some(_)) => Err(self.at(value, "info has to be at most warning")),
            _ => Err(self.at(value, form)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::analysis::Analysis;
    use crate::config::Config;

    #[test]
    fn patterns_are_read() {
        let text = "[[pattern]]\nid = \"OurCache\"\nframes = [\"com.acme.cache.\", \"com.acme.Cache.get\"]\n\
                    cpu = { info = \"2 %\", warning = 5 }\n[[pattern]]\nid = \"X\"\ntitle = \"The x\"\n\
                    remedy = \"Less\"\nframes = [\"x.\"]\nblocking.info = 1\nblocking.warning = 2\n";
        let config = Config::parse(text, &Analysis::builtin()).unwrap();
        let [cache, x] = config.patterns.as_slice() else { unreachable!("{config:?}") };
        assert_eq!((&*cache.title, cache.cpu), ("OurCache", Some(Thresholds { info: 2.0, warning: 5.0 })));
        assert_eq!(cache.frames, ["com.acme.cache.", "com.acme.Cache.get"]);
        assert_eq!((&*x.title, &*x.remedy, x.cpu), ("The x", "Less", None));
        assert_eq!(x.blocking, Some(Thresholds { info: 1.0, warning: 2.0 }));
    }

    #[test]
    fn wrong_patterns_name_their_line() {
        let head = "[[pattern]]\nid = \"A\"\nframes = [\"a.\"]\n";
        for (text, line, part) in [
            (head.to_owned(), 1, "needs shares"),
            (format!("{head}cpu = {{ info = \"5 %\", warning = \"2 %\" }}\n"), 4, "at most"),
            (format!("{head}cpu = {{ info = \"5 ms\", warning = \"2 %\" }}\n"), 4, "look like this"),
            (format!("{head}cpu = {{ info = 1 }}\n"), 4, "look like this"),
            (format!("{head}gpu = {{ info = 1 }}\n"), 4, "no key \"gpu\""),
            ("[[pattern]]\nid = \"A\"\nframes = \"a.\"\n".to_owned(), 3, "list of texts"),
            ("[[pattern]]\nframes = [\"a.\"]\n".to_owned(), 1, "needs an id"),
            ("[[pattern]]\nid = 1\n".to_owned(), 2, "has to be a text"),
        ] {
            let error = Config::parse(&text, &Analysis::builtin()).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }
}
