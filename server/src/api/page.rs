//! The page: its files, the same HTML for each of its addresses, and the form for a page token.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State as Has};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::guard::{COOKIE, Peer, cookie_value, is_token};
use super::{Answer, State};

/// Routes outside the API.
pub(super) fn router() -> Router<State> {
    let mut router = Router::new().route("/login", get(|| async { login_form(StatusCode::OK) }).post(login));
    for address in ["/", "/profiles", "/profiles/{id}", "/compare", "/flame", "/setup", "/status"] {
        router = router.route(address, get(|| async { file(&jfrkit_web::INDEX) }));
    }
    for asset in jfrkit_web::FILES {
        router = router.route(&format!("/{}", asset.path), get(move || async move { file(asset) }));
    }
    router
}

/// A file of the page. Browsers must revalidate it, because jfrkit may have been upgraded.
fn file(file: &'static jfrkit_web::File) -> Response {
    let headers = [(header::CONTENT_TYPE, file.content_type), (header::CACHE_CONTROL, "no-cache")];
    (headers, file.bytes).into_response()
}

/// The login form.
pub(super) fn login_form(status: StatusCode) -> Response {
    const FORM: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>jfrkit</title>\
        <meta name=\"viewport\" content=\"width=device-width\"><body><main><h1>jfrkit</h1>\
        <form method=\"post\" action=\"/login\"><label>Page token <input name=\"token\" type=\"password\" autofocus \
        autocomplete=\"current-password\"></label> <button>Open</button></form></main></body></html>";
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, FORM).into_response()
}

async fn login(Has(app): Has<State>, Extension(peer): Extension<Peer>, body: Bytes) -> Answer {
    let text = String::from_utf8_lossy(body.get(..body.len().min(8 << 10)).unwrap_or_default()).into_owned();
    let token = super::params::decode(&text).into_iter().find(|(name, _)| name == "token").map(|(_, value)| value);
    let token = token.unwrap_or_default();
    if !is_token(&app, &token) {
        app.metrics.wrong_key();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        return Ok(login_form(StatusCode::UNAUTHORIZED));
    }
    let secure = if peer.secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000{secure}", cookie_value(&token));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
