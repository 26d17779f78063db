//! `SocketWrite`: slow writes to sockets.

use super::longest::{Words, judge, passes};
use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest write to a socket. Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketWrite;

const WRITES: GroupBy =
    GroupBy::of(&["jdk.SocketWrite"]).by(&["address", "stackTrace"]).measure(&["duration", "bytesWritten"]).histogram();
/// Methods of RMI's connections.
const LEFT_OUT: [&str; 2] = [
    "sun.rmi.transport.tcp.TCPTransport$ConnectionHandler.run",
    "sun.rmi.transport.tcp.TCPTransport$ConnectionHandler.run0",
];
const WORDS: Words = Words {
    what: "written to a socket",
    peer: "address",
    nameless: "unknown",
    explanation: "The thread stands still until the system has taken what it writes: the peer reads too slowly, or the \
                  network is slow.",
    remedy: "Look at the peer and the network; write in another thread.",
};

impl SocketWrite {
    /// Why it matters.
    const WHY: &str = "A write waits when the peer does not read as fast as the program writes.";
    /// What to do.
    const REMEDY: &str = "See why the peer is slow, and give writes a time-out.";
}

impl Rule for SocketWrite {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Slow socket writes",
            category: Category::Io,
            description: "The longest write to a socket.",
            formula: "25 for a longest write of `info`, 75 at `warning`. Writes of RMI's connections are left out.",
            differences: "As in JMC one write decides; the evidence has percentiles and sums.",
            settings: const {
                &[
                    Setting::seconds("info", 0.275, "Write that is worth a look"),
                    Setting::seconds("warning", 2.0, "Write to act on"),
                ]
            },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("SocketWrite")
        }
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().available("jdk.SocketWrite").groups(WRITES))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let (info, warning) = (settings.number("info"), settings.number("warning"));
        judge(facts, &WRITES, &WORDS, |g| !passes(facts, g, &LEFT_OUT), |nanos| map2(nanos / 1e9, info, warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_slow_write_is_found() {
        let of = |nanos: i64| {
            Scene::new().event("jdk.SocketWrite", 0, nanos, [("address", "10.0.0.1".into())]).as_jmc(&SocketWrite)
        };
        assert_eq!(of(3_000_000_000), Severity::Warning);
        assert_eq!(of(1_000), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&SocketWrite), Severity::NotApplicable);
    }
}
