//! The index: one row per profile, persisted in SQLite and searched in memory, by column. It is a cache and can always be
//! rebuilt from the store.
//!
//! To keep rows elsewhere, implement [`Index`]. Start with [`Row`], then `columns.rs` and `search.rs`.
//!
//! Anything that cannot be rebuilt belongs in `store`. `query.rs` parses the search language.

mod columns;
pub(crate) mod query;
mod search;
mod sqlite;

use std::collections::BTreeMap;
use std::io;

pub(crate) use search::{FacetCounts, Histogram, MeasureSummary, Page, Sort};
pub(crate) use sqlite::SqliteIndex;

use crate::id::Id;
use crate::model::{Facets, Mark, Measure, Profile, Status, Upload};
use query::Query;

/// A row in the search results.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: Id,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) received_at: i64,
    pub(crate) facets: Facets,
    pub(crate) process: String,
    pub(crate) main: String,
    pub(crate) runtime_version: String,
    pub(crate) status: Status,
    pub(crate) cpu: Measure,
    pub(crate) alloc: Measure,
    pub(crate) bytes: u64,
    pub(crate) disk_received: u64,
    pub(crate) disk_derived: u64,
    pub(crate) warnings: u32,
    pub(crate) found_warning: u32,
    pub(crate) found_info: u32,
    pub(crate) pinned: bool,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) types: Vec<String>,
    pub(crate) rules: Vec<String>,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Row {
    /// The row of a derived profile.
    pub(crate) fn of(profile: &Profile, mark: &Mark) -> Self {
        let mut rules: Vec<String> = profile.findings.iter().map(|f| f.rule.clone()).collect();
        rules.sort();
        rules.dedup();
        Self {
            id: profile.id,
            start: profile.start,
            end: profile.end,
            received_at: profile.received_at,
            facets: profile.facets.clone(),
            process: profile.process.clone(),
            main: profile.main.clone(),
            runtime_version: profile.runtime_version.clone(),
            status: profile.status,
            cpu: profile.cpu_cores.clone(),
            alloc: profile.alloc_rate.clone(),
            bytes: profile.bytes,
            disk_received: if mark.received_removed.is_some() { 0 } else { profile.disk_received },
            disk_derived: profile.disk_derived,
            warnings: count(profile.warnings.len()),
            found_warning: count(profile.found("warning")),
            found_info: count(profile.found("info")),
            pinned: mark.pinned,
            tags: profile.tags.clone(),
            types: profile.present().map(str::to_owned).collect(),
            rules,
        }
    }

    /// The row of a pending upload.
    pub(crate) fn of_upload(upload: &Upload, facets: Facets, process: String, status: Status) -> Self {
        Self {
            id: upload.id,
            start: upload.start.unwrap_or(upload.received_at),
            end: upload.end.unwrap_or(upload.received_at),
            received_at: upload.received_at,
            facets,
            process,
            main: String::new(),
            runtime_version: String::new(),
            status,
            cpu: Measure::default(),
            alloc: Measure::default(),
            bytes: crate::spool::size(upload),
            disk_received: 0,
            disk_derived: 0,
            warnings: count(upload.warnings.len()),
            found_warning: 0,
            found_info: 0,
            pinned: false,
            tags: upload.tags.clone(),
            types: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// What to search for, and in which time range.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) query: Query,
    /// The profile starts in `from..to`, in milliseconds since the epoch.
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

/// Sums over all rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) profiles: u64,
    pub(crate) ready: u64,
    pub(crate) failed: u64,
    pub(crate) waiting: u64,
    pub(crate) disk_received: u64,
    pub(crate) disk_derived: u64,
}

/// What retention needs to know about a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aged {
    pub(crate) id: Id,
    pub(crate) received_at: i64,
    pub(crate) disk_received: u64,
    pub(crate) disk_derived: u64,
    pub(crate) pinned: bool,
    /// The upload could not be read; its received data is in quarantine.
    pub(crate) failed: bool,
}

/// One value of a metric: profile, start time, host or version, value.
#[derive(Debug, Clone)]
pub(crate) struct MetricPoint {
    pub(crate) id: Id,
    pub(crate) start: i64,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// A completion.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Suggestion {
    /// The text that replaces the whole term.
    pub(crate) text: String,
    /// `name`, `value` or `measure`.
    pub(crate) kind: &'static str,
    pub(crate) count: u64,
}

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    /// An error from SQLite.
    #[error("index: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The content is not what this version writes.
    #[error("index: {0}")]
    Damaged(String),
    /// The file cannot be accessed.
    #[error("index: {0}")]
    Io(#[from] io::Error),
    /// The cursor refers to a row that is gone.
    #[error("invalid cursor")]
    Cursor,
}

impl IndexError {
    /// Whether the content is damaged, so that rebuilding the index helps.
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode;
        match self {
            Self::Sqlite(error) => !matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::PermissionDenied
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::OutOfMemory
                        | ErrorCode::ReadOnly
                        | ErrorCode::DiskFull
                        | ErrorCode::CannotOpen
                )
            ),
            Self::Damaged(_) => true,
            Self::Io(_) | Self::Cursor => false,
        }
    }
}

