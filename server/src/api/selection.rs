//! The parameter groups SELECTION (which profiles) and VIEW (how to show their stacks).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use jfrkit_profile::Cancel;
use serde::Serialize;

use super::route::{FROM, Param, Q, TO, param, required};
use super::{Params, Problem};
use crate::app::App;
use crate::derive::compute;
use crate::derive::compute::trees::{self, CallStacks, Group, Pattern, TreeError, View};
use crate::id::Id;
use crate::index::Scope;

/// Maximum profiles to merge.
const MOST: usize = 500;
/// Maximum patterns that must all match.
const MOST_PATTERNS: usize = 32;

/// An unused slot.
pub(super) const NONE: Param = param("", "string", "");

// The parameters that a comparison has for both of its sides.
pub(super) const GROUP: Param = param("group", "string", "First level: thread, class, endpoint or label:KEY");
pub(super) const RECURSION: Param =
    param("recursion", "string", "collapse: merge consecutive frames of the same function");
pub(super) const LINES: Param = param("lines", "string", "1: show lines as separate frames");
pub(super) const INCLUDE: Param = param(
    "include",
    "array",
    "Only stacks with a frame that matches this regular expression; if repeated, all must match",
);
pub(super) const EXCLUDE: Param =
    param("exclude", "array", "Exclude stacks with a matching frame; if repeated, any may match");
pub(super) const HIDE: Param =
    param("hide", "array", "Hide matching frames, whose value goes to the caller; if repeated, any may match");
pub(super) const THREAD: Param =
    param("thread", "array", "Only threads with a matching name; if repeated, any may match");
pub(super) const LIBRARY: Param = param("library", "array", "Prefix of function names to collapse; repeatable");
pub(super) const TYPE: Param = required("type", "string", "Profile type");
pub(super) const VALUE: Param = param("value", "string", "Value; by default the last one of the type");

/// The parameters of SELECTION and VIEW, plus `more`.
pub(super) const fn with(more: [Param; 5]) -> [Param; 23] {
    let [a, b, c, d, e] = more;
    [
        param("profile", "array", "Id of a profile; repeatable"),
        Q,
        FROM,
        TO,
        TYPE,
        VALUE,
        param("view", "string", "flame, callers or sandwich"),
        param("function", "string", "Function of a sandwich view"),
        GROUP,
        RECURSION,
        LINES,
        param(
            "per",
            "string",
            "total (default), second, or request; with group=endpoint, the response has the number of requests per endpoint",
        ),
        param(
            "within",
            "string",
            "START,END: only this time range of a single recording; RFC 3339, milliseconds or now-1h",
        ),
        INCLUDE,
        EXCLUDE,
        HIDE,
        THREAD,
        LIBRARY,
        a,
        b,
        c,
        d,
        e,
    ]
}

/// Turns an invalid view or a failed computation into a response.
pub(super) fn problem(error: TreeError) -> Problem {
    match error {
        TreeError::Canceled => Problem::new(StatusCode::GATEWAY_TIMEOUT, "the query was canceled"),
        error => Problem::bad(error.to_string()),
    }
}

/// Parses VIEW.
pub(super) fn view(params: &Params) -> Result<View, Problem> {
    // Repeated `exclude` or `hide` patterns are alternatives; repeated `include` patterns must all match.
    let any = |name: &str| {
        // Check each by itself, so that the error quotes what was sent.
        for text in params.all(name) {
            Pattern::new(text).map_err(problem)?;
        }
        let all: Vec<String> = params.all(name).map(|text| format!("(?:{text})")).collect();
        if all.is_empty() { Ok(None) } else { Pattern::new(&all.join("|")).map(Some).map_err(problem) }
    };
    let include: Result<Vec<Pattern>, Problem> =
        params.all("include").map(|text| Pattern::new(text).map_err(problem)).collect();
    let include = include?;
    if include.len() > MOST_PATTERNS {
        return Err(Problem::bad(format!("include: more than {MOST_PATTERNS} patterns")));
    }
    if let Some(other) = params.get("recursion").filter(|value| *value != "collapse") {
        return Err(Problem::bad(format!("recursion: expected collapse, not {other:?}")));
    }
    if let Some(other) = params.get("lines").filter(|value| !matches!(*value, "0" | "1")) {
        return Err(Problem::bad(format!("lines: expected 1, not {other:?}")));
    }
    let group = params.get("group").filter(|g| *g != "none").map(|text| {
        Group::parse(text)
            .ok_or_else(|| Problem::bad(format!("group: expected thread, class, endpoint or label:KEY, not {text:?}")))
    });
    Ok(View {
        group: group.transpose()?,
        include,
        exclude: any("exclude")?,
        hide: any("hide")?,
        thread: any("thread")?,
        collapse_recursion: params.get("recursion") == Some("collapse"),
        library: params.all("library").take(100).map(str::to_owned).collect(),
        lines: params.get("lines") == Some("1"),
        ..View::default()
    })
}

