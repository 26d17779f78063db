//! Uploads of every protocol, from request to response.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State as Has};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, post};
use http_body_util::BodyExt;

use super::guard::Peer;
use super::route::{param, required};
use super::{Access, Answer, Problem, Route, State};
use crate::app::App;
use crate::id::Id;
use crate::intake::body::{PIECE, RAW, Receiver};
use crate::intake::{PartHead, Parts, Protocol, Refusal, Request};
use crate::model::{Status, Upload};

/// A body that delivers fewer bytes than this within [`SLOW`] is aborted.
const LEAST_BYTES: u64 = 10_000;
const SLOW: Duration = Duration::from_secs(10);
/// At most this much of a body arrives at once.
const FRAME: usize = super::serve::BUFFER;
/// How long an upload waits for a free slot; clients give up after 10 s.
const TURN: Duration = Duration::from_secs(8);

const fn route(
    path: &'static str,
    what: &'static str,
    takes: &'static str,
    handler: fn() -> MethodRouter<State>,
) -> Route {
    Route {
        path,
        method: "post",
        what,
        access: Access::Intake,
        params: &[],
        answers: "application/json",
        schema: "Uploaded",
        takes,
        also: INTAKE,
        handler,
    }
}

/// A protocol whose response has no content, in the encoding of the request: Protocol Buffers or JSON.
const fn protobuf(
    path: &'static str,
    what: &'static str,
    takes: &'static str,
    handler: fn() -> MethodRouter<State>,
) -> Route {
    Route { answers: takes, schema: "Nothing", ..route(path, what, takes, handler) }
}

const INTAKE: &[u16] = &[400, 401, 403, 408, 413, 415, 503];

pub(super) const ROUTES: [Route; 7] = [
    route("/profiling/v1/input", "Datadog's profiling intake", "multipart/form-data", || post(datadog)),
    route("/api/v2/profile", "Datadog's profiling intake, without an agent", "multipart/form-data", || post(datadog)),
    route("/v1/input", "Datadog's profiling intake, without an agent", "multipart/form-data", || post(datadog)),
    Route {
        path: "/ingest",
        method: "post",
        what: "Pyroscope's ingest",
        access: Access::Intake,
        params: &[
            required("name", "string", "Application with labels: app{k=v}"),
            param("from", "string", "Start of the time range"),
            param("until", "string", "End of the time range"),
            param("spyName", "string", "The client"),
            param("format", "string", "jfr or pprof"),
        ],
        answers: "application/json",
        schema: "Uploaded",
        takes: "multipart/form-data",
        also: INTAKE,
        handler: || post(|app, request| receive(app, Protocol::Ingest, request)),
    },
    protobuf("/push.v1.PusherService/Push", "Pyroscope's push", "application/proto", || {
        post(|app, request| receive(app, Protocol::Push, request))
    }),
    protobuf("/v1development/profiles", "OpenTelemetry's profiles", "application/x-protobuf", || {
        post(|app, request| receive(app, Protocol::Otlp, request))
    }),
    Route {
        path: "/api/v1/recordings",
        method: "post",
        what: "A recording or pprof file as the body, compressed or not",
        access: Access::Either,
        params: &[
            param("service", "string", "Its service"),
            param("env", "string", "Its environment"),
            param("version", "string", "Its version"),
            param("host", "string", "Its host"),
            param("language", "string", "Its language"),
            param("runtime", "string", "Its runtime"),
            param("tag", "array", "Tag, key:value; repeatable"),
            param("wait", "string", "Wait until the profile is ready, at most this long, for example 10s"),
        ],
        answers: "application/json",
        schema: "Uploaded",
        takes: "application/octet-stream",
        also: INTAKE,
        handler: || post(|app, request| receive(app, Protocol::Recordings, request)),
    },
];

/// Rejects changes under `--read-only`.
pub(super) fn writable(app: &App) -> Result<(), Problem> {
    if app.options.read_only {
        return Err(Problem::new(StatusCode::FORBIDDEN, "this server is read-only"));
    }
    Ok(())
}

async fn datadog(app: Has<State>, request: HttpRequest) -> Answer {
    receive(app, Protocol::Datadog, request).await
}

