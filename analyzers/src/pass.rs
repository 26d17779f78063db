//! Computes profiles, findings, metrics and views of one recording while reading it only once.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! use jfr_analyzers::rule::{Analysis, AnalysisOptions};
//! use jfr_analyzers::{Options, Pass};
//!
//! let recording = jfr_parse::Recording::open(path)?;
//! let (analysis, judging) = (Analysis::empty(), AnalysisOptions::default());
//! let options = Options::default();
//! let output = Pass::new(&recording).profiles(&options).rules(&analysis, &judging).metrics(None).run()?;
//! assert!(output.profiles.is_some_and(|set| set.profiles.len() > 5));
//! assert!(output.report.is_some_and(|report| report.rules.is_empty()));
//! assert!(output.metrics.is_some_and(|(metrics, errors)| metrics.get("threads").is_some() && errors.is_empty()));
//! # Ok(())
//! # }
//! ```
//!
//! No matter how much is requested, events are read, constants looked up and stack traces resolved only once (twice if names are
//! so long that all have to be truncated). The results are the same as those of separate calls to
//! [`collect`](crate::collect()), [`Analysis::evaluate`], [`Metrics::of`] and [`answer`](crate::views::answer), for any number of
//! threads. The work is done in the caller's rayon pool; no state remains after the call.

use std::sync::Arc;

use jfr_parse::{Chunk, ChunkOffset, Loss, Nanos, RawEvent, Recording, Result, Type, TypeId};
use jfrkit_profile::ProfileSet;

use crate::account::Account;
use crate::engine::consumer::{At, Consumer, Ended, Engine};
use crate::engine::driver::{run, tasks};
use crate::engine::functions::Spelling;
use crate::engine::stack_plans::StackPlans;
use crate::engine::stacks::{Shared, with_bounded_names};
use crate::engine::type_map::TypeMap;
use crate::events::facts::Facts;
use crate::events::read::{self, Joined};
use crate::metrics::{self, Metrics, Reader};
use crate::profiles::{self, Collecting, Options};
use crate::rule::{Analysis, AnalysisError, AnalysisOptions, Judging, Report};
use crate::views::{Answers, Part, ViewSet};

/// What to compute from a recording. See the [module](self).
#[derive(Debug)]
pub struct Pass<'p> {
    recording: &'p Recording<'p>,
    profiles: Option<&'p Options>,
    rules: Option<(&'p Analysis, &'p AnalysisOptions)>,
    /// The distance between points, if metrics are requested.
    metrics: Option<Option<Nanos>>,
    views: Option<&'p ViewSet>,
}

/// The results of a [`Pass`], each present if it was requested.
#[derive(Debug)]
#[non_exhaustive]
pub struct Output {
    /// The profiles.
    pub profiles: Option<ProfileSet>,
    /// The findings of the rules.
    pub report: Option<Report>,
    /// The metrics, and the errors of the chunks that are missing from them.
    pub metrics: Option<(Metrics, Vec<String>)>,
    /// The answers of the views, and the errors of the chunks that are missing from them.
    pub views: Option<(Answers, Vec<String>)>,
}

impl<'p> Pass<'p> {
    /// A pass that computes nothing yet.
    #[must_use]
    pub fn new(recording: &'p Recording<'p>) -> Self {
        Self { recording, profiles: None, rules: None, metrics: None, views: None }
    }

    /// Requests profiles.
    #[must_use]
    pub fn profiles(mut self, options: &'p Options) -> Self {
        self.profiles = Some(options);
        self
    }

    /// Requests findings. Needs the feature `rules`.
    #[cfg(feature = "rules")]
    #[must_use]
    pub fn rules(mut self, analysis: &'p Analysis, options: &'p AnalysisOptions) -> Self {
        self.rules = Some((analysis, options));
        self
    }

    /// Requests metrics with points that are this many nanoseconds apart; by default, there are about a hundred points.
    #[must_use]
    pub fn metrics(mut self, step: Option<Nanos>) -> Self {
        self.metrics = Some(step);
        self
    }

    /// Requests views.
    #[must_use]
    pub fn views(mut self, views: &'p ViewSet) -> Self {
        self.views = Some(views);
        self
    }

