//! Encodes any profile as pprof.

use std::io::{self, Write};

use jfrkit_profile::StrId;
use jfrkit_profile::any::{AnyProfile, SampleType};

use crate::wire::{bytes, message, number, signed, varint};

/// The index by which a string is referenced.
fn id(text: StrId) -> u64 {
    text.number().into()
}

fn value_type(out: &mut Vec<u8>, tag: u8, of: SampleType) {
    message(out, tag, |out| {
        number(out, 1, id(of.name));
        number(out, 2, id(of.unit));
    });
}

/// Encodes a profile as uncompressed `profile.proto`. Markers, counters and sample times cannot be stored in
/// this format.
#[must_use]
pub fn any_to_bytes(profile: &AnyProfile) -> Vec<u8> {
    let mut out = Vec::new();
    for &of in &profile.sample_types {
        value_type(&mut out, 1, of);
    }
    let mut ids = Vec::new();
    let mut values = Vec::new();
    for sample in profile.samples() {
        ids.clear();
        values.clear();
        sample.locations.iter().for_each(|&at| varint(&mut ids, u64::from(at) + 1));
        sample.values.iter().for_each(|&value| varint(&mut values, signed(value)));
        message(&mut out, 2, |out| {
            if !ids.is_empty() {
                bytes(out, 1, &ids);
            }
            if !values.is_empty() {
                bytes(out, 2, &values);
            }
            for label in sample.labels {
                message(out, 3, |out| {
                    number(out, 1, id(label.key));
                    number(out, 2, id(label.text));
                    number(out, 3, signed(label.number));
                    number(out, 4, id(label.unit));
                });
            }
        });
    }
    for (of, at) in profile.mappings.iter().zip(1..) {
        message(&mut out, 3, |out| {
            number(out, 1, at);
            number(out, 2, of.start);
            number(out, 3, of.limit);
            number(out, 4, of.offset);
            number(out, 5, id(of.file));
            number(out, 6, id(of.build_id));
            let flags = [of.has_functions, of.has_filenames, of.has_line_numbers, of.has_inline_frames];
            flags.into_iter().zip(7..).for_each(|(flag, tag)| number(out, tag, u64::from(flag)));
        });
    }
    for (place, of) in (0_u32..).zip(&profile.locations) {
        message(&mut out, 4, |out| {
            number(out, 1, u64::from(place) + 1);
            number(out, 2, of.mapping.map_or(0, |mapping| u64::from(mapping) + 1));
            number(out, 3, of.address);
            for line in profile.lines_of(place) {
                message(out, 4, |out| {
                    number(out, 1, u64::from(line.function) + 1);
                    number(out, 2, signed(line.line));
                    number(out, 3, signed(line.column));
                });
            }
            number(out, 5, u64::from(of.folded));
        });
    }
    for (of, at) in profile.functions.iter().zip(1..) {
        message(&mut out, 5, |out| {
            number(out, 1, at);
            number(out, 2, id(of.name));
            number(out, 3, id(of.system_name));
            number(out, 4, id(of.file));
            number(out, 5, signed(of.start_line));
        });
    }
    for text in profile.texts.iter() {
        bytes(&mut out, 6, text.as_bytes());
    }
    number(&mut out, 7, id(profile.drop_frames));
    number(&mut out, 8, id(profile.keep_frames));
    number(&mut out, 9, signed(profile.time_nanos));
    number(&mut out, 10, signed(profile.duration_nanos));
    if let Some(period) = profile.period_type {
        value_type(&mut out, 11, period);
    }
    number(&mut out, 12, signed(profile.period));
    if !profile.comments.is_empty() {
        message(&mut out, 13, |out| profile.comments.iter().for_each(|&comment| varint(out, id(comment))));
    }
    number(&mut out, 14, id(profile.default_sample_type));
    number(&mut out, 15, id(profile.doc_url));
    out
}

/// Writes a profile as pprof, compressed with gzip.
///
/// # Errors
/// Errors of `out`.
pub fn write_any(profile: &AnyProfile, out: impl Write) -> io::Result<()> {
    let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::new(2));
    packed.write_all(&any_to_bytes(profile))?;
    packed.finish()?.flush()
}
