//! Makes long recordings: a program whose threads are sampled for a day.

use std::io::{self, Write};

use jfr_parse::testing::{BOOLEAN, ChunkWriter, Class, Field, INT, LONG, Payload, Pool, STRING, TIMESTAMP};

use crate::Random;

/// A long recording to make. The default is a day: 8 threads that are always busy, sampled every 20 ms, with 50,000 distinct
/// stacks; 34,560,000 samples.
///
/// Each thread works on one task after another; each kind of task has its own 200 stacks. Some kinds are far more frequent than
/// others, and so are some stacks of each kind. One sample in three has the stack of the sample before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongRecording {
    /// How long it is.
    pub seconds: u32,
    /// How many threads are sampled each time.
    pub threads: u32,
    /// The time between two samples of a thread, in milliseconds.
    pub period_ms: u32,
    /// How many distinct stacks there are.
    pub stacks: u32,
    /// How much one chunk holds, in seconds.
    pub chunk_seconds: u32,
}

impl Default for LongRecording {
    fn default() -> Self {
        Self { seconds: 86_400, threads: 8, period_ms: 20, stacks: 50_000, chunk_seconds: 3_600 }
    }
}

const CLASS: u64 = 40;
const SYMBOL: u64 = 42;
const METHOD: u64 = 43;
const FRAME: u64 = 44;
const TRACE: u64 = 46;
const THREAD: u64 = 47;
const SAMPLE: u64 = 100;

/// Stacks of a kind of task.
const OF_KIND: u32 = 200;
/// When the recording begins: in 2026.
const START_NANOS: i64 = 1_780_000_000_000_000_000;

