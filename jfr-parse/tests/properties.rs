//! What is written can be read back, and skipping a value ends where reading it does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values are cut to the width of their fields"
)]

use jfr_parse::testing::*;
use jfr_parse::{Clock, Cursor, EpochNanos, Limits, RawStr, Recording, TickSpan, Ticks, TimeUnit, TypeId, ValueReader};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Text with everything that is special in one encoding or another.
fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        Just('\0'),
        Just('\u{7f}'),
        Just('\u{80}'),
        Just('é'),
        Just('\u{7ff}'),
        Just('\u{800}'),
        Just('\u{ffff}'),
        Just('😀'),
        any::<char>()
    ];
    prop::collection::vec(char, 0..40).prop_map(|chars| chars.into_iter().collect())
}

/// HotSpot's encoding: NUL as two bytes, and characters beyond the basic plane as two surrogates of three bytes
/// each.
fn modified_utf8(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for unit in text.encode_utf16() {
        let [high, low] = unit.to_be_bytes();
        match unit {
            1..=0x7f => out.push(low),
            0 | 0x80..=0x7ff => out.extend([0xc0 | high << 2 | low >> 6, 0x80 | low & 0x3f]),
            _ => out.extend([0xe0 | high >> 4, 0x80 | high << 2 & 0x3c | low >> 6, 0x80 | low & 0x3f]),
        }
    }
    out
}

/// A payload with one string, and the expected text.
fn any_string() -> impl Strategy<Value = (Payload, Option<String>)> {
    let latin1 = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        Just((Payload::new().null(), None)),
        Just((Payload::new().empty(), Some(String::new()))),
        any::<u64>().prop_map(|key| (Payload::new().pooled(key), None)),
        text().prop_map(|text| (Payload::new().utf8(&text), Some(text))),
        text().prop_map(|text| (Payload::new().utf8(modified_utf8(&text)), Some(text))),
        text().prop_map(|text| (Payload::new().utf16(&text), Some(text))),
        latin1.prop_map(|bytes| (Payload::new().latin1(&bytes), Some(bytes.iter().map(|&b| char::from(b)).collect()))),
    ]
}

/// The bytes of a payload.
fn bytes(of: &Payload) -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    let before = chunk.event(0, &Payload::new()).finish().len();
    let mut chunk = ChunkWriter::new();
    chunk.size_width = 4;
    let with = chunk.event(0, of).finish();
    // After the header: four bytes of size and one of type.
    with[before + 3..].to_vec()
}

