//! Selects event types by patterns.

use jfr_parse::Type;

/// Comma-separated name patterns; `*` matches any text, `?` any character.
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
    /// Whether a pattern matches the recorded name, the current name, or the name without its package.
    pub(crate) fn fits_type(&self, of: Type<'_>) -> bool {
        let canonical = of.canonical_name();
        self.0.iter().any(|g| [of.name(), &canonical, of.simple_name()].iter().any(|name| glob(g, name)))
    }

    /// The patterns as given by the user.
    #[cfg(feature = "tables")]
    pub(crate) fn shown(&self) -> String {
        self.0.join(",")
    }

    /// Fails if no event type in the readable chunks matches: a typo would look like a recording without such events.
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

    /// Whether a pattern matches one of the categories.
    pub(crate) fn fits_categories(&self, of: Type<'_>) -> bool {
        of.categories().any(|category| self.0.iter().any(|g| glob(g, category)))
    }
}

/// Matches with backtracking only to the last `*`, so the time is bounded for any pattern.
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
        // Let the last star match one more character.
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
        // Trying every star at every position would take forever.
        assert!(!glob(&("*a".repeat(50) + "b"), &"a".repeat(200)));
    }
}
