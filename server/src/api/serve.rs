//! Listening: addresses, connections, and the layers that every request passes through.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use super::guard::{self, Peer};
use super::{Problem, State};
use crate::app::ServeError;

/// Maximum bytes of request headers.
const MAX_HEADERS: usize = 32 << 10;
/// How much of a connection is read at once.
pub(super) const BUFFER: usize = 64 << 10;
/// How long unfinished request bodies may take after the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// An address we listen on.
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, std::path::PathBuf),
}

impl Listener {
    /// The URL under which people reach it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_or_else(
                |_| "?".to_owned(),
                |address| {
                    let ip =
                        if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
                    let ip = if address.is_ipv6() && !address.ip().is_unspecified() { format!("[{ip}]") } else { ip };
                    format!("http://{ip}:{}", address.port())
                },
            ),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }
}

/// Starts listening on an address.
pub(crate) async fn bind(address: &str) -> Result<Listener, ServeError> {
    if let Some(path) = address.strip_prefix("unix:") {
        let path = std::path::PathBuf::from(path);
        // Remove the stale socket of an earlier server.
        if path.exists() && tokio::net::UnixStream::connect(&path).await.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        let listener = UnixListener::bind(&path).map_err(|e| ServeError::Failed(format!("{}: {e}", path.display())))?;
        return Ok(Listener::Unix(listener, path));
    }
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Listener::Tcp(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let who = who(address).await;
            Err(ServeError::Failed(format!("{address} is in use{who}; choose another with --listen")))
        }
        Err(error) => Err(ServeError::Failed(format!("{address}: {error}"))),
    }
}

/// Guesses which program is listening on an address.
async fn who(address: &str) -> String {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(b"GET /info HTTP/1.0\r\nHost: localhost\r\n\r\n").await.ok()?;
        let mut answer = Vec::new();
        let _ = stream.take(64 << 10).read_to_end(&mut answer).await;
        Some(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = tokio::time::timeout(Duration::from_secs(1), ask).await.ok().flatten().unwrap_or_default();
    if answer.contains("/profiling/v1/input") && !answer.contains("/v0.4/traces") {
        ", apparently by another jfrkit serve".to_owned()
    } else if answer.contains("/v0.4/traces") {
        ", apparently by a Datadog agent".to_owned()
    } else if answer.is_empty() {
        String::new()
    } else {
        ", by another HTTP server".to_owned()
    }
}

/// Answers while the server starts, which takes long if it rebuilds the index: it is alive, but not ready. Returns the
/// listeners once `started` is set.
pub(crate) async fn serve_starting(listeners: Vec<Listener>, started: watch::Receiver<bool>) -> Vec<Listener> {
    until(listeners, &started, |stream, _| {
        let service = hyper::service::service_fn(not_ready);
        let served = http1().keep_alive(false).serve_connection(TokioIo::new(stream), service);
        // Clients may disconnect at any time.
        tokio::spawn(async move { drop(served.await) });
    })
    .await
}

async fn not_ready(request: hyper::Request<Incoming>) -> Result<Response, Infallible> {
    let mut response = if request.uri().path() == "/healthz" {
        "ok\n".into_response()
    } else {
        let expects = super::upload::expects(request.headers());
        super::upload::drain(expects, &mut Body::new(request.into_body())).await;
        Problem::overloaded("the server is starting").into_response()
    };
    guard::harden(&mut response);
    Ok(response)
}

/// Serves until `stop` is set, then finishes the bodies being received.
pub(crate) async fn serve_all(app: State, listeners: Vec<Listener>, stop: watch::Receiver<bool>) {
    // Files are either compressed already or requested in ranges.
    let compressible = DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream"));
    let router = super::router(&app).layer(CompressionLayer::new().compress_when(compressible));
    let graceful = Arc::new(GracefulShutdown::new());
    let watching = graceful.clone();
    let listeners = until(listeners, &stop, move |stream, address| {
        let (app, router) = (app.clone(), router.clone());
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (app, router) = (app.clone(), router.clone());
            async move { Ok::<Response, Infallible>(handle(app, router, request, address).await) }
        });
        let watched = watching.watch(http1().serve_connection(TokioIo::new(stream), service));
        // Clients may disconnect at any time.
        tokio::spawn(async move { drop(watched.await) });
    })
    .await;
    for listener in &listeners {
        if let Listener::Unix(_, path) = listener {
            let _ = std::fs::remove_file(path);
        }
    }
    drop(listeners);
    if let Some(graceful) = Arc::into_inner(graceful)
        && tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err()
    {
        tracing::info!("aborting requests that did not finish within 10 s");
    }
}

