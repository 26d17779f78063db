//! `SocketWrite`: slow socket writes.

use super::longest::{Keys, Words, judge, passes};
use crate::blocked::{BYTES, DURATION, STACK};
use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest write to a socket. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketWrite;

const PEER: &str = "address";
const WRITES: GroupBy = GroupBy::of(&["jdk.SocketWrite"]).by(&[PEER, STACK]).measure(&[DURATION, BYTES]).histogram();
/// Methods of RMI connections.
const LEFT_OUT: [&str; 2] = [
    "sun.rmi.transport.tcp.TCPTransport$ConnectionHandler.run",
    "sun.rmi.transport.tcp.TCPTransport$ConnectionHandler.run0",
];
const KEYS: Keys = Keys { peer: PEER, thread: None };
const WORDS: Words = Words {
    what: "write to a socket",
    peer: "address",
    nameless: "unknown",
    explanation: "The thread blocks until the operating system has accepted the data: the peer reads too slowly, or \
                  the network is slow.",
    remedy: "Check the peer and the network, or write in another thread.",
};

impl SocketWrite {
    /// Why it matters.
    const WHY: &str = "A write blocks if the peer does not read as fast as the program writes.";
    /// What to do.
    const REMEDY: &str = "Find out why the peer is slow, and set a write time-out.";
}

impl Rule for SocketWrite {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("SocketWrite")
            .title("Slow socket writes")
            .category(Category::Io)
            .description("The longest write to a socket.")
            .formula("25 if the longest write takes `info`, 75 at `warning`. Ignores writes of RMI connections.")
            .as_in_jmc("A single write decides; jfrkit adds percentiles and sums to the evidence.")
            .settings(
                const {
                    &[
                        Setting::seconds("info", 0.275, "Write that is worth a look"),
                        Setting::seconds("warning", 2.0, "Write to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().available("jdk.SocketWrite").groups(WRITES))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let (info, warning) = (settings.number("info"), settings.number("warning"));
        judge(
            facts,
            &facts.groups(&WRITES).pick(|_| true),
            KEYS,
            &WORDS,
            |g| !passes(facts, g, &LEFT_OUT),
            |nanos| map2(nanos / 1e9, info, warning),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::{Scene, stack};

    #[test]
    fn a_slow_write_is_found() {
        let of = |nanos: i64| {
            Scene::new().event("jdk.SocketWrite", 0, nanos, [("address", "10.0.0.1".into())]).as_jmc(&SocketWrite)
        };
        assert_eq!(of(3_000_000_000), Severity::Warning);
        assert_eq!(of(1_000), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&SocketWrite), Severity::NotApplicable);
    }

    #[test]
    fn the_peer_of_the_longest_write_is_named() {
        let at = stack(&["sun.nio.ch.NioSocketImpl.write", "shop.Client.send"]);
        let fields = [("address", "10.0.0.1".into()), ("bytesWritten", 4_096.into()), ("stackTrace", at)];
        let scene = Scene::new().event("jdk.SocketWrite", 0, 3_000_000_000, fields);
        assert_eq!(scene.verdict(&SocketWrite).severity, Severity::Info);
    }
}
