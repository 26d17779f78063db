//! Converts an untrusted recording to profiles: `cargo run --release --example receive -- rec.jfr`.

use std::error::Error;
use std::time::Duration;

use jfr_analyzers::{Options, collect};
use jfr_parse::{Limits, OpenOptions, Stop};
use jfrkit_profile::ProfileSet;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args_os().nth(1) else { return Err("usage: receive RECORDING".into()) };
    for profile in receive(&std::fs::read(path)?)?.profiles {
        println!("{}: {} samples", profile.kind, profile.samples.len());
    }
    Ok(())
}

pub(crate) fn receive(upload: &[u8]) -> jfr_parse::Result<ProfileSet> {
    let stop = Stop::after(Duration::from_secs(60));
    let recording = OpenOptions::new().limits(Limits::intake()).stop(stop).from_bytes(upload)?;
    collect(&recording, &Options::default())
}
