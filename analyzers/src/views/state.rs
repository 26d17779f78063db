//! The state of aggregates: what each has to remember about the values of a row, chunk by chunk.

use super::syntax::Aggregate;
use super::value::{NameId, Val, renumbered};
use crate::hash::HashSet;
use jfrkit_profile::index::IndexVec;

/// What an aggregate remembers about the values so far.
#[derive(Debug, Clone, Default)]
pub(crate) enum State {
    /// No value yet.
    #[default]
    Empty,
    /// One of the values, possibly null, and the end of its event.
    One {
        value: Val,
        end: i64,
    },
    Count(u64),
    Sum {
        whole: i64,
        float: f64,
        is_float: bool,
    },
    Mean {
        sum: f64,
        n: u64,
    },
    /// Count, mean and squared deviations, by Welford's algorithm.
    Spread {
        n: f64,
        mean: f64,
        squares: f64,
    },
    Numbers(Vec<f64>),
    /// The first and the last value.
    Ends(Box<Ends>),
    Values(Vec<Val>),
    /// A value, the source of its event, and the end of that event.
    Batch {
        value: Val,
        source: u16,
        end: i64,
    },
}

/// The first and the last value, with the ends of their events, and the number of values. It is rare, so it is
/// boxed to keep the other variants small.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    first: (Val, i64),
    last: (Val, i64),
    n: u64,
}

/// The event to which a value belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From {
    pub(crate) source: u16,
    pub(crate) end: i64,
}

impl State {
    /// Adds a value from a chunk. The first and last values are those whose events ended first and last: JVMs
    /// write the events of each thread together, so file order is not chronological order.
    #[inline]
    pub(crate) fn add(
        &mut self,
        aggregate: Option<Aggregate>,
        value: Val,
        from: From,
        order: impl Fn(Val, Val) -> bool,
    ) {
        let end = from.end;
        let this = Self::One { value, end };
        match (aggregate, &*self) {
            // The last value that is not null.
            (None, Self::One { value: old, end: before })
                if value == Val::Null || (*old != Val::Null && *before > end) => {}
            (Some(Aggregate::First), Self::One { end: before, .. }) if *before <= end => {}
            (Some(Aggregate::Last), Self::One { end: before, .. }) if *before > end => {}
            (None | Some(Aggregate::First | Aggregate::Last), _) => *self = this,
            (Some(Aggregate::LastBatch), Self::Batch { end: before, .. }) if *before > end => {}
            (Some(Aggregate::LastBatch), _) => *self = Self::Batch { value, source: from.source, end },
            (Some(aggregate), _) => self.collect(aggregate, value, end, order),
        }
    }

    /// Adds a value to an aggregate of several values.
    #[inline]
    fn collect(&mut self, aggregate: Aggregate, value: Val, end: i64, order: impl Fn(Val, Val) -> bool) {
        match aggregate {
            Aggregate::Count => match self {
                Self::Count(n) => *n += 1,
                _ => *self = Self::Count(1),
            },
            _ if value == Val::Null => {}
            Aggregate::Sum => self.sum(value),
            Aggregate::Minimum => self.keep(value, |old| order(value, old)),
            Aggregate::Maximum => self.keep(value, |old| order(old, value)),
            Aggregate::Difference => match self {
                Self::Ends(ends) => {
                    ends.n += 1;
                    if end < ends.first.1 {
                        ends.first = (value, end);
                    }
                    if end >= ends.last.1 {
                        ends.last = (value, end);
                    }
                }
                _ => *self = Self::Ends(Box::new(Ends { first: (value, end), last: (value, end), n: 1 })),
            },
            Aggregate::List => match self {
                Self::Values(values) => values.push(value),
                _ => *self = Self::Values(vec![value]),
            },
            Aggregate::Set | Aggregate::Unique => match self {
                // Most duplicates are close together. The others are removed before there are many, and at the end.
                Self::Values(values) if values.iter().rev().take(8).any(|known| *known == value) => {}
                Self::Values(values) => {
                    values.push(value);
                    if values.len().is_power_of_two() && values.len() >= 1 << 10 {
                        distinct(values);
                    }
                }
                _ => *self = Self::Values(vec![value]),
            },
            aggregate => {
                let Some(number) = value.number() else { return };
                self.number(aggregate, number);
            }
        }
    }

    fn number(&mut self, aggregate: Aggregate, number: f64) {
        match aggregate {
            Aggregate::Average => match self {
                Self::Mean { sum, n } => (*sum, *n) = (*sum + number, *n + 1),
                _ => *self = Self::Mean { sum: number, n: 1 },
            },
            Aggregate::StandardDeviation => {
                let (n, mean, squares) = match *self {
                    Self::Spread { n, mean, squares } => (n, mean, squares),
                    _ => (0.0, 0.0, 0.0),
                };
                let n = n + 1.0;
                let delta = number - mean;
                let mean = mean + delta / n;
                *self = Self::Spread { n, mean, squares: squares + delta * (number - mean) };
            }
            _ => match self {
                Self::Numbers(numbers) => numbers.push(number),
                _ => *self = Self::Numbers(vec![number]),
            },
        }
    }