/// Restricts a view to the stacks that contain a function.
pub(super) fn only_with(view: &mut View, function: &str) -> Result<(), Problem> {
    if view.include.len() >= MOST_PATTERNS {
        let most = MOST_PATTERNS - 1;
        return Err(Problem::bad(format!("include: more than {most} patterns with view=sandwich")));
    }
    view.include.push(Pattern::exactly(function).map_err(problem)?);
    Ok(())
}

/// The shape of a tree, `view`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// From the root to the leaves.
    Flame,
    /// From the leaves to the root.
    Callers,
    /// A function between its callers and its callees.
    Sandwich,
}

impl Shape {
    pub(super) const ALL: [Self; 3] = [Self::Flame, Self::Callers, Self::Sandwich];

    const fn name(self) -> &'static str {
        match self {
            Self::Flame => "flame",
            Self::Callers => "callers",
            Self::Sandwich => "sandwich",
        }
    }

    /// Parses `view`; the route supports only these shapes.
    pub(super) fn of(params: &Params, supported: &[Self]) -> Result<Self, Problem> {
        let Some(text) = params.get("view") else { return Ok(Self::Flame) };
        supported.iter().copied().find(|shape| shape.name() == text).ok_or_else(|| {
            let names: Vec<&str> = supported.iter().map(|shape| shape.name()).collect();
            let expected = match names.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                _ => names.concat(),
            };
            Problem::bad(format!("view: expected {expected}, not {text:?}"))
        })
    }

    /// Parses `function`, if the shape needs one.
    pub(super) fn function(self, params: &Params) -> Result<Option<String>, Problem> {
        if self != Self::Sandwich {
            return Ok(None);
        }
        let function = params.get("function").ok_or_else(|| Problem::bad("view=sandwich needs function=NAME"))?;
        Ok(Some(function.to_owned()))
    }
}

/// Parses `min`, the share of the root below which subtrees are folded.
pub(super) fn min(params: &Params) -> Result<f64, Problem> {
    let Some(text) = params.get("min") else { return Ok(trees::DEFAULT_MIN) };
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| Problem::bad("min: expected a share from 0 to 1"))
}

/// What values are divided by. The response always contains totals, so sums stay exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PerUnit {
    Total,
    Second,
    Request,
}

impl PerUnit {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Second => "second",
            Self::Request => "request",
        }
    }

    /// Requests by endpoint, if values are divided by them.
    pub(super) fn requests(self, merged: &Merged) -> Result<Option<BTreeMap<String, i64>>, Problem> {
        match self {
            Self::Request if merged.requests.is_empty() => {
                Err(Problem::bad("per=request: the client did not send how many requests each endpoint served"))
            }
            Self::Request => Ok(Some(merged.requests.clone())),
            Self::Total | Self::Second => Ok(None),
        }
    }
}

/// Parses `per`.
pub(super) fn per(params: &Params) -> Result<PerUnit, Problem> {
    match params.get("per") {
        None | Some("total") => Ok(PerUnit::Total),
        Some("second") => Ok(PerUnit::Second),
        // The number of requests is only known per endpoint.
        Some("request") if params.get("group") == Some("endpoint") || params.get("by") == Some("endpoint") => {
            Ok(PerUnit::Request)
        }
        Some("request") => Err(Problem::bad("per=request needs group=endpoint, or by=endpoint")),
        Some(other) => Err(Problem::bad(format!("per: expected total, second or request, not {other:?}"))),
    }
}

/// The cache key of a tree: only the parameters that change it, not those that select a part of it.
pub(super) fn tree_key(query: &str) -> String {
    let mut pairs = crate::url::decode(query);
    pairs.retain(|(name, _)| {
        !matches!(name.as_str(), "profile" | "root" | "min" | "search" | "per" | "q" | "from" | "to")
    });
    pairs.sort();
    format!("tree {pairs:?}")
}

/// How many profiles match, and how many of them are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) matched: usize,
    pub(super) merged: usize,
}

/// A parsed SELECTION.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    ids: Vec<String>,
    scope: Scope,
    kind: String,
    value: Option<String>,
    /// Milliseconds since the epoch, the end exclusive.
    within: Option<(i64, i64)>,
    /// The same parameters always select the same data: profiles by id, and no time relative to now.
    fixed: bool,
}

