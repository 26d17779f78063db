//! Formats events and values as human-readable text in the layout of the JDK's `jfr print`.
//!
//! Timestamps are shown in UTC. Control characters in recorded strings, except line breaks and tabs, are
//! escaped so that a recording cannot control a terminal.
//!
//! Only the JDK's own layouts belong here, those of `jfr print` and `jfr metadata`; JSON is made by
//! [`value`](crate::value). Start with [`TextWriter`]; [`declaration`] in `types.rs` formats types.
//!
//! ```
//! # fn main() -> jfr_parse::Result<()> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! use jfr_parse::{Recording, ValueReader, text::TextWriter};
//!
//! let recording = Recording::open(path)?;
//! let chunk = recording.chunk(0)?;
//! // One frame more than is shown, so that the writer knows whether the stack goes on.
//! let reader = ValueReader::new(&chunk).stack_depth(6);
//! let mut writer = TextWriter::new(chunk.clock(), 5);
//! for event in chunk.events().take(10) {
//!     if let Some(event) = reader.event(&event)?.as_struct() {
//!         writer.event(event);
//!     }
//! }
//! assert!(writer.as_str().contains("  startTime = "));
//! # Ok(())
//! # }
//! ```

mod names;
mod numbers;
mod types;

use std::fmt::Write;

pub use names::{class_name, descriptor_names};
pub use numbers::{amount, duration};
pub use types::declaration;

use crate::metadata::{Content, Field};
use crate::time::{Clock, LocalNanos, Zone};
use crate::value::{StructValue, Value};
use numbers::{double, float, unsigned_amount};

/// Collects the text of events.
#[derive(Debug, Clone)]
pub struct TextWriter {
    clock: Clock,
    zone: Zone,
    stack_depth: usize,
    out: String,
    indent: usize,
}

/// Fields that are printed last.
const LATE: [&str; 2] = ["eventThread", "stackTrace"];

impl TextWriter {
    /// Creates a writer for events of a chunk with this clock. It prints at most `stack_depth` frames of a
    /// stack trace, followed by `...` if the value has more frames or the stack trace was truncated when it was
    /// recorded.
    #[must_use]
    pub fn new(clock: Clock, stack_depth: usize) -> Self {
        Self { clock, zone: Zone::UTC, stack_depth, out: String::new(), indent: 0 }
    }

