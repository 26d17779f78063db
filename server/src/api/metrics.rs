//! `GET /api/v1/metrics`: a service's metrics over time.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State as Has};
use axum::routing::get;
use serde_json::{Value, json};

use super::route::{FROM, Param, Q, TO, param};
use super::{Access, Answer, Params, Problem, Route, State};
use crate::index::MetricPoint;
use crate::index::query;
use crate::time::rfc3339;

/// Maximum points of a series.
const MOST_POINTS: i64 = 600;
/// Maximum series of a metric; the rest are combined into one.
const MOST_SERIES: usize = 20;

const PARAMS: [Param; 8] = [
    param("service", "string", "The service"),
    param("env", "string", "The environment"),
    Q,
    FROM,
    TO,
    param("names", "array", "Comma-separated metrics; repeatable; by default all"),
    param("by", "string", "host or version for a series each, or none (default)"),
    param("step", "string", "Time between points, for example 60s or 5m; at most 600 points"),
];

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/metrics",
    method: "get",
    what: "Metrics of a service over time, from all its profiles: points of [time, min, mean, max, id of the profile with the max]",
    access: Access::Page,
    params: &PARAMS,
    answers: "application/json",
    schema: "Metrics",
    takes: "",
    also: &[400],
    handler: || get(metrics),
}];

async fn metrics(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let mut scope = params.scope("")?;
    let now = crate::time::now();
    scope.to = scope.to.or(Some(now));
    scope.from = scope.from.or(scope.to.map(|to| to - 3_600_000));
    for name in ["service", "env"] {
        if let Some(value) = params.get(name) {
            let quoted = format!("{name}:\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
            scope.query.extend(query::parse(&quoted).map_err(Problem::query)?);
        }
    }
    let by = match params.get("by") {
        None | Some("none") => None,
        Some(by @ ("host" | "version")) => Some(by.to_owned()),
        Some(other) => return Err(Problem::bad(format!("by: expected host, version or none, not {other:?}"))),
    };
    let names: Vec<String> = params.all("names").flat_map(|n| n.split(',')).map(str::to_owned).collect();
    let (from, to) = (scope.from.unwrap_or(0), scope.to.unwrap_or(now));
    // Steps begin at multiples of their length, so the first and the last may be cut.
    let least = ((to - from).max(1) + MOST_POINTS - 2) / (MOST_POINTS - 1);
    let step = match params.get("step") {
        None => nice_step(least),
        Some(text) => crate::time::parse_duration(text)
            .filter(|s| *s > 0)
            .ok_or_else(|| Problem::bad(format!("step: expected a time like 60s, not {text:?}")))?
            .max(least),
    };
    let answer = super::compute(&app, move |app, _| {
        let points = app.index.metrics(&scope, &names, by.as_deref())?;
        Ok(json!({"step_ms": step, "metrics": series(points, step, by.as_deref())}))
    })
    .await?;
    super::json(&answer)
}

fn nice_step(least: i64) -> i64 {
    const STEPS: [i64; 14] = [
        1_000,
        5_000,
        10_000,
        15_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        1_800_000,
        3_600_000,
        21_600_000,
        86_400_000,
        604_800_000,
    ];
    STEPS.into_iter().find(|s| *s >= least.max(60_000)).unwrap_or(least)
}

/// Statistics of the values in one step, and the profile with the highest.
struct Bin {
    min: f64,
    sum: f64,
    max: f64,
    count: u32,
    id: crate::id::Id,
}

fn series(points: Vec<MetricPoint>, step: i64, by: Option<&str>) -> Vec<Value> {
    let mut metrics: BTreeMap<String, BTreeMap<String, BTreeMap<i64, Bin>>> = BTreeMap::new();
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for point in &points {
        *sizes.entry(point.key.clone()).or_default() += 1;
    }
    // Keep the series with the most points and combine the others.
    let mut keys: Vec<(&String, &usize)> = sizes.iter().collect();
    keys.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let kept: Vec<String> = keys.into_iter().take(MOST_SERIES).map(|(key, _)| key.clone()).collect();
    for point in points {
        let key = if kept.contains(&point.key) { point.key } else { "[others]".to_owned() };
        let bins = metrics.entry(point.name).or_default().entry(key).or_default();
        let at = point.start.div_euclid(step) * step;
        let value = point.value;
        let bin = bins.entry(at).or_insert(Bin { min: value, sum: 0.0, max: value, count: 0, id: point.id });
        bin.sum += value;
        bin.count += 1;
        bin.min = bin.min.min(value);
        if value >= bin.max {
            bin.max = value;
            bin.id = point.id;
        }
    }
    let mut list: Vec<(String, Value)> = Vec::new();
    for (name, lines) in metrics {
        let info = crate::derive::compute::metric(&name);
        let series: Vec<Value> = lines
            .into_iter()
            .map(|(key, bins)| {
                let points: Vec<Value> = bins
                    .into_iter()
                    .map(|(at, b)| json!([rfc3339(at), b.min, b.sum / f64::from(b.count), b.max, b.id]))
                    .collect();
                let key = by.map_or_else(|| json!({}), |by| json!({by: key}));
                json!({"key": key, "points": points})
            })
            .collect();
        list.push((
            name.clone(),
            json!({"name": name, "title": info.title, "unit": info.unit, "how": info.how, "series": series}),
        ));
    }
    // In the order of the metrics table; unknown metrics last.
    list.sort_by_key(|(name, _)| crate::derive::compute::metric(name).place);
    list.into_iter().map(|(_, value)| value).collect()
}
