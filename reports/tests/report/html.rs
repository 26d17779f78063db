//! The page: one file, sound, and safe from names. What only a browser can tell is in `browser.rs`.

use std::collections::BTreeSet;

use jfr_analyzers::rule::Severity;
use jfrkit_reports::{Entry, Format};

use super::{all_entries, fixture, fixtures, harmless_entries, hostile_entries, written};

/// Elements without an end.
const VOID: [&str; 4] = ["meta", "br", "wbr", "link"];

/// A tag: its name, whether it ends an element, and its attributes.
#[derive(Debug)]
struct Tag {
    name: String,
    end: bool,
    attributes: Vec<(String, String)>,
}

/// The tags of a page. Attributes are in double quotes, as they are written here.
fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page.split_once("<html").expect("html").1;
    rest = rest.split_once("</style>").expect("style").1;
    while let Some((text, after)) = rest.split_once('<') {
        assert!(!text.contains('>'), "a > in text: {text}");
        let mut inside = String::new();
        let mut quoted = false;
        let mut length = 0;
        for c in after.chars() {
            length += c.len_utf8();
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => break,
                _ => {}
            }
            inside.push(c);
        }
        rest = &after[length..];
        let inside = inside.trim_end_matches('/');
        let end = inside.starts_with('/');
        let (name, mut left) =
            inside.trim_start_matches('/').split_once(' ').unwrap_or((inside.trim_start_matches('/'), ""));
        let mut attributes = Vec::new();
        while !left.trim().is_empty() {
            left = left.trim_start();
            let word = left.find([' ', '=']).unwrap_or(left.len());
            let (key, after) = left.split_at(word);
            if let Some(value) = after.strip_prefix("=\"") {
                let (value, after) = value.split_once('"').expect("an end of the value");
                attributes.push((key.to_owned(), value.to_owned()));
                left = after;
            } else {
                assert!(!after.starts_with('='), "no quotes: {inside}");
                attributes.push((key.to_owned(), String::new()));
                left = after;
            }
        }
        tags.push(Tag { name: name.to_owned(), end, attributes });
    }
    tags
}

/// Every element ends where it should, ids are there once, links lead somewhere.
fn check(page: &str) {
    let tags = tags(page);
    let mut open: Vec<&str> = Vec::new();
    let (mut ids, mut links) = (BTreeSet::new(), BTreeSet::new());
    // The rest of a paragraph's or a drawing's elements are closed in themselves.
    let empty = |name: &str| VOID.contains(&name) || ["path", "rect", "circle"].contains(&name);
    for tag in &tags {
        if tag.end {
            // The head, the body and the page began before the part that is looked at.
            let began_before = ["head", "body", "html"].contains(&tag.name.as_str());
            match open.pop() {
                Some(last) => assert_eq!(last, tag.name),
                None => assert!(began_before, "the end of {:?}, which did not begin", tag.name),
            }
        } else if !empty(&tag.name) {
            open.push(&tag.name);
        }
        for (key, value) in &tag.attributes {
            match key.as_str() {
                "id" => {
                    assert!(!value.is_empty() && !value.contains(char::is_whitespace), "{value}");
                    assert!(ids.insert(value.clone()), "twice: {value}");
                }
                "href" => drop(links.insert(value.strip_prefix('#').expect("a link within the page").to_owned())),
                _ => {}
            }
        }
    }
    assert_eq!(open, [""; 0]);
    assert!(links.is_subset(&ids), "{:?}", links.difference(&ids));
}

#[test]
fn pages_are_sound() {
    for (name, report) in fixtures() {
        check(&written(Format::Html, &[Entry::new(name, report)]));
    }
    check(&written(Format::Html, &all_entries()));
    check(&written(Format::Html, &hostile_entries()));
    check(&written(Format::Html, &[Entry::failed("x.jfr", "no")]));
}

#[test]
fn nothing_comes_from_elsewhere() {
    let page = written(Format::Html, &all_entries());
    assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'"));
    for tag in tags(&page) {
        assert!(
            !["script", "img", "iframe", "link", "object", "embed", "form", "base"].contains(&&*tag.name),
            "{tag:?}"
        );
        for (key, value) in &tag.attributes {
            assert!(!key.starts_with("on") && !["src", "srcset", "action", "srcdoc"].contains(&&**key), "{tag:?}");
            assert!(!value.contains("url(") && !value.contains("javascript:"), "{tag:?}");
        }
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"));
}

/// Names that would break out of a page change its text and nothing else.
#[test]
fn hostile_names_make_the_same_elements_as_harmless_ones() {
    let shape = |entries: &[Entry<'_>]| {
        let tags = tags(&written(Format::Html, entries));
        let kept = tags.into_iter().filter(|tag| tag.name != "wbr");
        let keys = |tag: &Tag| {
            let keys = tag.attributes.iter().map(|(key, _)| key.clone());
            // Of how long a text is and what it looks like.
            keys.filter(|key| key != "class").collect::<Vec<_>>()
        };
        kept.map(|tag| (tag.name.clone(), tag.end, keys(&tag))).collect::<Vec<_>>()
    };
    assert_eq!(shape(&hostile_entries()), shape(&harmless_entries()));
}

#[test]
fn the_timeline_points_at_findings() {
    let with_marks = fixtures().iter().filter(|(name, report)| {
        let page = written(Format::Html, &[Entry::new(name, report)]);
        page.contains("<circle class=\"mark\"")
    });
    assert!(with_marks.count() > 2);
    let page = written(Format::Html, &[Entry::new("rec.jfr", fixture("jdk17-full"))]);
    for title in ["CPU load", "Heap after GC", "GC pauses", "Exceptions"] {
        assert!(page.contains(&format!(">{title}</text>")), "{title}");
    }
}

#[test]
fn findings_are_there_in_order_and_the_rest_below() {
    for (name, report) in fixtures() {
        let page = written(Format::Html, &[Entry::new(name, report)]);
        let titles: Vec<&str> = page
            .split("<h3>")
            .skip(1)
            .filter_map(|t| t.split_once(". ")?.1.split_once(" <small>"))
            .map(|t| t.0)
            .collect();
        let expected: Vec<String> =
            report.worst_first(Severity::Info).iter().map(|o| o.rule.title.replace('\'', "&#39;")).collect();
        assert_eq!(titles, expected, "{name}");
        for outcome in &report.rules {
            assert!(page.contains(&format!(">{}", outcome.rule.id)), "{name}: {}", outcome.rule.id);
        }
    }
}
