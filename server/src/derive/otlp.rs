//! Converts OpenTelemetry profiles (`opentelemetry.proto.profiles.v1development`) to pprof, one file per profile in the request.
//!
//! Field numbers are from opentelemetry-proto 1.9 (dictionary, stacks, attributes by index).

use std::collections::HashMap;

use pprof_emit::pb;
use prost::Message;
use serde::{Deserialize, Deserializer};

use super::weigh;

/// Maximum samples of a request.
const MAX_SAMPLES: usize = 4 << 20;

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_profiles: Vec<ResourceProfiles>,
    #[prost(message, optional, tag = "2")]
    dictionary: Option<Dictionary>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceProfiles {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_profiles: Vec<ScopeProfiles>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    string_value: Option<String>,
    #[prost(int64, optional, tag = "3")]
    #[serde(deserialize_with = "optional")]
    int_value: Option<i64>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ScopeProfiles {
    #[prost(message, repeated, tag = "2")]
    profiles: Vec<Profile>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Profile {
    #[prost(message, optional, tag = "1")]
    sample_type: Option<ValueType>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "number")]
    time_unix_nano: u64,
    #[prost(uint64, tag = "4")]
    #[serde(deserialize_with = "number")]
    duration_nano: u64,
    #[prost(message, optional, tag = "5")]
    period_type: Option<ValueType>,
    #[prost(int64, tag = "6")]
    #[serde(deserialize_with = "number")]
    period: i64,
}

#[derive(Clone, Copy, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ValueType {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "number")]
    type_strindex: i32,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "number")]
    unit_strindex: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sample {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "number")]
    stack_index: i32,
    #[prost(int32, repeated, tag = "2")]
    #[serde(deserialize_with = "numbers")]
    attribute_indices: Vec<i32>,
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "number")]
    link_index: i32,
    #[prost(int64, repeated, tag = "4")]
    #[serde(deserialize_with = "numbers")]
    values: Vec<i64>,
    #[prost(fixed64, repeated, tag = "5")]
    #[serde(deserialize_with = "numbers")]
    timestamps_unix_nano: Vec<u64>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Dictionary {
    #[prost(message, repeated, tag = "1")]
    mapping_table: Vec<Mapping>,
    #[prost(message, repeated, tag = "2")]
    location_table: Vec<Location>,
    #[prost(message, repeated, tag = "3")]
    function_table: Vec<Function>,
    #[prost(string, repeated, tag = "5")]
    string_table: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    attribute_table: Vec<Attribute>,
    #[prost(message, repeated, tag = "7")]
    stack_table: Vec<Stack>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mapping {
    #[prost(int32, tag = "4")]
    #[serde(deserialize_with = "number")]
    filename_strindex: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Location {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "number")]
    mapping_index: i32,
    #[prost(uint64, tag = "2")]
    #[serde(deserialize_with = "number")]
    address: u64,
    #[prost(message, repeated, tag = "3")]
    lines: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "number")]
    function_index: i32,
    #[prost(int64, tag = "2")]
    #[serde(deserialize_with = "number")]
    line: i64,
}

#[derive(Clone, Copy, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Function {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "number")]
    name_strindex: i32,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "number")]
    system_name_strindex: i32,
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "number")]
    filename_strindex: i32,
    #[prost(int64, tag = "4")]
    #[serde(deserialize_with = "number")]
    start_line: i64,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Attribute {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "number")]
    key_strindex: i32,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stack {
    #[prost(int32, repeated, tag = "1")]
    #[serde(deserialize_with = "numbers")]
    location_indices: Vec<i32>,
}

/// A number in JSON, where 64-bit numbers are strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Signed(i64),
    Unsigned(u64),
    Text(String),
}

fn fit<T: TryFrom<i128>, E: serde::de::Error>(number: &Number) -> Result<T, E> {
    let wide = match number {
        Number::Signed(n) => Some(i128::from(*n)),
        Number::Unsigned(n) => Some(i128::from(*n)),
        Number::Text(text) => text.parse().ok(),
    };
    wide.and_then(|n| T::try_from(n).ok()).ok_or_else(|| E::custom("expected an integer"))
}

fn number<'de, D: Deserializer<'de>, T: TryFrom<i128>>(json: D) -> Result<T, D::Error> {
    fit(&Number::deserialize(json)?)
}

fn optional<'de, D: Deserializer<'de>, T: TryFrom<i128>>(json: D) -> Result<Option<T>, D::Error> {
    Option::<Number>::deserialize(json)?.as_ref().map(fit).transpose()
}