    /// Shows times in this zone instead of UTC.
    #[must_use]
    pub fn zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// The text so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.out
    }

    /// Discards the text.
    pub fn clear(&mut self) {
        self.out.clear();
    }

    /// Appends an event and an empty line.
    pub fn event(&mut self, event: &StructValue<'_>) {
        self.text(event.of().name());
        self.line(" {");
        self.indent += 1;
        for (field, value) in event.fields() {
            let name = field.name();
            let instantaneous = name == "duration" && matches!(value, Value::I64(0) | Value::U64(0));
            if !instantaneous && !LATE.contains(&name) {
                self.field(field, value, event);
            }
        }
        for (field, value) in LATE.iter().filter_map(|name| event.fields().find(|(f, _)| f.name() == *name)) {
            if !value.is_null() {
                self.field(field, value, event);
            }
        }
        self.indent -= 1;
        self.line("}");
        self.line("");
    }

    fn field(&mut self, field: Field<'_>, value: &Value<'_>, owner: &StructValue<'_>) {
        self.start();
        self.text(field.name());
        self.out.push_str(" = ");
        self.value(Some(field), value, "", owner);
    }

    /// Writes the value up to the end of its line. `owner` is the struct that contains it.
    fn value(&mut self, field: Option<Field<'_>>, value: &Value<'_>, end: &str, owner: &StructValue<'_>) {
        match value {
            Value::Struct(value) => return self.structure(value, end, owner),
            Value::Array(values) => return self.array(field, values, end, owner),
            _ => self.scalar(field, value),
        }
        self.line(end);
    }

    fn scalar(&mut self, field: Option<Field<'_>>, value: &Value<'_>) {
        let content = field.and_then(|f| f.content());
        match *value {
            Value::I64(n) => self.number(n, content),
            Value::U64(n) => match (i64::try_from(n), content) {
                (Err(_), None | Some(Content::MemoryAddress)) => match content {
                    None => put(&mut self.out, format_args!("{n}")),
                    Some(_) => put(&mut self.out, format_args!("0x{n:08X}")),
                },
                (Err(_), Some(content)) => match unsigned_amount(n, content) {
                    Some(text) => self.out.push_str(&text),
                    None => self.number(n.cast_signed(), Some(content)),
                },
                (Ok(n), content) => self.number(n, content),
            },
            Value::F32(n) if content == Some(Content::Percentage) => percentage(&mut self.out, n.into()),
            Value::F64(n) if content == Some(Content::Percentage) => percentage(&mut self.out, n),
            Value::F32(n) if is_amount(content) => self.number(whole(n.into()), content),
            Value::F64(n) if is_amount(content) => self.number(whole(n), content),
            Value::F32(n) => float(&mut self.out, n, content == Some(Content::Frequency)),
            Value::F64(n) => double(&mut self.out, n, content == Some(Content::Frequency)),
            Value::Bool(b) => self.out.push_str(if b { "true" } else { "false" }),
            Value::Char(c) => self.out.push_str(&escape(c.encode_utf8(&mut [0; 4]), false)),
            Value::Str(ref text) => {
                self.out.push('"');
                self.text(text);
                self.out.push('"');
            }
            _ => self.out.push_str("N/A"),
        }
    }

    fn number(&mut self, n: i64, content: Option<Content>) {
        let out = &mut self.out;
        match content {
            _ if n == i64::MIN || (content.is_none() && n == i64::from(i32::MIN)) => out.push_str("N/A"),
            Some(Content::Timestamp(unit)) => match self.clock.instant(n, unit) {
                Some(at) => instant(out, self.zone.local(at)),
                None => out.push_str("N/A"),
            },
            Some(Content::Timespan(unit)) => match self.clock.length(n, unit) {
                Some(length) => put(out, format_args!("{}", duration(length.0))),
                None => out.push_str("Forever"),
            },
            Some(Content::MemoryAddress) => put(out, format_args!("0x{n:08X}")),
            Some(Content::Frequency) => put(out, format_args!("{n} Hz")),
            Some(content) => match amount(n, content) {
                Some(text) => out.push_str(&text),
                None => put(out, format_args!("{n}")),
            },
            None => put(out, format_args!("{n}")),
        }
    }

    fn array(&mut self, field: Option<Field<'_>>, values: &[Value<'_>], end: &str, owner: &StructValue<'_>) {
        self.line("[");
        self.indent += 1;
        for (i, value) in values.iter().enumerate() {
            self.start();
            let last = i + 1 == values.len();
            self.value(field, value, if last { "" } else { ", " }, owner);
        }
        self.close("]", end);
    }

    fn structure(&mut self, value: &StructValue<'_>, end: &str, owner: &StructValue<'_>) {
        let name = value.of().canonical_name();
        match &*name {
            "java.lang.Thread" => self.thread(value),
            "java.lang.Class" => self.class(value),
            "jdk.types.ClassLoader" => self.class_loader(value),
            "jdk.types.Method" => self.method(value),
            "jdk.types.StackFrame" => self.frame(value),
            "jdk.types.StackTrace" => return self.stack(value, end),
            "jdk.types.OldObject" => return self.old_object(value, owner, end),
            _ => {
                self.line("{");
                self.indent += 1;
                for (field, inner) in value.fields() {
                    self.field(field, inner, value);
                }
                return self.close("}", end);
            }
        }
        self.line(end);
    }

    fn thread(&mut self, thread: &StructValue<'_>) {
        let number = |name| thread.get(name).and_then(Value::as_i64).unwrap_or(0);
        let text = |name| thread.get(name).and_then(Value::as_str).unwrap_or("null");
        let java = number("javaThreadId");
        let (name, kind, id) = match java {
            1.. => (text("javaName"), "javaThreadId", java),
            _ => (text("osName"), "osThreadId", number("osThreadId")),
        };
        self.out.push('"');
        self.text(name);
        put(&mut self.out, format_args!("\" ({kind} = {id}"));
        if thread.get("virtual").and_then(Value::as_bool) == Some(true) {
            self.out.push_str(", virtual");
        }
        self.out.push(')');
    }

    fn class(&mut self, class: &StructValue<'_>) {
        self.text(&name_of(class));
        self.out.push_str(" (classLoader = ");
        match class.get("classLoader").and_then(Value::as_struct) {
            None => self.out.push_str("null"),
            Some(loader) => match (loader.get("name").and_then(Value::as_str), type_of(loader)) {
                (Some(name), _) => self.text(name),
                (None, Some(of)) => self.text(&name_of(of)),
                (None, None) => self.out.push_str("null"),
            },
        }
        self.out.push(')');
    }

    fn class_loader(&mut self, loader: &StructValue<'_>) {
        let Some(of) = type_of(loader) else { return self.out.push_str("null") };
        self.text(&name_of(of));
        put(&mut self.out, format_args!(" (id = {})", loader.key().unwrap_or_default().0.cast_signed()));
    }

    fn method(&mut self, method: &StructValue<'_>) {
        let text = |name| method.get(name).and_then(Value::as_str).unwrap_or_default();
        if let Some(of) = type_of(method) {
            self.text(&name_of(of));
            self.out.push('.');
        }
        self.text(text("name"));
        self.out.push('(');
        let descriptor = text("descriptor");
        let parameters = descriptor.strip_prefix('(').and_then(|d| d.rsplit_once(')')).map_or("", |(p, _)| p);
        for (i, name) in descriptor_names(parameters).into_iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.text(name.rsplit('.').next().unwrap_or_default());
        }
        self.out.push(')');
    }

    fn frame(&mut self, frame: &StructValue<'_>) {
        match frame.get("method").and_then(Value::as_struct) {
            Some(method) => self.method(method),
            None => self.out.push_str("N/A"),
        }
        if let Some(line @ 0..) = frame.get("lineNumber").and_then(Value::as_i64) {
            put(&mut self.out, format_args!(" line: {line}"));
        }
    }

    fn stack(&mut self, stack: &StructValue<'_>, end: &str) {
        self.line("[");
        self.indent += 1;
        let frames = stack.get("frames").and_then(Value::as_array).unwrap_or_default();
        let hidden = |frame: &StructValue<'_>| {
            frame.get("method").and_then(|m| m.get("hidden")).and_then(Value::as_bool) == Some(true)
        };
        let mut visible = frames.iter().filter_map(Value::as_struct).filter(|frame| !hidden(frame));
        for frame in visible.by_ref().take(self.stack_depth) {
            self.start();
            self.frame(frame);
            self.line("");
        }
        if visible.next().is_some() || stack.get("truncated").and_then(Value::as_bool) == Some(true) {
            self.start();
            self.line("...");
        }
        self.close("]", end);
    }

    /// Writes an object and the chain of references to it, up to the GC root.
    fn old_object(&mut self, object: &StructValue<'_>, owner: &StructValue<'_>, end: &str) {
        self.line(" [");
        self.indent += 1;
        self.start();
        self.referent(object, owner.get("arrayElements").and_then(Value::as_i64).unwrap_or(0));
        let mut at = object.get("referrer").and_then(Value::as_struct);
        while let Some(reference) = at {
            let number = |value: Option<&Value<'_>>| value.and_then(Value::as_i64).unwrap_or(0);
            if number(reference.get("skip")) > 0 {
                self.start();
                self.line("...");
            }
            self.start();
            let array = reference.get("array").and_then(Value::as_struct);
            let size = number(array.and_then(|a| a.get("size")));
            match (reference.get("field").and_then(|f| f.get("name")).and_then(Value::as_str), array) {
                (Some(field), _) => self.text(field),
                (None, Some(array)) => put(&mut self.out, format_args!("[{}]", number(array.get("index")))),
                (None, None) => {}
            }
            self.out.push_str(" : ");
            let Some(holder) = reference.get("object").and_then(Value::as_struct) else {
                self.line("");
                break;
            };
            self.referent(holder, size);
            at = holder.get("referrer").and_then(Value::as_struct);
        }
        self.close("]", end);
    }

    fn referent(&mut self, object: &StructValue<'_>, elements: i64) {
        if let Some(of) = type_of(object) {
            let mut name = name_of(of);
            if elements > 0
                && let Some(at) = name.find("[]")
            {
                name.replace_range(at + 1..at + 1, &elements.to_string());
            }
            self.text(&name);
            if let Some(description) = object.get("description").and_then(Value::as_str) {
                self.out.push(' ');
                self.text(description);
            }
        }
        self.line("");
    }

    fn start(&mut self) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    fn line(&mut self, end: &str) {
        self.out.push_str(end);
        self.out.push('\n');
    }

    fn close(&mut self, bracket: &str, end: &str) {
        self.indent = self.indent.saturating_sub(1);
        self.start();
        self.out.push_str(bracket);
        self.line(end);
    }

    /// Writes recorded text.
    fn text(&mut self, text: &str) {
        self.out.push_str(&escape(text, true));
    }
}

