//! The filters that recordings apply as they are read, for pprof files: by time, thread, state and frame.
//!
//! A filter that a file cannot answer is a failure: without it, the result would look filtered.

use jfr_parse::EpochNanos;
use jfrkit_profile::any::{AnyProfile, AnySample, AnySamples, TIME_LABELS};
use regex::Regex;

use crate::collecting::Time;
use crate::failure::Failure;
use crate::output::zone;

/// Labels that name a thread, in order of preference.
const THREADS: [&str; 5] = ["thread", "thread name", "thread_name", "thread id", "threadId"];
/// Labels that name the state of a thread.
const STATES: [&str; 2] = ["state", "thread state"];

/// The conditions on samples.
#[derive(Debug)]
pub(crate) struct Conditions<'a> {
    pub(crate) time: Time,
    pub(crate) thread: Option<&'a Regex>,
    pub(crate) state: Option<&'a Regex>,
    pub(crate) include: Option<&'a Regex>,
    pub(crate) exclude: Option<&'a Regex>,
}

impl Conditions<'_> {
    /// Removes the samples that do not meet the conditions. Fails if the profile does not contain what a condition is about.
    pub(crate) fn apply(&self, name: &str, profile: &mut AnyProfile) -> Result<(), Failure> {
        let lacks = |what: &str, option: &str| {
            Failure::Failed(format!("{name}: this profile has no {what}, so {option} cannot be applied"))
        };
        let time = (!self.time.is_open()).then_some(self.time);
        let filters = [self.thread, self.state, self.include, self.exclude];
        if (time.is_none() && filters.iter().all(Option::is_none)) || profile.samples.is_empty() {
            return Ok(());
        }
        if time.is_some() && !profile.samples().any(|sample| time_of(profile, &sample).is_some()) {
            return Err(lacks("times of samples", "--from and --to"));
        }
        for (regex, keys, what, option) in
            [(self.thread, &THREADS[..], "threads", "--thread"), (self.state, &STATES[..], "thread states", "--state")]
        {
            if regex.is_some() && !profile.samples().any(|sample| text_of(profile, &sample, keys).is_some()) {
                return Err(lacks(what, option));
            }
        }
        let range = match time {
            Some(time) => {
                let times = || profile.samples().filter_map(|sample| time_of(profile, &sample));
                let first = times().min().unwrap_or(0);
                let last = times().max().unwrap_or(0);
                let start = if profile.time_nanos > 0 { profile.time_nanos.min(first) } else { first };
                let end = start.saturating_add(profile.duration_nanos.max(0)).max(last);
                let range = time.within(name, (EpochNanos(start), EpochNanos(end)), true, &zone())?;
                Some((range, start, end))
            }
            None => None,
        };
        let fits = |regex: Option<&Regex>, sample: &AnySample<'_>, keys: &[&str]| {
            regex.is_none_or(|regex| text_of(profile, sample, keys).is_some_and(|text| regex.is_match(&text)))
        };
        let keeps = |sample: &AnySample<'_>| {
            let in_time = range
                .as_ref()
                .is_none_or(|(range, ..)| time_of(profile, sample).is_some_and(|at| range.contains(EpochNanos(at))));
            if !in_time || !fits(self.thread, sample, &THREADS) || !fits(self.state, sample, &STATES) {
                return false;
            }
            if self.include.is_none() && self.exclude.is_none() {
                return true;
            }
            let names = profile.names(sample.locations);
            self.include.is_none_or(|include| names.iter().any(|name| include.is_match(name)))
                && self.exclude.is_none_or(|exclude| !names.iter().any(|name| exclude.is_match(name)))
        };
        let (mut kept, mut times) = (AnySamples::default(), Vec::new());
        for sample in profile.samples().filter(keeps) {
            kept.push(sample.locations.iter().copied(), sample.values, sample.labels.iter().copied());
            times.extend(sample.time);
        }
        if profile.samples.has_times() {
            kept.set_times(times);
        }
        let range = range.map(|(range, start, end)| (range.first().0.max(start), range.end().0.min(end)));
        profile.samples = kept;
        if let Some((from, to)) = range {
            profile.time_nanos = from;
            if profile.duration_nanos > 0 {
                profile.duration_nanos = to.saturating_sub(from);
            }
        }
        Ok(())
    }
}

/// The time of a sample.
fn time_of(profile: &AnyProfile, sample: &AnySample<'_>) -> Option<i64> {
    sample.time.or_else(|| {
        let named = |key: &&str| sample.labels.iter().find(|label| profile.texts.get(label.key) == *key);
        let label = TIME_LABELS.iter().find_map(named)?;
        let text = profile.texts.get(label.text);
        if text.is_empty() { Some(label.number) } else { text.parse().ok() }
    })
}

/// The value of the first of these labels that the sample has.
fn text_of<'p>(profile: &'p AnyProfile, sample: &AnySample<'p>, keys: &[&str]) -> Option<std::borrow::Cow<'p, str>> {
    let named = |key: &&str| sample.labels.iter().find(|label| profile.texts.get(label.key) == *key);
    let key = keys.iter().find_map(named)?.key;
    profile.label(sample, key)
}
