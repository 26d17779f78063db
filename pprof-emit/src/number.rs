//! The numbers that strings, functions, locations and mappings get in a file.
//!
//! Handles come out of the tables in any order, so nothing here may depend on their numbers. First every frame is
//! numbered by its first use in the order of the samples, which is the same in every run; what follows is derived
//! from that.

use std::hash::{BuildHasher, Hasher};
use std::io;

use foldhash::fast::{FixedState, RandomState};
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
    /// In which order the samples are written.
    pub(crate) order: Vec<u32>,
}

impl<'p> Numbering<'p> {
    pub(crate) fn new(profile: &'p Profile, tables: &'p Tables) -> io::Result<Self> {
        let Survey { used, order } = survey(profile, tables)?;
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
            order,
        };
        for frame in by_frequency(used) {
            numbering.add_frame(frame)?;
        }
        for i in 0..numbering.order.len() {
            numbering.add_label_texts(i)?;
        }
        Ok(numbering)
    }

    fn add_frame(&mut self, frame: FrameId) -> io::Result<()> {
        self.frames.push(frame);
        set(&mut self.location, frame.index(), number(self.frames.len())?);
        let id = self.tables.frame(frame).function;
        if self.function(id) != 0 {
            return Ok(());
        }
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

    fn add_label_texts(&mut self, place: usize) -> io::Result<()> {
        let sample = self.order.get(place).and_then(|&i| self.profile.samples.key(i as usize));
        let Some((_, labels)) = sample else { return Ok(()) };
        for label in self.tables.labels(labels) {
            if let LabelValue::Text(text) = label.value {
                self.strings.add(text, self.tables)?;
            }
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

/// What a look at all stacks tells.
struct Survey {
    /// The frames that the profile uses in the order of their first use, each with how often stacks name it.
    used: Vec<(FrameId, u32)>,
    /// The order in which to write the samples.
    order: Vec<u32>,
}

fn survey(profile: &Profile, tables: &Tables) -> io::Result<Survey> {
    let mut number_of = vec![0u32; tables.frame_count()];
    let mut used: Vec<(FrameId, u32)> = Vec::new();
    let mut keys = Vec::with_capacity(profile.samples.len());
    for (i, sample) in profile.samples.iter().enumerate() {
        let mut path = Path::new();
        for &frame in tables.stack(sample.stack).iter().rev() {
            let Some(place) = number_of.get_mut(frame.index()) else { continue };
            if *place == 0 {
                used.push((frame, 0));
                *place = number(used.len())?;
            }
            if let Some((_, count)) = used.get_mut(*place as usize - 1) {
                *count = count.saturating_add(1);
            }
            path.add(*place);
        }
        keys.push((path.key(), number(i)?));
    }
    keys.sort_unstable();
    Ok(Survey { used, order: keys.into_iter().map(|(_, i)| i).collect() })
}

/// Frequent ones first, so that they get the numbers that take one or two bytes.
fn by_frequency(mut used: Vec<(FrameId, u32)>) -> impl Iterator<Item = FrameId> {
    // Stable: among equally frequent ones the first used stays first.
    used.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    used.into_iter().map(|(frame, _)| frame)
}

/// A key of a stack by which stacks that share their frames near the root become neighbours: hashes of the path from
/// the root at growing depths. Like an ordering of the stacks themselves, for a fraction of its cost, and as good for
/// the compressor, which finds the shared frames close by.
struct Path {
    hash: foldhash::fast::FoldHasher<'static>,
    key: u128,
    depth: u32,
}

/// Depths after which bits of the hash go into the key. Few frames differ near the root.
const DEPTHS: [u32; 8] = [3, 6, 10, 14, 19, 25, 33, 45];

impl Path {
    fn new() -> Self {
        Self { hash: FixedState::with_seed(0).build_hasher(), key: 0, depth: 0 }
    }

    #[inline]
    fn add(&mut self, frame: u32) {
        self.hash.write_u32(frame);
        self.depth = self.depth.saturating_add(1);
        if DEPTHS.contains(&self.depth) {
            self.take();
        }
    }

    #[inline]
    fn take(&mut self) {
        self.key = self.key << 16 | u128::from(self.hash.finish() >> 48);
    }

    fn key(mut self) -> u128 {
        let taken = DEPTHS.iter().filter(|&&d| d <= self.depth).count();
        if taken < DEPTHS.len() {
            self.take();
            for _ in taken + 1..DEPTHS.len() {
                self.key <<= 16;
            }
        }
        self.key
    }
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
