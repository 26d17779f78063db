//! Writes recordings like those of real profilers: event types with their usual fields, and constants for
//! stacks, threads, classes and states, specified by their texts.

use std::collections::BTreeMap;

use jfr_parse::testing::*;
use jfr_parse::{Limits, Recording};

const THREAD: u64 = 50;
const CLASS: u64 = 51;
const SYMBOL: u64 = 52;
const METHOD: u64 = 53;
const FRAME: u64 = 54;
const TRACE: u64 = 55;
const STATE: u64 = 56;
const GROUP: u64 = 57;
const OBJECT: u64 = 58;
const FIRST_EVENT: u64 = 100;

pub(crate) const MILLI: i64 = 1_000_000;

/// A value of an event's field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum V<'t> {
    N(i64),
    Key(u64),
    F(f32),
    T(&'t str),
}
pub(crate) use V::{F, Key, N, T};

/// Fields of the event types, in addition to `startTime`.
const EVENTS: &[(&str, &[&str])] = &[
    ("jdk.ActiveSetting", &["id", "name", "value"]),
    ("jdk.ActiveRecording", &["name"]),
    ("jdk.JVMInformation", &["jvmName", "jvmVersion", "javaArguments"]),
    ("jdk.InitialEnvironmentVariable", &["key", "value"]),
    ("jdk.ExecutionSample", &["sampledThread", "stackTrace", "state"]),
    ("jdk.NativeMethodSample", &["sampledThread", "stackTrace", "state"]),
    ("jdk.CPUTimeSample", &["stackTrace", "eventThread", "failed", "samplingPeriod"]),
    ("datadog.ExecutionSample", &["eventThread", "stackTrace", "state", "weight", "spanId", "localRootSpanId"]),
    ("datadog.MethodSample", &["eventThread", "stackTrace", "state", "weight"]),
    ("datadog.ObjectSample", &["eventThread", "stackTrace", "objectClass", "share", "size"]),
    ("datadog.DatadogProfilerConfig", &["cpuInterval", "wallInterval"]),
    ("datadog.Endpoint", &["endpoint", "localRootSpanId"]),
    ("jdk.ObjectAllocationInNewTLAB", &["eventThread", "stackTrace", "objectClass", "tlabSize"]),
    ("jdk.ObjectAllocationOutsideTLAB", &["eventThread", "stackTrace", "objectClass", "allocationSize"]),
    ("jdk.ObjectAllocationSample", &["eventThread", "stackTrace", "objectClass", "weight"]),
    ("jdk.ClassLoad", &["duration", "eventThread", "stackTrace"]),
    ("jdk.ClassDefine", &["eventThread", "stackTrace"]),
    ("jdk.JavaErrorThrow", &["eventThread", "stackTrace", "thrownClass"]),
    ("jdk.JavaExceptionThrow", &["eventThread", "stackTrace", "thrownClass"]),
    ("jdk.FileRead", &["duration", "eventThread", "stackTrace", "path", "bytesRead"]),
    ("jdk.FileForce", &["duration", "eventThread", "stackTrace", "path"]),
    ("jdk.SocketRead", &["duration", "eventThread", "stackTrace", "host", "port", "bytesRead"]),
    ("jdk.JavaMonitorEnter", &["duration", "eventThread", "stackTrace", "monitorClass"]),
    ("jdk.ThreadPark", &["duration", "eventThread", "stackTrace", "parkedClass"]),
    ("jdk.ThreadSleep", &["duration", "eventThread", "stackTrace"]),
    ("jdk.OldObjectSample", &["eventThread", "stackTrace", "object", "objectSize"]),
    ("profiler.WallClockSample", &["sampledThread", "stackTrace", "state", "samples"]),
    ("profiler.LiveObject", &["eventThread", "stackTrace", "objectClass", "allocationSize"]),
];

/// Fields that are strings.
const TEXTS: [&str; 9] = ["path", "host", "name", "value", "endpoint", "key", "jvmName", "jvmVersion", "javaArguments"];

