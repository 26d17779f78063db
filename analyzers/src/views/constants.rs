//! The constants of one chunk as cell values, each decoded once.

use crate::hash::HashMap;
use jfr_parse::text::{class_name, descriptor_names};
use jfr_parse::{
    Chunk, Column, ConstantKey, Cursor, Inline, Metadata, Plan, StructValue, Type, TypeId, Value, ValueReader,
};

use super::value::{Names, STACK, Val};
use std::hash::BuildHasher;

/// Which part of a constant is needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// The constant as it is displayed.
    Whole,
    /// A field of it, given by path.
    Field(String),
    /// The first matching frame of a stack trace, or a part of it.
    Frame(Pick, Of),
}

/// How to select a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pick {
    /// The first frame.
    Top,
    /// The first frame whose class has a loader other than the JVM's own.
    Application,
    /// The first frame that is not a constructor or a class initializer.
    NotInit,
    /// The first frame in the user's own code.
    Own,
}

/// What counts as the user's own code, for `stackTrace.topOwnFrame`.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Prefixes of class names. If empty, all classes loaded by application class loaders count, except those
    /// of well-known libraries.
    pub packages: Vec<String>,
}

/// Class name prefixes of widespread libraries, servers and languages.
const LIBRARIES: &[&str] = &[
    "akka.",
    "android.",
    "ch.qos.logback.",
    "clojure.",
    "com.amazonaws.",
    "com.azure.",
    "com.codahale.metrics.",
    "com.datadog.",
    "com.datastax.",
    "com.esotericsoftware.",
    "com.fasterxml.",
    "com.github.benmanes.caffeine.",
    "com.google.",
    "com.hazelcast.",
    "com.ibm.",
    "com.microsoft.",
    "com.mongodb.",
    "com.mysql.",
    "com.ning.",
    "com.oracle.",
    "com.rabbitmq.",
    "com.squareup.",
    "com.sun.",
    "com.typesafe.",
    "com.zaxxer.",
    "datadog.",
    "ddtrot.",
    "groovy.",
    "io.dropwizard.",
    "io.grpc.",
    "io.jsonwebtoken.",
    "io.lettuce.",
    "io.micrometer.",
    "io.micronaut.",
    "io.netty.",
    "io.opentelemetry.",
    "io.prometheus.",
    "io.quarkus.",
    "io.reactivex.",
    "io.smallrye.",
    "io.undertow.",
    "io.vertx.",
    "jakarta.",
    "java.",
    "javax.",
    "jdk.",
    "junit.",
    "kotlin.",
    "kotlinx.",
    "liquibase.",
    "net.bytebuddy.",
    "net.sf.",
    "ognl.",
    "okhttp3.",
    "okio.",
    "one.profiler.",
    "oracle.",
    "org.apache.",
    "org.asynchttpclient.",
    "org.bouncycastle.",
    "org.codehaus.",
    "org.eclipse.",
    "org.elasticsearch.",
    "org.flywaydb.",
    "org.glassfish.",
    "org.gradle.",
    "org.h2.",
    "org.hibernate.",
    "org.hsqldb.",
    "org.jboss.",
    "org.jetbrains.",
    "org.jooq.",
    "org.jruby.",
    "org.json.",
    "org.junit.",
    "org.mariadb.",
    "org.mockito.",
    "org.mozilla.javascript.",
    "org.mybatis.",
    "org.openjdk.",
    "org.opensearch.",
    "org.postgresql.",
    "org.quartz.",
    "org.reactivestreams.",
    "org.redisson.",
    "org.rocksdb.",
    "org.slf4j.",
    "org.springframework.",
    "org.thymeleaf.",
    "org.wildfly.",
    "org.xml.",
    "org.yaml.",
    "play.",
    "reactor.",
    "redis.clients.",
    "retrofit2.",
    "rx.",
    "scala.",
    "shaded.",
    "software.amazon.",
    "sun.",
    "weblogic.",
    "zipkin2.",
];

impl Own {
    fn is(&self, class: &str, application: bool) -> bool {
        if self.packages.is_empty() {
            return application && !LIBRARIES.iter().any(|library| class.starts_with(library));
        }
        self.packages.iter().any(|own| {
            let own = own.trim_end_matches(['*', '.']);
            class.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '$']))
        })
    }
}

/// Which part of a frame is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    /// The method, or the frame: both are displayed as the method.
    Method,
    /// The class of the method.
    Class,
    /// The line number.
    Line,
}

