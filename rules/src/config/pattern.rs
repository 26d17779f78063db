//! Custom patterns: code that should not take more than its share.

use toml::de::DeValue;

use super::{ConfigError, Reader, Spanned};
use crate::overhead::{Pattern, PatternRule, Resource, Thresholds};
use jfr_analyzers::events::Scope;
use jfr_analyzers::rule::{Category, Unit};

const KEYS: &str = "id, title, methods, scope, category, explanation, remedy, cpu, allocation, wall, blocking";

impl Reader<'_> {
    /// The rule that a `[[pattern]]` table describes.
    pub(super) fn pattern(&self, value: &Spanned<DeValue<'_>>) -> Result<PatternRule, ConfigError> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.at(value, "patterns must be written as [[pattern]]"));
        };
        let get = |key: &str| table.iter().find(|(k, _)| &**k.get_ref() == key).map(|(_, value)| value);
        let id = get("id").map(|id| self.text(id)).transpose()?.unwrap_or_default();
        let title = get("title").map(|title| self.text(title)).transpose()?.unwrap_or_else(|| id.clone());
        let mut pattern = Pattern::new(id, title, self.methods(value, get("methods"))?)
            .map_err(|error| self.at(get("methods").unwrap_or(value), error.to_string()))?;
        for (key, value) in table {
            pattern = match &**key.get_ref() {
                "id" | "title" | "methods" => pattern,
                "explanation" => pattern.explain(self.text(value)?),
                "remedy" => pattern.remedy(self.text(value)?),
                "scope" => pattern.scope(match &*self.text(value)? {
                    "anywhere" => Scope::Anywhere,
                    "direct" => Scope::Direct,
                    _ => return Err(self.at(value, "scope must be \"anywhere\" or \"direct\"")),
                }),
                "category" => {
                    let names = Category::ALL.map(Category::name).join(", ");
                    let category = Category::from_name(&self.text(value)?);
                    pattern.category(
                        category.ok_or_else(|| self.at(value, format!("unknown category; expected one of {names}")))?,
                    )
                }
                other => match Resource::ALL.into_iter().find(|resource| resource.name() == other) {
                    Some(resource) => pattern.limit(resource, self.thresholds(value)?),
                    None => return Err(self.at(key, format!("a pattern has no key {other:?}; expected one of {KEYS}"))),
                },
            };
        }
        PatternRule::new(pattern).map_err(|error| self.at(get("id").unwrap_or(value), error.to_string()))
    }

    fn methods(
        &self,
        pattern: &Spanned<DeValue<'_>>,
        value: Option<&Spanned<DeValue<'_>>>,
    ) -> Result<Vec<String>, ConfigError> {
        let form = "methods must be a list of packages, classes and methods: [\"com.acme.cache\", \
                    \"com.acme.Shop.find*\"]";
        match value.map(Spanned::get_ref) {
            None => Err(self.at(pattern, format!("a pattern needs methods; {form}"))),
            Some(DeValue::Array(methods)) => methods.iter().map(|method| self.text(method)).collect(),
            Some(_) => Err(self.at(value.unwrap_or(pattern), form)),
        }
    }

    fn text(&self, value: &Spanned<DeValue<'_>>) -> Result<String, ConfigError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            other => Err(self.at(value, format!("this is a {}; expected text", other.type_str()))),
        }
    }

    fn thresholds(&self, value: &Spanned<DeValue<'_>>) -> Result<Thresholds, ConfigError> {
        let form = "expected shares like { info = \"2 %\", warning = \"5 %\" }";
        let DeValue::Table(table) = value.get_ref() else { return Err(self.at(value, form)) };
        let (mut info, mut warning) = (None, None);
        for (key, value) in table {
            let place = match &**key.get_ref() {
                "info" => &mut info,
                "warning" => &mut warning,
                other => return Err(self.at(key, format!("unknown key {other:?}; {form}"))),
            };
            let share = Unit::Percent.parse(&self.scalar(value)?).filter(|share| (0.0..=100.0).contains(share));
            *place = Some(share.ok_or_else(|| self.at(value, form))?);
        }
        match (info, warning) {
            (Some(info), Some(warning)) if info > warning => Err(self.at(value, "info must be at most warning")),
            // Without a `warning`, it is worth a look at most.
            (Some(info), warning) => Ok(Thresholds { info, warning }),
            (None, _) => Err(self.at(value, form)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::config::Config;
    use jfr_analyzers::rule::Rule;

    #[test]
    fn patterns_are_read() {
        let text = "[[pattern]]\nid = \"OurCache\"\nmethods = [\"com.acme.cache\", \"com.acme.Cache.get\"]\n\
                    cpu = { info = \"2 %\", warning = \"5 %\" }\n[[pattern]]\nid = \"X\"\ntitle = \"The x\"\n\
                    remedy = \"Less\"\nmethods = [\"x\"]\nscope = \"direct\"\ncategory = \"locks\"\n\
                    blocking.info = \"1 %\"\nblocking.warning = \"2 %\"\nwall.info = \"7 %\"\n";
        let config = Config::parse(text, &crate::analysis()).unwrap();
        let [cache, x] = config.patterns.as_slice() else { unreachable!("{config:?}") };
        assert_eq!((&*cache.info().id, &*cache.info().title), ("OurCache", "OurCache"));
        assert_eq!(cache.pattern().limits(), [(Resource::Cpu, Thresholds::new(2.0, 5.0))]);
        assert_eq!(cache.pattern().methods().patterns(), ["com.acme.cache", "com.acme.Cache.get"]);
        assert_eq!((&*x.info().title, x.info().category), ("The x", Category::Locks));
        let limits = [(Resource::Wall, Thresholds::info(7.0)), (Resource::Blocking, Thresholds::new(1.0, 2.0))];
        assert_eq!(x.pattern().limits(), limits);
        assert_eq!(x.pattern().methods().looks_at(), Scope::Direct);

        let analysis = config.add_to(crate::analysis()).unwrap();
        assert!(analysis.infos().any(|info| info.id == "OurCache"));
    }

    #[test]
    fn a_pattern_is_configured_and_disabled_like_any_rule() {
        let text = "[rules.OurCache]\nenabled = false\ncpu-info = \"1 %\"\n[[pattern]]\nid = \"OurCache\"\n\
                    methods = [\"com.acme.cache\"]\ncpu = { info = \"2 %\" }\n";
        let config = Config::parse(text, &crate::analysis()).unwrap();
        assert_eq!(config.off, ["OurCache"]);
        assert_eq!(config.settings["OurCache"]["cpu-info"], "1 %");
    }

    #[test]
    fn wrong_patterns_name_their_line() {
        let head = "[[pattern]]\nid = \"A\"\nmethods = [\"a\"]\n";
        for (text, line, part) in [
            (head.to_owned(), 2, "needs limits"),
            (format!("{head}cpu = {{ info = \"5 %\", warning = \"2 %\" }}\n"), 4, "at most"),
            (format!("{head}cpu = {{ info = \"5 ms\", warning = \"2 %\" }}\n"), 4, "expected shares like"),
            (format!("{head}cpu = {{ info = 120 }}\n"), 4, "expected shares like"),
            (format!("{head}cpu = {{ warning = \"1 %\" }}\n"), 4, "expected shares like"),
            (format!("{head}gpu = {{ info = \"1 %\" }}\n"), 4, "no key \"gpu\""),
            (format!("{head}scope = \"top\"\n"), 4, "direct"),
            (format!("{head}category = \"caches\"\n"), 4, "expected one of gc"),
            ("[[pattern]]\nid = \"A\"\nmethods = \"a\"\n".to_owned(), 3, "must be a list"),
            (
                "[[pattern]]\nid = \"A\"\nmethods = [\"a\", \"*\"]\ncpu.info = \"1 %\"\n".to_owned(),
                3,
                "covers everything",
            ),
            ("[[pattern]]\nid = \"A\"\nmethods = []\ncpu.info = \"1 %\"\n".to_owned(), 3, "at least one"),
            ("[[pattern]]\nid = \"A\"\ncpu.info = \"1 %\"\n".to_owned(), 1, "needs methods"),
            ("[[pattern]]\nmethods = [\"a\"]\ncpu.info = \"1 %\"\n".to_owned(), 1, "needs an id"),
            ("[[pattern]]\nid = \"A B\"\nmethods = [\"a\"]\ncpu.info = \"1 %\"\n".to_owned(), 2, "without whitespace"),
            ("[[pattern]]\nid = 1\n".to_owned(), 2, "expected text"),
        ] {
            let error = Config::parse(&text, &crate::analysis()).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }
}
