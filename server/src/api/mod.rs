//! The API, one file per route. The router and `openapi.json` are both built from [`routes`].
//!
//! A few files have several routes, and the others have what routes share: parameters (`params.rs`, `selection.rs`),
//! errors (`problem.rs`), schemas, access (`guard.rs`), listening (`serve.rs`). Parsing uploads belongs in `intake`,
//! searching in `index`, profiles and findings in `derive`. Start with `route.rs`, then `profiles.rs`, a typical route.

mod analysis;
mod diff;
mod dropped;
mod events;
mod export;
mod facets;
pub(crate) mod files;
mod flame;
mod guard;
mod health;
mod metrics;
mod openapi;
mod page;
pub(crate) mod params;
mod problem;
mod profile;
mod profiles;
mod route;
mod runtime;
mod schema;
mod selection;
mod serve;
mod status;
mod suggest;
mod table;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;

pub(crate) use params::Params;
pub(crate) use problem::Problem;
pub(crate) use route::{Access, Route};
pub(crate) use serve::{Listener, bind, serve_all, serve_starting};
pub(crate) use upload::insert;

use crate::app::App;
use crate::id::Id;
use crate::model::{Profile, Status};

/// What handlers share.
pub(crate) type State = Arc<App>;
/// What handlers return.
pub(crate) type Answer = Result<Response, Problem>;

/// All routes.
pub(crate) fn routes() -> Vec<Route> {
    let groups: [&[Route]; 18] = [
        &profiles::ROUTES,
        &facets::ROUTES,
        &suggest::ROUTES,
        &profile::ROUTES,
        &analysis::ROUTES,
        &runtime::ROUTES,
        &files::ROUTES,
        &metrics::ROUTES,
        &flame::ROUTES,
        &table::ROUTES,
        &diff::ROUTES,
        &export::ROUTES,
        &events::ROUTES,
        &status::ROUTES,
        &health::ROUTES,
        &openapi::ROUTES,
        &upload::ROUTES,
        &dropped::ROUTES,
    ];
    groups.into_iter().flatten().copied().collect()
}

/// Builds the router of a server.
pub(crate) fn router(app: &State) -> Router {
    let mut router = Router::new();
    let mut paths: Vec<&str> = Vec::new();
    for route in routes() {
        // Methods of the same path are merged.
        router = router.route(route.path, (route.handler)());
        paths.push(route.path);
    }
    let router = router.merge(page::router());
    router
        .fallback(page::nothing)
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support this method")
        })
        .with_state(app.clone())
}