    /// Reads the recording and computes the requested results.
    ///
    /// # Errors
    /// The error that prevented all chunks from being read; [`Error::Stopped`](jfr_parse::Error::Stopped);
    /// [`Error::Changed`](jfr_parse::Error::Changed); exceeded limits of the whole call; rule options that
    /// refer to something that does not exist.
    pub fn run(self) -> std::result::Result<Output, AnalysisError> {
        let judging = self.rules.map(|(analysis, options)| analysis.prepare(options)).transpose()?;
        let (output, facts) = self.read(judging.as_ref())?;
        #[cfg(feature = "rules")]
        let output =
            Output { report: judging.zip(facts).map(|(judging, facts)| judging.report(facts)).transpose()?, ..output };
        Ok(output)
    }

    /// Computes the requested results except for findings. Unlike [`run`](Self::run), it cannot fail because of rule
    /// options.
    ///
    /// # Errors
    /// Those of [`run`](Self::run) that concern the recording.
    pub(crate) fn without_rules(self) -> Result<Output> {
        Ok(self.read(None)?.0)
    }

    fn read(&self, judging: Option<&Judging<'_>>) -> Result<(Output, Option<Facts>)> {
        with_bounded_names(|short| self.read_with(judging, short))
    }

    /// `short` is whether names are truncated.
    fn read_with(&self, judging: Option<&Judging<'_>>, short: bool) -> Result<(Output, Option<Facts>)> {
        let Self { recording, profiles: collect, metrics, views, .. } = *self;
        let limits = recording.limits();
        let tasks = tasks(&[recording]);
        let spelling = Spelling { short, ..collect.map(Spelling::from).unwrap_or_default() };
        // Rules use normalized method names.
        let shared = Shared::new(Spelling { raw: false, ..spelling }, limits, recording.bytes().len());
        let as_recorded = spelling.raw.then(|| Shared::new(spelling, limits, recording.bytes().len()));
        let of_profiles = as_recorded.as_ref().unwrap_or(&shared);
        let account = Account::new(limits.clone());
        let context = judging.map(|judging| judging.context(recording, &shared));
        let collecting = collect.map(|options| profiles::Context::new(options, of_profiles, &account, &tasks));
        let reader = metrics.map(|step| Reader::new(recording, step));
        let consumer = (collecting, (context, (reader, views.map(Views))));
        let stops = collect.map(|options| &options.stop).into_iter().chain(judging.map(|of| &of.options.stop));
        let mut engine = Engine::new(consumer, &shared, &account, stops);
        engine.stacks_again = collect.is_some() && judging.is_some();
        let mut profiles = collect.map(|options| Collecting::new(&[recording], options, &tasks, limits.losses));
        let mut joined = engine.consumer.1.0.as_ref().map(|context| Joined::new(recording, context));
        let mut measured = metrics.map(|_| (metrics::Part::default(), Vec::new()));
        let mut answers = views.map(|views| (views.merge(), Vec::new()));
        let read = |index: usize, chunk: &Chunk<'_>| {
            let result = engine.chunk(index, chunk)?;
            if let Some(options) = collect.filter(|_| !short) {
                options.progress.report(chunk.header().chunk_size);
            }
            Ok(result)
        };
        let failures = run(&tasks, read, |index, result| {
            let (of_profiles, of_events, of_metrics, of_views) = match result {
                Ok((profiles, (events, (metrics, views)))) => {
                    (profiles.map(Ok), events.map(Ok), metrics.map(Ok), views.map(Ok))
                }
                Err(error) => (Some(Err(error)), Some(Err(error)), Some(Err(error)), Some(Err(error))),
            };
            if let (Some(profiles), Some(result)) = (&mut profiles, of_profiles) {
                profiles.take(index, result);
            }
            if let (Some(joined), Some(context), Some(result)) = (&mut joined, &engine.consumer.1.0, of_events) {
                joined.take_result(context, &account, index, result);
            }
            match (&mut measured, &engine.consumer.1.1.0, of_metrics) {
                (Some((all, _)), Some(reader), Some(Ok(part))) => reader.merge(all, part),
                (Some((_, errors)), _, Some(Err(error))) => errors.push(error.to_string()),
                _ => {}
            }
            match (&mut answers, of_views) {
                (Some((merged, _)), Some(Ok(part))) => merged.add(part),
                (Some((_, errors)), Some(Err(error))) => errors.push(error.to_string()),
                _ => {}
            }
        })?;
        // The report of the rules contains the damage, so it is not an error of the whole call.
        let damage_is_reported = judging.is_some() && collect.is_none() && views.is_none();
        if let Some(error) = failures.first.filter(|error| {
            failures.chunks == tasks.len() && !(damage_is_reported && matches!(error, jfr_parse::Error::Damaged { .. }))
        }) {
            return Err(error);
        }
        let (collecting, (context, (reader, _))) = engine.consumer;
        let threads = context.map(read::Context::into_threads).unwrap_or_default();
        let profiles = profiles.map(|profiles| profiles.finish(of_profiles));
        drop(collecting);
        let names = Arc::new(shared.freeze());
        let tables = as_recorded.map_or_else(|| names.clone(), |as_recorded| Arc::new(as_recorded.freeze()));
        let bytes = recording.bytes().len();
        let output = Output {
            profiles: profiles.map(|profiles| profiles.into_set(tables)),
            report: None,
            metrics: reader.zip(measured).map(|(reader, (all, errors))| (reader.finish(all, bytes), errors)),
            views: answers.map(|(merged, errors)| (merged.finish(), errors)),
        };
        let facts = judging
            .zip(joined)
            .map(|(judging, joined)| joined.finish(recording, &judging.options.stop, &judging.wanted, threads, names));
        Ok((output, facts))
    }
}

