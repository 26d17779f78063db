//! Formats metrics as text with sparklines, CSV and OpenMetrics. For JSON, serialize [`Metrics`].

use std::io::{self, Write};

use jfr_parse::{EpochNanos, Iso, Nanos, Zone};
use jfrkit_profile::{layout, units};

use super::{Metric, Metrics, Unit};

/// The characters of a sparkline.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Width of a sparkline in characters.
const CHART: usize = 50;

/// Formats a value with its unit: `2.41 cores`, `12.5 %`, `34 MiB/s`.
#[must_use]
pub fn value(value: f64, unit: Unit) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    let whole = |n: f64| n.round() as i64;
    match unit {
        Unit::Cores => format!("{} cores", digits(value)),
        Unit::Ratio => format!("{} %", digits(value * 100.0)),
        Unit::Bytes => units::size(whole(value)),
        Unit::BytesPerSecond => format!("{}/s", units::size(whole(value))),
        Unit::Seconds => units::duration(whole(value * 1e9)),
        Unit::SecondsPerSecond => format!("{} s/s", digits(value)),
        Unit::Count => digits(value),
        Unit::PerMinute => format!("{}/min", digits(value)),
        Unit::PerSecond => format!("{}/s", digits(value)),
    }
}

/// Three significant digits; integers with thousands separators.
fn digits(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        return units::count(value.round() as i64);
    }
    let places = if size >= 10.0 { 1 } else { 2 };
    let text = if size > 0.0 && size < 0.005 { format!("{value:.5}") } else { format!("{value:.places$}") };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

/// A sparkline of the means, from 0 to the largest.
fn chart(metric: &Metric, metrics: &Metrics) -> String {
    let step_of = |at: EpochNanos| at.saturating_since(metrics.start_nanos).0 / metrics.step_nanos.0.max(1);
    let steps = step_of(metrics.end_nanos).saturating_add(1);
    let steps = usize::try_from(steps).unwrap_or(1).max(1);
    let width = steps.min(CHART);
    let mut columns: Vec<Option<f64>> = vec![None; width];
    for point in &metric.points {
        let column = usize::try_from(step_of(point.at)).unwrap_or(0) * width / steps;
        if let Some(column) = columns.get_mut(column) {
            *column = Some(column.map_or(point.mean, |known: f64| known.max(point.mean)));
        }
    }
    let most = columns.iter().flatten().copied().fold(0.0, f64::max);
    let bar = |value: &Option<f64>| match value {
        None => ' ',
        Some(value) if most > 0.0 => {
            let last = BARS.len() - 1;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
            let height = (value / most * last as f64).round().clamp(0.0, last as f64) as usize;
            BARS.get(height).copied().unwrap_or(' ')
        }
        Some(_) => BARS[0],
    };
    columns.iter().map(bar).collect()
}

