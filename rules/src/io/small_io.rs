//! `SmallIo`: files and sockets that are read and written in tiny pieces.

use hashbrown::HashMap;

use super::longest::NEXT;
use super::served::{self, Served};
use crate::blocked::{BLOCKED, BYTES, DURATION, ON, STACK};
use crate::cost;
use crate::matching::MethodMatcher;
use crate::names::method_of;
use crate::tally::brief;
use jfr_analyzers::events::{Cell, EVENT, Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Frame, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::FunctionId;
use jfrkit_profile::units::{size_f64, things};

/// Many small transfers between one call site and one file or peer. Needs no event table.
///
/// Fires on `fixtures/scenarios/small-io.jfr.gz`; quiet on `logging-blocks` and `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SmallIo;

const EVENTS: &[&str] = &["jdk.FileRead", "jdk.FileWrite", "jdk.SocketRead", "jdk.SocketWrite"];
const FILES: &[&str] = &["jdk.FileRead", "jdk.FileWrite"];
/// Transfers over sockets; those of files are in [`BLOCKED`].
const SOCKETS: GroupBy = GroupBy::of(&["jdk.SocketRead", "jdk.SocketWrite"])
    .by(&[EVENT, STACK, "address", "port"])
    .measure(&[DURATION, BYTES]);

/// A program with more call sites than this uses each one rarely and does not have this problem.
const MAX_PLACES: usize = 5_000;

/// Transfers of one type between one call site and one file or peer.
struct Place<'f> {
    event: &'f str,
    peer: String,
    method: Option<String>,
    frame: Option<Frame>,
    leaf: String,
    count: u64,
    bytes: f64,
    nanos: f64,
}

impl SmallIo {
    /// Why it matters.
    const WHY: &str = "Each system call costs far more than the few bytes that it transfers. The recording contains \
                       only calls above the threshold shown, so there may be many more.";
    /// What to do.
    const REMEDY: &str = "Wrap the stream in a BufferedInputStream or BufferedOutputStream (or use a larger buffer), \
                          or collect the data and send it in one call.";
}

impl Rule for SmallIo {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("SmallIo")
            .title("Small I/O")
            .category(Category::Io)
            .description("Whether a file or socket is read or written a few bytes at a time.")
            .formula(
                "For each event type, file or peer, and application method whose transfers average less than `size` \
                      bytes: the number of events, 25 at `info`, 75 at `warning`; the worst counts. Transfers of 0 \
                      bytes and those with an unknown file or peer (pipes of other processes) do not count. Calls \
                      below the events' threshold are not recorded, so the real number is higher. The thresholds are \
                      jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 1_000.0, "Events that are worth a look"),
                        Setting::count("warning", 20_000.0, "Events to act on"),
                        Setting::bytes("size", 512.0, "Mean below which transfers are small"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(served::needs(Needs::new().shared_groups(BLOCKED, FILES).groups(SOCKETS)))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(EVENTS, Level::Enabled) {
            return Verdict::not_applicable(because);
        }
        verdict(facts, &small_transfers(facts, settings.number("size")), settings)
    }
}

/// The places whose transfers average less than `size` bytes, the most frequent first.
fn small_transfers(facts: &Facts, size: f64) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    let mut known: HashMap<(Cell, Cell, Cell, Option<FunctionId>), usize, foldhash::fast::RandomState> =
        HashMap::default();
    // A server that waits for the next request, which is often short.
    let served = Served::of(facts);
    let next = MethodMatcher::new(facts, |method: &str| NEXT.is_match(method));
    // Without a path or address, it is a pipe of another process, or standard input. A read of 0 bytes is the end of a
    // stream. Neither shows that the program moves its data in pieces.
    let moves = |g: &Group<'_>, peer: &str| g.text(peer).is_some_and(|peer| !peer.is_empty()) && g.sum(BYTES) > 0.0;
    let waits = |g: &Group<'_>| {
        g.text(EVENT) == Some("jdk.SocketRead")
            && g.stack(STACK).is_some_and(|s| next.passes(s) || served.waits(facts, s))
    };
    let files = facts.groups(&BLOCKED);
    let files = files.iter().filter(|g| matches!(g.text(EVENT), Some("jdk.FileRead" | "jdk.FileWrite")));
    let sockets = facts.groups(&SOCKETS);
    let sockets = sockets.iter().filter(|g| !waits(g)).map(|group| ("address", group.int("port"), group));
    let transfers = files.map(|group| (ON, None, group)).chain(sockets);
    for (peer, port, group) in transfers.filter(|(peer, _, group)| moves(group, peer)) {
        let event = group.text(EVENT).unwrap_or_default();
        let stack = group.stack(STACK);
        let top = stack.and_then(|s| facts.frames(s).first().copied());
        let frame = stack.and_then(|s| facts.application_frame(s)).or(top);
        let method = frame.map(|frame| facts.function_of(frame));
        let (bytes, nanos) = (group.sum(BYTES).max(0.0), group.sum(DURATION));
        let key = (group.key(EVENT), group.key(peer), port.map_or(Cell::Null, Cell::Int), method);
        if let Some(place) = known.get(&key).and_then(|i| places.get_mut(*i)) {
            place.count = place.count.saturating_add(group.count());
            place.bytes += bytes;
            place.nanos += nanos;
        } else if places.len() < MAX_PLACES {
            let leaf = top.map_or("", |top| facts.method(top)).to_owned();
            let frame = frame.map(|frame| facts.frame(frame));
            let method = frame.as_ref().map(|frame| frame.method.clone());
            let peer = group.text(peer).map_or("unknown", brief);
            let peer = port.map_or_else(|| peer.to_owned(), |port| format!("{peer}:{port}"));
            known.insert(key, places.len());
            places.push(Place { event, peer, method, frame, leaf, count: group.count(), bytes, nanos });
        }
    }
    places.retain(|p| ratio(p.bytes, p.count as f64) < size);
    places.sort_by(|a, b| b.count.cmp(&a.count).then(b.nanos.total_cmp(&a.nanos)));
    places
}

