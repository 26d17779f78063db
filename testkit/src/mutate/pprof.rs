//! Damage to pprof files.

use pprof_emit::pb;
use prost::Message;

use crate::random::Random;

/// Lengths of lists: within what is accepted, and beyond it.
const MANY: [usize; 3] = [2, 300, 20_000];

/// An index or id as a broken writer might produce it.
fn wild(random: &mut Random, old: i64) -> i64 {
    let cases =
        [0, 1, 2, 3, -1, old.wrapping_add(1), old.wrapping_neg(), i64::MAX, i64::MIN, 1 << 32, i64::from(u32::MAX), 5];
    *random.pick(&cases)
}

fn unsigned(random: &mut Random, old: u64) -> u64 {
    wild(random, old.cast_signed()).cast_unsigned()
}

/// A damaged copy of a pprof file without gzip: one or two values changed, so that it can still be decoded. Of other bytes, a copy
/// with noise.
#[must_use]
pub fn mutant_of_pprof(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let Ok(mut p) = pb::Profile::decode(bytes) else {
        let mut out = bytes.to_vec();
        super::framing::noise(&mut out, random);
        return out;
    };
    for _ in 0..1 + usize::from(random.chance(30)) {
        let (samples, locations, functions) = (p.sample.len(), p.location.len(), p.function.len());
        match random.below(23) {
            0 if samples > 0 => {
                let sample = &mut p.sample[random.below(samples)];
                let at = random.below(sample.value.len().max(1));
                if let Some(value) = sample.value.get_mut(at) {
                    *value = wild(random, *value);
                }
            }
            1 if samples > 0 => drop(p.sample[random.below(samples)].value.pop()),
            2 if samples > 0 => {
                p.sample[random.below(samples)].value.extend(std::iter::repeat_n(7, *random.pick(&MANY)));
            }
            3 if samples > 0 => {
                let id = unsigned(random, 3);
                p.sample[random.below(samples)].location_id.push(id);
            }
            4 if samples > 0 => p.sample[random.below(samples)].location_id.clear(),
            5 if samples > 0 => p.sample[random.below(samples)].location_id = [1, 2, 3].repeat(*random.pick(&MANY)),
            6 if locations > 0 => {
                let location = &mut p.location[random.below(locations)];
                location.id = unsigned(random, location.id);
            }
            7 if locations > 0 => {
                let line =
                    pb::Line { function_id: unsigned(random, 2), line: wild(random, 1), column: wild(random, 1) };
                p.location[random.below(locations)].line.push(line);
            }
            8 if locations > 0 => p.location[random.below(locations)].line.clear(),
            9 if functions > 0 => {
                let function = &mut p.function[random.below(functions)];
                function.name = wild(random, function.name);
            }
            10 if functions > 0 => {
                let function = &mut p.function[random.below(functions)];
                function.id = unsigned(random, function.id);
            }
            11 => drop(p.sample_type.pop()),
            12 => {
                let unit = wild(random, 2);
                p.sample_type.push(pb::ValueType { r#type: wild(random, 1), unit });
            }
            13 => p.string_table.truncate(random.below(4)),
            14 => {
                let at = random.below(p.string_table.len().max(1));
                if let Some(text) = p.string_table.get_mut(at) {
                    *text = random.pick(&["", "\0", "<img onerror=alert(1)>", "\u{202e}txt", "../../x"]).to_string();
                }
            }
            15 => p.time_nanos = wild(random, p.time_nanos),
            16 => p.duration_nanos = wild(random, p.duration_nanos),
            17 if samples > 0 => {
                let label = pb::Label {
                    key: wild(random, 1),
                    str: wild(random, 2),
                    num: wild(random, 3),
                    num_unit: wild(random, 4),
                };
                p.sample[random.below(samples)].label.push(label);
            }
            18 => p.sample_type.clear(),
            // Equal strings, each with its own index.
            19 => {
                let copies: Vec<String> = p.string_table.iter().skip(1).take(2_000).cloned().collect();
                let first = i64::try_from(p.string_table.len()).expect("a table in memory");
                p.string_table.extend(copies);
                if functions > 0 {
                    let function = &mut p.function[random.below(functions)];
                    function.name += if function.name > 0 { first - 1 } else { 0 };
                }
            }
            20 if locations > 0 => {
                let line = pb::Line { function_id: 1, line: 1 << 31, column: 0 };
                p.location[random.below(locations)].line = vec![line; *random.pick(&MANY)];
            }
            21 if functions > 0 => {
                // Two with the same id.
                let twin = p.function[random.below(functions)];
                p.function.push(twin);
            }
            _ => {
                p.default_sample_type = wild(random, 1);
                p.mapping.clear();
                p.period = wild(random, p.period);
            }
        }
    }
    let mut out = p.encode_to_vec();
    match random.below(20) {
        0 => super::framing::noise(&mut out, random),
        1 => out.truncate(random.below(out.len().max(1))),
        // A string that is not UTF-8, which prost cannot write.
        2 => out.extend([6 << 3 | 2, 2, 0xff, b'x']),
        _ => {}
    }
    out
}
