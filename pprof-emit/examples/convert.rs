//! The shortest converter: `cargo run --release --example convert -- rec.jfr DIR`.

use std::error::Error;
use std::path::Path;

use jfr_analyzers::{Options, collect};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(input), Some(dir)) = (args.next(), args.next()) else {
        return Err("usage: convert RECORDING DIR".into());
    };
    let recording = jfr_parse::Recording::open(input)?;
    let set = collect(&recording, &Options::default())?;
    let path = |profile: &jfr_analyzers::model::Profile| Path::new(&dir).join(format!("{}.pb.gz", profile.kind));
    for written in pprof_emit::write_all(&set, path, &pprof_emit::Options::default())? {
        println!("{}: {} samples, {} bytes", written.path.display(), written.stats.samples, written.stats.bytes);
    }
    Ok(())
}
