//! What is packed is unpacked by another implementation.

use std::io::Read;

use flate2::read::DeflateDecoder;
use proptest::prelude::*;

use super::{Deflater, bits::Bits, block, huffman::Codes, tokens::Tokens};

fn unpack(mut packed: Vec<u8>) -> Vec<u8> {
    // Pieces end where the last block of a stream can follow.
    packed.extend([3, 0]);
    let mut raw = Vec::new();
    DeflateDecoder::new(packed.as_slice()).read_to_end(&mut raw).unwrap();
    raw
}

#[test]
fn pieces_are_unpacked() {
    let mut deflater = Deflater::default();
    let names: String = (0..40_000).map(|i| format!("org.example.Class{}.method{i}", i % 77)).collect();
    let counts: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(i) >> 7 & 0xff) as u8).collect();
    for raw in [b"".as_slice(), b"a", b"abc", &[0; 300_000], names.as_bytes(), &counts] {
        let packed = deflater.pack(raw);
        assert!(packed.len() < raw.len() * 65 / 64 + 200, "{} of {}", packed.len(), raw.len());
        assert!(unpack(packed) == raw);
    }
    let small = deflater.pack(names.as_bytes()).len();
    assert!(small < names.len() / 4, "{small} of {}", names.len());
    // Pieces do not look back into each other, so they can stand in any order.
    let mut both = deflater.pack(b"one one one one");
    both.extend(deflater.pack(names.as_bytes()));
    assert!(unpack(both).ends_with(names.as_bytes()));
}

#[test]
fn every_length_and_distance_has_its_code() {
    let mut raw: Vec<u8> = (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    let mut tokens = Tokens::default();
    raw.iter().for_each(|&byte| tokens.literal(byte));
    for (length, distance) in (4..=258).zip((1..=32_768).step_by(129)).chain([(258, 32_768), (4, 1)]) {
        tokens.repeat(length, distance);
        for _ in 0..length {
            raw.push(raw[raw.len() - distance]);
        }
    }
    let mut out = Bits::with_capacity(0);
    block::write(&mut tokens, &mut out);
    out.align();
    assert!(unpack(out.finish()) == raw);
}

#[test]
fn codes_are_not_too_long() {
    // Fibonacci's numbers make the deepest tree.
    let mut counts = [0_u32; 30];
    let (mut a, mut b) = (1, 1);
    for count in &mut counts {
        *count = a;
        (a, b) = (b, a + b);
    }
    let codes = Codes::new(&mut counts, 15);
    assert_eq!(codes.lengths.iter().max(), Some(&15));
    let taken: u32 = codes.lengths.iter().map(|&length| 1 << (15 - length)).sum();
    assert_eq!(taken, 1 << 15, "no code is left over");
    assert!(codes.lengths.is_sorted_by(|rare, frequent| rare >= frequent));
}

proptest! {
    #[test]
    fn anything_is_unpacked(
        words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..20),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..3000),
    ) {
        let raw: Vec<u8> = order.iter().flat_map(|i| i.get(&words).clone()).collect();
        prop_assert!(unpack(Deflater::default().pack(&raw)) == raw);
    }
}
