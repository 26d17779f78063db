//! Estimates the memory that a pprof file needs before decoding it: a few bytes from an untrusted client can expand a lot.

use pprof_emit::AnyLimits;

/// Decoded messages may take this many times the bytes that a pprof file may have.
const BLOWUP: u64 = 3;

/// Counts the content of a pprof file without decoding it.
#[derive(Debug, Default)]
struct Weight {
    samples: u64,
    strings: u64,
    locations: u64,
    sample_types: u64,
    bytes: u64,
}

/// Rejects a pprof file that exceeds the limits.
pub(super) fn check(raw: &[u8], limits: &AnyLimits) -> Result<(), String> {
    let mut weight = Weight::default();
    let most = limits.bytes.saturating_mul(BLOWUP);
    let within = |what: &str, count: u64, limit: usize| {
        if count > u64::try_from(limit).unwrap_or(u64::MAX) { Err(format!("more than {limit} {what}")) } else { Ok(()) }
    };
    let mut rest = raw;
    while !rest.is_empty() {
        let Some((field, content)) = next(&mut rest) else { break };
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        // Approximate size of each message decoded by prost: the struct and what it refers to.
        let (count, bytes) = match field {
            1 => (&mut weight.sample_types, 16),
            2 => {
                let (depth, bytes) = sample(content);
                within("frames in a stack", depth, limits.depth)?;
                (&mut weight.samples, bytes)
            }
            4 => (&mut weight.locations, 72_u64.saturating_add(lines(content).saturating_mul(24))),
            6 => (&mut weight.strings, 24_u64.saturating_add(size)),
            _ => {
                weight.bytes = weight.bytes.saturating_add(64_u64.saturating_add(size));
                continue;
            }
        };
        *count = count.saturating_add(1);
        weight.bytes = weight.bytes.saturating_add(bytes);
        within("sample types", weight.sample_types, limits.sample_types)?;
        within("samples", weight.samples, limits.samples)?;
        within("locations", weight.locations, limits.locations)?;
        within("texts", weight.strings, limits.strings)?;
        if weight.bytes > most {
            return Err(format!("it would take more than {most} bytes of memory"));
        }
    }
    Ok(())
}

/// The frames of a sample, and the bytes that it takes.
fn sample(mut rest: &[u8]) -> (u64, u64) {
    let (mut depth, mut bytes) = (0_u64, 72_u64);
    while !rest.is_empty() {
        let Some((field, content)) = next(&mut rest) else { break };
        // Each number of a packed list ends with a byte below 128; an unpacked number has no content here.
        let numbers = u64::try_from(content.iter().filter(|byte| **byte < 128).count()).unwrap_or(u64::MAX).max(1);
        match field {
            1 => depth = depth.saturating_add(numbers),
            2 => bytes = bytes.saturating_add(numbers.saturating_mul(8)),
            _ => bytes = bytes.saturating_add(40),
        }
    }
    (depth, bytes.saturating_add(depth.saturating_mul(8)))
}

/// The lines of a location.
fn lines(mut rest: &[u8]) -> u64 {
    let mut count = 0;
    while !rest.is_empty() {
        let Some((field, _)) = next(&mut rest) else { break };
        count += u64::from(field == 4);
    }
    count
}

/// The next field and its content, empty for numbers. `None` at the end and on errors, which the decoder then reports.
fn next<'r>(rest: &mut &'r [u8]) -> Option<(u64, &'r [u8])> {
    let tag = varint(rest)?;
    let length = match tag & 7 {
        0 => {
            varint(rest)?;
            return Some((tag >> 3, &[]));
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((tag >> 3, content))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 127) << shift;
        if *byte < 128 {
            return Some(value);
        }
    }
    None
}

/// Maximum messages in an OpenTelemetry request; each takes about 100 bytes.
const MAX_MESSAGES: u64 = 6 << 20;

