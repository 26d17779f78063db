//! Events as structs: adds up the bytes read from each file: `cargo run --release --example reads -- rec.jfr`.

use std::collections::BTreeMap;
use std::path::Path;

use jfr_parse::{Recording, de::Timespan};

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileRead {
    path: Option<String>,
    bytes_read: i64,
    duration: Timespan,
}

fn main() -> jfr_parse::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: reads RECORDING");
        std::process::exit(2);
    };
    for (path, (bytes, nanos)) in reads(path.as_ref())? {
        println!("{bytes:>12} bytes {nanos:>12} ns  {path}");
    }
    Ok(())
}

pub(crate) fn reads(input: &Path) -> jfr_parse::Result<BTreeMap<String, (i64, i64)>> {
    let mut sums = BTreeMap::<String, (i64, i64)>::new();
    for chunk in Recording::open(input)?.chunks() {
        let chunk = chunk?;
        let Some(file_read) = chunk.metadata().by_name("jdk.FileRead") else { continue };
        for event in chunk.events().filter(|event| event.type_id == file_read.id()) {
            let read: FileRead = chunk.deserialize(&event)?;
            let sum = sums.entry(read.path.unwrap_or_default()).or_default();
            *sum = (sum.0 + read.bytes_read, sum.1 + read.duration.nanos);
        }
    }
    Ok(sums)
}
