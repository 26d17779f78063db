//! The query language of the search: `service:shop env:(prod OR stage) -host:web-* cpu:>2 alloc:[10MB TO 1GB] "main class"`.

use jfrkit_profile::units;

/// A mistake in a query: the range in characters, and the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) message: String,
}

/// Terms, all of which must match.
pub(crate) type Query = Vec<Term>;

/// One term.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) negated: bool,
    pub(crate) test: Test,
}

/// The condition of a term.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// The facet or tag of this name has a value that matches one of the patterns.
    Text(String, Vec<Pattern>),
    /// A measure is within a range.
    Range(Number, Range),
    /// Part of the service, host, version or main class, in lower case.
    Word(String),
    /// Whether the profile is pinned.
    Pinned(bool),
}

/// Numbers that a query can compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Cpu,
    Alloc,
    Duration,
    Size,
    Findings,
    Warnings,
}

/// A range; a bound of `None` is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) from: Option<f64>,
    pub(crate) from_open: bool,
    pub(crate) to: Option<f64>,
    pub(crate) to_open: bool,
}

impl Range {
    /// Whether the range contains a number.
    pub(crate) fn holds(&self, x: f64) -> bool {
        self.from.is_none_or(|from| if self.from_open { x > from } else { x >= from })
            && self.to.is_none_or(|to| if self.to_open { x < to } else { x <= to })
    }
}

/// Text in which `*` matches any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<String>);

impl Pattern {
    /// A pattern without wildcards.
    #[cfg(test)]
    fn literal(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }

    /// Whether it matches the whole text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else { return text.is_empty() };
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let Some(text) = text.strip_prefix(first.as_str()) else { return false };
        let Some(mut text) = text.strip_suffix(last.as_str()) else { return false };
        for piece in middle {
            let Some(at) = text.find(piece.as_str()) else { return false };
            text = text.get(at + piece.len()..).unwrap_or_default();
        }
        true
    }

    /// Whether the pattern is `*`, which matches any non-empty value.
    pub(crate) fn is_any(&self) -> bool {
        self.0.len() > 1 && self.0.iter().all(String::is_empty)
    }
}

/// The names of numbers in queries.
pub(crate) const NUMBERS: [(&str, Number); 8] = [
    ("cpu", Number::Cpu),
    ("cpu_cores", Number::Cpu),
    ("alloc", Number::Alloc),
    ("alloc_rate", Number::Alloc),
    ("duration", Number::Duration),
    ("size", Number::Size),
    ("findings", Number::Findings),
    ("warnings", Number::Warnings),
];

/// Maximum characters of a query.
const MAX_QUERY: usize = 8 << 10;
/// Maximum terms of a query.
const MAX_TERMS: usize = 64;

