#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::{Frame, Function, Interner, Label, LabelValue, ProfileType, Samples};

type Labels<'a> = &'a [(&'static str, &'a str)];

/// Stacks leaf first, each frame `name:line`.
fn profile(samples: &[(&[&str], Labels<'_>, [i64; 2])]) -> (Profile, Tables) {
    let interner = Interner::new();
    let mut columns = Samples::new(2);
    for (frames, labels, values) in samples {
        let mut symbols = interner.symbols();
        let mut stack = Vec::new();
        for frame in *frames {
            let (name, line) = frame.split_once(':').unwrap();
            let name = symbols.string(name);
            // The descriptor differs by line, as that of overloaded methods would.
            let system_name = symbols.string(frame);
            let function = Function { name, system_name, file: Default::default(), library: Default::default() };
            let function = symbols.function_id(function);
            stack.push(symbols.frame_id(Frame { function, line: line.parse().unwrap() }));
        }
        let labels: Vec<_> = labels
            .iter()
            .map(|(key, text)| Label {
                key,
                value: text.parse().map_or_else(|_| LabelValue::Text(symbols.string(text)), LabelValue::Number),
            })
            .collect();
        let labels = symbols.label_set(&labels);
        drop(symbols);
        columns.push(interner.stack(&stack), labels, values);
    }
    let profile = Profile {
        kind: ProfileType::Cpu,
        samples: columns,
        time_nanos: 0,
        duration_nanos: 0,
        period: None,
        coverage: None,
        comments: Vec::new(),
        main: None,
        timeline: None,
    };
    (profile, interner.freeze())
}

fn rows(top: &Top) -> Vec<(&str, i64, i64)> {
    top.rows.iter().map(|r| (r.name.as_str(), r.own[top.value], r.total[top.value])).collect()
}

#[test]
fn own_and_total_with_recursion_counted_once() {
    let (profile, tables) = profile(&[
        (&["fib:2", "fib:1", "fib:1", "main:9"], &[], [1, 10]),
        (&["main:8"], &[], [1, 5]),
        (&["gc:0", "main:8"], &[], [1, 15]),
    ]);
    let top = Top::by_method(&profile, &tables, &TopOptions::default());
    assert_eq!(rows(&top), [("gc", 15, 15), ("fib", 10, 10), ("main", 5, 30)]);
    assert_eq!(top.totals, [3, 30]);
    assert_eq!(top.rows[2].own, [1, 5]);
    assert_eq!(top.rows[2].total, [3, 30]);
    assert!((top.rows[0].own_percent - 50.0).abs() < 1e-9 && (top.rows[2].total_percent - 100.0).abs() < 1e-9);

    let by_total = TopOptions { measure: Measure::Total, limit: Some(2), ..TopOptions::default() };
    let top = Top::by_method(&profile, &tables, &by_total);
    assert_eq!(rows(&top), [("main", 5, 30), ("gc", 15, 15)]);
    assert_eq!(top.omitted, 1);

    // All have equal self counts, so the totals decide, then the names.
    let top = Top::by_method(&profile, &tables, &TopOptions { value: Some(0), ..TopOptions::default() });
    assert_eq!(rows(&top), [("main", 1, 3), ("fib", 1, 1), ("gc", 1, 1)]);
}

#[test]
fn lines_are_rows_of_their_own() {
    let (profile, tables) = profile(&[(&["a:2", "a:1", "a:2"], &[], [1, 10]), (&["a:0"], &[], [1, 1])]);
    let top = Top::by_line(&profile, &tables, &TopOptions::default());
    assert_eq!(rows(&top), [("a:2", 10, 10), ("a", 1, 1), ("a:1", 0, 10)]);
}

#[test]
fn labels_and_what_has_none() {
    let (profile, tables) = profile(&[
        (&["a:1"], &[("thread", "main"), ("thread id", "7")], [1, 10]),
        (&["b:1"], &[("thread", "main")], [1, 20]),
        (&["b:1"], &[("thread", "worker"), ("thread id", "7")], [1, 15]),
        (&["b:1"], &[], [1, 40]),
    ]);
    let top = Top::by_thread(&profile, &tables, &TopOptions::default());
    assert_eq!(rows(&top), [(NO_LABEL, 40, 40), ("main", 30, 30), ("worker", 15, 15)]);
    let top = Top::by_label(&profile, &tables, "thread id", &TopOptions::default());
    assert_eq!(rows(&top), [(NO_LABEL, 60, 60), ("7", 25, 25)]);
}

#[test]
fn nothing_is_left_out_of_the_sums() {
    let (profile, tables) = profile(&[(&[], &[], [1, 10]), (&["a:1"], &[], [1, i64::MAX]), (&["a:1"], &[], [1, 1])]);
    let top = Top::by_method(&profile, &tables, &TopOptions { value: Some(9), ..TopOptions::default() });
    assert_eq!(top.value, 1);
    assert_eq!(rows(&top), [("a", i64::MAX, i64::MAX), (NO_STACK, 10, 10)]);

    let (empty, tables) = self::profile(&[]);
    let top = Top::by_method(&empty, &tables, &TopOptions::default());
    assert!(top.rows.is_empty() && top.omitted == 0 && top.totals == [0, 0]);
}

#[test]
fn rows_serialize_by_the_names_people_know() {
    let (profile, tables) = profile(&[(&["a:1"], &[], [1, 10])]);
    let top = Top::by_method(&profile, &tables, &TopOptions::default());
    let json = serde_json::to_value(&top).unwrap();
    let row = serde_json::json!({
        "name": "a", "self": [1, 10], "total": [1, 10], "self_percent": 100.0, "total_percent": 100.0,
    });
    assert_eq!(json["rows"][0], row);
    assert_eq!(json["values"][1]["unit"], "nanoseconds");
}
