//! Selects stacks and controls how their frames are shown.

use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};

use super::{ALL, CANCEL_EVERY, CallStacks, FrameKind, LabelText, Paths, TreeError};
use crate::Cancel;

/// Maximum size of a compiled regular expression in bytes, because patterns can come from untrusted users.
const PATTERN_SIZE: usize = 1 << 20;

/// A regular expression of limited size. Matching takes time linear in the length of the text.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern in the syntax of the crate `regex`.
    ///
    /// # Errors
    /// [`TreeError::BadPattern`].
    pub fn new(text: &str) -> Result<Self, TreeError> {
        let built = RegexBuilder::new(text).size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE).build();
        built.map(Self).map_err(|error| TreeError::BadPattern {
            pattern: text.to_owned(),
            // The error text of `regex` draws the pattern with a marker below it; the last line explains the
            // error.
            message: error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        })
    }

    /// Compiles a search: text to find, ignoring case, or `/…/` for a regular expression.
    ///
    /// # Errors
    /// [`TreeError::BadPattern`].
    pub fn search(text: &str) -> Result<Self, TreeError> {
        match text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(pattern) => Self::new(pattern),
            None => Self::new(&format!("(?i){}", regex::escape(text))),
        }
    }

    /// Compiles a pattern that only this text matches, as a whole.
    ///
    /// # Errors
    /// [`TreeError::BadPattern`] if the text is too long.
    pub fn exactly(text: &str) -> Result<Self, TreeError> {
        Self::new(&format!("^{}$", regex::escape(text)))
    }

    /// Whether the pattern matches anywhere in the text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// What the first level of a tree shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    /// Threads.
    Thread,
    /// Allocated, locked or thrown classes.
    Class,
    /// Request endpoints.
    Endpoint,
    /// The label with this key.
    Label(String),
}

impl Group {
    /// Parses `thread`, `class`, `endpoint` or `label:KEY`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "thread" => Some(Self::Thread),
            "class" => Some(Self::Class),
            "endpoint" => Some(Self::Endpoint),
            other => other.strip_prefix("label:").filter(|key| !key.is_empty()).map(|key| Self::Label(key.to_owned())),
        }
    }

    /// The label keys for this group, in order of preference: those of our profiles, and those of other
    /// languages.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Thread => vec!["thread", "thread name", "thread id", "threadId"],
            Self::Class => vec!["class"],
            Self::Endpoint => vec!["trace endpoint", "trace-endpoint"],
            Self::Label(key) => vec![key],
        }
    }

    /// The group of samples with this label set.
    pub(crate) fn of(&self, stacks: &CallStacks, set: u32) -> Option<String> {
        self.keys().into_iter().find_map(|key| stacks.label(set, key)).map(LabelText::to_string)
    }
}

/// The group of samples without such a label.
pub(crate) const NONE: &str = "[none]";

/// Selects stacks and controls how frames are shown. The default keeps everything unchanged.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// A label to use as the first level.
    pub group: Option<Group>,
    /// Keep only stacks in which each of these patterns matches some frame. At most 32; further ones are ignored.
    pub include: Vec<Pattern>,
    /// Drop stacks that contain a matching frame.
    pub exclude: Option<Pattern>,
    /// Remove matching frames; their value goes to the caller.
    pub hide: Option<Pattern>,
    /// Keep only samples of threads with a matching name.
    pub thread: Option<Pattern>,
    /// Merge consecutive frames of the same function.
    pub collapse_recursion: bool,
    /// Among consecutive frames whose names begin with one of these prefixes, keep only the first: library code
    /// is reduced to the frame that was called.
    pub library: Vec<String>,
    /// Show frames as lines of functions, `name:12`.
    pub lines: bool,
    /// Cut stacks at the first frame of these packages or classes; what it calls outside them counts as its self value. Stacks
    /// without such a frame become the frame [`NOT_OWN`].
    pub own: Vec<String>,
}

/// The frame for stacks without a frame of [`View::own`].
pub const NOT_OWN: &str = "[no own code]";

/// How a view treats a name.
#[derive(Debug, Clone, Copy, Default)]
struct NameFlags {
    /// One bit per matching pattern.
    include: u32,
    exclude: bool,
    hide: bool,
    library: bool,
    own: bool,
}

/// Whether a function belongs to a package or class.
fn is_within(name: &str, package: &str) -> bool {
    let package = package.trim_end_matches('.');
    name.strip_prefix(package).is_some_and(|rest| !package.is_empty() && rest.starts_with(['.', '$', '/', ':']))
}

impl View {
    fn flags(&self, name: &str, kind: FrameKind) -> NameFlags {
        let matches = |pattern: &Option<Pattern>| pattern.as_ref().is_some_and(|p| p.matches(name));
        NameFlags {
            include: (0..32).zip(&self.include).filter(|(_, p)| p.matches(name)).fold(0, |bits, (i, _)| bits | 1 << i),
            exclude: matches(&self.exclude),
            hide: matches(&self.hide),
            own: kind != FrameKind::MadeUp && self.own.iter().any(|package| is_within(name, package)),
            library: kind != FrameKind::MadeUp && self.library.iter().any(|prefix| name.starts_with(prefix.as_str())),
        }
    }

