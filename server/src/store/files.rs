//! The store as a directory: `received/`, `derived/2/`, `quarantine/`, organized by hour.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Store;
use crate::id::Id;
use crate::model::{Mark, Profile, Upload};
use crate::ops::kill::kill_point;
use crate::time::hour_path;
use parking_lot::Mutex;

/// Version of the deriving code; increase it when profiles are derived differently or in more detail.
///
/// 2: the runtime information has sections about the profiles and about what was sent with them, and the version of the JVM.
pub(crate) const DERIVED: u32 = 2;
/// Parts up to this size are not compressed.
const PACK_FROM: u64 = 512;

/// A directory of profiles.
#[derive(Debug)]
pub(crate) struct FileStore {
    dir: PathBuf,
    /// Hour folders known to survive a power failure, including all parent folders.
    hours: Mutex<HashSet<PathBuf>>,
    /// Older deriving versions for which the store has profiles, newest first.
    older: Vec<u32>,
    /// Whether remains of interrupted deletions may be removed.
    cleans: bool,
}

impl FileStore {
    /// Opens the store, creating it if needed, and removes unfinished files.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let tmp = dir.join("tmp");
        if tmp.exists() {
            fs::remove_dir_all(&tmp)?;
        }
        for place in [tmp, dir.join("received"), dir.join(format!("derived/{DERIVED}")), dir.join("quarantine")] {
            fs::create_dir_all(place)?;
        }
        Ok(Self { cleans: true, ..Self::existing(dir) })
    }

    /// Opens a store without creating or removing anything.
    pub(crate) fn existing(dir: &Path) -> Self {
        let versions = sorted(&dir.join("derived")).unwrap_or_default();
        let mut older: Vec<u32> =
            versions.iter().filter_map(|name| name.parse().ok()).filter(|n| *n < DERIVED).collect();
        older.sort_by(|a, b| b.cmp(a));
        Self { dir: dir.to_owned(), hours: Mutex::default(), older, cleans: false }
    }

    /// All deriving versions for which the store has profiles, newest first.
    fn versions(&self) -> impl Iterator<Item = u32> {
        std::iter::once(DERIVED).chain(self.older.iter().copied())
    }

    fn tmp(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    fn received_dir(&self, id: Id) -> PathBuf {
        self.dir.join("received").join(hour_path(id.millis())).join(id.to_string())
    }

    fn version_dir(&self, version: u32) -> PathBuf {
        self.dir.join(format!("derived/{version}"))
    }

    fn derived_in(&self, version: u32, id: Id) -> PathBuf {
        self.version_dir(version).join(hour_path(id.millis())).join(id.to_string())
    }

    /// The directory of a profile: that of an older version until the profile is derived again.
    fn derived_dir(&self, id: Id) -> PathBuf {
        let newest = self.derived_in(DERIVED, id);
        if self.older.is_empty() || newest.exists() {
            return newest;
        }
        let older = self.older.iter().map(|version| self.derived_in(*version, id)).find(|dir| dir.exists());
        older.unwrap_or(newest)
    }

    /// The hour folders of a version that may contain profiles received at `since` or later, by hour.
    fn hours_of(&self, version: u32, since: i64) -> io::Result<Vec<(String, PathBuf)>> {
        let first = (since > 0).then(|| hour_path(since));
        // Year, month, day, hour: the names sort by time.
        let mut level = vec![(String::new(), self.version_dir(version))];
        for _ in 0..4 {
            let mut next = Vec::new();
            for (path, dir) in level {
                for name in sorted(&dir)? {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                    if first.as_ref().is_none_or(|f| path.as_str() >= f.get(..path.len()).unwrap_or(f)) {
                        next.push((path, dir.join(&name)));
                    }
                }
            }
            level = next;
        }
        Ok(level)
    }

    fn quarantine_dir(&self, id: Id) -> PathBuf {
        self.dir.join("quarantine").join(id.to_string())
    }

    /// Moves a complete directory to its place durably. An existing one is kept.
    fn place(&self, from: &Path, to: &Path) -> io::Result<()> {
        for entry in fs::read_dir(from)? {
            File::open(entry?.path())?.sync_data()?;
        }
        File::open(from)?.sync_all()?;
        let parent = to.parent().unwrap_or(&self.dir);
        self.hour(parent)?;
        if to.exists() {
            return fs::remove_dir_all(from);
        }
        fs::rename(from, to)?;
        File::open(parent)?.sync_all()
    }

    /// Creates an hour folder durably.
    fn hour(&self, dir: &Path) -> io::Result<()> {
        let known = || self.hours.lock();
        if known().contains(dir) && dir.exists() {
            return Ok(());
        }
        fs::create_dir_all(dir)?;
        // The hour, day, month and year folders may not be on disk yet, whoever created them.
        for above in dir.ancestors().take_while(|above| above.starts_with(&self.dir)) {
            File::open(above)?.sync_all()?;
        }
        let mut known = known();
        if known.len() > 1_000 {
            known.clear();
        }
        known.insert(dir.to_owned());
        Ok(())
    }
}