fn verdict(facts: &Facts, places: &[Place<'_>], settings: &Settings) -> Verdict {
    let Some(most) = places.first() else {
        return Verdict::ok("The program reads and writes nothing in small pieces");
    };
    let (one, many) =
        if most.event.ends_with("Read") { ("read from", "reads from") } else { ("write to", "writes to") };
    let summary = format!(
        "{} {} moved only {} on average{}",
        things(most.count, one, many),
        most.peer,
        size_f64(ratio(most.bytes, most.count as f64)),
        most.method.as_ref().map(|m| format!(", in {m}")).unwrap_or_default()
    );
    let rows = places.iter().take(10).map(|p| {
        [
            p.event.trim_start_matches("jdk.").into(),
            p.peer.as_str().into(),
            p.frame.as_ref().map_or_else(String::new, |f| f.method.clone()).into(),
            method_of(&p.leaf).into(),
            Value::count(p.count, "transfers"),
            Value::bytes(ratio(p.bytes, p.count as f64)),
            Value::nanos_f64(p.nanos),
        ]
    });
    Verdict::scored(map2(most.count as f64, settings.number("info"), settings.number("warning")), summary)
        .explain(SmallIo::WHY)
        .remedy(SmallIo::REMEDY)
        .cost(cost::waited(facts, most.nanos))
        .with("transfers", Value::count(most.count, "transfers"))
        .with("mean size", Value::bytes(ratio(most.bytes, most.count as f64)))
        .with("threshold of the events", threshold(facts, most.event))
        .with(
            "places",
            Value::table(
                ["event", "file or peer", "application method", "call", "transfers", "mean size", "time"],
                rows,
            ),
        )
}

/// From which duration on the recording has events of this type.
fn threshold(facts: &Facts, event: &str) -> String {
    let value = facts.setting(event, "threshold").unwrap_or("unknown").to_owned();
    match facts.setting(event, "throttle") {
        Some(throttle) if throttle != "off" => format!("{value}, throttled to {throttle}"),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::{Scene, stack};

    #[test]
    fn it_fires_on_eight_bytes_at_a_time() {
        fixture::expect("SmallIo", "small-io", Severity::Info);
    }

    #[test]
    fn pipes_of_other_processes_and_ends_of_streams_are_no_small_io() {
        let reads = |path: Option<&str>, bytes: i64| {
            let read = |s: Scene, i: i64| {
                let mut fields = vec![
                    ("bytesRead", bytes.into()),
                    ("stackTrace", stack(&["java.io.FileInputStream.read", "a.B.c"])),
                ];
                fields.extend(path.map(|path| ("path", path.into())));
                s.event("jdk.FileRead", i * 10, i * 10 + 5, fields)
            };
            (0..2_000i64).fold(Scene::new(), read).verdict(&SmallIo)
        };
        // The output of a process that was started has no path.
        assert_eq!(reads(None, 8).severity, Severity::Ok);
        assert_eq!(reads(Some("a.log"), 0).severity, Severity::Ok);
        let small = reads(Some("a.log"), 8);
        assert_eq!(small.severity, Severity::Info);
        assert_eq!(small.summary, "2,000 reads from a.log moved only 8 B on average, in a.B.c");
    }

    #[test]
    fn it_is_quiet_on_a_healthy_program_and_few_transfers() {
        fixture::expect("SmallIo", "healthy", Severity::Ok);
        fixture::expect("SmallIo", "repeated-requests", Severity::Ok);
        fixture::expect("SmallIo", "spin", Severity::NotApplicable);
    }
}
