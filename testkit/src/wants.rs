//! Generates recordings with exactly the data that a rule needs, from its declared needs. Rules added later are
//! covered without additional test code.
//!
//! Field types are taken from the JDK's own metadata in `fixtures/`. For events that are not in any fixture,
//! the name of a field decides whether it is a number.

use std::collections::BTreeMap;

use jfr_analyzers::events::Needs;
use jfr_parse::testing::{BOOLEAN, ChunkWriter, Class, DOUBLE, Field, LONG, Payload, STRING, TIMESPAN, TIMESTAMP};
use jfr_parse::{Kind, Limits, Metadata, Recording};

const TRACE: u64 = 40;
const FRAME: u64 = 41;
const METHOD: u64 = 42;
const CLASS: u64 = 43;
const SYMBOL: u64 = 44;
const THREAD: u64 = 45;
/// First id of event types and of the types of their inline fields.
const FIRST: u64 = 1_000;

/// What the fields of the events contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// All texts, threads and stacks are different; numbers are arbitrary values below a million.
    Distinct,
    /// Like `Distinct`, with large numbers: sizes of a gibibyte and more.
    Large,
    /// All texts are the same one, with this many bytes, which the recording contains once.
    Long(usize),
}

/// The kind of a field, as far as it matters to rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Text,
    Number,
    Float,
    Flag,
    Thread,
    Stack,
}

/// The metadata of the newest JDKs among the fixtures.
pub struct JdkMetadata {
    metadata: Vec<std::sync::Arc<Metadata>>,
}

impl JdkMetadata {
    /// Reads the fixtures.
    #[must_use]
    pub fn new() -> Self {
        let metadata = ["jdk25-full.jfr.gz", "jdk17-full.jfr", "jdk8-profile.jfr.gz"].map(|name| {
            let path = format!("{}/../fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).expect("fixtures are part of the project");
            let recording = Recording::from_bytes(bytes, &Limits::tool()).expect("fixtures can be read");
            recording.chunk(0).expect("fixtures have a chunk").shared_metadata().clone()
        });
        Self { metadata: metadata.into() }
    }

    fn leaf(&self, event: &str, path: &str) -> Leaf {
        match path.rsplit('.').next().unwrap_or(path) {
            "stackTrace" => return Leaf::Stack,
            "eventThread" | "sampledThread" | "thread" => return Leaf::Thread,
            _ => {}
        }
        self.metadata.iter().find_map(|metadata| declared(metadata, event, path)).unwrap_or_else(|| by_name(path))
    }
}

impl Default for JdkMetadata {
    fn default() -> Self {
        Self::new()
    }
}

/// JVM properties that are always included, whatever the rule asks for.
const JVM: [(&str, &str, &str); 6] = [
    ("jdk.CPUInformation", "hwThreads", "8"),
    ("jdk.GCConfiguration", "oldCollector", "G1Old"),
    ("jdk.GCConfiguration", "youngCollector", "G1New"),
    ("jdk.GCHeapConfiguration", "maxSize", "2147483648"),
    ("jdk.JVMInformation", "jvmArguments", "-Xmx2g"),
    ("jdk.JVMInformation", "jvmVersion", "OpenJDK 64-Bit Server VM (21.0.5+11) for linux-amd64 JRE (21.0.5+11)"),
];

/// The kind of a field according to the metadata.
fn declared(metadata: &Metadata, event: &str, path: &str) -> Option<Leaf> {
    let mut of = metadata.by_name(event)?;
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let field = of.field(step)?;
        let value = field.value_type()?;
        if steps.peek().is_some() {
            of = value;
            continue;
        }
        return Some(match value.kind() {
            Kind::Boolean => Leaf::Flag,
            Kind::Float | Kind::Double => Leaf::Float,
            Kind::Byte | Kind::Short | Kind::Char | Kind::Int | Kind::Long => Leaf::Number,
            Kind::String => Leaf::Text,
            Kind::Struct if value.name() == "java.lang.Thread" => Leaf::Thread,
            Kind::Struct if value.name() == "jdk.types.StackTrace" => Leaf::Stack,
            Kind::Struct => Leaf::Text,
        });
    }
    None
}

