//! Assigns the numbers of strings, functions, locations and mappings in a file.
//!
//! Handles come from the tables in arbitrary order, so nothing here may depend on their numbers. The order
//! depends on the first use among the samples, which is the same in every run, and on the names.
//!
//! Only numbers are assigned here; `encode.rs` next to this folder writes the messages with them. Profiles of
//! any language do not need it: `any/encode.rs` uses the positions in their columns as numbers. Start with
//! [`Numbering::new`], which calls the other files; `survey.rs` finds out beforehand what a profile uses.

mod classes;
mod head;
mod locations;
mod strings;
mod survey;

use std::io;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use jfrkit_profile::index::IndexVec;
use jfrkit_profile::{BlockId, FrameId, FunctionId, LabelValue, Profile, StrId, Tables};

pub(crate) use classes::Classes;
use head::Head;
use strings::Strings;
pub(crate) use survey::Survey;

use crate::wire::{Run, Varint};

/// All numbers used in one profile.
pub(crate) struct Numbering<'p> {
    pub(crate) profile: &'p Profile,
    pub(crate) tables: &'p Tables,
    pub(crate) head: Head,
    /// Maps the handle of a frame to the number of its location.
    location: IndexVec<FrameId, Varint>,
    /// Maps the handle of a block to its index in `runs`.
    run_of: IndexVec<BlockId, u32>,
    /// The encoded location numbers of each block.
    runs: Vec<Run>,
    /// The frames by location number minus 1.
    pub(crate) frames: Vec<FrameId>,
    function: IndexVec<FunctionId, u32>,
    /// The functions by number minus 1.
    pub(crate) functions: Vec<FunctionId>,
    /// The libraries, whose mappings come after the program's.
    pub(crate) libraries: Vec<StrId>,
    mapping: HashMap<StrId, u32, RandomState>,
    strings: Strings<'p>,
}

impl<'p> Numbering<'p> {
    /// Numbers everything a profile uses. `classes` are the classes of its functions, if already known.
    pub(crate) fn new(
        profile: &'p Profile,
        tables: &'p Tables,
        survey: &Survey,
        classes: Option<&Classes>,
    ) -> io::Result<Self> {
        let mut strings = Strings::new(tables);
        let head = Head::new(profile, &mut strings)?;
        for key in &survey.keys {
            strings.fixed(key)?;
        }
        let mut numbering = Self {
            profile,
            tables,
            head,
            location: IndexVec::filled(Varint::default(), tables.frame_count()),
            run_of: IndexVec::filled(0, tables.block_bound()),
            runs: Vec::with_capacity(survey.blocks.len()),
            frames: Vec::new(),
            function: IndexVec::filled(0, tables.function_count()),
            functions: Vec::new(),
            libraries: Vec::new(),
            mapping: HashMap::default(),
            strings,
        };
        numbering.add_functions(survey, classes)?;
        numbering.frames = locations::order(&survey.frames, tables, |id| numbering.function(id));
        for (&frame, at) in numbering.frames.iter().zip(1..) {
            numbering.location[frame] = Varint::new(number(at)?);
        }
        for (&block, at) in survey.blocks.iter().zip(0..) {
            numbering.run_of[block] = at;
            let run = Run::new(tables.block(block).iter().map(|&frame| numbering.location(frame)));
            numbering.runs.push(run);
        }
        if !survey.keys.is_empty() {
            numbering.add_labels()?;
        }
        Ok(numbering)
    }

    fn add_functions(&mut self, survey: &Survey, classes: Option<&Classes>) -> io::Result<()> {
        for used in &survey.frames {
            let id = self.tables.frame(used.frame).function;
            if self.function[id] == 0 {
                self.function[id] = u32::MAX;
                self.functions.push(id);
            }
        }
        let own;
        let classes = match classes {
            Some(classes) => classes,
            None => {
                own = Classes::of(&self.functions, self.tables);
                &own
            }
        };
        classes.sort(&mut self.functions);
        for (&id, at) in self.functions.iter().zip(1..) {
            self.function[id] = number(at)?;
            let function = self.tables.function(id);
            for text in [function.name, function.system_name, function.file] {
                self.strings.add(text)?;
            }
            let library = function.library;
            if !self.tables.str(library).is_empty() && !self.mapping.contains_key(&library) {
                self.strings.add(library)?;
                self.libraries.push(library);
                self.mapping.insert(library, number(self.libraries.len() + 1)?);
            }
        }
        Ok(())
    }

    fn add_labels(&mut self) -> io::Result<()> {
        for sample in self.profile.samples.iter() {
            for label in self.tables.labels(sample.labels) {
                if let LabelValue::Text(text) = label.value {
                    self.strings.add(text)?;
                }
            }
        }
        Ok(())
    }

    /// The location number of a frame.
    #[inline]
    pub(crate) fn location(&self, frame: FrameId) -> Varint {
        self.location[frame]
    }

    /// The encoded location numbers of a block.
    #[inline]
    pub(crate) fn run(&self, block: BlockId) -> Option<&Run> {
        self.runs.get(self.run_of[block] as usize)
    }

    /// The number of a function.
    #[inline]
    pub(crate) fn function(&self, function: FunctionId) -> u32 {
        self.function[function]
    }

    /// The number of a library's mapping, or of the program's mapping if the name is empty.
    #[inline]
    pub(crate) fn mapping(&self, library: StrId) -> u32 {
        if self.libraries.is_empty() { 1 } else { self.mapping.get(&library).copied().unwrap_or(1) }
    }

    /// The number of a string.
    #[inline]
    pub(crate) fn string(&self, text: StrId) -> u32 {
        self.strings.number(text)
    }

    /// The number of a label key.
    #[inline]
    pub(crate) fn key(&self, key: &str) -> u32 {
        self.strings.number_of_fixed(key)
    }

    /// The strings by number.
    pub(crate) fn strings(&self) -> &[&'p str] {
        &self.strings.texts
    }
}

/// Converts a count to 32 bits. There cannot be more items than handles, which have 32 bits.
fn number(count: usize) -> io::Result<u32> {
    u32::try_from(count).map_err(|_| io::Error::other("more than 2^32 entries in a profile"))
}
