//! What the rules beyond those of JMC share: finding the place in the program, formatting numbers, and, for tests, the
//! recordings of `fixtures/`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hashbrown::HashMap;
use regex::Regex;

use crate::tally::InOrder;
use jfr_analyzers::events::{FIRST, Facts, Group};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{MethodRow, Value};
use jfrkit_profile::{FrameId, StackId};

/// A second in nanoseconds.
pub(super) const SECOND: i64 = 1_000_000_000;

/// Length of the recording in minutes, for rates; at least 10 s, since a very short recording would turn single events
/// into high rates.
pub(super) fn minutes(facts: &Facts) -> f64 {
    facts.seconds().max(10.0) / 60.0
}

pub(super) use jfrkit_profile::units::{duration_f64 as time, size_f64 as amount, things};

/// A regular expression of the program.
#[expect(clippy::expect_used, reason = "only constants, each of which the tests use")]
pub(super) fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid constant")
}

/// The highest of some scores.
pub(super) fn worst(scores: impl IntoIterator<Item = f64>) -> f64 {
    scores.into_iter().fold(0.0, f64::max)
}

/// The name of the thread that is a key of a group.
pub(super) fn thread_name(group: &Group<'_>, key: &str) -> String {
    group.thread(key).map_or_else(|| "unknown".to_owned(), |t| t.name.clone())
}

/// The class part of `package.Class.method`.
pub(super) fn class_of(method: &str) -> &str {
    method.rsplit_once('.').map_or("", |(class, _)| class)
}

/// The method part of `package.Class.method`.
pub(super) fn method_of(method: &str) -> &str {
    method.rsplit_once('.').map_or(method, |(_, method)| method)
}

/// The share of steps that go up, 0 to 1.
pub(super) fn rising(values: &[f64]) -> f64 {
    let steps = values.len().saturating_sub(1);
    let up = values.iter().zip(values.iter().skip(1)).filter(|(a, b)| b > a).count();
    if steps == 0 { 0.0 } else { up as f64 / steps as f64 }
}

/// A place in the program, and what happened there.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The frame; `None` for events without a stack.
    pub(super) frame: Option<FrameId>,
    /// The stack with the largest part of it.
    pub(super) stack: Option<StackId>,
    most: f64,
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) max: f64,
}

/// Groups by place, sorted by the sum of the first measure, then by count, both descending. `place` picks the frame of
/// a stack.
pub(super) fn sites_at<'f>(
    groups: impl IntoIterator<Item = Group<'f>>,
    place: impl Fn(StackId) -> Option<FrameId>,
) -> Vec<Site> {
    let mut sites: InOrder<Option<FrameId>, Site> = InOrder::default();
    for group in groups {
        let stack = group.stack("stackTrace");
        let frame = stack.and_then(&place);
        let site = sites.get_or(frame, || Site { frame, stack, most: f64::NEG_INFINITY, count: 0, sum: 0.0, max: 0.0 });
        if group.sum(FIRST) > site.most {
            (site.stack, site.most) = (stack, group.sum(FIRST));
        }
        site.count = site.count.saturating_add(group.count());
        site.sum += group.sum(FIRST);
        site.max = site.max.max(group.max(FIRST));
    }
    let mut sites: Vec<Site> = sites.into_values().collect();
    sites.sort_by(|a, b| b.sum.total_cmp(&a.sum).then(b.count.cmp(&a.count)));
    sites
}

/// [`sites_at`] the first application frame, or else the top frame.
pub(super) fn sites<'f>(facts: &Facts, groups: impl IntoIterator<Item = Group<'f>>) -> Vec<Site> {
    sites_at(groups, |stack| facts.application_frame(stack).or_else(|| facts.frames(stack).first().copied()))
}

/// The name of a site for a summary.
pub(super) fn site_name(facts: &Facts, site: &Site) -> String {
    site.frame.map_or_else(|| "unknown place".to_owned(), |f| facts.method(f).to_owned())
}

/// Evidence: up to ten sites with their weights, each as top method and application frame.
pub(super) fn site_rows(
    facts: &Facts,
    sites: &[Site],
    weight: impl Fn(&Site) -> f64,
    value: impl Fn(f64) -> Value,
) -> Value {
    let total: f64 = sites.iter().map(&weight).sum();
    Value::methods(sites.iter().take(10).filter_map(|site| {
        let top = site.stack.and_then(|s| facts.frames(s).first().copied()).or(site.frame)?;
        Some(MethodRow {
            method: facts.frame(top),
            application_frame: site.frame.map(|f| facts.frame(f)),
            value: Box::new(value(weight(site))),
            percent: ratio(weight(site), total) * 100.0,
        })
    }))
}

