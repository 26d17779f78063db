//! The page of `jfrkit report`: the page of the server, with the API's responses for some profiles embedded in it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jfr_analyzers::metrics::Metric;
use jfr_analyzers::rule::{Report, Severity};
use jfr_parse::{EpochNanos, Iso};
use jfrkit_profile::Cancel;
use jfrkit_profile::tree::{By, DEFAULT_MIN, Group, TableRow, Tree, View, table};
use jfrkit_web::{Block, Bundle, write_page};
use serde_json::{Map, Value, json};

use super::{MAX_ROWS, PageError, PageType, generator, pack};
use crate::{Entry, Format, Style};

/// Fold thresholds and maximum rows of a function table to try until the page is small enough. Tables do not shrink when trees are
/// folded, so they are cut first, to more rows than anyone reads.
const FOLDS: [(f64, usize); 8] = [
    (DEFAULT_MIN, MAX_ROWS),
    (DEFAULT_MIN, 5_000),
    (2e-4, 5_000),
    (5e-4, 5_000),
    (1e-3, 5_000),
    (2e-3, 5_000),
    (5e-3, 5_000),
    (2e-2, 5_000),
];

/// Facts about a profile in a report; unknown ones are empty.
#[derive(Debug, Clone, Default)]
pub struct ReportFacts {
    /// The service, by which the page groups.
    pub service: String,
    /// The machine.
    pub host: String,
    /// The runtime: `JVM`, `CPython`, `Go`.
    pub runtime: String,
    /// The runtime with its version.
    pub runtime_version: String,
    /// `Java`, `Python`, `Go`, `JavaScript`.
    pub language: String,
    /// Main class or entry point.
    pub main: String,
}

/// A profile on the page of a report.
#[derive(Debug, Clone)]
pub struct ReportProfile<'a> {
    /// The name, usually of the file.
    pub name: &'a str,
    /// Facts about it.
    pub facts: ReportFacts,
    /// Start in nanoseconds since the Unix epoch.
    pub start_nanos: EpochNanos,
    /// End in nanoseconds since the Unix epoch.
    pub end_nanos: EpochNanos,
    /// Size of the file.
    pub bytes: u64,
    /// The profile types.
    pub types: Vec<PageType<'a>>,
    /// The findings, or the reason why there are none.
    pub analysis: Result<&'a Report, &'a str>,
    /// The metrics.
    pub metrics: &'a [Metric],
    /// Runtime information, as [`runtime_text`](crate::runtime::runtime_text) writes it.
    pub runtime: &'a str,
    /// Caveats about the numbers.
    pub warnings: &'a [String],
    /// Why the profile could not be read, if so.
    pub failed: Option<&'a str>,
}

/// What was left out of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReportFolded {
    /// Subtrees below this share of their profile were folded.
    pub least: f64,
    /// The number of folded nodes.
    pub nodes: usize,
    /// The largest share of a profile type that was folded.
    pub share: f64,
}

/// The id of the profile with this index.
fn id(at: usize) -> String {
    format!("p{at}")
}

/// The trees of one value of a type, and the functions computed from the complete tree.
struct Trees {
    name: String,
    unit: String,
    tree: Tree,
    groups: Vec<(&'static str, Tree)>,
    rows: Vec<TableRow>,
}

/// All trees of a profile, by type.
fn trees(profile: &ReportProfile<'_>, view: &View, cancel: &Cancel) -> Result<Vec<Vec<Trees>>, PageError> {
    let mut out = Vec::new();
    for of in &profile.types {
        let mut values = Vec::new();
        let Some(stacks) = of.stacks else {
            out.push(values);
            continue;
        };
        for at in 0..stacks.types().len() {
            let (name, unit) = stacks.types().get(at).map_or(("", ""), |of| (&*of.name, &*of.unit));
            let mut groups = Vec::new();
            if at == stacks.default_value {
                let keys = stacks.label_keys();
                for (key, group) in [("thread", Group::Thread), ("class", Group::Class)] {
                    if keys.contains(&key) {
                        let view = View { group: Some(group), ..view.clone() };
                        groups.push((key, Tree::new(stacks, at, &view, cancel)?));
                    }
                }
            }
            values.push(Trees {
                name: name.to_owned(),
                unit: unit.to_owned(),
                tree: Tree::new(stacks, at, view, cancel)?,
                groups,
                rows: table(stacks, at, view, &By::Function, cancel)?.rows,
            });
        }
        // The last one is shown first.
        if stacks.default_value < values.len() {
            let first = values.remove(stacks.default_value);
            values.push(first);
        }
        out.push(values);
    }
    Ok(out)
}

/// Compressed blocks of a page, by id.
#[derive(Default)]
struct Packed(Vec<(String, Vec<u8>)>);

impl Packed {
    fn add(&mut self, id: String, data: &impl serde::Serialize) -> io::Result<String> {
        self.0.push((id.clone(), pack(data)?));
        Ok(id)
    }