fn field(name: &str) -> Field {
    match name {
        "startTime" => Field::new(name, LONG).annotated(TIMESTAMP, "TICKS"),
        "duration" | "samplingPeriod" => Field::new(name, LONG).annotated(TIMESPAN, "TICKS"),
        "sampledThread" | "eventThread" => Field::new(name, THREAD).pooled(),
        "stackTrace" => Field::new(name, TRACE).pooled(),
        "state" => Field::new(name, STATE).pooled(),
        "objectClass" | "thrownClass" | "monitorClass" | "parkedClass" => Field::new(name, CLASS).pooled(),
        "object" => Field::new(name, OBJECT).pooled(),
        name if TEXTS.contains(&name) => Field::new(name, STRING),
        "failed" => Field::new(name, BOOLEAN),
        // The same name as the JDK's weight, which is a long.
        "share" => Field::new("weight", FLOAT),
        "port" | "samples" => Field::new(name, INT),
        _ => Field::new(name, LONG),
    }
}

/// Constants of one type, by their text.
#[derive(Debug, Default)]
struct Texts(BTreeMap<String, (u64, Payload)>);

/// One chunk. Constants are written after the events, as in a JVM.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) chunk: ChunkWriter,
    events: Vec<&'static str>,
    /// Whether it is a JVM's chunk, not a profiler's: it has thread groups.
    pub(crate) jvm: bool,
    /// The layout of JMC's writer: the start time last, frames in a pool.
    pub(crate) like_jmc: bool,
    /// Maps the number of a constant to its key.
    pub(crate) keys: fn(u64) -> u64,
    /// Whether there are empty pools between the others.
    pub(crate) empty_pools: bool,
    /// Whether types have the names used by Oracle's JDK.
    pub(crate) oracle: bool,
    payloads: Vec<(u64, Payload)>,
    pools: BTreeMap<u64, Texts>,
}

impl Chunk {
    /// A chunk that declares these event types.
    pub(crate) fn new(events: &[&'static str]) -> Self {
        let base = ["jdk.ActiveSetting", "jdk.ActiveRecording"];
        Self {
            chunk: ChunkWriter::new(),
            events: base.iter().chain(events).copied().collect(),
            jvm: true,
            like_jmc: false,
            keys: |n| n,
            empty_pools: false,
            oracle: false,
            payloads: Vec::new(),
            pools: BTreeMap::new(),
        }
    }

    /// The first chunk of a recording by async-profiler.
    pub(crate) fn of_async_profiler(events: &[&'static str]) -> Self {
        let mut chunk = Self { jvm: false, ..Self::new(events) };
        chunk.event("jdk.ActiveRecording", &[("name", T("async-profiler 4.1"))]);
        chunk
    }

    /// Makes the chunk begin later, by this many nanoseconds.
    pub(crate) fn later(mut self, nanos: i64) -> Self {
        self.chunk.start_nanos += nanos;
        self
    }

    fn id(&self, event: &str) -> u64 {
        let place = self.events.iter().position(|e| *e == event);
        FIRST_EVENT + place.unwrap_or_else(|| panic!("{event} is not declared")) as u64
    }

    fn constant(&mut self, of: u64, text: &str, value: impl FnOnce(&mut Self) -> Payload) -> u64 {
        if let Some((key, _)) = self.pools.get(&of).and_then(|pool| pool.0.get(text)) {
            return *key;
        }
        let value = value(self);
        let keys = self.keys;
        let pool = &mut self.pools.entry(of).or_default().0;
        let key = keys(pool.len() as u64 + 1);
        pool.insert(text.to_owned(), (key, value));
        key
    }

    fn symbol(&mut self, text: &str) -> u64 {
        self.constant(SYMBOL, text, |_| Payload::new().utf8(text))
    }

    /// A class, given by its recorded name.
    pub(crate) fn class(&mut self, name: &str) -> V<'static> {
        Key(self.class_key(name))
    }

    fn class_key(&mut self, name: &str) -> u64 {
        self.constant(CLASS, name, |this| Payload::new().varint(this.symbol(name)))
    }

    /// An object of a class that is still alive.
    pub(crate) fn object(&mut self, class: &str) -> V<'static> {
        Key(self.constant(OBJECT, class, |this| Payload::new().varint(this.class_key(class))))
    }

