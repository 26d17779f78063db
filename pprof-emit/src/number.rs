//! The numbers that strings, functions, locations and mappings get in a file.
//!
//! Handles come out of the tables in any order, so nothing here may depend on their numbers. What decides is the
//! first use in the order of the samples, which is the same in every run, and the names.

use std::io;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use jfr_analyzers::model::{FrameId, FunctionId, LabelValue, Profile, StrId, Tables};

/// The texts that the head of a profile refers to, in the order in which [`Numbering`] numbers them.
pub(crate) struct Head {
    /// Name and unit of each value.
    pub(crate) sample_types: Vec<(u32, u32)>,
    /// Name and unit of the period, and its amount.
    pub(crate) period: Option<(u32, u32, i64)>,
    /// The comments.
    pub(crate) comments: Vec<u32>,
}

/// All numbers of one profile.
pub(crate) struct Numbering<'p> {
    pub(crate) profile: &'p Profile,
    pub(crate) tables: &'p Tables,
    pub(crate) head: Head,
    /// The number of a frame's location by the frame's handle; 0 for those that the profile does not use.
    location: Vec<u32>,
    /// The frames by location number, less 1.
    pub(crate) frames: Vec<FrameId>,
    function: Vec<u32>,
    /// The functions by number, less 1.
    pub(crate) functions: Vec<FunctionId>,
    /// File names (as string numbers) by mapping number, less 1; the first is the program, the others are libraries.
    pub(crate) mappings: Vec<u32>,
    libraries: HashMap<StrId, u32, RandomState>,
    strings: Strings<'p>,
}

impl<'p> Numbering<'p> {
    pub(crate) fn new(profile: &'p Profile, tables: &'p Tables) -> io::Result<Self> {
        let mut used = survey(profile, tables)?;
        let mut strings = Strings::new();
        let head = Head::new(profile, &mut strings)?;
        for sample in profile.samples.iter() {
            for label in tables.labels(sample.labels) {
                strings.fixed(label.key)?;
            }
        }
        let main = profile.main.as_deref().filter(|main| !main.is_empty()).unwrap_or("java");
        let mut numbering = Self {
            profile,
            tables,
            head,
            location: vec![0; tables.frame_count()],
            frames: Vec::with_capacity(used.len()),
            function: vec![0; tables.function_count()],
            functions: Vec::new(),
            mappings: vec![strings.fixed(main)?],
            libraries: HashMap::default(),
            strings,
        };
        for id in by_class(&used, tables)? {
            numbering.add_function(id)?;
        }
        // Frequent ones first, so that they get the numbers that take one or two bytes. Stable: among equally
        // frequent ones the first used stays first.
        used.sort_by_key(|frame| std::cmp::Reverse(frame.count));
        for Used { frame, .. } in used {
            numbering.frames.push(frame);
            set(&mut numbering.location, frame.index(), number(numbering.frames.len())?);
        }
        for sample in profile.samples.iter() {
            for label in tables.labels(sample.labels) {
                if let LabelValue::Text(text) = label.value {
                    numbering.strings.add(text, tables)?;
                }
            }
        }
        Ok(numbering)
    }

    fn add_function(&mut self, id: FunctionId) -> io::Result<()> {
        self.functions.push(id);
        set(&mut self.function, id.index(), number(self.functions.len())?);
        let function = self.tables.function(id);
        for text in [function.name, function.system_name, function.file] {
            self.strings.add(text, self.tables)?;
        }
        if !self.tables.str(function.library).is_empty() && !self.libraries.contains_key(&function.library) {
            let text = self.strings.add(function.library, self.tables)?;
            self.mappings.push(text);
            self.libraries.insert(function.library, number(self.mappings.len())?);
        }
        Ok(())
    }

    /// The number of a frame's location.
    #[inline]
    pub(crate) fn location(&self, frame: FrameId) -> u32 {
        self.location.get(frame.index()).copied().unwrap_or(0)
    }

    /// The number of a function.
    #[inline]
    pub(crate) fn function(&self, function: FunctionId) -> u32 {
        self.function.get(function.index()).copied().unwrap_or(0)
    }

    /// The number of the mapping that holds a library; the program's where the name is empty.
    #[inline]
    pub(crate) fn mapping(&self, library: StrId) -> u32 {
        self.libraries.get(&library).copied().unwrap_or(1)
    }

    /// The number of a string.
    #[inline]
    pub(crate) fn string(&self, text: StrId) -> u32 {
        self.strings.by_handle.get(text.index()).copied().unwrap_or(0)
    }

    /// The number of the key of a label.
    #[inline]
    pub(crate) fn key(&self, key: &str) -> u32 {
        self.strings.fixed.get(key).copied().unwrap_or(0)
    }

    /// The strings by number.
    pub(crate) fn strings(&self) -> &[&'p str] {
        &self.strings.texts
    }
}

