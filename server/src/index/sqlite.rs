//! The SQLite index, with its columns in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{Columns, Numbers, PINNED};
use super::{
    Aged, FacetCounts, Histogram, Index, IndexError, MeasureSummary, MetricPoint, Page, Row, Scope, Sort, Suggestion,
    Totals,
};
use crate::id::Id;
use crate::model::{Mark, Profile, Status};

/// Schema version. Each increase comes with a migration; there is no way back.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE text(id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tag_set(id INTEGER PRIMARY KEY, items TEXT NOT NULL);
CREATE TABLE name_set(id INTEGER PRIMARY KEY, items TEXT NOT NULL);
CREATE TABLE profile(
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, start INTEGER, \"end\" INTEGER, received_at INTEGER,
    service INTEGER, env INTEGER, version INTEGER, host INTEGER, runtime INTEGER, language INTEGER,
    process INTEGER, main INTEGER, runtime_version INTEGER, tags INTEGER, types INTEGER, rules INTEGER,
    status INTEGER, flags INTEGER, cpu_cores REAL, alloc_rate REAL,
    bytes INTEGER, disk_received INTEGER, disk_derived INTEGER, warnings INTEGER, found_warning INTEGER, found_info INTEGER);
CREATE INDEX profile_process ON profile(process, start);
CREATE INDEX profile_service ON profile(service, start);
CREATE TABLE upload(id BLOB PRIMARY KEY, profile BLOB NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX upload_digest ON upload(digest);
CREATE INDEX upload_profile ON upload(profile);
CREATE TABLE type(profile INTEGER, type INTEGER, samples INTEGER, total INTEGER, PRIMARY KEY(profile, type)) WITHOUT ROWID;
CREATE TABLE finding(profile INTEGER, position INTEGER, rule INTEGER, severity TEXT, section TEXT, cost REAL,
    PRIMARY KEY(profile, position)) WITHOUT ROWID;
CREATE TABLE metric(profile INTEGER, name INTEGER, value REAL, PRIMARY KEY(profile, name)) WITHOUT ROWID;
";

/// The index.
pub(crate) struct SqliteIndex {
    database: Mutex<Database>,
    reader: Mutex<Connection>,
    columns: RwLock<Columns>,
}

struct Database {
    connection: Connection,
    /// How many strings and sets the tables contain.
    texts: usize,
    tag_sets: usize,
    name_sets: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

fn big(x: u64) -> i64 {
    i64::try_from(x).unwrap_or(i64::MAX)
}

impl SqliteIndex {
    /// Opens the index; an error means that it must be rebuilt.
    pub(crate) fn open(path: &Path) -> Result<Self, IndexError> {
        let connection = connect(path)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match version {
            0 => {
                let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
                if tables > 0 {
                    return Err(IndexError::Damaged("it has no version".to_owned()));
                }
                connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
            }
            VERSION => {}
            other => {
                return Err(IndexError::Damaged(format!(
                    "it has version {other}; this version of jfrkit writes {VERSION}"
                )));
            }
        }
        let columns = load(&connection)?;
        let mut database = Database { connection, texts: 0, tag_sets: 0, name_sets: 0 };
        // In memory, the empty string exists from the beginning; the tables get it with the first write.
        database.texts = saved(&database, "text")?;
        database.tag_sets = saved(&database, "tag_set")?;
        database.name_sets = saved(&database, "name_set")?;
        Ok(Self { database: Mutex::new(database), reader: Mutex::new(connect(path)?), columns: RwLock::new(columns) })
    }

    /// Moves a damaged index out of the way.
    pub(crate) fn set_aside(path: &Path) -> std::io::Result<()> {
        for ending in ["", "-wal", "-shm"] {
            let from = with_ending(path, ending);
            if from.exists() {
                std::fs::rename(&from, with_ending(path, &format!(".damaged{ending}")))?;
            }
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Columns> {
        self.columns.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Columns> {
        self.columns.write()
    }

    /// Size of the database in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let of = |pragma: &str| lock(&self.reader).query_row(pragma, [], |row| row.get::<_, i64>(0)).unwrap_or(0);
        u64::try_from(of("PRAGMA page_count").saturating_mul(of("PRAGMA page_size"))).unwrap_or(u64::MAX)
    }

    /// Runs SQLite's integrity check and returns what it found.
    pub(crate) fn integrity(&self) -> Result<Option<String>, IndexError> {
        let answer: String = lock(&self.reader).query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok((answer != "ok").then_some(answer))
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn connect(path: &Path) -> Result<Connection, IndexError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 16000000;",
    )?;
    Ok(connection)
}

fn load(connection: &Connection) -> Result<Columns, IndexError> {
    let mut columns = Columns::default();
    columns.texts.add("");
    let in_order = |number: i64, expected: usize, what: &str| {
        if usize::try_from(number).ok() == Some(expected) {
            Ok(())
        } else {
            Err(IndexError::Damaged(format!("the numbers of {what} have gaps")))
        }
    };
    let mut statement = connection.prepare("SELECT id, value FROM text ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut expected = 0;
    while let Some(row) = rows.next()? {
        let text: String = row.get(1)?;
        in_order(row.get(0)?, expected, "texts")?;
        if expected > 0 && !columns.texts.add(&text).1 {
            return Err(IndexError::Damaged("a text occurs twice".to_owned()));
        }
        expected += 1;
    }
    for (table, tags) in [("tag_set", true), ("name_set", false)] {
        let mut statement = connection.prepare(&format!("SELECT id, items FROM {table} ORDER BY id"))?;
        let mut rows = statement.query([])?;
        let mut expected = 0;
        while let Some(row) = rows.next()? {
            in_order(row.get(0)?, expected, "sets")?;
            expected += 1;
            let items: String = row.get(1)?;
            let items: Vec<(u32, u32)> =
                serde_json::from_str(&items).map_err(|e| IndexError::Damaged(format!("a set cannot be read: {e}")))?;
            let sets = if tags { &mut columns.tag_sets } else { &mut columns.name_sets };
            sets.add(items.into());
        }
    }
    let mut statement = connection.prepare(
        "SELECT id, start, \"end\", received_at, service, env, version, host, runtime, language, process, main, runtime_version,
         tags, types, rules, status, flags, cpu_cores, alloc_rate, bytes, disk_received, disk_derived, warnings,
         found_warning, found_info FROM profile ORDER BY n",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_blob().ok().and_then(Id::from_bytes);
        let id = id.ok_or_else(|| IndexError::Damaged("an id cannot be read".to_owned()))?;
        let number = |i: usize| -> Result<u32, rusqlite::Error> { row.get(i) };
        let big = |i: usize| -> Result<u64, rusqlite::Error> { Ok(u64::try_from(row.get::<_, i64>(i)?).unwrap_or(0)) };
        let measure =
            |i: usize| -> Result<f64, rusqlite::Error> { Ok(row.get::<_, Option<f64>>(i)?.unwrap_or(f64::NAN)) };
        columns.put(&Numbers {
            id,
            times: [row.get(1)?, row.get(2)?, row.get(3)?],
            texts: [
                number(4)?,
                number(5)?,
                number(6)?,
                number(7)?,
                number(8)?,
                number(9)?,
                number(10)?,
                number(11)?,
                number(12)?,
            ],
            sets: [number(13)?, number(14)?, number(15)?],
            status: row.get(16)?,
            flags: row.get(17)?,
            measures: [measure(18)?, measure(19)?],
            sizes: [big(20)?, big(21)?, big(22)?],
            counts: [number(23)?, number(24)?, number(25)?],
        });
    }
    Ok(columns)
}

/// Writes what was interned since the last call.
fn save_interned(database: &mut Database, columns: &Columns) -> Result<(), IndexError> {
    let connection = &database.connection;
    let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO text(id, value) VALUES (?1, ?2)")?;
    for (number, text) in columns.texts.iter().enumerate().skip(database.texts) {
        statement.execute(params![i64::try_from(number).unwrap_or(i64::MAX), text])?;
    }
    for (table, sets, from) in
        [("tag_set", &columns.tag_sets, database.tag_sets), ("name_set", &columns.name_sets, database.name_sets)]
    {
        let mut statement =
            connection.prepare_cached(&format!("INSERT OR REPLACE INTO {table}(id, items) VALUES (?1, ?2)"))?;
        for (number, set) in sets.iter().enumerate().skip(from) {
            let items = serde_json::to_string(set).map_err(|e| IndexError::Damaged(e.to_string()))?;
            statement.execute(params![i64::try_from(number).unwrap_or(i64::MAX), items])?;
        }
    }
    Ok(())
}

impl Index for SqliteIndex {
    fn show(&self, row: Row) {
        let mut columns = self.write();
        let numbers = columns.numbers(&row);
        columns.put(&numbers);
    }

    fn set_status(&self, id: Id, status: Status) {
        let mut columns = self.write();
        if let Some(at) = columns.find(id)
            && let Some(place) = columns.status.get_mut(at)
        {
            *place = status.number();
        }
    }

    fn put(&self, profile: &Profile, mark: &Mark) -> Result<(), IndexError> {
        let mut database = lock(&self.database);
        let row = Row::of(profile, mark);
        let (numbers, type_names, rule_names, metric_names) = {
            let mut columns = self.write();
            let numbers = columns.numbers(&row);
            let mut text = |t: &str| columns.texts.add(t).0;
            let types: Vec<u32> = profile.types.iter().map(|t| text(&t.kind)).collect();
            let rules: Vec<u32> = profile.findings.iter().map(|f| text(&f.rule)).collect();
            let metrics: Vec<u32> = profile.metrics.iter().map(|(name, _)| text(name)).collect();
            (numbers, types, rules, metrics)
        };
        database.connection.execute_batch("BEGIN IMMEDIATE")?;
        let written = (|| {
            save_interned(&mut database, &self.read())?;
            let c = &database.connection;
            let n = &numbers;
            let id = n.id.to_bytes();
            let old: Option<i64> = c
                .prepare_cached("SELECT n FROM profile WHERE id = ?1")?
                .query_row(params![id], |r| r.get(0))
                .optional()?;
            if let Some(old) = old {
                for table in ["type", "finding", "metric"] {
                    c.prepare_cached(&format!("DELETE FROM {table} WHERE profile = ?1"))?.execute(params![old])?;
                }
            }
            let [cpu, alloc] = n.measures.map(|m| (!m.is_nan()).then_some(m));
            let [bytes, received, derived] = n.sizes.map(big);
            let [start, end, at] = n.times;
            let [service, env, version, host, runtime, language, process, main, runtime_version] = n.texts;
            let [tags, types, rules] = n.sets;
            let [warnings, found_warning, found_info] = n.counts;
            c.prepare_cached(
                "INSERT OR REPLACE INTO profile VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,?27)",
            )?
            .execute(params![
                old, id, start, end, at, service, env, version, host, runtime, language, process, main, runtime_version,
                tags, types, rules, n.status, n.flags, cpu, alloc, bytes, received, derived, warnings, found_warning, found_info
            ])?;
            let key = old.unwrap_or_else(|| c.last_insert_rowid());
            for (upload, digest) in
                profile.uploads.iter().zip(profile.digests.iter().map(String::as_str).chain(std::iter::repeat("")))
            {
                c.prepare_cached("INSERT OR REPLACE INTO upload(id, profile, digest) VALUES (?1, ?2, ?3)")?
                    .execute(params![upload.to_bytes(), id, digest])?;
            }
            for (entry, name) in profile.types.iter().zip(&type_names) {
                if let Some(value) = entry.values.last().filter(|_| entry.absent.is_none()) {
                    c.prepare_cached("INSERT OR REPLACE INTO type VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                        key,
                        name,
                        big(value.samples),
                        value.total
                    ])?;
                }
            }
            for (position, (finding, rule)) in profile.findings.iter().zip(&rule_names).enumerate() {
                c.prepare_cached("INSERT OR REPLACE INTO finding VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
                    params![
                        key,
                        i64::try_from(position).unwrap_or(i64::MAX),
                        rule,
                        finding.severity,
                        finding.section,
                        finding.cost
                    ],
                )?;
            }
            for ((_, value), name) in profile.metrics.iter().zip(&metric_names) {
                c.prepare_cached("INSERT OR REPLACE INTO metric VALUES (?1, ?2, ?3)")?
                    .execute(params![key, name, value])?;
            }
            Ok::<(), IndexError>(())
        })();
        if let Err(error) = written {
            let _ = database.connection.execute_batch("ROLLBACK");
            return Err(error);
        }
        if let Err(error) = database.connection.execute_batch("COMMIT") {
            let _ = database.connection.execute_batch("ROLLBACK");
            return Err(error.into());
        }
        let mut columns = self.write();
        columns.put(&numbers);
        drop(columns);
        let columns = self.read();
        // Strings interned by others in the meantime are written with their rows at the latest.
        database.texts = saved(&database, "text")?.min(columns.texts.len());
        database.tag_sets = saved(&database, "tag_set")?;
        database.name_sets = saved(&database, "name_set")?;
        Ok(())
    }

    fn remove(&self, id: Id) -> Result<(), IndexError> {
        let database = lock(&self.database);
        let c = &database.connection;
        let key = id.to_bytes();
        let n: Option<i64> = c
            .prepare_cached("SELECT n FROM profile WHERE id = ?1")?
            .query_row(params![key], |r| r.get(0))
            .optional()?;
        if let Some(n) = n {
            c.execute_batch("BEGIN IMMEDIATE")?;
            let done = (|| {
                for table in ["type", "finding", "metric"] {
                    c.prepare_cached(&format!("DELETE FROM {table} WHERE profile = ?1"))?.execute(params![n])?;
                }
                c.prepare_cached("DELETE FROM profile WHERE n = ?1")?.execute(params![n])?;
                c.prepare_cached("DELETE FROM upload WHERE profile = ?1")?.execute(params![key])?;
                c.execute_batch("COMMIT")
            })();
            if let Err(error) = done {
                let _ = c.execute_batch("ROLLBACK");
                return Err(error.into());
            }
        }
        self.write().remove(id);
        Ok(())
    }

    fn received_removed(&self, id: Id) -> Result<(), IndexError> {
        let database = lock(&self.database);
        let statement = "UPDATE profile SET disk_received = 0 WHERE id = ?1";
        database.connection.prepare_cached(statement)?.execute(params![id.to_bytes()])?;
        let mut columns = self.write();
        if let Some(at) = columns.find(id)
            && let Some(bytes) = columns.disk_received.get_mut(at)
        {
            *bytes = 0;
        }
        Ok(())
    }

    fn set_pinned(&self, id: Id, pinned: bool) -> Result<(), IndexError> {
        let database = lock(&self.database);
        let mut columns = self.write();
        let Some(at) = columns.find(id) else { return Ok(()) };
        let Some(flags) = columns.flags.get_mut(at) else { return Ok(()) };
        *flags = if pinned { *flags | PINNED } else { *flags & !PINNED };
        let statement = "UPDATE profile SET flags = ?2 WHERE id = ?1";
        database.connection.prepare_cached(statement)?.execute(params![id.to_bytes(), *flags])?;
        Ok(())
    }

    fn profile_of(&self, upload: Id) -> Option<Id> {
        if self.read().find(upload).is_some() {
            return Some(upload);
        }
        let reader = lock(&self.reader);
        let mut statement = reader.prepare_cached("SELECT profile FROM upload WHERE id = ?1").ok()?;
        let found = statement
            .query_row(params![upload.to_bytes()], |r| Ok(r.get_ref(0)?.as_blob().ok().and_then(Id::from_bytes)));
        found.ok().flatten()
    }

    fn with_digest(&self, digest: &str) -> Option<Id> {
        let reader = lock(&self.reader);
        let mut statement = reader.prepare_cached("SELECT profile FROM upload WHERE digest = ?1").ok()?;
        let found = statement.query_row(params![digest], |r| Ok(r.get_ref(0)?.as_blob().ok().and_then(Id::from_bytes)));
        found.ok().flatten()
    }

    fn of_process(&self, process: &str, start: i64, end: i64) -> Vec<Id> {
        let columns = self.read();
        let Some(process) = columns.texts.number(process) else { return Vec::new() };
        let ready = Status::Ready.number();
        // The newest are at the end.
        let rows = columns.process.iter().enumerate().rev().filter(|(_, p)| **p == process).map(|(at, _)| at);
        rows.filter(|at| columns.is_alive(*at) && columns.status.get(*at) == Some(&ready))
            .filter(|at| {
                columns.start.get(*at).is_some_and(|s| *s <= end) && columns.end.get(*at).is_some_and(|e| *e >= start)
            })
            .filter_map(|at| columns.id.get(at).copied())
            .take(64)
            .collect()
    }

    fn neighbors(&self, id: Id) -> (Option<Id>, Option<Id>) {
        let columns = self.read();
        let Some(at) = columns.find(id) else { return (None, None) };
        let (Some(&process), Some(&start)) = (columns.process.get(at), columns.start.get(at)) else {
            return (None, None);
        };
        let here = (start, id);
        let mut before: Option<(i64, Id)> = None;
        let mut after: Option<(i64, Id)> = None;
        for (at, _) in columns.process.iter().enumerate().filter(|(_, p)| **p == process) {
            let (true, Some(&start), Some(&id)) = (columns.is_alive(at), columns.start.get(at), columns.id.get(at))
            else {
                continue;
            };
            let there = (start, id);
            if there < here && before.is_none_or(|b| b < there) {
                before = Some(there);
            }
            if there > here && after.is_none_or(|a| a > there) {
                after = Some(there);
            }
        }
        (before.map(|(_, id)| id), after.map(|(_, id)| id))
    }

    fn row(&self, id: Id) -> Option<Row> {
        let columns = self.read();
        columns.find(id).and_then(|at| columns.row(at))
    }

    fn search(&self, scope: &Scope, sort: &Sort, limit: usize, cursor: Option<&str>) -> Result<Page, IndexError> {
        self.read().page(scope, sort, limit, cursor)
    }

    fn select(&self, scope: &Scope, kind: Option<&str>) -> Vec<(Id, i64, i64)> {
        let columns = self.read();
        let kind = kind.map(|k| columns.texts.number(k));
        let ready = Status::Ready.number();
        let mut rows: Vec<(Id, i64, i64)> = columns
            .matching(scope)
            .iter()
            .filter(|at| columns.status.get(*at) == Some(&ready))
            .filter(|at| {
                kind.is_none_or(|kind| {
                    let set = columns.types.get(*at).copied().unwrap_or(0);
                    columns.name_sets.get(set).iter().any(|(name, _)| Some(*name) == kind)
                })
            })
            .filter_map(|at| Some((*columns.id.get(at)?, *columns.start.get(at)?, *columns.end.get(at)?)))
            .collect();
        rows.sort_by_key(|(id, start, _)| (*start, *id));
        rows
    }

    fn facets(&self, scope: &Scope, names: &[String], top: usize) -> BTreeMap<String, FacetCounts> {
        self.read().counts(scope, names, top)
    }

    fn histogram(&self, scope: &Scope, now: i64) -> Histogram {
        self.read().histogram(scope, now)
    }

    fn measures(&self, scope: &Scope) -> BTreeMap<&'static str, MeasureSummary> {
        self.read().summaries(scope)
    }

    fn suggest(&self, prefix: &str, scope: &Scope) -> Vec<Suggestion> {
        self.read().suggest(prefix, scope)
    }

    fn metrics(&self, scope: &Scope, names: &[String], by: Option<&str>) -> Result<Vec<MetricPoint>, IndexError> {
        let selected = self.select(scope, None);
        let keys: Vec<(Id, i64, String)> = {
            let columns = self.read();
            let key = |id: Id| {
                let at = columns.find(id)?;
                let column = match by? {
                    "host" => &columns.host,
                    _ => &columns.version,
                };
                Some(columns.texts.get(column.get(at).copied()?).to_owned())
            };
            selected.into_iter().map(|(id, start, _)| (id, start, key(id).unwrap_or_default())).collect()
        };
        let reader = lock(&self.reader);
        let mut statement = reader.prepare_cached(
            "SELECT t.value, m.value FROM profile p JOIN metric m ON m.profile = p.n JOIN text t ON t.id = m.name WHERE p.id = ?1",
        )?;
        let mut points = Vec::new();
        for (id, start, key) in keys {
            let mut rows = statement.query(params![id.to_bytes()])?;
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                if names.is_empty() || names.contains(&name) {
                    points.push(MetricPoint { id, start, key: key.clone(), name, value: row.get(1)? });
                }
            }
        }
        Ok(points)
    }

    fn totals(&self) -> Totals {
        let columns = self.read();
        let mut totals = Totals::default();
        for at in (0..columns.len()).filter(|at| columns.is_alive(*at)) {
            totals.profiles += 1;
            match Status::from_number(columns.status.get(at).copied().unwrap_or(0)) {
                Status::Ready => totals.ready += 1,
                Status::Failed => totals.failed += 1,
                Status::Received | Status::Processing => totals.waiting += 1,
            }
            totals.disk_received += columns.disk_received.get(at).copied().unwrap_or(0);
            totals.disk_derived += columns.disk_derived.get(at).copied().unwrap_or(0);
        }
        totals
    }

    fn by_age(&self) -> Vec<Aged> {
        let columns = self.read();
        let waiting = [Status::Received.number(), Status::Processing.number()];
        let mut rows: Vec<Aged> = (0..columns.len())
            .filter(|at| columns.is_alive(*at) && columns.status.get(*at).is_some_and(|s| !waiting.contains(s)))
            .filter_map(|at| {
                Some(Aged {
                    id: *columns.id.get(at)?,
                    received_at: *columns.received_at.get(at)?,
                    disk_received: *columns.disk_received.get(at)?,
                    disk_derived: *columns.disk_derived.get(at)?,
                    pinned: columns.flags.get(at)? & PINNED != 0,
                    failed: *columns.status.get(at)? == Status::Failed.number(),
                })
            })
            .collect();
        rows.sort_by_key(|row| (row.received_at, row.id));
        rows
    }

    fn oldest(&self) -> Option<i64> {
        let columns = self.read();
        let waiting = [Status::Received.number(), Status::Processing.number()];
        (0..columns.len())
            .filter(|at| columns.is_alive(*at) && columns.status.get(*at).is_some_and(|s| !waiting.contains(s)))
            .filter_map(|at| columns.received_at.get(at).copied())
            .min()
    }

    fn nearest(&self, at: i64) -> Option<i64> {
        let columns = self.read();
        let rows =
            (0..columns.len()).filter(|row| columns.is_alive(*row)).filter_map(|row| columns.start.get(row).copied());
        rows.min_by_key(|start| (start - at).abs())
    }

    fn newest(&self) -> Option<Id> {
        let columns = self.read();
        columns.by_id.keys().copied().max()
    }

    fn ids(&self) -> Vec<Id> {
        let columns = self.read();
        columns.by_id.keys().copied().collect()
    }

    fn close(&self) {
        let database = lock(&self.database);
        if let Err(error) = database.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the write-ahead log of the index could not be truncated");
        }
    }
}

/// How many strings or sets a table contains.
fn saved(database: &Database, table: &str) -> Result<usize, IndexError> {
    let sql = format!("SELECT coalesce(max(id) + 1, 0) FROM {table}");
    let n: i64 = database.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    Ok(usize::try_from(n).unwrap_or(0))
}
