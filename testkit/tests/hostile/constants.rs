//! Hostile constants: names, stacks, and references between them.

use jfr_parse::testing::{BYTE, ChunkWriter, Class, Field, LONG, Payload, Pool, STRING};

use super::{
    CLASS, EXECUTION, FRAME, GROUP, METHOD, Make, PARK, SETTING, STATE, SYMBOL, THREAD, TRACE, chunk, classes, data,
    execution, method, number, sample, stack, text, trace,
};

/// A chunk with these pools in one checkpoint, followed by samples with these (stack, state) keys.
fn samples(pools: &[Pool], keys: impl IntoIterator<Item = (u64, u64)>) -> Vec<u8> {
    let mut chunk = chunk();
    chunk.checkpoint(pools);
    for (stack, state) in keys {
        chunk.event(EXECUTION, &sample(stack, state));
    }
    chunk.finish()
}

fn keys(n: usize) -> std::ops::RangeInclusive<u64> {
    1..=number(n)
}

/// A class, a method and a stack trace, all with key 1.
fn one_stack() -> Vec<Pool> {
    vec![
        (SYMBOL, vec![(1, text("a/B")), (2, text("run")), (3, text("()V"))]),
        (CLASS, vec![(1, Payload::new().varint(1))]),
        (METHOD, vec![(1, method(1, 2, 3))]),
        (TRACE, vec![(1, stack([1].into_iter()))]),
    ]
}

/// One stack trace of these methods.
fn one_trace(methods: Vec<u64>) -> Vec<u8> {
    samples(&[(TRACE, vec![(1, stack(methods.into_iter()))])], [(1, 0)])
}

