//! Generates `docs/views.md`: the query language and all built-in views.

use std::fmt::Write;

use super::catalog::{Catalog, Kind, View};

const HEAD: &str = "\
# Views

`jfrkit view NAME... INPUT...` shows data from a recording as tables. `jfrkit view --list` lists the views. The name of an event
type is also a view, which shows its events. Use `--query` for your own queries.

This page is generated from `analyzers/src/views/views.txt`; to update it, run `UPDATE_DOCS=1 cargo test -p jfr-analyzers views_md`.

## Examples

```
jfrkit view hot-methods recording.jfr                      the hottest methods
jfrkit view gc-pauses gc recording.jfr                     pause statistics, and each collection
jfrkit view all-views --format json recording.jfr          every view, one JSON object per line
jfrkit view jdk.ThreadSleep --from 10s --to 20s rec.jfr    the events of a type as a table
jfrkit view --query \"COLUMN 'Host', 'Bytes' SELECT host, SUM(bytesRead) FROM SocketRead GROUP BY host\" rec.jfr
```

| option | |
|---|---|
| `--format text\\|csv\\|json\\|markdown` | JSON has one object per line: `name`, `title`, and `columns` with `rows`, or `form` with labels and values; `file` if there are several inputs or views; `note` explains why there are no rows |
| `--raw` | unrounded values in base units (nanoseconds, bytes, ratios; timestamps as ISO 8601); JSON includes `units` |
| `--width N`, `--truncate beginning\\|end` | the width of the text in characters, and where to truncate long cells |
| `--from`, `--to`, `--thread REGEX` | select events |
| `--views FILE` | your own views, in the format described below; they replace built-in views with the same name |
| `--own PACKAGES` | what counts as your own code for `own-code` and `stackTrace.topOwnFrame`; `[own]` in `jfrkit.toml` does the same |

## The query language

Keywords are case-insensitive, clauses are in this order, and `[ ]` marks optional parts:

```
[COLUMN 'title', …] [FORMAT format, …] SELECT expression [AS alias], … FROM type [AS alias], …
[WHERE condition AND …] [GROUP BY field, …] [ORDER BY expression [ASC|DESC], …] [LIMIT n]
```

* An *expression* is a field, an aggregate of a field such as `MAX(duration)`, `COUNT(*)`, or just `*` for every field.
* A *field* is a path such as `eventThread` or `object.type`, with the alias of a type as prefix if there are several
  (`A.startTime`), or `[A|B].field` for a field of either type.
* A *type* is an event type with or without `jdk.`, or `*` for all. Several types are joined by the key of GROUP BY.
* A *condition* is `field = literal`, which compares the text of the field.
* Aggregates: `COUNT` (nulls too), `SUM`, `AVG`, `MIN`, `MAX`, `MEDIAN`, `P50`, `P90`, `P95`, `P99`, `P999`, `STDEV`, `FIRST`, `LAST`, `LAST_BATCH`
  (the last value, keeping only rows whose last event ended together with the last event of the type), `DIFF` (last minus first), `UNIQUE` (number of distinct values), `SET`, `LIST`.
  A field without an aggregate shows the last value that is not null. First and last are by time within a chunk, and by file order among chunks.
* Special fields: `stackTrace.topFrame`, `.topApplicationFrame` (class not loaded by the JVM's own loader), `.topNotInitFrame` (not a constructor), `.topOwnFrame` (your own code),
  `eventType.label`, `eventType.name`, and `ownThread` (`eventThread`, `sampledThread` or `thread`).
* Formats, joined by `;`: `none`, `normalized` (share of the column's sum), `missing:TEXT` (`missing:whitespace` for a blank cell), `truncate-beginning`, `truncate-end`,
  `cell-height:N` (lines of a cell), `ms-precision:N`.
* Without a direction, the order is descending for times and shares, and ascending otherwise. Without ORDER BY, rows are sorted by the aggregated columns, the last of them first.

A file of views has one block per view:

```
[category.name]
label = Title
about = what it shows
table =
    SELECT …
```

Use `form =` instead of `table =` to show a single row as labels and values.

## Differences from the JDK's `jfr view`

Compared with JDK 25 on a corpus of recordings (`.ci/views.py`), ignoring the messages that it prints on standard output:

| difference | why |
|---|---|
| Event types without a label are shown by name, not as `N/A` (`events-by-count`, `events-by-name`) | otherwise two such types would share a row |
| Classes, methods and loaders are the same if their names and loaders are equal; the JDK compares numeric ids across all chunks | profilers assign ids per chunk, so another method can have the same id in the next chunk |
| Long values are complete in CSV, JSON and Markdown | the JDK truncates them to its width |
| Thread names with line breaks stay one row | the JDK breaks the table |
| If rows compare equal at a limit, different ones may be shown | the JDK's order is that of a hash table |
| Events in chunks that the JDK's parser skips or rejects are included (`recording`, `thread-count`) | its parser loses events there |
| `gc` shows both the type of the collection (as in JDK 25) and the name of the collector (as in JDK 28) | both are useful |
| Fields that the recording lacks are `N/A`; the rest of the view is shown | the JDK does not show the view at all |
| A type id in `active-settings` is looked up in its own chunk; each setting has its own row | ids differ between chunks |
| Sizes of JDK 9 recordings have units | the JDK does not know their annotation |
| Times are UTC | the JDK shows local time |
";

/// The page as Markdown.
#[must_use]
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    let catalog = Catalog::built_in();
    for (category, title) in [
        ("own", "Beyond the JDK's"),
        ("jvm", "Java virtual machine"),
        ("environment", "Environment"),
        ("application", "Application"),
    ] {
        let views: Vec<&View> = catalog.views().iter().filter(|view| view.category == category).collect();
        let _ = write!(out, "\n## {title} ({})\n", views.len());
        for view in views {
            let kind = if view.kind == Kind::Form { "form" } else { "table" };
            let since = view.since.map(|since| format!(", JDK {since}")).unwrap_or_default();
            let _ = write!(out, "\n### `{}`\n\n{}: {} ({kind}{since}).\n\n```\n", view.name, view.title, view.about);
            for line in view.text.lines() {
                let _ = writeln!(out, "{}", line.strip_prefix("    ").unwrap_or(line).trim_end());
            }
            out.push_str("```\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn views_md_matches_the_view_file() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/views.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, super::page()).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        assert!(found == super::page(), "docs/views.md: UPDATE_DOCS=1 cargo test -p jfr-analyzers views_md");
    }
}