/// The merged stacks of a selection.
pub(super) struct Merged {
    pub(super) stacks: Arc<CallStacks>,
    pub(super) value: usize,
    pub(super) counts: Counts,
    pub(super) kind: String,
    /// The profile, if there is only one and the request always means that one.
    pub(super) one: Option<Id>,
    /// Requests by endpoint.
    pub(super) requests: BTreeMap<String, i64>,
    /// Name for downloads.
    pub(super) name: String,
    derived: u32,
}

impl Selection {
    /// Reads the parameters whose names begin with a prefix.
    pub(super) fn new(params: &Params, prefix: &str) -> Result<Self, Problem> {
        let ids: Vec<String> = params.all(&format!("{prefix}profile")).map(str::to_owned).collect();
        if ids.len() > MOST {
            return Err(Problem::bad(format!("more than {MOST} profiles")));
        }
        let kind = params.get("type").ok_or_else(|| Problem::bad("type: expected a profile type, for example cpu"))?;
        let fixed = !ids.is_empty() && !params.get("within").is_some_and(|text| text.contains("now"));
        Ok(Self {
            ids,
            fixed,
            scope: params.scope(prefix)?,
            kind: kind.to_owned(),
            value: params.get("value").map(str::to_owned),
            within: params.get("within").map(within).transpose()?,
        })
    }

    /// Loads and merges the profiles; `None` if the only profile is not ready yet.
    pub(super) fn load(&self, app: &App, cancel: &Cancel) -> Result<Option<Merged>, Problem> {
        let mut ids: Vec<Id> = Vec::new();
        for id in &self.ids {
            let id = super::find(app, id)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let matched = if self.ids.is_empty() {
            let found = app.index.select(&self.scope, Some(&self.kind));
            let matched = found.len();
            // Pick profiles evenly spread over time.
            ids = (0..matched.min(MOST))
                .filter_map(|i| found.get(i * matched / matched.min(MOST)).map(|(id, ..)| *id))
                .collect();
            matched
        } else {
            ids.len()
        };
        if let [one] = ids.as_slice() {
            return self.one(app, *one, matched);
        }
        if self.within.is_some() {
            return Err(Problem::bad("within: expected one profile; for several, use from and to"));
        }
        let mut all: Vec<Arc<CallStacks>> = Vec::new();
        let mut requests = BTreeMap::new();
        let mut name = String::new();
        for id in ids {
            cancel.check().map_err(|c| problem(c.into()))?;
            let Some(profile) = super::derived(app, id)? else { continue };
            let Some(stacks) = stacks(app, &profile, &self.kind)? else { continue };
            // Profiles with different sample types cannot be added.
            if all.first().is_some_and(|first: &Arc<CallStacks>| first.types() != stacks.types()) {
                continue;
            }
            add_requests(&mut requests, &profile);
            if name.is_empty() {
                name.clone_from(&profile.facets.service);
            }
            all.push(stacks);
        }
        if all.is_empty() {
            return Err(Problem::not_found(format!("no profile of the selection has the type {:?}", self.kind)));
        }
        let merged = trees::merge(all.iter().map(|s| &**s), cancel).map_err(problem)?;
        let value = self.value_of(&merged)?;
        let counts = Counts { matched, merged: all.len() };
        Ok(Some(Merged {
            stacks: Arc::new(merged),
            value,
            counts,
            kind: self.kind.clone(),
            one: None,
            requests,
            name,
            derived: 0,
        }))
    }

    fn one(&self, app: &App, id: Id, matched: usize) -> Result<Option<Merged>, Problem> {
        let Some(profile) = super::derived(app, id)? else { return Ok(None) };
        let stacks = match self.within {
            None => stacks(app, &profile, &self.kind)?,
            Some(window) => stacks_within(app, &profile, &self.kind, window)?,
        };
        let Some(stacks) = stacks else {
            let entry = profile.types.iter().find(|t| t.kind == self.kind);
            let reason = entry.and_then(|t| t.absent.clone()).unwrap_or_else(|| {
                let reason =
                    if entry.is_some() { "no samples in this time range" } else { "the profile has no such type" };
                reason.to_owned()
            });
            return Err(Problem::not_found(format!("no {} profile: {reason}", self.kind)));
        };
        let value = self.value_of(&stacks)?;
        let mut requests = BTreeMap::new();
        add_requests(&mut requests, &profile);
        Ok(Some(Merged {
            stacks,
            value,
            counts: Counts { matched, merged: 1 },
            kind: self.kind.clone(),
            one: Some(id).filter(|_| self.fixed),
            requests,
            name: profile.facets.service.clone(),
            derived: profile.derived,
        }))
    }

    fn value_of(&self, stacks: &CallStacks) -> Result<usize, Problem> {
        match &self.value {
            None => Ok(stacks.types().len().saturating_sub(1)),
            Some(name) => stacks.value_named(name).ok_or_else(|| {
                let names: Vec<&str> = stacks.types().iter().map(|t| &*t.name).collect();
                Problem::bad(format!("value: expected {}, not {name:?}", names.join(" or ")))
            }),
        }
    }
}

impl Merged {
    /// Name and unit of the value.
    pub(super) fn value_names(&self) -> (&str, &str) {
        self.stacks.types().get(self.value).map_or(("", ""), |t| (&t.name, &t.unit))
    }

