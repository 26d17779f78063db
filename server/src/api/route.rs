//! One entry per route, from which the router and `openapi.json` are built.

use axum::routing::MethodRouter;

use super::State;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everyone.
    Open,
    /// Callers with a page token, if one is configured.
    Page,
    /// Callers with an intake key, if one is configured.
    Intake,
    /// Callers with either.
    Either,
}

/// A query parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    /// `string`, `integer` or `array`.
    pub(crate) kind: &'static str,
    pub(crate) what: &'static str,
    pub(crate) required: bool,
}

/// Creates a parameter.
pub(crate) const fn param(name: &'static str, kind: &'static str, what: &'static str) -> Param {
    Param { name, kind, what, required: false }
}

/// A parameter without which the request is refused.
pub(crate) const fn required(name: &'static str, kind: &'static str, what: &'static str) -> Param {
    Param { name, kind, what, required: true }
}

/// A method of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) method: &'static str,
    pub(crate) what: &'static str,
    pub(crate) access: Access,
    pub(crate) params: &'static [Param],
    /// Media type of the response.
    pub(crate) answers: &'static str,
    /// The schema of the response, or of its JSON form if `answers` is another type; empty if there is none.
    pub(crate) schema: &'static str,
    /// Media type of the request body.
    pub(crate) takes: &'static str,
    /// Statuses other than 200 that a response can have.
    pub(crate) also: &'static [u16],
    pub(crate) handler: fn() -> MethodRouter<State>,
}

pub(crate) const Q: Param = param("q", "string", "Query in the language of the search page; all terms must match");
pub(crate) const FROM: Param = param("from", "string", "Start of the time range: RFC 3339, milliseconds or now-1h");
pub(crate) const TO: Param = param("to", "string", "End of the time range, exclusive");