/// Parses a query.
pub(crate) fn parse(text: &str) -> Result<Query, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_QUERY {
        return Err(QueryError {
            start: MAX_QUERY,
            end: chars.len(),
            message: "the query is longer than 8 KiB".to_owned(),
        });
    }
    let mut reader = Reader { chars, at: 0 };
    let mut terms = Vec::new();
    loop {
        reader.blanks();
        if reader.peek().is_none() {
            return Ok(terms);
        }
        let start = reader.at;
        terms.push(reader.term()?);
        if terms.len() > MAX_TERMS {
            return Err(reader.error(start, "more than 64 terms"));
        }
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(wanted);
        self.at += usize::from(is);
        is
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn error(&self, start: usize, message: &str) -> QueryError {
        QueryError {
            start,
            end: self.at.max(start + 1).min(self.chars.len().max(start + 1)),
            message: message.to_owned(),
        }
    }

    /// Reads up to a character that ends a word; quotes protect their content.
    fn pattern(&mut self, ends: &[char]) -> Result<Option<(Pattern, String)>, QueryError> {
        let start = self.at;
        let (mut pieces, mut plain) = (vec![String::new()], String::new());
        let mut quoted = false;
        while let Some(c) = self.peek() {
            if c.is_whitespace() || ends.contains(&c) {
                break;
            }
            self.at += 1;
            if c == '"' {
                quoted = true;
                let open = self.at - 1;
                loop {
                    let Some(c) = self.peek() else { return Err(self.error(open, "the quote is not closed")) };
                    self.at += 1;
                    match c {
                        '"' => break,
                        '\\' if self.peek().is_some_and(|c| c == '"' || c == '\\') => {
                            let c = self.peek().unwrap_or('\\');
                            self.at += 1;
                            plain.push(c);
                            if let Some(last) = pieces.last_mut() {
                                last.push(c);
                            }
                        }
                        c => {
                            plain.push(c);
                            if let Some(last) = pieces.last_mut() {
                                last.push(c);
                            }
                        }
                    }
                }
            } else if c == '*' {
                plain.push(c);
                pieces.push(String::new());
            } else {
                plain.push(c);
                if let Some(last) = pieces.last_mut() {
                    last.push(c);
                }
            }
        }
        Ok((self.at > start || quoted).then_some((Pattern(pieces), plain)))
    }

    fn term(&mut self) -> Result<Term, QueryError> {
        let start = self.at;
        let negated = self.next_if('-');
        let begin = self.at;
        if matches!(self.peek(), Some('(' | ')' | '[' | ']')) {
            self.at += 1;
            return Err(self.error(begin, "brackets go after a name and a colon, as in env:(prod OR stage)"));
        }
        // A quoted word may contain a colon.
        let word = self.pattern(&[':', '(', ')', '[', ']'])?;
        if self.peek() != Some(':') {
            let Some((_, word)) = word.filter(|(_, w)| !w.is_empty()) else {
                return Err(self.error(start, "expected a word or name:value"));
            };
            if word == "OR" || word == "AND" {
                let help =
                    "OR goes between values in parentheses, as in env:(prod OR stage); separate terms must all match";
                return Err(self.error(begin, help));
            }
            if self.peek().is_some_and(|c| !c.is_whitespace()) {
                self.at += 1;
                return Err(self.error(begin, "expected a space or a colon before the bracket"));
            }
            return Ok(Term { negated, test: Test::Word(word.replace('*', "").to_lowercase()) });
        }
        let name = word.map(|(_, w)| w).unwrap_or_default();
        if name.is_empty() {
            self.at += 1;
            return Err(self.error(begin, "expected a name before the colon"));
        }
        self.at += 1;
        if let Some((_, number)) = NUMBERS.iter().find(|(n, _)| *n == name) {
            return Ok(Term { negated, test: Test::Range(*number, self.range(*number)?) });
        }
        if name == "pinned" {
            let start = self.at;
            let value = self.pattern(&[])?.map(|(_, v)| v).unwrap_or_default();
            return match value.as_str() {
                "true" => Ok(Term { negated, test: Test::Pinned(true) }),
                "false" => Ok(Term { negated, test: Test::Pinned(false) }),
                _ => Err(self.error(start, "expected true or false")),
            };
        }
        let mut patterns = Vec::new();
        let start = self.at;
        if self.next_if('(') {
            loop {
                self.blanks();
                if self.next_if(')') {
                    return Err(self.error(start, "expected a value in the parentheses"));
                }
                let at = self.at;
                match self.pattern(&[')', '('])? {
                    Some((_, word)) if word == "OR" => return Err(self.error(at, "expected a value before OR")),
                    Some((pattern, _)) => patterns.push(pattern),
                    None => return Err(self.error(start, "the parenthesis is not closed")),
                }
                self.blanks();
                if self.next_if(')') {
                    break;
                }
                let at = self.at;
                match self.pattern(&[')', '('])? {
                    Some((_, word)) if word == "OR" => {}
                    Some(_) => {
                        return Err(
                            self.error(at, "expected OR between values; put quotes around values that contain spaces")
                        );
                    }
                    None => return Err(self.error(start, "the parenthesis is not closed")),
                }
            }
        } else {
            match self.pattern(&['(', ')', '[', ']'])? {
                Some((pattern, _)) => patterns.push(pattern),
                None if self.peek() == Some('[') => {
                    self.at += 1;
                    return Err(self.error(begin, &format!("{name} has no range: ranges work with {}", numbers())));
                }
                None => return Err(self.error(begin, &format!("expected a value after {name}:"))),
            }
        }
        Ok(Term { negated, test: Test::Text(name, patterns) })
    }

    fn range(&mut self, number: Number) -> Result<Range, QueryError> {
        let start = self.at;
        if self.next_if('[') {
            let from = self.bound(number, &[']'])?;
            self.blanks();
            let at = self.at;
            match self.pattern(&[']'])? {
                Some((_, word)) if word == "TO" => {}
                _ => return Err(self.error(at, "expected TO, as in cpu:[1 TO 2]")),
            }
            let to = self.bound(number, &[']'])?;
            self.blanks();
            if !self.next_if(']') {
                return Err(self.error(start, "the bracket is not closed"));
            }
            return Ok(Range { from, from_open: false, to, to_open: false });
        }
        let operator = match self.peek() {
            Some(c @ ('>' | '<' | '=')) => {
                self.at += 1;
                Some((c, self.next_if('=')))
            }
            _ => None,
        };
        let value = self.bound(number, &[])?;
        Ok(match operator {
            Some(('>', or_equal)) => Range { from: value, from_open: !or_equal, to: None, to_open: false },
            Some(('<', or_equal)) => Range { from: None, from_open: false, to: value, to_open: !or_equal },
            _ => Range { from: value, from_open: false, to: value, to_open: false },
        })
    }

    fn bound(&mut self, number: Number, ends: &[char]) -> Result<Option<f64>, QueryError> {
        self.blanks();
        let start = self.at;
        let word = self.pattern(ends)?.map(|(_, w)| w).unwrap_or_default();
        if word == "*" {
            return Ok(None);
        }
        let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let (digits, unit) = word.split_at_checked(digits).unwrap_or((&word, ""));
        match (digits.parse::<f64>(), value(number, &word)) {
            (Ok(_), Some(value)) => Ok(Some(value)),
            (Ok(_), None) => {
                let known = match number {
                    Number::Duration => "ms, s, m or h",
                    Number::Alloc | Number::Size => "B, KB, MB, GB, KiB, MiB or GiB",
                    Number::Cpu => "cores, % or no unit",
                    _ => "no unit",
                };
                Err(self.error(start, &format!("unknown unit {unit:?}: expected {known}")))
            }
            (Err(_), _) => Err(self.error(start, "expected a number")),
        }
    }
}