proptest! {
    #[test]
    fn strings_are_read_and_skipped(strings in prop::collection::vec(any_string(), 0..20), cut in any::<prop::sample::Index>()) {
        let all: Vec<u8> = strings.iter().flat_map(|(payload, _)| bytes(payload)).collect();
        let (mut read, mut past) = (Cursor::new(&all), Cursor::new(&all));
        for (_, text) in &strings {
            let raw = RawStr::read(&mut read).unwrap();
            RawStr::skip(&mut past).unwrap();
            prop_assert_eq!(read.left(), past.left());
            let decoded = raw.decode();
            prop_assert_eq!(decoded.as_deref(), text.as_deref());
        }
        prop_assert_eq!(read.left(), 0);
        // If the bytes are truncated anywhere, both notice at the same string.
        let cut = &all[..cut.index(all.len() + 1)];
        let (mut read, mut past) = (Cursor::new(cut), Cursor::new(cut));
        while let Ok(raw) = RawStr::read(&mut read) {
            prop_assert!(raw.decode().is_none_or(|text| text.len() <= 2 * all.len()));
            prop_assert!(RawStr::skip(&mut past).is_ok());
            prop_assert_eq!(read.left(), past.left());
        }
        prop_assert!(RawStr::skip(&mut past).is_err());
    }

    #[test]
    fn lone_surrogates_are_replaced(units: Vec<u16>) {
        let payload = units.iter().fold(Payload::new().byte(4).varint(units.len() as u64), |p, u| p.varint((*u).into()));
        let all = bytes(&payload);
        let raw = RawStr::read(&mut Cursor::new(&all)).unwrap();
        prop_assert_eq!(raw.decode().unwrap().into_owned(), String::from_utf16_lossy(&units));
    }

    #[test]
    fn times_are_converted_exactly_and_back(
        start_nanos in 0..4_000_000_000_000_000_000_i64,
        start_ticks in 0..1_i64 << 61,
        per_second in prop_oneof![Just(1_000_i64), Just(1_000_000_000), Just(2_800_000_000), 1..10_000_000_000_i64],
        // Values that a double represents exactly.
        span in -(1_i64 << 52)..1_i64 << 52,
    ) {
        let clock = Clock::new(EpochNanos(start_nanos), Ticks(start_ticks), per_second);
        prop_assert_eq!(clock.nanos(Ticks(start_ticks)), EpochNanos(start_nanos));
        let exact = i128::from(span) * 1_000_000_000 / i128::from(per_second);
        let error = |nanos: i128| nanos.abs() / (1 << 51) + 1;
        let nanos = i128::from(clock.span(TickSpan(span)).0);
        let saturated = exact.abs() > i128::from(i64::MAX);
        prop_assert!(saturated || (nanos - exact).abs() <= error(exact), "{nanos} is not {exact}");
        let instant = i128::from(start_nanos) + exact;
        if !saturated && i64::try_from(instant).is_ok() {
            let ticks = start_ticks + span;
            let at = clock.nanos(Ticks(ticks));
            prop_assert!((i128::from(at.0) - instant).abs() <= error(exact));
            // One nanosecond is several ticks, or one tick several nanoseconds.
            let unit = i128::from(per_second) / 1_000_000_000 + 1;
            let back = i128::from(clock.ticks(at).0);
            let room = unit * (1 + error(exact)) + (i128::from(span).abs() >> 51);
            prop_assert!((back - i128::from(ticks)).abs() <= room, "{back} is not {ticks}");
            prop_assert_eq!(clock.instant(ticks, TimeUnit::Ticks), Some(at));
        }
        prop_assert_eq!(clock.length(span, TimeUnit::Ticks), Some(clock.span(TickSpan(span))));
    }

    #[test]
    fn time_never_runs_backwards(start: i64, per_second: i64, one in -(1_i64 << 60)..1 << 60, more in 0..1_i64 << 60) {
        let clock = Clock::new(EpochNanos(start), Ticks(0), per_second);
        prop_assert!(clock.span(TickSpan(one)) <= clock.span(TickSpan(one + more)));
        // Any number is accepted without overflow.
        let _ = (clock.nanos(Ticks(start)), clock.ticks(EpochNanos(one)), clock.elapsed(Ticks(start), TickSpan(more)), clock.instant(start, TimeUnit::Seconds));
    }
}

/// The content of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Held {
    Boolean,
    Byte,
    Short,
    Int,
    Long,
    Char,
    Float,
    Double,
    Text,
    Key,
    Inline,
}

const PAIR: u64 = 60;
const NAME: u64 = 61;
const TICK: u64 = 100;

fn held() -> impl Strategy<Value = (Held, bool)> {
    use Held::*;
    let held = prop::sample::select(vec![Boolean, Byte, Short, Int, Long, Char, Float, Double, Text, Key, Inline]);
    (held, prop::bool::weighted(0.3))
}

/// Appends a random value to `payload` and returns what it should read as.
fn value(held: Held, payload: Payload, random: u64) -> (Payload, Json) {
    let wide = random.cast_signed() >> (random % 64);
    let [low, ..] = wide.to_le_bytes();
    match held {
        Held::Boolean => (payload.byte(low & 1), json!(low & 1 == 1)),
        Held::Byte => (payload.byte(low), json!(low.cast_signed())),
        Held::Short => (payload.varint((wide as u16).into()), json!(wide as i16)),
        Held::Int => (payload.int(wide as i32), json!(wide as i32)),
        Held::Long => (payload.long(wide), json!(wide)),
        Held::Char => (payload.varint(u64::from('a') + random % 26), json!(char::from(b'a' + (random % 26) as u8))),
        Held::Float => (payload.float(wide as f32), json!(wide as f32)),
        Held::Double => (payload.double(wide as f64 / 3.0), json!(wide as f64 / 3.0)),
        Held::Text => match random % 5 {
            0 => (payload.null(), Json::Null),
            1 => (payload.empty(), json!("")),
            2 => (payload.utf8(format!("ü{low}")), json!(format!("ü{low}"))),
            3 => (payload.utf16(&format!("😀{low}")), json!(format!("😀{low}"))),
            _ => (
                payload.pooled(random % 4),
                if random % 4 == 3 { Json::Null } else { json!(format!("s{}", random % 4)) },
            ),
        },
        // Constants 0 to 2 exist, 3 does not.
        Held::Key => (
            payload.varint(random % 4),
            match random % 4 {
                3 => Json::Null,
                key => json!({"id": key * 1_000, "name": format!("n{key}")}),
            },
        ),
        Held::Inline => {
            (payload.long(wide).varint(random % 3), json!({"left": wide, "right": format!("n{}", random % 3)}))
        }
    }
}

