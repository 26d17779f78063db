//! Views by name: the built-in ones, and those in a user's file.

use std::sync::OnceLock;

use super::syntax::{Query, SyntaxError};

/// The kind of answer of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A single row, shown as labels and values.
    Form,
    /// A table with rows and columns.
    Table,
}

/// A named query.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The name used on the command line.
    pub name: String,
    /// `jvm`, `environment`, `application`, `own`, or a category from the user's file.
    pub category: String,
    /// The title.
    pub title: String,
    /// A short description.
    pub about: String,
    /// The first of JDK 21, 25 and 28 that has this view; `None` for views of jfrkit and of users.
    pub since: Option<u32>,
    /// Form or table.
    pub kind: Kind,
    /// The query.
    pub query: Query,
    /// The text of the query.
    pub text: String,
}

/// Views, in file order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    views: Vec<View>,
}

/// The file with the built-in views.
const BUILT_IN: &str = include_str!("views.txt");

impl Catalog {
    /// The built-in views.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        // A test checks that the file can be parsed.
        CATALOG.get_or_init(|| Self::parse(BUILT_IN).unwrap_or_default())
    }

    /// Parses a file with views: blocks of `[category.name]`, `label = …`, `about = …`, and `table = …` or
    /// `form = …` with a query that continues until the next block.
    ///
    /// # Errors
    /// [`SyntaxError`] with the position of the first mistake.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut catalog = Self::default();
        let mut block: Option<Block> = None;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let trimmed = line.trim();
            if trimmed.starts_with(['#', ';'])
                || (trimmed.is_empty() && block.as_ref().is_none_or(|b| b.query.is_none()))
            {
                continue;
            }
            let error = |message: &str| {
                SyntaxError::at(text, start + (line.len() - line.trim_start().len()), message.to_owned())
            };
            if let Some(header) = trimmed.strip_prefix('[').filter(|_| line.starts_with('[')) {
                if let Some(block) = block.take() {
                    catalog.add(block.finish(text)?);
                }
                let name = header.strip_suffix(']').and_then(|name| name.rsplit_once('.'));
                let Some((category, name)) = name.filter(|(c, n)| !c.is_empty() && !n.is_empty()) else {
                    return Err(error("expected [category.name]"));
                };
                block = Some(Block { start, category: category.into(), name: name.into(), ..Block::default() });
                continue;
            }
            let Some(block) = &mut block else { return Err(error("expected [category.name]")) };
            if let Some((_, range)) = &mut block.query {
                range.end = at;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return Err(error("expected label, about, since, table or form, and \"=\""));
            };
            let unquoted = value.trim().trim_matches('"');
            let kind = match key.trim() {
                "label" => {
                    block.title = unquoted.to_owned();
                    continue;
                }
                "about" | "description" => {
                    block.about = unquoted.to_owned();
                    continue;
                }
                "since" => {
                    let since = unquoted.parse().map_err(|_| error("since takes the number of a JDK"))?;
                    block.since = Some(since);
                    continue;
                }
                "table" => Kind::Table,
                "form" => Kind::Form,
                _ => return Err(error("expected label, about, since, table or form")),
            };
            block.query = Some((kind, start + key.len() + 1..at));
        }
        if let Some(block) = block {
            catalog.add(block.finish(text)?);
        }
        Ok(catalog)
    }

    /// Adds a view, replacing an existing one with the same name.
    pub fn add(&mut self, view: View) {
        match self.views.iter_mut().find(|known| known.name == view.name) {
            Some(known) => *known = view,
            None => self.views.push(view),
        }
    }

    /// Adds the views of another catalog, replacing existing ones with the same names.
    pub fn extend(&mut self, other: Self) {
        for view in other.views {
            self.add(view);
        }
    }

    /// All views.
    #[must_use]
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// The view with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| view.name == name)
    }

    /// Similar names, the most similar first.
    #[must_use]
    pub fn near(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<(usize, &str)> = self
            .views
            .iter()
            .filter_map(|view| {
                let known = view.name.as_str();
                let part = known.contains(name) || known.split('-').any(|word| word.len() > 2 && name.contains(word));
                let distance = distance(name, known);
                (part || distance <= known.len().max(name.len()) / 3).then_some((distance, known))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().take(6).map(|(_, name)| name).collect()
    }
}

/// A block of a file while it is parsed.
#[derive(Debug, Default)]
struct Block {
    start: usize,
    category: String,
    name: String,
    title: String,
    about: String,
    since: Option<u32>,
    /// The kind, and the range of the query in the file.
    query: Option<(Kind, std::ops::Range<usize>)>,
}

impl Block {
    fn finish(self, file: &str) -> Result<View, SyntaxError> {
        let Some((kind, range)) = self.query else {
            return Err(SyntaxError::at(file, self.start, format!("view {} has no table and no form", self.name)));
        };
        let raw = file.get(range.clone()).unwrap_or_default();
        // In the JDK's file, queries are in quotes.
        let (mut start, mut text) = (range.start + (raw.len() - raw.trim_start().len()), raw.trim());
        if let Some(inner) = text.strip_prefix('"') {
            start += 1;
            text = inner.strip_suffix('"').unwrap_or(inner);
        }
        let query = Query::parse(text).map_err(|e| e.within(file, start))?;
        let title = if self.title.is_empty() { self.name.clone() } else { self.title };
        Ok(View {
            name: self.name,
            category: self.category,
            title,
            about: self.about,
            since: self.since,
            kind,
            query,
            text: text.to_owned(),
        })
    }
}

/// The edit distance: how many letters have to be inserted, removed or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(80).enumerate() {
        let mut next = vec![i + 1];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let (diagonal, above) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            let left = next.last().copied().unwrap_or(0);
            next.push((diagonal + usize::from(x != *y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_views_that_come_with_jfrkit_can_be_read() {
        let catalog = Catalog::parse(BUILT_IN).unwrap();
        let of_the_jdk = catalog.views().iter().filter(|view| view.since.is_some()).count();
        assert_eq!(of_the_jdk, 84);
        for view in catalog.views() {
            assert!(!view.title.is_empty() && !view.about.is_empty(), "{}", view.name);
        }
    }

    #[test]
    fn an_error_in_a_file_has_its_line() {
        let error = Catalog::parse("[own.a]\nlabel = A\ntable =\n  SELECT x\n  FORM y\n").unwrap_err();
        assert_eq!((error.line, error.column), (5, 3));
        let error = Catalog::parse("[own.a]\nlabel = A\n").unwrap_err();
        assert_eq!(error.to_string(), "line 1, column 1: view a has no table and no form\n  [own.a]\n  ^");
        let error = Catalog::parse("[a]\n").unwrap_err();
        assert!(error.to_string().contains("expected [category.name]"), "{error}");
    }

    #[test]
    fn quoted_queries_of_the_jdk_are_read() {
        let catalog = Catalog::parse(
            "[jvm.a]\nlabel = \"A b\"\ntable = \"SELECT x FROM y\"\n\n[jvm.b]\nform = \"SELECT x\n FROM y\"",
        )
        .unwrap();
        assert_eq!(catalog.get("a").unwrap().title, "A b");
        assert_eq!(catalog.get("b").unwrap().kind, Kind::Form);
    }

    #[test]
    fn near_names() {
        let catalog = Catalog::built_in();
        assert_eq!(catalog.near("hot-method").first(), Some(&"hot-methods"));
        assert!(catalog.near("gc-pause").contains(&"gc-pauses"));
        assert!(catalog.near("zzzzzzzzzzzz").is_empty());
    }
}
