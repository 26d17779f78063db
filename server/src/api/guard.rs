//! Checks before every route: host names, origins, keys and tokens. Also sets the headers of every response.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::{Access, Problem, State};
use crate::app::App;
use crate::config::within;
use crate::spool::hex;

/// The name of the page's cookie.
pub(super) const COOKIE: &str = "jfrkit";
/// How long to delay the answer to a wrong key.
const DELAY: Duration = Duration::from_millis(500);

/// The sender of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    /// `None` for a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// The key in a `/k/KEY/…` path.
    pub(crate) path_key: Option<String>,
    /// Whether the request came over TLS, according to a trusted proxy.
    pub(crate) secure: bool,
}

/// Strips `/k/KEY` from a path.
pub(super) fn path_key(uri: &Uri) -> Option<(String, Uri)> {
    let rest = uri.path().strip_prefix("/k/")?;
    let (key, rest) = rest.split_once('/')?;
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let uri = format!("/{rest}{query}").parse().ok()?;
    Some((crate::url::decode_path(key), uri))
}

/// Whether a route takes uploads, serves the page, or is open to everyone.
fn access(method: &Method, path: &str) -> Access {
    let fits = |route: &super::Route| {
        let mut given = path.split('/');
        let all = route.path.split('/').all(|piece| match given.next() {
            Some(_) if piece.starts_with("{*") => true,
            Some(got) => piece.starts_with('{') && !got.is_empty() || piece == got,
            None => false,
        });
        all && (given.next().is_none() || route.path.contains("{*"))
    };
    let routes = super::routes();
    let found = routes.iter().filter(|r| fits(r)).max_by_key(|r| r.method.eq_ignore_ascii_case(method.as_str()));
    found.map_or(Access::Page, |route| route.access)
}

/// The route of a request, as the metrics label it.
pub(super) fn label(path: &str) -> &'static str {
    let fits = |pattern: &str| {
        let (a, b): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(p, g)| p == g || p.starts_with('{'))
    };
    super::routes().iter().map(|r| r.path).find(|p| fits(p)).unwrap_or("other")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// Admits a request, or returns the response that refuses it.
pub(super) async fn admit(
    app: &State,
    peer: &Peer,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<(), Box<Response>> {
    let access = access(method, path);
    let host = text(headers, "host");
    if access == Access::Page && peer.address.is_some() && !host.is_some_and(|h| is_ours(app, h)) {
        let detail = "the page cannot be opened under this host name; see --allow-host";
        return Err(Box::new(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()));
    }
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let cookie = cookie(headers);
    if changes {
        let forbidden =
            |detail: &str| Err(Box::new(Problem::new(StatusCode::FORBIDDEN, detail.to_owned()).into_response()));
        if text(headers, "sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return forbidden("pages of other origins may not change anything here");
        }
        if let Some(origin) = text(headers, "origin")
            && !origin.split_once("://").is_some_and(|(_, name)| is_ours(app, name) && host == Some(name))
        {
            return forbidden("pages of other origins may not change anything here");
        }
        if cookie.is_some() && path != "/login" && text(headers, "x-jfrkit") != Some("1") {
            return forbidden("a request with a cookie needs the header X-Jfrkit: 1");
        }
    }
    let page = || app.options.page_tokens.is_empty() || has_token(app, headers, cookie);
    let intake = || may_upload(app, peer, headers);
    let fine = match access {
        Access::Open => true,
        // The form, and what it looks like.
        Access::Page => matches!(path, "/login" | "/app.css" | "/icon.svg") || page(),
        Access::Intake => intake(),
        Access::Either => intake() || (!app.options.page_tokens.is_empty() && page()),
    };
    if fine {
        return Ok(());
    }
    app.metrics.wrong_key();
    tokio::time::sleep(DELAY).await;
    let wants_page = *method == Method::GET && text(headers, "accept").is_some_and(|a| a.contains("text/html"));
    if access == Access::Page && wants_page {
        return Err(Box::new(super::page::login_form(StatusCode::UNAUTHORIZED, "")));
    }
    let what = if access == Access::Page { "a page token is needed" } else { "the key is missing or wrong" };
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, what).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Err(Box::new(response))
}

