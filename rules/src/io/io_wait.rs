//! `IoWait`: time-outs and slow responses, per file and peer.

use std::collections::BTreeMap;

use super::served::{self, Served};
use crate::blocked::{BLOCKED, BYTES, DURATION, ON, STACK};
use crate::cost;
use crate::idle::NEXT_REQUEST;
use crate::matching::MethodMatcher;
use crate::series::highest;
use crate::sites::{Site, site_rows, sites};
use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Level, Needs, Picked};
use jfr_analyzers::math::{map2, ratio, to_i64};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::StackId;
use jfrkit_profile::units::{duration_f64, things};

/// Waits for files and sockets. Needs no event table.
///
/// Fires on `fixtures/scenarios/slow-peer.jfr.gz` and on made-up events; quiet on `fixtures/scenarios/repeated-requests.jfr.gz`, `logging-blocks` and `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IoWait;

const EVENTS: &[&str] = &["jdk.SocketRead", "jdk.SocketWrite", "jdk.FileRead", "jdk.FileWrite", "jdk.FileForce"];
const FILES: &[&str] = &["jdk.FileRead", "jdk.FileWrite", "jdk.FileForce"];
/// Waits for sockets; those for files are in [`BLOCKED`].
const SOCKETS: GroupBy = GroupBy::of(&["jdk.SocketRead", "jdk.SocketWrite"])
    .by(&[EVENT, "address", STACK, "timeout"])
    .measure(&[DURATION, BYTES])
    .histogram()
    .up_to(20_000);

/// The host names of addresses, if known.
const NAMES: GroupBy = GroupBy::of(&["jdk.SocketRead", "jdk.SocketWrite"]).by(&["address", "host"]);

/// The minimum number of transfers for a percentile.
const ENOUGH: u64 = 20;

impl IoWait {
    /// Why it matters.
    const WHY: &str = "A thread that waits for a file or a peer does nothing else. Only calls above the events' \
                       threshold are recorded, so sums are lower bounds, and percentiles cover only the slow calls.";
    /// What to do.
    const REMEDY: &str = "Check the peer and the network in between. Request less data, batch requests, or prefetch. \
                          Set a time-out and handle it. Use few threads for many peers, or virtual threads.";
}

impl Rule for IoWait {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("IoWait")
            .title("I/O wait")
            .category(Category::Io)
            .description("Reads that timed out, and files or hosts that respond slowly.")
            .formula(
                "jdk.SocketRead events that lasted as long as their time-out: 25 at `info`, 75 at `warning`. \
                      The 99th percentile of the duration per file or host with at least 20 events: 25 at \
                      `slow-info`, 75 at `slow-warning`. The worse score counts. Ignores reads with a frame that \
                      `exclude` matches (servers that wait for the next request), reads in methods of the program whose \
                      peers all have ports above 32767 (four or more: clients that connected to it), and reads \
                      without a path (standard input and pipes). JMC's rules judge only the longest event.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 1.0, "Time-outs that are worth a look"),
                        Setting::count("warning", 10.0, "Time-outs to act on"),
                        Setting::seconds("slow-info", 0.25, "99th percentile that is worth a look"),
                        Setting::seconds("slow-warning", 2.0, "99th percentile to act on"),
                        Setting::regex("exclude", NEXT_REQUEST, "Methods whose reads wait for the next request"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(served::needs(Needs::new().groups(SOCKETS).shared_groups(BLOCKED, FILES).groups(NAMES)))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(EVENTS, Level::Enabled) {
            return Verdict::not_applicable(because);
        }
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No thread waited for files or sockets"),
        }
    }
}

/// Waits for files and sockets, without those of threads with nothing to do.
struct Measured<'f> {
    /// By type of event and file or address, the longest wait in total first.
    peers: Vec<Group<'f>>,
    /// Reads that timed out, by address, stack and time-out, with their number; the most frequent first.
    timeouts: Vec<(Group<'f>, u64)>,
    timed_out: u64,
    /// The file or peer with the greatest 99th percentile, among those with enough transfers.
    slowest: Option<Group<'f>>,
    /// All waiting, in nanoseconds.
    waited: f64,
    /// Where threads wait for the slowest file or peer, or for any if there are too few transfers.
    places: Vec<Site>,
    /// The host names of addresses.
    names: BTreeMap<&'f str, &'f str>,
}

impl Measured<'_> {
    /// The greatest 99th percentile in nanoseconds; 0 if there are too few transfers.
    fn p99(&self) -> f64 {
        self.slowest.as_ref().map_or(0.0, p99)
    }

    /// The name of a file, or of the host with an address.
    fn name(&self, address: Option<&str>) -> String {
        let address = address.filter(|t| !t.is_empty()).unwrap_or("unknown");
        self.names.get(address).filter(|name| !name.is_empty()).map_or(address, |name| name).to_owned()
    }
}

