//! What share of each resource passes through the methods of each pattern, computed once for all patterns.

use hashbrown::HashMap;

use super::pattern::Resource;
use crate::blocked;
use crate::idle::Idle;
use crate::matching::MethodMatcher;
use jfr_analyzers::events::{AMOUNT, FIRST, Facts, Group, GroupBy, Needs, PROFILE};
use jfr_analyzers::math::ratio;
use jfrkit_profile::StackId;

/// CPU and wall-clock samples of all profilers.
pub(crate) const SAMPLES: GroupBy = GroupBy::of(&[
    "datadog.ExecutionSample",
    "jdk.CPUTimeSample",
    "jdk.ExecutionSample",
    "profiler.WallClockSample",
    "datadog.MethodSample",
])
.by(&[PROFILE, STACK, THREAD])
.measure(&[AMOUNT])
.spread();
/// Wall-clock samples with the state of the thread.
pub(super) const STATES: GroupBy =
    GroupBy::of(&["jdk.ExecutionSample", "profiler.WallClockSample", "datadog.MethodSample"])
        .by(&[PROFILE, STACK, THREAD, STATE])
        .measure(&[AMOUNT])
        .spread();
const STATE: &str = "state";
pub(super) const STACK: &str = "stackTrace";
pub(crate) const THREAD: &str = "sampledThread|eventThread";

/// Allocations.
const ALLOCATIONS: GroupBy = GroupBy::of(&[
    "jdk.ObjectAllocationInNewTLAB",
    "jdk.ObjectAllocationOutsideTLAB",
    "jdk.ObjectAllocationSample",
    "datadog.ObjectSample",
])
.by(&[PROFILE, STACK])
.measure(&[AMOUNT]);

/// What the shares of a resource are computed from.
pub(super) fn needs(needs: Needs, resource: Resource) -> Needs {
    needs.groups(match resource {
        Resource::Cpu | Resource::Wall => SAMPLES,
        Resource::Allocation => ALLOCATIONS,
        Resource::Blocking => blocked::BLOCKED,
    })
}

/// The samples of one profile.
pub(crate) fn samples_of<'f>(facts: &'f Facts, profile: &'static str) -> impl Iterator<Item = Group<'f>> {
    facts.groups(&SAMPLES).iter().filter(move |g| g.text(PROFILE) == Some(profile))
}

/// The wall-clock samples of running threads.
pub(super) fn running<'f>(facts: &'f Facts) -> impl Iterator<Item = Group<'f>> {
    let runs = |state: &str| matches!(state.strip_prefix("STATE_").unwrap_or(state), "RUNNABLE" | "RUNNING");
    let of_wall = |g: &Group<'f>| g.text(PROFILE) == Some("wall");
    facts.groups(&STATES).iter().filter(move |g| of_wall(g) && g.text(STATE).is_some_and(runs))
}

/// What is known about one resource.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Each stack once, with its weight.
    stacks: Vec<(StackId, f64)>,
    /// A bit set per stack of the method sets that it passes, `words` words each.
    marks: Vec<u64>,
    words: usize,
    /// The total weight, including samples without a stack.
    pub(super) total: f64,
    /// The number of samples, allocations or waits.
    pub(super) count: f64,
    /// The weight of the stacks of each set.
    sums: Vec<f64>,
}

impl Part {
    fn of<'f>(facts: &Facts, groups: impl Iterator<Item = Group<'f>>, sampled: bool) -> Self {
        let mut part = Self { words: facts.set_words(), sums: vec![0.0; facts.set_count()], ..Self::default() };
        let mut places: HashMap<StackId, usize, foldhash::fast::RandomState> = HashMap::default();
        for group in groups {
            let weight = group.sum(FIRST);
            part.total += weight;
            part.count += if sampled { weight } else { group.count() as f64 };
            let Some(stack) = group.stack(STACK) else { continue };
            let place = *places.entry(stack).or_insert_with(|| {
                part.stacks.push((stack, 0.0));
                part.stacks.len().saturating_sub(1)
            });
            if let Some((_, sum)) = part.stacks.get_mut(place) {
                *sum += weight;
            }
        }
        let mut found = vec![0; part.words];
        part.marks.reserve_exact(part.stacks.len().saturating_mul(part.words));
        for (stack, weight) in &part.stacks {
            facts.sets_on(*stack, &mut found);
            for (word, mut bits) in found.iter().copied().enumerate() {
                while bits != 0 {
                    let set = word * 64 + bits.trailing_zeros() as usize;
                    if let Some(sum) = part.sums.get_mut(set) {
                        *sum += weight;
                    }
                    bits &= bits - 1;
                }
            }
            part.marks.extend_from_slice(&found);
        }
        part
    }

    /// The weight of the stacks of a set.
    pub(super) fn sum(&self, set: usize) -> f64 {
        self.sums.get(set).copied().unwrap_or(0.0)
    }

    /// The share of a set in percent.
    pub(super) fn percent(&self, set: usize) -> f64 {
        ratio(self.sum(set), self.total) * 100.0
    }

    /// The weight of the stacks that are in both sets.
    pub(super) fn overlap(&self, set: usize, other: usize) -> f64 {
        let marked = |marks: &[u64], set: usize| marks.get(set / 64).is_some_and(|word| word & (1 << (set % 64)) != 0);
        let marks = self.marks.chunks(self.words.max(1));
        let both = self.stacks.iter().zip(marks).filter(|(_, marks)| marked(marks, set) && marked(marks, other));
        both.map(|((_, weight), _)| weight).sum()
    }

    /// All stacks with their weights.
    pub(super) fn stacks(&self) -> impl Iterator<Item = (StackId, f64)> {
        self.stacks.iter().copied()
    }

    /// The stacks of a set with their weights.
    pub(super) fn stacks_of(&self, set: usize) -> impl Iterator<Item = (StackId, f64)> {
        let marks = self.marks.iter().skip(set / 64).step_by(self.words.max(1));
        let of_set = move |mark: &u64| mark & (1 << (set % 64)) != 0;
        self.stacks.iter().zip(marks).filter(move |(_, mark)| of_set(mark)).map(|(stack, _)| *stack)
    }
}

/// What is known about all resources.
#[derive(Debug)]
pub(super) struct Shares {
    parts: [Part; 4],
    /// Whether the stacks of CPU samples hold functions of the JVM.
    pub(super) has_native: bool,
}

impl Shares {
    pub(super) fn of(facts: &Facts) -> Self {
        let cpu = Part::of(facts, samples_of(facts, "cpu"), true);
        let native = MethodMatcher::new(facts, |method: &str| method.contains("::"));
        let has_native = cpu.stacks.iter().any(|(stack, _)| native.passes(*stack));
        let allocation = Part::of(facts, facts.groups(&ALLOCATIONS).iter(), false);
        // A thread that waits for something to do would hide what the others do, and so would the threads of the JVM.
        let idle = Idle::new(facts);
        let works = |stack| facts.application_frame(stack).is_some() && !idle.passes(stack);
        let wall = samples_of(facts, "wall").filter(|g| g.stack(STACK).is_none_or(works));
        let wall = Part::of(facts, wall, true);
        let blocking = Part::of(facts, blocked::of_time(facts, |_| false), false);
        Self { parts: [cpu, allocation, wall, blocking], has_native }
    }

    pub(super) fn part(&self, resource: Resource) -> &Part {
        let [cpu, allocation, wall, blocking] = &self.parts;
        match resource {
            Resource::Cpu => cpu,
            Resource::Allocation => allocation,
            Resource::Wall => wall,
            Resource::Blocking => blocking,
        }
    }
}
