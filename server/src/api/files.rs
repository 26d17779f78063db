//! `GET /api/v1/profiles/{id}/files/{name}`: downloads of received and derived files.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use axum::body::Body;
use axum::extract::{Path, State as Has};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;

use super::{Access, Answer, Problem, Route, State};
use crate::app::App;
use crate::model::Profile;
use crate::store::reader;

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/profiles/{id}/files/{name}",
    method: "get",
    what: "A received or derived file of a profile; supports ranges",
    access: Access::Page,
    params: &[],
    answers: "application/octet-stream",
    schema: "",
    takes: "",
    also: &[202, 206, 404, 410, 416],
    handler: || get(download),
}];

/// What to send.
struct Download {
    source: Box<dyn Read + Send>,
    bytes: u64,
    name: String,
    range: Option<(u64, u64)>,
}

async fn download(Has(app): Has<State>, Path((id, name)): Path<(String, String)>, headers: HeaderMap) -> Answer {
    let range = headers.get(header::RANGE).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let found = super::compute(&app, move |app, _| open(app, &id, &name, range.as_deref())).await?;
    let Some(download) = found else { return Ok(super::processing()) };
    Ok(send(download))
}

fn open(app: &App, id: &str, name: &str, range: Option<&str>) -> Result<Option<Download>, Problem> {
    let id = super::find(app, id)?;
    let Some(profile) = super::derived(app, id)? else { return Ok(None) };
    let missing = || Problem::not_found("the profile has no file of this name");
    let (path, gzipped, bytes, label) = if let Some(file) = profile.files.iter().find(|f| f.name == name) {
        if app.options.no_received_download {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "received files cannot be downloaded: the server runs with --no-received-download",
            ));
        }
        if let Some(at) = app.store.mark(id).received_removed {
            let days = (crate::time::now() - at) / 86_400_000;
            let ago = match days {
                0 => "today".to_owned(),
                1 => "1 day ago".to_owned(),
                days => format!("{days} days ago"),
            };
            return Err(Problem::new(
                StatusCode::GONE,
                format!("the received files expired {ago}; see --keep-received"),
            ));
        }
        let upload = app.store.upload(file.upload)?.ok_or_else(missing)?;
        let part = upload.parts.iter().find(|p| p.file == file.file).ok_or_else(missing)?;
        let path = app.store.received(file.upload, &part.file).ok_or_else(missing)?;
        (path, part.gzipped, part.bytes, file.name.clone())
    } else {
        let file = profile.types.iter().filter_map(|t| t.file.as_deref()).find(|f| *f == name).ok_or_else(missing)?;
        let path = app.store.derived(id, file);
        let bytes = std::fs::metadata(&path)?.len();
        (path, false, bytes, file.to_owned())
    };
    let range = range.map(|text| parse_range(text, bytes)).transpose().map_err(|()| {
        Problem::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            format!("the range is outside of the file, which has {bytes} bytes"),
        )
    })?;
    let range = range.flatten();
    let start = range.map_or(0, |(from, _)| from);
    let source: Box<dyn Read + Send> = if gzipped {
        let mut source = reader(&path, true)?;
        io::copy(&mut (&mut source).take(start), &mut io::sink())?;
        source
    } else {
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(start))?;
        Box::new(file)
    };
    Ok(Some(Download { source, bytes, name: nice_name(&profile, &label), range }))
}

/// A download name: service, time and type.
pub(crate) fn nice_name(profile: &Profile, label: &str) -> String {
    let time = crate::time::rfc3339(profile.start);
    let time: String = time.chars().take(19).filter(|c| *c != ':').collect();
    safe_name(&format!("{}-{time}-{label}", profile.facets.service))
}

/// A name without characters that have a meaning in a header or a file system.
pub(crate) fn safe_name(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' })
        .take(150)
        .collect()
}

/// Parses `bytes=a-b`, `bytes=a-` and `bytes=-n`; a request for several ranges gets the whole file.
fn parse_range(text: &str, bytes: u64) -> Result<Option<(u64, u64)>, ()> {
    let Some(spec) = text.strip_prefix("bytes=").filter(|s| !s.contains(',')) else { return Ok(None) };
    let Some((from, to)) = spec.split_once('-') else { return Ok(None) };
    let range = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => (from, to.min(bytes.saturating_sub(1))),
        (Ok(from), Err(_)) if to.is_empty() => (from, bytes.saturating_sub(1)),
        (Err(_), Ok(last)) if from.is_empty() && last > 0 => (bytes.saturating_sub(last), bytes.saturating_sub(1)),
        _ => return Ok(None),
    };
    if range.0 >= bytes { Err(()) } else { Ok(Some(range)) }
}

fn send(download: Download) -> Response {
    let Download { source, bytes, name, range } = download;
    let length = range.map_or(bytes, |(from, to)| to - from + 1);
    let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        let mut source = source.take(length);
        let mut piece = vec![0u8; 64 << 10];
        loop {
            let sent = match source.read(&mut piece) {
                Ok(0) => return,
                Ok(n) => sender.blocking_send(Ok(Bytes::copy_from_slice(piece.get(..n).unwrap_or_default()))),
                Err(error) => sender.blocking_send(Err(error)),
            };
            // The client disconnected.
            if sent.is_err() {
                return;
            }
        }
    });
    let stream =
        futures_util::stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let disposition = format!("attachment; filename=\"{name}\"");
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
    );
    if let Some((from, to)) = range {
        if let Ok(value) = HeaderValue::from_str(&format!("bytes {from}-{to}/{bytes}")) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_files() {
        assert_eq!(parse_range("bytes=0-9", 100), Ok(Some((0, 9))));
        assert_eq!(parse_range("bytes=90-", 100), Ok(Some((90, 99))));
        assert_eq!(parse_range("bytes=-10", 100), Ok(Some((90, 99))));
        assert_eq!(parse_range("bytes=0-1,5-6", 100), Ok(None));
        assert_eq!(parse_range("bytes=100-", 100), Err(()));
        assert_eq!(parse_range("lines=1-2", 100), Ok(None));
    }
}