fn numbers<'de, D: Deserializer<'de>, T: TryFrom<i128>>(json: D) -> Result<Vec<T>, D::Error> {
    Vec::<Number>::deserialize(json)?.iter().map(fit).collect()
}

/// Decodes a request from protobuf or JSON.
fn decode(bytes: &[u8]) -> Result<Request, String> {
    let not = |error: &dyn std::fmt::Display| format!("not an ExportProfilesServiceRequest: {error}");
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        weigh::otlp_json(bytes)?;
        return serde_json::from_slice(bytes).map_err(|error| not(&error));
    }
    weigh::otlp(bytes)?;
    Request::decode(bytes).map_err(|error| not(&error))
}

fn at<T>(list: &[T], index: i32) -> Option<&T> {
    usize::try_from(index).ok().and_then(|i| list.get(i))
}

/// Attributes of the first resource with any.
pub(crate) fn attributes(bytes: &[u8]) -> Vec<(String, String)> {
    let Ok(request) = decode(bytes) else { return Vec::new() };
    let attributes = request.resource_profiles.into_iter().filter_map(|r| r.resource).flat_map(|r| r.attributes);
    let text = |value: AnyValue| value.string_value.or_else(|| value.int_value.map(|i| i.to_string()));
    attributes.filter_map(|a| Some((a.key, text(a.value?)?))).take(200).collect()
}

/// The profiles in a request.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<pb::Profile>, String> {
    let request = decode(bytes)?;
    let dictionary =
        request.dictionary.ok_or("the request has no dictionary: it is older than opentelemetry-proto 1.8")?;
    let mut profiles: Vec<pb::Profile> = Vec::new();
    let mut samples = 0usize;
    for profile in request.resource_profiles.iter().flat_map(|r| &r.scope_profiles).flat_map(|s| &s.profiles) {
        samples = samples.saturating_add(profile.samples.len());
        if samples > MAX_SAMPLES {
            return Err(format!("more than {MAX_SAMPLES} samples"));
        }
        profiles.push(convert(profile, &dictionary));
    }
    profiles.retain(|p| !p.sample.is_empty());
    if profiles.is_empty() {
        return Err("the request contains no samples".to_owned());
    }
    Ok(profiles)
}

