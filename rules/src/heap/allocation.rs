//! Allocation, as the events that a recording has tell it: shared by the rules on it.

use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Needs, Presence};
use jfr_analyzers::math::{balance, map_exp100_at, over_smallest};

pub(super) const IN_NEW: &str = "jdk.ObjectAllocationInNewTLAB";
pub(super) const OUTSIDE: &str = "jdk.ObjectAllocationOutsideTLAB";
pub(crate) const SAMPLE: &str = "jdk.ObjectAllocationSample";
const EVENTS: &[&str] = &[IN_NEW, OUTSIDE, SAMPLE];

/// By event type, class and stack. The bytes that an event stands for.
pub(crate) const BY_CLASS: GroupBy = GroupBy::of(EVENTS)
    .by(&[EVENT, "objectClass", "stackTrace"])
    .measure(&["tlabSize|allocationSize|weight", "allocationSize|weight"]);
/// By event type and thread.
pub(super) const BY_THREAD: GroupBy =
    GroupBy::of(EVENTS).by(&[EVENT, "eventThread", "stackTrace"]).measure(&["tlabSize|allocationSize|weight"]);

/// Which events count: those inside and outside of TLABs, which are exact, or else samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Exact,
    Sampled,
}

impl Source {
    /// Which events the rules on who allocates take; `None` where neither kind was switched on.
    pub(super) fn of(facts: &Facts) -> Option<Self> {
        Self::by(|event| facts.presence(event))
    }

    /// The same as JMC sees it.
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

    /// How much a group weighs: exact ones count events, samples how often the smallest sample is in the sum.
    fn size(self, group: &Group<'_>, smallest: f64) -> f64 {
        match self {
            Self::Exact => group.count() as f64,
            Self::Sampled => over_smallest(group.sum(0), smallest),
        }
    }

    /// Score of groups that were rolled up to one key, largest first, with the largest.
    pub(super) fn score<'f>(self, groups: &[Group<'f>]) -> Option<(f64, Group<'f>)> {
        let smallest = groups.iter().map(|g| g.min(0)).filter(|m| *m > 0.0).fold(f64::INFINITY, f64::min);
        let top = groups.iter().max_by(|a, b| self.size(a, smallest).total_cmp(&self.size(b, smallest)))?;
        let balance = balance(groups.iter().map(|g| self.size(g, smallest)));
        Some((balance * map_exp100_at(self.size(top, smallest), 1_000.0, 50.0) * 0.74, top.clone()))
    }
}

/// Bytes a second from which it matters what they are made of: below, a core allocates for a hundredth of its time at most.
pub(crate) const MUCH: f64 = 50.0 * 1024.0 * 1024.0;

/// The share of what is allocated from which one class, or one thread, is worth a look.
pub(super) const MOST: f64 = 0.5;

/// Whether so many bytes in all of the recording are much.
pub(crate) fn is_much(facts: &Facts, bytes: f64) -> bool {
    // A recording of less than that says little of a second.
    bytes / facts.seconds().max(0.1) >= MUCH
}

pub(super) fn needs(by: GroupBy) -> Needs {
    Needs::new().groups(by)
}

pub(super) const NO_STACKS: &str = "allocation is recorded without stack traces; set stackTrace=true for its events";
pub(super) const NOT_RECORDED: &str =
    "allocation is not recorded; switch on jdk.ObjectAllocationSample, which costs least";
