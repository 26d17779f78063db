//! An upload being received: its parts are written to files in their own directory as they arrive.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::id::Id;
use crate::intake::{PartHead, Parts, Refusal};
use crate::model::{Kind, Part};

/// Maximum files of an upload.
const MAX_PARTS: usize = 64;
/// Maximum small form fields of an upload.
const MAX_FIELDS: usize = 512;
/// Maximum bytes of a form field kept in memory.
const MAX_FIELD: usize = 4 << 10;

/// An upload under construction. Dropping it removes its files.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) id: Id,
    pub(crate) dir: PathBuf,
    pub(crate) parts: Vec<Part>,
    /// Form fields without a file name, in order.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) bytes: u64,
    /// All headers, if the upload is forwarded.
    pub(crate) headers: Vec<(String, String)>,
    limit: u64,
    open: Option<Open>,
    /// Files that must be synced.
    files: Vec<File>,
    kept: bool,
}

#[derive(Debug)]
struct Open {
    head: PartHead,
    start: Vec<u8>,
    file: Option<File>,
    bytes: u64,
    hash: Sha256,
}

impl Draft {
    /// Creates a draft of at most `limit` bytes in a new directory.
    pub(crate) fn new(tmp: &Path, id: Id, limit: u64) -> io::Result<Self> {
        let dir = tmp.join(id.to_string());
        fs::create_dir(&dir)?;
        Ok(Self {
            id,
            dir,
            parts: Vec::new(),
            fields: Vec::new(),
            bytes: 0,
            headers: Vec::new(),
            limit,
            open: None,
            files: Vec::new(),
            kept: false,
        })
    }

    /// A field by name; the last one wins.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The content of a part, at most `limit` bytes.
    pub(crate) fn read(&self, part: &Part, limit: u64) -> Result<Vec<u8>, Refusal> {
        if part.bytes > limit {
            return Err(Refusal::bad(&format!("the part {:?} is larger than {limit} bytes", part.label())));
        }
        fs::read(self.dir.join(&part.file)).map_err(Refusal::from)
    }

    fn spill(&mut self) -> Result<(), Refusal> {
        let number = self.parts.len();
        if number >= MAX_PARTS {
            return Err(Refusal::bad(&format!("more than {MAX_PARTS} parts")));
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.file.is_none() {
            let mut file = File::create_new(self.dir.join(format!("{number:02}.part")))?;
            file.write_all(&open.start)?;
            open.file = Some(file);
        }
        Ok(())
    }

    /// Writes our own file beside the parts.
    pub(crate) fn write_own(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.dir.join(name))?;
        file.write_all(bytes)?;
        self.files.push(file);
        Ok(())
    }

    /// Syncs the files and the directory.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        for file in self.files.drain(..) {
            file.sync_data()?;
        }
        File::open(&self.dir)?.sync_all()
    }

    /// Hands over the directory, so that dropping the draft leaves it alone.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Parts for Draft {
    fn begin(&mut self, head: PartHead) -> Result<(), Refusal> {
        let limit = crate::intake::MAX_NAME;
        if head.name.len() > limit || head.file_name.as_ref().is_some_and(|n| n.len() > limit) {
            return Err(Refusal::bad("the name of a part is longer than 8 KiB"));
        }
        self.open = Some(Open { head, start: Vec::new(), file: None, bytes: 0, hash: Sha256::new() });
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let added = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(added);
        if self.bytes > self.limit {
            return Err(Refusal::too_large(self.limit));
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.bytes = open.bytes.saturating_add(added);
        open.hash.update(bytes);
        match &mut open.file {
            Some(file) => file.write_all(bytes)?,
            None => {
                let room = MAX_FIELD.saturating_sub(open.start.len());
                open.start.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
                if bytes.len() > room {
                    self.spill()?;
                    if let Some(file) = self.open.as_mut().and_then(|o| o.file.as_mut()) {
                        file.write_all(bytes.get(room..).unwrap_or_default())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let is_field = self.open.as_ref().is_some_and(|o| {
            o.file.is_none()
                && o.head.file_name.is_none()
                && Kind::of(&o.start) == Kind::Other
                && std::str::from_utf8(&o.start).is_ok_and(|t| !t.contains(|c: char| c.is_control()))
                || (o.bytes == 0 && o.head.file_name.is_none())
        });
        if is_field {
            let Some(open) = self.open.take() else { return Ok(()) };
            if self.fields.len() >= MAX_FIELDS {
                return Err(Refusal::bad(&format!("more than {MAX_FIELDS} form fields")));
            }
            self.fields.push((open.head.name, String::from_utf8_lossy(&open.start).into_owned()));
            return Ok(());
        }
        self.spill()?;
        let Some(open) = self.open.take() else { return Ok(()) };
        let file = format!("{:02}.part", self.parts.len());
        self.files.extend(open.file);
        self.parts.push(Part {
            file,
            kind: Kind::of(&open.start),
            name: open.head.name,
            file_name: open.head.file_name,
            content_type: open.head.content_type,
            bytes: open.bytes,
            sha256: hex(&open.hash.finalize()),
            gzipped: false,
        });
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
