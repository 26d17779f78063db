//! The JVM that was recorded: its version, its flags, its properties.

use crate::jvms::{JvmEvent, describe, java_version};
use jfr_parse::{EpochNanos, Iso};
use std::collections::BTreeMap;

use super::Facts;
use crate::events::cell::Cell;

/// What the recording contains about its JVM.
#[derive(Debug, Clone, Default)]
pub struct Jvm {
    /// The name, for example `OpenJDK 64-Bit Server VM`.
    pub name: Option<String>,
    /// The complete version text.
    pub version_text: Option<String>,
    /// The version.
    pub version: Option<JvmVersion>,
    /// JVM options.
    pub jvm_arguments: Option<String>,
    /// Main class or JAR file, and its arguments. May contain secrets.
    pub java_arguments: Option<String>,
    /// Start time of the JVM in nanoseconds since the Unix epoch.
    pub start: Option<i64>,
    /// The version of the Java specification: 8, 11, 17….
    pub specification: Option<u32>,
}

/// A version such as 8u302 (1.8.0_302), 17.0.15, 25-ea.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JvmVersion {
    /// The major version: 8, 17, 25.
    pub major: u32,
    /// The rest: 0, 302 for 1.8.0_302; 0, 15 for 17.0.15.
    pub rest: Vec<u32>,
    /// Whether this is an early-access build.
    pub early_access: bool,
}

impl JvmVersion {
    /// Parses the version after `JRE (` in the version text of the JVM.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        Self::parse_number(java_version(line)?)
    }

    /// Parses `1.8.0_302-b08`, `17.0.15+6`, `25-ea+18`.
    #[must_use]
    pub fn parse_number(version: &str) -> Option<Self> {
        let end = version.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(version.len());
        let (number, behind) = version.split_at_checked(end)?;
        let mut parts = number.split(['.', '_']).map_while(|p| p.parse::<u32>().ok()).take(4);
        let mut major = parts.next()?;
        let mut rest: Vec<u32> = parts.collect();
        if major == 1 && !rest.is_empty() {
            major = rest.remove(0);
        }
        Some(Self { major, rest, early_access: behind.starts_with("-ea") })
    }

    /// Whether the version is at least this one. `rest` contains the numbers after the major version, as in
    /// [`rest`](Self::rest); missing numbers count as 0.
    #[must_use]
    pub fn at_least(&self, major: u32, rest: &[u32]) -> bool {
        let number = |of: &[u32], i: usize| of.get(i).copied().unwrap_or(0);
        let width = self.rest.len().max(rest.len());
        let mine = std::iter::once(self.major).chain((0..width).map(|i| number(&self.rest, i)));
        let theirs = std::iter::once(major).chain((0..width).map(|i| number(rest, i)));
        mine.cmp(theirs).is_ge()
    }
}

impl std::fmt::Display for JvmVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.major)?;
        for part in &self.rest {
            write!(f, ".{part}")?;
        }
        if self.early_access { f.write_str("-ea") } else { Ok(()) }
    }
}

/// The last recorded value of each flag, by name.
#[derive(Debug, Default)]
pub(super) struct Flags {
    values: BTreeMap<jfrkit_profile::StrId, Cell>,
}

const FLAGS: [&str; 7] = [
    "jdk.BooleanFlag",
    "jdk.IntFlag",
    "jdk.UnsignedIntFlag",
    "jdk.LongFlag",
    "jdk.UnsignedLongFlag",
    "jdk.DoubleFlag",
    "jdk.StringFlag",
];

impl Facts {
    /// The JVM; the first one if the recording contains several.
    #[must_use]
    pub fn jvm(&self) -> &Jvm {
        self.lazy.jvm.get_or_init(|| {
            let table = self.table("jdk.JVMInformation");
            let text = |field: &'static str| table.texts(field).find(|t| !t.is_empty()).map(str::to_owned);
            let version_text = text("jvmVersion");
            let version = version_text.as_deref().and_then(JvmVersion::parse);
            let specification = self.property("java.vm.specification.version");
            let specification = specification.and_then(JvmVersion::parse_number).map(|v| v.major);
            Jvm {
                name: text("jvmName"),
                specification: specification.or(version.as_ref().map(|v| v.major)),
                version,
                version_text,
                jvm_arguments: text("jvmArguments"),
                java_arguments: text("javaArguments"),
                start: table.ints("jvmStartTime").find(|t| *t > 0),
            }
        })
    }

