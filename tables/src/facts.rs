//! Tables with a few rows per recording: threads, settings, metrics, findings, recordings.

use jfr_analyzers::metrics::Metrics;
use jfr_analyzers::rule::{Analysis, AnalysisOptions};
use jfr_analyzers::runtime::{self, Runtime};
use jfr_analyzers::{Summary, secrets};
use jfr_parse::{ConstantKey, Content, Recording, TypeId, Value, ValueReader};

use crate::error::Result;
use crate::flat::Rows;
use crate::ids::RecordingHash;
use crate::recording::Selection;
use crate::schema::{Column, Shape};

fn long(name: &str) -> Column {
    Column::new(name, Shape::Int { bits: 64, signed: true })
}

fn text(name: &str) -> Column {
    Column::new(name, Shape::Text)
}

fn boolean(name: &str) -> Column {
    Column::new(name, Shape::Bool)
}

fn double(name: &str) -> Column {
    Column::new(name, Shape::Double)
}

fn instant(name: &str) -> Column {
    Column::new(name, Shape::Instant)
}

/// Columns of the `threads` table.
pub(crate) fn thread_columns() -> Vec<Column> {
    vec![
        long("recording"),
        long("osThreadId"),
        text("osName"),
        long("javaThreadId"),
        text("javaName"),
        text("threadGroup"),
        boolean("virtual"),
    ]
}

/// The threads that events refer to, each once.
pub(crate) fn threads(recording: &Recording<'_>, id: i64) -> Result<Rows> {
    let mut rows = Rows::new(thread_columns());
    let mut seen = std::collections::HashSet::new();
    for chunk in recording.chunks().flatten() {
        recording.stop().check()?;
        let Some(of) = chunk.metadata().types().find(|of| of.is_named("java.lang.Thread")) else { continue };
        let Some(pool) = chunk.pools().of_type(of.id()) else { continue };
        let mut keys: Vec<ConstantKey> = pool.keys().collect();
        keys.sort_unstable();
        let reader = ValueReader::new(&chunk);
        for key in keys {
            let Ok(thread) = reader.constant(of.id(), key) else { continue };
            let whole = |name: &str| thread.get(name).and_then(Value::as_i64);
            let named = |path: &str| thread.path(path).and_then(Value::as_str).map(str::to_owned);
            let row = (
                (whole("osThreadId"), named("osName"), whole("javaThreadId"), named("javaName")),
                (named("group.name"), thread.get("virtual").and_then(Value::as_bool)),
            );
            if !seen.insert(row.clone()) {
                continue;
            }
            let ((os_id, os_name, java_id, java_name), (group, is_virtual)) = row;
            rows.int(0, Some(id));
            rows.int(1, os_id);
            rows.text(2, os_name.as_deref());
            rows.int(3, java_id);
            rows.text(4, java_name.as_deref());
            rows.text(5, group.as_deref());
            rows.bool(6, is_virtual);
        }
    }
    Ok(rows)
}

/// Columns of the `settings` table.
pub(crate) fn setting_columns() -> Vec<Column> {
    vec![long("recording"), instant("startTime"), text("event"), text("name"), text("value")]
}

/// The settings in effect: each value once, with the time it was first recorded.
pub(crate) fn settings(recording: &Recording<'_>, id: i64, selection: &Selection) -> Result<Rows> {
    let mut rows = Rows::new(setting_columns());
    let mut seen = std::collections::HashSet::new();
    for chunk in recording.chunks().flatten() {
        recording.stop().check()?;
        let metadata = chunk.metadata();
        let Some(of) = metadata.event_types().find(|of| of.canonical_name() == "jdk.ActiveSetting") else { continue };
        let plan = chunk.plan(of, ["id", "name", "value", "startTime"])?;
        let unit = of.field("startTime").and_then(|field| match field.content() {
            Some(Content::Timestamp(unit)) => Some(unit),
            _ => None,
        });
        let (type_id, start) = (plan.field::<TypeId>("id"), plan.field::<i64>("startTime"));
        let reader = ValueReader::new(&chunk);
        for event in chunk.events().filter(|event| event.type_id == of.id()) {
            let Ok(row) = plan.read(event.payload) else { continue };
            let Ok(value) = reader.event(&event) else { continue };
            let named = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let event = metadata.by_id(row.get(type_id)).map(|of| of.canonical_name().into_owned());
            let setting = (event, named("name"), named("value"));
            if !seen.insert(setting.clone()) {
                continue;
            }
            let (event, name, value) = setting;
            rows.int(0, Some(id));
            rows.int(1, unit.and_then(|unit| Some(chunk.clock().instant(row.get(start), unit)?.0)));
            rows.text(2, event.as_deref());
            rows.text(3, Some(&name));
            let shown = if selection.show_secrets { value.as_str().into() } else { secrets::value(&name, &value) };
            rows.text(4, Some(&shown));
        }
    }
    Ok(rows)
}

/// Columns of the `metrics` table.
pub(crate) fn metric_columns() -> Vec<Column> {
    vec![
        long("recording"),
        text("name"),
        text("unit"),
        instant("time"),
        double("value"),
        double("min"),
        double("max"),
        boolean("lowerBound"),
        text("how"),
        text("reason"),
    ]
}