fn classes() -> Vec<Class> {
    let key = |name: &str, id: u64| Field::new(name, id).pooled();
    vec![
        Class::new(CLASS, "java.lang.Class").field(key("name", SYMBOL)),
        Class::symbol(SYMBOL, "jdk.types.Symbol"),
        Class::new(METHOD, "jdk.types.Method")
            .field(key("type", CLASS))
            .field(key("name", SYMBOL))
            .field(key("descriptor", SYMBOL)),
        Class::new(FRAME, "jdk.types.StackFrame").field(key("method", METHOD)).field(Field::new("lineNumber", INT)),
        Class::new(TRACE, "jdk.types.StackTrace")
            .field(Field::new("truncated", BOOLEAN))
            .field(Field::new("frames", FRAME).array()),
        Class::new(THREAD, "java.lang.Thread")
            .field(Field::new("javaName", STRING))
            .field(Field::new("javaThreadId", LONG)),
        Class::event(SAMPLE, "jdk.ExecutionSample")
            .field(Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS"))
            .field(key("sampledThread", THREAD))
            .field(key("stackTrace", TRACE)),
    ]
}

/// What a thread is doing.
#[derive(Clone, Copy, Default)]
struct Doing {
    kind: u32,
    stack: u32,
    left: u32,
}

/// Small numbers far more often than large ones.
fn skewed(random: &mut Random, below: u32) -> u32 {
    let wide = 1 + random.below(below as usize);
    random.below(wide) as u32
}

impl LongRecording {
    /// The number of samples.
    #[must_use]
    pub fn samples(&self) -> u64 {
        u64::from(self.seconds) * 1_000 / u64::from(self.period_ms) * u64::from(self.threads)
    }

    /// The methods of a stack, leaf first. Stacks of a kind share their callers; the deeper, the fewer.
    fn frames(stack: u32) -> Vec<u64> {
        let kind = stack / OF_KIND;
        let method = |level: u64, of: u32| level * 1_000_000 + u64::from(of);
        let mut frames = vec![method(9, stack)];
        // Calls of a library, shared by all.
        frames.extend((0..stack % 7).map(|i| method(1, i)));
        frames.push(method(8, stack / 4));
        frames.extend((0..stack % 5).map(|i| method(2, i)));
        frames.extend([method(7, stack / 20), method(6, stack / 100)]);
        frames.extend((0..6).map(|i| method(5, kind * 6 + i)));
        frames.extend((0..12).map(|i| method(3, i)));
        frames
    }

    fn constants(&self) -> Vec<Pool> {
        let new = Payload::new;
        let stacks: Vec<(u64, Payload)> = (0..self.stacks)
            .map(|stack| {
                let frames = Self::frames(stack);
                let all = new().byte(0).varint(frames.len() as u64);
                let line = |method: u64| method % 900 + 20;
                (u64::from(stack) + 1, frames.iter().fold(all, |of, &method| of.varint(method).varint(line(method))))
            })
            .collect();
        let mut methods: Vec<u64> = (0..self.stacks).flat_map(Self::frames).collect();
        methods.sort_unstable();
        methods.dedup();
        let class_of = |method: u64| method / 1_000_000 * 1_000_000 + method % 1_000_000 / 10;
        let mut of_classes: Vec<u64> = methods.iter().map(|&method| class_of(method)).collect();
        of_classes.dedup();
        // Methods have the first symbols, classes those after ten million; the last is the descriptor.
        const CLASSES: u64 = 10_000_000;
        const DESCRIPTOR: u64 = 99_999_999;
        let name = |method: u64| new().utf8(format!("operation{}", method % 1_000_000));
        let class = |class: u64| {
            let (level, class) = (class / 1_000_000, class % 1_000_000);
            new().utf8(format!("com/example/layer{level}/part{}/Component{class}", class / 50))
        };
        let symbols = methods.iter().map(|&method| (method, name(method)));
        let symbols = symbols.chain(of_classes.iter().map(|&of| (CLASSES + of, class(of))));
        let symbols = symbols.chain([(DESCRIPTOR, new().utf8("(Ljava/lang/Object;)V"))]).collect();
        let of_method = |method: u64| (method, new().varint(class_of(method)).varint(method).varint(DESCRIPTOR));
        let threads = (1..=u64::from(self.threads)).map(|n| (n, new().utf8(format!("worker-{n}")).varint(n + 30)));
        vec![
            (THREAD, threads.collect()),
            (TRACE, stacks),
            (METHOD, methods.iter().map(|&method| of_method(method)).collect()),
            (CLASS, of_classes.iter().map(|&of| (of, new().varint(CLASSES + of))).collect()),
            (SYMBOL, symbols),
        ]
    }

    /// Writes the recording. It is the same every time.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut random = Random::new(1);
        let constants = self.constants();
        let mut doing = vec![Doing::default(); self.threads as usize];
        let kinds = self.stacks.div_ceil(OF_KIND).max(1);
        let mut begin = 0;
        while begin < self.seconds {
            let seconds = self.chunk_seconds.max(1).min(self.seconds - begin);
            let mut chunk = ChunkWriter::new();
            chunk.start_nanos = START_NANOS + i64::from(begin) * 1_000_000_000;
            chunk.duration_nanos = i64::from(seconds) * 1_000_000_000;
            chunk.start_ticks = 1_000;
            chunk.metadata(&classes());
            chunk.checkpoint(&constants);
            for tick in 0..u64::from(seconds) * 1_000 / u64::from(self.period_ms) {
                let nanos = tick * u64::from(self.period_ms) * 1_000_000;
                for (thread, doing) in (1_u64..).zip(&mut doing) {
                    if doing.left == 0 {
                        // From a tenth of a second to ten.
                        let length = 5 << random.below(7);
                        *doing = Doing {
                            kind: skewed(&mut random, kinds),
                            stack: u32::MAX,
                            left: length + random.below(200) as u32,
                        };
                    }
                    doing.left -= 1;
                    if doing.stack == u32::MAX || !random.chance(33) {
                        let of_kind = OF_KIND.min(self.stacks - (doing.kind * OF_KIND).min(self.stacks - 1));
                        doing.stack = doing.kind * OF_KIND + skewed(&mut random, of_kind);
                    }
                    let at = 1_000 + nanos + thread * 40_000;
                    chunk.event(SAMPLE, &Payload::new().varint(at).varint(thread).varint(u64::from(doing.stack) + 1));
                }
            }
            out.write_all(&chunk.finish())?;
            begin += seconds;
        }
        Ok(())
    }
}