    pub(crate) fn state(&mut self, name: &str) -> V<'static> {
        Key(self.constant(STATE, name, |_| Payload::new().utf8(name)))
    }

    /// A thread with a Java name, or `os=…` for one that only the operating system knows.
    pub(crate) fn thread(&mut self, name: &str) -> V<'static> {
        Key(self.constant(THREAD, name, |this| {
            let number = this.pools.get(&THREAD).map_or(0, |pool| pool.0.len() as u64) + 7;
            match name.strip_prefix("os=") {
                Some(os) => Payload::new().utf8(os).varint(number + 1000).null().varint(0),
                None => Payload::new().utf8("os").varint(number + 1000).utf8(name).varint(number),
            }
        }))
    }

    /// Frames as `a/B.method(I)V:12`, leaf first; a trailing `…` marks a truncated stack.
    pub(crate) fn stack(&mut self, frames: &[&str]) -> V<'static> {
        let text = frames.join(";");
        Key(self.constant(TRACE, &text, |this| {
            let truncated = frames.last() == Some(&"…");
            let frames = &frames[..frames.len() - usize::from(truncated)];
            let head = Payload::new().byte(truncated.into()).varint(frames.len() as u64);
            let frames: Vec<(Vec<u64>, &str)> = frames.iter().map(|frame| (this.frame(frame), *frame)).collect();
            frames.into_iter().fold(head, |out, (numbers, text)| {
                let inline = |out: Payload| numbers.iter().fold(out, |out, n| out.varint(*n));
                if this.like_jmc {
                    out.varint(this.constant(FRAME, text, |_| inline(Payload::new())))
                } else {
                    inline(out)
                }
            })
        }))
    }

    /// Method and line.
    fn frame(&mut self, frame: &str) -> Vec<u64> {
        let (method, line) = frame.rsplit_once(':').unwrap_or((frame, "0"));
        let key = self.constant(METHOD, method, |this| {
            let (name, descriptor) = method.split_at(method.find('(').unwrap_or(method.len()));
            let (class, name) = name.rsplit_once('.').unwrap_or(("", name));
            let class = this.class_key(class);
            let (name, descriptor) =
                (this.symbol(name), this.symbol(if descriptor.is_empty() { "()V" } else { descriptor }));
            Payload::new().varint(class).varint(name).varint(descriptor)
        });
        vec![key, line.parse().unwrap()]
    }

    /// An event that begins with the chunk, unless `startTime` (milliseconds from there) is given.
    pub(crate) fn event(&mut self, name: &str, values: &[(&str, V<'_>)]) -> &mut Self {
        let id = self.id(name);
        let fields = EVENTS.iter().find(|(event, _)| *event == name).unwrap_or_else(|| panic!("{name}?")).1;
        for (given, _) in values {
            assert!(*given == "startTime" || fields.contains(given), "{name} has no {given}");
        }
        let value = |field: &str| values.iter().find(|(f, _)| *f == field).map(|(_, v)| *v);
        let start = match value("startTime") {
            Some(N(millis)) => millis * MILLI,
            _ => 0,
        };
        let start = Payload::new().long(self.chunk.start_ticks + start);
        let payload = if self.like_jmc { Payload::new() } else { start.clone() };
        let payload = fields.iter().fold(payload, |out, field| match (*field, value(field)) {
            (_, Some(T(text))) => out.utf8(text),
            (field, None) if TEXTS.contains(&field) => out.null(),
            ("failed", Some(N(n))) => out.byte(u8::try_from(n).unwrap()),
            ("failed", _) => out.byte(0),
            ("share", Some(F(x))) => out.float(x),
            (_, Some(N(n))) => out.long(n),
            (_, Some(Key(key))) => out.varint(key),
            (_, None) => out.varint(0),
            (field, Some(other)) => panic!("{field} = {other:?}"),
        });
        // Fields are written one after another; only the start time is left.
        let payload = if self.like_jmc { payload.long(self.chunk.start_ticks) } else { payload };
        self.payloads.push((id, payload));
        self
    }

    /// The setting of an event type.
    pub(crate) fn setting(&mut self, event: &str, name: &str, value: &str) -> &mut Self {
        let id = i64::try_from(self.id(event)).unwrap();
        self.event("jdk.ActiveSetting", &[("id", N(id)), ("name", T(name)), ("value", T(value))])
    }

    fn classes(&self) -> Vec<Class> {
        let frames = Field::new("frames", FRAME).array();
        let spelled = |name: &str| match name.strip_prefix("jdk.") {
            Some(rest) if self.oracle && !rest.starts_with("types.") => format!("com.oracle.jdk.{rest}"),
            _ => name.to_owned(),
        };
        let mut classes =
            vec![
                Class::new(THREAD, "java.lang.Thread")
                    .field(Field::new("osName", STRING))
                    .field(Field::new("osThreadId", LONG))
                    .field(Field::new("javaName", STRING))
                    .field(Field::new("javaThreadId", LONG)),
                Class::new(CLASS, "java.lang.Class").field(Field::new("name", SYMBOL).pooled()),
                Class::symbol(SYMBOL, "jdk.types.Symbol"),
                Class::new(METHOD, "jdk.types.Method")
                    .field(Field::new("type", CLASS).pooled())
                    .field(Field::new("name", SYMBOL).pooled())
                    .field(Field::new("descriptor", SYMBOL).pooled()),
                Class::new(FRAME, "jdk.types.StackFrame")
                    .field(Field::new("method", METHOD).pooled())
                    .field(Field::new("lineNumber", INT)),
                Class::new(TRACE, "jdk.types.StackTrace")
                    .field(Field::new("truncated", BOOLEAN))
                    .field(if self.like_jmc { frames.pooled() } else { frames }),
                Class::new(STATE, "jdk.types.ThreadState").field(Field::new("name", STRING)),
                Class::new(OBJECT, "jdk.types.OldObject").field(Field::new("type", CLASS).pooled()),
            ];
        if self.jvm {
            classes.push(Class::new(GROUP, "jdk.types.ThreadGroup").field(Field::new("name", STRING)));
        }
        for event in &self.events {
            let fields = EVENTS.iter().find(|(name, _)| name == event).unwrap_or_else(|| panic!("{event}?")).1;
            let (before, behind): (&[_], &[_]) =
                if self.like_jmc { (&[], &["startTime"]) } else { (&["startTime"], &[]) };
            let fields = before.iter().chain(fields).chain(behind);
            classes.push(fields.fold(Class::event(self.id(event), &spelled(event)), |c, f| c.field(field(f))));
        }
        classes
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.chunk.clone();
        let classes = self.classes();
        let mut pools: Vec<Pool> = Vec::new();
        for (of, texts) in &self.pools {
            if self.empty_pools {
                pools.push((SYMBOL, Vec::new()));
            }
            pools.push((*of, texts.0.values().cloned().collect()));
        }
        if self.like_jmc {
            out.checkpoint(&pools);
        }
        out.metadata(&classes);
        for (id, payload) in &self.payloads {
            out.event(*id, payload);
        }
        if !self.like_jmc {
            out.checkpoint(&pools);
        }
        out.finish()
    }
}

/// A recording with these chunks, one after another.
pub(crate) fn recording(chunks: &[&Chunk]) -> Recording<'static> {
    let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes()).collect();
    Recording::from_bytes(bytes, &Limits::default()).unwrap()
}