/// Finds the methods that a rule looks for on stacks. It caches the answer per method: there are far fewer methods
/// than frames.
pub(super) struct Seek<'f, M> {
    facts: &'f Facts,
    matches: M,
    /// By function: 0 for not asked yet, 1 for no, 2 for yes.
    known: RefCell<Vec<u8>>,
    /// The first such frame of the stacks that were asked for: groups with other keys share them.
    first: RefCell<HashMap<StackId, Option<FrameId>, foldhash::fast::RandomState>>,
}

impl<'f, M: Fn(&str) -> bool> Seek<'f, M> {
    pub(super) fn new(facts: &'f Facts, matches: M) -> Self {
        let known = RefCell::new(vec![0; facts.tables().function_count()]);
        Self { facts, matches, known, first: RefCell::default() }
    }

    /// Whether the method of a frame is one of them.
    pub(super) fn is(&self, frame: FrameId) -> bool {
        let function = self.facts.tables().frame(frame).function.index();
        let mut known = self.known.borrow_mut();
        match known.get(function) {
            Some(1) => false,
            Some(2) => true,
            _ => {
                let found = (self.matches)(self.facts.method(frame));
                if let Some(to) = known.get_mut(function) {
                    *to = if found { 2 } else { 1 };
                }
                found
            }
        }
    }

    /// The first such frame of a stack, starting at the leaf.
    pub(super) fn first(&self, stack: StackId) -> Option<FrameId> {
        let find = || self.facts.frames(stack).iter().copied().find(|f| self.is(*f));
        *self.first.borrow_mut().entry(stack).or_insert_with(find)
    }

    /// Whether a stack has one.
    pub(super) fn passes(&self, stack: StackId) -> bool {
        self.first(stack).is_some()
    }

    /// The first application frame that calls such a method and is not one itself; if there is none, the outermost
    /// such method.
    pub(super) fn caller(&self, stack: StackId) -> Option<FrameId> {
        let mut last = None;
        for frame in self.facts.frames(stack).iter().copied() {
            if self.is(frame) {
                last = Some(frame);
            } else if last.is_some() && !self.facts.is_jdk_frame(frame) {
                return Some(frame);
            }
        }
        last
    }

    /// Evidence: up to ten callers of such methods, each with the called method and a weight; percentages are of
    /// `total`.
    pub(super) fn callers(
        &self,
        stacks: impl IntoIterator<Item = (StackId, f64)>,
        total: f64,
        value: impl Fn(f64) -> Value,
    ) -> Value {
        // By the line of the caller; the called method is that of the heaviest stack.
        let mut callers: BTreeMap<FrameId, (f64, f64, FrameId)> = BTreeMap::new();
        for (stack, weight) in stacks {
            let (Some(called), Some(caller)) = (self.first(stack), self.caller(stack)) else { continue };
            let (sum, most, method) = callers.entry(caller).or_insert((0.0, f64::NEG_INFINITY, called));
            *sum += weight;
            if weight > *most {
                (*most, *method) = (weight, called);
            }
        }
        let mut callers: Vec<_> = callers.into_iter().collect();
        // Frame handles have no stable order.
        let place = |frame: FrameId| (self.facts.method(frame), self.facts.frame(frame).line);
        callers.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then_with(|| place(a.0).cmp(&place(b.0))));
        Value::methods(callers.into_iter().take(10).map(|(caller, (sum, _, method))| MethodRow {
            method: self.facts.frame(method),
            application_frame: Some(self.facts.frame(caller)),
            value: Box::new(value(sum)),
            percent: ratio(sum, total) * 100.0,
        }))
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Runs rules on the recordings of `fixtures/`.
    #![allow(clippy::unwrap_used)]

    use crate::support;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::rule::Verdict;

    /// The verdict of a registered rule on a recording in `fixtures/scenarios/`; fails if its severity differs.
    pub(crate) fn expect(id: &str, scenario: &str, severity: Severity) -> Verdict {
        support::fixture::expect(id, &format!("scenarios/{scenario}"), severity)
    }

    /// The verdict as text, to search it.
    pub(crate) fn text(verdict: &Verdict) -> String {
        serde_json::to_string(verdict).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        assert_eq!((class_of("a.B.c"), method_of("a.B.c")), ("a.B", "c"));
        assert_eq!((class_of("memcpy"), method_of("memcpy")), ("", "memcpy"));
    }

    #[test]
    fn numbers_are_formatted() {
        assert_eq!((time(1.5e9), amount(2048.0)), ("1.5 s".to_owned(), "2 KiB".to_owned()));
        assert_eq!((things(1, "event", "events"), things(2, "event", "events")), ("1 event".into(), "2 events".into()));
        assert_eq!(rising(&[1.0, 2.0, 2.0, 3.0, 4.0]), 0.75);
    }
}
