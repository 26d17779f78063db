//! Parses the query language into a [`Query`].
//!
//! The grammar is the same as in the JDK's view file; `docs/views.md` describes it for users.

use std::fmt;

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// The column titles; empty to use those of the fields.
    pub titles: Vec<String>,
    /// The column formats; empty if not specified.
    pub formats: Vec<CellFormat>,
    /// The selected columns; empty for `*`, which selects every field.
    pub select: Vec<Item>,
    /// The event sources.
    pub from: Vec<Source>,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Condition>,
    /// The fields that define a row; empty if there is no grouping.
    pub group_by: Vec<FieldRef>,
    /// The sort order, most important key first.
    pub order_by: Vec<Order>,
    /// Maximum number of rows.
    pub limit: Option<usize>,
}

/// A column: a field, or an aggregate of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// How to aggregate the values of a row; `None` takes the last value that is not null.
    pub aggregate: Option<Aggregate>,
    /// The field.
    pub field: FieldRef,
    /// The name for use in GROUP BY and ORDER BY.
    pub alias: Option<String>,
}

/// An event type, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name, with or without `jdk.`, or `*`.
    pub event: String,
    /// The alias for qualifying fields.
    pub alias: Option<String>,
}

impl Source {
    /// Whether it includes the events of the type with this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.event == "*" || same_event(&self.event, name)
    }
}

/// A field of an event, given by path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FieldRef {
    /// The sources it may come from, as indices into FROM; empty for all sources that have the field.
    pub sources: Vec<usize>,
    /// Names joined by dots; `*` for the event itself.
    pub path: String,
}

/// `field = literal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: FieldRef,
    /// The required text.
    pub literal: String,
}

/// A key of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The aggregate, if specified.
    pub aggregate: Option<Aggregate>,
    /// The field, or the alias of a column.
    pub field: FieldRef,
    /// `Some(true)` for DESC, `Some(false)` for ASC.
    pub descending: Option<bool>,
}

/// How to aggregate values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// The mean.
    Average,
    /// The number of events, including nulls.
    Count,
    /// The last value minus the first.
    Difference,
    /// The first value: by time within a chunk, and by file order among chunks.
    First,
    /// The last value: by time within a chunk, and by file order among chunks.
    Last,
    /// The last value, keeping only rows whose last event ended at the same time as the last event of the type.
    LastBatch,
    /// All values.
    List,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// A percentile, in thousandths.
    Percentile(u16),
    /// All distinct values.
    Set,
    /// The standard deviation of the sample.
    StandardDeviation,
    /// The sum.
    Sum,
    /// The number of distinct values.
    Unique,
}

const AGGREGATES: [(&str, Aggregate); 20] = [
    ("AVG", Aggregate::Average),
    ("COUNT", Aggregate::Count),
    ("DIFF", Aggregate::Difference),
    ("FIRST", Aggregate::First),
    ("LAST", Aggregate::Last),
    ("LAST_BATCH", Aggregate::LastBatch),
    ("LIST", Aggregate::List),
    ("MAX", Aggregate::Maximum),
    ("MIN", Aggregate::Minimum),
    ("MEDIAN", Aggregate::Percentile(500)),
    ("P50", Aggregate::Percentile(500)),
    ("P90", Aggregate::Percentile(900)),
    ("P95", Aggregate::Percentile(950)),
    ("P99", Aggregate::Percentile(990)),
    ("P999", Aggregate::Percentile(999)),
    ("SET", Aggregate::Set),
    ("STDEV", Aggregate::StandardDeviation),
    ("STANDARD_DEVIATION", Aggregate::StandardDeviation),
    ("SUM", Aggregate::Sum),
    ("UNIQUE", Aggregate::Unique),
];

impl Aggregate {
    /// The aggregate with this name in a query, ignoring case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        AGGREGATES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, found)| found)
    }

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        AGGREGATES.iter().find(|&&(_, known)| known == self).map_or("", |&(name, _)| name)
    }
}

