//! Fills the corpora of the fuzz targets with small recordings made from the fixtures, and with parts of them.
//!
//!     cargo run -p jfrkit-testkit --bin seeds -- fuzz/corpus [recording or directory]...
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};

use jfr_parse::{METADATA, RawStr, Recording, Type};
use jfrkit_testkit::checks::{profiles, sound_checkpoint};
use jfrkit_testkit::reduced;

/// Number of event types in one small recording.
const TYPES_AT_ONCE: usize = 6;
/// Larger seeds make the fuzzer slow.
const LARGEST: usize = 48 << 10;
/// The targets that take complete recordings.
const OF_RECORDINGS: [&str; 5] = ["recording", "serde", "convert", "analysis", "chunk_header"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().ok_or("usage: seeds CORPORA [RECORDING OR DIRECTORY]...")?;
    let mut from: Vec<PathBuf> = arguments.collect();
    if from.is_empty() {
        from.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures"));
    }
    let mut corpora = Corpora { out, written: 0 };
    for path in recordings(from)? {
        let Ok(recording) = Recording::open(&path) else { continue };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        corpora.of(&name, &recording)?;
    }
    for (i, text) in ["10s", "-1m30s", "2026-11-22T10:36:30.5+01:00", "1795343790000"].iter().enumerate() {
        corpora.write("configuration", &format!("time-{i}"), text.as_bytes())?;
    }
    let example = "[rules.LongGcPause]\ninfo = \"500 ms\"\nenabled = false\n\n[[pattern]]\nid = \"OurCache\"\ntitle = \"Our cache\"\nframes = [\"com.acme.cache.\"]\ncpu = { info = \"2 %\", warning = \"5 %\" }\n";
    corpora.write("configuration", "settings", example.as_bytes())?;
    corpora.write("checkpoint", "sound", &sound_checkpoint())?;
    println!("{} seeds", corpora.written);
    Ok(())
}

/// The recordings in these files and directories, sorted by name.
fn recordings(mut left: Vec<PathBuf>) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                left.push(entry?.path());
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

struct Corpora {
    out: PathBuf,
    written: usize,
}

impl Corpora {
    fn write(&mut self, target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        if bytes.is_empty() || bytes.len() > LARGEST {
            return Ok(());
        }
        let folder = self.out.join(target);
        std::fs::create_dir_all(&folder)?;
        self.written += 1;
        std::fs::write(folder.join(name), bytes)
    }

    fn of(&mut self, name: &str, recording: &Recording<'_>) -> Result<(), Box<dyn Error>> {
        let mut types: Vec<String> = Vec::new();
        for chunk in recording.chunks().flatten() {
            for event in chunk.events() {
                if let Some(of) = chunk.metadata().by_id(event.type_id)
                    && !types.iter().any(|t| t == of.name())
                {
                    types.push(of.name().to_owned());
                }
            }
        }
        let whole = reduced(recording, 1, |_| true)?;
        self.recording(&format!("{name}-all"), &whole)?;
        for (i, some) in types.chunks(TYPES_AT_ONCE).enumerate() {
            let wanted = |of: Type<'_>| some.iter().any(|name| name == of.name());
            self.recording(&format!("{name}-{i}"), &reduced(recording, 3, wanted)?)?;
        }
        Ok(())
    }

    /// Writes a small recording and the parts extracted from it.
    fn recording(&mut self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        for target in OF_RECORDINGS {
            self.write(target, name, bytes)?;
        }
        let recording = Recording::from_bytes(bytes, &jfr_parse::Limits::default())?;
        assert!(recording.losses().is_empty(), "{name}: {:?}", recording.losses());
        self.packed(name, bytes)?;
        for chunk in recording.chunks() {
            let chunk = chunk?;
            for event in chunk.walk(jfr_parse::HEADER_SIZE..chunk.bytes().len()).filter(|e| e.type_id == METADATA) {
                self.write("metadata", name, event.payload)?;
            }
            self.texts(name, &chunk)?;
        }
        for (i, profile) in profiles(&recording).iter().enumerate() {
            self.write("pprof", &format!("{name}-{i}"), profile)?;
        }
        Ok(())
    }

    /// Writes strings, both encoded and as names.
    fn texts(&mut self, name: &str, chunk: &jfr_parse::Chunk<'_>) -> Result<(), Box<dyn Error>> {
        let mut encoded = Vec::new();
        for of in chunk.metadata().types().filter(|t| t.name() == "jdk.types.Symbol") {
            let Some(pool) = chunk.pools().of_type(of.id()) else { continue };
            for (i, key) in pool.keys().take(8).enumerate() {
                let text = chunk.pools().string(chunk.metadata(), of.id(), key);
                if let RawStr::Utf8(bytes) = text {
                    encoded.extend([3, u8::try_from(bytes.len()).unwrap_or(0)]);
                    encoded.extend(bytes);
                }
                if let Some(text) = text.decode() {
                    self.write("names", &format!("{name}-{i}"), text.as_bytes())?;
                }
            }
        }
        self.write("varints", name, &encoded)?;
        Ok(self.write("strings", name, &encoded)?)
    }

    /// Writes a recording in each compression format.
    fn packed(&mut self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        use std::io::{Cursor, Write};
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(bytes)?;
        self.write("unpack", &format!("{name}.gz"), &gzip.finish()?)?;
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(bytes)?;
        self.write("unpack", &format!("{name}.lz4"), &lz4.finish()?)?;
        let zstd = ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
        self.write("unpack", &format!("{name}.zst"), &zstd)?;
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("a/recording.jfr", zip::write::SimpleFileOptions::default())?;
        archive.write_all(bytes)?;
        Ok(self.write("unpack", &format!("{name}.zip"), &archive.finish()?.into_inner())?)
    }
}