impl Part {
    /// The part of a constant that the rest of a path selects.
    pub(crate) fn of(of: Type<'_>, path: &str) -> Self {
        if path.is_empty() {
            return Self::Whole;
        }
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let pick = match first {
            "topFrame" => Pick::Top,
            "topApplicationFrame" => Pick::Application,
            "topNotInitFrame" => Pick::NotInit,
            "topOwnFrame" => Pick::Own,
            _ => return Self::Field(path.to_owned()),
        };
        if !of.is_named("jdk.types.StackTrace") {
            return Self::Field(path.to_owned());
        }
        match rest {
            "" | "method" => Self::Frame(pick, Of::Method),
            "method.type" => Self::Frame(pick, Of::Class),
            "lineNumber" => Self::Frame(pick, Of::Line),
            _ => Self::Field(path.to_owned()),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Method {
    shown: Val,
    class: Val,
    init: bool,
    application: bool,
    own: bool,
}

/// Decodes the constants of a chunk.
pub(crate) struct Constants<'c, 'a> {
    chunk: &'c Chunk<'a>,
    reader: Option<ValueReader<'c>>,
    parts: Vec<Part>,
    known: HashMap<(u32, TypeId, ConstantKey), Val>,
    methods: HashMap<ConstantKey, Method>,
    frames: Option<Frames>,
    own: &'c Own,
    /// Maximum number of lines to show of a stack trace.
    lines: usize,
}

/// A column of a stack trace.
const FRAMES: Column<Inline> = Column::at(0);
/// Columns of a frame.
const METHOD: Column<ConstantKey> = Column::at(0);
const LINE: Column<i64> = Column::at(1);

/// How to read frames.
struct Frames {
    stack: Plan<1>,
    frame: Plan<2>,
    method_type: TypeId,
}

impl<'c, 'a> Constants<'c, 'a> {
    pub(crate) fn new(chunk: &'c Chunk<'a>, own: &'c Own, lines: usize) -> Self {
        Self {
            chunk,
            own,
            lines,
            reader: None,
            parts: Vec::new(),
            known: HashMap::default(),
            methods: HashMap::default(),
            frames: None,
        }
    }

    /// The number for a part of constants.
    pub(crate) fn part(&mut self, part: Part) -> u32 {
        let at = self.parts.iter().position(|known| *known == part).unwrap_or_else(|| {
            self.parts.push(part);
            self.parts.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// The requested part of the constant with this key.
    pub(crate) fn get(&mut self, names: &mut Names, part: u32, type_id: TypeId, key: ConstantKey) -> Val {
        let at = (part, type_id, key);
        if let Some(&known) = self.known.get(&at) {
            return known;
        }
        let asked = self.parts.get(part as usize).cloned().unwrap_or(Part::Whole);
        let value = match asked {
            Part::Frame(pick, of) => self.frame(names, type_id, key, pick, of),
            Part::Whole => self.whole(names, type_id, key),
            Part::Field(path) => {
                let value = self.value(type_id, key);
                value.path(&path).map_or(Val::Null, |found| of_value(names, found, self.chunk.metadata()))
            }
        };
        self.known.insert(at, value);
        value
    }

    fn value(&mut self, type_id: TypeId, key: ConstantKey) -> Value<'c> {
        let chunk = self.chunk;
        let reader = self.reader.get_or_insert_with(|| ValueReader::new(chunk));
        reader.constant(type_id, key).unwrap_or_default()
    }

    fn whole(&mut self, names: &mut Names, type_id: TypeId, key: ConstantKey) -> Val {
        let of = self.chunk.metadata().by_id(type_id);
        if of.is_some_and(|of| of.is_named("jdk.types.Method")) {
            return self.method(names, type_id, key).map_or(Val::Null, |method| method.shown);
        }
        if of.is_some_and(|of| of.is_named("jdk.types.StackTrace")) {
            return self.stack(names, type_id, key);
        }
        let value = self.value(type_id, key);
        if value.is_null() && of.is_some_and(|of| of.is_named("jdk.types.ClassLoader")) {
            return names.thing("loader bootstrap", "null-bootstrap");
        }
        of_value(names, &value, self.chunk.metadata())
    }

    fn method(&mut self, names: &mut Names, type_id: TypeId, key: ConstantKey) -> Option<Method> {
        if let Some(known) = self.methods.get(&key) {
            return Some(*known);
        }
        let value = self.value(type_id, key);
        let method = value.as_struct()?;
        let name = text_of(method, "name");
        let class = method.get("type").and_then(Value::as_struct);
        let application = class.is_some_and(|class| {
            let loader = class.get("classLoader").and_then(Value::as_struct);
            loader.is_some_and(|loader| {
                loader.get("name").and_then(Value::as_str) != Some("bootstrap") && loader.get("type").is_some()
            })
        });
        let class_text = class.map(|class| class_name(text_of(class, "name"))).unwrap_or_default();
        let found = Method {
            shown: method_of(names, method),
            class: class.map_or(Val::Null, |class| class_of(names, class)),
            init: matches!(name, "<init>" | "<clinit>"),
            application,
            own: self.own.is(&class_text, application),
        };
        self.methods.insert(key, found);
        Some(found)
    }

    fn frames(&mut self, type_id: TypeId) -> Option<()> {
        if self.frames.is_some() {
            return Some(());
        }
        let stack = self.chunk.metadata().by_id(type_id)?;
        let frames = stack.field("frames").filter(|f| f.is_array() && !f.is_pooled())?;
        let of = frames.value_type()?;
        let frame = Plan::whole(of, ["method", "lineNumber"], self.chunk.limits()).ok()?;
        let method_type = frame.type_id(METHOD).filter(|_| frame.is_pooled(METHOD))?;
        let stack = Plan::open_ended(stack, ["frames"], self.chunk.limits()).ok()?;
        self.frames = Some(Frames { stack, frame, method_type });
        Some(())
    }

    /// Visits the frames of a stack trace as (method type id, method key, line) until the callback stops it.
    fn walk(
        &mut self,
        type_id: TypeId,
        key: ConstantKey,
        mut visit: impl FnMut(&mut Self, TypeId, ConstantKey, i64) -> Option<()>,
    ) -> Option<()> {
        let bytes = self.chunk.pools().get(type_id, key)?;
        self.frames(type_id)?;
        let frames = self.frames.as_ref()?;
        let mut at: Cursor<'_> = frames.stack.read(bytes).ok()?.get(FRAMES)?;
        for _ in 0..at.count().ok()? {
            let frames = self.frames.as_ref()?;
            let row = frames.frame.read_next(&mut at).ok()?;
            let method_type = frames.method_type;
            visit(self, method_type, row.get(METHOD), row.get(LINE))?;
        }
        Some(())
    }

    fn frame(&mut self, names: &mut Names, type_id: TypeId, key: ConstantKey, pick: Pick, of: Of) -> Val {
        let mut found = Val::Null;
        self.walk(type_id, key, |this, method_type, method, line| {
            let Some(method) = this.method(names, method_type, method) else { return Some(()) };
            let fits = match pick {
                Pick::Top => true,
                Pick::Application => method.application,
                Pick::NotInit => !method.init,
                Pick::Own => method.own,
            };
            if !fits {
                return Some(());
            }
            found = match of {
                Of::Method => method.shown,
                Of::Class => method.class,
                Of::Line => Val::Int(line),
            };
            None
        });
        found
    }

    /// A stack trace, identified by its methods. Only the displayed part of its text is kept.
    fn stack(&mut self, names: &mut Names, type_id: TypeId, key: ConstantKey) -> Val {
        let (mut text, mut lines) = (String::new(), 0usize);
        let mut hash = [0u64; 2];
        let hashers = [foldhash::quality::FixedState::with_seed(1), foldhash::quality::FixedState::with_seed(2)];
        let wanted = self.lines;
        self.walk(type_id, key, |this, method_type, method, _| {
            let shown = this.method(names, method_type, method).map_or(Val::Null, |method| method.shown);
            let Val::Text(number) = shown else { return Some(()) };
            let method = names.text(number);
            for (hash, hasher) in hash.iter_mut().zip(&hashers) {
                *hash = hasher.hash_one((*hash, method));
            }
            if lines < wanted {
                if lines > 0 {
                    text.push('\n');
                }
                text.push_str(method);
                lines += 1;
            }
            Some(())
        });
        let [a, b] = hash;
        if lines == 0 { Val::Null } else { names.thing(&format!("{STACK}{a:x} {b:x}"), &text) }
    }
}

fn text_of<'v>(of: &'v StructValue<'_>, field: &str) -> &'v str {
    of.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Converts a value to a cell.
pub(crate) fn of_value(names: &mut Names, value: &Value<'_>, metadata: &Metadata) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(b) => Val::Bool(*b),
        Value::I64(n) => Val::Int(*n),
        Value::U64(n) => Val::UInt(*n),
        Value::F32(n) => Val::Single(*n),
        Value::F64(n) => Val::Float(*n),
        Value::Char(c) => names.plain(c.encode_utf8(&mut [0; 4])),
        Value::Str(text) => names.plain(text),
        Value::Array(values) => {
            let shown: Vec<String> = values
                .iter()
                .map(|value| match of_value(names, value, metadata) {
                    Val::Text(n) => names.text(n).to_owned(),
                    other => plain(other),
                })
                .collect();
            names.plain(&shown.join(", "))
        }
        Value::Struct(of) => of_struct(names, of, metadata),
    }
}

/// Formats a number or boolean without a unit.
pub(crate) fn plain(value: Val) -> String {
    match value {
        Val::Bool(b) => b.to_string(),
        Val::Int(n) => n.to_string(),
        Val::UInt(n) => n.to_string(),
        Val::Single(n) => n.to_string(),
        Val::Float(n) => n.to_string(),
        Val::Null | Val::Text(_) => String::new(),
    }
}

fn of_struct(names: &mut Names, of: &StructValue<'_>, metadata: &Metadata) -> Val {
    let name = of.of().canonical_name();
    match &*name {
        "java.lang.Thread" => thread_of(names, of),
        "java.lang.Class" => class_of(names, of),
        "jdk.types.ClassLoader" => loader_of(names, of),
        "jdk.types.Method" => method_of(names, of),
        "jdk.types.StackFrame" => {
            of.get("method").and_then(Value::as_struct).map_or(Val::Null, |method| method_of(names, method))
        }
        "jdk.types.OldObject" => {
            of.get("type").and_then(Value::as_struct).map_or(Val::Null, |class| class_of(names, class))
        }
        _ => {
            // An object with a name becomes its name; one with a single field becomes that field.
            let named = of.get("name").filter(|value| value.as_str().is_some());
            let only = of.fields().next().map(|(_, value)| value).filter(|_| of.fields().len() == 1);
            match named.or(only) {
                Some(value) => of_value(names, value, metadata),
                None => Val::Null,
            }
        }
    }
}

fn thread_of(names: &mut Names, thread: &StructValue<'_>) -> Val {
    let number = |name| thread.get(name).and_then(Value::as_i64).unwrap_or(0);
    let java = thread.get("javaName").and_then(Value::as_str).filter(|_| number("javaThreadId") > 0);
    let text = java.or_else(|| thread.get("osName").and_then(Value::as_str));
    let Some(text) = text else { return Val::Null };
    let identity =
        format!("thread {} {} {}", number("javaThreadId"), number("osThreadId"), thread.key().unwrap_or_default().0);
    names.thing(&format!("{identity} {text}"), text)
}

fn class_of(names: &mut Names, class: &StructValue<'_>) -> Val {
    let Some(name) = class.get("name").and_then(Value::as_str) else { return Val::Null };
    let loader = class.get("classLoader").and_then(Value::as_struct);
    let identity = format!("class {name} {}", loader.map_or_else(String::new, loader_identity));
    names.thing(&identity, &class_name(name))
}

fn loader_identity(loader: &StructValue<'_>) -> String {
    let class = loader.get("type").and_then(Value::as_struct);
    let class = class.map_or("", |class| text_of(class, "name"));
    format!("{class} {} {}", text_of(loader, "name"), loader.key().unwrap_or_default().0)
}

fn loader_of(names: &mut Names, loader: &StructValue<'_>) -> Val {
    let class = loader.get("type").and_then(Value::as_struct).map(|class| class_name(text_of(class, "name")));
    let text = match (class, loader.get("name").and_then(Value::as_str)) {
        (Some(class), _) => class,
        (None, Some(name)) => format!("null-{name}"),
        (None, None) => return Val::Null,
    };
    names.thing(&format!("loader {}", loader_identity(loader)), &text)
}

/// A method with the simple names of its parameter types.
fn method_of(names: &mut Names, method: &StructValue<'_>) -> Val {
    let class = method.get("type").and_then(Value::as_struct);
    let class_text = class.map(|class| class_name(text_of(class, "name"))).unwrap_or_default();
    let name = text_of(method, "name");
    let descriptor = text_of(method, "descriptor");
    let parameters = descriptor.strip_prefix('(').and_then(|d| d.rsplit_once(')')).map_or("", |(p, _)| p);
    let mut text = if class.is_some() { format!("{class_text}.{name}(") } else { format!("{name}(") };
    for (i, parameter) in descriptor_names(parameters).iter().enumerate() {
        if i > 0 {
            text.push_str(", ");
        }
        text.push_str(parameter.rsplit('.').next().unwrap_or_default());
    }
    text.push(')');
    let loader = class.and_then(|class| class.get("classLoader")).and_then(Value::as_struct);
    let identity =
        format!("method {class_text} {name} {descriptor} {}", loader.map_or_else(String::new, loader_identity));
    names.thing(&identity, &text)
}