async fn receive(Has(app): Has<State>, protocol: Protocol, request: HttpRequest) -> Answer {
    let began = Instant::now();
    let mut bytes = 0u64;
    let json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .starts_with("application/json");
    let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
    let wait = match request.uri().query() {
        Some(query) if protocol == Protocol::Recordings => {
            // The protocol checks the names.
            crate::url::decode(query).into_iter().find(|(name, _)| name == "wait").map(|(_, text)| text)
        }
        _ => None,
    };
    let wait = match wait.map(|text| crate::time::parse_duration(&text).ok_or(text)) {
        None => None,
        Some(Ok(millis)) => {
            Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(Duration::from_secs(25)))
        }
        Some(Err(text)) => return Err(Problem::bad(format!("wait: expected a time like 10s, not {text:?}"))),
    };
    let (parts, mut body) = request.into_parts();
    let expects = expects(&parts.headers);
    let result = take(&app, protocol, parts, &mut body, &mut bytes).await;
    let code = result.as_ref().map_or_else(|problem| problem.status.as_u16(), |_| 200);
    app.metrics.upload(protocol.name(), code, bytes, began.elapsed());
    let uploads = match result {
        Ok(uploads) => uploads,
        Err(problem) => {
            tracing::warn!(
                protocol = protocol.name(),
                bytes,
                status = code,
                reason = problem.detail(),
                "upload refused"
            );
            if code != 503 {
                app.fail(&format!("refused-{code}"), None, &format!("{}: {}", protocol.name(), problem.detail()));
            }
            let mut response = problem.into_response();
            drain(expects && bytes == 0, &mut body).await;
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Ok(response);
        }
    };
    for (id, service, parts) in &uploads {
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(%id, protocol = protocol.name(), service, bytes, parts, millis, status = 200, "upload");
    }
    let id = uploads.first().map(|(id, ..)| *id);
    let mut answer = serde_json::json!({"id": id});
    if let (Some(id), Some(wait)) = (id, wait) {
        answer = wait_for(&app, id, wait).await;
    }
    Ok(match protocol {
        Protocol::Push => {
            let media = content_type.unwrap_or(HeaderValue::from_static("application/proto"));
            ([(header::CONTENT_TYPE, media)], if json { "{}" } else { "" }).into_response()
        }
        Protocol::Otlp if json => ([(header::CONTENT_TYPE, "application/json")], "{}").into_response(),
        Protocol::Otlp => ([(header::CONTENT_TYPE, "application/x-protobuf")], "").into_response(),
        _ => super::json(&answer)?,
    })
}