    /// Their total size in the page.
    fn size(&self) -> usize {
        self.0.iter().map(|(id, packed)| packed.len().div_ceil(3) * 4 + id.len() + 60).sum()
    }
}

/// The points of a metric, as returned by the API. A metric without points becomes a single point.
fn points(metric: &Metric, profile: &ReportProfile<'_>, id: &str) -> Vec<Value> {
    let points = metric.points.iter().map(|p| json!([p.at.0 / 1_000_000, p.min, p.mean, p.max, id]));
    match metric.value {
        Some(value) if metric.points.is_empty() => {
            vec![json!([profile.start_nanos.0 / 1_000_000, value, value, value, id])]
        }
        Some(_) => points.collect(),
        None => Vec::new(),
    }
}

/// The metrics of profiles of the same service; several profiles are distinguished by file name.
fn metrics(of: &[(usize, &ReportProfile<'_>)]) -> Value {
    let mut list: Vec<(&Metric, Vec<Value>)> = Vec::new();
    for (at, profile) in of {
        let key = if of.len() > 1 { json!({ "file": profile.name }) } else { json!({}) };
        for metric in profile.metrics {
            let points = points(metric, profile, &id(*at));
            if points.is_empty() {
                continue;
            }
            // The points are intervals; the page shows the value of the whole profile, as `jfrkit metrics` prints it.
            let series = json!({
                "key": key, "points": points, "profile": id(*at), "value": metric.value, "at_least": metric.lower_bound,
            });
            match list.iter_mut().find(|(known, _)| known.name == metric.name) {
                Some((_, all)) => all.push(series),
                None => list.push((metric, vec![series])),
            }
        }
    }
    let metrics: Vec<Value> = list
        .into_iter()
        .map(|(m, series)| json!({ "name": m.name, "title": m.title, "unit": m.unit, "how": m.how, "series": series }))
        .collect();
    json!({ "step_ms": 0, "metrics": metrics })
}

/// The page's data about a profile other than its types: the row in the search, and details.
fn head(at: usize, profile: &ReportProfile<'_>) -> Map<String, Value> {
    let known = |name: &str| profile.metrics.iter().find(|metric| metric.name == name);
    let value = |name: &str| known(name).and_then(|metric| metric.value);
    let how = |name: &str| known(name).map(|metric| metric.reason.as_ref().unwrap_or(&metric.how));
    let least = |name: &str| known(name).is_some_and(|metric| metric.lower_bound);
    let found = |severity| {
        let findings = profile.analysis.iter().flat_map(|report| &report.findings);
        findings.filter(|finding| finding.severity == severity).count()
    };
    let facts = &profile.facts;
    let head = json!({
        "id": id(at), "start": Iso(profile.start_nanos).to_string(), "end": Iso(profile.end_nanos).to_string(),
        "service": facts.service, "env": "", "version": "", "host": facts.host, "runtime": facts.runtime,
        "runtime_version": facts.runtime_version, "language": facts.language, "main": facts.main,
        "cpu_cores": value("cpu.cores"), "cpu_cores_at_least": least("cpu.cores"), "cpu_cores_how": how("cpu.cores"),
        "alloc_rate": value("alloc.rate"), "alloc_rate_at_least": least("alloc.rate"), "alloc_rate_how": how("alloc.rate"),
        "bytes": profile.bytes, "status": if profile.failed.is_some() { "failed" } else { "ready" },
        "reason": profile.failed, "file": profile.name,
        "findings": { "warning": found(Severity::Warning), "info": found(Severity::Info) },
    });
    match head {
        Value::Object(head) => head,
        _ => Map::new(),
    }
}

/// The types with their trees, folded below a share.
fn types(
    profile: &ReportProfile<'_>,
    trees: &[Vec<Trees>],
    (least, most_rows): (f64, usize),
    prefix: &str,
    blocks: &mut Packed,
    folded: &mut ReportFolded,
) -> io::Result<Vec<Value>> {
    let mut out = Vec::new();
    for (of, (n, values)) in profile.types.iter().zip(trees.iter().enumerate()) {
        let mut shown = Vec::new();
        for (v, value) in values.iter().enumerate() {
            let at = format!("{prefix}-{n}-{v}");
            let tree = value.tree.to_json(None, least).unwrap_or_default();
            let mut json = Map::new();
            json.insert("name".to_owned(), json!(value.name));
            json.insert("unit".to_owned(), json!(value.unit));
            json.insert("total".to_owned(), json!(tree.total));
            json.insert("samples".to_owned(), json!(tree.samples));
            if tree.folded.nodes > 0 {
                let rows = value.rows.get(..most_rows).unwrap_or(&value.rows);
                let rows = json!({ "rows": rows, "count": value.rows.len() });
                json.insert("table".to_owned(), json!(blocks.add(format!("f{at}"), &rows)?));
                json.insert("folded".to_owned(), json!(tree.folded));
                folded.nodes = folded.nodes.saturating_add(tree.folded.nodes);
                folded.share = folded.share.max(jfrkit_profile::units::percent(tree.folded.value, tree.total) / 100.0);
            }
            let mut groups = Map::new();
            for (key, tree) in &value.groups {
                let tree = tree.to_json(None, least).unwrap_or_default();
                groups.insert((*key).to_owned(), json!(blocks.add(format!("g{at}-{key}"), &tree)?));
            }
            json.insert("groups".to_owned(), Value::Object(groups));
            json.insert("tree".to_owned(), json!(blocks.add(format!("t{at}"), &tree)?));
            shown.push(Value::Object(json));
        }
        out.push(json!({
            "type": of.kind, "name": of.title, "definition": of.definition, "absent": of.absent, "core": of.core,
            "how": of.how, "values": shown,
        }));
    }
    Ok(out)
}

/// Writes the page of a report, with the flame graphs, analysis, metrics and runtime information of each profile. Subtrees are
/// folded until the page has at most `most` bytes; totals and function tables are computed from the complete trees.
///
/// # Errors
/// [`PageError`]; [`PageError::TooLarge`] if the page cannot be made small enough, in which case nothing is written.
pub fn report_page(
    out: &mut dyn Write,
    title: &str,
    profiles: &[ReportProfile<'_>],
    view: &View,
    most: usize,
    cancel: &Cancel,
) -> Result<ReportFolded, PageError> {
    let mut always = Packed::default();
    let mut fixed: Vec<Map<String, Value>> = Vec::new();
    let mut services: BTreeMap<&str, Vec<(usize, &ReportProfile<'_>)>> = BTreeMap::new();
    for (at, profile) in profiles.iter().enumerate().filter(|(_, profile)| profile.failed.is_none()) {
        services.entry(&profile.facts.service).or_default().push((at, profile));
    }
    let mut of_service: BTreeMap<&str, String> = BTreeMap::new();
    for (n, (service, of)) in services.iter().enumerate() {
        of_service.insert(service, always.add(format!("m{n}"), &metrics(of))?);
    }
    for (at, profile) in profiles.iter().enumerate() {
        let mut blocks = Map::new();
        match profile.analysis {
            Ok(report) => {
                let mut text = Vec::new();
                Format::Json.write(&mut text, &[Entry::new(profile.name, report)], &Style::default())?;
                let report: Value = serde_json::from_slice(&text)?;
                blocks.insert("analysis".to_owned(), json!(always.add(format!("a{at}"), &report)?));
            }
            Err(reason) => drop(blocks.insert("no_analysis".to_owned(), json!(reason))),
        }
        blocks.insert("metrics".to_owned(), json!(of_service.get(&*profile.facts.service)));
        blocks.insert("runtime".to_owned(), json!(always.add(format!("r{at}"), &profile.runtime)?));
        fixed.push(blocks);
    }
    let all = profiles.iter().map(|profile| trees(profile, view, cancel)).collect::<Result<Vec<_>, _>>()?;
    let mut smallest = 0;
    for (least, most_rows) in FOLDS {
        let mut folded = ReportFolded { least, nodes: 0, share: 0.0 };
        let mut blocks = Packed::default();
        let mut listed = Vec::new();
        for (at, ((profile, trees), fixed)) in profiles.iter().zip(&all).zip(&fixed).enumerate() {
            let head = head(at, profile);
            let mut row = head.clone();
            let present = profile.types.iter().filter(|of| of.stacks.is_some()).map(|of| of.kind);
            // The list shows files, not services.
            row.insert("service".to_owned(), json!(profile.name));
            row.insert("types".to_owned(), present.collect());
            row.insert("warnings".to_owned(), json!(profile.warnings.len()));
            let mut detail = head;
            if let Some(of) = services.get(&*profile.facts.service) {
                let from = of.iter().map(|(_, of)| of.start_nanos).min().unwrap_or_default();
                let to = of.iter().map(|(_, of)| of.end_nanos).max().unwrap_or_default();
                detail.insert("metrics_from".to_owned(), json!(Iso(from).to_string()));
                detail.insert("metrics_to".to_owned(), json!(Iso(to).to_string()));
            }
            let types = types(profile, trees, (least, most_rows), &at.to_string(), &mut blocks, &mut folded)?;
            detail.insert("types".to_owned(), Value::Array(types));
            detail.insert("warnings".to_owned(), json!(profile.warnings));
            let mut listing = fixed.clone();
            listing.insert("row".to_owned(), Value::Object(row));
            listing.insert("detail".to_owned(), Value::Object(detail));
            listed.push(Value::Object(listing));
        }
        let page = json!({ "kind": "report", "title": title, "generator": generator(), "profiles": listed });
        let page = page.to_string();
        let mut head = Vec::new();
        write_page(&mut head, Bundle::Report, title, &[Block::json("jfrkit-page", page.as_bytes())])?;
        smallest = head.len().saturating_add(always.size()).saturating_add(blocks.size());
        if smallest > most {
            continue;
        }
        let mut data = vec![Block::json("jfrkit-page", page.as_bytes())];
        data.extend(always.0.iter().chain(&blocks.0).map(|(id, packed)| Block::gzip(id, packed)));
        write_page(out, Bundle::Report, title, &data)?;
        return Ok(folded);
    }
    Err(PageError::TooLarge { smallest, most })
}