/// The metrics of a recording: one row without a time for the whole recording, and one row per point in time.
pub(crate) fn metrics(recording: &Recording<'_>, id: i64) -> Result<Rows> {
    let mut rows = Rows::new(metric_columns());
    let all = Metrics::of(recording, None)?;
    for metric in &all.metrics {
        let mut row = |at: Option<i64>, value: Option<f64>, range: Option<(f64, f64)>| {
            rows.int(0, Some(id));
            rows.text(1, Some(metric.name));
            rows.text(2, Some(metric.unit.name()));
            rows.int(3, at);
            rows.double(4, value);
            rows.double(5, range.map(|r| r.0));
            rows.double(6, range.map(|r| r.1));
            rows.bool(7, Some(metric.lower_bound));
            rows.text(8, Some(metric.how.as_str()).filter(|how| at.is_none() && !how.is_empty()));
            rows.text(9, metric.reason.as_deref().filter(|_| at.is_none()));
        };
        row(None, metric.value, None);
        for point in &metric.points {
            row(Some(point.at.0), Some(point.mean), Some((point.min, point.max)));
        }
    }
    Ok(rows)
}

/// Columns of the `findings` table.
pub(crate) fn finding_columns() -> Vec<Column> {
    vec![
        long("recording"),
        text("id"),
        text("title"),
        text("category"),
        text("severity"),
        double("score"),
        text("section"),
        double("costShare"),
        text("costOf"),
        text("summary"),
        text("explanation"),
        text("remedy"),
        text("becauseOf"),
        text("evidence"),
    ]
}

/// The findings of a recording, worst first.
pub(crate) fn findings(recording: &Recording<'_>, id: i64, analysis: &Analysis, selection: &Selection) -> Result<Rows> {
    let mut rows = Rows::new(finding_columns());
    let mut options = AnalysisOptions::default();
    options.range = selection.range;
    let report = analysis.evaluate(recording, &options)?;
    for finding in &report.findings {
        let Some(outcome) = report.outcome(&finding.id) else { continue };
        let verdict = &outcome.verdict;
        rows.int(0, Some(id));
        rows.text(1, Some(&finding.id));
        rows.text(2, Some(&outcome.rule.title));
        rows.text(3, Some(outcome.rule.category.name()));
        rows.text(4, Some(finding.severity.name()));
        rows.double(5, verdict.score);
        rows.text(6, Some(finding.section.name()));
        rows.double(7, finding.cost.map(|cost| cost.share));
        let of = finding.cost.and_then(|cost| serde_json::to_value(cost.of).ok());
        rows.text(8, of.as_ref().and_then(serde_json::Value::as_str));
        rows.text(9, Some(&verdict.summary));
        rows.text(10, Some(&verdict.explanation));
        rows.text(11, Some(&verdict.remedy));
        rows.text(12, finding.because_of.as_deref());
        rows.text(13, serde_json::to_string(&verdict.evidence).ok().as_deref());
    }
    Ok(rows)
}

/// Columns of the `recordings` table.
pub(crate) fn recording_columns() -> Vec<Column> {
    vec![
        Column::new("id", Shape::Int { bits: 64, signed: true }),
        text("hash"),
        text("file"),
        long("bytes").unit("bytes"),
        instant("startTime"),
        Column::new("duration", Shape::Length),
        long("chunks"),
        long("events"),
        text("producer"),
        text("jvmName"),
        text("jvmVersion"),
        text("service"),
        text("version"),
        text("host"),
        long("losses"),
        text("loss"),
    ]
}

/// Properties and variables that name the service, its version and the host, most reliable first.
const SERVICE: [&str; 5] = ["dd.service", "DD_SERVICE", "otel.service.name", "OTEL_SERVICE_NAME", "Program"];
const VERSION: [&str; 3] = ["dd.version", "DD_VERSION", "OTEL_SERVICE_VERSION"];
const HOST: [&str; 2] = ["HOSTNAME", "COMPUTERNAME"];

/// Adds the row of a recording; `losses` lists its lost data.
pub(crate) fn recording(
    rows: &mut Rows,
    recording: &Recording<'_>,
    hash: RecordingHash,
    file: &str,
    losses: &[String],
) -> Result<()> {
    let summary = Summary::of(recording)?;
    let runtime = Runtime::with(recording, &summary, runtime::Options::default())?;
    let entries = || runtime.sections.iter().flat_map(|section| &section.entries).chain(&runtime.overview);
    let find = |names: &[&str]| {
        let value = names.iter().find_map(|name| entries().find(|e| e.name == *name && !e.value.is_empty()));
        value.map(|entry| entry.value.clone())
    };
    let jvm = |of: fn(&jfr_analyzers::summary::ChunkSummary) -> Option<&String>| summary.chunks.iter().find_map(of);
    rows.int(0, Some(hash.id()));
    rows.text(1, Some(&hash.to_string()));
    rows.text(2, Some(file));
    rows.int(3, i64::try_from(recording.bytes().len()).ok());
    rows.int(4, Some(summary.start_nanos.0));
    rows.int(5, Some(summary.duration_nanos.0));
    rows.int(6, i64::try_from(summary.chunks.len()).ok());
    rows.int(7, i64::try_from(summary.event_count()).ok());
    rows.text(8, summary.chunks.first().map(|chunk| chunk.producer.to_string()).as_deref());
    rows.text(9, jvm(|chunk| chunk.jvm_name.as_ref()).map(String::as_str));
    rows.text(10, jvm(|chunk| chunk.jvm_version.as_ref()).map(String::as_str));
    // A command consists of the main class and its arguments.
    let service = find(&SERVICE).map(|program| program.split(' ').next().unwrap_or_default().to_owned());
    rows.text(11, service.as_deref());
    rows.text(12, find(&VERSION).as_deref());
    rows.text(13, find(&HOST).as_deref());
    rows.int(14, i64::try_from(losses.len()).ok());
    rows.text(15, losses.first().map(String::as_str));
    Ok(())
}
