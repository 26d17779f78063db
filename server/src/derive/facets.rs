//! Service, env, version, host, runtime and language of a profile, and the process it belongs to.

use serde_json::Value;

use crate::model::{Facets, Upload};

/// Facts from the recording itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct FromRecording {
    pub(crate) is_java: bool,
    pub(crate) main: String,
    /// `HOSTNAME` in the environment of the process.
    pub(crate) hostname: String,
    /// The language inferred from the content of a pprof file.
    pub(crate) language: String,
}

/// The first of these tags with a value.
fn tag<'u>(upload: &'u Upload, names: &[&str]) -> Option<&'u str> {
    let of = |name: &str| upload.tags.iter().find(|(k, v)| k == name && !v.is_empty()).map(|(_, v)| v.as_str());
    names.iter().find_map(|name| of(name))
}

fn header<'u>(upload: &'u Upload, name: &str) -> Option<&'u str> {
    upload.headers.iter().find(|(k, v)| k == name && !v.is_empty()).map(|(_, v)| v.as_str())
}

/// Language and runtime.
fn language(upload: &Upload, recording: &FromRecording) -> (String, String) {
    let sent = tag(upload, &["language"])
        .or(upload.family.as_deref())
        .or_else(|| tag(upload, &["spy", "spyName", "telemetry.sdk.language"]))
        .or_else(|| tag(upload, &["process.runtime.name"]).and_then(of_runtime));
    let sent = sent.unwrap_or_default().to_ascii_lowercase();
    let language = match sent.as_str() {
        "java" | "jvm" | "javaspy" => "Java",
        "python" | "pyspy" | "py" => "Python",
        "go" | "golang" | "gospy" => "Go",
        "node" | "nodejs" | "javascript" | "js" | "nodespy" | "node.js" => "JavaScript",
        _ if recording.is_java => "Java",
        "" => recording.language.as_str(),
        _ if !recording.language.is_empty() => recording.language.as_str(),
        other => other,
    };
    let runtime = match language {
        "Java" => match tag(upload, &["runtime_version"]) {
            Some(version) if version.ends_with("-aot") => "Native Image",
            _ => "JVM",
        },
        "Python" => match tag(upload, &["runtime", "process.runtime.name"]) {
            Some(named) if named.eq_ignore_ascii_case("cpython") => "CPython",
            Some(named) if !named.eq_ignore_ascii_case("python") => named,
            _ => "CPython",
        },
        "Go" => "Go",
        "JavaScript" => "Node.js",
        _ => tag(upload, &["runtime"]).unwrap_or_default(),
    };
    (language.to_owned(), runtime.to_owned())
}

/// The language for a `process.runtime.name` of OpenTelemetry.
fn of_runtime(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match name.as_str() {
        "go" => Some("go"),
        _ if is(&["jdk", "java", "jvm", "graalvm"]) && !is(&["javascript"]) => Some("java"),
        _ if is(&["cpython", "pypy", "python"]) => Some("python"),
        _ if is(&["node", "deno", "bun", "v8"]) => Some("node"),
        _ => None,
    }
}

/// The facets of an upload.
pub(crate) fn facets(upload: &Upload, recording: &FromRecording) -> Facets {
    let (language, runtime) = language(upload, recording);
    let main = Some(recording.main.as_str()).filter(|m| !m.is_empty());
    // `jfrkit open` and files dropped on the page have a name and nothing else.
    let file = tag(upload, &["file"]).and_then(|file| file.rsplit(['/', '\\']).next()).filter(|name| !name.is_empty());
    let of = |names: &[&str]| tag(upload, names).unwrap_or_default().to_owned();
    Facets {
        service: tag(upload, &["service", "service_name", "service.name"])
            .or(main)
            .or(file)
            .unwrap_or("unknown")
            .to_owned(),
        env: of(&["env", "deployment.environment.name", "deployment.environment", "deployment_environment"]),
        version: of(&["version", "service.version", "service_version"]),
        host: host(upload, recording),
        runtime,
        language,
    }
}

fn host(upload: &Upload, recording: &FromRecording) -> String {
    let additional = header(upload, "x-datadog-additional-tags").into_iter().flat_map(|t| t.split(','));
    let additional = additional.filter_map(|t| t.split_once(':')).find(|(k, _)| *k == "host").map(|(_, v)| v);
    tag(upload, &["host", "host.name", "hostname"])
        .or(additional)
        .or_else(|| header(upload, "x-datadog-hostname"))
        .or_else(|| tag(upload, &["pod_name", "pod"]))
        .or_else(|| Some(recording.hostname.as_str()).filter(|h| !h.is_empty()))
        .or_else(|| header(upload, "datadog-container-id"))
        .map_or_else(
            || if upload.sender.is_empty() { String::new() } else { format!("sender {}", upload.sender) },
            str::to_owned,
        )
}

/// What identifies the process: its own id, or else its labels and the sender.
pub(crate) fn process(upload: &Upload) -> String {
    if let Some(id) = tag(upload, &["runtime-id", "__session_id__", "service.instance.id"]) {
        return id.to_owned();
    }
    // A recording uploaded by a person is not grouped with others.
    if upload.protocol == "recordings" {
        return format!("upload {}", upload.id);
    }
    let mut labels: Vec<String> = upload.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
    labels.sort();
    format!("{} {}", upload.sender, labels.join(","))
}

/// The full name of the runtime: `JVM 21.0.4`, `CPython 3.11.7`.
pub(crate) fn runtime_version(upload: &Upload, facets: &Facets) -> String {
    match tag(upload, &["runtime_version", "process.runtime.version"]) {
        Some(version) if facets.language == "Go" => version.to_owned(),
        Some(version) => format!("{} {}", facets.runtime, version.trim_start_matches('v')).trim_start().to_owned(),
        None => facets.runtime.clone(),
    }
}

/// The profiler and its version.
pub(crate) fn profiler(upload: &Upload) -> String {
    let version = tag(upload, &["profiler_version"]);
    match (upload.protocol.as_str(), version) {
        ("datadog" | "datadog-form", Some(version)) => format!("dd {version}"),
        ("datadog" | "datadog-form", None) => "dd".to_owned(),
        ("ingest" | "push", _) => {
            tag(upload, &["spy", "pyroscope_spy"]).map_or_else(|| "pyroscope".to_owned(), |s| format!("pyroscope {s}"))
        }
        ("otlp", _) => "otlp".to_owned(),
        _ => String::new(),
    }
}

/// `endpoint_counts` of `event.json`.
pub(crate) fn endpoint_counts(upload: &Upload) -> Option<Value> {
    upload.event.as_ref()?.get("endpoint_counts").filter(|v| v.is_object()).cloned()
}