/// A JSON response.
pub(crate) fn json<T: Serialize>(value: &T) -> Answer {
    let body = serde_json::to_vec(value).map_err(|e| {
        tracing::error!(error = %e, "a response cannot be written");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the response cannot be written")
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Marks a response as cacheable if no other upload can change the profile. `what` names the part of the profile.
pub(crate) fn cacheable(response: Response, profile: &Profile, what: &str) -> Response {
    if !profile.is_final() {
        return response;
    }
    immutable(response, profile.derived, &format!("{}-{what}", profile.id))
}

/// Marks a response as cacheable: it only changes when a newer version derives the profile again.
pub(crate) fn immutable(mut response: Response, derived: u32, tag: &str) -> Response {
    let headers = response.headers_mut();
    let control = if derived < crate::store::DERIVED { "no-cache" } else { "private, max-age=31536000, immutable" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{derived}-{tag}\"")) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Sets a member of an object.
pub(crate) fn set(object: &mut serde_json::Value, name: &str, value: serde_json::Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The profile that an id refers to.
pub(crate) fn find(app: &App, id: &str) -> Result<Id, Problem> {
    let missing = || Problem::not_found("there is no such profile; it may have been deleted");
    Id::parse(id).and_then(|id| app.index.profile_of(id)).ok_or_else(missing)
}

/// A derived profile; `None` while it is being processed.
pub(crate) fn derived(app: &App, id: Id) -> Result<Option<Profile>, Problem> {
    let row =
        app.index.row(id).ok_or_else(|| Problem::not_found("there is no such profile; it may have been deleted"))?;
    if matches!(row.status, Status::Received | Status::Processing) {
        return Ok(None);
    }
    /// Approximate size of a description in memory.
    const BYTES: u64 = 32 << 10;
    if let Some(profile) = app.decoded.get::<Profile>(id, "profile") {
        return Ok(Some(Profile::clone(&profile)));
    }
    let begun = app.decoded.begin();
    let profile = app.store.profile(id)?;
    if let Some(profile) = &profile {
        if profile.derived < crate::store::DERIVED {
            app.renewals.opened(id);
        }
        app.decoded.put(id, "profile", Arc::new(profile.clone()), BYTES, begun);
    }
    Ok(profile)
}

/// 202: try again in a second.
pub(crate) fn processing() -> Response {
    let body = r#"{"status":"processing"}"#;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::RETRY_AFTER, "1")];
    (StatusCode::ACCEPTED, headers, body).into_response()
}

/// Runs work that may block on a blocking thread: at most one task per core, each for at most 30 s.
pub(crate) async fn compute<T: Send + 'static>(
    app: &State,
    work: impl FnOnce(&App, &jfrkit_profile::Cancel) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    on_thread(app, &app.queries, work).await
}

/// Like [`compute`], for short work that must not wait for queries: operators look at the state of a server when it is busy.
pub(crate) async fn glance<T: Send + 'static>(
    app: &State,
    work: impl FnOnce(&App) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    on_thread(app, &app.glances, |app, _| work(app)).await
}

async fn on_thread<T: Send + 'static>(
    app: &State,
    turns: &Arc<Semaphore>,
    work: impl FnOnce(&App, &jfrkit_profile::Cancel) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    use std::sync::atomic::{AtomicBool, Ordering};
    /// Also set when the client disconnects, because that drops the future.
    struct Gone(Arc<AtomicBool>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let permit = turns.clone().acquire_owned().await;
    let raised = Arc::new(AtomicBool::new(false));
    let gone = Gone(raised.clone());
    let app = app.clone();
    let task = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let cancel = jfrkit_profile::Cancel::when(move || raised.load(Ordering::Acquire));
        work(&app, &cancel)
    });
    let done = tokio::time::timeout(std::time::Duration::from_secs(30), task).await;
    drop(gone);
    match done {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => {
            tracing::error!(%error, "a query panicked");
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the query failed; see the log"))
        }
        Err(_) => Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "the query took longer than 30 s")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use axum::body::Body;
    use axum::extract::Request;
    use tokio::time::timeout;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn the_state_is_shown_even_if_all_queries_are_slow() {
        let dir = tempfile::tempdir().unwrap();
        let options = crate::Options { dir: dir.path().join("data"), min_free: Some(0), ..crate::Options::default() };
        let app = App::start(options, false).unwrap();
        let ask = |path: &str| router(&app).oneshot(Request::get(path).body(Body::empty()).unwrap());
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let cores = u32::try_from(app.queries.available_permits()).unwrap();
            let slow = app.queries.clone().acquire_many_owned(cores).await.unwrap();
            let mut query = std::pin::pin!(ask("/api/v1/profiles"));
            assert!(timeout(Duration::from_millis(50), &mut query).await.is_err(), "the query did not wait");
            for path in ["/metrics", "/api/v1/status"] {
                // If it waited for the queries, it would not be answered at all.
                let response = timeout(Duration::from_secs(60), ask(path)).await.unwrap().unwrap();
                assert_eq!(response.status(), StatusCode::OK, "{path}");
            }
            drop(slow);
            assert_eq!(query.await.unwrap().status(), StatusCode::OK);
        });
        app.stop();
        app.finish(Duration::from_secs(10));
    }
}
