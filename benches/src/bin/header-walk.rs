//! The lower bound: maps a recording and reads only the size and type of each event.
#![allow(unsafe_code, reason = "the map, as the reader under test makes it")]

use jfr_parse::{ChunkHeader, Cursor, HEADER_SIZE};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: header-walk RECORDING")?;
    let file = std::fs::File::open(path)?;
    // SAFETY: the map is read-only and private; nobody changes the file during the measurement.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    let (mut at, mut events, mut types) = (0usize, 0u64, 0u64);
    while at < map.len() {
        let chunk = map.get(at..).ok_or("past the end")?;
        let size = usize::try_from(ChunkHeader::read(chunk, at as u64)?.chunk_size)?;
        let chunk = chunk.get(..size).ok_or("a cut chunk")?;
        let mut event = HEADER_SIZE;
        while event < size {
            let mut cursor = Cursor::new(chunk.get(event..).ok_or("past the end")?);
            event += usize::try_from(cursor.varint()?)?;
            types = types.wrapping_add(cursor.varint()?);
            events += 1;
        }
        at += size;
    }
    println!("{events} events, {types}");
    Ok(())
}