fn by_name(path: &str) -> Leaf {
    const NUMBERS: [&str; 14] = [
        "size",
        "bytes",
        "weight",
        "count",
        "allocated",
        "duration",
        "time",
        "samples",
        "total",
        "number",
        "id",
        "amount",
        "interval",
        "value",
    ];
    let name = path.to_ascii_lowercase();
    if NUMBERS.iter().any(|n| name.ends_with(n)) { Leaf::Number } else { Leaf::Text }
}

/// The fields of an event as a tree: inline types by their first name.
#[derive(Debug, Default)]
struct Tree {
    leaves: Vec<(String, Leaf)>,
    inner: BTreeMap<String, Tree>,
}

impl Tree {
    fn add(&mut self, path: &str, leaf: Leaf) {
        match path.split_once('.') {
            Some((first, rest)) => self.inner.entry(first.to_owned()).or_default().add(rest, leaf),
            None if self.leaves.iter().all(|(name, _)| name != path) => self.leaves.push((path.to_owned(), leaf)),
            None => {}
        }
    }

    /// Declares the fields in `class`, and the types of inline fields in `classes`.
    fn declare(&self, mut class: Class, next: &mut u64, classes: &mut Vec<Class>) -> Class {
        for (name, leaf) in &self.leaves {
            class = class.field(match leaf {
                Leaf::Text => Field::new(name, STRING),
                Leaf::Number => Field::new(name, LONG),
                Leaf::Float => Field::new(name, DOUBLE),
                Leaf::Flag => Field::new(name, BOOLEAN),
                Leaf::Thread => Field::new(name, THREAD).pooled(),
                Leaf::Stack => Field::new(name, TRACE).pooled(),
            });
        }
        for (name, tree) in self.inner.iter().filter(|(name, _)| self.leaves.iter().all(|(leaf, _)| leaf != *name)) {
            *next += 1;
            let id = *next;
            let inner = tree.declare(Class::new(id, &format!("test.Inline{id}")), next, classes);
            classes.push(inner);
            class = class.field(Field::new(name, id));
        }
        class
    }

    fn write(&self, mut to: Payload, contents: Contents, event: &str, i: u64) -> Payload {
        for (name, leaf) in &self.leaves {
            let any = match JVM.iter().find(|(of, field, _)| *of == event && field == name) {
                Some((.., value)) if *leaf == Leaf::Text => {
                    to = to.utf8(value);
                    continue;
                }
                Some((.., value)) => value.parse().unwrap_or(0),
                None => mixed(name, i),
            };
            let number = match contents {
                _ if JVM.iter().any(|(of, field, _)| *of == event && field == name) => any,
                Contents::Large => (1 << 30) + any % (1 << 40),
                _ => any % 1_000_000,
            };
            to = match leaf {
                Leaf::Text => text(to, contents, event, name, i),
                Leaf::Number => to.varint(number),
                Leaf::Float => to.double(0.5),
                Leaf::Flag => to.byte(1),
                Leaf::Thread | Leaf::Stack => to.varint(i + 1),
            };
        }
        for (_, tree) in self.inner.iter().filter(|(name, _)| self.leaves.iter().all(|(leaf, _)| leaf != *name)) {
            to = tree.write(to, contents, event, i);
        }
        to
    }
}

