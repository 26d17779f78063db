//! The `labels` part of Pyroscope's agent for Java: `LabelsSnapshot{1: map<int64, Context{1: map<int64, int64>}>, 2: map<int64, string>}`.
//! Each sample of the recording in the same upload has a context number; this part maps the numbers to labels.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use pprof_emit::pb;
use prost::Message;

use super::compute::Bounds;
use super::unpack;
use crate::model::Upload;

/// The label that contains the context number.
const KEY: &str = "context id";

#[derive(Clone, PartialEq, Message)]
struct Snapshot {
    #[prost(map = "int64, message", tag = "1")]
    contexts: HashMap<i64, Context>,
    #[prost(map = "int64, string", tag = "2")]
    strings: HashMap<i64, String>,
}

#[derive(Clone, PartialEq, Message)]
struct Context {
    #[prost(map = "int64, int64", tag = "1")]
    labels: HashMap<i64, i64>,
}

/// Labels by context number.
#[derive(Debug)]
pub(super) struct Contexts(HashMap<i64, Vec<(String, String)>>);

/// Reads the contexts of an upload; `None` if there are none or they cannot be read.
pub(super) fn of(upload: &Upload, dir: &Path, bounds: &Bounds) -> Option<Contexts> {
    let part = upload.parts.iter().find(|part| part.name == "labels" && upload.protocol == "ingest")?;
    let bytes = unpack::bytes(&dir.join(&part.file), &bounds.limits).ok()?;
    let snapshot = Snapshot::decode(&*bytes).ok()?;
    let text = |id: &i64| snapshot.strings.get(id).map(|text| text.chars().take(1_024).collect::<String>());
    let labels = |context: &Context| {
        let mut labels: Vec<(String, String)> =
            context.labels.iter().take(64).filter_map(|(key, value)| Some((text(key)?, text(value)?))).collect();
        labels.sort();
        labels
    };
    let contexts: HashMap<i64, Vec<(String, String)>> =
        snapshot.contexts.iter().map(|(id, context)| (*id, labels(context))).collect();
    (!contexts.is_empty()).then_some(Contexts(contexts))
}

impl Contexts {
    /// Replaces context numbers by labels in a file that we wrote.
    pub(super) fn explain(&self, path: &Path) -> io::Result<()> {
        let mut profile = pprof_emit::read(&std::fs::read(path)?).map_err(io::Error::other)?;
        let key = profile.string_table.iter().position(|text| text == KEY).and_then(|at| i64::try_from(at).ok());
        let Some(key) = key else { return Ok(()) };
        let mut strings = HashMap::new();
        let table = &mut profile.string_table;
        let mut add = |text: &str| -> i64 {
            *strings.entry(text.to_owned()).or_insert_with(|| {
                table.push(text.to_owned());
                i64::try_from(table.len() - 1).unwrap_or(0)
            })
        };
        for sample in &mut profile.sample {
            let context = sample.label.iter().find(|label| label.key == key).map(|label| label.num);
            sample.label.retain(|label| label.key != key);
            for (name, value) in context.and_then(|id| self.0.get(&id)).into_iter().flatten() {
                sample.label.push(pb::Label { key: add(name), str: add(value), num: 0, num_unit: 0 });
            }
        }
        let file = io::BufWriter::new(std::fs::File::create(path)?);
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::new(2));
        packed.write_all(&profile.encode_to_vec())?;
        packed.finish()?.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_of_contexts_become_labels() {
        let snapshot = Snapshot {
            contexts: HashMap::from([(7, Context { labels: HashMap::from([(1, 2), (3, 4)]) })]),
            strings: [(1, "controller"), (2, "orders"), (3, "region"), (4, "eu")]
                .map(|(n, t)| (n, t.to_owned()))
                .into(),
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("01.part"), snapshot.encode_to_vec()).unwrap();
        let upload = serde_json::json!({
            "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "protocol": "ingest", "received_at": 0, "sender": "", "path": "", "query": "", "headers": [],
            "tags": [], "start": null, "end": null, "family": null, "digest": "",
            "parts": [{"file": "01.part", "name": "labels", "bytes": 1, "sha256": "", "kind": "other"}],
        });
        let upload: Upload = serde_json::from_value(upload).unwrap();
        let contexts = of(&upload, dir.path(), &Bounds::intake()).unwrap();
        let strings = ["", "cpu", "nanoseconds", KEY].map(str::to_owned).to_vec();
        let sample = |context: i64| pb::Sample {
            location_id: Vec::new(),
            value: vec![1],
            label: vec![pb::Label { key: 3, num: context, ..Default::default() }],
        };
        let profile = pb::Profile {
            sample_type: vec![pb::ValueType { r#type: 1, unit: 2 }],
            sample: vec![sample(7), sample(8)],
            string_table: strings,
            ..Default::default()
        };
        let path = dir.path().join("cpu.pb.gz");
        std::fs::write(&path, profile.encode_to_vec()).unwrap();
        contexts.explain(&path).unwrap();
        let read = pprof_emit::read(&std::fs::read(&path).unwrap()).unwrap();
        let text = |at: i64| read.string_table.get(usize::try_from(at).unwrap()).unwrap().as_str();
        let labels: Vec<Vec<(&str, &str)>> =
            read.sample.iter().map(|s| s.label.iter().map(|l| (text(l.key), text(l.str))).collect()).collect();
        // A context without an entry gets no label.
        assert_eq!(labels, [vec![("controller", "orders"), ("region", "eu")], vec![]]);
    }
}
