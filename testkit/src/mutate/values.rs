//! Changes to the values of events and constants: numbers, keys, counts, elements, strings.

use jfr_parse::engine::push_varint;
use jfr_parse::testing::padded_varint;
use jfr_parse::{CHECKPOINT, Cursor, Metadata};

use crate::image::EventImage;
use crate::parts::{self, Part, What};
use crate::random::Random;

/// Elements are repeated only up to this many bytes.
const MOST_BYTES: usize = 1 << 18;

/// The payload with one part changed; `None` if it has no parts.
pub(super) fn change(event: &EventImage<'_>, types: &Metadata, random: &mut Random) -> Option<Vec<u8>> {
    let payload = event.payload();
    let parts = match event.type_id() {
        CHECKPOINT => parts::of_checkpoint(types, payload),
        id => parts::of_event(types.by_id(id)?, payload),
    };
    if parts.is_empty() {
        return None;
    }
    let chosen = random.below(parts.len());
    let part = &parts[chosen];
    let old = &payload[part.range.clone()];
    let new = match part.what {
        What::Number | What::Pool => number(old, random),
        What::Key(_) => key(part, &parts, payload, random),
        What::Count => varint(random.number(value(old)), random),
        What::Element(count) => return Some(element(part, &parts[count], &parts, payload, random)),
        What::Fixed => fixed(old.len(), random),
        What::Text => text(random),
    };
    Some(splice(payload, part, &new))
}

fn splice(payload: &[u8], part: &Part, new: &[u8]) -> Vec<u8> {
    [&payload[..part.range.start], new, &payload[part.range.end..]].concat()
}

fn value(bytes: &[u8]) -> u64 {
    Cursor::new(bytes).varint().unwrap_or(0)
}

fn varint(value: u64, random: &mut Random) -> Vec<u8> {
    padded_varint(value, if random.chance(10) { 1 + random.below(8) } else { 1 })
}

fn number(old: &[u8], random: &mut Random) -> Vec<u8> {
    let new = random.number(value(old));
    varint(new, random)
}

/// Usually the key of another constant of the type.
fn key(part: &Part, parts: &[Part], payload: &[u8], random: &mut Random) -> Vec<u8> {
    if random.chance(60) {
        let same: Vec<&Part> = parts.iter().filter(|p| p.what == part.what).collect();
        return payload[random.pick(&same).range.clone()].to_vec();
    }
    number(&payload[part.range.clone()], random)
}

/// Drops, repeats or moves an element, keeping the count correct.
fn element(part: &Part, count: &Part, parts: &[Part], payload: &[u8], random: &mut Random) -> Vec<u8> {
    let bytes = &payload[part.range.clone()];
    let n = value(&payload[count.range.clone()]);
    let (copies, by) = match random.below(4) {
        0 => (0, 1u64.wrapping_neg()),
        1 => (2, 1),
        2 => {
            let most = (MOST_BYTES / bytes.len().max(1)).min(3_000);
            let copies = 2 + random.below(most);
            (copies, copies as u64 - 1)
        }
        _ => {
            // Replaces it with another one.
            let same: Vec<&Part> = parts.iter().filter(|p| p.what == part.what).collect();
            return splice(payload, part, &payload[random.pick(&same).range.clone()]);
        }
    };
    let mut out = payload[..count.range.start].to_vec();
    push_varint(&mut out, n.wrapping_add(by));
    out.extend_from_slice(&payload[count.range.end..part.range.start]);
    (0..copies).for_each(|_| out.extend_from_slice(bytes));
    out.extend_from_slice(&payload[part.range.end..]);
    out
}

fn fixed(bytes: usize, random: &mut Random) -> Vec<u8> {
    let double = *random.pick(&[0.0, -0.0, 1.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 1e-310]);
    match bytes {
        1 => vec![*random.pick(&[0, 1, 2, 0x7f, 0x80, 0xff])],
        4 => (double as f32).to_be_bytes().to_vec(),
        8 => double.to_be_bytes().to_vec(),
        n => vec![random.bits() as u8; n],
    }
}

/// A string in any encoding: null, text with a meaning somewhere, invalid text, a forged length.
fn text(random: &mut Random) -> Vec<u8> {
    const TEXTS: [&str; 16] = [
        "",
        "a;b\nc\rd\te",
        "\u{1b}[31mred\u{7}",
        "<script>\"&'</script>]]>",
        "([Ljava/lang/Object;[[IJ)V",
        "([[[[[[[[[[",
        "lambda$main$0x00007f/0x0000000800000000+0xffffffffffffffff",
        "java/lang/invoke/LambdaForm$MH/0x0000000800",
        "-9223372036854775808",
        "99999999999999999999 ms",
        "1e400",
        "-XX:MaxHeapSize=18446744073709551615 -Xmx99999g",
        "true",
        "main",
        "é😀\u{202e}\u{fffd}",
        "$$Lambda$$Lambda//+0x",
    ];
    let chosen = *random.pick(&TEXTS);
    let mut out = Vec::new();
    let mut counted = |encoding: u8, n: usize, bytes: &[u8]| {
        out.push(encoding);
        push_varint(&mut out, n as u64);
        out.extend_from_slice(bytes);
    };
    match random.below(12) {
        0 => return vec![0],
        1 => return vec![1],
        2 => counted(2, random.below(50), &[]),
        3..6 => counted(3, chosen.len(), chosen.as_bytes()),
        6 => {
            let units: Vec<u16> = chosen.encode_utf16().chain([0xd800, 0xdc00, 0xdfff, 0]).collect();
            let mut bytes = Vec::new();
            units.iter().for_each(|unit| push_varint(&mut bytes, u64::from(*unit)));
            counted(4, units.len(), &bytes);
        }
        7 => counted(5, chosen.len(), chosen.as_bytes()),
        8 => counted(3, 9, &[0xc0, 0x80, 0xed, 0xa0, 0xbd, 0xff, 0xfe, 0xe6, 0xbc]),
        9 => {
            let long = chosen.repeat(1 + random.below(200));
            counted(3, long.len(), long.as_bytes());
        }
        10 => counted(*random.pick(&[3, 4, 5]), random.number(7) as usize, b"abc"),
        _ => out.push(6 + random.below(250) as u8),
    }
    out
}