fn is_read(group: &Group<'_>) -> bool {
    group.text(EVENT).is_some_and(|event| event.ends_with("Read"))
}

/// The key with the file or address of a group of [`Measured::peers`].
fn peer_key(group: &Group<'_>) -> &'static str {
    if group.text(EVENT).is_some_and(|event| FILES.contains(&event)) { ON } else { "address" }
}

/// The 99th percentile of the duration in nanoseconds.
fn p99(group: &Group<'_>) -> f64 {
    group.histogram().map_or(0.0, |h| h.quantile(0.99)).min(group.max(DURATION))
}

/// `None` if no thread waited.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Option<Measured<'f>> {
    let (files, sockets) = waits(facts, settings);
    let mut peers = sockets.by(&[EVENT, "address"]);
    peers.extend(files.by(&[EVENT, ON]));
    if peers.is_empty() {
        return None;
    }
    let timeouts = timeouts(&sockets);
    let enough = peers.iter().filter(|g| g.count() >= ENOUGH);
    let slowest = enough.max_by(|a, b| p99(a).total_cmp(&p99(b))).cloned();
    peers.sort_by(|a, b| b.sum(DURATION).total_cmp(&a.sum(DURATION)));
    let worst_peer = slowest.as_ref().map(|s| (s.key(EVENT), s.key(peer_key(s))));
    let is_worst = |event, peer| worst_peer.is_none_or(|worst| worst == (event, peer));
    let mut stacks = sockets.select(&[STACK], |g| is_worst(g.key(EVENT), g.key("address")));
    stacks.extend(files.select(&[STACK], |g| is_worst(g.key(EVENT), g.key(ON))));
    let names = facts.groups(&NAMES).iter().filter_map(|g| Some((g.text("address")?, g.text("host")?))).collect();
    Some(Measured {
        timed_out: timeouts.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n)),
        timeouts,
        waited: peers.iter().map(|g| g.sum(DURATION)).sum(),
        peers,
        slowest,
        places: sites(facts, stacks),
        names,
    })
}

/// The waits for files and for sockets of threads with work to do.
fn waits<'f>(facts: &'f Facts, settings: &Settings) -> (Picked<'f>, Picked<'f>) {
    let waiting = MethodMatcher::new(facts, |method: &str| settings.matches("exclude", method));
    let served = Served::of(facts);
    let works = |g: &Group<'_>, stack: Option<StackId>| {
        // A read without an application frame is a reader thread of the JDK that waits.
        let waits =
            |stack| waiting.passes(stack) || facts.application_frame(stack).is_none() || served.waits(facts, stack);
        !is_read(g) || !stack.is_some_and(waits)
    };
    let files = facts.groups(&BLOCKED).pick(|g| match g.text(EVENT) {
        // Standard input or a pipe: the writer decides when data arrives.
        Some("jdk.FileRead") if g.text(ON).is_none_or(str::is_empty) => false,
        Some("jdk.FileRead" | "jdk.FileWrite" | "jdk.FileForce") => works(g, g.stack(STACK)),
        _ => false,
    });
    let sockets = facts.groups(&SOCKETS).pick(|g| works(g, g.stack(STACK)));
    (files, sockets)
}