fn convert(profile: &Profile, dictionary: &Dictionary) -> pb::Profile {
    let mut strings: Vec<String> = vec![String::new()];
    let mut numbers: HashMap<String, i64> = HashMap::new();
    let mut add = |text: &str| -> i64 {
        if text.is_empty() {
            return 0;
        }
        *numbers.entry(text.to_owned()).or_insert_with(|| {
            strings.push(text.to_owned());
            i64::try_from(strings.len() - 1).unwrap_or(0)
        })
    };
    let text = |index: i32| at(&dictionary.string_table, index).map_or("", String::as_str);
    let mut out = pb::Profile {
        time_nanos: i64::try_from(profile.time_unix_nano).unwrap_or(0),
        duration_nanos: i64::try_from(profile.duration_nano).unwrap_or(0),
        period: profile.period,
        ..Default::default()
    };
    let value_type = |add: &mut dyn FnMut(&str) -> i64, t: &ValueType| pb::ValueType {
        r#type: add(text(t.type_strindex)),
        unit: add(text(t.unit_strindex)),
    };
    if let Some(t) = &profile.sample_type {
        out.sample_type.push(value_type(&mut add, t));
    }
    out.period_type = profile.period_type.as_ref().map(|t| value_type(&mut add, t));
    let mut locations: HashMap<i32, u64> = HashMap::new();
    let mut functions: HashMap<i32, u64> = HashMap::new();
    let mut mappings: HashMap<i32, u64> = HashMap::new();
    for sample in &profile.samples {
        let stack = at(&dictionary.stack_table, sample.stack_index);
        let mut ids = Vec::new();
        for index in stack.into_iter().flat_map(|s| &s.location_indices) {
            let Some(location) = at(&dictionary.location_table, *index) else { continue };
            let next = u64::try_from(locations.len()).unwrap_or(0) + 1;
            let id = *locations.entry(*index).or_insert(next);
            ids.push(id);
            if id != next {
                continue;
            }
            let mapping = at(&dictionary.mapping_table, location.mapping_index).filter(|_| location.mapping_index > 0);
            let mapping_id = mapping.map_or(0, |mapping| {
                let next = u64::try_from(mappings.len()).unwrap_or(0) + 1;
                let id = *mappings.entry(location.mapping_index).or_insert(next);
                if id == next {
                    out.mapping.push(pb::Mapping {
                        id,
                        filename: add(text(mapping.filename_strindex)),
                        has_functions: true,
                        ..Default::default()
                    });
                }
                id
            });
            let mut lines = Vec::new();
            for line in &location.lines {
                let Some(function) = at(&dictionary.function_table, line.function_index) else { continue };
                let next = u64::try_from(functions.len()).unwrap_or(0) + 1;
                let function_id = *functions.entry(line.function_index).or_insert(next);
                if function_id == next {
                    out.function.push(pb::Function {
                        id: function_id,
                        name: add(text(function.name_strindex)),
                        system_name: add(text(function.system_name_strindex)),
                        filename: add(text(function.filename_strindex)),
                        start_line: function.start_line,
                    });
                }
                lines.push(pb::Line { function_id, line: line.line, column: 0 });
            }
            out.location.push(pb::Location {
                id,
                mapping_id,
                address: location.address,
                line: lines,
                is_folded: false,
            });
        }
        // A sample without values counts once per timestamp.
        let value = match sample.values.len() {
            0 => i64::try_from(sample.timestamps_unix_nano.len().max(1)).unwrap_or(1),
            _ => sample.values.iter().fold(0i64, |sum, v| sum.saturating_add(*v)),
        };
        let labels = sample.attribute_indices.iter().filter_map(|i| at(&dictionary.attribute_table, *i));
        let labels = labels.filter_map(|a| {
            let key = match text(a.key_strindex) {
                "thread.name" => "thread",
                other => other,
            };
            let value = a.value.as_ref().and_then(|v| v.string_value.as_deref())?;
            Some(pb::Label { key: add(key), str: add(value), num: 0, num_unit: 0 })
        });
        let label = labels.collect();
        out.sample.push(pb::Sample { location_id: ids, value: vec![value], label });
    }
    out.string_table = strings;
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn json_and_protobuf_decode_to_the_same_profile() {
        let json = serde_json::json!({
            "resourceProfiles": [{
                "resource": {"attributes": [
                    {"key": "service.name", "value": {"stringValue": "shop"}}, {"key": "process.pid", "value": {"intValue": "17"}}]},
                "scopeProfiles": [{"profiles": [{
                    "sampleType": {"typeStrindex": 1, "unitStrindex": 2},
                    "samples": [{"stackIndex": 1, "values": ["70", 3], "attributeIndices": [1], "timestampsUnixNano": []}],
                    "timeUnixNano": "1795433684000000000", "durationNano": "60000000000", "period": 1,
                    "unknownField": {"is": "left out"},
                }]}],
            }],
            "dictionary": {
                "stringTable": ["", "cpu", "nanoseconds", "hot", "main", "thread.name", "main.go"],
                "functionTable": [{}, {"nameStrindex": 3, "filenameStrindex": 6}, {"nameStrindex": 4, "startLine": "9"}],
                "locationTable": [{}, {"lines": [{"functionIndex": 1, "line": "12"}]}, {"address": "4096", "lines": [{"functionIndex": 2}]}],
                "stackTable": [{}, {"locationIndices": [1, 2]}],
                "attributeTable": [{}, {"keyStrindex": 5, "value": {"stringValue": "t1"}}],
                "mappingTable": [{}],
            },
        });
        let text = serde_json::to_vec(&json).unwrap();
        let request = decode(&text).unwrap();
        let binary = request.encode_to_vec();
        assert_eq!(decode(&binary).unwrap(), request);
        let profiles = read(&text).unwrap();
        assert_eq!(profiles, read(&binary).unwrap());
        let profile = &profiles[0];
        assert_eq!((profile.sample[0].value.as_slice(), profile.duration_nanos), (&[73][..], 60_000_000_000));
        assert_eq!(profile.string_table[usize::try_from(profile.function[0].name).unwrap()], "hot");
        assert_eq!(
            attributes(&text),
            [("service.name", "shop"), ("process.pid", "17")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        for wrong in [&b"{\"resourceProfiles\": 1}"[..], b"{", b"{\"dictionary\": {\"stringTable\": [1]}}"] {
            assert!(read(wrong).unwrap_err().contains("not an ExportProfilesServiceRequest"));
        }
    }
}