pub const ALL: &[(&str, Make)] = &[
    ("a count of constants without constants", |_| {
        let mut chunk = chunk();
        chunk.constant_pool_position = number(chunk.position());
        let head = Payload::new().varint(0).varint(0).varint(0).byte(0).varint(1);
        chunk.event(1, &head.varint(SYMBOL).varint(1 << 31));
        chunk.finish()
    }),
    ("counts of constants without constants", |n| {
        let mut chunk = chunk();
        while chunk.position() < n {
            let head = Payload::new().varint(0).varint(0).varint(0).byte(0).varint(1);
            chunk.event(1, &head.varint(TRACE).varint(1 << 31).raw(&[0xff; 64]));
        }
        chunk.constant_pool_position = 0;
        chunk.finish()
    }),
    ("a stack trace of 2^31 frames", |n| {
        let frames = Payload::new().byte(0).varint(1 << 31).raw(&vec![1; n]);
        samples(&[(TRACE, vec![(1, frames)])], [(1, 0)])
    }),
    ("a long stack trace", |n| one_trace(vec![1; n / 2])),
    ("a long stack trace of different methods", |n| one_trace((0..number(n / 4)).map(|i| i << 7).collect())),
    ("long stack traces of many ids", |n| {
        let traces =
            keys(n / 4_000).map(|key| (key, stack(keys(1_000).map(|m| m + key).collect::<Vec<_>>().into_iter())));
        samples(&[(TRACE, traces.collect())], keys(n / 4_000).map(|key| (key, 0)))
    }),
    ("stack traces of one frame", |n| {
        let count = n / 14;
        let traces = keys(count).map(|key| (key, Payload::new().byte(0).varint(1).varint(1).varint(key)));
        samples(&[(TRACE, traces.collect())], keys(count).map(|key| (key, 0)))
    }),
    ("stack traces of pooled frames", |n| {
        let trace_type = Class::new(TRACE, "jdk.types.StackTrace").field(Field::new("frames", FRAME).array().pooled());
        let mut types = data();
        types[0] = trace_type;
        types.push(execution(EXECUTION));
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&types);
        let keys: Vec<u64> = keys(n / 20).collect();
        let trace = keys.iter().fold(Payload::new().varint(number(keys.len())), |trace, key| trace.varint(*key));
        let frames = keys.iter().map(|key| (*key, Payload::new().varint(*key).varint(1))).collect();
        chunk.checkpoint(&[(FRAME, frames), (TRACE, vec![(1, trace)])]);
        chunk.event(EXECUTION, &sample(1, 0));
        chunk.finish()
    }),
    ("methods of one class with a long name", |n| {
        let count = n / 40;
        let methods = keys(count).map(|key| (key, method(1, 100 + key, 2)));
        let names = keys(count).map(|key| (100 + key, text(&format!("m{key}"))));
        let symbols = [(1, text(&"x/".repeat(n / 4))), (2, text("()V"))].into_iter().chain(names);
        let pools = [
            (SYMBOL, symbols.collect()),
            (CLASS, vec![(1, Payload::new().varint(1))]),
            (METHOD, methods.collect()),
            (TRACE, vec![(1, stack(keys(count).collect::<Vec<_>>().into_iter()))]),
        ];
        samples(&pools, [(1, 0)])
    }),
    ("one long name for everything", |n| {
        let count = n / 50;
        let mut chunk = chunk();
        chunk.checkpoint(&[
            (SYMBOL, vec![(1, text(&"x".repeat(n / 3)))]),
            (STRING, vec![(1, text(&"y".repeat(n / 3)))]),
            (CLASS, keys(count).map(|key| (key, Payload::new().varint(1))).collect()),
            (STATE, keys(count).map(|key| (key, Payload::new().pooled(1))).collect()),
            (THREAD, keys(count).map(|key| (key, Payload::new().null().pooled(1).varint(key).varint(1))).collect()),
            (GROUP, vec![(1, Payload::new().varint(1).pooled(1))]),
        ]);
        for key in keys(count) {
            chunk.event(EXECUTION, &sample(0, key));
            chunk.event(PARK, &Payload::new().varint(1).varint(1).varint(key).varint(0).varint(key));
            chunk.event(super::READ, &Payload::new().varint(1).varint(1).varint(key).varint(0).pooled(1).varint(1));
            chunk.event(SETTING, &Payload::new().varint(EXECUTION).pooled(1).pooled(1));
        }
        chunk.finish()
    }),
    ("names that are generated again and again", |n| {
        let count = n / 1_600;
        let name = "$Proxy1/".repeat(200);
        let symbols = keys(count).map(|key| (key, text(&format!("{name}{key}"))));
        let pools = [
            (SYMBOL, symbols.collect()),
            (CLASS, keys(count).map(|key| (key, Payload::new().varint(key))).collect()),
            (METHOD, keys(count).map(|key| (key, method(key, key, key))).collect()),
            (TRACE, vec![(1, stack(keys(count).collect::<Vec<_>>().into_iter()))]),
        ];
        samples(&pools, [(1, 0)])
    }),
    ("long names that are not text", |n| {
        let count = n / 2_000;
        let pools = [
            (SYMBOL, keys(count).map(|key| (key, Payload::new().utf8([key as u8 | 0x80; 1_900]))).collect()),
            (METHOD, keys(count).map(|key| (key, method(0, key, key))).collect()),
            (TRACE, vec![(1, stack(keys(count).collect::<Vec<_>>().into_iter()))]),
        ];
        samples(&pools, [(1, 0)])
    }),
    ("a thousand copies of a pool", |n| {
        let mut chunk = chunk();
        for _ in 0..1_000 {
            chunk.checkpoint(&[(SYMBOL, keys(n / 6_000).map(|key| (key, text("abc"))).collect())]);
        }
        chunk.event(EXECUTION, &sample(1, 1));
        chunk.finish()
    }),
    ("pools of one constant", |n| {
        let mut chunk = chunk();
        let mut key = 0;
        while chunk.position() < n {
            key += 1;
            chunk.checkpoint(&[(SYMBOL, vec![(key, text("a"))]), (STATE, vec![(key, text("b"))])]);
        }
        chunk.finish()
    }),
    ("keys that are far apart", |n| {
        let far = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let constants = keys(n / 16).map(|key| (far(key), text("abc")));
        samples(&[(SYMBOL, constants.collect())], keys(10).map(|key| (far(key), 0)))
    }),
    ("keys with equal lower bits", |n| {
        let count = n / 20;
        let far = |key: u64| key << 40;
        let traces = keys(count).map(|key| (far(key), stack([1].into_iter())));
        samples(&[(TRACE, traces.collect())], keys(count).map(|key| (far(key), far(key))))
    }),
    ("keys four apart", |n| {
        let constants = keys(n / 6).map(|key| (key * 4, Payload::new().empty()));
        samples(&[(SYMBOL, constants.collect())], [])
    }),
    ("constants of no bytes", |n| {
        let mut types = classes();
        types.push(Class::new(80, "java.lang.Class"));
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&types);
        chunk.checkpoint(&[(80, keys(n / 3).map(|key| (key, Payload::new())).collect())]);
        chunk.finish()
    }),
    ("pools that refer to themselves", |n| {
        let count = n / 24;
        let pools = [
            (STRING, keys(count).map(|key| (key, Payload::new().pooled(key))).collect()),
            (GROUP, keys(count).map(|key| (key, Payload::new().varint(key).pooled(key))).collect()),
            (
                THREAD,
                keys(count).map(|key| (key, Payload::new().pooled(key).pooled(key).varint(key).varint(key))).collect(),
            ),
        ];
        let mut chunk = chunk();
        chunk.checkpoint(&pools);
        for key in keys(count) {
            chunk.event(PARK, &Payload::new().varint(1).varint(1).varint(key).varint(0).varint(key));
        }
        chunk.finish()
    }),
    ("a long chain of references", |n| {
        let object = Class::new(81, "jdk.types.OldObject")
            .field(Field::new("type", CLASS).pooled())
            .field(Field::new("referrer", 81).pooled());
        let event = Class::event(300, "jdk.OldObjectSample").field(trace()).field(Field::new("object", 81).pooled());
        let mut types = data();
        types.extend([object, event]);
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&types);
        chunk.checkpoint(&[(81, keys(n / 16).map(|key| (key, Payload::new().varint(1).varint(key + 1))).collect())]);
        for key in keys(n / 16) {
            chunk.event(300, &Payload::new().varint(0).varint(key));
        }
        chunk.finish()
    }),
    ("arrays of nothing", |n| {
        let mut types = data();
        types.push(Class::new(82, "test.Nothing"));
        types.push(Class::new(83, "jdk.types.Symbol").field(Field::new("f", 82).array()));
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&types);
        chunk.checkpoint(&[(83, keys(n / 12).map(|key| (key, Payload::new().varint(1 << 40))).collect())]);
        chunk.finish()
    }),
    ("one byte after the other", |n| {
        let mut types = data();
        types.push(Class::new(84, "jdk.types.Symbol").field(Field::new("a", BYTE)).field(Field::new("b", LONG)));
        let mut chunk = ChunkWriter::new();
        chunk.metadata(&types);
        chunk.checkpoint(&[(84, keys(n / 5).map(|key| (key, Payload::new().byte(1).varint(1))).collect())]);
        chunk.finish()
    }),
    ("one stack for all", |n| samples(&one_stack(), std::iter::repeat_n((1, 0), n / 5))),
];
