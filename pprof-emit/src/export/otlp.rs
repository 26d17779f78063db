//! OpenTelemetry profiles (`opentelemetry.proto.profiles.v1development`), as protobuf and as JSON.
//!
//! Everything that profiles share is stored once in the dictionary: strings, functions, locations, stacks, attributes, links.
//! Index 0 of each table is the empty entry.

use std::io::{self, Write};

use hashbrown::HashMap;
use jfrkit_profile::any::TIME_LABELS;
use jfrkit_profile::tree::FrameKind;
use jfrkit_profile::{Cancel, StrId};
use prost::Message;
use serde::{Serialize, Serializer};

use super::Typed;

/// The release of opentelemetry-proto that the files follow.
pub const OTLP_VERSION: &str = "1.10.0";

fn text<S: Serializer>(number: &impl ToString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&number.to_string())
}

fn texts<T: ToString, S: Serializer>(numbers: &[T], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(numbers.iter().map(T::to_string))
}

/// In OpenTelemetry's JSON, trace and span ids are hexadecimal.
fn hex<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

macro_rules! messages {
    ($($(#[$of:meta])* $name:ident { $($(#[$field:meta])* $part:ident: $type:ty,)* })*) => {
        $($(#[$of])* #[derive(Clone, PartialEq, Message, Serialize)]
        #[serde(rename_all = "camelCase")]
        struct $name { $($(#[$field])* $part: $type,)* })*
    };
}

messages! {
    ProfilesData {
        #[prost(message, repeated, tag = "1")] resource_profiles: Vec<ResourceProfiles>,
        #[prost(message, optional, tag = "2")] dictionary: Option<Dictionary>,
    }
    ResourceProfiles {
        #[prost(message, optional, tag = "1")] resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")] scope_profiles: Vec<ScopeProfiles>,
    }
    Resource {
        #[prost(message, repeated, tag = "1")] attributes: Vec<KeyValue>,
    }
    KeyValue {
        #[prost(string, tag = "1")] key: String,
        #[prost(message, optional, tag = "2")] value: Option<AnyValue>,
    }
    #[derive(Eq, Hash)]
    AnyValue {
        #[prost(string, optional, tag = "1")] #[serde(skip_serializing_if = "Option::is_none")] string_value: Option<String>,
        #[prost(int64, optional, tag = "3")] #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_text")] int_value: Option<i64>,
    }
    ScopeProfiles {
        #[prost(message, optional, tag = "1")] scope: Option<Scope>,
        #[prost(message, repeated, tag = "2")] profiles: Vec<Profile>,
    }
    Scope {
        #[prost(string, tag = "1")] name: String,
        #[prost(string, tag = "2")] version: String,
    }
    Profile {
        #[prost(message, optional, tag = "1")] sample_type: Option<ValueType>,
        #[prost(message, repeated, tag = "2")] samples: Vec<Sample>,
        #[prost(fixed64, tag = "3")] #[serde(serialize_with = "text")] time_unix_nano: u64,
        #[prost(uint64, tag = "4")] #[serde(serialize_with = "text")] duration_nano: u64,
        #[prost(message, optional, tag = "5")] #[serde(skip_serializing_if = "Option::is_none")] period_type: Option<ValueType>,
        #[prost(int64, tag = "6")] #[serde(serialize_with = "text")] period: i64,
    }
    ValueType {
        #[prost(int32, tag = "1")] type_strindex: i32,
        #[prost(int32, tag = "2")] unit_strindex: i32,
    }
    Sample {
        #[prost(int32, tag = "1")] stack_index: i32,
        #[prost(int32, repeated, tag = "2")] attribute_indices: Vec<i32>,
        #[prost(int32, tag = "3")] link_index: i32,
        #[prost(int64, repeated, tag = "4")] #[serde(serialize_with = "texts")] values: Vec<i64>,
        #[prost(fixed64, repeated, tag = "5")] #[serde(serialize_with = "texts")] timestamps_unix_nano: Vec<u64>,
    }
    Dictionary {
        #[prost(message, repeated, tag = "1")] mapping_table: Vec<Mapping>,
        #[prost(message, repeated, tag = "2")] location_table: Vec<Location>,
        #[prost(message, repeated, tag = "3")] function_table: Vec<Function>,
        #[prost(message, repeated, tag = "4")] link_table: Vec<Link>,
        #[prost(string, repeated, tag = "5")] string_table: Vec<String>,
        #[prost(message, repeated, tag = "6")] attribute_table: Vec<Attribute>,
        #[prost(message, repeated, tag = "7")] stack_table: Vec<Stack>,
    }
    Mapping {
        #[prost(uint64, tag = "1")] #[serde(serialize_with = "text")] memory_start: u64,
        #[prost(uint64, tag = "2")] #[serde(serialize_with = "text")] memory_limit: u64,
        #[prost(uint64, tag = "3")] #[serde(serialize_with = "text")] file_offset: u64,
        #[prost(int32, tag = "4")] filename_strindex: i32,
        #[prost(int32, repeated, tag = "5")] attribute_indices: Vec<i32>,
    }
    Location {
        #[prost(int32, tag = "1")] mapping_index: i32,
        #[prost(uint64, tag = "2")] #[serde(serialize_with = "text")] address: u64,
        #[prost(message, repeated, tag = "3")] lines: Vec<Line>,
        #[prost(int32, repeated, tag = "4")] attribute_indices: Vec<i32>,
    }
    Line {
        #[prost(int32, tag = "1")] function_index: i32,
        #[prost(int64, tag = "2")] #[serde(serialize_with = "text")] line: i64,
        #[prost(int64, tag = "3")] #[serde(serialize_with = "text")] column: i64,
    }
    #[derive(Eq, Hash)]
    Function {
        #[prost(int32, tag = "1")] name_strindex: i32,
        #[prost(int32, tag = "2")] system_name_strindex: i32,
        #[prost(int32, tag = "3")] filename_strindex: i32,
        #[prost(int64, tag = "4")] #[serde(serialize_with = "text")] start_line: i64,
    }
    #[derive(Eq, Hash)]
    Link {
        #[prost(bytes = "vec", tag = "1")] #[serde(serialize_with = "hex")] trace_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")] #[serde(serialize_with = "hex")] span_id: Vec<u8>,
    }
    #[derive(Eq, Hash)]
    Attribute {
        #[prost(int32, tag = "1")] key_strindex: i32,
        #[prost(message, optional, tag = "2")] value: Option<AnyValue>,
        #[prost(int32, tag = "3")] unit_strindex: i32,
    }
    #[derive(Eq, Hash)]
    Stack {
        #[prost(int32, repeated, tag = "1")] location_indices: Vec<i32>,
    }
}

fn some_text<S: Serializer>(number: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&number.unwrap_or_default().to_string())
}

/// A dictionary table that stores each entry once.
struct Table<T> {
    list: Vec<T>,
    known: HashMap<T, i32, foldhash::fast::RandomState>,
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    fn new(empty: T) -> Self {
        let mut made = Self { list: Vec::new(), known: HashMap::default() };
        made.add(empty);
        made
    }

    fn add(&mut self, entry: T) -> i32 {
        if let Some(known) = self.known.get(&entry) {
            return *known;
        }
        let place = i32::try_from(self.list.len()).unwrap_or(i32::MAX);
        self.list.push(entry.clone());
        self.known.insert(entry, place);
        place
    }
}

struct Maker {
    strings: Table<String>,
    functions: Table<Function>,
    attributes: Table<Attribute>,
    links: Table<Link>,
    stacks: Table<Stack>,
    mappings: Vec<Mapping>,
    locations: Vec<Location>,
}

impl Maker {
    fn new() -> Self {
        Self {
            strings: Table::new(String::new()),
            functions: Table::new(Function::default()),
            attributes: Table::new(Attribute::default()),
            links: Table::new(Link::default()),
            stacks: Table::new(Stack::default()),
            mappings: vec![Mapping::default()],
            locations: vec![Location::default()],
        }
    }

    fn string(&mut self, text: &str) -> i32 {
        self.strings.add(text.to_owned())
    }

    fn attribute(&mut self, key: &str, value: AnyValue, unit: &str) -> i32 {
        let (key_strindex, unit_strindex) = (self.string(key), self.string(unit));
        self.attributes.add(Attribute { key_strindex, value: Some(value), unit_strindex })
    }

    fn named(&mut self, key: &str, value: &str) -> i32 {
        self.attribute(key, AnyValue { string_value: Some(value.to_owned()), int_value: None }, "")
    }

    /// Adds the mappings and locations of a profile, and returns the index of its first location.
    fn code(&mut self, of: &Typed<'_>) -> i32 {
        let profile = of.profile;
        let first_mapping = i32::try_from(self.mappings.len()).unwrap_or(i32::MAX);
        for mapping in &profile.mappings {
            let build_id = profile.texts.get(mapping.build_id);
            let attributes = (!build_id.is_empty()).then(|| self.named("process.executable.build_id.gnu", build_id));
            let filename_strindex = self.string(profile.texts.get(mapping.file));
            self.mappings.push(Mapping {
                memory_start: mapping.start,
                memory_limit: mapping.limit,
                file_offset: mapping.offset,
                filename_strindex,
                attribute_indices: attributes.into_iter().collect(),
            });
        }
        let first = i32::try_from(self.locations.len()).unwrap_or(i32::MAX);
        for (at, location) in (0_u32..).zip(&profile.locations) {
            let library = location.mapping.and_then(|m| profile.mappings.get(m as usize));
            let library = library.map_or("", |mapping| profile.texts.get(mapping.file));
            let mut kind = FrameKind::Native;
            let mut lines = Vec::new();
            for line in profile.lines_of(at) {
                let function = profile.functions.get(line.function as usize).copied().unwrap_or_default();
                let (name, system) = (profile.texts.get(function.name), profile.texts.get(function.system_name));
                let source = profile.texts.get(function.file);
                kind = match FrameKind::guess(name, source, library) {
                    FrameKind::Native if system.starts_with('(') => FrameKind::Java,
                    kind => kind,
                };
                let function = Function {
                    name_strindex: self.string(name),
                    system_name_strindex: self.string(system),
                    filename_strindex: self.string(source),
                    start_line: function.start_line,
                };
                let function_index = self.functions.add(function);
                lines.push(Line { function_index, line: line.line, column: line.column });
            }
            // Names from OpenTelemetry's semantic conventions.
            let kind = match kind {
                FrameKind::Java | FrameKind::Vm => Some("jvm"),
                FrameKind::Native => Some("native"),
                FrameKind::Kernel => Some("kernel"),
                FrameKind::Python => Some("cpython"),
                FrameKind::Go => Some("go"),
                FrameKind::JavaScript => Some("v8js"),
                FrameKind::MadeUp => None,
            };
            let kind = kind.map(|kind| self.named("profile.frame.type", kind));
            let mapping_index =
                location.mapping.and_then(|m| i32::try_from(m).ok()).map_or(0, |m| first_mapping.saturating_add(m));
            self.locations.push(Location {
                mapping_index,
                address: location.address,
                lines,
                attribute_indices: kind.into_iter().collect(),
            });
        }
        first
    }

    /// The attributes and the link of a sample.
    fn labels(&mut self, of: &Typed<'_>, sample: &jfrkit_profile::any::AnySample<'_>) -> (Vec<i32>, i32) {
        let texts = &of.profile.texts;
        let mut attributes = Vec::new();
        let mut link = Link::default();
        for label in sample.labels {
            let (key, value) = (texts.get(label.key), texts.get(label.text));
            if TIME_LABELS.contains(&key) {
                continue;
            }
            let is_text = label.text != StrId::default();
            match key {
                "trace id" | "trace_id" => link.trace_id = unhex(value, 16),
                "span id" | "span_id" if is_text => link.span_id = unhex(value, 8),
                "span id" | "span_id" => link.span_id = label.number.to_be_bytes().to_vec(),
                _ => {
                    let name = match key {
                        "thread" | "thread name" => "thread.name",
                        "thread id" => "thread.id",
                        other => other,
                    };
                    let value = AnyValue {
                        string_value: is_text.then(|| value.to_owned()),
                        int_value: (!is_text).then_some(label.number),
                    };
                    attributes.push(self.attribute(name, value, texts.get(label.unit)));
                }
            }
        }
        if !link.span_id.is_empty() && link.trace_id.is_empty() {
            link.trace_id = vec![0; 16];
        }
        (attributes, if link.span_id.is_empty() { 0 } else { self.links.add(link) })
    }
}

/// The bytes of a hexadecimal number, padded on the left.
fn unhex(text: &str, length: usize) -> Vec<u8> {
    let number = u128::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0).to_be_bytes();
    number.get(number.len().saturating_sub(length)..).unwrap_or_default().to_vec()
}

fn data(types: &[Typed<'_>], service: &str, cancel: &Cancel) -> io::Result<ProfilesData> {
    let mut maker = Maker::new();
    let mut profiles = Vec::new();
    let mut made: Vec<(*const jfrkit_profile::any::AnyProfile, i32)> = Vec::new();
    for of in types {
        let at: *const _ = of.profile;
        let known = made.iter().find(|(known, _)| std::ptr::eq(*known, at)).map(|(_, first)| *first);
        let first = known.unwrap_or_else(|| {
            let first = maker.code(of);
            made.push((at, first));
            first
        });
        let timed = of.has_times();
        let mut of_values: Vec<Vec<Sample>> = vec![Vec::new(); of.values.len()];
        for (i, sample) in of.samples().enumerate() {
            if i.is_multiple_of(1 << 10) {
                cancel.check().map_err(io::Error::other)?;
            }
            let locations = sample.locations.iter().map(|&l| first.saturating_add(i32::try_from(l).unwrap_or(0)));
            let stack_index = maker.stacks.add(Stack { location_indices: locations.collect() });
            let (attribute_indices, link_index) = maker.labels(of, &sample);
            let time = of.time(&sample).filter(|_| timed).and_then(|time| u64::try_from(time).ok());
            for (&value, samples) in of.values.iter().zip(&mut of_values) {
                let amount = of.amount(&sample, value);
                if amount != 0 {
                    samples.push(Sample {
                        stack_index,
                        attribute_indices: attribute_indices.clone(),
                        link_index,
                        values: vec![amount],
                        timestamps_unix_nano: time.into_iter().collect(),
                    });
                }
            }
        }
        for (&value, samples) in of.values.iter().zip(of_values).filter(|(_, samples)| !samples.is_empty()) {
            let (name, unit) = of.value(value);
            let sample_type = ValueType { type_strindex: maker.string(name), unit_strindex: maker.string(unit) };
            let period_type = of.profile.period_type.map(|period| ValueType {
                type_strindex: maker.string(of.profile.texts.get(period.name)),
                unit_strindex: maker.string(of.profile.texts.get(period.unit)),
            });
            profiles.push(Profile {
                sample_type: Some(sample_type),
                samples,
                time_unix_nano: u64::try_from(of.profile.time_nanos).unwrap_or(0),
                duration_nano: u64::try_from(of.profile.duration_nanos).unwrap_or(0),
                period_type,
                period: of.profile.period,
            });
        }
    }
    let service = KeyValue {
        key: "service.name".to_owned(),
        value: Some(AnyValue { string_value: Some(service.to_owned()), int_value: None }),
    };
    let scope = Scope { name: "jfrkit".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    Ok(ProfilesData {
        resource_profiles: vec![ResourceProfiles {
            resource: Some(Resource { attributes: vec![service] }),
            scope_profiles: vec![ScopeProfiles { scope: Some(scope), profiles }],
        }],
        dictionary: Some(Dictionary {
            mapping_table: maker.mappings,
            location_table: maker.locations,
            function_table: maker.functions.list,
            link_table: maker.links.list,
            string_table: maker.strings.list,
            attribute_table: maker.attributes.list,
            stack_table: maker.stacks.list,
        }),
    })
}

/// Writes profile types as OpenTelemetry's `ProfilesData` in protobuf: one profile per value, with a shared dictionary. The
/// result is also a valid `ExportProfilesServiceRequest`. `service` becomes the resource's `service.name`.
///
/// # Errors
/// Errors of `out`, or an error if `cancel` is raised.
pub fn write_otlp(types: &[Typed<'_>], service: &str, mut out: impl Write, cancel: &Cancel) -> io::Result<()> {
    out.write_all(&data(types, service, cancel)?.encode_to_vec())?;
    out.flush()
}

/// Like [`write_otlp`], as JSON.
///
/// # Errors
/// Errors of `out`, or an error if `cancel` is raised.
pub fn write_otlp_json(types: &[Typed<'_>], service: &str, out: impl Write, cancel: &Cancel) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer(&mut out, &data(types, service, cancel)?)?;
    out.write_all(b"\n")?;
    out.flush()
}