/// How to format the cells of a column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellFormat {
    /// Truncate long cells at the beginning or at the end; `None` to use `--truncate`.
    pub truncate: Option<Truncate>,
    /// Maximum number of lines in a cell.
    pub lines: Option<usize>,
    /// Show each value as its share of the column's sum.
    pub normalized: bool,
    /// What to show for a missing value instead of `N/A`.
    pub missing: Option<String>,
    /// Show times in milliseconds with this many decimals.
    pub millis: Option<usize>,
}

/// Where to truncate long cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Truncate {
    /// Truncate the beginning.
    Beginning,
    /// Truncate the end.
    #[default]
    End,
}

/// A syntax error in a query, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Offset from the beginning of the query, in bytes.
    pub offset: usize,
    /// Line number, starting at 1.
    pub line: usize,
    /// Column number, starting at 1.
    pub column: usize,
    /// What was expected.
    pub message: String,
    /// The text of the line.
    text: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        let line = self.text.trim_end();
        if line.is_empty() {
            return Ok(());
        }
        write!(f, "\n  {line}\n  {:>width$}", '^', width = self.column)
    }
}

impl std::error::Error for SyntaxError {}

impl SyntaxError {
    fn new(text: &str, offset: usize, message: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before.get(start..).unwrap_or_default().chars().count() + 1,
            message,
            text: line.to_owned(),
        }
    }

    /// An error at an offset, in bytes, in a text.
    #[must_use]
    pub fn at(text: &str, offset: usize, message: String) -> Self {
        Self::new(text, offset, message)
    }

    /// The same position in a text that contains the query.
    pub(super) fn within(self, text: &str, start: usize) -> Self {
        Self::new(text, start + self.offset, self.message)
    }
}

impl Query {
    /// Parses a query.
    ///
    /// # Errors
    /// [`SyntaxError`] with the position of the first mistake.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut parser = Parser { text, tokens: tokens(text)?, at: 0 };
        let query = parser.query()?;
        query.check().map_err(|message| SyntaxError::new(text, 0, message))?;
        Ok(query)
    }

    fn check(&self) -> Result<(), String> {
        let columns = self.select.len();
        let many = |what: &str, n: usize| {
            let fits = n == 0 || self.select.is_empty() || n == columns;
            if fits { Ok(()) } else { Err(format!("{what} names {n} columns, SELECT {columns}")) }
        };
        many("COLUMN", self.titles.len())?;
        many("FORMAT", self.formats.len())
    }
}

/// A word, a quoted text or a symbol, with its position.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(char),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Quoted(text) => write!(f, "'{text}'"),
            Self::Sign(sign) => write!(f, "\"{sign}\""),
        }
    }
}

const SIGNS: [char; 9] = [',', '(', ')', '[', ']', '|', '=', '*', ';'];

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, SyntaxError> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(out) };
        let behind = rest.get(first.len_utf8()..).unwrap_or_default();
        if first == '\'' || first == '"' {
            let end = behind.find(first);
            let end = end.ok_or_else(|| SyntaxError::new(text, at, format!("this {first} has no end")))?;
            out.push((at, Token::Quoted(behind.get(..end).unwrap_or_default().to_owned())));
            rest = behind.get(end + 1..).unwrap_or_default();
        } else if SIGNS.contains(&first) {
            out.push((at, Token::Sign(first)));
            rest = behind;
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || SIGNS.contains(&c) || c == '\'').unwrap_or(rest.len());
            out.push((at, Token::Word(rest.get(..end).unwrap_or_default().to_owned())));
            rest = rest.get(end..).unwrap_or_default();
        }
    }
}

const CLAUSES: [&str; 9] = ["COLUMN", "FORMAT", "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "BY"];

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(usize, Token)>,
    at: usize,
}

