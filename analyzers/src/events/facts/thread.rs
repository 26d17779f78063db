//! Threads.

/// A thread of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ThreadInfo {
    /// Its Java name, else the name that the system knows.
    pub name: String,
    /// Its Java id, 0 where it has none.
    pub java_id: i64,
    /// Its id in the system, 0 where it has none.
    pub os_id: i64,
    /// Whether it is known as a virtual thread.
    pub is_virtual: bool,
    /// The name of its thread group.
    pub group: String,
}

pub(super) static UNKNOWN: ThreadInfo = ThreadInfo::UNKNOWN;

impl ThreadInfo {
    pub(crate) const UNKNOWN: Self =
        Self { name: String::new(), java_id: 0, os_id: 0, is_virtual: false, group: String::new() };

    /// Whether it is one of Java's.
    #[must_use]
    pub fn is_java(&self) -> bool {
        self.java_id > 0
    }
}