    /// Marks the response as immutable if it belongs to a single profile.
    pub(super) fn cacheable(&self, response: Response) -> Response {
        match self.one {
            Some(id) => super::immutable(response, self.derived, &id.to_string()),
            None => response,
        }
    }
}

fn add_requests(sum: &mut BTreeMap<String, i64>, profile: &crate::model::Profile) {
    for (endpoint, count) in profile.endpoint_counts.iter().filter_map(|c| c.as_object()).flatten() {
        *sum.entry(endpoint.clone()).or_default() += count.as_i64().unwrap_or(0);
    }
}

/// Parses `START,END`.
fn within(text: &str) -> Result<(i64, i64), Problem> {
    let now = crate::time::now();
    let bad = |reason: String| Problem::bad(format!("within: {reason}"));
    let (start, end) = text.split_once(',').ok_or_else(|| bad(format!("expected START,END, not {text:?}")))?;
    let time = |text: &str| crate::time::parse_api(text, now).map_err(bad);
    let (start, end) = (time(start)?, time(end)?);
    if start >= end {
        return Err(bad("expected a start before the end".to_owned()));
    }
    Ok((start, end))
}

/// The stacks of part of a recording, computed while the recording is kept.
fn stacks_within(
    app: &App,
    profile: &crate::model::Profile,
    kind: &str,
    (start, end): (i64, i64),
) -> Result<Option<Arc<CallStacks>>, Problem> {
    let what = format!("stacks {kind} {start} {end}");
    if let Some(stacks) = app.decoded.get::<CallStacks>(profile.id, &what) {
        return Ok(Some(stacks));
    }
    let begun = app.decoded.begin();
    let recordings = crate::derive::recordings(&*app.store, profile)?;
    if recordings.is_empty() {
        let removed = app.store.mark(profile.id).received_removed.is_some();
        return Err(if removed {
            Problem::not_found(
                "within: the recording has expired; only the profiles of its complete time range are left",
            )
        } else {
            Problem::bad("within: expected a profile of a recording; other profiles have no sample times")
        });
    }
    let found = compute::stacks_within(&recordings, kind, start, end, &app.bounds);
    let Some(stacks) = found.map_err(|reason| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason))? else {
        return Ok(None);
    };
    let stacks = Arc::new(stacks);
    // A stack takes about 200 bytes.
    let bytes = u64::try_from(stacks.len()).unwrap_or(u64::MAX).saturating_mul(200);
    app.decoded.put(profile.id, &what, stacks.clone(), bytes, begun);
    Ok(Some(stacks))
}

/// The stacks of a profile type, from the cache or from its file.
fn stacks(app: &App, profile: &crate::model::Profile, kind: &str) -> Result<Option<Arc<CallStacks>>, Problem> {
    let Some(file) = profile.types.iter().find(|t| t.kind == kind).and_then(|t| t.file.as_deref()) else {
        return Ok(None);
    };
    let what = format!("stacks {kind}");
    if let Some(stacks) = app.decoded.get::<CallStacks>(profile.id, &what) {
        return Ok(Some(stacks));
    }
    let begun = app.decoded.begin();
    let path = app.store.derived(profile.id, file);
    let bytes = std::fs::read(&path)?;
    let stacks = Arc::new(trees::read(&bytes).map_err(|reason| {
        tracing::error!(id = %profile.id, file, reason, "a derived file cannot be read");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a derived file cannot be read; see the log")
    })?);
    // A decoded profile takes about 12 times its compressed size.
    app.decoded.put(
        profile.id,
        &what,
        stacks.clone(),
        u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_mul(12),
        begun,
    );
    Ok(Some(stacks))
}
