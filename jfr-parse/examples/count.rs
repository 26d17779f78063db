//! Counts the events of a recording by type: `cargo run --example count -- rec.jfr`.

use std::collections::BTreeMap;

fn main() -> jfr_parse::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: count RECORDING");
        std::process::exit(2);
    };
    let recording = jfr_parse::Recording::open(path)?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for chunk in recording.chunks() {
        let chunk = chunk?;
        for event in chunk.events() {
            if let Some(event_type) = chunk.metadata().by_id(event.type_id) {
                *counts.entry(event_type.name().to_owned()).or_default() += 1;
            }
        }
    }
    for (name, count) in counts {
        println!("{count:>10} {name}");
    }
    Ok(())
}
