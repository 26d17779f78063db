//! Writes the recording of a day: 86,400 s, 8 threads, 20 ms, 50,000 distinct stacks.
//!
//!     cargo run --profile quick -p jfrkit-testkit --example day -- day.jfr [SECONDS]
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::error::Error;
use std::io::{BufWriter, Write};

use jfrkit_testkit::day::LongRecording;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let path = arguments.next().ok_or("usage: day FILE [SECONDS]")?;
    let mut of = LongRecording::default();
    if let Some(seconds) = arguments.next() {
        of.seconds = seconds.to_str().and_then(|text| text.parse().ok()).ok_or("a number of seconds is expected")?;
    }
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    of.write(&mut file)?;
    file.flush()?;
    println!("{} samples", of.samples());
    Ok(())
}
