//! The profile types, and what their values measure.

/// What one value of a sample measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct ValueType {
    /// The name, pprof's `sample_type.type`.
    pub name: &'static str,
    /// The unit, pprof's `sample_type.unit`: `count`, `bytes` or `nanoseconds`.
    pub unit: &'static str,
}

const fn count(name: &'static str) -> ValueType {
    ValueType { name, unit: "count" }
}

const fn bytes(name: &'static str) -> ValueType {
    ValueType { name, unit: "bytes" }
}

const fn nanos(name: &'static str) -> ValueType {
    ValueType { name, unit: "nanoseconds" }
}

/// Declares each type once: variant, name, title, values.
macro_rules! profile_types {
    ($($(#[$doc:meta])* $variant:ident $name:literal $title:literal [$($value:expr),*];)*) => {
        /// A profile type. The first eight are the core types.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(into = "&'static str")]
        #[non_exhaustive]
        pub enum ProfileType {
            $($(#[$doc])* $variant,)*
        }

        impl ProfileType {
            /// All profile types.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name used in file names and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// A short description of what the profile shows.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What the values of a sample measure. The first value is a count; the last is the default.
            #[must_use]
            pub const fn values(self) -> &'static [ValueType] {
                match self { $(Self::$variant => const { &[$($value),*] },)* }
            }
        }
    };
}

profile_types! {
    /// Time on CPU in Java code.
    Cpu "cpu" "time on CPU in Java code" [count("cpu-samples"), nanos("cpu-time")];
    /// Heap allocated, including objects freed since.
    Alloc "alloc" "heap allocated" [count("alloc-samples"), bytes("alloc-space")];
    /// Elapsed time in native code.
    Native "native" "elapsed time in native code" [count("wall-samples"), nanos("wall-time")];
    /// Classes loaded.
    ClassLoad "class-load" "classes loaded" [count("class-load-samples"), nanos("class-load-time")];
    /// Errors and exceptions thrown.
    Error "error" "errors and exceptions thrown" [count("exception-samples")];
    /// Time reading and writing files.
    FileIo "file-io" "time reading and writing files" [count("file-io-samples"), bytes("file-io-size"), nanos("file-io-time")];
    /// Time waiting for a lock.
    Lock "lock" "time waiting for a lock" [count("lock-count"), nanos("lock-time")];
    /// Time in socket I/O.
    SocketIo "socket-io" "time in socket I/O" [count("socket-io-samples"), bytes("socket-io-size"), nanos("socket-io-time")];
    /// Elapsed time, on CPU or not.
    Wall "wall" "elapsed time" [count("wall-samples"), nanos("wall-time")];
    /// Objects live at the end of the recording.
    Live "live" "objects alive" [count("heap-live-samples"), bytes("heap-live-size")];
    /// Time parked, except while waiting for a lock.
    Park "park" "time parked" [count("park-count"), nanos("park-time")];
    /// Time in `Object.wait`.
    Wait "wait" "time in Object.wait" [count("wait-count"), nanos("wait-time")];
    /// Time sleeping.
    Sleep "sleep" "time asleep" [count("sleep-count"), nanos("sleep-time")];
    /// Time virtual threads were pinned to their carriers.
    Pinned "pinned" "time that virtual threads were pinned" [count("pinned-count"), nanos("pinned-time")];
    /// Native memory allocated.
    NativeAlloc "native-alloc" "native memory allocated" [count("native-alloc-samples"), bytes("native-alloc-space")];
    /// Time waiting for native locks.
    NativeLock "native-lock" "time waiting for native locks" [count("native-lock-count"), nanos("native-lock-time")];
    /// Calls of traced methods.
    MethodTrace "method-trace" "calls of traced methods" [count("method-trace-count"), nanos("method-trace-time")];
    /// Hardware or method events that async-profiler was configured to count.
    Event "event" "events that the profiler was configured to count" [count("event-count")];
}

impl ProfileType {
    /// The eight types that are always reported, even if they have no samples.
    pub const CORE: [Self; 8] =
        [Self::Cpu, Self::Alloc, Self::Native, Self::ClassLoad, Self::Error, Self::FileIo, Self::Lock, Self::SocketIo];

    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| t.name() == name)
    }

    /// Whether the type measures how long threads wait. The leaf of such a stack is always the same method of the JDK.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        matches!(
            self,
            Self::FileIo | Self::Lock | Self::SocketIo | Self::Park | Self::Wait | Self::Sleep | Self::Pinned
        )
    }

    /// Whether the type is one of [`CORE`](Self::CORE).
    #[must_use]
    pub fn is_core(self) -> bool {
        Self::CORE.contains(&self)
    }
}

impl From<ProfileType> for &'static str {
    fn from(kind: ProfileType) -> Self {
        kind.name()
    }
}

impl std::fmt::Display for ProfileType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
