//! Counters in Prometheus format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::app::App;
use parking_lot::Mutex;

/// Upper bounds of the buckets in seconds.
const BUCKETS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Debug, Default, Clone)]
struct Times {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Times {
    fn add(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        for (bound, bucket) in BUCKETS.iter().zip(&mut self.buckets) {
            *bucket += u64::from(seconds <= *bound);
        }
        self.count += 1;
        self.sum += seconds;
    }

    fn write(&self, out: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        for (bound, n) in BUCKETS.iter().zip(self.buckets) {
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {n}");
        }
        let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", self.count);
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(out, "{name}_sum{braces} {}", self.sum);
        let _ = writeln!(out, "{name}_count{braces} {}", self.count);
    }
}

#[derive(Debug, Default)]
struct Counts {
    uploads: BTreeMap<(String, u16), u64>,
    upload_bytes: u64,
    upload: Times,
    process: Times,
    failed: BTreeMap<String, u64>,
    http: BTreeMap<(String, u16), Times>,
    dropped: u64,
    wrong_keys: u64,
    forwarded: BTreeMap<&'static str, u64>,
}

/// All counters.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<Counts>);

impl Metrics {
    fn with(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock());
    }

    pub(crate) fn upload(&self, protocol: &str, code: u16, bytes: u64, time: Duration) {
        self.with(|c| {
            *c.uploads.entry((protocol.to_owned(), code)).or_default() += 1;
            c.upload_bytes += bytes;
            c.upload.add(time);
        });
    }

    pub(crate) fn processed(&self, time: Duration) {
        self.with(|c| c.process.add(time));
    }

    pub(crate) fn failed(&self, reason: &str) {
        self.with(|c| *c.failed.entry(reason.to_owned()).or_default() += 1);
    }

    pub(crate) fn http(&self, route: &str, code: u16, time: Duration) {
        self.with(|c| c.http.entry((route.to_owned(), code)).or_default().add(time));
    }

    pub(crate) fn dropped(&self) {
        self.with(|c| c.dropped += 1);
    }

    pub(crate) fn wrong_key(&self) {
        self.with(|c| c.wrong_keys += 1);
    }

    pub(crate) fn forwarded(&self, result: &'static str) {
        self.with(|c| *c.forwarded.entry(result).or_default() += 1);
    }

    /// Uploads by protocol and status.
    pub(crate) fn uploads(&self) -> Vec<(String, u16, u64)> {
        let counts = self.0.lock();
        counts.uploads.iter().map(|((protocol, code), n)| (protocol.clone(), *code, *n)).collect()
    }

    /// The counters in Prometheus text format.
    pub(crate) fn text(&self, app: &App) -> String {
        let mut out = String::new();
        let c = self.0.lock();
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        head(&mut out, "jfrkit_uploads_total", "counter", "Uploads by protocol and status.");
        for ((protocol, code), n) in &c.uploads {
            let _ = writeln!(out, "jfrkit_uploads_total{{protocol=\"{protocol}\",code=\"{code}\"}} {n}");
        }
        head(&mut out, "jfrkit_upload_bytes_total", "counter", "Bytes of upload bodies.");
        let _ = writeln!(out, "jfrkit_upload_bytes_total {}", c.upload_bytes);
        head(&mut out, "jfrkit_upload_seconds", "histogram", "Time from the start of an upload to its response.");
        c.upload.write(&mut out, "jfrkit_upload_seconds", "");
        head(&mut out, "jfrkit_process_seconds", "histogram", "Time that a worker spent on an upload.");
        c.process.write(&mut out, "jfrkit_process_seconds", "");
        head(&mut out, "jfrkit_failed_total", "counter", "Failures by reason.");
        for (reason, n) in &c.failed {
            let _ = writeln!(out, "jfrkit_failed_total{{reason=\"{reason}\"}} {n}");
        }
        head(&mut out, "jfrkit_dropped_total", "counter", "Tracer requests that were acknowledged and discarded.");
        let _ = writeln!(out, "jfrkit_dropped_total {}", c.dropped);
        head(&mut out, "jfrkit_wrong_keys_total", "counter", "Requests with a wrong key or token.");
        let _ = writeln!(out, "jfrkit_wrong_keys_total {}", c.wrong_keys);
        head(&mut out, "jfrkit_http_seconds", "histogram", "Request time by route and status.");
        for ((route, code), times) in &c.http {
            times.write(&mut out, "jfrkit_http_seconds", &format!("route=\"{route}\",code=\"{code}\""));
        }
        head(&mut out, "jfrkit_forward_total", "counter", "Forwarded uploads by result.");
        for (result, n) in &c.forwarded {
            let _ = writeln!(out, "jfrkit_forward_total{{result=\"{result}\"}} {n}");
        }
        drop(c);
        let mut gauge = |name: &str, help: &str, values: &[(&str, u64)]| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in values {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        };
        let (spooled, spool_bytes) = app.spool.load();
        gauge("jfrkit_spool_uploads", "Uploads waiting for a worker.", &[("", spooled)]);
        gauge("jfrkit_spool_bytes", "Their bytes.", &[("", spool_bytes)]);
        let totals = app.index.totals();
        gauge("jfrkit_profiles", "Profiles.", &[("", totals.profiles)]);
        gauge(
            "jfrkit_disk_bytes",
            "Bytes on disk by kind.",
            &[
                ("{kind=\"received\"}", totals.disk_received),
                ("{kind=\"derived\"}", totals.disk_derived),
                ("{kind=\"free\"}", app.free_bytes().map_or(0, |(free, _)| free)),
            ],
        );
        let (queued, bytes) = app.forward.load();
        gauge("jfrkit_forward_queue_uploads", "Uploads waiting to be forwarded.", &[("", queued)]);
        gauge("jfrkit_forward_queue_bytes", "Their bytes.", &[("", bytes)]);
        gauge("process_resident_memory_bytes", "Resident memory.", &[("", resident())]);
        let _ = writeln!(out, "# HELP process_cpu_seconds_total CPU time.\n# TYPE process_cpu_seconds_total counter");
        let _ = writeln!(out, "process_cpu_seconds_total {}", cpu_seconds());
        out
    }
}

/// Resident memory of this process; 0 where the system does not report it.
pub(crate) fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    pages.saturating_mul(u64::try_from(rustix::param::page_size()).unwrap_or(4096))
}

fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    let per_second = u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100);
    f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / f64::from(per_second)
}