/// Writes human-readable text: one line with a sparkline for each known metric, followed by the unknown metrics
/// with the reasons.
///
/// # Errors
/// Errors of `out`.
pub fn text(out: &mut impl Write, metrics: &Metrics, explain: bool, zone: &Zone) -> io::Result<()> {
    // Some profiles have no duration, and some not even a time.
    let Nanos(nanos) = metrics.end_nanos.saturating_since(metrics.start_nanos);
    if nanos > 0 {
        let start = zone.local(metrics.start_nanos).to_string();
        write!(
            out,
            "{} from {} {}",
            units::duration(nanos),
            start.get(..19).unwrap_or(&start).replace('T', " "),
            zone.name(metrics.start_nanos),
        )?;
        // Profiles that are not recordings have no points.
        match metrics.metrics.iter().any(|metric| !metric.points.is_empty()) {
            true => writeln!(out, ", one point every {}\n", units::duration(metrics.step_nanos.0))?,
            false => writeln!(out, "\n")?,
        }
    }
    let known: Vec<(&Metric, f64)> = metrics.metrics.iter().filter_map(|m| Some((m, m.value?))).collect();
    let width = known.iter().map(|(m, _)| layout::width(m.name)).max().unwrap_or(0);
    for (metric, of_all) in &known {
        let mark = if metric.lower_bound { "≥ " } else { "" };
        let shown = format!("{mark}{}", value(*of_all, metric.unit));
        let chart = chart(metric, metrics);
        write!(out, "{}  {}", layout::left(metric.name, width), layout::right(&shown, 16))?;
        if !metric.points.is_empty() {
            let (least, most) = metric
                .points
                .iter()
                .fold((f64::INFINITY, 0.0f64), |(least, most), point| (least.min(point.min), most.max(point.max)));
            write!(out, "  {chart}  {} – {}", value(least, metric.unit), value(most, metric.unit))?;
        }
        writeln!(out)?;
        if explain {
            writeln!(out, "{:width$}    {}", "", metric.how)?;
        }
    }
    let unknown: Vec<&Metric> = metrics.metrics.iter().filter(|metric| metric.value.is_none()).collect();
    if !unknown.is_empty() {
        let width = unknown.iter().map(|m| layout::width(m.name)).max().unwrap_or(0);
        if !known.is_empty() {
            writeln!(out)?;
        }
        writeln!(out, "Not known:")?;
        for metric in unknown {
            let reason = metric.reason.as_deref().unwrap_or_default();
            writeln!(out, "{}  {reason}", layout::left(metric.name, width))?;
        }
    }
    Ok(())
}

/// Writes CSV: one line for each point of each metric.
///
/// # Errors
/// Errors of `out`.
pub fn csv(out: &mut impl Write, metrics: &Metrics) -> io::Result<()> {
    writeln!(out, "time,metric,unit,min,mean,max")?;
    for metric in &metrics.metrics {
        for point in &metric.points {
            let (time, unit) = (Iso(point.at), metric.unit.name());
            writeln!(out, "{time},{},{unit},{},{},{}", metric.name, point.min, point.mean, point.max)?;
        }
    }
    Ok(())
}

/// The OpenMetrics name of a metric, which ends with its unit: `jfr_cpu_cores`.
fn open_name(metric: &Metric) -> String {
    let name = format!("jfr_{}", metric.name.replace('.', "_"));
    let unit = metric.unit.name();
    if metric.unit == Unit::Count || name.ends_with(&format!("_{unit}")) { name } else { format!("{name}_{unit}") }
}

/// Writes OpenMetrics text: each metric is a gauge whose samples are the means of all inputs (pairs of file and
/// metrics), with timestamps.
///
/// # Errors
/// Errors of `out`.
pub fn openmetrics(out: &mut impl Write, inputs: &[(String, Metrics)]) -> io::Result<()> {
    let Some((_, first)) = inputs.first() else { return writeln!(out, "# EOF") };
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    for metric in &first.metrics {
        let all = || inputs.iter().filter_map(|(file, of)| Some((file, of, of.get(metric.name)?)));
        if all().all(|(_, _, metric)| metric.value.is_none()) {
            continue;
        }
        let name = open_name(metric);
        writeln!(out, "# TYPE {name} gauge")?;
        if metric.unit != Unit::Count {
            writeln!(out, "# UNIT {name} {}", metric.unit.name())?;
        }
        writeln!(out, "# HELP {name} {}", escaped(metric.title))?;
        for (file, of, metric) in all() {
            let file = escaped(file);
            if let (Some(value), true) = (metric.value, metric.points.is_empty()) {
                writeln!(out, "{name}{{file=\"{file}\"}} {value} {}", seconds(of.end_nanos))?;
            }
            for point in &metric.points {
                writeln!(out, "{name}{{file=\"{file}\"}} {} {}", point.mean, seconds(point.at))?;
            }
        }
    }
    writeln!(out, "# EOF")
}

/// Formats seconds since the Unix epoch with milliseconds.
fn seconds(at: EpochNanos) -> String {
    let millis = at.0.div_euclid(1_000_000);
    format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000))
}
