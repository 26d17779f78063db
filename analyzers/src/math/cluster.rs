//! Clusters of neighboring elements, merged in passes until nothing can be merged any more.
//!
//! JMC loses the last element of a list whenever something is merged, and may keep an earlier element in its
//! place. Its scores differ for that reason; its verdicts are the same for all recordings that we have.

/// A time interval with a mass: a pause, a number of exceptions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster {
    /// Start in nanoseconds.
    pub start: i64,
    /// End in nanoseconds.
    pub end: i64,
    /// Its mass.
    pub mass: f64,
}

impl Cluster {
    fn density(&self) -> f64 {
        let length = self.end.saturating_sub(self.start) as f64;
        self.mass * self.mass / length
    }

    /// Merges the two, if the result is denser than either.
    fn merge(&self, next: &Self) -> Option<Self> {
        let union = Self { start: self.start, end: self.end.max(next.end), mass: self.mass + next.mass };
        let density = union.density();
        (density > self.density() && density > next.density()).then_some(union)
    }
}

/// A time interval with a level: the CPU load between two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Start in nanoseconds.
    pub start: i64,
    /// End in nanoseconds.
    pub end: i64,
    /// The mean level.
    pub level: f64,
}

impl Span {
    fn merge(&self, next: &Self, limit: f64) -> Option<Self> {
        let level = (self.level + next.level) / 2.0;
        (level > limit).then_some(Self { start: self.start, end: next.end, level })
    }
}

/// The densest cluster (mass² over time). The elements must be in chronological order.
#[must_use]
pub fn mass_cluster(elements: &[Cluster]) -> Option<Cluster> {
    densest(&merged(elements, Cluster::merge))
}

fn densest(elements: &[Cluster]) -> Option<Cluster> {
    let mut best: Option<(f64, Cluster)> = None;
    for element in elements {
        let density = element.density();
        if best.is_none_or(|(most, _)| density > most) {
            best = Some((density, *element));
        }
    }
    best.map(|(_, element)| element)
}

/// The longest span whose level stays above `limit` or, without one, the longest of the given spans.
#[must_use]
pub fn longest_span(spans: &[Span], limit: f64) -> Option<Span> {
    longest(&merged(spans, |a, b| a.merge(b, limit)))
}

fn longest(spans: &[Span]) -> Option<Span> {
    let length = |s: &Span| s.end.saturating_sub(s.start);
    let mut best: Option<Span> = None;
    for span in spans {
        if best.is_none_or(|b| length(span) > length(&b)) {
            best = Some(*span);
        }
    }
    best
}

fn merged<T: Copy>(elements: &[T], merge: impl Fn(&T, &T) -> Option<T>) -> Vec<T> {
    let mut list = elements.to_vec();
    loop {
        let before = list.len();
        let mut next: Vec<T> = Vec::with_capacity(before);
        let mut rest = list.iter();
        let mut held = rest.next().copied();
        while let Some(element) = held {
            let following = rest.next();
            match following.and_then(|f| merge(&element, f)) {
                Some(union) => {
                    next.push(union);
                    held = rest.next().copied();
                }
                None => {
                    next.push(element);
                    held = following.copied();
                }
            }
        }
        list = next;
        if list.len() == before {
            return list;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn c(start: i64, end: i64, mass: f64) -> Cluster {
        Cluster { start, end, mass }
    }

    #[test]
    fn only_close_masses_merge() {
        // Densities: 10²/10 = 10 each; the first two together: 20²/21 = 19; with the third: 30²/1010 = 0.9.
        let pauses = [c(0, 10, 10.0), c(11, 21, 10.0), c(1_000, 1_010, 10.0)];
        assert_eq!(mass_cluster(&pauses), Some(c(0, 21, 20.0)));
        assert_eq!(mass_cluster(&[]), None);
        assert_eq!(mass_cluster(&pauses[2..]), Some(pauses[2]));
    }

    #[test]
    fn merging_continues_to_the_end() {
        let three = [c(0, 10, 10.0), c(10, 20, 10.0), c(20, 30, 10.0)];
        assert_eq!(mass_cluster(&three), Some(c(0, 30, 30.0)));
    }

    #[test]
    fn levels_over_the_limit_merge() {
        let s = |start, end, level| Span { start, end, level };
        let spans = [s(0, 1, 0.1), s(1, 2, 0.6), s(2, 3, 0.8), s(3, 4, 0.1)];
        // 0.6 and 0.8 give 0.7; adding 0.1 gives 0.4, which is not above the limit; neither is 0.1 with 0.6.
        assert_eq!(longest_span(&spans, 0.4).unwrap(), s(1, 3, 0.7));
        assert_eq!(longest_span(&spans[..1], 0.4).unwrap(), s(0, 1, 0.1));
    }
}
