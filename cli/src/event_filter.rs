//! Choosing event types by patterns.

use jfr_parse::Type;

/// Comma-separated patterns on names; `*` stands for any text, `?` for any character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Globs(Vec<String>);

impl std::str::FromStr for Globs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let globs: Vec<String> = text.split(',').map(|g| g.trim().to_owned()).filter(|g| !g.is_empty()).collect();
        if globs.is_empty() { Err("no pattern in it".to_owned()) } else { Ok(Self(globs)) }
    }
}

impl Globs {
    /// Whether a pattern fits the name as recorded, the name of today, or the name without its package.
    pub(crate) fn fits_type(&self, of: Type<'_>) -> bool {
        let canonical = of.canonical_name();
        self.0.iter().any(|g| [of.name(), &canonical, of.simple_name()].iter().any(|name| glob(g, name)))
    }

    /// The patterns, as they were given.
    #[cfg(feature = "tables")]
    pub(crate) fn shown(&self) -> String {
        self.0.join(",")
    }

    /// Fails if no event type of the chunks that were read fits: a typo would look like a recording without such events.
    pub(crate) fn check(&self, fits: bool, names: &std::collections::BTreeSet<String>) -> Result<(), String> {
        if fits || names.is_empty() {
            return Ok(());
        }
        let shown = self.0.join(",");
        let known = names.iter().flat_map(|name| [name.as_str(), name.rsplit('.').next().unwrap_or(name)]);
        Err(format!(
            "no event type matches {shown:?}{}",
            crate::near::hint(&shown, known, "jfrkit metadata lists the types")
        ))
    }

    /// Whether a pattern fits one of the categories.
    pub(crate) fn fits_categories(&self, of: Type<'_>) -> bool {
        of.categories().any(|category| self.0.iter().any(|g| glob(g, category)))
    }
}

/// Matches without going back further than to the last `*`, so that no pattern takes long.
fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut rest = pattern.clone();
        match rest.next() {
            Some('*') => {
                pattern = rest;
                retry = Some((pattern.clone(), text.clone()));
                continue;
            }
            Some(wanted) => {
                let mut behind = text.clone();
                if behind.next().is_some_and(|c| wanted == '?' || wanted == c) {
                    (pattern, text) = (rest, behind);
                    continue;
                }
            }
            None if text.as_str().is_empty() => return true,
            None => {}
        }
        // Let the last star take one character more.
        let Some((behind_star, mut taken)) = retry.take() else { return false };
        if taken.next().is_none() {
            return false;
        }
        (pattern, text) = (behind_star.clone(), taken.clone());
        retry = Some((behind_star, taken));
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns() {
        for (pattern, text) in [
            ("*", ""),
            ("GC*", "GCPhasePause"),
            ("jdk.*Read", "jdk.FileRead"),
            ("a*b*c", "aXbXbc"),
            ("??", "ab"),
            ("", ""),
            ("*é", "é"),
            ("*a*a*", "aa"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("GC", "GCPhase"), ("*Read", "FileReader"), ("?", ""), ("a*b", "ac"), ("", "x"), ("a", "A")]
        {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
        // Would take for ever if every star were tried against every place.
        assert!(!glob(&("*a".repeat(50) + "b"), &"a".repeat(200)));
    }
}