fn field(i: usize, (held, array): (Held, bool)) -> Field {
    let (id, pooled) = match held {
        Held::Boolean => (BOOLEAN, false),
        Held::Byte => (BYTE, false),
        Held::Short => (SHORT, false),
        Held::Int => (INT, false),
        Held::Long => (LONG, false),
        Held::Char => (CHAR, false),
        Held::Float => (FLOAT, false),
        Held::Double => (DOUBLE, false),
        Held::Text => (STRING, false),
        Held::Key => (PAIR + 2, true),
        Held::Inline => (PAIR, false),
    };
    let mut field = Field::new(&format!("f{i}"), id);
    if pooled {
        field = field.pooled();
    }
    if array { field.array() } else { field }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn written_recordings_can_be_read(
        fields in prop::collection::vec(held(), 1..8),
        events in prop::collection::vec(prop::collection::vec(any::<u64>(), 8), 0..12),
        width in 1..6_usize,
        early: bool,
    ) {
        let name = |key: u64| (key, Payload::new().utf8(format!("n{key}")));
        let text = |key: u64| (key, Payload::new().latin1(format!("s{key}").as_bytes()));
        let pools: Vec<Pool> = vec![
            (NAME, (0..3).map(name).collect()),
            (STRING, (0..3).map(text).collect()),
            (PAIR + 2, (0..3).map(|key| (key, Payload::new().varint(key * 1_000).varint(key))).collect()),
        ];
        let classes = [
            Class::new(PAIR, "test.Pair").field(Field::new("left", LONG)).field(Field::new("right", NAME).pooled()),
            Class::symbol(NAME, "test.Name"),
            Class::new(PAIR + 2, "test.Both").field(Field::new("id", LONG)).field(Field::new("name", NAME).pooled()),
            fields.iter().enumerate().fold(Class::event(TICK, "test.Tick"), |c, (i, f)| c.field(field(i, *f))),
        ];
        let mut chunk = ChunkWriter::new();
        chunk.size_width = width;
        if early {
            chunk.checkpoint(&pools).metadata(&classes);
        }
        let mut written = Vec::new();
        for seeds in &events {
            let mut payload = Payload::new();
            let mut object = serde_json::Map::new();
            for (i, (&(held, array), &seed)) in fields.iter().zip(seeds).enumerate() {
                let json;
                if array {
                    let n = seed % 5;
                    payload = payload.varint(n);
                    let mut elements = Vec::new();
                    for j in 0..n {
                        let (next, element) = value(held, payload, seed.rotate_left(7 * j as u32 + 1));
                        payload = next;
                        elements.push(element);
                    }
                    json = Json::Array(elements);
                } else {
                    (payload, json) = value(held, payload, seed);
                }
                object.insert(format!("f{i}"), json);
            }
            chunk.event(TICK, &payload);
            written.push((Json::Object(object), bytes(&payload).len()));
        }
        if !early {
            chunk.checkpoint(&pools).metadata(&classes);
        }
        let bytes = chunk.finish();
        let recording = Recording::from_bytes(&bytes, &Limits::default()).unwrap();
        prop_assert!(recording.losses().is_empty());
        let chunk = recording.chunk(0).unwrap();
        prop_assert!(chunk.losses().is_empty());
        let (reader, of) = (ValueReader::new(&chunk), chunk.metadata().by_id(TypeId(TICK)).unwrap());
        let plan = jfr_parse::Plan::whole(of, [""; 1], chunk.limits()).unwrap();
        prop_assert_eq!(chunk.events().count(), written.len());
        for (event, (json, size)) in chunk.events().zip(&written) {
            // As a tree, with serde, and skipped.
            let tree = serde_json::to_value(reader.event(&event).unwrap()).unwrap();
            prop_assert_eq!(&tree, json);
            let read: Json = chunk.deserialize(&event).unwrap();
            prop_assert_eq!(&read, json);
            let mut at = Cursor::new(event.payload);
            plan.read_next(&mut at).unwrap();
            prop_assert_eq!((event.payload.len(), at.left()), (*size, 0));
            // The last field on its own, after all the others.
            let (i, (held, array)) = (fields.len() - 1, fields[fields.len() - 1]);
            if !array && matches!(held, Held::Byte | Held::Short | Held::Int | Held::Long) {
                let last = chunk.plan(of, [format!("f{i}").as_str()]).unwrap();
                prop_assert_eq!(json!(event.read(&last).unwrap().get(last.field::<i64>(&format!("f{i}")))), json[format!("f{i}")].clone());
            }
        }
    }
}