/// Fields that contain messages, and the fields within those.
struct Inside(&'static [(u64, Inside)]);

/// `ExportProfilesServiceRequest`.
const REQUEST: Inside = {
    const NONE: Inside = Inside(&[]);
    const KEY_VALUE: Inside = Inside(&[(2, NONE)]);
    const PROFILE: Inside = Inside(&[(1, NONE), (2, NONE), (5, NONE)]);
    const SCOPE: Inside = Inside(&[(2, PROFILE)]);
    const RESOURCE: Inside = Inside(&[(1, Inside(&[(1, KEY_VALUE)])), (2, SCOPE)]);
    const DICTIONARY: Inside =
        Inside(&[(1, NONE), (2, Inside(&[(3, NONE)])), (3, NONE), (5, NONE), (6, KEY_VALUE), (7, NONE)]);
    Inside(&[(1, RESOURCE), (2, DICTIONARY)])
};

/// Rejects an OpenTelemetry request with more messages than fit into memory.
pub(super) fn otlp(raw: &[u8]) -> Result<(), String> {
    let mut count = 0;
    messages(raw, &REQUEST, &mut count);
    if count > MAX_MESSAGES { Err(format!("more than {MAX_MESSAGES} messages in one request")) } else { Ok(()) }
}

fn messages(mut rest: &[u8], of: &Inside, count: &mut u64) {
    while !rest.is_empty() && *count <= MAX_MESSAGES {
        let Some((field, content)) = next(&mut rest) else { return };
        if let Some((_, inside)) = of.0.iter().find(|(number, _)| *number == field) {
            *count += 1;
            messages(content, inside, count);
        }
    }
}

/// Rejects a JSON request that would take too much memory. While it is parsed, an object takes about 100 bytes whatever it
/// contains, and a number or string in a list about a quarter of that. Either can be as short as two bytes of JSON.
pub(super) fn otlp_json(raw: &[u8]) -> Result<(), String> {
    const OBJECT: u64 = 4;
    let (mut weight, mut in_text, mut escaped) = (0u64, false, false);
    for byte in raw {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' => weight = weight.saturating_add(OBJECT),
            b',' | b'[' => weight = weight.saturating_add(1),
            _ => {}
        }
    }
    let most = MAX_MESSAGES.saturating_mul(OBJECT);
    if weight > most { Err(format!("more than {MAX_MESSAGES} messages in one request")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn small_messages_that_expand_too_far_are_rejected() {
        let limits = AnyLimits::intake();
        // Empty samples, empty labels and one-byte numbers: one or two bytes each.
        assert_eq!(check(&[0x12, 0].repeat(5 << 20), &limits).unwrap_err(), "more than 4194304 samples");
        let labels = [0x1a, 0].repeat(1 << 20);
        let mut sample = vec![0x12];
        let mut length = labels.len();
        while length >= 128 {
            sample.push(u8::try_from(length & 127).unwrap() | 128);
            length >>= 7;
        }
        sample.push(u8::try_from(length).unwrap());
        sample.extend(labels);
        let small = AnyLimits { bytes: 8 << 20, ..limits };
        assert!(check(&sample, &small).unwrap_err().contains("bytes of memory"));
        let mut deep = vec![0x12, 0xa4, 0xc3, 0x01, 0x0a, 0xa0, 0xc3, 0x01];
        deep.extend([1; 25_000]);
        assert_eq!(check(&deep, &limits).unwrap_err(), "more than 16384 frames in a stack");
        // The same in an OpenTelemetry request: strings of the dictionary.
        let strings = [0x2a, 0].repeat(7 << 20);
        let mut request = vec![0x12];
        let mut length = strings.len();
        while length >= 128 {
            request.push(u8::try_from(length & 127).unwrap() | 128);
            length >>= 7;
        }
        request.push(u8::try_from(length).unwrap());
        request.extend(strings);
        assert!(otlp(&request).unwrap_err().contains("messages"));
        assert_eq!(otlp(request.get(..1_000).unwrap()), Ok(()));
        // The decoder reports damage.
        for damaged in [&[0x12][..], &[0x12, 200], &[255; 20], &[0x0b]] {
            assert_eq!(check(damaged, &limits), Ok(()));
        }
    }

    #[test]
    fn json_that_expands_too_far_is_rejected_before_decoding() {
        let list = |item: &str, count: usize| format!("{{\"resourceProfiles\":[{}{{}}]}}", item.repeat(count));
        for (item, count) in [("{},", 6 << 20), ("1,", 25 << 20), ("[],", 13 << 20)] {
            assert!(otlp_json(list(item, count).as_bytes()).unwrap_err().contains("messages"), "{item}");
            assert_eq!(otlp_json(list(item, 1_000).as_bytes()), Ok(()));
        }
        // The content of strings does not count.
        let text = "{,[".repeat(20 << 20);
        assert_eq!(otlp_json(format!("[\"\\\"{text}\\\\\"]").as_bytes()), Ok(()));
    }
}
