//! Selects event types by patterns.

use jfr_parse::Type;
use wildmatch::WildMatch;

/// Comma-separated name patterns; `*` matches any text, `?` any character.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Globs {
    /// As they were given.
    texts: Vec<String>,
    patterns: Vec<WildMatch>,
}

impl std::str::FromStr for Globs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let texts: Vec<String> = text.split(',').map(|g| g.trim().to_owned()).filter(|g| !g.is_empty()).collect();
        let patterns = texts.iter().map(|text| WildMatch::new(text)).collect();
        if texts.is_empty() { Err("expected at least one pattern".to_owned()) } else { Ok(Self { texts, patterns }) }
    }
}

impl Globs {
    /// Whether a pattern matches the recorded name, the current name, or the name without its package.
    pub(crate) fn fits_type(&self, of: Type<'_>) -> bool {
        let canonical = of.canonical_name();
        [of.name(), &canonical, of.simple_name()].iter().any(|name| self.fits(name))
    }

    fn fits(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    /// The patterns as given by the user.
    #[cfg(feature = "tables")]
    pub(crate) fn shown(&self) -> String {
        self.texts.join(",")
    }

    /// Fails if no event type in the readable chunks matches: a typo would look like a recording without such events.
    pub(crate) fn check(&self, fits: bool, names: &std::collections::BTreeSet<String>) -> Result<(), String> {
        if fits || names.is_empty() {
            return Ok(());
        }
        let shown = self.texts.join(",");
        let known = names.iter().flat_map(|name| [name.as_str(), name.rsplit('.').next().unwrap_or(name)]);
        Err(format!(
            "no event type matches {shown:?}{}",
            crate::near::hint(&shown, known, "jfrkit metadata lists the types")
        ))
    }

    /// Whether a pattern matches one of the categories.
    pub(crate) fn fits_categories(&self, of: Type<'_>) -> bool {
        of.categories().any(|category| self.fits(category))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Globs;

    #[test]
    fn patterns() {
        let fits = |pattern: &str, text: &str| pattern.parse::<Globs>().unwrap().fits(text);
        for (pattern, text) in [
            ("*", ""),
            ("GC*", "GCPhasePause"),
            ("jdk.*Read", "jdk.FileRead"),
            ("a*b*c", "aXbXbc"),
            ("??", "ab"),
            ("x, b", "b"),
            ("*é", "é"),
            ("*a*a*", "aa"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("GC", "GCPhase"), ("*Read", "FileReader"), ("?", ""), ("a*b", "ac"), ("a", "A")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
        // Would not end if every star were tried at every place.
        assert!(!fits(&("*a".repeat(50) + "b"), &"a".repeat(200)));
        assert!(" , ".parse::<Globs>().is_err());
    }
}
