//! Formats for other viewers, from profiles of any language: collapsed stacks, Speedscope, Firefox Profiler, OpenTelemetry.
//!
//! Each writer takes [`Typed`] profiles: the types that go into one file. The writer for pprof is
//! [`write_any`](crate::write_any).
//!
//! Each format has a file. What several formats share is in this one; choosing types, labels and file names
//! belongs in the command. Start with [`Typed`], then `collapsed.rs`, the simplest format.

mod collapsed;
mod firefox;
mod otlp;
mod speedscope;

pub use collapsed::write_collapsed_any;
pub use firefox::write_firefox;
pub use otlp::{OTLP_VERSION, write_otlp, write_otlp_json};
pub use speedscope::{write_speedscope_any, write_speedscope_evented};

use std::borrow::Cow;

use jfrkit_profile::StrId;
use jfrkit_profile::any::{AnyProfile, AnySample, TIME_LABELS};

/// A profile type to write.
#[derive(Debug, Clone)]
pub struct Typed<'p> {
    /// The short name: `cpu`, `alloc`.
    pub kind: &'p str,
    /// The human-readable name: `CPU in Java Code`.
    pub title: &'p str,
    /// The profile that contains this type, possibly along with others.
    pub profile: &'p AnyProfile,
    /// Its values, as indices in the profile's sample types; the last one is the default.
    pub values: Vec<usize>,
}

/// Labels that name a thread.
const THREADS: [&str; 3] = ["thread", "thread name", "thread_name"];
/// Labels that contain a thread id.
const THREAD_IDS: [&str; 3] = ["thread id", "thread_id", "thread native id"];

/// A frame as viewers show it, by function.
struct Shown<'p> {
    name: Cow<'p, str>,
    file: &'p str,
}

impl Typed<'_> {
    /// The index of the value to show by default.
    fn main(&self) -> usize {
        self.values.last().copied().unwrap_or(0)
    }

    /// The name and unit of a value.
    fn value(&self, at: usize) -> (&str, &str) {
        self.profile.value(at)
    }

    fn amount(&self, sample: &AnySample<'_>, at: usize) -> i64 {
        sample.values.get(at).copied().unwrap_or(0)
    }

    /// Whether any of a sample's values for this type is not zero.
    fn has(&self, sample: &AnySample<'_>) -> bool {
        self.values.iter().any(|&at| self.amount(sample, at) != 0)
    }

    /// The samples with a nonzero value for this type.
    fn samples(&self) -> impl Iterator<Item = AnySample<'_>> {
        self.profile.samples().filter(|sample| self.has(sample))
    }

    /// How many times the sample's stack was seen, if one of the values counts that.
    fn seen(&self, sample: &AnySample<'_>) -> Option<i64> {
        let counts = |at: &&usize| self.value(**at).1 == "count";
        self.values.iter().find(counts).map(|&at| self.amount(sample, at))
    }

    /// Whether the samples have times.
    fn has_times(&self) -> bool {
        self.profile.samples.has_times() || self.samples().next().is_some_and(|sample| self.time(&sample).is_some())
    }

    /// The time of a sample.
    fn time(&self, sample: &AnySample<'_>) -> Option<i64> {
        sample.time.or_else(|| self.number(sample, &TIME_LABELS))
    }

    fn key(&self, sample: &AnySample<'_>, keys: &[&str]) -> Option<StrId> {
        let texts = &self.profile.texts;
        keys.iter().find_map(|key| sample.labels.iter().find(|l| texts.get(l.key) == *key)).map(|label| label.key)
    }

    fn number(&self, sample: &AnySample<'_>, keys: &[&str]) -> Option<i64> {
        let key = self.key(sample, keys)?;
        let label = sample.labels.iter().find(|label| label.key == key)?;
        if label.text == StrId::default() {
            Some(label.number)
        } else {
            self.profile.texts.get(label.text).parse().ok()
        }
    }

    /// The thread name of a sample; empty if unknown.
    fn thread(&self, sample: &AnySample<'_>) -> String {
        let named = self.key(sample, &THREADS).and_then(|key| self.profile.label(sample, key));
        named.map_or_else(String::new, Cow::into_owned)
    }

    fn thread_id(&self, sample: &AnySample<'_>) -> Option<i64> {
        self.number(sample, &THREAD_IDS)
    }

    /// The frames of a location, outermost first.
    fn frames(&self, location: u32) -> impl Iterator<Item = Shown<'_>> {
        let profile = self.profile;
        let lines = profile.lines_of(location);
        let unknown = lines.is_empty().then(|| {
            let mapping = profile.locations.get(location as usize).and_then(|of| of.mapping);
            let library = mapping.and_then(|at| profile.mappings.get(at as usize));
            let library = library.map_or("", |mapping| profile.texts.get(mapping.file));
            let base = library.rsplit('/').next().unwrap_or(library).trim_matches(['[', ']']);
            let name = if base.is_empty() { "[unknown]".to_owned() } else { format!("[{base}]") };
            Shown { name: Cow::Owned(name), file: "" }
        });
        unknown.into_iter().chain(lines.iter().rev().map(|line| {
            let function = profile.functions.get(line.function as usize).copied().unwrap_or_default();
            let (name, system) = (profile.texts.get(function.name), profile.texts.get(function.system_name));
            let name = if name.is_empty() { system } else { name };
            let name = if name.is_empty() { "[unknown]" } else { name };
            Shown { name: Cow::Borrowed(name), file: profile.texts.get(function.file) }
        }))
    }
}
