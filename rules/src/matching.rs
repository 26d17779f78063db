//! Regular expressions, and the methods of a stack that a rule looks for.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hashbrown::HashMap;
use regex::Regex;

use jfr_analyzers::events::Facts;
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{MethodRow, Value};
use jfrkit_profile::{FrameId, StackId};

/// A regular expression of the program.
#[expect(clippy::expect_used, reason = "only constants, each of which the tests use")]
pub(crate) fn constant_regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid constant")
}

/// Finds the methods that a rule looks for on stacks. It caches the answer per method: there are far fewer methods
/// than frames.
pub(crate) struct MethodMatcher<'f, M> {
    facts: &'f Facts,
    matches: M,
    /// By function: 0 for not asked yet, 1 for no, 2 for yes.
    known: RefCell<Vec<u8>>,
    /// The first such frame of the stacks that were asked for: groups with other keys share them.
    first: RefCell<HashMap<StackId, Option<FrameId>, foldhash::fast::RandomState>>,
}

impl<'f, M: Fn(&str) -> bool> MethodMatcher<'f, M> {
    pub(crate) fn new(facts: &'f Facts, matches: M) -> Self {
        let known = RefCell::new(vec![0; facts.tables().function_count()]);
        Self { facts, matches, known, first: RefCell::default() }
    }

    /// Whether the method of a frame is one of them.
    pub(crate) fn is(&self, frame: FrameId) -> bool {
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
    pub(crate) fn first(&self, stack: StackId) -> Option<FrameId> {
        let find = || self.facts.frames(stack).iter().copied().find(|f| self.is(*f));
        *self.first.borrow_mut().entry(stack).or_insert_with(find)
    }

    /// Whether a stack has one.
    pub(crate) fn passes(&self, stack: StackId) -> bool {
        self.first(stack).is_some()
    }

    /// The first application frame that calls such a method and is not one itself; if there is none, the outermost
    /// such method.
    pub(crate) fn caller(&self, stack: StackId) -> Option<FrameId> {
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
    pub(crate) fn callers(
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