/// Appends formatted text. Writing into a string cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn is_amount(content: Option<Content>) -> bool {
    matches!(content, Some(Content::Bytes | Content::Bits | Content::BytesPerSecond | Content::BitsPerSecond))
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn whole(n: f64) -> i64 {
    n as i64
}

fn percentage(out: &mut String, ratio: f64) {
    put(out, format_args!("{:.2}%", ratio * 100.0));
}

fn instant(out: &mut String, local: LocalNanos) {
    let iso = local.to_string();
    // With milliseconds, and with the time of day first, because most recordings span only one day.
    match iso.split_once('T') {
        Some((date, time)) => put(out, format_args!("{} ({date})", time.get(..12).unwrap_or(time))),
        None => out.push_str(&iso),
    }
}

fn type_of<'v, 'a>(of: &'v StructValue<'a>) -> Option<&'v StructValue<'a>> {
    of.get("type").and_then(Value::as_struct)
}

fn name_of(class: &StructValue<'_>) -> String {
    class_name(class.get("name").and_then(Value::as_str).unwrap_or_default())
}

/// Puts recorded text on one line: control characters and those that change the writing direction are escaped.
#[must_use]
pub fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    escape(text, false)
}

/// Whether a character can make the text after it look like something else (Unicode's bidirectional formatting
/// characters).
const fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(text: &str, lines: bool) -> std::borrow::Cow<'_, str> {
    let kept = |c: char| !(c.is_control() || turns(c)) || (lines && matches!(c, '\n' | '\t' | '\r'));
    if text.chars().all(kept) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if kept(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    out.into()
}
