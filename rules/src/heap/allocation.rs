//! Allocation, from whichever events the recording has. Shared by the allocation rules.

use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Needs, Presence};
use jfr_analyzers::math::{balance, map_exp100_at, over_smallest};

pub(super) const IN_NEW: &str = "jdk.ObjectAllocationInNewTLAB";
pub(super) const OUTSIDE: &str = "jdk.ObjectAllocationOutsideTLAB";
pub(crate) const SAMPLE: &str = "jdk.ObjectAllocationSample";
const EVENTS: &[&str] = &[IN_NEW, OUTSIDE, SAMPLE];
/// What was allocated, by buffers where there are buffers: what the size of a sample stands for.
pub(super) const BYTES: &str = "tlabSize|allocationSize|weight";

/// By event type, class and stack, with the bytes that each event stands for.
pub(crate) const BY_CLASS: GroupBy =
    GroupBy::of(EVENTS).by(&[EVENT, "objectClass", "stackTrace"]).measure(&[BYTES, "allocationSize|weight"]);
/// By event type, thread and stack.
pub(super) const BY_THREAD: GroupBy = GroupBy::of(EVENTS).by(&[EVENT, "eventThread", "stackTrace"]).measure(&[BYTES]);

/// Which events count: the TLAB events (inside and outside), which are exact, or otherwise samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Exact,
    Sampled,
}

impl Source {
    /// The events that the allocation rules use; `None` if neither kind was enabled.
    pub(super) fn of(facts: &Facts) -> Option<Self> {
        Self::by(|event| facts.presence(event))
    }

    /// The same, by what JMC takes for enabled.
    pub(super) fn as_jmc(facts: &Facts) -> Option<Self> {
        Self::by(|event| facts.jmc_presence(event))
    }

    fn by(presence: impl Fn(&str) -> Presence) -> Option<Self> {
        let on = |event| presence(event) >= Presence::Enabled;
        if on(IN_NEW) && on(OUTSIDE) { Some(Self::Exact) } else { on(SAMPLE).then_some(Self::Sampled) }
    }

    /// Whether events of this type count.
    pub(super) fn takes(self, event: Option<&str>) -> bool {
        match self {
            Self::Exact => matches!(event, Some(IN_NEW | OUTSIDE)),
            Self::Sampled => event == Some(SAMPLE),
        }
    }

    /// The weight of a group: the number of exact events, or the sum of its samples in units of the smallest sample.
    fn size(self, group: &Group<'_>, smallest: f64) -> f64 {
        match self {
            Self::Exact => group.count() as f64,
            Self::Sampled => over_smallest(group.sum(BYTES), smallest),
        }
    }

    /// The score of groups that were rolled up to one key, and the largest group.
    pub(super) fn score<'f>(self, groups: &[Group<'f>]) -> Option<(f64, Group<'f>)> {
        let smallest = groups.iter().map(|g| g.min(BYTES)).filter(|m| *m > 0.0).fold(f64::INFINITY, f64::min);
        let top = groups.iter().max_by(|a, b| self.size(a, smallest).total_cmp(&self.size(b, smallest)))?;
        let balance = balance(groups.iter().map(|g| self.size(g, smallest)));
        Some((balance * map_exp100_at(self.size(top, smallest), 1_000.0, 50.0) * 0.74, top.clone()))
    }
}

/// Bytes per second from which it matters what is allocated. Below this rate, allocation takes at most a hundredth of a
/// core's time.
pub(crate) const MUCH: f64 = 50.0 * 1024.0 * 1024.0;

/// The share of all allocation from which a single class or thread is worth a look.
pub(super) const MOST: f64 = 0.5;

/// Whether this many bytes are a lot for the length of the recording.
pub(crate) fn is_much(facts: &Facts, bytes: f64) -> bool {
    // A shorter recording says little about a rate per second.
    bytes / facts.seconds().max(0.1) >= MUCH
}

pub(super) fn needs(by: GroupBy) -> Needs {
    Needs::new().groups(by)
}

pub(super) const NO_STACKS: &str = "allocation is recorded without stack traces; set stackTrace=true for the \
                                    allocation events";
pub(super) const NOT_RECORDED: &str =
    "allocation is not recorded; enable jdk.ObjectAllocationSample, which has the least overhead";
