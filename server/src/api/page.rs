//! The page: its files, the same HTML for each of its addresses, and the form for a page token.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State as Has};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::guard::{COOKIE, Peer, cookie_value, is_token};
use super::{Answer, Problem, State};

/// Routes outside the API.
pub(super) fn router() -> Router<State> {
    let mut router = Router::new().route("/login", get(|| async { login_form(StatusCode::OK, "") }).post(login));
    for address in ["/", "/profiles", "/profiles/{id}", "/compare", "/flame", "/setup", "/status"] {
        router = router.route(address, get(|| async { file(&jfrkit_web::INDEX) }));
    }
    for asset in jfrkit_web::FILES {
        router = router.route(&format!("/{}", asset.path), get(move || async move { file(asset) }));
    }
    router
}

/// The response for an unknown path: browsers get the page, which reports that the address does not exist; others get a
/// problem document.
pub(super) async fn nothing(uri: Uri, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) && !uri.path().starts_with("/api/") {
        return (StatusCode::NOT_FOUND, file(&jfrkit_web::INDEX)).into_response();
    }
    Problem::not_found("there is nothing at this path").into_response()
}

/// A file of the page. Browsers must revalidate it, because jfrkit may have been upgraded.
fn file(file: &'static jfrkit_web::File) -> Response {
    let headers = [(header::CONTENT_TYPE, file.content_type), (header::CACHE_CONTROL, "no-cache")];
    (headers, file.bytes).into_response()
}

/// The login form, with `note` above it. It overrides `no-referrer`, because a form without a referrer is sent with
/// `Origin: null`, which is rejected.
pub(super) fn login_form(status: StatusCode, note: &'static str) -> Response {
    let form = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>jfrkit</title>\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
        <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"same-origin\">\
        <link rel=\"icon\" href=\"/icon.svg\">\
        <link rel=\"stylesheet\" href=\"/app.css\"><body><main class=\"login\"><h1>jfrkit</h1>\
        <p class=\"danger\">{note}</p><form method=\"post\" action=\"/login\"><label for=\"token\">Page token</label>\
        <input id=\"token\" name=\"token\" type=\"password\" autofocus autocomplete=\"current-password\">\
        <button class=\"primary\">Open</button></form></main></body></html>"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], form).into_response()
}

async fn login(Has(app): Has<State>, Extension(peer): Extension<Peer>, body: Bytes) -> Answer {
    let text = String::from_utf8_lossy(body.get(..body.len().min(8 << 10)).unwrap_or_default()).into_owned();
    let token = crate::url::decode(&text).into_iter().find(|(name, _)| name == "token").map(|(_, value)| value);
    let token = token.unwrap_or_default();
    if !is_token(&app, &token) {
        app.metrics.wrong_key();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        return Ok(login_form(StatusCode::UNAUTHORIZED, "This token is not valid."));
    }
    let secure = if peer.secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000{secure}", cookie_value(&token));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
