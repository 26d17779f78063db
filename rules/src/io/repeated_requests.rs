//! `RepeatedRequests`: many small sequential requests where a single one would do.

use std::collections::BTreeMap;

use super::served::{self, Served};
use crate::cost;
use jfr_analyzers::events::{Event, Facts, Needs, ThreadId};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Frame, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::StackId;
use jfrkit_profile::units::duration_f64;

/// Runs of requests from one thread and method to one peer. Needs the `jdk.SocketRead` and `jdk.SocketWrite` events.
///
/// Fires on `fixtures/scenarios/repeated-requests.jfr.gz`; quiet on made-up requests that are further apart; does not
/// apply to `healthy` (no socket events).
#[derive(Debug, Clone, Copy)]
pub(crate) struct RepeatedRequests;

const FIELDS: &[&str] = &["eventThread", "host", "address", "port", "stackTrace", "bytesRead|bytesWritten"];
/// The maximum number of events of each type to read.
const CAP: usize = 50_000;

/// A run of sequential requests.
#[derive(Debug, Clone)]
struct Run<'f> {
    host: &'f str,
    port: i64,
    method: &'f str,
    stack: Option<StackId>,
    thread: &'f str,
    start: i64,
    end: i64,
    requests: u64,
    waited: i64,
    bytes: i64,
    /// Whether the last transfer was a request without a response yet.
    asked: bool,
}

