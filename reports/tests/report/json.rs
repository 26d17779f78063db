//! JSON conforms to `docs/analysis.schema.json`.

use jfrkit_reports::{Entry, Format};
use jsonschema::Validator;
use serde_json::{Value as Json, json};

use super::{all_entries, fixture, fixtures, hostile_entries, root, written};

fn schema() -> Validator {
    let text = std::fs::read_to_string(root().join("docs/analysis.schema.json")).unwrap();
    jsonschema::draft202012::new(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn assert_valid(schema: &Validator, report: &Json, of: &str) {
    let errors: Vec<String> = schema.iter_errors(report).map(|e| format!("{}: {e:.300}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{of}: {errors:?}");
}

fn parsed(entries: &[Entry<'_>]) -> Json {
    serde_json::from_str(&written(Format::Json, entries)).unwrap()
}

#[test]
fn reports_of_fixtures_match_the_schema() {
    let schema = schema();
    for (name, report) in fixtures() {
        let written = parsed(&[Entry::new(name, report)]);
        assert_valid(&schema, &written, name);
        assert_eq!(written["recording"]["file"], **name);
        assert_eq!(written["rules"].as_array().unwrap().len(), report.rules.len());
    }
}

#[test]
fn reports_of_several_and_of_unreadable_inputs_match_the_schema() {
    let schema = schema();
    assert_valid(&schema, &parsed(&all_entries()), "all");
    assert_valid(&schema, &parsed(&hostile_entries()), "hostile");
    assert_valid(&schema, &parsed(&[Entry::failed("x.jfr", "offset 0: no")]), "one that fails");
}

#[test]
fn the_schema_rejects_other_json() {
    let schema = schema();
    let good = parsed(&[Entry::new("x.jfr", fixture("jdk17-full"))]);
    assert!(schema.is_valid(&good));
    type Change = fn(&mut Json);
    let changes: [(&str, Change); 8] = [
        ("another key", |r| r["more"] = json!(1)),
        ("no rules", |r| drop(r.as_object_mut().unwrap().remove("rules"))),
        ("a rule without a score", |r| drop(r["rules"][0].as_object_mut().unwrap().remove("score"))),
        ("no such severity", |r| r["rules"][0]["severity"] = json!("bad")),
        ("a score beyond 100", |r| r["rules"][0]["score"] = json!(101)),
        ("evidence without a type", |r| r["rules"][0]["evidence"] = json!({"x": 5})),
        ("a duration in no unit", |r| r["rules"][0]["evidence"] = json!({"x": {"type": "duration", "value": 5}})),
        ("a reason that does not fit", |r| {
            r["rules"][0]["severity"] = json!("ok");
            r["rules"][0]["not_applicable_because"] = json!("because");
        }),
    ];
    for (what, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(!schema.is_valid(&bad), "{what}");
    }
}

#[test]
fn rows_of_tables_are_as_long_as_their_headers() {
    fn check(value: &Json) {
        if value["type"] == "table" {
            let columns = value["columns"].as_array().unwrap().len();
            for row in value["rows"].as_array().unwrap() {
                assert_eq!(row.as_array().unwrap().len(), columns, "{value}");
                row.as_array().unwrap().iter().for_each(check);
            }
        }
    }
    for (name, report) in fixtures() {
        for rule in parsed(&[Entry::new(name, report)])["rules"].as_array().unwrap() {
            rule["evidence"].as_object().unwrap().values().for_each(check);
        }
    }
}
