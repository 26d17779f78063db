//! Trees of random profiles as JSON, which `web/test/unit/vectors.test.ts` computes in TypeScript too: both
//! must have the same number at every node.
//!
//! `JFRKIT_WRITE_VECTORS=1 cargo test -p jfrkit-profile --test vectors` updates them.
#![allow(clippy::unwrap_used)]

use jfrkit_profile::Cancel;
use jfrkit_profile::tree::{By, CallStacks, FrameKind, Pattern, SampleType, Tree, View, table};
use serde_json::{Value, json};

/// Random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const NAMES: [&str; 9] = [
    "java.lang.Thread.run",
    "java.util.HashMap.get",
    "app.Main.main",
    "app.Worker.run",
    "app.Worker.step",
    "org.lib.Json.write",
    "org.lib.Json.écrire",
    "漢字.Klasse.führe😀",
    "solo",
];

fn stacks(seed: u64) -> CallStacks {
    let mut random = Random(seed);
    let mut stacks = CallStacks::new(vec![SampleType::new("cpu", "nanoseconds")]);
    for _ in 0..10 + random.below(50) {
        let depth = 1 + random.below(9);
        let path: Vec<u32> = (0..depth)
            .map(|_| {
                let name = NAMES.get(usize::try_from(random.below(9)).unwrap()).unwrap();
                stacks.frame(name, FrameKind::Java, 0)
            })
            .collect();
        stacks.add(&path, &[], &[1 + i64::try_from(random.below(1_000)).unwrap()]);
    }
    stacks
}

fn vector(seed: u64) -> Value {
    let stacks = stacks(seed);
    let cancel = Cancel::never();
    let tree = |view: &View| Tree::new(&stacks, 0, view, &cancel).unwrap();
    let whole = |tree: &Tree| serde_json::to_value(tree.to_json(None, 0.0).unwrap()).unwrap();
    let pattern = |text: &str| Some(Pattern::new(text).unwrap());
    let default = View::default();
    let flame = tree(&default);
    let wanted = "app.Worker.run";
    let sandwich = Tree::sandwich(&stacks, 0, &default, wanted, &cancel).unwrap();
    let rows = table(&stacks, 0, &default, &By::Function, &cancel).unwrap().rows;
    let addresses: Vec<String> = flame.addresses().iter().map(ToString::to_string).collect();
    json!({
        "flame": whole(&flame),
        "addresses": addresses,
        "callers": whole(&Tree::callers(&stacks, 0, &default, &cancel).unwrap()),
        "sandwich": { "function": wanted, "callers": whole(&sandwich.callers), "callees": whole(&sandwich.callees) },
        "table": rows.iter().map(|row| json!([row.key, row.own, row.total])).collect::<Vec<_>>(),
        "include": { "pattern": "Json", "tree": whole(&tree(&View { include: pattern("Json").into_iter().collect(), ..View::default() })) },
        "exclude": { "pattern": "Json", "tree": whole(&tree(&View { exclude: pattern("Json"), ..View::default() })) },
        "hide": { "pattern": "Worker", "tree": whole(&tree(&View { hide: pattern("Worker"), ..View::default() })) },
        "recursion": whole(&tree(&View { collapse_recursion: true, ..View::default() })),
        "library": { "prefix": "java.", "tree": whole(&tree(&View { library: vec!["java.".into()], ..View::default() })) },
        "search": { "text": "json", "value": flame.search(&Pattern::search("json").unwrap()).value },
    })
}

#[test]
fn vectors_are_those_that_are_committed() {
    let made: Vec<Value> = (1..=8).map(vector).collect();
    let text = made.iter().map(Value::to_string).collect::<Vec<_>>().join(",\n");
    let text = format!("[{text}]\n");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/trees.json");
    if std::env::var_os("JFRKIT_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(committed == Value::from(made), "trees changed: regenerate the vectors and review the diff");
}