/// Reads that timed out, with their number, the most frequent first.
fn timeouts<'f>(sockets: &Picked<'f>) -> Vec<(Group<'f>, u64)> {
    // Time-outs are group keys, so the longest event of a group shows whether the group has any.
    let mut timeouts: Vec<(Group<'f>, u64)> = sockets
        .select(&["address", STACK, "timeout"], |g| g.text(EVENT) == Some("jdk.SocketRead"))
        .into_iter()
        .filter_map(|g| {
            let timeout = g.int("timeout").filter(|t| *t > 0)? as f64;
            let count = g.histogram().map_or(0, |h| h.at_least(timeout));
            (g.max(DURATION) >= timeout).then_some((g, count.max(1)))
        })
        .collect();
    timeouts.sort_by_key(|timeout| std::cmp::Reverse(timeout.1));
    timeouts
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let p99 = measured.p99();
    let by_timeouts = map2(measured.timed_out as f64, settings.number("info"), settings.number("warning"));
    let by_slow = map2(p99 / 1e9, settings.number("slow-info"), settings.number("slow-warning"));
    let summary = match (measured.timeouts.first(), &measured.slowest) {
        (Some((first, _)), _) if by_timeouts >= by_slow => format!(
            "{} timed out, most of them from {}",
            things(measured.timed_out, "read", "reads"),
            measured.name(first.text("address"))
        ),
        (_, Some(slowest)) => format!(
            "1 % of the {} {} take {} or longer",
            if is_read(slowest) { "reads from" } else { "writes to" },
            measured.name(slowest.text(peer_key(slowest))),
            duration_f64(p99)
        ),
        _ => "Too few reads and writes to judge, and no time-outs".to_owned(),
    };
    let slowest_wait =
        |g: &Group<'_>| Value::window(g.max_start(), g.max_start().saturating_add(to_i64(g.max(DURATION))));
    let threads = (facts.nanos() > 0).then(|| ratio(measured.waited, facts.nanos() as f64));
    Verdict::scored(highest([by_timeouts, by_slow]), summary)
        .explain(IoWait::WHY)
        .remedy(IoWait::REMEDY)
        .cost(cost::waited(facts, measured.waited))
        .with("time-outs", Value::count(measured.timed_out, "reads"))
        .with("greatest 99th percentile", Value::nanos_f64(p99))
        .with("time waited", Value::nanos_f64(measured.waited))
        .with_some("threads that waited on average", threads.map(|threads| Value::number(threads, "threads")))
        .with_some("window", measured.slowest.as_ref().map(slowest_wait))
        .with("by file or host", peer_table(measured))
        .with_some("time-outs by host", timeout_table(facts, measured))
        .with("where", site_rows(facts, &measured.places, |s| s.sum, Value::nanos_f64))
}

fn peer_table(measured: &Measured<'_>) -> Value {
    let rows = measured.peers.iter().take(10).map(|g| {
        [
            g.text(EVENT).unwrap_or_default().trim_start_matches("jdk.").into(),
            measured.name(g.text(peer_key(g))).into(),
            Value::count(g.count(), "events"),
            Value::nanos_f64(g.sum(DURATION)),
            Value::share(ratio(g.sum(DURATION), measured.waited)),
            Value::nanos_f64(p99(g)),
            Value::nanos_f64(g.max(DURATION)),
            Value::bytes(g.sum(BYTES).max(0.0)),
        ]
    });
    Value::table(["event", "file or host", "events", "time", "share", "99th percentile", "longest", "bytes"], rows)
}

/// `None` if no read timed out.
fn timeout_table(facts: &Facts, measured: &Measured<'_>) -> Option<Value> {
    let rows = measured.timeouts.iter().take(10).map(|(g, n)| {
        let site = g.stack(STACK).and_then(|s| facts.site(s)).map_or_else(String::new, |f| f.method);
        [
            measured.name(g.text("address")).into(),
            site.into(),
            Value::nanos(g.int("timeout").unwrap_or(0)),
            Value::count(*n, "time-outs"),
        ]
    });
    (!measured.timeouts.is_empty()).then(|| Value::table(["host", "application method", "time-out", "reads"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    fn reads(nanos: i64, timeout: i64, method: &str) -> Verdict {
        (0..30i64)
            .fold(Scene::new(), |s, i| {
                let fields = [
                    ("address", "10.0.0.7".into()),
                    ("host", "db.example".into()),
                    ("timeout", timeout.into()),
                    ("stackTrace", stack(&["java.net.SocketInputStream.read", method])),
                ];
                s.event("jdk.SocketRead", i * SECOND, i * SECOND + nanos, fields)
            })
            .verdict(&IoWait)
    }

    #[test]
    fn it_fires_on_a_peer_that_does_not_answer() {
        fixture::expect("IoWait", "slow-peer", Severity::Warning);
    }

    #[test]
    fn it_fires_on_slow_peers() {
        assert_eq!(reads(SECOND * 3, 0, "shop.Orders.load").severity, Severity::Warning);
        assert_eq!(reads(SECOND / 2, 0, "shop.Orders.load").severity, Severity::Info);
    }

    #[test]
    fn it_fires_on_time_outs() {
        assert_eq!(reads(SECOND / 10, SECOND / 10, "shop.Orders.load").severity, Severity::Warning);
    }

    #[test]
    fn a_pipe_is_not_slow() {
        let read = |path: Option<&str>| {
            (0..30i64)
                .fold(Scene::new(), |s, i| {
                    let stack = ("stackTrace", stack(&["java.io.FileInputStream.read", "shop.Tool.run"]));
                    let path = path.map(|p| ("path", p.into()));
                    s.event("jdk.FileRead", i * SECOND, i * SECOND + 3 * SECOND, path.into_iter().chain([stack]))
                })
                .verdict(&IoWait)
                .severity
        };
        assert_eq!(read(None), Severity::Ok);
        assert_eq!(read(Some("/mnt/share/a")), Severity::Warning);
    }

    #[test]
    fn it_is_quiet_on_fast_peers_and_waiting_servers() {
        assert_eq!(reads(SECOND / 100, 0, "shop.Orders.load").severity, Severity::Ok);
        assert_eq!(reads(SECOND * 3, 0, "org.apache.coyote.http11.Http11InputBuffer.fill").severity, Severity::Ok);
        assert_eq!(reads(SECOND * 3, 0, "py4j.ClientServerConnection.waitForCommands").severity, Severity::Ok);
        fixture::expect("IoWait", "repeated-requests", Severity::Ok);
        fixture::expect("IoWait", "logging-blocks", Severity::Ok);
        fixture::expect("IoWait", "healthy", Severity::Ok);
    }
}
