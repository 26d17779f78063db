//! Generates `docs/views.md`: the query language and all built-in views.

use std::fmt::Write;

use super::catalog::{Catalog, Kind, View};

const HEAD: &str = "\
# Views

`jfrkit view NAME... INPUT...` answers questions from a recording as tables. `jfrkit view --list` names the views; any event
type is a view of its events; `--query` takes a question of your own.

This page is made of `analyzers/src/views/views.txt`; to write it again: `UPDATE_DOCS=1 cargo test -p jfr-analyzers views_md`.

## Examples

```
jfrkit view hot-methods recording.jfr                      the methods that execute most
jfrkit view gc-pauses gc recording.jfr                     pause statistics, and each collection
jfrkit view all-views --format json recording.jfr          every view, one JSON object a line
jfrkit view jdk.ThreadSleep --from 10s --to 20s rec.jfr    the events of a type as a table
jfrkit view --query \"COLUMN 'Host', 'Bytes' SELECT host, SUM(bytesRead) FROM SocketRead GROUP BY host\" rec.jfr
```

| option | |
|---|---|
| `--format text\\|csv\\|json\\|markdown` | JSON is one object a line: `name`, `title`, and `columns` with `rows`, or `form` with labels and values; `file` where several inputs or views are asked; `note` says why there are no rows |
| `--raw` | values in the units of the recording (nanoseconds, bytes, ratios; instants as ISO 8601) instead of rounded texts; JSON has `units` |
| `--width N`, `--truncate beginning\\|end` | lines of text of N characters, and where long cells are cut |
| `--from`, `--to`, `--thread REGEX` | only some events |
| `--views FILE` | your own views, in the form below; they take the place of others of the same name |
| `--own PACKAGES` | what counts as your own code for `own-code` and `stackTrace.topOwnFrame`; `[own]` in `jfrkit.toml` does the same |

## The query language

Keywords in any case, clauses in this order, `[ ]` optional:

```
[COLUMN 'title', …] [FORMAT format, …] SELECT expression [AS alias], … FROM type [AS alias], …
[WHERE condition AND …] [GROUP BY field, …] [ORDER BY expression [ASC|DESC], …] [LIMIT n]
```

* An *expression* is a field, an aggregate of a field such as `MAX(duration)`, `COUNT(*)`, or `*` alone for every field.
* A *field* is a path such as `eventThread` or `object.type`, with the alias of a type in front where several are named
  (`A.startTime`), or `[A|B].field`: from whichever of the types the event is.
* A *type* is an event type with or without `jdk.`, or `*` for all. Types of one row are joined by the key of GROUP BY.
* A *condition* is `field = literal`; the text of the field is compared.
* Aggregates: `COUNT` (nulls too), `SUM`, `AVG`, `MIN`, `MAX`, `MEDIAN`, `P50`, `P90`, `P95`, `P99`, `P999`, `STDEV`, `FIRST`, `LAST`, `LAST_BATCH`
  (the last, of rows whose last event ended with the last of the type), `DIFF` (last less first), `UNIQUE` (how many), `SET`, `LIST`.
  A field without an aggregate shows the last value that is not null. First and last are in the order of time within a chunk, and of the chunks in the file.
* Special fields: `stackTrace.topFrame`, `.topApplicationFrame` (class not of the JVM's own loader), `.topNotInitFrame` (no constructor), `.topOwnFrame` (your own code),
  `eventType.label`, `eventType.name`, and `ownThread` (`eventThread`, `sampledThread` or `thread`).
* Formats, joined by `;`: `none`, `normalized` (share of the sum of the column), `missing:TEXT` (`missing:whitespace` for nothing), `truncate-beginning`, `truncate-end`,
  `cell-height:N` (lines of a cell), `ms-precision:N`.
* Order without a direction falls for times and shares, else rises. Without ORDER BY the aggregated columns decide, the last of them first.

A file of views has a block for each:

```
[category.name]
label = Title
about = what it shows
table =
    SELECT …
```

`form =` instead of `table =` shows one row as labels and values.

## Differences from the JDK's `jfr view`

Compared with JDK 25 on the recordings of a corpus (`.ci/views.py`), where its messages on standard output are left out of the tables:

| difference | why |
|---|---|
| Event types without a label have their name, not `N/A` (`events-by-count`, `events-by-name`) | two such types would be one row |
| Classes, methods and loaders are the same if name and loader are; the JDK goes by numeric id, over all chunks | ids of profilers are those of a chunk, and another method has the same id in the next |
| Long values are whole in CSV, JSON and Markdown | the JDK cuts them to its width |
| Thread names with line breaks stay one row | the JDK breaks the table |
| Rows that are equal at a limit may be others | the order of the JDK is that of a hash table |
| Events of chunks that the JDK's parser skips or refuses count (`recording`, `thread-count`) | its parser loses events there |
| `gc` has the type of the collection, as JDK 25, and the name of the collector, as JDK 28 | both are asked for |
| Fields that this JDK lacks are `N/A`, and the view has the others | the JDK shows no view |
| A type id in `active-settings` is looked up in its own chunk; a row for each setting | ids differ between chunks |
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
    fn views_md_is_what_the_file_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/views.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, super::page()).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        assert!(found == super::page(), "docs/views.md: UPDATE_DOCS=1 cargo test -p jfr-analyzers views_md");
    }
}