    fn sum(&mut self, value: Val) {
        let (mut whole, mut float, mut is_float) = match *self {
            Self::Sum { whole, float, is_float } => (whole, float, is_float),
            _ => (0, 0.0, false),
        };
        match (value.whole(), value.number()) {
            (Some(n), _) => whole = whole.saturating_add(long(n)),
            (None, Some(n)) => (float, is_float) = (float + n, true),
            (None, None) => return,
        }
        *self = Self::Sum { whole, float, is_float };
    }

    fn keep(&mut self, value: Val, better: impl Fn(Val) -> bool) {
        match self {
            Self::One { value: old, .. } if !better(*old) => {}
            _ => *self = Self::One { value, end: 0 },
        }
    }

    /// Adds the state of a later chunk; `numbers` maps its name numbers to those used here.
    pub(crate) fn merge(
        &mut self,
        aggregate: Option<Aggregate>,
        later: Self,
        numbers: &IndexVec<NameId, Val>,
        order: impl Fn(Val, Val) -> bool,
    ) {
        let new = |value| renumbered(value, numbers);
        match (&mut *self, later) {
            (_, Self::Empty) => {}
            (Self::Empty, Self::One { value, end }) => *self = Self::One { value: new(value), end },
            (Self::One { value: old, .. }, Self::One { value, end }) => match aggregate {
                Some(Aggregate::First) => {}
                None if value == Val::Null && *old != Val::Null => {}
                None | Some(Aggregate::Last) => *self = Self::One { value: new(value), end },
                Some(aggregate) => self.collect(aggregate, new(value), end, order),
            },
            (Self::Count(n), Self::Count(more)) => *n += more,
            (Self::Sum { whole, float, is_float }, Self::Sum { whole: w, float: f, is_float: other }) => {
                (*whole, *float, *is_float) = (whole.saturating_add(w), *float + f, *is_float || other);
            }
            (Self::Mean { sum, n }, Self::Mean { sum: more, n: count }) => (*sum, *n) = (*sum + more, *n + count),
            (Self::Spread { n, mean, squares }, Self::Spread { n: m, mean: other, squares: more }) => {
                let all = *n + m;
                let delta = other - *mean;
                *squares += more + delta * delta * *n * m / all;
                *mean += delta * m / all;
                *n = all;
            }
            (Self::Numbers(numbers), Self::Numbers(more)) => numbers.extend(more),
            (Self::Ends(ends), Self::Ends(later)) => {
                ends.last = (new(later.last.0), later.last.1);
                ends.n += later.n;
            }
            (Self::Values(values), Self::Values(more)) => {
                values.extend(more.into_iter().map(new));
                if aggregate != Some(Aggregate::List) {
                    distinct(values);
                }
            }
            (_, Self::Values(more)) => *self = Self::Values(more.into_iter().map(new).collect()),
            (_, Self::Ends(mut ends)) => {
                (ends.first.0, ends.last.0) = (new(ends.first.0), new(ends.last.0));
                *self = Self::Ends(ends);
            }
            (_, Self::Batch { value, source, end }) => *self = Self::Batch { value: new(value), source, end },
            (_, later) => *self = later,
        }
    }

    /// The value of the cell. `is_instant` is whether the values are points in time.
    pub(crate) fn finish(&mut self, aggregate: Option<Aggregate>, is_instant: bool) -> Val {
        match self {
            Self::Empty => match aggregate {
                Some(Aggregate::Count | Aggregate::Unique) => Val::Int(0),
                _ => Val::Null,
            },
            Self::One { value, .. } | Self::Batch { value, .. } => *value,
            Self::Count(n) => Val::Int(i64::try_from(*n).unwrap_or(i64::MAX)),
            Self::Sum { whole, float, is_float: true } => Val::Float(*float + *whole as f64),
            Self::Sum { whole, .. } => Val::Int(*whole),
            Self::Mean { sum, n } => Val::Float(*sum / (*n).max(1) as f64),
            Self::Spread { n, .. } if *n < 2.0 => Val::Null,
            Self::Spread { n, squares, .. } => Val::Float((*squares / (*n - 1.0)).sqrt()),
            Self::Numbers(numbers) => {
                let Some(Aggregate::Percentile(thousandths)) = aggregate else { return Val::Null };
                percentile(numbers, f64::from(thousandths) / 1000.0)
            }
            // As in the JDK: with a single point in time, there is no end.
            Self::Ends(ends) if ends.n == 1 && is_instant => Val::Int(i64::MAX),
            Self::Ends(ends) => {
                let (first, last) = (ends.first.0, ends.last.0);
                match (first.whole(), last.whole(), first.number(), last.number()) {
                    (Some(first), Some(last), ..) => Val::Int(long(last - first)),
                    (.., Some(first), Some(last)) => Val::Float(last - first),
                    _ => Val::Null,
                }
            }
            Self::Values(values) => {
                distinct(values);
                Val::Int(i64::try_from(values.len()).unwrap_or(i64::MAX))
            }
        }
    }
}