/// Finds profiles.
pub(crate) trait Index: Send + Sync {
    /// Shows a pending upload; its row is only kept in memory.
    fn show(&self, row: Row);
    /// Changes the status of a pending row.
    fn set_status(&self, id: Id, status: Status);
    /// Adds a derived profile with everything the index stores about it. Can be repeated.
    fn put(&self, profile: &Profile, mark: &Mark) -> Result<(), IndexError>;
    /// Removes a profile or a pending row.
    fn remove(&self, id: Id) -> Result<(), IndexError>;
    /// Records that the received data of a profile was removed.
    fn received_removed(&self, id: Id) -> Result<(), IndexError>;
    /// Pins or unpins a profile.
    fn set_pinned(&self, id: Id, pinned: bool) -> Result<(), IndexError>;
    /// The profile that an upload became.
    fn profile_of(&self, upload: Id) -> Option<Id>;
    /// The profile that contains an upload with this digest.
    fn with_digest(&self, digest: &str) -> Option<Id>;
    /// Profiles of a process that overlap this time range.
    fn of_process(&self, process: &str, start: i64, end: i64) -> Vec<Id>;
    /// The previous and next profile of the same process.
    fn neighbors(&self, id: Id) -> (Option<Id>, Option<Id>);
    /// One row.
    fn row(&self, id: Id) -> Option<Row>;
    /// A page of rows.
    fn search(&self, scope: &Scope, sort: &Sort, limit: usize, cursor: Option<&str>) -> Result<Page, IndexError>;
    /// All matching profiles with samples of a type, by time: id, start and end.
    fn select(&self, scope: &Scope, kind: Option<&str>) -> Vec<(Id, i64, i64)>;
    /// Counts of values by facet.
    fn facets(&self, scope: &Scope, names: &[String], top: usize) -> BTreeMap<String, FacetCounts>;
    /// Counts over time.
    fn histogram(&self, scope: &Scope, now: i64) -> Histogram;
    /// Distribution of each measure.
    fn measures(&self, scope: &Scope) -> BTreeMap<&'static str, MeasureSummary>;
    /// Completions of a term.
    fn suggest(&self, prefix: &str, scope: &Scope) -> Vec<Suggestion>;
    /// Metric values of all matching profiles; `by` is `host`, `version` or `None`.
    fn metrics(&self, scope: &Scope, names: &[String], by: Option<&str>) -> Result<Vec<MetricPoint>, IndexError>;
    /// Sums over all rows.
    fn totals(&self) -> Totals;
    /// All profiles for retention, oldest first.
    fn by_age(&self) -> Vec<Aged>;
    /// When the oldest profile was received.
    fn oldest(&self) -> Option<i64>;
    /// Start of the profile nearest to a time.
    fn nearest(&self, at: i64) -> Option<i64>;
    /// The newest id.
    fn newest(&self) -> Option<Id>;
    /// All ids in SQLite.
    fn ids(&self) -> Vec<Id>;
    /// Moves the content of the write-ahead log into the database.
    fn close(&self);
}