    /// Whether the view keeps a stack with these names: each of [`include`](Self::include) matches one of them, and
    /// [`exclude`](Self::exclude) none.
    pub fn keeps<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> bool {
        let any = |pattern: &Pattern| names.clone().any(|name| pattern.matches(name));
        self.include.iter().take(32).all(any) && !self.exclude.as_ref().is_some_and(any)
    }

    /// The paths of a tree: for each selected sample, its frames starting at the root.
    pub(crate) fn paths(&self, stacks: &CallStacks, value: usize, cancel: &Cancel) -> Result<Paths, TreeError> {
        let values = stacks.types().len();
        if value >= values {
            return Err(TreeError::NoSuchValue { value, values });
        }
        // The names of the tree: the root, functions or lines of functions, then groups.
        let mut names: Vec<Box<str>> = vec![ALL.into()];
        let mut kinds = vec![FrameKind::MadeUp];
        let mut flags = vec![NameFlags::default()];
        let of_name: Vec<NameFlags> =
            stacks.names().iter().zip(stacks.kinds()).map(|(name, kind)| self.flags(name, *kind)).collect();
        // The name index of each frame.
        let mut index = vec![0u32; stacks.frames().len()];
        if self.lines {
            for (frame, index) in stacks.frames().iter().zip(&mut index) {
                let name = &stacks.names()[frame.name as usize];
                *index = u32::try_from(names.len()).map_err(|_| TreeError::TooLarge)?;
                names.push(if frame.line == 0 { name.clone() } else { format!("{name}:{}", frame.line).into() });
                kinds.push(stacks.kinds()[frame.name as usize]);
                flags.push(of_name[frame.name as usize]);
            }
        } else {
            names.extend(stacks.names().iter().cloned());
            kinds.extend(stacks.kinds());
            flags.extend(of_name);
            for (frame, index) in stacks.frames().iter().zip(&mut index) {
                *index = frame.name + 1;
            }
        }
        let not_own = u32::try_from(names.len()).map_err(|_| TreeError::TooLarge)?;
        if !self.own.is_empty() {
            names.push(NOT_OWN.into());
            kinds.push(FrameKind::MadeUp);
            flags.push(NameFlags::default());
        }
        // For each label set: whether its samples count, and their group.
        let mut groups: HashMap<String, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut sets: Vec<Option<Option<u32>>> = Vec::with_capacity(stacks.label_sets().len());
        for set in 0..u32::try_from(stacks.label_sets().len()).unwrap_or(u32::MAX) {
            let thread = || Group::Thread.of(stacks, set).unwrap_or_default();
            if self.thread.as_ref().is_some_and(|pattern| !pattern.matches(&thread())) {
                sets.push(None);
                continue;
            }
            let group = self.group.as_ref().map(|group| {
                let text = group.of(stacks, set).unwrap_or_else(|| NONE.to_owned());
                *groups.entry_ref(text.as_str()).or_insert_with(|| {
                    names.push(text.as_str().into());
                    kinds.push(FrameKind::MadeUp);
                    flags.push(NameFlags::default());
                    u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
                })
            });
            sets.push(Some(group));
        }
        let all_included = (0..32).zip(&self.include).fold(0_u32, |bits, (i, _)| bits | 1 << i);
        let count_value = stacks.count_value();
        let mut paths = Paths::new(names, kinds);
        let mut path: Vec<u32> = Vec::new();
        for (i, (_, frames, set, values)) in stacks.samples().enumerate() {
            if i.is_multiple_of(CANCEL_EVERY) {
                cancel.check()?;
            }
            let amount = values[value];
            let count = count_value.map_or(1, |at| values[at]);
            let Some(group) = sets[set as usize] else { continue };
            if amount == 0 {
                continue;
            }
            path.clear();
            path.extend(group);
            let grouped = path.len();
            let (mut included, mut excluded) = (0, false);
            for &frame in frames {
                let name = index[frame as usize];
                let flags_here = flags[name as usize];
                included |= flags_here.include;
                excluded |= flags_here.exclude;
                if flags_here.hide {
                    continue;
                }
                if let Some(&above) = path.get(grouped..).and_then(<[u32]>::last) {
                    let same = self.collapse_recursion && above == name;
                    if same || (flags_here.library && flags[above as usize].library) {
                        continue;
                    }
                }
                path.push(name);
            }
            if !self.own.is_empty() {
                let stack = path.get(grouped..).unwrap_or_default();
                match stack.iter().rposition(|name| flags[*name as usize].own) {
                    Some(last) => path.truncate(grouped + last + 1),
                    None => {
                        path.truncate(grouped);
                        path.push(not_own);
                    }
                }
            }
            if included == all_included && !excluded {
                paths.push(&path, amount, count)?;
            }
        }
        Ok(paths)
    }
}
