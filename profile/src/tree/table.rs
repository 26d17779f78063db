//! Tables: sums by function, line, package, class or label. A row counts once per stack, so that no share
//! exceeds 100 %.

use hashbrown::HashMap;
use serde::Serialize;

use super::view::NONE;
use super::{CANCEL_EVERY, CallStacks, FrameKind, Group, TreeError, View};
use crate::{Cancel, ProfileType, is_jdk, only_waits};

/// What the rows of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A function.
    Function,
    /// A line of a function. See [`table`] for types that measure waiting.
    Line,
    /// A package: the part of the name before the class, or before the last component of a name without
    /// classes.
    Package,
    /// A class: the label if the profile has one (allocated, locked or thrown class), otherwise the class that
    /// declares the frame's method.
    Class,
    /// The class that declares the frame's method, regardless of labels.
    DeclaringClass,
    /// The value of a label.
    Label(Group),
}

impl By {
    /// Parses `function`, `line`, `package`, `class`, `declaring-class`, `thread`, `endpoint` or `label:KEY`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "function" => Self::Function,
            "line" => Self::Line,
            "package" => Self::Package,
            "class" => Self::Class,
            "declaring-class" => Self::DeclaringClass,
            other => Self::Label(Group::parse(other)?),
        })
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableRow {
    /// The function, class or label value.
    pub key: Box<str>,
    /// The letter of its kind; see [`FrameKind::letter`].
    pub kind: char,
    /// The self value.
    #[serde(rename = "self")]
    pub own: i64,
    /// The total value, counting each stack once.
    pub total: i64,
    /// The number of samples in [`total`](Self::total).
    pub samples: i64,
}

/// All rows of a table, sorted by self value, then by total (largest first), then by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<TableRow>,
    /// The sum over all stacks that the view keeps.
    pub total: i64,
    /// The number of samples in that sum.
    pub samples: i64,
}

/// The class in `package.Class.method`; in other languages, the package of the function.
fn class_of(name: &str) -> &str {
    // Generics and arguments can contain dots.
    let end = name.find(['(', '<', ' ']).unwrap_or(name.len());
    let head = name.get(..end).unwrap_or(name);
    head.rsplit_once("::").or_else(|| head.rsplit_once('.')).map_or(NONE, |(class, _)| class)
}

/// The package: in Java, that of `package.Class.method`; in Go, the part of `host/path/package.Type.Method`
/// before the first dot after the last slash; otherwise the result of [`class_of`].
fn package_of(name: &str, kind: FrameKind) -> &str {
    match kind {
        FrameKind::Java => class_of(name).rsplit_once('.').map_or("(default)", |(package, _)| package),
        FrameKind::Go => {
            let from = name.rfind('/').map_or(0, |slash| slash + 1);
            let dot = name.get(from..).and_then(|rest| rest.find('.')).map_or(name.len(), |dot| from + dot);
            name.get(..dot).unwrap_or(name)
        }
        _ => class_of(name),
    }
}

/// Whether a value belongs to a type that measures waiting.
fn measures_waiting(value: &str) -> bool {
    ProfileType::ALL.iter().any(|of| of.is_waiting() && of.values().iter().any(|v| v.name == value))
}

/// What a frame reveals about where a thread waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// That it waits.
    Wait,
    /// Which part of the JDK makes it wait.
    Jdk,
    /// Which part of the program.
    Program,
}

impl Role {
    fn of(name: &str, kind: FrameKind) -> Self {
        match kind {
            _ if only_waits(name) => Self::Wait,
            FrameKind::Java if is_jdk(name) => Self::Jdk,
            FrameKind::Native | FrameKind::Kernel | FrameKind::Vm => Self::Wait,
            FrameKind::MadeUp => Self::Jdk,
            _ => Self::Program,
        }
    }
}

/// Builds the table of one value from the stacks that the view keeps. The view's group and collapsed frames
/// have no effect.
///
/// In Java, threads always wait in the same few methods of the JDK. The table of a type that measures waiting
/// ([`ProfileType::is_waiting`]) names places in the program instead: by line, package or declaring class, a stack counts
/// as the self value of its first frame outside the JDK. If all its frames belong to the JDK, that is the first frame
/// that does more than wait (a queue, a thread pool).
///
/// # Errors
/// Same as [`Tree::new`](super::Tree::new).
pub fn table(stacks: &CallStacks, value: usize, view: &View, by: &By, cancel: &Cancel) -> Result<Rows, TreeError> {
    let by = match by {
        By::Class if stacks.label_keys().contains(&"class") => By::Label(Group::Class),
        By::Class => By::DeclaringClass,
        other => other.clone(),
    };
    let view = View {
        group: match &by {
            By::Label(group) => Some(group.clone()),
            _ => None,
        },
        lines: by == By::Line,
        ..view.clone()
    };
    let paths = view.paths(stacks, value, cancel)?;
    // The row of each name.
    let mut rows: Vec<TableRow> = Vec::new();
    let mut known: HashMap<(Box<str>, FrameKind), u32, foldhash::fast::RandomState> = HashMap::default();
    let of_name: Vec<u32> = paths
        .names
        .iter()
        .zip(&paths.kinds)
        .map(|(name, kind)| {
            let key: &str = match by {
                By::Package if *kind != FrameKind::MadeUp => package_of(name, *kind),
                By::DeclaringClass if *kind != FrameKind::MadeUp => class_of(name),
                _ => name,
            };
            *known.entry((key.into(), *kind)).or_insert_with(|| {
                rows.push(TableRow { key: key.into(), kind: kind.letter(), own: 0, total: 0, samples: 0 });
                u32::try_from(rows.len() - 1).unwrap_or(u32::MAX)
            })
        })
        .collect();
    let labels = matches!(by, By::Label(_));
    let names_places = matches!(by, By::Line | By::Package | By::DeclaringClass)
        && stacks.types().get(value).is_some_and(|of| measures_waiting(&of.name));
    let roles: Vec<Role> = if names_places {
        paths.names.iter().zip(&paths.kinds).map(|(name, kind)| Role::of(name, *kind)).collect()
    } else {
        Vec::new()
    };
    let mut seen = vec![0usize; rows.len()];
    let (mut total, mut samples) = (0i64, 0i64);
    for (i, (frames, amount, count)) in paths.counted().enumerate() {
        if i.is_multiple_of(CANCEL_EVERY) {
            cancel.check()?;
        }
        total = total.saturating_add(amount);
        samples = samples.saturating_add(count);
        // For a label, only the first level counts, for both self and total.
        let frames = if labels { frames.get(..1).unwrap_or(frames) } else { frames };
        for name in frames {
            let row = of_name[*name as usize] as usize;
            if seen[row] != i + 1 {
                seen[row] = i + 1;
                rows[row].total = rows[row].total.saturating_add(amount);
                rows[row].samples = rows[row].samples.saturating_add(count);
            }
        }
        let place =
            |least: Role| frames.iter().rev().find(|name| roles.get(**name as usize).is_some_and(|r| *r >= least));
        let place = if names_places { place(Role::Program).or_else(|| place(Role::Jdk)) } else { None };
        if let Some(leaf) = place.or(frames.last()) {
            let row = &mut rows[of_name[*leaf as usize] as usize];
            row.own = row.own.saturating_add(amount);
        }
    }
    rows.retain(|row| row.total != 0);
    rows.sort_by(|a, b| b.own.cmp(&a.own).then(b.total.cmp(&a.total)).then_with(|| a.key.cmp(&b.key)));
    Ok(Rows { rows, total, samples })
}