impl Run<'_> {
    fn peer(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl RepeatedRequests {
    /// Why it matters.
    const WHY: &str = "Each request costs a round trip: 100 sequential requests of 2 ms take 200 ms.";
    /// What to do.
    const REMEDY: &str = "Request everything at once: with a join or an IN list, a batch, a bulk operation of the \
                          service, or a pipeline. Or send the requests in parallel. With an object-relational \
                          mapper, fetch the association together with its owner.";
}

impl Rule for RepeatedRequests {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("RepeatedRequests")
            .title("Sequential requests (N+1)")
            .category(Category::Io)
            .description(
                "Whether a method sends many requests to one peer and waits for each response before it \
                          sends the next: one query per row (\"N+1\").",
            )
            .formula(
                "The longest run of write-read pairs of one thread to one address and port, from one application \
                      method (pairs without one are ignored), with less than `gap` between a response and the next \
                      request: 25 at `info` pairs, 75 at `warning`. The recording contains only transfers above the \
                      events' threshold. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 20.0, "Requests in a run that are worth a look"),
                        Setting::count("warning", 100.0, "Requests in a run to act on"),
                        Setting::seconds("gap", 0.005, "Time between a response and the next request of the same run"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        served::needs(cost::needs(Needs::new()))
            .available("jdk.SocketRead")
            .available("jdk.SocketWrite")
            .table_up_to(CAP, "jdk.SocketRead", FIELDS)
            .table_up_to(CAP, "jdk.SocketWrite", FIELDS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        verdict(facts, &runs(facts, settings.nanos("gap")), settings)
    }
}

impl<'f> Run<'f> {
    /// A run of one transfer, and its thread; `None` if the program did not send it to a peer.
    fn of(facts: &'f Facts, served: &Served, row: &Event<'f>, write: bool) -> Option<(ThreadId, Self)> {
        let thread = row.cell("eventThread").thread()?;
        // The program did not send this: a server of the JDK, such as the one for JMX, also reads and responds.
        let frame = row.stack().and_then(|s| facts.application_frame(s))?;
        if row.stack().is_some_and(|stack| served.waits(facts, stack)) {
            return None;
        }
        let run = Self {
            host: row.text("host").filter(|h| !h.is_empty()).or_else(|| row.text("address")).unwrap_or("unknown"),
            port: row.int("port").unwrap_or(0),
            method: facts.method(frame),
            stack: row.stack(),
            thread: &facts.thread(thread).name,
            start: row.start,
            end: row.end,
            requests: 0,
            waited: row.nanos(),
            bytes: row.int("bytesRead|bytesWritten").unwrap_or(0).max(0),
            asked: write,
        };
        Some((thread, run))
    }

    /// Whether a transfer of the same thread continues this run.
    fn goes_on(&self, next: &Self, gap: i64) -> bool {
        let close = next.start.saturating_sub(self.end) <= gap;
        self.host == next.host
            && self.port == next.port
            && self.method == next.method
            && (close || (self.asked && !next.asked))
    }

    /// Adds the next transfer.
    fn add(&mut self, next: &Self) {
        if !next.asked && self.asked {
            self.requests = self.requests.saturating_add(1);
        }
        self.asked = next.asked;
        self.end = self.end.max(next.end);
        self.waited = self.waited.saturating_add(next.waited);
        self.bytes = self.bytes.saturating_add(next.bytes);
    }
}

/// The runs of requests that wait for each other's responses, the longest first. A pause of more than `gap` nanoseconds
/// ends a run.
fn runs(facts: &Facts, gap: i64) -> Vec<Run<'_>> {
    let (reads, writes) = (facts.table("jdk.SocketRead"), facts.table("jdk.SocketWrite"));
    let mut events: Vec<_> = writes.rows().map(|r| (r, true)).chain(reads.rows().map(|r| (r, false))).collect();
    events.sort_by_key(|(row, write)| (row.start, !write));
    // A server that reads the next request of the same client sends nothing by itself.
    let served = Served::of(facts);
    let mut open: BTreeMap<ThreadId, Run<'_>> = BTreeMap::new();
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (row, write) in events {
        let Some((thread, next)) = Run::of(facts, &served, &row, write) else { continue };
        match open.get_mut(&thread).filter(|run| run.goes_on(&next, gap)) {
            Some(run) => run.add(&next),
            None => runs.extend(open.insert(thread, next).filter(|r| r.requests > 1)),
        }
    }
    runs.extend(open.into_values().filter(|r| r.requests > 1));
    runs.sort_by(|a, b| b.requests.cmp(&a.requests).then(a.start.cmp(&b.start)));
    runs
}

fn verdict(facts: &Facts, runs: &[Run<'_>], settings: &Settings) -> Verdict {
    let threshold = facts.setting("jdk.SocketRead", "threshold").unwrap_or("unknown").to_owned();
    let Some(longest) = runs.first() else {
        return Verdict::ok("No method sends requests one at a time").with("threshold of the events", threshold);
    };
    let many = runs.iter().filter(|r| r.requests as f64 >= settings.number("info"));
    let (count, requests, waited) = many.fold((0u64, 0u64, 0i64), |(n, requests, waited), r| {
        (n.saturating_add(1), requests.saturating_add(r.requests), waited.saturating_add(r.waited))
    });
    let called = caller(facts, longest).map(|f| format!(", called by {},", f.method)).unwrap_or_default();
    let summary =
        format!("{}{called} sends {} requests to {} one at a time", longest.method, longest.requests, longest.peer());
    let rows = runs.iter().take(10).map(|r| {
        [
            r.method.into(),
            caller(facts, r).map_or_else(String::new, |f| f.method).into(),
            r.peer().into(),
            r.thread.into(),
            Value::count(r.requests, "requests"),
            Value::nanos(r.end.saturating_sub(r.start)),
            Value::bytes(r.bytes as f64),
            Value::instant(r.start),
        ]
    });
    Verdict::scored(map2(longest.requests as f64, settings.number("info"), settings.number("warning")), summary)
        .explain(format!(
            "Each request waits for the response to the previous one, so the program pays the round trip every time: \
         {} in such runs here. A typical cause is one query for a list followed by one query for each of its \
         rows.",
            duration_f64(waited as f64)
        ))
        .remedy(RepeatedRequests::REMEDY)
        .cost(cost::waited(facts, waited as f64))
        .with("longest run", Value::count(longest.requests, "requests"))
        .with("window", Value::window(longest.start, longest.end))
        .with("runs worth a look", Value::count(count, "runs"))
        .with("requests in them", Value::count(requests, "requests"))
        .with("time waited in them", Value::nanos(waited))
        .with("threshold of the events", threshold)
        .with(
            "runs",
            Value::table(["method", "called by", "peer", "thread", "requests", "time", "bytes", "begin"], rows),
        )
        .with_some("stack", longest.stack.map(|s| facts.stack_value(s, 20)))
}

/// The first application frame below the method of a run: mostly the method with the loop.
fn caller(facts: &Facts, run: &Run<'_>) -> Option<Frame> {
    let mut own = facts.frames(run.stack?).iter().copied().filter(|f| !facts.is_jdk_frame(*f));
    own.find(|f| facts.method(*f) != run.method).map(|f| facts.frame(f))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{stack, thread};

    #[test]
    fn it_fires_on_a_request_per_item() {
        fixture::expect("RepeatedRequests", "repeated-requests", Severity::Warning);
    }

    #[test]
    fn requests_apart_are_no_run() {
        let judge = |apart: i64, method: &str| {
            (0..50i64)
                .fold(Scene::new(), |s, i| {
                    let fields = || {
                        [
                            ("eventThread", thread("web-1")),
                            ("address", "10.0.0.1".into()),
                            ("port", 5432.into()),
                            ("stackTrace", stack(&["java.net.Socket.read", method])),
                        ]
                    };
                    let at = i * apart;
                    s.event("jdk.SocketWrite", at, at + 10, fields()).event(
                        "jdk.SocketRead",
                        at + 20,
                        at + 30_000,
                        fields(),
                    )
                })
                .verdict(&RepeatedRequests)
                .severity
        };
        assert_eq!(judge(1_000_000, "shop.Orders.load"), Severity::Info);
        assert_eq!(judge(100_000_000, "shop.Orders.load"), Severity::Ok);
        // The JDK's JMX server alternates between reads and writes, too.
        assert_eq!(judge(1_000_000, "sun.rmi.transport.tcp.TCPTransport.handleMessages"), Severity::Ok);
        fixture::expect("RepeatedRequests", "healthy", Severity::NotApplicable);
    }
}
