//! Profiles from any input: recordings and pprof files, compressed or not, one or many.

use std::ffi::OsString;
use std::io::Read;

use jfr_analyzers::{Filter, LabelKey, Options, collect_merged};
use jfr_parse::{MAGIC, OpenOptions, Recording, Stop};
use jfrkit_profile::any::{AnyProfile, java_title, types};
use jfrkit_profile::tree::{CallStacks, TreeError};
use jfrkit_profile::{Cancel, ProfileSet, ProfileType};
use pprof_emit::{AnyLimits, read_any};

use crate::collecting;
use crate::failure::Failure;
use crate::inputs::{Source, Wanted, find};
use crate::limits;
use crate::output::{print_error, print_warning, warn};

/// A profile type with its stacks.
#[derive(Debug)]
pub(crate) struct Typed {
    /// The short name: `cpu`.
    pub(crate) kind: String,
    /// The human-readable name: `CPU in Java Code`.
    pub(crate) title: String,
    /// What the type shows; empty if unknown.
    pub(crate) definition: String,
    /// How the numbers were derived, one line each.
    pub(crate) how: Vec<String>,
    /// The stacks of all inputs together.
    pub(crate) stacks: CallStacks,
}

impl Typed {
    /// Index, name and unit of the default value.
    pub(crate) fn value(&self) -> (usize, &str, &str) {
        let at = self.stacks.default_value;
        let of = self.stacks.types().get(at);
        (at, of.map_or("", |of| &of.name), of.map_or("count", |of| &of.unit))
    }
}

/// The profiles of the inputs, merged by type.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// The common name of the inputs.
    pub(crate) name: String,
    /// The types with samples.
    pub(crate) types: Vec<Typed>,
    /// The recording profile types without samples, with the reason.
    pub(crate) absent: Vec<(ProfileType, String)>,
    /// The types of pprof files that had samples before filters were applied.
    pub(crate) filtered: Vec<String>,
    /// The type that would be the first one without filters, if they removed all its samples, with the reason.
    pub(crate) emptied: Option<(String, String)>,
    /// Whether any data could not be read.
    pub(crate) lossy: bool,
    /// Whether an input could not be read at all, which was already reported.
    pub(crate) failed: bool,
}

impl Loaded {
    /// Finishes the command. Fails if an input could not be read, or, with --strict, if data was lost.
    pub(crate) fn finish(&self, strict: bool) -> Result<(), Failure> {
        match (self.failed, self.lossy && strict) {
            (true, _) => Err(Failure::Reported),
            (_, true) => Err(Failure::lossy(&self.name)),
            _ => Ok(()),
        }
    }

