//! Whether something happens all the time or in bursts, and on which thread.

use std::collections::BTreeMap;

use super::share::{THREAD, samples_of};
use jfr_analyzers::events::{AMOUNT, Facts, Group, ThreadId};
use jfr_analyzers::math::{Spread, ratio};

/// How samples are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// In nearly all time slices.
    Steady,
    /// In some of them.
    Burst,
    /// Too few samples to tell.
    Unknown,
}

/// Average samples per time slice: with this many, a slice misses something that happens all the time with a
/// probability below 2 %.
const SAMPLES_A_SLICE: f64 = 4.0;
/// The fewest slices.
const FEWEST: u32 = 4;
/// The share of slices that counts as nearly all.
const NEARLY_ALL: f64 = 0.9;

impl Shape {
    pub(super) fn of(spread: &Spread, whole: &Spread, samples: f64) -> Self {
        let slices = jfr_analyzers::math::to_i64((samples / SAMPLES_A_SLICE).floor());
        let Some(slices) = u32::try_from(slices).ok().filter(|n| *n >= FEWEST) else { return Self::Unknown };
        let (there, all) = spread.within(whole, slices.min(64));
        match f64::from(there) / f64::from(all.max(1)) {
            // The recording is so short that it has only a slice or two.
            _ if all < FEWEST / 2 => Self::Unknown,
            share if share >= NEARLY_ALL => Self::Steady,
            _ => Self::Burst,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Burst => "burst",
            Self::Unknown => "too few samples to tell",
        }
    }
}

/// When and where some CPU samples were taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Occurrence {
    pub(super) samples: f64,
    spread: Spread,
    threads: BTreeMap<Option<ThreadId>, f64>,
}

impl Occurrence {
    pub(super) fn add(&mut self, group: &Group<'_>) {
        self.samples += group.sum(AMOUNT);
        self.spread.merge(&group.spread());
        *self.threads.entry(group.thread_id(THREAD)).or_default() += group.sum(AMOUNT);
    }

    pub(super) fn shape(&self, whole: &Spread) -> Shape {
        Shape::of(&self.spread, whole, self.samples)
    }

    /// The thread with the most samples, and its share in percent.
    pub(super) fn busiest_thread(&self, facts: &Facts) -> Option<(String, f64)> {
        let name = |thread: &Option<ThreadId>| thread.map_or("unknown", |id| facts.thread(id).name.as_str());
        let most = self.threads.iter().max_by(|a, b| a.1.total_cmp(b.1).then_with(|| name(b.0).cmp(name(a.0))));
        most.map(|(thread, samples)| (name(thread).to_owned(), ratio(*samples, self.samples) * 100.0))
    }
}

/// When any CPU samples were taken.
pub(super) fn whole(facts: &Facts) -> Spread {
    samples_of(facts, "cpu").fold(Spread::default(), |mut all, group| {
        all.merge(&group.spread());
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn spread(times: impl Iterator<Item = i64>) -> Spread {
        times.fold(Spread::default(), |mut spread, second| {
            spread.add(second * SECOND);
            spread
        })
    }

    #[test]
    fn steady_is_nearly_always() {
        let whole = spread(0..600);
        assert_eq!(Shape::of(&spread((0..600).step_by(5)), &whole, 120.0), Shape::Steady);
        assert_eq!(Shape::of(&spread(100..220), &whole, 120.0), Shape::Burst);
        assert_eq!(Shape::of(&spread((0..600).step_by(60)), &whole, 10.0), Shape::Unknown);
        // The fewer samples, the longer the slices.
        assert_eq!(Shape::of(&spread((0..600).step_by(30)), &whole, 20.0), Shape::Steady);
    }
}
