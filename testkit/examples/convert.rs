//! The shortest converter: `cargo run --release --example convert -- rec.jfr DIR`.

use std::error::Error;
use std::path::Path;

use jfr_analyzers::{Options, collect};
use jfr_parse::Recording;
use jfrkit_profile::Profile;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(input), Some(directory)) = (args.next(), args.next()) else {
        return Err("usage: convert RECORDING DIRECTORY".into());
    };
    convert(input.as_ref(), directory.as_ref())
}

pub(crate) fn convert(input: &Path, directory: &Path) -> Result<(), Box<dyn Error>> {
    let recording = Recording::open(input)?;
    let set = collect(&recording, &Options::default())?;
    let path = |profile: &Profile| directory.join(format!("{}.pb.gz", profile.kind));
    for written in pprof_emit::write_all(&set, path, &pprof_emit::Options::default())? {
        println!("{}: {} samples", written.path.display(), written.stats.samples);
    }
    Ok(())
}
