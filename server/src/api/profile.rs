//! `/api/v1/profiles/{id}`: read, pin, annotate or delete a profile.

use axum::body::Bytes;
use axum::extract::{Path, State as Has};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{delete, get, patch};
use serde_json::{Value, json};

use super::profiles::row;
use super::{Access, Answer, Problem, Route, State};
use crate::app::App;
use crate::id::Id;
use crate::index::Row;
use crate::model::Profile;
use crate::ops::retention::keep_received;
use crate::time::rfc3339;

pub(super) const ROUTES: [Route; 3] = [
    Route {
        path: "/api/v1/profiles/{id}",
        method: "get",
        what: "One profile: its row, tags, types, files, neighbors and warnings",
        access: Access::Page,
        params: &[],
        answers: "application/json",
        schema: "Profile",
        takes: "",
        also: &[404],
        handler: || get(show),
    },
    Route {
        path: "/api/v1/profiles/{id}",
        method: "patch",
        what: "Pins a profile or changes its note",
        access: Access::Page,
        params: &[],
        answers: "application/json",
        schema: "Profile",
        takes: "application/json",
        also: &[400, 403, 404, 409],
        handler: || patch(change),
    },
    Route {
        path: "/api/v1/profiles/{id}",
        method: "delete",
        what: "Deletes a profile immediately",
        access: Access::Page,
        params: &[],
        answers: "",
        schema: "",
        takes: "",
        also: &[403, 404, 409],
        handler: || delete(remove),
    },
];

async fn show(Has(app): Has<State>, Path(id): Path<String>) -> Answer {
    let answer = super::compute(&app, move |app, _| detail(app, super::find(app, &id)?)).await?;
    super::json(&answer)
}

fn detail(app: &App, id: Id) -> Result<Value, Problem> {
    let found =
        app.index.row(id).ok_or_else(|| Problem::not_found("there is no such profile; it may have been deleted"))?;
    let mut answer = row(&found);
    let (previous, next) = app.index.neighbors(id);
    let more = |answer: &mut Value, found: &Row| {
        super::set(answer, "process", json!({"id": found.process, "previous": previous, "next": next}));
        super::set(answer, "tags", found.tags.iter().map(|(key, value)| json!([key, value])).collect());
    };
    let Some(profile) = super::derived(app, id)? else {
        more(&mut answer, &found);
        super::set(&mut answer, "types", json!([]));
        super::set(&mut answer, "warnings", json!([]));
        return Ok(answer);
    };
    let mark = app.store.mark(id);
    // The index may lag behind the store for a moment; take everything in a response from one of them.
    let found = Row::of(&profile, &mark);
    answer = row(&found);
    more(&mut answer, &found);
    super::set(&mut answer, "types", json!(profile.types));
    super::set(&mut answer, "warnings", json!(profile.warnings));
    super::set(&mut answer, "how", json!(profile.how));
    super::set(&mut answer, "cpu_cores_how", json!(profile.cpu_cores.how));
    super::set(&mut answer, "alloc_rate_how", json!(profile.alloc_rate.how));
    super::set(&mut answer, "profiler", json!(profile.profiler));
    super::set(&mut answer, "uploads", json!(profile.uploads));
    super::set(&mut answer, "files", files(app, &profile, mark.received_removed.is_some()));
    super::set(&mut answer, "findings_list", json!(profile.findings));
    super::set(
        &mut answer,
        "analysis",
        match (&profile.no_analysis, profile.pending) {
            (Some(reason), _) => json!({"status": "none", "reason": reason}),
            (None, true) => json!({"status": "processing"}),
            (None, false) => json!({"status": "ready"}),
        },
    );
    super::set(&mut answer, "endpoint_counts", json!(profile.endpoint_counts));
    super::set(&mut answer, "reason", json!(profile.reason));
    super::set(&mut answer, "note", json!(mark.note));
    super::set(
        &mut answer,
        "received_until",
        json!(rfc3339(profile.received_at.saturating_add(keep_received(app, profile.reason.is_some())))),
    );
    super::set(&mut answer, "received_removed", json!(mark.received_removed.map(rfc3339)));
    super::set(&mut answer, "derived", json!(profile.derived));
    Ok(answer)
}

fn files(app: &App, profile: &Profile, removed: bool) -> Value {
    let hidden = removed || app.options.no_received_download;
    let received = profile
        .files
        .iter()
        .filter(|_| !hidden)
        .map(|file| json!({"name": file.name, "kind": "received", "bytes": file.bytes, "label": file.label}));
    let derived = profile.types.iter().filter_map(|t| t.file.as_deref()).map(|file| {
        let bytes = std::fs::metadata(app.store.derived(profile.id, file)).map_or(0, |m| m.len());
        json!({"name": file, "kind": "derived", "bytes": bytes, "label": file})
    });
    received.chain(derived).collect()
}

async fn change(Has(app): Has<State>, Path(id): Path<String>, body: Bytes) -> Answer {
    super::upload::writable(&app)?;
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Change {
        pinned: Option<bool>,
        note: Option<String>,
    }
    let change: Change = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad(format!("expected {{\"pinned\": true, \"note\": \"…\"}}: {error}")))?;
    if change.note.as_ref().is_some_and(|note| note.len() > 8 << 10) {
        return Err(Problem::bad("the note is longer than 8 KiB"));
    }
    let answer = super::compute(&app, move |app, _| {
        let id = super::find(app, &id)?;
        if super::derived(app, id)?.is_none() {
            return Err(Problem::new(StatusCode::CONFLICT, "the profile is still being processed"));
        }
        {
            let _one = app.commit.lock();
            let mut mark = app.store.mark(id);
            if let Some(pinned) = change.pinned {
                mark.pinned = pinned;
            }
            if let Some(note) = change.note {
                mark.note = note;
            }
            app.store.set_mark(id, &mark)?;
            app.index.set_pinned(id, mark.pinned)?;
        }
        app.events.profile(id);
        detail(app, id)
    })
    .await?;
    super::json(&answer)
}

async fn remove(Has(app): Has<State>, Path(id): Path<String>) -> Answer {
    super::upload::writable(&app)?;
    super::compute(&app, move |app, _| {
        let id = super::find(app, &id)?;
        if super::derived(app, id)?.is_none() {
            return Err(Problem::new(StatusCode::CONFLICT, "the profile is still being processed"));
        }
        Ok(crate::ops::retention::remove(app, id)?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
