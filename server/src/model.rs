//! What the rooms hand to each other: an upload as received, and the profile that it became.

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// What a client sent in one request, whatever its protocol. Stands as `upload.json` beside the parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    /// The id that was answered.
    pub(crate) id: Id,
    /// `datadog`, `datadog-form`, `recordings`, `ingest`, `push` or `otlp`.
    pub(crate) protocol: String,
    /// Milliseconds since the epoch.
    pub(crate) received_at: i64,
    /// The sender's address, without the port.
    pub(crate) sender: String,
    /// Path of the request, without a key.
    pub(crate) path: String,
    /// Its query.
    pub(crate) query: String,
    /// The headers that matter.
    pub(crate) headers: Vec<(String, String)>,
    /// Tags in the order sent, each key once.
    pub(crate) tags: Vec<(String, String)>,
    /// Small form fields that are neither tags nor profiles.
    #[serde(default)]
    pub(crate) fields: Vec<(String, String)>,
    /// Begin of its window as the client says, milliseconds since the epoch.
    pub(crate) start: Option<i64>,
    /// End of its window.
    pub(crate) end: Option<i64>,
    /// `java`, `python`, `go`, `node`, …, as the client says.
    pub(crate) family: Option<String>,
    /// The parts.
    pub(crate) parts: Vec<Part>,
    /// The content of `event.json`.
    #[serde(default)]
    pub(crate) event: Option<serde_json::Value>,
    /// What the client got wrong.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    /// SHA-256 over all that makes two uploads the same.
    pub(crate) digest: String,
}

/// One part of an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The file it is kept in: the server's own name.
    pub(crate) file: String,
    /// What the client calls it.
    pub(crate) name: String,
    /// The client's file name.
    #[serde(default)]
    pub(crate) file_name: Option<String>,
    /// Its content type.
    #[serde(default)]
    pub(crate) content_type: Option<String>,
    /// Bytes as received.
    pub(crate) bytes: u64,
    /// SHA-256 as received, hex.
    pub(crate) sha256: String,
    /// What the first bytes say.
    pub(crate) kind: Kind,
    /// Whether the file is gzipped by the server and the part was not.
    #[serde(default)]
    pub(crate) gzipped: bool,
}

impl Part {
    /// The name that tells the part: the file's where there is one, else the field's.
    pub(crate) fn label(&self) -> &str {
        self.file_name.as_deref().filter(|n| !n.is_empty()).unwrap_or(&self.name)
    }
}

/// What the first bytes of a part say.
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
    /// Told by content, never by name.
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

    /// Whether the part is packed.
    pub(crate) const fn is_packed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::Lz4 | Self::Zip)
    }

    /// Whether it may be a profile.
    pub(crate) const fn may_be_profile(self) -> bool {
        !matches!(self, Self::Json | Self::Empty)
    }
}

/// Where a profile is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Durable, nothing more.
    #[default]
    Received,
    /// A worker reads it.
    Processing,
    /// There to be looked at.
    Ready,
    /// Could not be read at all.
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

    /// Its number in the index.
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

/// The facets of a profile; empty is unknown.
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

/// A number that may be a lower bound, or unknown for a reason.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Measure {
    pub(crate) value: Option<f64>,
    /// It is at least this.
    pub(crate) at_least: bool,
    /// How it came about, or why it is unknown.
    pub(crate) how: String,
}

/// A profile as derived. Stands as `profile.json`; the index is made of these.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: Id,
    /// The uploads that it is made of, itself first.
    pub(crate) uploads: Vec<Id>,
    /// The digest of each upload.
    pub(crate) digests: Vec<String>,
    /// Number of the way of deriving.
    pub(crate) derived: u32,
    pub(crate) status: Status,
    /// Milliseconds since the epoch.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) received_at: i64,
    #[serde(flatten)]
    pub(crate) facets: Facets,
    /// What the process is known by.
    pub(crate) process: String,
    /// Main class or entry point.
    #[serde(default)]
    pub(crate) main: String,
    /// What runs it, in full: `JVM 21.0.4`.
    #[serde(default)]
    pub(crate) runtime_version: String,
    #[serde(default)]
    pub(crate) profiler: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) types: Vec<TypeEntry>,
    pub(crate) cpu_cores: Measure,
    pub(crate) alloc_rate: Measure,
    /// Bytes as received.
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
    /// Why there is nothing, for a failed one.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Bytes that the received parts take on disk; 0 when they are gone.
    #[serde(default)]
    pub(crate) disk_received: u64,
    /// Bytes that the derived files take on disk.
    #[serde(default)]
    pub(crate) disk_derived: u64,
    /// Analysis, runtime text and metrics are still to come.
    #[serde(default)]
    pub(crate) pending: bool,
    /// Why there is no analysis.
    #[serde(default)]
    pub(crate) no_analysis: Option<String>,
}

/// A type of profile, there or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TypeEntry {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Its name on the page.
    pub(crate) name: String,
    /// What it shows, in a sentence.
    pub(crate) definition: String,
    /// Whether it belongs to the language's list, rather than below "More".
    pub(crate) core: bool,
    pub(crate) values: Vec<ValueEntry>,
    /// Why it has no samples.
    pub(crate) absent: Option<String>,
    /// How its numbers came about.
    #[serde(default)]
    pub(crate) how: Vec<String>,
    /// The derived file.
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

/// A finding of the analysis, as the index keeps it.
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
    /// The name in addresses.
    pub(crate) name: String,
    /// `received` or `derived`.
    pub(crate) kind: String,
    pub(crate) bytes: u64,
    /// The upload that it belongs to.
    pub(crate) upload: Id,
    /// The file on disk.
    pub(crate) file: String,
    /// What the client called it.
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

    /// How many findings of a severity.
    pub(crate) fn found(&self, severity: &str) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }
}

/// What a user set on a profile. Stands as `mark.json` beside `profile.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Mark {
    /// Never deleted by retention.
    pub(crate) pinned: bool,
    pub(crate) note: String,
    /// When retention removed the received data, milliseconds since the epoch.
    pub(crate) received_removed: Option<i64>,
}
