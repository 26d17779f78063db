//! Odd but legal encodings produce the same profiles as ordinary ones.

use jfr_analyzers::LabelKey;
use jfrkit_profile::ProfileType::Alloc;
use jfrkit_profile::ProfileType::Cpu;

use crate::read::{by_labels, labeled, profiles, profiles_with, samples};
use crate::writer::{Chunk, N};

/// Samples and allocations with a bit of everything; the oddities of the chunk are set before.
fn fill(mut chunk: Chunk) -> Chunk {
    chunk.setting("jdk.ExecutionSample", "period", "10 ms");
    let (thread, state) = (chunk.thread("main"), chunk.state("STATE_RUNNABLE"));
    for i in 0..300 {
        let line = format!("a/B.step:{}", i % 150);
        let root = format!("a/C{}.main([Ljava/lang/String;)V:1", i % 3);
        let stack = chunk.stack(&[&line, "a/B.loop(J)J:2000000", &root]);
        let sample = [("stackTrace", stack), ("sampledThread", thread), ("state", state)];
        chunk.event("jdk.ExecutionSample", &sample);
        let class = chunk.class(&format!("a/D{}", i % 7));
        let object = [("stackTrace", stack), ("eventThread", thread), ("objectClass", class), ("weight", N(i))];
        chunk.event("jdk.ObjectAllocationSample", &object);
    }
    chunk
}

fn plain() -> Chunk {
    Chunk::new(&["jdk.ExecutionSample", "jdk.ObjectAllocationSample"])
}

/// Compares the profiles of an odd chunk with those of a plain one.
fn same_as_plain(odd: &Chunk, what: &str) {
    let (plain, odd) = ([&fill(plain())], [odd]);
    let options = labeled(&[LabelKey::Thread, LabelKey::ThreadId, LabelKey::Class, LabelKey::State]);
    for kind in [Cpu, Alloc] {
        let expected = samples(&profiles(&plain), kind);
        assert_eq!(expected.len(), 150, "{kind}");
        assert_eq!(samples(&profiles(&odd), kind), expected, "{what}");
        let (expected, found) = (profiles_with(&plain, &options), profiles_with(&odd, &options));
        assert_eq!(by_labels(&found, kind), by_labels(&expected, kind), "{what}");
    }
}

/// Maps the number of a constant to its key.
type Keys = fn(u64) -> u64;

#[test]
fn keys_may_be_any_64_bits() {
    let all: [(&str, Keys); 4] = [
        ("from -1 downward", |n| u64::MAX - (n - 1)),
        ("above 2^32", |n| (1 << 32) + n),
        ("far apart", |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        ("from 0 upward", |n| n - 1),
    ];
    for (what, keys) in all {
        let mut chunk = plain();
        chunk.keys = keys;
        same_as_plain(&fill(chunk), what);
    }
}

#[test]
fn empty_pools_are_legal() {
    let mut chunk = plain();
    chunk.empty_pools = true;
    same_as_plain(&fill(chunk), "empty pools");
}

#[test]
fn sizes_may_be_padded() {
    for width in [2, 4, 8] {
        let mut chunk = plain();
        chunk.chunk.size_width = width;
        same_as_plain(&fill(chunk), &format!("sizes of {width} bytes"));
    }
}

#[test]
fn the_start_time_may_come_last_and_frames_may_be_pooled() {
    let mut chunk = plain();
    chunk.like_jmc = true;
    chunk.chunk.version = (2, 0);
    same_as_plain(&fill(chunk), "like JMC's writer");
}

#[test]
fn a_chunk_of_oracles_jdk() {
    let mut chunk = plain();
    chunk.oracle = true;
    chunk.chunk.version = (1, 0);
    same_as_plain(&fill(chunk), "com.oracle.jdk");
}

#[test]
fn a_chunk_in_many_segments_is_complete() {
    // Longer than the part that a thread takes at a time.
    let mut chunk = plain();
    let stacks: Vec<_> = (0..2_000).map(|i| chunk.stack(&[&format!("a/B.step:{i}")])).collect();
    chunk.setting("jdk.ExecutionSample", "period", "10 ms");
    for _ in 0..450 {
        for stack in &stacks {
            chunk.event("jdk.ExecutionSample", &[("stackTrace", *stack)]);
        }
    }
    assert!(chunk.bytes().len() > 5 << 20);
    let found = samples(&profiles(&[&chunk]), Cpu);
    assert_eq!(found.len(), 2_000);
    for (i, (stack, values)) in found.iter().enumerate() {
        let expected = if i == 0 { "a.B.step".to_owned() } else { format!("a.B.step:{i}") };
        assert_eq!((stack, values.as_slice()), (&expected, [450, 4_500_000_000].as_slice()));
    }
}
