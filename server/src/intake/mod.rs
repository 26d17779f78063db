//! Turns requests into [`Upload`]s, with one file per protocol. The rest of the server does not
//! know about protocols.
//!
//! Bodies stream to disk; at most two pieces of 64 KiB are in memory. Read [`body`] first, then the protocols.
//!
//! Routes, slots and responses belong in `api/upload.rs`; reading the contents of an upload belongs in `derive`.

pub(crate) mod body;
mod datadog;
mod ingest;
mod multipart;
mod otlp;
mod protobuf;
mod push;
mod recordings;
mod tags;

use sha2::{Digest, Sha256};

pub(crate) use multipart::{PartHead, Parts};
pub(crate) use push::base64;
pub(crate) use tags::MAX_NAME;

use crate::model::Upload;
use crate::spool::{Draft, hex};
use tags::Tags;

/// The upload protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Datadog, multipart.
    Datadog,
    /// A recording or pprof file as the body.
    Recordings,
    /// Pyroscope `/ingest`.
    Ingest,
    /// Pyroscope `push.v1.PusherService/Push`.
    Push,
    /// OpenTelemetry.
    Otlp,
}

impl Protocol {
    /// The protocol's name in metrics and in `upload.json`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Datadog => "datadog",
            Self::Recordings => "recordings",
            Self::Ingest => "ingest",
            Self::Push => "push",
            Self::Otlp => "otlp",
        }
    }
}

/// What is known about a request before its body arrives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) sender: String,
    pub(crate) received_at: i64,
}

impl Request {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The decoded query parameters.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        crate::url::decode(&self.query)
    }

    /// The headers to keep: no keys and no cookies.
    fn kept_headers(&self) -> Vec<(String, String)> {
        let keep = |name: &str| {
            matches!(name, "user-agent" | "content-type" | "content-encoding" | "via" | "x-scope-orgid")
                || (name.starts_with("dd-evp-") || name.starts_with("datadog-") || name.starts_with("x-datadog-"))
        };
        self.headers.iter().filter(|(name, _)| keep(name)).cloned().collect()
    }
}

/// Why an upload was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) detail: String,
}

impl Refusal {
    /// 400.
    pub(crate) fn bad(detail: &str) -> Self {
        Self { status: 400, detail: detail.to_owned() }
    }

    /// Another status.
    pub(crate) fn of(status: u16, detail: &str) -> Self {
        Self { status, detail: detail.to_owned() }
    }

    /// 413.
    pub(crate) fn too_large(limit: u64) -> Self {
        Self::of(413, &format!("the upload is larger than {limit} bytes; see --max-upload"))
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            // The readers of protocols return these.
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
                Self::bad(&format!("the body cannot be read: {error}"))
            }
            _ => {
                tracing::error!(%error, "an upload cannot be written");
                Self::of(503, &format!("the upload cannot be written: {error}"))
            }
        }
    }
}

/// How to read the body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Parts.
    Multipart,
    /// A single part with this name.
    Raw(&'static str),
    /// Staged in a file, for the protocol to parse.
    Staged,
}

impl Protocol {
    /// How to read the body.
    pub(crate) fn shape(self, request: &Request) -> Result<Shape, Refusal> {
        let kind = request.header("content-type").unwrap_or_default();
        let multipart = kind.get(..10).is_some_and(|k| k.eq_ignore_ascii_case("multipart/"));
        match self {
            Self::Datadog => Ok(Shape::Multipart),
            Self::Recordings if multipart => Ok(Shape::Multipart),
            Self::Recordings => Ok(Shape::Raw("recording")),
            Self::Ingest if multipart => Ok(Shape::Multipart),
            Self::Ingest => Ok(Shape::Raw("profile")),
            Self::Push => push::accepts(kind).map(|()| Shape::Staged),
            Self::Otlp => otlp::accepts(kind).map(|()| Shape::Raw("otlp")),
        }
    }

    /// The uploads of a request whose body is in the draft.
    pub(crate) fn uploads(
        self,
        request: &Request,
        draft: Draft,
        more: &dyn Fn() -> Result<Draft, Refusal>,
    ) -> Result<Vec<(Draft, Upload)>, Refusal> {
        match self {
            Self::Datadog => datadog::upload(request, draft).map(|u| vec![u]),
            Self::Recordings => recordings::upload(request, draft).map(|u| vec![u]),
            Self::Ingest => ingest::upload(request, draft).map(|u| vec![u]),
            Self::Push => push::uploads(request, draft, more),
            Self::Otlp => otlp::upload(request, draft).map(|u| vec![u]),
        }
    }
}

/// What every protocol extracts.
struct Content {
    protocol: &'static str,
    tags: Tags,
    start: Option<i64>,
    end: Option<i64>,
    family: Option<String>,
    event: Option<serde_json::Value>,
    warnings: Vec<String>,
}

/// Builds the upload from a draft whose parts are complete.
fn finish(request: &Request, draft: Draft, content: Content) -> Result<(Draft, Upload), Refusal> {
    let Content { protocol, mut tags, start, end, family, event, mut warnings } = content;
    if !draft.parts.iter().any(|part| part.kind.may_be_profile() && part.name != "event" && part.name != "labels") {
        return Err(Refusal::bad("no part of the upload is a profile"));
    }
    if let Some(tenant) = request.header("x-scope-orgid") {
        tags.set("tenant", tenant);
    }
    if tags.refused > 0 {
        warnings
            .push(format!("{} tags were dropped or truncated: up to 200 tags of up to 1 KiB are kept", tags.refused));
    }
    const DAY: i64 = 86_400_000;
    if start.into_iter().chain(end).any(|t| (t - request.received_at).abs() > DAY) {
        warnings.push(
            "the profile's time range is more than a day before or after its receipt; a clock may be wrong".to_owned(),
        );
    }
    let (start, end) = match (start, end) {
        (Some(s), Some(e)) if e < s => (Some(e), Some(s)),
        window => window,
    };
    let mut digest = Sha256::new();
    let tags = tags.into_list();
    digest.update(serde_json::to_vec(&(protocol, &tags, start, end)).unwrap_or_default());
    let mut parts: Vec<(&str, &str)> = draft.parts.iter().map(|p| (p.label(), p.sha256.as_str())).collect();
    parts.sort_unstable();
    digest.update(serde_json::to_vec(&parts).unwrap_or_default());
    let upload = Upload {
        id: draft.id,
        protocol: protocol.to_owned(),
        received_at: request.received_at,
        sender: request.sender.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request.kept_headers(),
        tags,
        fields: draft.fields.clone(),
        start,
        end,
        family,
        parts: draft.parts.clone(),
        event,
        warnings,
        digest: hex(&digest.finalize()),
    };
    Ok((draft, upload))
}
