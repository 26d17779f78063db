//! Allocation, from whichever events the recording has. Shared by the allocation rules.

use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Presence};
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

/// Allocation by class, or by thread.
pub(super) struct Measured<'f> {
    /// By JMC's formula.
    pub(super) score: f64,
    /// The class or thread with the most events.
    pub(super) top: Group<'f>,
    /// All allocated bytes.
    pub(super) total: f64,
    /// By class or thread, the most bytes first.
    pub(super) groups: Vec<Group<'f>>,
    /// Allocation of the top class or thread, by stack.
    pub(super) stacks: Vec<Group<'f>>,
}

/// Measures the groups of `by` that differ in `key`. The error is why it is unknown; `few` if there are fewer than
/// `least` classes or threads.
pub(super) fn measure<'f>(
    facts: &'f Facts,
    by: &GroupBy,
    key: &str,
    (least, few): (usize, &'static str),
) -> Result<Measured<'f>, &'static str> {
    let source = Source::of(facts).ok_or(NOT_RECORDED)?;
    let all = facts.groups(by).pick(|g| source.takes(g.text(EVENT)));
    let mut groups = all.by(&[key]);
    if groups.len() < least {
        return Err(few);
    }
    let (score, top) = source.score(&groups).ok_or(NOTHING)?;
    if !all.iter().any(|g| g.stack("stackTrace").is_some()) {
        return Err(NO_STACKS);
    }
    let total = groups.iter().map(|g| g.sum(BYTES)).sum();
    groups.sort_by(|a, b| b.sum(BYTES).total_cmp(&a.sum(BYTES)));
    let stacks = all.select(&["stackTrace"], |g| g.key(key) == top.key(key));
    Ok(Measured { score, top, total, groups, stacks })
}

pub(super) const NOTHING: &str = "the recording has no allocations";
const NO_STACKS: &str = "allocation is recorded without stack traces; set stackTrace=true for the \
                                    allocation events";
pub(super) const NOT_RECORDED: &str =
    "allocation is not recorded; enable jdk.ObjectAllocationSample, which has the least overhead";
