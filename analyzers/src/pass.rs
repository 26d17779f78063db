//! Computes profiles, findings and views of one recording while reading it only once.
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
//! let output = Pass::new(&recording).profiles(&options).rules(&analysis, &judging).run()?;
//! assert!(output.profiles.is_some_and(|set| set.profiles.len() > 5));
//! assert!(output.report.is_some_and(|report| report.rules.is_empty()));
//! # Ok(())
//! # }
//! ```
//!
//! No matter how much is requested, events are read, constants looked up and stack traces resolved only once. The
//! results are the same as those of separate calls to [`collect`](crate::collect()), [`Analysis::evaluate`] and
//! [`answer`](crate::views::answer), for any number of threads. The work is done in the caller's rayon pool; no
//! state remains after the call.

use std::sync::Arc;

use jfr_parse::{Chunk, Loss, RawEvent, Recording, Result, Type};
use jfrkit_profile::ProfileSet;

use crate::account::Account;
use crate::engine::consumer::{At, Consumer, Ended, Engine};
use crate::engine::driver::{run, tasks};
use crate::engine::functions::Spelling;
use crate::engine::stack_plans::StackPlans;
use crate::engine::stacks::Shared;
use crate::events::read::{self, Joined};
use crate::profiles::{self, Collecting, Options};
use crate::rule::{Analysis, AnalysisError, AnalysisOptions, Report};
use crate::views::{Answers, Part, ViewSet};

/// What to compute from a recording. See the [module](self).
#[derive(Debug)]
pub struct Pass<'p> {
    recording: &'p Recording<'p>,
    profiles: Option<&'p Options>,
    rules: Option<(&'p Analysis, &'p AnalysisOptions)>,
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
    /// The answers of the views, and why some chunks are missing from them.
    pub views: Option<(Answers, Vec<String>)>,
}

impl<'p> Pass<'p> {
    /// A pass that computes nothing yet.
    #[must_use]
    pub fn new(recording: &'p Recording<'p>) -> Self {
        Self { recording, profiles: None, rules: None, views: None }
    }

    /// Requests profiles.
    #[must_use]
    pub fn profiles(mut self, options: &'p Options) -> Self {
        self.profiles = Some(options);
        self
    }