    /// The types with these names or values, each with that name; without names, the first one. Warns about those without samples
    /// if there are others.
    pub(crate) fn pick_all<'a>(&'a self, wanted: &'a [String]) -> Result<Vec<(&'a str, &'a Typed)>, Failure> {
        if wanted.is_empty() {
            return Ok(vec![("", self.pick(None)?)]);
        }
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in wanted {
            match self.pick(Some(name)) {
                Ok(of) => found.push((name.as_str(), of)),
                Err(Failure::Failed(reason)) => missing.push(reason),
                Err(failure) => return Err(failure),
            }
        }
        if found.is_empty() && !missing.is_empty() {
            return Err(Failure::Failed(missing.remove(0)));
        }
        for reason in &missing {
            print_warning(reason);
        }
        Ok(found)
    }

    /// Says that the filters removed all samples of the type that would be shown without them, if so.
    pub(crate) fn emptied(&self) -> Option<String> {
        let (kind, reason) = self.emptied.as_ref()?;
        Some(format!("{}: no {kind} profile: {reason}", self.name))
    }

    /// Makes the values with these names the ones that their types show by default.
    pub(crate) fn prefer(&mut self, names: &[String]) {
        for name in names {
            if self.types.iter().any(|of| of.kind == *name) {
                continue;
            }
            for of in &mut self.types {
                if let Some(value) = of.stacks.value_named(name) {
                    of.stacks.default_value = value;
                    break;
                }
            }
        }
    }

    /// The type with this name or value; without a name, the first one.
    pub(crate) fn pick(&self, wanted: Option<&str>) -> Result<&Typed, Failure> {
        let Some(wanted) = wanted else {
            if let Some(reason) = self.emptied() {
                return Err(Failure::Failed(reason));
            }
            return self.types.first().ok_or_else(|| Failure::Failed(format!("{}: there are no samples", self.name)));
        };
        let named = |of: &&Typed| of.kind == wanted || of.stacks.value_named(wanted).is_some();
        self.types.iter().find(|of| of.kind == wanted).or_else(|| self.types.iter().find(named)).ok_or_else(|| {
            let absent = self.absent.iter().find(|(kind, _)| kind.name() == wanted).map(|(_, reason)| reason.as_str());
            let absent = absent.or_else(|| self.filtered.iter().any(|kind| kind == wanted).then_some(EXCLUDED));
            let there: Vec<&str> = self.types.iter().map(|of| of.kind.as_str()).collect();
            match absent {
                Some(reason) => Failure::Failed(format!("{}: no {wanted} profile: {reason}", self.name)),
                None if ProfileType::from_name(wanted).is_some() => {
                    Failure::Failed(format!("{}: no {wanted} profile; it has {}", self.name, there.join(", ")))
                }
                None => {
                    let known = ProfileType::ALL.iter().map(|of| of.name()).chain(there.iter().copied());
                    let list = format!("it has {}", there.join(", "));
                    let hint = crate::near::hint(wanted, known, &list);
                    Failure::Usage(format!("{}: no profile type {wanted:?}{hint}", self.name))
                }
            }
        })
    }
}