/// Serves connections until `end` is set, then returns the listeners.
async fn until(
    listeners: Vec<Listener>,
    end: &watch::Receiver<bool>,
    serve: impl Fn(Box<dyn Stream>, Option<IpAddr>) + Clone + Send + Sync + 'static,
) -> Vec<Listener> {
    let tasks = listeners.into_iter().map(|listener| {
        let (mut end, serve) = (end.clone(), serve.clone());
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    _ = end.wait_for(|end| *end) => return listener,
                    accepted = accept(&listener) => accepted,
                };
                match accepted {
                    Ok((stream, address)) => serve(stream, address),
                    Err(error) => {
                        // For example, too many open files. This is temporary.
                        tracing::warn!(%error, "a connection cannot be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        })
    });
    let mut listeners = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        listeners.extend(task.await);
    }
    listeners
}

/// How connections of clients are read.
fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15))
        .max_buf_size(BUFFER.max(MAX_HEADERS))
        .half_close(true);
    builder
}

/// A connection, whatever kind of address it came to.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn accept(listener: &Listener) -> io::Result<(Box<dyn Stream>, Option<IpAddr>)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, address) = listener.accept().await?;
            let _ = stream.set_nodelay(true);
            Ok((Box::new(stream), Some(address.ip())))
        }
        Listener::Unix(listener, _) => Ok((Box::new(listener.accept().await?.0), None)),
    }
}

/// Whether the client has this response already, according to its `If-None-Match`.
fn is_known(response: &Response, known: Option<&HeaderValue>) -> bool {
    let (Some(tag), Some(known)) = (response.headers().get(header::ETAG), known) else { return false };
    let (Ok(tag), Ok(known)) = (tag.to_str(), known.to_str()) else { return false };
    known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
}

async fn handle(app: State, router: Router, request: hyper::Request<Incoming>, address: Option<IpAddr>) -> Response {
    let began = Instant::now();
    let mut request: Request = request.map(Body::new);
    let mut peer = Peer { address, ..Peer::default() };
    if app.options.trust_proxy {
        let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
        if let Some(client) =
            header("x-forwarded-for").and_then(|v| v.rsplit(',').next()).and_then(|v| v.trim().parse().ok())
        {
            peer.address = Some(client);
        }
        peer.secure = header("x-forwarded-proto") == Some("https");
    }
    if let Some((key, uri)) = guard::path_key(request.uri()) {
        peer.path_key = Some(key);
        *request.uri_mut() = uri;
    }
    let path = request.uri().path().to_owned();
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let header_bytes: usize = request.headers().iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum();
    let mut response = if header_bytes > MAX_HEADERS {
        Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are larger than 32 KiB").into_response()
    } else {
        match guard::admit(&app, &peer, &request.method().clone(), &path, &request.headers().clone()).await {
            Err(response) => {
                super::upload::drain(super::upload::expects(request.headers()), request.body_mut()).await;
                *response
            }
            Ok(()) => {
                request.extensions_mut().insert(peer);
                match router.oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        }
    };
    guard::harden(&mut response);
    if response.status() == StatusCode::OK && is_known(&response, known.as_ref()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING] {
            response.headers_mut().remove(name);
        }
    }
    app.metrics.http(guard::label(&path), response.status().as_u16(), began.elapsed());
    response
}