/// Replaces a file durably, by writing a new one beside it and renaming that.
fn replace(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = dir.join(format!(".{name}.new"));
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&aside, dir.join(name))?;
    File::open(dir)?.sync_all()
}

fn missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Total bytes of the files in a directory.
fn usage(dir: &Path) -> io::Result<u64> {
    fs::read_dir(dir)?.try_fold(0u64, |sum, entry| Ok(sum.saturating_add(entry?.metadata()?.len())))
}

impl Store for FileStore {
    fn put_received(&self, upload: &Upload, from: &Path) -> io::Result<u64> {
        let to = self.received_dir(upload.id);
        if to.exists() {
            return usage(&to);
        }
        let aside = self.tmp().join(format!("{}.received", upload.id));
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        fs::create_dir_all(&aside)?;
        let mut upload = upload.clone();
        for part in &mut upload.parts {
            let (source, target) = (from.join(&part.file), aside.join(&part.file));
            if part.kind.is_packed() || part.bytes <= PACK_FROM {
                fs::hard_link(&source, &target).or_else(|_| fs::copy(&source, &target).map(|_| ()))?;
            } else {
                let mut input = BufReader::with_capacity(256 << 10, File::open(&source)?);
                let out = BufWriter::with_capacity(256 << 10, File::create(&target)?);
                let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::new(1));
                io::copy(&mut input, &mut packed)?;
                packed.finish()?.flush()?;
                part.gzipped = true;
            }
        }
        fs::write(aside.join("upload.json"), serde_json::to_vec(&upload)?)?;
        kill_point("received-written");
        let bytes = usage(&aside)?;
        self.place(&aside, &to)?;
        kill_point("received-placed");
        Ok(bytes)
    }

    fn stage(&self, id: Id) -> io::Result<PathBuf> {
        let aside = self.tmp().join(format!("{id}.derived"));
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        fs::create_dir_all(&aside)?;
        Ok(aside)
    }

    fn unstage(&self, id: Id) -> io::Result<()> {
        for ending in ["derived", "received", "quarantine"] {
            missing(fs::remove_dir_all(self.tmp().join(format!("{id}.{ending}"))))?;
        }
        Ok(())
    }

    fn publish(&self, profile: &Profile, staged: &Path) -> io::Result<()> {
        fs::write(staged.join("profile.json"), serde_json::to_vec(profile)?)?;
        kill_point("derived-written");
        let to = self.derived_dir(profile.id);
        if to.exists() {
            // Derived again: first the new files, then the description that names them.
            return self.join(profile, staged);
        }
        self.place(staged, &to)?;
        kill_point("derived-placed");
        Ok(())
    }

    fn join(&self, profile: &Profile, staged: &Path) -> io::Result<()> {
        let to = self.derived_dir(profile.id);
        for entry in fs::read_dir(staged)? {
            let entry = entry?;
            if entry.file_name() != "profile.json" {
                File::open(entry.path())?.sync_data()?;
                fs::rename(entry.path(), to.join(entry.file_name()))?;
            }
        }
        kill_point("join-moved");
        replace(&to, "profile.json", &serde_json::to_vec(profile)?)?;
        kill_point("join-placed");
        fs::remove_dir_all(staged)
    }

    fn rewrite(&self, profile: &Profile) -> io::Result<()> {
        replace(&self.derived_dir(profile.id), "profile.json", &serde_json::to_vec(profile)?)
    }

    fn quarantine(&self, upload: &Upload, from: &Path, reason: &str) -> io::Result<u64> {
        let to = self.quarantine_dir(upload.id);
        if to.exists() {
            return usage(&to);
        }
        let aside = self.tmp().join(format!("{}.quarantine", upload.id));
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        fs::create_dir_all(&aside)?;
        for part in &upload.parts {
            let (source, target) = (from.join(&part.file), aside.join(&part.file));
            fs::hard_link(&source, &target).or_else(|_| fs::copy(&source, &target).map(|_| ()))?;
        }
        fs::write(aside.join("upload.json"), serde_json::to_vec(upload)?)?;
        fs::write(aside.join("reason.txt"), format!("{reason}\n"))?;
        let bytes = usage(&aside)?;
        self.place(&aside, &to)?;
        kill_point("quarantine-placed");
        Ok(bytes)
    }

    fn profile(&self, id: Id) -> io::Result<Option<Profile>> {
        let Some(bytes) = missing(fs::read(self.derived_dir(id).join("profile.json")))? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&bytes)?))
    }

    fn mark(&self, id: Id) -> Mark {
        let bytes = fs::read(self.derived_dir(id).join("mark.json")).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn set_mark(&self, id: Id, mark: &Mark) -> io::Result<()> {
        replace(&self.derived_dir(id), "mark.json", &serde_json::to_vec(mark)?)
    }

    fn upload(&self, id: Id) -> io::Result<Option<Upload>> {
        for dir in [self.received_dir(id), self.quarantine_dir(id)] {
            if let Some(bytes) = missing(fs::read(dir.join("upload.json")))? {
                return Ok(Some(serde_json::from_slice(&bytes)?));
            }
        }
        Ok(None)
    }

    fn derived(&self, id: Id, file: &str) -> PathBuf {
        self.derived_dir(id).join(file)
    }

    fn received(&self, id: Id, file: &str) -> Option<PathBuf> {
        [self.received_dir(id), self.quarantine_dir(id)]
            .into_iter()
            .map(|dir| dir.join(file))
            .find(|path| path.is_file())
    }

    fn remove_received(&self, uploads: &[Id]) -> io::Result<()> {
        for id in uploads {
            missing(fs::remove_dir_all(self.received_dir(*id)))?;
            missing(fs::remove_dir_all(self.quarantine_dir(*id)))?;
        }
        Ok(())
    }

    fn remove(&self, id: Id, uploads: &[Id]) -> io::Result<()> {
        // Remove derived files last: until then, a profile whose removal crashed is found and removed again.
        self.remove_received(uploads)?;
        // Older versions first, so none of them reappears.
        for version in self.versions().collect::<Vec<_>>().into_iter().rev() {
            let dir = self.derived_in(version, id);
            missing(fs::remove_file(dir.join("profile.json")))?;
            missing(fs::remove_dir_all(dir))?;
        }
        Ok(())
    }

    fn each(&self, since: i64, each: &mut dyn FnMut(Profile, Mark)) -> io::Result<()> {
        let mut hours: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for version in self.versions() {
            for (hour, dir) in self.hours_of(version, since)? {
                hours.entry(hour).or_default().push(dir);
            }
        }
        for dirs in hours.into_values() {
            // The newest version comes first.
            let mut found: BTreeMap<Id, &PathBuf> = BTreeMap::new();
            for dir in &dirs {
                for id in sorted(dir)?.iter().filter_map(|name| Id::parse(name)).filter(|id| id.millis() >= since) {
                    found.entry(id).or_insert(dir);
                }
            }
            for (id, dir) in found {
                match self.profile(id) {
                    Ok(Some(profile)) => each(profile, self.mark(id)),
                    Ok(None) if !self.cleans => {}
                    Ok(None) => {
                        // An earlier removal was interrupted.
                        missing(fs::remove_dir_all(dir.join(id.to_string())))?;
                    }
                    Err(error) => tracing::error!(%id, %error, "a profile cannot be read"),
                }
            }
        }
        Ok(())
    }

    fn outdated(&self) -> io::Result<Vec<Id>> {
        let mut found = Vec::new();
        for version in &self.older {
            for (_, dir) in self.hours_of(*version, 0)? {
                found.extend(sorted(&dir)?.iter().filter_map(|name| Id::parse(name)));
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        found.dedup();
        Ok(found)
    }

    fn renew(&self, profile: &Profile, staged: &Path) -> io::Result<()> {
        let new = self.derived_in(DERIVED, profile.id);
        if !new.exists() {
            let mark = self.derived_dir(profile.id).join("mark.json");
            missing(fs::copy(mark, staged.join("mark.json")))?;
            fs::write(staged.join("profile.json"), serde_json::to_vec(profile)?)?;
            kill_point("renew-written");
            self.place(staged, &new)?;
        }
        kill_point("renew-placed");
        for version in &self.older {
            let old = self.derived_in(*version, profile.id);
            missing(fs::remove_dir_all(&old))?;
            // Remove the hour, day, month and year folders that are now empty.
            for above in old.ancestors().skip(1).take(4) {
                if fs::remove_dir(above).is_err() {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn sorted(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in missing(fs::read_dir(dir))?.into_iter().flatten() {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}
