//! `jfrkit metadata`.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use jfr_parse::text::declaration;
use jfr_parse::{Metadata, Type};

use crate::event_filter::Globs;
use crate::failure::Failure;
use crate::input::{self, Input};

/// Show the event types and other types of a recording, with fields, annotations and settings
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit metadata recording.jfr
  jfrkit metadata --events 'GC*,jdk.types.VirtualSpace' recording.jfr

Types that several chunks declare identically are shown once. The settings are the defaults of the event types; the \
effective settings are in jdk.ActiveSetting events.")]
pub(crate) struct Args {
    /// Only these types: comma-separated names, with or without package, with * and ?
    #[arg(long, value_name = "GLOBS")]
    events: Option<Globs>,

    #[command(flatten)]
    input: input::Args,
}

/// The text of the metadata, and the chunks that share it.
struct Shared {
    declarations: Vec<String>,
    chunks: Vec<usize>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.input.each(|input| one(args, input))
}

fn one(args: &Args, input: &Input<'_>) -> Result<(), Failure> {
    for loss in input.recording.losses() {
        input.losses.warn(loss);
    }
    let (mut all, mut failed) = (Vec::<Shared>::new(), None);
    let mut names = std::collections::BTreeSet::new();
    let (mut by_address, mut by_text, mut kept) = (HashMap::new(), HashMap::new(), Vec::new());
    for (index, chunk) in input.recording.chunks().enumerate() {
        input.check()?;
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(e) => {
                input.warn(&e)?;
                failed = failed.or(Some(e));
                continue;
            }
        };
        names.extend(chunk.metadata().event_types().map(|of| of.name().to_owned()));
        let metadata = chunk.shared_metadata();
        let place = match by_address.get(&Arc::as_ptr(metadata)) {
            Some(place) => *place,
            None => {
                // Metadata that differs only in ids looks the same.
                let declarations = declarations(metadata, args);
                let place = *by_text.entry(declarations).or_insert_with_key(|declarations| {
                    all.push(Shared { declarations: declarations.clone(), chunks: Vec::new() });
                    all.len() - 1
                });
                // Keep the metadata alive, so that its address is not reused.
                kept.push(metadata.clone());
                by_address.insert(Arc::as_ptr(metadata), place);
                place
            }
        };
        if let Some(shared) = all.get_mut(place) {
            shared.chunks.push(index);
        }
    }
    input.check_unchanged()?;
    if let (Some(e), true) = (failed, all.is_empty()) {
        return Err(Failure::of(input.name, &e));
    }
    let mut out = crate::output::stdout();
    if input.many {
        writeln!(out, "// {}\n", jfr_parse::text::plain(input.name))?;
    }
    for shared in &all {
        if all.len() > 1 {
            let chunks: Vec<String> = shared.chunks.iter().map(usize::to_string).collect();
            let word = if chunks.len() == 1 { "chunk" } else { "chunks" };
            writeln!(out, "// {word} {}\n", chunks.join(", "))?;
        }
        for declaration in &shared.declarations {
            writeln!(out, "{declaration}")?;
        }
    }
    out.flush()?;
    if let Some(globs) = &args.events {
        let fits = all.iter().any(|shared| !shared.declarations.is_empty());
        globs.check(fits, &names).map_err(|error| Failure::Usage(format!("{}: {error}", input.name)))?;
    }
    input.losses.finish()
}

fn declarations(metadata: &Metadata, args: &Args) -> Vec<String> {
    let wanted = |of: &Type<'_>| args.events.as_ref().is_none_or(|globs| globs.fits_type(*of));
    metadata.types().filter(wanted).map(declaration).collect()
}