/// A number with its unit, in the unit of the index: milliseconds, bytes, cores.
fn value(number: Number, word: &str) -> Option<f64> {
    let word = word.strip_suffix("/s").unwrap_or(word);
    let times = |digits: &str, factor: f64| digits.parse::<f64>().ok().map(|n| n * factor);
    match number {
        Number::Duration => units::parse_duration_or_seconds(word).ok().map(|nanos| nanos as f64 / 1e6),
        Number::Alloc | Number::Size => units::parse_size(word).ok().map(|bytes| bytes as f64),
        Number::Cpu => match (word.strip_suffix('%'), word.strip_suffix("cores")) {
            (Some(percent), _) => times(percent, 0.01),
            (_, Some(cores)) => times(cores, 1.0),
            _ => times(word, 1.0),
        },
        _ => times(word, 1.0),
    }
}

fn numbers() -> String {
    let names: Vec<&str> = NUMBERS.iter().map(|(n, _)| *n).filter(|n| !n.contains('_')).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn terms_of_every_kind() {
        let query = parse(r#"service:shop -env:(prod OR "big one") host:web-* cpu:>2 alloc:[10MB TO 1GB] duration:<30s Shop pinned:true"#).unwrap();
        assert_eq!(query.len(), 8);
        assert_eq!(
            query[0],
            Term { negated: false, test: Test::Text("service".into(), vec![Pattern::literal("shop")]) }
        );
        assert!(query[1].negated);
        assert!(matches!(&query[1].test, Test::Text(n, p) if n == "env" && p.len() == 2 && p[1].matches("big one")));
        assert!(matches!(&query[3].test, Test::Range(Number::Cpu, r) if !r.holds(2.0) && r.holds(2.1)));
        assert!(
            matches!(&query[4].test, Test::Range(Number::Alloc, r) if r.holds(1e7) && r.holds(1e9) && !r.holds(1.1e9))
        );
        assert!(matches!(&query[5].test, Test::Range(Number::Duration, r) if r.holds(29_999.0) && !r.holds(30_000.0)));
        assert_eq!(query[6].test, Test::Word("shop".into()));
        assert_eq!(query[7].test, Test::Pinned(true));
        assert_eq!(parse("  ").unwrap(), []);
        assert!(matches!(&parse("url:http://a:1").unwrap()[0].test, Test::Text(_, p) if p[0].matches("http://a:1")));
    }

    #[test]
    fn stars_match_any_characters() {
        let of = |p: &str| Pattern(p.split('*').map(str::to_owned).collect());
        assert!(
            of("web-*").matches("web-12") && of("*-1*2").matches("web-1x2") && of("*").matches("x") && of("*").is_any()
        );
        assert!(!of("web-*").matches("wed-1") && !of("a*a").matches("a") && of("a*b*c").matches("aXbYc"));
    }

    #[test]
    fn errors_have_the_range_of_the_mistake() {
        for (query, start, end, word) in [
            ("env:(prod stage)", 10, 15, "OR"),
            ("env:(prod", 4, 9, "closed"),
            ("service:\"a", 8, 10, "quote"),
            ("cpu:>x", 5, 6, "number"),
            ("cpu:[1 2]", 7, 8, "TO"),
            ("duration:<3parsec", 10, 17, "unit"),
            ("a OR b", 2, 4, "parentheses"),
            ("env:", 0, 4, "value"),
            (":x", 0, 1, "name"),
            ("pinned:maybe", 7, 12, "true"),
            ("env:[1 TO 2]", 0, 5, "range"),
        ] {
            let error = parse(query).unwrap_err();
            assert_eq!((error.start, error.end), (start, end), "{query}: {}", error.message);
            assert!(error.message.contains(word), "{query}: {}", error.message);
        }
    }

    #[test]
    fn the_parser_survives_any_text() {
        for text in
            ["((((", "]]]", "a:(", "-", "--a", "\"", "a:\"", "x:[", "cpu:[", "cpu:[1 TO", "🦀:🦀*", "-:-", "a(b"]
        {
            let _ = parse(text);
        }
    }
}
