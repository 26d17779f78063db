//! Places in the program: what happened there, for summaries and evidence.

use crate::tally::InOrder;
use jfr_analyzers::events::{FIRST, Facts, Group};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Frame, MethodRow, Value};
use jfrkit_profile::{FrameId, StackId, only_waits};

/// A place in the program, and what happened there.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The frame; `None` for events without a stack.
    pub(crate) frame: Option<FrameId>,
    /// The stack with the largest part of it.
    pub(crate) stack: Option<StackId>,
    most: f64,
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) max: f64,
}

/// Groups by place, sorted by the sum of the first measure, then by count, both descending. The place of a stack is its
/// first application frame, or else the top frame.
pub(crate) fn sites<'f>(facts: &Facts, groups: impl IntoIterator<Item = Group<'f>>) -> Vec<Site> {
    let place = |stack| facts.application_frame(stack).or_else(|| facts.frames(stack).first().copied());
    let mut sites: InOrder<Option<FrameId>, Site> = InOrder::default();
    for group in groups {
        let stack = group.stack("stackTrace");
        let frame = stack.and_then(place);
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

/// The name of a site for a summary; `None` if its stacks have no frames.
pub(crate) fn site_name(facts: &Facts, site: &Site) -> Option<String> {
    site.frame.map(|f| facts.method(f).to_owned())
}

/// Evidence: up to ten sites with their weights, each as top method and application frame.
pub(crate) fn site_rows(
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

/// Where a thread waits: the first application frame, or else the first frame that is not part of the waiting itself.
pub(crate) fn waiting_frame(facts: &Facts, stack: StackId) -> Option<Frame> {
    let outer = || facts.frames(stack).iter().copied().find(|f| !only_waits(facts.method(*f)));
    let frame = facts.application_frame(stack).or_else(outer)?;
    Some(facts.frame(frame))
}