/// Saturates at the limits of `i64`.
fn long(n: i128) -> i64 {
    i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX })
}

/// Removes duplicates, keeping the first occurrence of each value.
fn distinct(values: &mut Vec<Val>) {
    let mut seen = HashSet::<(u8, u64)>::default();
    values.retain(|value| seen.insert(value.bits()));
}

/// Interpolates at (n + 1) · p over the sorted values.
fn percentile(numbers: &mut [f64], p: f64) -> Val {
    numbers.sort_unstable_by(f64::total_cmp);
    let at = (numbers.len() as f64 + 1.0) * p;
    let place = at.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates; `get` checks")]
    let i = place as usize;
    let last = numbers.last().copied();
    let value = match (i.checked_sub(1).and_then(|i| numbers.get(i)), numbers.get(i)) {
        (None, first) => first.copied(),
        (Some(_), None) => last,
        (Some(low), Some(high)) => Some(low + (at - place) * (high - low)),
    };
    value.map_or(Val::Null, Val::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(aggregate: Aggregate, values: &[f64]) -> Val {
        let (mut whole, mut left, mut right) = (State::Empty, State::Empty, State::Empty);
        let order = |a: Val, b: Val| a.number() < b.number();
        for (i, &value) in values.iter().enumerate() {
            let from = From { source: 0, end: i64::try_from(i).unwrap_or(0) };
            whole.add(Some(aggregate), Val::Float(value), from, order);
            let part = if i < values.len() / 2 { &mut left } else { &mut right };
            part.add(Some(aggregate), Val::Float(value), from, order);
        }
        left.merge(Some(aggregate), right, &IndexVec::new(), order);
        let (whole, parts) = (whole.finish(Some(aggregate), false), left.finish(Some(aggregate), false));
        match (whole.number(), parts.number()) {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-9, "{aggregate:?}: {a} {b}"),
            _ => assert_eq!(whole, parts, "{aggregate:?}"),
        }
        whole
    }

    #[test]
    fn aggregates_of_parts_are_those_of_the_whole() {
        let values = [4.0, 1.0, 3.0, 2.0];
        for (aggregate, expected) in [
            (Aggregate::Sum, Val::Float(10.0)),
            (Aggregate::Average, Val::Float(2.5)),
            (Aggregate::Minimum, Val::Float(1.0)),
            (Aggregate::Maximum, Val::Float(4.0)),
            (Aggregate::Count, Val::Int(4)),
            (Aggregate::Unique, Val::Int(4)),
            (Aggregate::First, Val::Float(4.0)),
            (Aggregate::Last, Val::Float(2.0)),
            (Aggregate::Difference, Val::Float(-2.0)),
            (Aggregate::Percentile(500), Val::Float(2.5)),
            (Aggregate::Percentile(900), Val::Float(4.0)),
        ] {
            assert_eq!(of(aggregate, &values), expected, "{aggregate:?}");
        }
        let deviation = of(Aggregate::StandardDeviation, &values).number().unwrap_or(0.0);
        assert!((deviation - (5.0f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_state_is_small() {
        assert!(size_of::<State>() <= 40, "{}", size_of::<State>());
    }

    #[test]
    fn percentiles_interpolate_between_neighbors() {
        let mut values: Vec<f64> = (1..=10).map(f64::from).collect();
        // (10 + 1) * 0.25 = 2.75
        assert_eq!(percentile(&mut values, 0.25), Val::Float(2.75));
        assert_eq!(percentile(&mut values, 0.01), Val::Float(1.0));
        assert_eq!(percentile(&mut [], 0.5), Val::Null);
    }

    #[test]
    fn nulls_count_and_are_first_and_last() {
        let from = From { source: 0, end: 0 };
        let add = |aggregate, values: &[Val]| {
            let mut state = State::Empty;
            values.iter().for_each(|&value| state.add(aggregate, value, from, |_, _| false));
            state.finish(aggregate, false)
        };
        let values = [Val::Null, Val::Int(1), Val::Null];
        assert_eq!(add(Some(Aggregate::Count), &values), Val::Int(3));
        assert_eq!(add(Some(Aggregate::First), &values), Val::Null);
        assert_eq!(add(Some(Aggregate::Last), &values), Val::Null);
        assert_eq!(add(None, &values), Val::Int(1));
        assert_eq!(add(Some(Aggregate::Sum), &[Val::Null]), Val::Null);
    }
}
