//! `SocketRead`: slow reads from sockets.

use super::longest::{Words, judge, passes};
use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest read from a socket. Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketRead;

const READS: GroupBy = GroupBy::of(&["jdk.SocketRead"])
    .by(&["address", "stackTrace", "eventThread"])
    .measure(&["duration", "bytesRead"])
    .histogram();
/// Methods that wait for the next request by design.
const WAITING: [&str; 2] = [
    "sun.rmi.transport.tcp.TCPTransport.handleMessages",
    "javax.management.remote.rmi.RMIConnector$RMINotifClient.fetchNotifs",
];
const WORDS: Words = Words {
    what: "read from a socket",
    peer: "address",
    nameless: "unknown",
    explanation: "The thread stands still until the peer has answered. A server's thread that waits for the next \
                  request looks the same.",
    remedy: "Look at the peer and the network; ask for several things at once; set time-outs.",
};

impl SocketRead {
    /// Why it matters.
    const WHY: &str =
        "A thread that waits for a peer holds what it has: a connection, a lock, a request that someone waits for.";
    /// What to do.
    const REMEDY: &str =
        "See which peer is slow and what it is asked; give reads a time-out, ask for less, or ask several at once.";
}

impl Rule for SocketRead {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Slow socket reads",
            category: Category::Io,
            description: "The longest read from a socket.",
            formula: "25 for a longest read of `info`, 75 at `warning`. Reads of RMI's waiting loops are left out.",
            differences: "As in JMC one read decides, but people do not see reads that wait for the next request, and see \
                          the others as worth a look at most: IoWait judges by percentiles and time-outs.",
            settings: const {
                &[
                    Setting::seconds("info", 0.275, "Read that is worth a look"),
                    Setting::seconds("warning", 2.0, "Read to act on"),
                ]
            },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("SocketRead")
        }
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().available("jdk.SocketRead").groups(READS))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let (info, warning) = (settings.number("info"), settings.number("warning"));
        judge(facts, &READS, &WORDS, |g| !passes(facts, g, &WAITING), |nanos| map2(nanos / 1e9, info, warning))
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