/// A number that is not ordered with respect to other fields and events.
fn mixed(name: &str, i: u64) -> u64 {
    let seed =
        name.bytes().fold(i.wrapping_add(1), |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (seed ^ (seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

fn text(to: Payload, contents: Contents, event: &str, name: &str, i: u64) -> Payload {
    match contents {
        Contents::Long(_) => to.pooled(if event == "jdk.ThreadDump" { 2 } else { 1 }),
        // A dump that is a hundred times as long as other texts, and different each time.
        _ if event == "jdk.ThreadDump" => to.utf8(dump(10, i)),
        _ => to.utf8(format!("a.b.{name}-{i}")),
    }
}

/// The text of a thread dump in which each thread waits for the next.
fn dump(threads: u64, number: u64) -> String {
    let of = |i: u64| {
        format!(
            "\"t{i}\" #{i} prio=5 tid=0x{i:x} nid=0x1 waiting\n   java.lang.Thread.State: BLOCKED\n\tat a.B{number}.c(B.java:1)\n\
             \t- waiting to lock <0x{:x}> (a.L)\n\t- locked <0x{i:x}> (a.L)\n\n",
            i + 1
        )
    };
    (0..threads).map(of).collect()
}

/// A recording with `count` events of each required type.
#[must_use]
pub fn recording(jdk: &JdkMetadata, needs: &Needs, count: u64, contents: Contents) -> Vec<u8> {
    let mut events: BTreeMap<&str, Tree> = needs.events().into_iter().map(|event| (event, Tree::default())).collect();
    for (event, field) in needs.fields() {
        let path = field.split('|').next().unwrap_or(field);
        if let Some(tree) = events.get_mut(event).filter(|_| path != "startTime" && path != "duration") {
            tree.add(path, jdk.leaf(event, path));
        }
    }
    // A JVM with G1, eight processors and a heap of 2 GiB: many rules check that first.
    for (event, field, _) in JVM {
        let leaf = jdk.leaf(event, field);
        events.entry(event).or_default().add(field, leaf);
    }
    let mut classes = data();
    let mut next = FIRST;
    let mut ids = BTreeMap::new();
    for (event, tree) in &events {
        next += 1;
        ids.insert(*event, next);
        let class = Class::event(next, event)
            .field(Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS"))
            .field(Field::new("duration", LONG).annotated(TIMESPAN, "TICKS"));
        let class = tree.declare(class, &mut next, &mut classes);
        classes.push(class);
    }
    let mut chunk = ChunkWriter::new();
    // Long enough that no rule is skipped because the recording is too short, with 4 ms between events.
    chunk.duration_nanos = 100_000_000_000;
    chunk.metadata(&classes).checkpoint(&pools(count, contents));
    for i in 0..count {
        let is_jvm = |event: &str| JVM.iter().any(|(of, ..)| *of == event);
        // Each chunk describes the JVM once.
        for (event, tree) in events.iter().filter(|(event, _)| i == 0 || !is_jvm(event)) {
            let head = Payload::new().varint(1_000 + i * 4_000_000).varint(20_000_000 + i * 1_000);
            chunk.event(ids[event], &tree.write(head, contents, event, i));
        }
    }
    chunk.finish()
}

fn data() -> Vec<Class> {
    vec![
        Class::new(TRACE, "jdk.types.StackTrace")
            .field(Field::new("truncated", BOOLEAN))
            .field(Field::new("frames", FRAME).array()),
        Class::new(FRAME, "jdk.types.StackFrame")
            .field(Field::new("method", METHOD).pooled())
            .field(Field::new("lineNumber", LONG)),
        Class::new(METHOD, "jdk.types.Method")
            .field(Field::new("type", CLASS).pooled())
            .field(Field::new("name", SYMBOL).pooled()),
        Class::new(CLASS, "java.lang.Class").field(Field::new("name", SYMBOL).pooled()),
        Class::symbol(SYMBOL, "jdk.types.Symbol"),
        Class::new(THREAD, "java.lang.Thread")
            .field(Field::new("osName", STRING))
            .field(Field::new("javaName", STRING))
            .field(Field::new("javaThreadId", LONG)),
    ]
}

/// Threads, stacks of two methods each, and the long texts.
fn pools(count: u64, contents: Contents) -> Vec<(u64, Vec<(u64, Payload)>)> {
    let symbol = |i: u64| (i, Payload::new().utf8(format!("m{i}")));
    let class = |i: u64| (count + i, Payload::new().utf8(format!("com/shop/C{i}")));
    let method = |i: u64| (i, Payload::new().varint(i).varint(i));
    let trace = |i: u64| (i, Payload::new().byte(0).varint(2).varint(i).varint(i).varint(i % 7 + 1).varint(1));
    let thread = |i: u64| (i, Payload::new().null().utf8(format!("pool-{i}-thread-{i}")).varint(i));
    let mut pools = vec![
        (SYMBOL, (1..=count).map(symbol).chain((1..=count).map(class)).collect()),
        (CLASS, (1..=count).map(|i| (i, Payload::new().varint(count + i))).collect()),
        (METHOD, (1..=count).map(method).collect()),
        (TRACE, (1..=count).map(trace).collect()),
        (THREAD, (1..=count).map(thread).collect()),
    ];
    if let Contents::Long(bytes) = contents {
        // Exactly as long as asked for, so that a limit is reached and not passed.
        let mut name = "com.shop.Name".repeat(bytes / 13 + 1);
        name.truncate(bytes);
        let mut dump = dump(bytes as u64 / 120, 0);
        dump.truncate(bytes);
        pools.push((STRING, vec![(1, Payload::new().utf8(name)), (2, Payload::new().utf8(dump))]));
    }
    pools
}
