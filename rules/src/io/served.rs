//! Servers with code of their own: which methods read the requests of clients.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfrkit_profile::{FunctionId, StackId};

const PORTS: GroupBy = GroupBy::of(&["jdk.SocketRead"]).by(&["stackTrace", "port"]);

/// The first port that systems assign to the side that opens a connection (Linux; others begin later).
const EPHEMERAL: i64 = 32_768;
/// The fewest such ports that show that peers connect to this program. A test may have a few services on such ports.
const ENOUGH: usize = 4;

/// What [`Served::of`] reads.
pub(super) fn needs(needs: Needs) -> Needs {
    needs.groups(PORTS)
}

/// The methods of the program that read what clients send: the ports of all their peers are those that systems assign to the
/// side that opens a connection. Such a read waits for the next request, however long it takes.
#[derive(Debug, Default)]
pub(super) struct Served(HashSet<FunctionId>);

impl Served {
    /// Computed once for all rules.
    pub(super) fn of(facts: &Facts) -> Arc<Self> {
        facts.once(Self::find)
    }

    fn find(facts: &Facts) -> Self {
        let mut ports: HashMap<FunctionId, BTreeSet<i64>> = HashMap::new();
        for group in facts.groups(&PORTS).iter() {
            if let (Some(reader), Some(port)) =
                (group.stack("stackTrace").and_then(|s| reader(facts, s)), group.int("port"))
            {
                ports.entry(reader).or_default().insert(port);
            }
        }
        ports.retain(|_, ports| ports.len() >= ENOUGH && ports.iter().all(|port| *port >= EPHEMERAL));
        Self(ports.into_keys().collect())
    }

    /// Whether a read with this stack waits for a client.
    pub(super) fn waits(&self, facts: &Facts, stack: StackId) -> bool {
        reader(facts, stack).is_some_and(|reader| self.0.contains(&reader))
    }
}

/// The method of the program that reads.
fn reader(facts: &Facts, stack: StackId) -> Option<FunctionId> {
    facts.application_frame(stack).map(|frame| facts.function_of(frame))
}
