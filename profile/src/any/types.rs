//! Maps sample types to well-known profile types.

use super::AnyProfile;
use crate::ProfileType;

/// The language of a program, as far as its functions reveal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Java and other JVM languages.
    Java,
    /// Python.
    Python,
    /// Go.
    Go,
    /// JavaScript and TypeScript.
    JavaScript,
    /// Any other language.
    Other,
}

impl Language {
    /// The letter of its frames in a tree.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Java => 'j',
            Self::Python => 'p',
            Self::Go => 'g',
            Self::JavaScript => 's',
            Self::Other => 'n',
        }
    }

    /// Its name: `Python`; empty for [`Other`](Self::Other).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Java => "Java",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::JavaScript => "JavaScript",
            Self::Other => "",
        }
    }

    /// The language of a source file, by its extension, or of a module of Node.js.
    #[must_use]
    pub fn of_file(file: &str) -> Option<Self> {
        // Built-in modules of Node.js.
        if file.starts_with("node:") {
            return Some(Self::JavaScript);
        }
        match file.rsplit_once('.')?.1 {
            "java" | "kt" | "scala" | "groovy" | "clj" => Some(Self::Java),
            "py" | "pyx" | "pyi" => Some(Self::Python),
            "go" | "s" => Some(Self::Go),
            "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" => Some(Self::JavaScript),
            "c" | "cc" | "cpp" | "cxx" | "h" | "hpp" | "rs" => Some(Self::Other),
            _ => None,
        }
    }
}

/// The language of most functions.
#[must_use]
pub fn language(profile: &AnyProfile) -> Language {
    let all = [Language::Java, Language::Python, Language::Go, Language::JavaScript, Language::Other];
    let mut counts = [0_usize; 5];
    for function in profile.functions.iter().take(20_000) {
        let descriptor = profile.texts.get(function.system_name).starts_with('(');
        let found = if descriptor { Some(Language::Java) } else { Language::of_file(profile.texts.get(function.file)) };
        if let Some(count) = found.and_then(|l| all.iter().position(|a| *a == l)).and_then(|at| counts.get_mut(at)) {
            *count += 1;
        }
    }
    let best = all.iter().zip(counts).filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count);
    best.map_or(Language::Other, |(language, _)| *language)
}

/// A profile type contained in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo {
    /// The short name, as on the command line: `cpu`, `alloc`; for an unknown type, the name of the sample
    /// type.
    pub kind: String,
    /// The human-readable name: `CPU`, `Allocation Count`.
    pub title: String,
    /// Its values, as indices in [`AnyProfile::sample_types`]; the last one is the default.
    pub values: Vec<usize>,
}

/// Short name, title, sample types, and the sample type to show by default.
type Known = (&'static str, &'static str, &'static [&'static str]);

const PYTHON: &[Known] = &[
    ("cpu", "CPU", &["cpu-samples", "cpu-time"]),
    ("wall", "Wall", &["wall-samples", "wall-time"]),
    ("alloc", "Allocation", &["alloc-samples", "alloc-space"]),
    ("error", "Exceptions", &["exception-samples"]),
    ("lock", "Lock", &["lock-acquire", "lock-acquire-wait"]),
    ("lock-hold", "Lock Hold", &["lock-release", "lock-release-hold"]),
    ("heap", "Heap", &["heap-live-samples", "heap-space"]),
    // Of pyroscope-io.
    ("cpu", "CPU", &["cpu"]),
];
const GO: &[Known] = &[
    ("cpu", "CPU", &["samples", "cpu"]),
    ("alloc", "Allocation", &["alloc_space"]),
    ("alloc-count", "Allocation Count", &["alloc_objects"]),
    ("heap", "Heap", &["inuse_space"]),
    ("heap-count", "Heap Count", &["inuse_objects"]),
    // Of mutexes, or of anything that blocks.
    ("contention", "Contention", &["contentions", "delay"]),
];
const NODE: &[Known] = &[
    ("wall", "Wall", &["sample", "wall"]),
    ("cpu", "CPU", &["cpu"]),
    ("heap", "Heap", &["inuse_objects", "inuse_space"]),
    ("heap", "Heap", &["objects", "space"]),
];

/// The profile types contained in a profile: first those of its language, then each remaining sample type under
/// its own name.
#[must_use]
pub fn types(profile: &AnyProfile) -> Vec<TypeInfo> {
    let names: Vec<&str> = profile.values().map(|(name, _)| name).collect();
    let place = |name: &&str| names.iter().position(|n| n == name);
    let mut used = vec![false; names.len()];
    let mut found = Vec::new();
    let mut take = |kind: &str, title: &str, wanted: &[&str], whole: bool| {
        let values: Vec<usize> = wanted.iter().filter_map(place).collect();
        let last = wanted.last().and_then(place);
        let fits = last.is_some_and(|last| used.get(last) == Some(&false)) && (!whole || values.len() == wanted.len());
        if fits {
            for &value in &values {
                used.get_mut(value).into_iter().for_each(|used| *used = true);
            }
            found.push(TypeInfo { kind: kind.to_owned(), title: title.to_owned(), values });
        }
    };
    match language(profile) {
        Language::Python => PYTHON.iter().for_each(|(kind, title, wanted)| take(kind, title, wanted, false)),
        Language::Go => GO.iter().for_each(|(kind, title, wanted)| take(kind, title, wanted, false)),
        Language::JavaScript => NODE.iter().for_each(|(kind, title, wanted)| take(kind, title, wanted, false)),
        Language::Java | Language::Other => {
            // Elapsed time in native code has the same names as wall-clock time; the comments distinguish them.
            let native = profile.comments.iter().any(|c| profile.texts.get(*c).contains("jdk.NativeMethodSample"));
            for kind in ProfileType::ALL.iter().filter(|kind| **kind != ProfileType::Native || native) {
                let wanted: Vec<&str> = kind.values().iter().map(|value| value.name).collect();
                take(kind.name(), java_title(*kind), &wanted, true);
            }
            // For JVMs that do not record the sizes of live objects.
            take("live", java_title(ProfileType::Live), &["heap-live-samples"], true);
            // The crate pprof, and others that follow Go.
            take("cpu", "CPU", &["samples", "cpu"], true);
        }
    }
    for (i, name) in names.iter().enumerate() {
        if used.get(i) == Some(&false) {
            found.push(TypeInfo { kind: (*name).to_owned(), title: (*name).to_owned(), values: vec![i] });
        }
    }
    found
}

/// The human-readable name of a profile type of a recording.
#[must_use]
pub fn java_title(kind: ProfileType) -> &'static str {
    match kind {
        ProfileType::Cpu => "CPU in Java Code",
        ProfileType::Alloc => "Allocation",
        ProfileType::Native => "Wall Time in Native Code",
        ProfileType::ClassLoad => "Class load",
        ProfileType::Error => "Error",
        ProfileType::FileIo => "File I/O",
        ProfileType::Lock => "Lock",
        ProfileType::SocketIo => "Socket I/O",
        ProfileType::Wall => "Wall",
        ProfileType::Live => "Live objects",
        ProfileType::Park => "Park",
        ProfileType::Wait => "Wait",
        ProfileType::Sleep => "Sleep",
        ProfileType::Pinned => "Pinned",
        ProfileType::NativeAlloc => "Native allocation",
        ProfileType::NativeLock => "Native lock",
        ProfileType::MethodTrace => "Method trace",
        ProfileType::Event => "Event",
    }
}
