//! `jfrkit metadata`.

use std::io::Write;
use std::sync::Arc;

use jfr_parse::text::declaration;
use jfr_parse::{Metadata, Type};

use crate::event_filter::Globs;
use crate::failure::Failure;
use crate::input;

/// Show the types that a recording declares, with their fields, annotations and settings
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit metadata recording.jfr
  jfrkit metadata --events 'GC*,jdk.types.VirtualSpace' recording.jfr

Chunks that declare the same types are shown once. The settings shown are the defaults of the event types; what was in
force is in the events jdk.ActiveSetting.")]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,

    /// Only these types: comma-separated names, with or without package, with * and ?
    #[arg(long, value_name = "GLOBS")]
    events: Option<Globs>,
}

/// A metadata and the chunks that have it.
struct Shared {
    metadata: Arc<Metadata>,
    declarations: Vec<String>,
    chunks: Vec<usize>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let input = args.input.open()?;
    for loss in input.recording.losses() {
        input.losses.warn(loss);
    }
    let (mut all, mut failed) = (Vec::<Shared>::new(), None);
    for (index, chunk) in input.recording.chunks().enumerate() {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(e) => {
                input.warn(&e)?;
                failed = failed.or(Some(e));
                continue;
            }
        };
        let metadata = chunk.shared_metadata();
        if let Some(known) = all.iter_mut().find(|s| Arc::ptr_eq(&s.metadata, metadata)) {
            known.chunks.push(index);
            continue;
        }
        // Ids alone do not make a difference that can be seen.
        let declarations = declarations(metadata, args);
        match all.iter_mut().find(|s| s.declarations == declarations) {
            Some(known) => known.chunks.push(index),
            None => all.push(Shared { metadata: metadata.clone(), declarations, chunks: vec![index] }),
        }
    }
    input.check_unchanged()?;
    if let (Some(e), true) = (failed, all.is_empty()) {
        return Err(Failure::of(input.name, &e));
    }
    let mut out = crate::output::stdout();
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
    input.losses.finish()
}

fn declarations(metadata: &Metadata, args: &Args) -> Vec<String> {
    let wanted = |of: &Type<'_>| args.events.as_ref().is_none_or(|globs| globs.fits_type(*of));
    metadata.types().filter(wanted).map(declaration).collect()
}
