//! What the modules pass to each other: an upload as received, and the profile made from it.

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// What a client sent in one request, whatever the protocol. Stored as `upload.json` beside the parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    /// The id returned to the client.
    pub(crate) id: Id,
    /// `datadog`, `datadog-form`, `recordings`, `ingest`, `push` or `otlp`.
    pub(crate) protocol: String,
    /// Milliseconds since the epoch.
    pub(crate) received_at: i64,
    /// The sender's address, without the port.
    pub(crate) sender: String,
    /// Path of the request, without a key.
    pub(crate) path: String,
    /// Query of the request.
    pub(crate) query: String,
    /// The headers we keep.
    pub(crate) headers: Vec<(String, String)>,
    /// Tags in the order sent, one per key.
    pub(crate) tags: Vec<(String, String)>,
    /// Small form fields that are neither tags nor profiles.
    #[serde(default)]
    pub(crate) fields: Vec<(String, String)>,
    /// Start of the profile according to the client, in milliseconds since the epoch.
    pub(crate) start: Option<i64>,
    /// End of the profile.
    pub(crate) end: Option<i64>,
    /// `java`, `python`, `go`, `node`, …, according to the client.
    pub(crate) family: Option<String>,
    /// The parts.
    pub(crate) parts: Vec<Part>,
    /// The content of `event.json`.
    #[serde(default)]
    pub(crate) event: Option<serde_json::Value>,
    /// The client's mistakes.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    /// SHA-256 of everything that identifies an upload; equal digests mean the same upload.
    pub(crate) digest: String,
}

/// One part of an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The name of the file on disk, chosen by the server.
    pub(crate) file: String,
    /// The client's name for the part.
    pub(crate) name: String,
    /// The client's file name.
    #[serde(default)]
    pub(crate) file_name: Option<String>,
    /// Its content type.
    #[serde(default)]
    pub(crate) content_type: Option<String>,
    /// Size as received, in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the bytes as received, in hex.
    pub(crate) sha256: String,
    /// The type, detected from the first bytes.
    pub(crate) kind: Kind,
    /// Whether the server gzipped a part that arrived uncompressed.
    #[serde(default)]
    pub(crate) gzipped: bool,
}

impl Part {
    /// The name that identifies the part: the file name if there is one, else the field name.
    pub(crate) fn label(&self) -> &str {
        self.file_name.as_deref().filter(|n| !n.is_empty()).unwrap_or(&self.name)
    }
}

/// The type of a part, detected from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Jfr,
    Gzip,
    Zstd,
    Lz4,
    Zip,
    Json,
    Empty,
    Other,
}

impl Kind {
    /// Looks only at the content, never at the name.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [] => Self::Empty,
            [b'F', b'L', b'R', 0, ..] => Self::Jfr,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            _ => match head.iter().find(|b| !b.is_ascii_whitespace()) {
                Some(b'{' | b'[') => Self::Json,
                _ => Self::Other,
            },
        }
    }

    /// Whether the part is compressed.
    pub(crate) const fn is_packed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::Lz4 | Self::Zip)
    }

    /// Whether the part may be a profile.
    pub(crate) const fn may_be_profile(self) -> bool {
        !matches!(self, Self::Json | Self::Empty)
    }
}

/// The stage a profile has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Stored durably, not processed yet.
    #[default]
    Received,
    /// Being processed by a worker.
    Processing,
    /// Ready to be viewed.
    Ready,
    /// Could not be read.
    Failed,
}

impl Status {
    pub(crate) const ALL: [Self; 4] = [Self::Received, Self::Processing, Self::Ready, Self::Failed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// The number that the index stores.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Received => 0,
            Self::Processing => 1,
            Self::Ready => 2,
            Self::Failed => 3,
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        Self::ALL.into_iter().find(|s| s.number() == number).unwrap_or_default()
    }
}

/// The facets of a profile; an empty value is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facets {
    pub(crate) service: String,
    pub(crate) env: String,
    pub(crate) version: String,
    pub(crate) host: String,
    pub(crate) runtime: String,
    pub(crate) language: String,
}