impl Head {
    fn new<'p>(profile: &'p Profile, strings: &mut Strings<'p>) -> io::Result<Self> {
        let mut sample_types = Vec::new();
        for value in profile.values() {
            sample_types.push((strings.fixed(value.name)?, strings.fixed(value.unit)?));
        }
        let period = match profile.period {
            Some(p) => Some((strings.fixed(p.value.name)?, strings.fixed(p.value.unit)?, p.amount)),
            None => None,
        };
        let comments = profile.comments.iter().map(|c| strings.fixed(c)).collect::<io::Result<_>>()?;
        Ok(Self { sample_types, period, comments })
    }
}

/// A frame that a profile uses.
struct Used {
    frame: FrameId,
    /// How often stacks name it.
    count: u32,
}

/// The frames that a profile uses, in the order of their first use.
fn survey(profile: &Profile, tables: &Tables) -> io::Result<Vec<Used>> {
    let mut number_of = vec![0u32; tables.frame_count()];
    let mut used: Vec<Used> = Vec::new();
    for sample in profile.samples.iter() {
        for &frame in tables.stack(sample.stack) {
            let Some(place) = number_of.get_mut(frame.index()) else { continue };
            if *place == 0 {
                used.push(Used { frame, count: 0 });
                *place = number(used.len())?;
            }
            if let Some(known) = used.get_mut(*place as usize - 1) {
                known.count = known.count.saturating_add(1);
            }
        }
    }
    Ok(used)
}

/// The functions of frames, classes in the order of their names and each class's functions in the order of their
/// first use. Names are most of a profile, and the compressor finds what neighbours share: 14 % less than in the
/// order of first use. Sorting the functions by name too takes longer and gains nothing more.
fn by_class(used: &[Used], tables: &Tables) -> io::Result<Vec<FunctionId>> {
    let mut seen = vec![false; tables.function_count()];
    let mut classes: HashMap<&str, u32, RandomState> = HashMap::default();
    let mut functions = Vec::new();
    for used in used {
        let id = tables.frame(used.frame).function;
        let Some(seen) = seen.get_mut(id.index()).filter(|seen| !**seen) else { continue };
        *seen = true;
        let name = tables.str(tables.function(id).name);
        let class = name.rsplit_once('.').map_or("", |(class, _)| class);
        let next = number(classes.len())?;
        functions.push((*classes.entry(class).or_insert(next), id));
    }
    let mut names: Vec<(&str, u32)> = classes.into_iter().collect();
    names.sort_unstable();
    let mut ranks = vec![0; names.len()];
    for (rank, &(_, class)) in names.iter().enumerate() {
        set(&mut ranks, class as usize, number(rank)?);
    }
    // Stable: the order of first use stays within a class.
    functions.sort_by_key(|&(class, _)| ranks.get(class as usize).copied());
    Ok(functions.into_iter().map(|(_, id)| id).collect())
}

/// The string table. The empty string is its number 0.
struct Strings<'p> {
    texts: Vec<&'p str>,
    by_handle: Vec<u32>,
    fixed: HashMap<&'p str, u32, RandomState>,
}

impl<'p> Strings<'p> {
    fn new() -> Self {
        let fixed = std::iter::once(("", 0)).collect();
        Self { texts: vec![""], by_handle: Vec::new(), fixed }
    }

    /// The number of a text that is not in the tables. To be used before any [`add`](Self::add), or texts that are
    /// in both come twice.
    fn fixed(&mut self, text: &'p str) -> io::Result<u32> {
        if let Some(&number) = self.fixed.get(text) {
            return Ok(number);
        }
        let at = number(self.texts.len())?;
        self.texts.push(text);
        self.fixed.insert(text, at);
        Ok(at)
    }

    /// The number of a text of the tables.
    fn add(&mut self, handle: StrId, tables: &'p Tables) -> io::Result<u32> {
        let known = self.by_handle.get(handle.index()).copied().unwrap_or(0);
        if known != 0 {
            return Ok(known);
        }
        let text = tables.str(handle);
        let at = match self.fixed.get(text) {
            Some(&at) => at,
            None => {
                let at = number(self.texts.len())?;
                self.texts.push(text);
                at
            }
        };
        if self.by_handle.len() <= handle.index() {
            self.by_handle.resize((handle.index() + 1).next_power_of_two(), 0);
        }
        set(&mut self.by_handle, handle.index(), at);
        Ok(at)
    }
}

/// A count as a number of 32 bits. Handles have no more, so there can be no more of anything.
fn number(count: usize) -> io::Result<u32> {
    u32::try_from(count).map_err(|_| io::Error::other("more than 2^32 entries in a profile"))
}

fn set(numbers: &mut [u32], at: usize, number: u32) {
    if let Some(place) = numbers.get_mut(at) {
        *place = number;
    }
}
