//! Prints the totals of each profile: `cargo run --release --example totals -- rec.jfr`.

fn main() -> jfr_parse::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: totals RECORDING");
        std::process::exit(2);
    };
    let recording = jfr_parse::Recording::open(path)?;
    let set = jfr_analyzers::collect(&recording, &jfr_analyzers::Options::default())?;
    for profile in &set.profiles {
        println!("{:12} {} samples {:?}", profile.kind, profile.samples.len(), profile.totals());
        for comment in &profile.comments {
            println!("    {comment}");
        }
    }
    for absent in &set.absent {
        println!("{:12} absent: {}", absent.kind, absent.reason);
    }
    for loss in &set.losses {
        println!("{loss}");
    }
    Ok(())
}
