//! Checks of the parts of a recording, each on its own.

use jfr_analyzers::names;
use jfr_parse::engine::PoolLayouts;
use jfr_parse::text::{class_name, declaration, descriptor_names};
use jfr_parse::{
    ChunkHeader, Clock, Cursor, EpochNanos, Inline, Iso, Limits, Metadata, Plan, RawStr, Text, TickSpan, Ticks,
};

/// Parses bytes as a chunk header.
pub fn header(bytes: &[u8]) {
    if let Ok(header) = ChunkHeader::read(bytes, 0) {
        let _ = header.check_supported(0).map_err(|e| e.to_string());
        let clock = Clock::new(header.start_nanos, header.start_ticks, header.ticks_per_second);
        for value in [header.duration_nanos.0, header.start_ticks.0, 0, i64::MIN, i64::MAX] {
            let _ = Iso(clock.nanos(Ticks(value))).to_string();
            let _ = (
                clock.span(TickSpan(value)),
                clock.elapsed(header.start_ticks, TickSpan(value)),
                clock.ticks(EpochNanos(value)),
            );
        }
    }
    super::open(bytes);
}

/// Parses bytes as the payload of a metadata event: everything it declares can be described, and plans can be
/// made for it.
pub fn metadata(payload: &[u8]) {
    let limits = Limits::intake();
    let Ok(metadata) = Metadata::parse(payload, 0, &limits) else { return };
    for of in metadata.types().take(2_000) {
        let _ = (declaration(of), of.canonical_name(), of.simple_name().len());
        let mut names = of.fields().map(|f| f.name());
        let wanted = [names.next().unwrap_or("a"), names.next().unwrap_or("b.c"), "stackTrace.frames", ""];
        for plan in [Plan::new(of, wanted, &limits), Plan::whole(of, wanted, &limits)].into_iter().flatten() {
            let [text, number, frames, _] = plan.columns();
            // Any bytes are either a value or too short for one.
            let mut at = Cursor::new(payload);
            for _ in 0..20 {
                let Ok(row) = plan.read_next(&mut at) else { break };
                let _ = (row.get(text.of::<Text>()).decode(), row.get(number.of::<f64>()));
                let _ = row.get(frames.of::<Inline>()).map(|c| c.left());
            }
        }
        for field in of.fields() {
            let _ = (field.content(), field.is_unsigned(), field.annotations().count(), field.label().map(str::len));
        }
        for setting in of.settings() {
            let _ = (setting.value_type(), setting.default_value().len(), setting.annotations().count());
        }
    }
    let _ = PoolLayouts::new(&metadata, &limits, |_| true);
}

/// Parses bytes as consecutive strings: skipping one ends where reading it does.
pub fn strings(bytes: &[u8]) {
    let mut at = Cursor::new(bytes);
    loop {
        let mut past = at;
        let read = RawStr::read(&mut at);
        let skipped = RawStr::skip(&mut past);
        assert_eq!(read.is_ok(), skipped.is_ok());
        let Ok(text) = read else { break };
        assert_eq!(at.left(), past.left());
        if let Some(decoded) = text.decode() {
            // A Latin-1 character becomes two bytes, and half of a UTF-8 character three.
            assert!(decoded.len() <= 3 * bytes.len());
        }
    }
}

/// Parses bytes as varints: every way of skipping some of them ends where reading them one by one does.
pub fn varints(bytes: &[u8]) {
    let Some((&n, bytes)) = bytes.split_first() else { return };
    let n = usize::from(n) * 3;
    let (mut one, mut many, mut slow) = (Cursor::new(bytes), Cursor::new(bytes), bytes);
    let mut read = Ok(());
    for _ in 0..n {
        let value = one.varint();
        assert_eq!(value.ok(), by_the_book(&mut slow));
        read = value.map(|_| ());
        if read.is_err() {
            break;
        }
    }
    let skipped = many.skip_varints(n);
    assert_eq!(skipped.is_ok(), read.is_ok());
    if read.is_ok() {
        assert_eq!(one.left(), many.left());
        assert_eq!(one.left(), slow.len());
    }
}

/// Decodes a varint as the format defines it: seven bits per byte, lowest first, and eight bits in the ninth
/// byte.
fn by_the_book(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for i in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if i == 8 {
            return Some(value | u64::from(byte) << 56);
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            break;
        }
    }
    Some(value)
}

/// Processes text as names of classes, methods and descriptors.
pub fn names(text: &str) {
    for normalized in [names::normalize_class(text), names::normalize_method(text), names::normalize_descriptor(text)] {
        assert!(normalized.len() <= text.len() + 16, "{text:?} became {normalized:?}");
    }
    let _ = (names::java_name(text), names::type_name(text), names::source_file(text));
    let _ = (class_name(text), descriptor_names(text), jfr_parse::text::plain(text));
}
