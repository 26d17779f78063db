//! Profile types by language: their names on the page, and the pprof sample types they are made from.

use jfrkit_profile::ProfileType;

/// A type as the page lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TypeInfo {
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) definition: &'static str,
    /// The sample types in a pprof file; the one to show first comes last.
    pub(crate) values: &'static [&'static str],
}

const fn info(
    kind: &'static str,
    name: &'static str,
    definition: &'static str,
    values: &'static [&'static str],
) -> TypeInfo {
    TypeInfo { kind, name, definition, values }
}

const JAVA: [TypeInfo; 8] = [
    info(
        "cpu",
        "CPU in Java Code",
        "Time each method spent running on the CPU; bytecode, not native code called from it",
        &["cpu-samples", "cpu-time"],
    ),
    info(
        "alloc",
        "Allocation",
        "Heap memory allocated by each method, including memory freed since",
        &["alloc-samples", "alloc-space"],
    ),
    info(
        "native",
        "Wall Time in Native Code",
        "Elapsed time in native code, whether on the CPU or waiting; not bytecode",
        &["wall-samples", "wall-time"],
    ),
    info(
        "class-load",
        "Class load",
        "Number of classes loaded by each method",
        &["class-load-samples", "class-load-time"],
    ),
    info("error", "Error", "Number of errors and exceptions thrown by each method", &["exception-samples"]),
    info(
        "file-io",
        "File I/O",
        "Time each method spent reading and writing files",
        &["file-io-samples", "file-io-size", "file-io-time"],
    ),
    info("lock", "Lock", "Time each method spent waiting for a lock", &["lock-count", "lock-time"]),
    info(
        "socket-io",
        "Socket I/O",
        "Time each method spent handling socket I/O",
        &["socket-io-samples", "socket-io-size", "socket-io-time"],
    ),
];

const PYTHON: [TypeInfo; 5] = [
    info("cpu", "CPU", "Time on the CPU, including native code", &["cpu-samples", "cpu-time"]),
    info("wall", "Wall", "Elapsed time", &["wall-samples", "wall-time"]),
    info(
        "alloc",
        "Allocation",
        "Heap memory allocated, including memory freed since",
        &["alloc-samples", "alloc-space"],
    ),
    info("error", "Exceptions", "Exceptions raised, caught or not", &["exception-samples"]),
    info("lock", "Lock", "Time waiting for a lock", &["lock-acquire", "lock-acquire-wait"]),
];

/// CPU profiles of clients whose profilers all name the value alike: pyroscope-rs, OpenTelemetry.
const CPU: [TypeInfo; 2] = [
    info("cpu", "CPU", "Time on the CPU, including native code", &["samples", "cpu"]),
    info("cpu", "CPU", "Time on the CPU, including native code", &["cpu"]),
];

const PYTHON_MORE: [TypeInfo; 2] = [
    info("heap", "Heap", "Heap memory still allocated at the end", &["heap-live-samples", "heap-space"]),
    info("lock-hold", "Lock Hold", "Time that locks were held", &["lock-release", "lock-release-hold"]),
];

const GO: [TypeInfo; 5] = [
    info("cpu", "CPU", "Time on the CPU", &["samples", "cpu"]),
    info("alloc", "Allocation", "Bytes allocated, including those freed since", &["alloc_space"]),
    info("alloc-count", "Allocation Count", "Objects allocated, including those freed since", &["alloc_objects"]),
    info("heap", "Heap", "Bytes still allocated at the end", &["inuse_space"]),
    info("heap-count", "Heap Count", "Objects still allocated at the end", &["inuse_objects"]),
];

const NODE: [TypeInfo; 3] = [
    info("wall", "Wall", "Elapsed time", &["sample", "wall"]),
    info("cpu", "CPU", "Time on the CPU", &["cpu"]),
    info("heap", "Heap", "Memory still allocated at the end", &["objects", "space"]),
];

/// The types always listed for a language, in order.
pub(crate) fn core(language: &str) -> &'static [TypeInfo] {
    match language {
        "Java" => &JAVA,
        "Python" => &PYTHON,
        "Go" => &GO,
        "JavaScript" => &NODE,
        _ => &[],
    }
}

/// All types that a language's sample types can become.
pub(crate) fn known(language: &str) -> Vec<TypeInfo> {
    let more: &[TypeInfo] = match language {
        "Python" => &PYTHON_MORE,
        // Recordings that the client already converted.
        "Java" => &[],
        "JavaScript" => &[
            info("wall", "Wall", "Elapsed time", &["samples", "wall"]),
            info("heap", "Heap", "Memory still allocated at the end", &["inuse_objects", "inuse_space"]),
        ],
        _ => &[
            info("cpu", "CPU", "Time on the CPU", &["cpu-samples", "cpu-time"]),
            info("wall", "Wall", "Elapsed time", &["wall-samples", "wall-time"]),
        ],
    };
    core(language).iter().chain(more).chain(&CPU).copied().collect()
}

/// A type of a recording.
pub(crate) fn of_recording(kind: ProfileType) -> (&'static str, String) {
    match JAVA.iter().find(|t| t.kind == kind.name()) {
        Some(info) => (info.name, info.definition.to_owned()),
        None => {
            let title = kind.title();
            let mut chars = title.chars();
            let definition = chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect());
            (jfrkit_profile::any::java_title(kind), definition)
        }
    }
}