    /// Requests findings.
    #[must_use]
    pub fn rules(mut self, analysis: &'p Analysis, options: &'p AnalysisOptions) -> Self {
        self.rules = Some((analysis, options));
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
        let Self { recording, profiles: collect, rules, views } = self;
        let limits = recording.limits();
        let tasks = tasks(&[recording]);
        let judging = rules.map(|(analysis, options)| analysis.prepare(options)).transpose()?;
        let spelling = collect.map(Spelling::from).unwrap_or_default();
        // Rules use normalized method names.
        let shared = Shared::new(Spelling { raw: false, ..spelling }, limits, recording.bytes().len());
        let as_recorded = spelling.raw.then(|| Shared::new(spelling, limits, recording.bytes().len()));
        let of_profiles = as_recorded.as_ref().unwrap_or(&shared);
        let account = Account::new(limits.clone());
        let context = judging.as_ref().map(|judging| judging.context(recording, &shared));
        let collecting = collect.map(|options| profiles::Context::new(options, of_profiles, &account, &tasks));
        let consumer = (collecting, (context, views.map(Views)));
        let stops = collect.map(|options| &options.stop).into_iter().chain(rules.map(|(_, options)| &options.stop));
        let mut engine = Engine::new(consumer, &shared, &account, stops);
        engine.stacks_again = collect.is_some() && rules.is_some();
        let mut profiles = collect.map(|options| Collecting::new(&[recording], options, &tasks, limits.losses));
        let mut joined = engine.consumer.1.0.as_ref().map(|context| Joined::new(recording, context));
        let mut answers = views.map(|views| (views.merge(), Vec::new()));
        let read = |index: usize, chunk: &Chunk<'_>| {
            let result = engine.chunk(index, chunk)?;
            if let Some(options) = collect {
                options.progress.tell(chunk.header().chunk_size);
            }
            Ok(result)
        };
        let failures = run(&tasks, read, |index, result| {
            let (of_profiles, of_events, of_views) = match result {
                Ok((profiles, (events, views))) => (profiles.map(Ok), events.map(Ok), views.map(Ok)),
                Err(error) => (Some(Err(error)), Some(Err(error)), Some(Err(error))),
            };
            if let (Some(profiles), Some(result)) = (&mut profiles, of_profiles) {
                profiles.take(index, result);
            }
            if let (Some(joined), Some(context), Some(result)) = (&mut joined, &engine.consumer.1.0, of_events) {
                joined.take_result(context, &account, index, result);
            }
            match (&mut answers, of_views) {
                (Some((merged, _)), Some(Ok(part))) => merged.add(part),
                (Some((_, errors)), Some(Err(error))) => errors.push(error.to_string()),
                _ => {}
            }
        })?;
        let damage_is_told = collect.is_none() && views.is_none();
        if let Some(error) = failures.first.filter(|error| {
            failures.chunks == tasks.len() && !(damage_is_told && matches!(error, jfr_parse::Error::Damaged { .. }))
        }) {
            return Err(error.into());
        }
        let threads = engine.consumer.1.0.map(read::Context::into_threads).unwrap_or_default();
        let profiles = profiles.map(|profiles| profiles.finish(of_profiles));
        drop(engine.consumer.0);
        let names = Arc::new(shared.freeze());
        let tables = as_recorded.map_or_else(|| names.clone(), |as_recorded| Arc::new(as_recorded.freeze()));
        let report = judging
            .zip(joined)
            .map(|(judging, joined)| {
                let facts = joined.finish(recording, &judging.options.stop, &judging.wanted, threads, names);
                judging.report(facts)
            })
            .transpose()?;
        Ok(Output {
            profiles: profiles.map(|profiles| profiles.into_set(tables)),
            report,
            views: answers.map(|(merged, errors)| (merged.finish(), errors)),
        })
    }
}

/// The consumer that answers views. Which events a view set needs can depend on earlier events, so it walks the
/// events of a chunk by itself.
#[derive(Debug)]
struct Views<'v>(&'v ViewSet);

impl Consumer for Views<'_> {
    type Plans = ();
    type Ready<'c, 'a: 'c>
        = ()
    where
        Self: 'c;
    type State<'c, 'a: 'c>
        = ()
    where
        Self: 'c;
    type Part<'a> = ();
    type Yield = Part;

    fn plans(&self, _: &Chunk<'_>) -> Result<()> {
        Ok(())
    }

    fn reads_constants(&self, (): &(), _: Type<'_>) -> bool {
        false
    }

    fn reads_events(&self, (): &(), _: Type<'_>) -> bool {
        false
    }

    fn segment(&self) -> usize {
        usize::MAX
    }

    fn trace_type(&self, (): &()) -> Option<jfr_parse::TypeId> {
        None
    }

    fn ready<'c, 'a: 'c>(&'c self, _: At<'c, 'a, ()>, _: Option<&'c StackPlans>) {}

    fn state<'c, 'a: 'c>(&'c self, _: At<'c, 'a, ()>) {}

    fn part<'a>(&self, (): &()) -> Self::Part<'a> {}

    #[inline]
    fn event<'c, 'a: 'c>(&'c self, _: &At<'c, 'a, ()>, (): &(), (): &mut (), (): &mut (), _: &RawEvent<'a>) {}

    fn lose(&self, (): &mut (), _: Loss) {}

    fn close<'c, 'a: 'c>(&self, (): &mut (), (): &mut Self::Part<'a>) -> usize {
        0
    }

    fn join<'a>(&self, (): &mut Self::Part<'a>, (): Self::Part<'a>) {}

    fn finish<'c, 'a: 'c>(&'c self, at: At<'c, 'a, ()>, _: &Ended<'_, 'c, 'a>, (): Self::Part<'a>) -> Result<Part> {
        let part = self.0.read(at.chunk);
        at.chunk.stop().check()?;
        Ok(part)
    }
}
