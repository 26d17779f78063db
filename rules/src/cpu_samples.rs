//! CPU samples by thread, from whichever profiler took most of them.

use jfr_analyzers::events::{EVENT, Group, GroupBy};

/// CPU samples of all profilers, by thread.
pub(crate) const CPU_BY_THREAD: GroupBy =
    GroupBy::of(&["jdk.ExecutionSample", "jdk.CPUTimeSample", "datadog.ExecutionSample"])
        .by(&[EVENT, "sampledThread|eventThread"])
        .measure(&["weight"]);

/// How many samples a group represents: Datadog counts intervals in a weight.
pub(crate) fn samples(group: &Group<'_>) -> f64 {
    group.sum("weight").max(group.count() as f64)
}

/// If a recording has several profilers, the one with the most samples: adding them up would count the same time
/// twice.
pub(crate) fn main_sampler<'f>(groups: impl Iterator<Item = Group<'f>>) -> Vec<Group<'f>> {
    let mut by_event: Vec<(&str, f64, Vec<Group<'f>>)> = Vec::new();
    for group in groups {
        let event = group.text(EVENT).unwrap_or("");
        let count = samples(&group);
        match by_event.iter_mut().find(|(e, ..)| *e == event) {
            Some((_, sum, list)) => {
                *sum += count;
                list.push(group);
            }
            None => by_event.push((event, count, vec![group])),
        }
    }
    by_event.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(.., list)| list).unwrap_or_default()
}
