//! Errors as `application/problem+json`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::index::query::QueryError;

/// A response that says what went wrong.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    detail: String,
    /// The range of the mistake in the query, in characters.
    position: Option<(usize, usize)>,
    retry_after: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), position: None, retry_after: None }
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// A mistake in a query.
    pub(crate) fn query(error: QueryError) -> Self {
        Self { position: Some((error.start, error.end)), ..Self::bad(error.message) }
    }

    /// 503: try again later.
    pub(crate) fn overloaded(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<crate::index::IndexError> for Problem {
    fn from(error: crate::index::IndexError) -> Self {
        match error {
            crate::index::IndexError::Cursor => Self::bad("cursor: it does not belong to this search"),
            error => {
                tracing::error!(%error, "the index cannot be used");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the index cannot be read; see the log")
            }
        }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, "the store cannot be used");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the store cannot be read; see the log")
    }
}

impl From<crate::intake::Refusal> for Problem {
    fn from(refusal: crate::intake::Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(5);
        Self { retry_after, ..Self::new(status, refusal.detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let (Some((start, end)), Some(body)) = (self.position, body.as_object_mut()) {
            body.insert("start".to_owned(), start.into());
            body.insert("end".to_owned(), end.into());
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