/// Responds once the profile is ready or the time is up.
async fn wait_for(app: &App, id: Id, wait: Duration) -> serde_json::Value {
    let end = Instant::now() + wait;
    loop {
        let profile = app.index.profile_of(id);
        let row = profile.and_then(|p| app.index.row(p));
        let status = row.as_ref().map_or(Status::Received, |r| r.status);
        let pending = profile.and_then(|p| app.store.profile(p).ok().flatten()).is_some_and(|p| p.pending);
        if (matches!(status, Status::Ready | Status::Failed) && !pending) || Instant::now() >= end {
            return serde_json::json!({"id": id, "profile": profile, "status": status.name()});
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn take(
    app: &State,
    protocol: Protocol,
    parts: axum::http::request::Parts,
    body: &mut Body,
    bytes: &mut u64,
) -> Result<Vec<(Id, String, usize)>, Problem> {
    writable(app)?;
    if let Some(reason) = app.overload() {
        return Err(Problem::overloaded(reason));
    }
    let limit = app.options.max_upload;
    let length =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(Refusal::too_large(limit).into());
    }
    let turn = tokio::time::timeout(TURN, app.uploads.clone().acquire_owned()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Problem::overloaded("too many uploads at once; see --uploads")) };
    let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_default();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let request = Request {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        sender: peer.address.map_or_else(|| "local".to_owned(), |a| a.to_string()),
        received_at: crate::time::now(),
    };
    Receiver::check(protocol, &request)?;
    let forward = protocol == Protocol::Datadog && app.forward.is_on();
    let (mut work, mut request): (Option<Receiver>, _) = (None, Some(request));
    let expected = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
    // Room for the frame that fills the piece, so that the buffer does not double.
    let mut buffer: Vec<u8> = Vec::with_capacity(expected.min(PIECE + FRAME));
    let mut window = (Instant::now(), 0u64);
    loop {
        let piece = next(body, &mut window).await?;
        let ended = piece.is_none();
        if let Some(piece) = piece {
            *bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if *bytes > limit {
                return Err(Refusal::too_large(limit).into());
            }
            buffer.extend_from_slice(&piece);
        }
        if !ended && buffer.len() < PIECE {
            continue;
        }
        let (begun, first, mut pending) = (work.take(), request.take(), std::mem::take(&mut buffer));
        let receive = move |app: &App| {
            let mut receiver = match begun {
                Some(receiver) => receiver,
                None => Receiver::new(protocol, first.unwrap_or_default(), app.spool.draft(limit)?, limit, forward)?,
            };
            receiver.push(&mut pending)?;
            Ok((receiver, pending))
        };
        if ended {
            return blocking(app, move |app| commit(app, receive(app)?.0, limit)).await;
        }
        let (receiver, kept) = blocking(app, receive).await?;
        (work, buffer) = (Some(receiver), kept);
    }
}

/// Whether the client waits until it is asked for the body (`Expect: 100-continue`). Reading the body asks for it.
pub(super) fn expects(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

/// Reads some more of a rejected body: a client that is still sending would otherwise see a broken connection instead of the
/// response. A client that `expects` to be asked is not sending.
pub(super) async fn drain(expects: bool, body: &mut Body) {
    const MOST: usize = 4 << 20;
    if expects {
        return;
    }
    let read = async {
        let mut read = 0;
        while read < MOST
            && let Some(Ok(frame)) = body.frame().await
        {
            read += frame.data_ref().map_or(0, |data| data.len());
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), read).await;
}

/// The next bytes of a body; `None` at the end.
async fn next(body: &mut Body, window: &mut (Instant, u64)) -> Result<Option<bytes::Bytes>, Problem> {
    let slow = || Problem::new(StatusCode::REQUEST_TIMEOUT, "the body arrived more slowly than 1 KB/s for 10 s");
    loop {
        let frame = tokio::time::timeout(SLOW, body.frame()).await.map_err(|_| slow())?;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => return Err(Problem::bad(format!("the body was cut off: {error}"))),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                window.1 = window.1.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
                if window.0.elapsed() >= SLOW {
                    if window.1 < LEAST_BYTES {
                        return Err(slow());
                    }
                    *window = (Instant::now(), 0);
                }
                if !data.is_empty() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    app: &State,
    work: impl FnOnce(&App) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Problem> {
    let app = app.clone();
    match tokio::task::spawn_blocking(move || work(&app)).await {
        Ok(result) => result.map_err(Problem::from),
        Err(error) => {
            tracing::error!(%error, "an upload panicked");
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the upload failed; see the log"))
        }
    }
}

/// Makes the uploads of a body durable.
fn commit(app: &App, receiver: Receiver, limit: u64) -> Result<Vec<(Id, String, usize)>, Refusal> {
    let more = || app.spool.draft(limit).map_err(Refusal::from);
    let mut done = Vec::new();
    for (draft, upload) in receiver.finish(&more)? {
        let service = upload.tags.iter().find(|(k, _)| k == "service" || k == "service_name").map(|(_, v)| v.clone());
        let parts = upload.parts.len();
        let id = one(app, draft, upload)?;
        done.push((id, service.unwrap_or_default(), parts));
    }
    Ok(done)
}

fn one(app: &App, draft: crate::spool::Draft, upload: Upload) -> Result<Id, Refusal> {
    // The same bytes for the same time range get the same answer.
    if let Some(id) = app.index.with_digest(&upload.digest).or_else(|| app.spool.with_digest(&upload.digest)) {
        return Ok(id);
    }
    let forward = draft.dir.join(RAW).exists();
    let describe = || app.forward.describe(&draft.dir, &upload, &draft.headers);
    if forward && app.options.forward_only {
        // Nothing else keeps this upload.
        if !describe()? {
            return Err(Refusal::of(503, "too many uploads wait to be forwarded; see --forward-max"));
        }
        app.forward.queue(upload.id, &draft.dir)?;
        return Ok(upload.id);
    }
    // If an upload is durable but cannot be forwarded as well, that is not the client's problem.
    let failed = |error: std::io::Error| {
        tracing::warn!(id = %upload.id, %error, "an upload cannot be queued for forwarding");
        app.fail("forward", Some(upload.id), &error.to_string());
    };
    let described = forward
        && describe().unwrap_or_else(|error| {
            failed(error);
            false
        });
    let (id, new) = app.spool.commit(draft, &upload)?;
    if new {
        if described && let Err(error) = app.forward.queue(id, &app.spool.path(id)) {
            failed(error);
        }
        app.enqueue(upload);
    }
    Ok(id)
}

/// Stores files as if they had been sent to `/api/v1/recordings` together, for `--demo` and `jfrkit open`: name and content.
pub(crate) fn insert(
    app: &App,
    parts: &[(&str, &[u8])],
    query: &str,
    window: Option<(i64, i64)>,
) -> Result<Id, Refusal> {
    let limit = u64::MAX;
    let request = Request {
        path: "/api/v1/recordings".to_owned(),
        query: query.to_owned(),
        received_at: crate::time::now(),
        ..Request::default()
    };
    let mut draft = app.spool.draft(limit)?;
    for (name, content) in parts {
        let head = PartHead { name: "recording".to_owned(), file_name: Some((*name).to_owned()), content_type: None };
        draft.begin(head)?;
        draft.content(content)?;
        draft.end()?;
    }
    let more = || app.spool.draft(limit).map_err(Refusal::from);
    let mut uploads = Protocol::Recordings.uploads(&request, draft, &more)?;
    let Some((draft, mut upload)) = uploads.pop() else { return Err(Refusal::bad("no upload")) };
    if let Some((start, end)) = window {
        (upload.start, upload.end) = (Some(start), Some(end));
        // The same bytes for another window are another upload.
        upload.digest = format!("{}-{start}-{end}", upload.digest);
    }
    one(app, draft, upload)
}
