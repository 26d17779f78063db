//! `GET /api/v1/events`: changes, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State as Has};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use tokio::sync::broadcast::error::RecvError;

use super::route::{Param, Q};
use super::{Access, Answer, Params, Route, State};
use crate::app::Event;
use crate::index::Sort;

const PARAMS: [Param; 1] = [Q];

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/events",
    method: "get",
    what: "Server-sent events: profile (a row, when it is received and when it is ready), deleted, status; a comment every 15 s",
    access: Access::Page,
    params: &PARAMS,
    answers: "text/event-stream",
    schema: "",
    takes: "",
    also: &[400],
    handler: || get(events),
}];

async fn events(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let scope = Params::new(query.as_deref(), &PARAMS)?.scope("")?;
    let receiver = app.events.subscribe();
    let stream =
        futures_util::stream::unfold((app, scope, receiver, true), |(app, scope, mut receiver, first)| async move {
            if first {
                return Some((Ok::<_, Infallible>(Bytes::from_static(b": hello\n\n")), (app, scope, receiver, false)));
            }
            loop {
                if app.is_stopping() {
                    return None;
                }
                let text = match tokio::time::timeout(Duration::from_secs(15), receiver.recv()).await {
                    Err(_) => ": still here\n\n".to_owned(),
                    Ok(Err(RecvError::Closed)) => return None,
                    // The page requests again what it missed.
                    Ok(Err(RecvError::Lagged(_))) | Ok(Ok(Event::Status)) => "event: status\ndata: {}\n\n".to_owned(),
                    Ok(Ok(Event::Deleted(id))) => format!("event: deleted\ndata: {{\"id\":\"{id}\"}}\n\n"),
                    Ok(Ok(Event::Profile(id))) => {
                        // Only send rows that match.
                        let mut of_one = scope.clone();
                        if let Ok(mut only) = crate::index::query::parse(&format!("id:{id}")) {
                            of_one.query.append(&mut only);
                        }
                        let Ok(page) = app.index.search(&of_one, &Sort::default(), 1, None) else { continue };
                        let Some(row) = page.rows.first() else { continue };
                        format!("event: profile\ndata: {}\n\n", super::profiles::row(row))
                    }
                };
                return Some((Ok(Bytes::from(text)), (app, scope, receiver, false)));
            }
        });
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response())
}
