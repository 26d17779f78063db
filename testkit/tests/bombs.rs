//! Recordings crafted to use a lot of memory: no use of them may exceed the bound documented in [`Limits`].
//! `JFRKIT_BOMB` sets the size of each in bytes; the memory used is printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::cast_possible_truncation)]

mod hostile;
mod memory;
mod uses;

use std::io::Write;

use jfr_parse::{Error, Limits, OpenOptions};
use memory::measure;
use uses::{USES, Use};

/// Less than the bound allows for a recording of any size, which would hide how much one mebibyte of input
/// needs.
const FIXED: usize = 16 << 20;
/// What the bound allows per byte of the decompressed recording.
const PER_BYTE: usize = 64;
const PER_BYTE_ANALYSED: usize = 128;
const SIZE: usize = 1 << 20;
/// What the decompressors need; zstd's window can be the largest part of it.
const UNPACKERS: usize = 64 << 20;

/// The limits for interactive use, except those that are bounds in their own right.
fn open(bytes: &[u8]) -> jfr_parse::Result<jfr_parse::Recording<'_>> {
    OpenOptions::new().limits(Limits::tool()).from_bytes(bytes)
}

/// The peak memory of one use of a recording.
fn peak(of: &Use, bytes: &[u8]) -> usize {
    measure(|| open(bytes).map(|recording| of.run(&recording))).1.peak
}

#[test]
fn memory_follows_the_input() {
    let _alone = memory::alone();
    let size = std::env::var("JFRKIT_BOMB").ok().and_then(|n| n.parse().ok()).unwrap_or(SIZE);
    let mut failed = Vec::new();
    for (name, make) in hostile::all() {
        let bytes = make(size);
        assert!(bytes.len() < 3 * size.max(4_096), "{name}: {} bytes", bytes.len());
        for of in USES {
            let peak = peak(of, &bytes);
            let per_byte = if of.name == "analysis" { PER_BYTE_ANALYSED } else { PER_BYTE };
            println!("{:8.1} bytes per byte: {} of {name}", peak as f64 / bytes.len() as f64, of.name);
            if peak > FIXED + per_byte * bytes.len() {
                failed.push(format!("{} of {name}: {peak} bytes for {}", of.name, bytes.len()));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Compressed zeros in every format.
fn packed() -> Vec<(&'static str, Vec<u8>)> {
    const ZEROS: usize = 64 << 20;
    let zeros = vec![0u8; ZEROS];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&zeros).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&zeros).unwrap();
    let zip = zip_of("a.jfr", &zeros);
    vec![
        ("gzip", gzip.finish().unwrap()),
        ("LZ4", lz4.finish().unwrap()),
        ("zstd", zstd_of_zeros(ZEROS)),
        ("zip", zip.clone()),
        ("a zip of zips", zip_of("b.zip", &zip)),
        ("a zip of a thousand names of one file", zip_of_names(&zip_of("a.jfr", &zeros))),
    ]
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// The header of a zip entry from the version field on. Source: APPNOTE.TXT of PKWARE, 4.3.7 and 4.3.12.
fn entry(name: &str, bytes: &[u8], packed: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let mut out = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
    for number in [crc.sum(), packed.len() as u32, bytes.len() as u32] {
        out.extend(number.to_le_bytes());
    }
    out.extend((name.len() as u16).to_le_bytes());
    out.extend([0, 0]);
    out
}

fn zip_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    let packed = deflated(bytes);
    let head = entry(name, bytes, &packed);
    let mut out = b"PK\x03\x04".to_vec();
    out.extend(&head);
    out.extend(name.as_bytes());
    out.extend(packed);
    let directory = out.len();
    out.extend(b"PK\x01\x02\x14\x00");
    out.extend(&head);
    out.extend([0; 14]);
    out.extend(name.as_bytes());
    let size = out.len() - directory;
    end(&mut out, 1, size, directory);
    out
}

fn end(out: &mut Vec<u8>, entries: u16, size: usize, directory: usize) {
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(entries.to_le_bytes());
    out.extend(entries.to_le_bytes());
    out.extend((size as u32).to_le_bytes());
    out.extend((directory as u32).to_le_bytes());
    out.extend([0, 0]);
}

/// The same file under many names.
fn zip_of_names(zip: &[u8]) -> Vec<u8> {
    let at = zip.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    let to = zip.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let mut out = zip[..at].to_vec();
    for _ in 0..1_000 {
        out.extend(&zip[at..to]);
    }
    let size = out.len() - at;
    end(&mut out, 1_000, size, at);
    out
}

/// A frame of RLE blocks, each a byte and its count. Source: RFC 8878, 3.1.1.
fn zstd_of_zeros(n: usize) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    // No dictionary, no checksum, no content size; the largest window that is commonly allowed.
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    for i in 1..=n / BLOCK {
        let last = u32::from(i == n / BLOCK);
        out.extend(&(last | 1 << 1 | (BLOCK as u32) << 3).to_le_bytes()[..3]);
        out.push(0);
    }
    out
}

#[test]
fn endless_decompression_is_an_error() {
    let _alone = memory::alone();
    for (name, bytes) in packed() {
        let mut limits = Limits::intake();
        let (result, taken) = measure(|| OpenOptions::new().limits(limits.clone()).from_bytes(&bytes[..]).map(|_| ()));
        let allowed = (bytes.len() * limits.unpack_ratio as usize).max(1 << 20);
        assert!(result.is_err(), "{name}");
        assert!(taken.peak < UNPACKERS + 3 * allowed, "{name}: {} bytes for {}", taken.peak, bytes.len());
        // Without a limit on the ratio, the limit on the size applies.
        limits.unpack_ratio = u64::MAX;
        limits.recording_bytes = 8 << 20;
        let (result, taken) = measure(|| OpenOptions::new().limits(limits).from_bytes(&bytes[..]).map(|_| ()));
        assert!(taken.peak < UNPACKERS, "{name}: {} bytes", taken.peak);
        let zips = name == "a zip of zips";
        let refused = matches!(result, Err(Error::LimitExceeded { name: "recording_bytes", .. }));
        assert!(refused || zips && matches!(result, Err(Error::NotARecording { .. })), "{name}: {result:?}");
    }
}

#[test]
fn limits_of_memory_and_stacks_end_the_call() {
    let _alone = memory::alone();
    let stacks = hostile::all().into_iter().find(|(name, _)| *name == "stack traces of one frame").unwrap().1;
    let bytes = stacks(1 << 20);
    for (name, value) in [("memory", 1 << 20), ("stacks", 1_000)] {
        let mut limits = Limits::tool();
        assert!(limits.set(name, value));
        let recording = OpenOptions::new().limits(limits).from_bytes(&bytes[..]).unwrap();
        let error = jfr_analyzers::collect(&recording, &Default::default()).unwrap_err();
        assert!(
            matches!(error, Error::LimitExceeded { name: found, limit, .. } if found == name && limit == value),
            "{error}"
        );
        let analyzed = jfrkit_rules::analysis().evaluate(&recording, &Default::default());
        assert!(analyzed.is_err() || name == "memory", "{name}");
    }
}
