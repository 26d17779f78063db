//! Exceptions by class and place.

use std::collections::{BTreeMap, BTreeSet};

use super::thrown::{self, DATADOG, ERRORS, THROWN, THROWS};
use crate::tally::InOrder;
use jfr_analyzers::events::{EVENT, Facts, GroupBy};
use jfr_analyzers::math::ratio;
use jfrkit_profile::{FrameId, StackId};

/// Totals by class, which Datadog's profiler writes at the end of each chunk.
pub(super) const TOTALS: GroupBy = GroupBy::of(&["datadog.ExceptionCount"]).by(&["type"]).measure(&["count"]);

/// Exceptions of one class from one place.
#[derive(Debug)]
pub(super) struct Site<'f> {
    pub(super) class: &'f str,
    pub(super) made_in: Option<FrameId>,
    pub(super) own: Option<FrameId>,
    pub(super) stack: Option<StackId>,
    most: f64,
    /// The number recorded, times how many exceptions each stands for.
    pub(super) count: f64,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// Exceptions by class and place, the most frequent first. Errors are left out: they have their own rules, and are not
/// used for control flow.
pub(super) fn sites(facts: &Facts) -> Vec<Site<'_>> {
    let errors: BTreeSet<&str> = facts.table(ERRORS).texts("thrownClass").collect();
    let thrown = facts.groups(&THROWN);
    // If both are enabled, they cover the same exceptions.
    let event = if thrown.iter().any(|g| g.text(EVENT) == Some(THROWS)) { THROWS } else { DATADOG };
    let mut by_class: BTreeMap<&str, f64> = BTreeMap::new();
    if event == DATADOG {
        for group in thrown.iter() {
            *by_class.entry(group.text("thrownClass|type").unwrap_or("?")).or_default() += group.count() as f64;
        }
    }
    let totals = facts.groups(&TOTALS).by(&["type"]);
    let totals: BTreeMap<&str, f64> = totals.iter().filter_map(|g| Some((g.text("type")?, g.sum("count")))).collect();
    // How many exceptions of a class a recorded one stands for.
    let each = |class: &str| {
        let total = totals.get(class).copied().unwrap_or(0.0);
        ratio(total, by_class.get(class).copied().unwrap_or(0.0)).max(1.0)
    };
    let mut sites: InOrder<(&str, Option<FrameId>), Site<'_>> = InOrder::default();
    for group in thrown.iter().filter(|g| g.text(EVENT) == Some(event)) {
        let (class, stack) = (group.text("thrownClass|type").unwrap_or("?"), group.stack("stackTrace"));
        if errors.contains(class) || stack.is_some_and(|s| thrown::makes_error(facts, s)) {
            continue;
        }
        let (made_in, own) = stack.map_or((None, None), |s| thrown::place(facts, s, class));
        let count = group.count() as f64 * each(class);
        let (first, last) = (group.first(), group.last());
        let site = sites.get_or((class, own.or(made_in)), || Site {
            class,
            made_in,
            own,
            stack,
            most: 0.0,
            count: 0.0,
            first,
            last,
        });
        site.count += count;
        (site.first, site.last) = (site.first.min(first), site.last.max(last));
        if count > site.most {
            (site.most, site.stack, site.made_in) = (count, stack, made_in);
        }
    }
    let mut sites: Vec<Site<'_>> = sites.into_values().collect();
    sites.sort_by(|a, b| b.count.total_cmp(&a.count));
    sites
}