/// Number of bytes of a chunk in which one thread looks for the events of views.
const SEGMENT: usize = 4 << 20;

/// The consumer that answers views. Parts of a chunk only list the events that views need; the chunk as a whole reads them in
/// order, because the columns of a view and the numbers of texts depend on the events before.
#[derive(Debug)]
struct Views<'v>(&'v ViewSet);

impl Consumer for Views<'_> {
    /// The event types that views need.
    type Plans = TypeMap<()>;
    type Ready<'c, 'a: 'c>
        = ()
    where
        Self: 'c;
    type State<'c, 'a: 'c>
        = ()
    where
        Self: 'c;
    type Part<'a> = Vec<ChunkOffset>;
    type Yield = Part;

    fn plans(&self, chunk: &Chunk<'_>) -> Result<TypeMap<()>> {
        let mut needed = TypeMap::default();
        chunk.metadata().event_types().filter(|of| self.0.needs(*of)).for_each(|of| needed.insert(of.id(), ()));
        Ok(needed)
    }

    fn reads_constants(&self, _: &TypeMap<()>, _: Type<'_>) -> bool {
        false
    }

    fn reads_events(&self, needed: &TypeMap<()>, of: Type<'_>) -> bool {
        needed.get(of.id()).is_some()
    }

    fn segment(&self) -> usize {
        SEGMENT
    }

    fn trace_type(&self, _: &TypeMap<()>) -> Option<TypeId> {
        None
    }

    fn ready<'c, 'a: 'c>(&'c self, _: At<'c, 'a, TypeMap<()>>, _: Option<&'c StackPlans>) {}

    fn state<'c, 'a: 'c>(&'c self, _: At<'c, 'a, TypeMap<()>>) {}

    fn part<'a>(&self, _: &TypeMap<()>) -> Self::Part<'a> {
        Vec::new()
    }

    #[inline]
    fn event<'c, 'a: 'c>(
        &'c self,
        at: &At<'c, 'a, TypeMap<()>>,
        (): &(),
        (): &mut (),
        part: &mut Vec<ChunkOffset>,
        event: &RawEvent<'a>,
    ) {
        if at.plans.get(event.type_id).is_some() {
            part.push(event.offset);
        }
    }

    fn add_loss(&self, _: &mut Vec<ChunkOffset>, _: Loss) {}

    fn close<'c, 'a: 'c>(&self, (): &mut (), part: &mut Vec<ChunkOffset>) -> usize {
        part.len().saturating_mul(size_of::<ChunkOffset>())
    }

    fn join<'a>(&self, whole: &mut Vec<ChunkOffset>, later: Vec<ChunkOffset>) {
        whole.extend(later);
    }

    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, TypeMap<()>>,
        _: &Ended<'_, 'c, 'a>,
        events: Vec<ChunkOffset>,
    ) -> Result<Part> {
        let events = events.into_iter().filter_map(|offset| at.chunk.event_at(offset));
        let part = self.0.read_events(at.chunk, events);
        at.chunk.stop().check()?;
        Ok(part)
    }
}
