//! The comparison: iterates over all events of a recording with the crate `jfrs`, and does nothing with them.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: jfrs-iterate RECORDING")?;
    let mut reader = jfrs::reader::JfrReader::new(std::fs::File::open(path)?);
    let mut events = 0u64;
    for (mut chunk_reader, chunk) in reader.chunks().flatten() {
        for event in chunk_reader.events(&chunk) {
            event?;
            events += 1;
        }
    }
    println!("{events} events");
    Ok(())
}