/// An open input.
pub(crate) enum Opened {
    Recording(Box<Recording<'static>>),
    Profile(Box<AnyProfile>),
}

/// Opens an input, compressed or not, and reports its losses. The flag is whether there are any.
pub(crate) fn open(source: &Source, opening: &OpenOptions, cancel: &Cancel) -> Result<(Opened, bool), Failure> {
    let name = source.name();
    match bytes(source, opening)? {
        Bytes::Recording(recording) => {
            let lossy = !recording.losses().is_empty();
            Ok((Opened::Recording(recording), lossy))
        }
        Bytes::Other(bytes) => {
            if bytes.is_empty() {
                return Err(Failure::Failed(format!("{name}: the file is empty")));
            }
            let profile = match read_any(&bytes, &AnyLimits::default(), cancel) {
                Ok(profile) => profile,
                // A file with the name of a recording was meant to be one.
                Err(_)
                    if source.is_recording()
                        && let Err(error) = opening.from_bytes(bytes) =>
                {
                    return Err(Failure::of(&name, &error));
                }
                Err(e) => return Err(Failure::Failed(format!("{name}: neither a recording nor a profile: {e}"))),
            };
            for loss in &profile.losses {
                warn(&name, loss);
            }
            let lossy = !profile.losses.is_empty();
            Ok((Opened::Profile(Box::new(profile)), lossy))
        }
    }
}

/// Why a type of a pprof file has no samples left.
const EXCLUDED: &str = "the filters exclude all samples";

/// The type that would be the first one of these recordings without filters, if the filters removed all its samples, with the reason.
pub(crate) fn emptied(
    recordings: &[&Recording<'_>],
    options: &Options,
    set: &ProfileSet,
) -> jfr_parse::Result<Option<(ProfileType, String)>> {
    if options.filter.is_empty() {
        return Ok(None);
    }
    let first = set.profiles.first().map(|profile| profile.kind);
    let before: Vec<ProfileType> = ProfileType::ALL.iter().copied().take_while(|kind| Some(*kind) != first).collect();
    let mut options = options.clone();
    options.types = set.absent.iter().map(|absent| absent.kind).filter(|kind| before.contains(kind)).collect();
    options.filter = Filter::default();
    options.labels.clear();
    options.timeline = None;
    if options.types.is_empty() {
        return Ok(None);
    }
    let unfiltered = collect_merged(recordings, &options)?;
    let kind = unfiltered.profiles.first().map(|profile| profile.kind);
    let absent = set.absent.iter().find(|absent| Some(absent.kind) == kind);
    Ok(absent.map(|absent| (absent.kind, absent.reason.clone())))
}

/// The types of a pprof file whose values are not all zero.
fn kinds_of(profile: &AnyProfile) -> Vec<String> {
    let totals = profile.totals();
    let counted = |at: &usize| totals.get(*at).is_some_and(|total| *total != 0);
    types(profile).into_iter().filter(|of| of.values.iter().any(counted)).map(|of| of.kind).collect()
}

/// The types with samples in a pprof file.
pub(crate) fn of_profile(profile: &AnyProfile) -> Vec<Typed> {
    let mut found = Vec::new();
    for of in types(profile) {
        let stacks = profile.call_stacks(&of.values);
        if stacks.is_empty() {
            continue;
        }
        let how = profile.comments.iter().map(|&c| profile.texts.get(c).to_owned()).collect();
        let definition = ProfileType::from_name(&of.kind).map_or("", ProfileType::title).to_owned();
        found.push(Typed { kind: of.kind, title: of.title, definition, how, stacks });
    }
    found
}

/// The types with samples in a set.
pub(crate) fn of_set(set: &ProfileSet) -> Vec<Typed> {
    let of = |profile: &jfrkit_profile::Profile| Typed {
        kind: profile.kind.name().to_owned(),
        title: java_title(profile.kind).to_owned(),
        definition: profile.kind.title().to_owned(),
        how: profile.comments.clone(),
        stacks: CallStacks::of(profile, &set.tables),
    };
    set.profiles.iter().map(of).collect()
}

/// Adds the types of another input with this name. Merging as inputs are read keeps only one of them in memory.
fn add(found: &mut Vec<Typed>, more: Vec<Typed>, name: &str, cancel: &Cancel) -> Result<(), Failure> {
    for of in more {
        match found.iter_mut().find(|known| known.kind == of.kind) {
            Some(known) => {
                known.stacks.append(&of.stacks, cancel).map_err(|e| match e {
                    TreeError::DifferentTypes { a, b } => Failure::Failed(format!(
                        "{name}: its {} profile measures {b}, those before it measure {a}",
                        of.kind
                    )),
                    e => tree_failure(&e),
                })?;
                for line in of.how {
                    if !known.how.contains(&line) {
                        known.how.push(line);
                    }
                }
            }
            None => found.push(of),
        }
    }
    Ok(())
}

/// Whether an input is a pprof file, compressed or not.
pub(crate) fn is_pprof(source: &Source, opening: &OpenOptions) -> bool {
    source.is_file()
        && matches!(bytes(source, opening), Ok(Bytes::Other(bytes))
            if !bytes.is_empty() && read_any(&bytes, &AnyLimits::default(), &Cancel::default()).is_ok())
}

/// The content of one input.
enum Bytes {
    Recording(Box<Recording<'static>>),
    Other(Vec<u8>),
}

fn bytes(source: &Source, opening: &OpenOptions) -> Result<Bytes, Failure> {
    let name = source.name();
    let failed = |e: std::io::Error| Failure::Failed(format!("{name}: {e}"));
    let mut head = [0; MAGIC.len()];
    let mut input = source.reader().map_err(failed)?;
    let mut bytes = Vec::new();
    input.by_ref().take(head.len() as u64).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() == head.len() {
        head.copy_from_slice(&bytes);
    }
    if head == MAGIC && source.is_file() {
        return source
            .open(opening)
            .map(|recording| Bytes::Recording(Box::new(recording)))
            .map_err(|e| Failure::of(&name, &e));
    }
    // Standard input and compressed recordings have to be read completely anyway.
    input.read_to_end(&mut bytes).map_err(failed)?;
    let (bytes, losses) = opening.unpack(bytes).map_err(|e| Failure::of(&name, &e))?;
    if bytes.starts_with(&MAGIC) {
        for loss in losses {
            warn(&name, loss);
        }
        return opening
            .from_bytes(bytes)
            .map(|recording| Bytes::Recording(Box::new(recording)))
            .map_err(|e| Failure::of(&name, &e));
    }
    match losses.first() {
        Some(loss) => Err(Failure::Failed(format!("{name}: {loss}"))),
        None => Ok(Bytes::Other(bytes)),
    }
}

/// Adapts a stop handle for code that does not know recordings.
pub(crate) fn cancel(stop: &Stop) -> Cancel {
    let stop = stop.clone();
    Cancel::when(move || stop.is_raised())
}

/// The failure for a tree that cannot be built.
pub(crate) fn tree_failure(error: &TreeError) -> Failure {
    match error {
        TreeError::Canceled => Failure::Failed("timed out; raise --timeout to allow more time".to_owned()),
        TreeError::BadPattern { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Failed(error.to_string()),
    }
}

/// Reads the inputs. For recordings, `wanted` lists the types (empty for all) and `labels` the sample labels.
pub(crate) fn load(
    inputs: &[OsString],
    wanted: &[ProfileType],
    labels: &[LabelKey],
    collecting: &collecting::Args,
    limits: &limits::Args,
) -> Result<(Loaded, Cancel), Failure> {
    let stop = limits.stop();
    let opening = limits.opening().stop(stop.clone());
    let cancel = cancel(&stop);
    let inputs = find(inputs, Wanted::Profiles);
    let mut out = Loaded { failed: inputs.print_failures(), ..Loaded::default() };
    if inputs.sources.is_empty() {
        return Err(Failure::Reported);
    }
    let mut recordings: Vec<(String, Recording<'static>)> = Vec::new();
    let mut found: Vec<Typed> = Vec::new();
    let mut filtered: Vec<String> = Vec::new();
    let names: Vec<String> = inputs.sources.iter().map(Source::name).collect();
    out.name = match names.as_slice() {
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        [] => String::new(),
    };
    for source in &inputs.sources {
        let filter = |(mut opened, lossy)| {
            if let Opened::Profile(profile) = &mut opened {
                filtered.extend(kinds_of(profile));
                collecting.apply(&source.name(), profile)?;
            }
            Ok((opened, lossy))
        };
        let (opened, lossy) = match open(source, &opening, &cancel).and_then(filter) {
            Ok(opened) => opened,
            Err(failure) if inputs.sources.len() == 1 && !out.failed => return Err(failure),
            Err(failure) => {
                print_error(&failure.to_string());
                out.failed = true;
                continue;
            }
        };
        match opened {
            Opened::Recording(recording) => recordings.push((source.name(), *recording)),
            Opened::Profile(profile) => {
                out.lossy |= lossy;
                add(&mut found, of_profile(&profile), &source.name(), &cancel)?;
            }
        }
    }
    if !recordings.is_empty() {
        let all: Vec<&Recording<'_>> = recordings.iter().map(|(_, recording)| recording).collect();
        let mut options = collecting.options(&out.name, wanted, &all)?;
        if collecting.labels().is_none_or(|labels| labels.is_empty()) {
            options.labels = labels.to_vec();
        }
        let set = collect_merged(&all, &options).map_err(|e| Failure::of(&out.name, &e))?;
        for text in &set.losses {
            out.lossy = true;
            warn(&out.name, text);
        }
        for text in &set.warnings {
            warn(&out.name, text);
        }
        if wanted.is_empty() {
            let emptied = emptied(&all, &options, &set).map_err(|e| Failure::of(&out.name, &e))?;
            out.emptied = emptied.map(|(kind, reason)| (kind.name().to_owned(), reason));
        }
        // The types of recordings come first.
        let of_profiles = std::mem::replace(&mut found, of_set(&set));
        add(&mut found, of_profiles, &out.name, &cancel)?;
        out.absent = set.absent.iter().map(|absent| (absent.kind, absent.reason.clone())).collect();
    }
    out.types = found;
    if recordings.is_empty()
        && let Some(first) = filtered.first().filter(|first| out.types.iter().all(|of| of.kind != **first))
    {
        out.emptied = Some((first.clone(), EXCLUDED.to_owned()));
    }
    out.filtered = filtered;
    Ok((out, cancel))
}
