//! Validates JUnit XML against `junit-10.xsd`, the schema of Jenkins's xUnit plugin (MIT, © Gregory Boissinot; the notice is in
//! the file). The rules for elements and attributes are always checked, by the few constructs that the schema uses; `xmllint`
//! checks everything if it is installed.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use jfr_analyzers::rule::Severity;
use jfrkit_reports::{Format, Style};
use roxmltree::{Document, Node};

use super::{all_entries, fixtures, hostile_entries, write, written};

const SCHEMA: &str = include_str!("junit-10.xsd");

/// What the schema requires of an element.
#[derive(Debug, Default)]
struct Element {
    /// The attributes, and whether each is required.
    attributes: BTreeMap<String, bool>,
    children: Vec<String>,
    text: bool,
}

/// The top-level elements of the schema, which are all that we write.
fn elements(schema: &Document<'_>) -> BTreeMap<String, Element> {
    let top =
        schema.root_element().children().filter(|n| n.has_tag_name(("http://www.w3.org/2001/XMLSchema", "element")));
    top.map(|node| {
        let inside = || node.descendants().skip(1);
        let of = |name: &'static str| inside().filter(move |n| n.tag_name().name() == name);
        let attribute =
            |n: Node<'_, '_>| (n.attribute("name").unwrap().to_owned(), n.attribute("use") == Some("required"));
        let element = Element {
            attributes: of("attribute").map(attribute).collect(),
            children: of("element").filter_map(|n| n.attribute("ref")).map(str::to_owned).collect(),
            text: node.attribute("type") == Some("xs:string")
                || of("complexType").any(|n| n.attribute("mixed") == Some("true")),
        };
        (node.attribute("name").unwrap().to_owned(), element)
    })
    .collect()
}

fn errors(xml: &str) -> Vec<String> {
    let schema = Document::parse(SCHEMA).unwrap();
    let elements = elements(&schema);
    let document = match Document::parse(xml) {
        Ok(document) => document,
        Err(error) => return vec![error.to_string()],
    };
    let mut errors = Vec::new();
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        let Some(element) = elements.get(name) else {
            errors.push(format!("no element {name}"));
            continue;
        };
        for attribute in node.attributes() {
            if !element.attributes.contains_key(attribute.name()) {
                errors.push(format!("no attribute {} of {name}", attribute.name()));
            }
        }
        for (attribute, _) in element.attributes.iter().filter(|(_, required)| **required) {
            if !node.has_attribute(attribute.as_str()) {
                errors.push(format!("{name} needs {attribute}"));
            }
        }
        for child in node.children() {
            let fits = match child.is_element() {
                true => element.children.iter().any(|c| c == child.tag_name().name()),
                false => !child.is_text() || element.text || child.text().unwrap_or_default().trim().is_empty(),
            };
            if !fits {
                errors.push(format!("{child:?} in {name}"));
            }
        }
    }
    errors
}

#[test]
fn reports_are_as_the_schema_says() {
    assert_eq!(errors(&written(Format::Junit, &all_entries())), [""; 0]);
    assert_eq!(errors(&written(Format::Junit, &hostile_entries())), [""; 0]);
    for (what, bad) in [
        ("no attribute skipped of testsuites", "<testsuites skipped=\"1\"/>"),
        ("testsuite needs errors", "<testsuites><testsuite name=\"a\" tests=\"1\" failures=\"0\"/></testsuites>"),
        ("no element rule", "<rule/>"),
    ] {
        assert!(errors(bad).iter().any(|e| e == what), "{what}: {:?}", errors(bad));
    }
}

#[test]
fn xmllint_finds_them_valid() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("junit-10.xsd");
    std::fs::write(&schema, SCHEMA).unwrap();
    for xml in [written(Format::Junit, &all_entries()), written(Format::Junit, &hostile_entries())] {
        let mut xmllint = Command::new("xmllint");
        xmllint.args(["--noout", "--nonet", "--schema"]).arg(&schema).arg("-");
        xmllint.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut child) = xmllint.spawn() else {
            eprintln!("skipped: xmllint is not installed");
            return;
        };
        child.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn counts_are_those_of_the_tests() {
    for fail_on in [Severity::Info, Severity::Warning] {
        let mut style = Style::default();
        style.fail_on = fail_on;
        let xml = write(Format::Junit, &all_entries(), &style);
        let document = Document::parse(&xml).unwrap();
        let suites: Vec<Node<'_, '_>> = document.root_element().children().filter(Node::is_element).collect();
        assert_eq!(suites.len(), fixtures().len() + 1);
        for (suite, (name, report)) in suites.iter().zip(fixtures()) {
            let count = |tag: &str| suite.descendants().filter(|n| n.has_tag_name(tag)).count().to_string();
            assert_eq!(suite.attribute("name"), Some(name.as_str()));
            assert_eq!(suite.attribute("tests"), Some(report.rules.len().to_string().as_str()));
            for (attribute, tag) in
                [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
            {
                assert_eq!(suite.attribute(attribute), Some(count(tag).as_str()), "{name}: {attribute}");
            }
            assert_eq!(count("failure"), report.worst_first(fail_on).len().to_string(), "{name}");
        }
        assert_eq!(suites.last().unwrap().attribute("errors"), Some("1"));
    }
}