/// A number that may be a lower bound, or may be unknown for a stated reason.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Measure {
    pub(crate) value: Option<f64>,
    /// The value is a lower bound.
    pub(crate) at_least: bool,
    /// How the value was derived, or why it is unknown.
    pub(crate) how: String,
}

/// A derived profile. Stored as `profile.json`; the index is built from these.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: Id,
    /// The uploads it was made from, starting with its own.
    pub(crate) uploads: Vec<Id>,
    /// The digest of each upload.
    pub(crate) digests: Vec<String>,
    /// Version of the code that derived it.
    pub(crate) derived: u32,
    pub(crate) status: Status,
    /// Milliseconds since the epoch.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) received_at: i64,
    #[serde(flatten)]
    pub(crate) facets: Facets,
    /// What identifies the process.
    pub(crate) process: String,
    /// Main class or entry point.
    #[serde(default)]
    pub(crate) main: String,
    /// The full name of the runtime: `JVM 21.0.4`.
    #[serde(default)]
    pub(crate) runtime_version: String,
    #[serde(default)]
    pub(crate) profiler: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) types: Vec<TypeEntry>,
    pub(crate) cpu_cores: Measure,
    pub(crate) alloc_rate: Measure,
    /// Size as received, in bytes.
    pub(crate) bytes: u64,
    #[serde(default)]
    pub(crate) findings: Vec<Finding>,
    #[serde(default)]
    pub(crate) metrics: Vec<(String, f64)>,
    /// Requests by endpoint.
    #[serde(default)]
    pub(crate) endpoint_counts: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    #[serde(default)]
    pub(crate) how: Vec<String>,
    #[serde(default)]
    pub(crate) files: Vec<FileEntry>,
    /// Why the profile failed.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Bytes of the received parts on disk; 0 once they are removed.
    #[serde(default)]
    pub(crate) disk_received: u64,
    /// Bytes of the derived files on disk.
    #[serde(default)]
    pub(crate) disk_derived: u64,
    /// Analysis, runtime information and metrics are not ready yet.
    #[serde(default)]
    pub(crate) pending: bool,
    /// Why there is no analysis.
    #[serde(default)]
    pub(crate) no_analysis: Option<String>,
}

/// A profile type, whether or not the profile has samples of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TypeEntry {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The name on the page.
    pub(crate) name: String,
    /// What it shows, in a sentence.
    pub(crate) definition: String,
    /// Whether it is listed with the language's main types, not under "More".
    pub(crate) core: bool,
    pub(crate) values: Vec<ValueEntry>,
    /// Why it has no samples.
    pub(crate) absent: Option<String>,
    /// How the numbers were derived.
    #[serde(default)]
    pub(crate) how: Vec<String>,
    /// The file with the samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
}

/// One value of a type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ValueEntry {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) total: i64,
    pub(crate) samples: u64,
}

/// A finding, as the index stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    /// `warning` or `info`.
    pub(crate) severity: String,
    pub(crate) section: String,
    pub(crate) cost: Option<f64>,
}

/// A file that can be downloaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    /// The name in URLs.
    pub(crate) name: String,
    /// `received` or `derived`.
    pub(crate) kind: String,
    pub(crate) bytes: u64,
    /// The upload it belongs to.
    pub(crate) upload: Id,
    /// The file on disk.
    pub(crate) file: String,
    /// The client's name for it.
    #[serde(default)]
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) gzipped: bool,
}

impl Profile {
    /// Names of the types that have samples.
    pub(crate) fn present(&self) -> impl Iterator<Item = &str> {
        self.types.iter().filter(|t| t.absent.is_none()).map(|t| t.kind.as_str())
    }

    /// Whether no other upload can join. Uploads of the same time range join profiles that did not come from a recording.
    pub(crate) fn is_final(&self) -> bool {
        self.files.len() == 1 && self.facets.language == "Java"
    }

    /// How many findings have this severity.
    pub(crate) fn found(&self, severity: &str) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }
}

/// What a user set on a profile. Stored as `mark.json` beside `profile.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Mark {
    /// Never deleted by retention.
    pub(crate) pinned: bool,
    pub(crate) note: String,
    /// When retention removed the received data, in milliseconds since the epoch.
    pub(crate) received_removed: Option<i64>,
}
