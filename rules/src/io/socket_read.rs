//! `SocketRead`: slow socket reads.

use super::longest::{Keys, Words, judge, passes};
use super::served;
use crate::blocked::{BYTES, DURATION, STACK};
use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest read from a socket. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketRead;

const PEER: &str = "address";
const THREAD: &str = "eventThread";
const READS: GroupBy =
    GroupBy::of(&["jdk.SocketRead"]).by(&[PEER, STACK, THREAD]).measure(&[DURATION, BYTES]).histogram();
/// Methods that wait for the next request by design.
const WAITING: [&str; 2] = [
    "sun.rmi.transport.tcp.TCPTransport.handleMessages",
    "javax.management.remote.rmi.RMIConnector$RMINotifClient.fetchNotifs",
];
const KEYS: Keys = Keys { peer: PEER, thread: Some(THREAD) };
const WORDS: Words = Words {
    what: "read from a socket",
    peer: "address",
    nameless: "unknown",
    explanation: "The thread blocks until the peer responds. A server thread that waits for the next request looks \
                  the same.",
    remedy: "Check the peer and the network, batch requests, and set time-outs.",
};

impl SocketRead {
    /// Why it matters.
    const WHY: &str =
        "A thread that waits for a peer keeps what it holds: a connection, a lock, a request whose client waits.";
    /// What to do.
    const REMEDY: &str = "Find out which peer is slow and what the program requests from it. Set a read time-out, \
                          request less data, or batch requests.";
}

impl Rule for SocketRead {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("SocketRead")
            .title("Slow socket reads")
            .category(Category::Io)
            .description("The longest read from a socket.")
            .formula(
                "25 if the longest read takes `info`, 75 at `warning`. Ignores RMI loops that wait for the next \
                      request.",
            )
            .unlike_jmc(
                "jfrkit does not report reads that wait for the next request, and reports the others as worth a \
                 look at most: IoWait judges percentiles and time-outs. As in JMC, a single read decides.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("info", 0.275, "Read that is worth a look"),
                        Setting::seconds("warning", 2.0, "Read to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(served::needs(Needs::new().available("jdk.SocketRead").groups(READS)))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let (info, warning) = (settings.number("info"), settings.number("warning"));
        judge(
            facts,
            &facts.groups(&READS).pick(|_| true),
            KEYS,
            &WORDS,
            |g| !passes(facts, g, &WAITING),
            |nanos| map2(nanos / 1e9, info, warning),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    #[test]
    fn a_slow_read_is_found_but_not_in_a_waiting_loop() {
        let of = |nanos: i64, method: &str| {
            Scene::new()
                .event(
                    "jdk.SocketRead",
                    0,
                    nanos,
                    [("address", "10.0.0.1".into()), ("stackTrace", stack(&["a.b", method]))],
                )
                .as_jmc(&SocketRead)
        };
        assert_eq!(of(3_000_000_000, "c.d"), Severity::Warning);
        assert_eq!(of(300_000_000, "c.d"), Severity::Info);
        assert_eq!(of(1_000, "c.d"), Severity::Ok);
        assert_eq!(of(3_000_000_000, WAITING[0]), Severity::Ok);
    }
}