/// Whether `host`, with or without a port, is a name of this server.
fn is_ours(app: &App, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name),
    };
    // DNS rebinding needs a name; an IP address cannot be rebound.
    name == "localhost"
        || name.parse::<IpAddr>().is_ok()
        || app.options.allow_host.iter().any(|h| *h == name || *h == host)
        || app.options.listen.iter().any(|l| l.rsplit_once(':').is_some_and(|(of, _)| of.eq_ignore_ascii_case(name)))
}

/// SHA-256 of a secret. Secrets in a file may already be hashed.
fn hash(secret: &str) -> String {
    match secret.strip_prefix("sha256:") {
        Some(hash) if hash.len() == 64 => hash.to_ascii_lowercase(),
        _ => hex(&Sha256::digest(secret.as_bytes())),
    }
}

/// Compares in constant time.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

fn is_one_of(secrets: &[String], given: &str) -> bool {
    let given = hex(&Sha256::digest(given.as_bytes()));
    secrets.iter().fold(false, |found, secret| found | same(&hash(secret), &given))
}

/// The cookie value for a token.
pub(super) fn cookie_value(token: &str) -> String {
    hex(&Sha256::digest(format!("jfrkit page {}", hash(token)).as_bytes()))
}

/// Whether the token entered in the form is valid.
pub(super) fn is_token(app: &App, token: &str) -> bool {
    is_one_of(&app.options.page_tokens, token)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    cookies.filter_map(|c| c.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = text(headers, "authorization")?;
    value.get(..7).filter(|p| p.eq_ignore_ascii_case("bearer ")).and_then(|_| value.get(7..)).map(str::trim)
}

/// The password in `Authorization: Basic`.
fn basic(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, "authorization")?;
    let coded = value.get(..6).filter(|p| p.eq_ignore_ascii_case("basic ")).and_then(|_| value.get(6..))?;
    let pair = String::from_utf8(crate::intake::base64(coded.trim())?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

fn has_token(app: &App, headers: &HeaderMap, cookie: Option<&str>) -> bool {
    let tokens = &app.options.page_tokens;
    bearer(headers).is_some_and(|token| is_one_of(tokens, token))
        || cookie
            .is_some_and(|cookie| tokens.iter().fold(false, |found, token| found | same(&cookie_value(token), cookie)))
}

fn may_upload(app: &App, peer: &Peer, headers: &HeaderMap) -> bool {
    let keys = &app.options.intake_keys;
    if keys.is_empty() {
        return true;
    }
    let given = [
        text(headers, "dd-api-key").map(str::to_owned),
        bearer(headers).map(str::to_owned),
        basic(headers),
        peer.path_key.clone(),
    ];
    given.iter().flatten().any(|key| is_one_of(keys, key))
        || peer.address.is_some_and(|address| app.options.allow_from.iter().any(|network| within(address, *network)))
}

/// Headers of every response.
pub(super) fn harden(response: &mut Response) {
    const ALWAYS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // Only what a handler marks may be kept. Browsers would otherwise keep even errors such as 404 and 410.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_are_stripped_from_paths() {
        let (key, uri) = path_key(&"/k/a%20b/profiling/v1/input?x=1".parse().unwrap()).unwrap();
        assert_eq!((key.as_str(), uri.to_string().as_str()), ("a b", "/profiling/v1/input?x=1"));
        assert!(path_key(&"/profiles".parse().unwrap()).is_none());
    }

    #[test]
    fn each_path_has_its_access_level() {
        assert_eq!(access(&Method::POST, "/profiling/v1/input"), Access::Intake);
        assert_eq!(access(&Method::POST, "/api/v1/recordings"), Access::Either);
        assert_eq!(access(&Method::GET, "/api/v1/profiles/X/files/y"), Access::Page);
        assert_eq!(access(&Method::GET, "/healthz"), Access::Open);
        assert_eq!(access(&Method::PUT, "/v0.4/traces"), Access::Intake);
        assert_eq!(access(&Method::GET, "/profiles"), Access::Page);
        assert_eq!(label("/api/v1/profiles/01ARZ"), "/api/v1/profiles/{id}");
        assert_eq!(label("/<script>"), "other");
    }

    #[test]
    fn secrets_may_be_hashed() {
        let stored = vec![format!("sha256:{}", hex(&Sha256::digest(b"secret"))), "plain".to_owned()];
        assert!(is_one_of(&stored, "secret") && is_one_of(&stored, "plain") && !is_one_of(&stored, "other"));
        assert_eq!(cookie_value(stored.first().unwrap()), cookie_value("secret"));
    }
}
