//! Threads.

/// A thread in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ThreadInfo {
    /// The Java name or, without one, the name used by the operating system.
    pub name: String,
    /// The Java thread id; 0 if there is none.
    pub java_id: i64,
    /// The operating system's thread id; 0 if there is none.
    pub os_id: i64,
    /// Whether it is known to be a virtual thread.
    pub is_virtual: bool,
    /// The name of its thread group.
    pub group: String,
}

pub(super) static UNKNOWN: ThreadInfo = ThreadInfo::UNKNOWN;

impl ThreadInfo {
    pub(crate) const UNKNOWN: Self =
        Self { name: String::new(), java_id: 0, os_id: 0, is_virtual: false, group: String::new() };

    /// Whether it is a Java thread.
    #[must_use]
    pub fn is_java(&self) -> bool {
        self.java_id > 0
    }
}