    /// A note if the recording contains several JVMs or has gaps.
    pub(crate) fn describe_jvms(&self) -> Option<String> {
        let iso = |nanos: i64| Iso(EpochNanos(nanos)).to_string();
        let processes = self.table("jdk.JVMInformation").rows().filter_map(|row| {
            let process = (row.int("pid")?.to_string(), iso(row.int("jvmStartTime")?));
            Some(JvmEvent { at: iso(row.start), process: Some(process), collectors: None })
        });
        let collectors = self.table("jdk.GCConfiguration").rows().filter_map(|row| {
            let names = [row.text("youngCollector"), row.text("oldCollector")];
            let names: Vec<&str> = names.into_iter().flatten().collect();
            (!names.is_empty()).then(|| JvmEvent {
                at: iso(row.start),
                process: None,
                collectors: Some(names.join(", ")),
            })
        });
        describe(processes.chain(collectors).collect(), self.nanos(), self.window().length())
    }

    /// The last recorded value of a JVM flag.
    #[must_use]
    pub fn flag(&self, name: &str) -> Cell {
        let flags = self.lazy.flags.get_or_init(|| {
            let rows = FLAGS.iter().flat_map(|table| self.table(table).rows());
            let values = rows.filter_map(|row| Some((row.cell("name").text()?, row.cell("value")))).collect();
            Flags { values }
        });
        self.names.string_id(name).and_then(|id| flags.values.get(&id)).copied().unwrap_or_default()
    }

    /// Whether a flag is on; `None` if it was not recorded.
    #[must_use]
    pub fn flag_on(&self, name: &str) -> Option<bool> {
        self.flag(name).int().map(|v| v != 0)
    }

    /// The value of a system property at the start of the recording.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&str> {
        self.table("jdk.InitialSystemProperty")
            .rows()
            .find(|r| r.text("key") == Some(key))
            .and_then(|r| r.text("value"))
    }

    /// The number of hardware threads that the JVM may use; `None` if it was not recorded.
    #[must_use]
    pub fn hardware_threads(&self) -> Option<i64> {
        self.table("jdk.CPUInformation").ints("hwThreads").filter(|n| *n > 0).min()
    }

    /// The garbage collector of the old generation or of the whole heap: `G1Old`, `ParallelOld`, `SerialOld`,
    /// `ConcurrentMarkSweep`, `Z`, `Shenandoah`….
    #[must_use]
    pub fn old_collector(&self) -> Option<&str> {
        self.table("jdk.GCConfiguration").texts("oldCollector").next()
    }

    /// The maximum heap size in bytes.
    #[must_use]
    pub fn max_heap(&self) -> Option<i64> {
        let configured = self.table("jdk.GCHeapConfiguration").ints("maxSize").filter(|n| *n > 0).max();
        configured.or_else(|| self.flag("MaxHeapSize").int().filter(|n| *n > 0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_old_and_new() {
        let line = "OpenJDK 64-Bit Server VM (25.302-b08) for linux-amd64 JRE (1.8.0_302-b08), built on …";
        let version = JvmVersion::parse(line).unwrap();
        assert_eq!((version.major, version.rest.clone(), version.early_access), (8, vec![0, 302], false));
        assert!(version.at_least(8, &[0, 302]) && !version.at_least(8, &[0, 303]) && version.at_least(7, &[0, 40]));
        let ea = JvmVersion::parse("… JRE (28-ea+18-1234), …").unwrap();
        assert!(ea.early_access && ea.major == 28 && ea.rest.is_empty());
        assert_eq!(JvmVersion::parse("… JRE (17.0.15+6-Debian-1)").unwrap().to_string(), "17.0.15");
        assert_eq!(JvmVersion::parse("no version here"), None);
    }
}