/// A field before its sources are resolved: (position, qualifiers, path).
type Unresolved = (usize, Vec<String>, String);

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |&(at, _)| at)
    }

    fn error<T>(&self, expected: &str) -> Result<T, SyntaxError> {
        let found = self.peek().map_or("the end".to_owned(), Token::to_string);
        Err(SyntaxError::new(self.text, self.offset(), format!("expected {expected}, found {found}")))
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: char) -> Result<(), SyntaxError> {
        if self.sign(sign) { Ok(()) } else { self.error(&format!("\"{sign}\"")) }
    }

    /// A word that is not a keyword of a clause.
    fn word(&mut self, what: &str) -> Result<String, SyntaxError> {
        match self.peek() {
            Some(Token::Word(word)) if !CLAUSES.iter().any(|clause| clause.eq_ignore_ascii_case(word)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => self.error(what),
        }
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, SyntaxError>) -> Result<Vec<T>, SyntaxError> {
        let mut out = vec![one(self)?];
        while self.sign(',') {
            out.push(one(self)?);
        }
        Ok(out)
    }

    fn query(&mut self) -> Result<Query, SyntaxError> {
        let mut query = Query::default();
        if self.keyword("COLUMN") {
            query.titles = self.list(Self::title)?;
        }
        if self.keyword("FORMAT") {
            query.formats = self.list(Self::format)?;
        }
        if !self.keyword("SELECT") {
            let expected =
                if query.titles.is_empty() && query.formats.is_empty() { "COLUMN, FORMAT or SELECT" } else { "SELECT" };
            return self.error(expected);
        }
        let select = if self.sign('*') { Vec::new() } else { self.list(Self::item)? };
        if !self.keyword("FROM") {
            return self.error("\",\" or FROM");
        }
        query.from = self.list(Self::source)?;
        let mut conditions = Vec::new();
        if self.keyword("WHERE") {
            loop {
                let field = self.field()?;
                self.expect_sign('=')?;
                conditions.push((field, self.literal()?));
                if !self.keyword("AND") {
                    break;
                }
            }
        }
        let mut group_by = Vec::new();
        if self.keyword("GROUP") {
            self.by()?;
            group_by = self.list(Self::field)?;
        }
        let mut order_by = Vec::new();
        if self.keyword("ORDER") {
            self.by()?;
            order_by = self.list(Self::order)?;
        }
        if self.keyword("LIMIT") {
            let limit = match self.peek() {
                Some(Token::Word(word)) => word.parse().ok(),
                _ => None,
            };
            let Some(limit) = limit else { return self.error("a number of rows") };
            query.limit = Some(limit);
            self.at += 1;
        }
        if self.peek().is_some() {
            return self.error("the end of the query, or a clause in the order WHERE, GROUP BY, ORDER BY, LIMIT");
        }
        let resolve = |field: Unresolved| self.resolve(&query.from, field);
        for (aggregate, field, alias) in select {
            query.select.push(Item { aggregate, field: resolve(field)?, alias });
        }
        for (field, literal) in conditions {
            query.conditions.push(Condition { field: resolve(field)?, literal });
        }
        for field in group_by {
            let field = resolve(field)?;
            let aliased = query.select.iter().find(|item| item.alias.as_deref() == Some(&field.path));
            let field = aliased.map_or(field, |item| item.field.clone());
            query.group_by.push(field);
        }
        for (aggregate, field, descending) in order_by {
            query.order_by.push(Order { aggregate, field: resolve(field)?, descending });
        }
        Ok(query)
    }

    fn by(&mut self) -> Result<(), SyntaxError> {
        if self.keyword("BY") { Ok(()) } else { self.error("BY") }
    }

    fn title(&mut self) -> Result<String, SyntaxError> {
        match self.peek() {
            Some(Token::Quoted(title)) => {
                let title = title.clone();
                self.at += 1;
                Ok(title)
            }
            _ => self.error("a column title in quotes"),
        }
    }

    fn format(&mut self) -> Result<CellFormat, SyntaxError> {
        let mut format = CellFormat::default();
        loop {
            let word = self.word("a format")?;
            let (name, value) = word.split_once(':').unwrap_or((&word, ""));
            match (name, value) {
                ("none", "") => {}
                ("normalized", "") => format.normalized = true,
                ("truncate-beginning", "") => format.truncate = Some(Truncate::Beginning),
                ("truncate-end", "") => format.truncate = Some(Truncate::End),
                ("missing", "whitespace") => format.missing = Some(String::new()),
                // Quoted if it contains spaces.
                ("missing", "") => format.missing = Some(self.literal()?),
                ("missing", text) if !text.is_empty() => format.missing = Some(text.to_owned()),
                ("cell-height", n) if n.parse::<usize>().is_ok_and(|n| n > 0) => format.lines = n.parse().ok(),
                ("ms-precision", n) if n.parse::<usize>().is_ok_and(|n| n <= 9) => format.millis = n.parse().ok(),
                _ => {
                    self.at -= 1;
                    return self.error(
                        "a format: none, truncate-beginning, truncate-end, cell-height:N, normalized, missing:TEXT, \
                         ms-precision:N",
                    );
                }
            }
            if !self.sign(';') {
                return Ok(format);
            }
        }
    }

    fn item(&mut self) -> Result<(Option<Aggregate>, Unresolved, Option<String>), SyntaxError> {
        let (aggregate, field) = self.expression()?;
        let alias = if self.keyword("AS") { Some(self.word("an alias")?) } else { None };
        Ok((aggregate, field, alias))
    }

    fn expression(&mut self) -> Result<(Option<Aggregate>, Unresolved), SyntaxError> {
        let call = matches!(self.tokens.get(self.at + 1), Some((_, Token::Sign('('))));
        let aggregate = match self.peek() {
            Some(Token::Word(word)) if call => match Aggregate::from_name(word) {
                Some(aggregate) => Some(aggregate),
                None => {
                    let known: Vec<&str> = AGGREGATES.iter().map(|(name, _)| *name).collect();
                    return self.error(&format!("an aggregate ({})", known.join(", ")));
                }
            },
            _ => return Ok((None, self.field()?)),
        };
        self.at += 2;
        let start = self.offset();
        let field = if self.sign('*') { (start, Vec::new(), "*".to_owned()) } else { self.field()? };
        self.expect_sign(')')?;
        Ok((aggregate, field))
    }

    fn field(&mut self) -> Result<Unresolved, SyntaxError> {
        let start = self.offset();
        if !self.sign('[') {
            return Ok((start, Vec::new(), self.word("a field")?));
        }
        let mut sources = vec![self.word("an alias")?];
        while self.sign('|') {
            sources.push(self.word("an alias")?);
        }
        self.expect_sign(']')?;
        let word = self.word("\".\" and a field")?;
        let Some(path) = word.strip_prefix('.') else {
            self.at -= 1;
            return self.error("\".\" and a field");
        };
        Ok((start, sources, path.to_owned()))
    }

    fn source(&mut self) -> Result<Source, SyntaxError> {
        let event = if self.sign('*') { "*".to_owned() } else { self.word("an event type")? };
        let alias = if self.keyword("AS") { Some(self.word("an alias")?) } else { None };
        Ok(Source { event, alias })
    }

    fn literal(&mut self) -> Result<String, SyntaxError> {
        match self.peek() {
            Some(Token::Quoted(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            Some(Token::Word(_)) => self.word("a literal"),
            _ => self.error("a literal"),
        }
    }

    fn order(&mut self) -> Result<(Option<Aggregate>, Unresolved, Option<bool>), SyntaxError> {
        let (aggregate, field) = self.expression()?;
        let descending = if self.keyword("DESC") {
            Some(true)
        } else if self.keyword("ASC") {
            Some(false)
        } else {
            None
        };
        Ok((aggregate, field, descending))
    }

    /// The sources to which a field refers, by alias or by event type.
    fn resolve(&self, from: &[Source], (at, qualifiers, path): Unresolved) -> Result<FieldRef, SyntaxError> {
        let place = |name: &str| {
            let named = |s: &Source| s.alias.as_deref() == Some(name) || (s.event != "*" && same_event(&s.event, name));
            from.iter().position(named)
        };
        if qualifiers.is_empty() {
            for (dot, _) in path.match_indices('.') {
                let (Some(head), Some(tail)) = (path.get(..dot), path.get(dot + 1..)) else { continue };
                if let Some(source) = place(head) {
                    return Ok(FieldRef { sources: vec![source], path: tail.to_owned() });
                }
            }
            return Ok(FieldRef { sources: Vec::new(), path });
        }
        let mut sources = Vec::new();
        for name in qualifiers {
            let Some(source) = place(&name) else {
                return Err(SyntaxError::new(self.text, at, format!("\"{name}\" is not an alias of FROM")));
            };
            sources.push(source);
        }
        Ok(FieldRef { sources, path })
    }
}

/// Whether two names refer to the same event type: `jdk.` may be omitted.
fn same_event(a: &str, b: &str) -> bool {
    a.strip_prefix("jdk.").unwrap_or(a) == b.strip_prefix("jdk.").unwrap_or(b)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn every_clause_is_read() {
        let query = Query::parse(
            "COLUMN 'A b', 'C' FORMAT none, normalized;missing:whitespace select G.name AS n, sum([A|B].x.y) \
             from Foo AS G, jdk.Bar AS A, Baz AS B WHERE A.when = 'Before GC' AND ok = true GROUP BY n ORDER BY sum(x.y) DESC, n LIMIT 25",
        )
        .unwrap();
        assert_eq!(query.titles, ["A b", "C"]);
        assert!(query.formats[1].normalized && query.formats[1].missing.as_deref() == Some(""));
        assert_eq!(query.select[0].field, FieldRef { sources: vec![0], path: "name".into() });
        assert_eq!(query.select[1].aggregate, Some(Aggregate::Sum));
        assert_eq!(query.select[1].field, FieldRef { sources: vec![1, 2], path: "x.y".into() });
        assert_eq!(query.conditions[0].literal, "Before GC");
        assert_eq!(query.conditions[1].field.sources, [0usize; 0]);
        assert_eq!(query.group_by, [FieldRef { sources: vec![0], path: "name".into() }]);
        assert_eq!((query.order_by[0].descending, query.order_by[1].descending), (Some(true), None));
        assert_eq!(query.limit, Some(25));
        assert!(Query::parse("SELECT * FROM *").unwrap().select.is_empty());
    }

    #[test]
    fn an_error_has_its_position() {
        for (text, message) in [
            (
                "SELECT a FORM b",
                "line 1, column 10: expected \",\" or FROM, found \"FORM\"\n  SELECT a FORM b\n           ^",
            ),
            ("SELECT a\nFROM", "line 2, column 5: expected an event type, found the end\n  FROM\n      ^"),
            ("FROM b", "line 1, column 1: expected COLUMN, FORMAT or SELECT, found \"FROM\"\n  FROM b\n  ^"),
            (
                "SELECT a FROM b LIMIT x",
                "line 1, column 23: expected a number of rows, found \"x\"\n  SELECT a FROM b LIMIT x\n                        ^",
            ),
            (
                "SELECT [X].a FROM b",
                "line 1, column 8: \"X\" is not an alias of FROM\n  SELECT [X].a FROM b\n         ^",
            ),
            (
                "SELECT a FROM b WHERE a = 'x",
                "line 1, column 27: this ' has no end\n  SELECT a FROM b WHERE a = 'x\n                            ^",
            ),
            (
                "COLUMN 'x', 'y' SELECT a FROM b",
                "line 1, column 1: COLUMN names 2 columns, SELECT 1\n  COLUMN 'x', 'y' SELECT a FROM b\n  ^",
            ),
        ] {
            assert_eq!(Query::parse(text).unwrap_err().to_string(), message, "{text}");
        }
        let unknown = Query::parse("SELECT mean(a) FROM b").unwrap_err().to_string();
        assert!(unknown.contains("column 8: expected an aggregate (AVG, COUNT"), "{unknown}");
        let format = Query::parse("FORMAT bold SELECT a FROM b").unwrap_err().to_string();
        assert!(format.contains("column 8: expected a format: none, truncate-beginning"), "{format}");
    }
}
