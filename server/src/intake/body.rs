//! Request bodies: splits the incoming bytes into the parts of a draft, and decompresses them if they are compressed.

use std::fs::File;
use std::io::{Read, Write};

use super::multipart::Multipart;
use super::{PartHead, Parts, Protocol, Refusal, Request, Shape};
use crate::model::Upload;
use crate::spool::Draft;

/// Bytes of a body to collect before a thread works on them.
pub(crate) const PIECE: usize = 64 << 10;
/// The file that keeps a body as received, for forwarding.
pub(crate) const RAW: &str = "raw";
/// The file that holds a body until the protocol reads it.
const ASIDE: &str = "body";
/// A body that expands to no more than this cannot be a bomb.
const SMALL: u64 = 1 << 20;

/// A body that is being received. It blocks, so run it on its own thread.
#[derive(Debug)]
pub(crate) struct Receiver {
    protocol: Protocol,
    request: Request,
    draft: Draft,
    reader: Reader,
    packing: Packing,
    received: u64,
    limit: u64,
    tee: Option<File>,
    /// Bytes at the start of the buffer that were received earlier.
    kept: usize,
}

#[derive(Debug)]
enum Reader {
    Multipart(Multipart),
    Raw,
    Aside(File),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Receiver {
    /// Refuses what can be refused before the body arrives.
    pub(crate) fn check(protocol: Protocol, request: &Request) -> Result<(), Refusal> {
        packing(request)?;
        match protocol.shape(request)? {
            Shape::Multipart => Multipart::new(request.header("content-type").unwrap_or_default()).map(|_| ()),
            Shape::Raw(_) | Shape::Staged => Ok(()),
        }
    }

    /// Accepts at most `limit` bytes. With `forward`, also keeps the body as received.
    pub(crate) fn new(
        protocol: Protocol,
        request: Request,
        mut draft: Draft,
        limit: u64,
        forward: bool,
    ) -> Result<Self, Refusal> {
        let packing = packing(&request)?;
        let shape = protocol.shape(&request)?;
        let reader = if packing != Packing::None || shape == Shape::Staged {
            Reader::Aside(File::create_new(draft.dir.join(ASIDE))?)
        } else {
            reader(shape, &request, &mut draft)?
        };
        let mut tee = None;
        if forward {
            tee = Some(File::create_new(draft.dir.join(RAW))?);
            draft.headers.clone_from(&request.headers);
        }
        Ok(Self { protocol, request, draft, reader, packing, received: 0, limit, tee, kept: 0 })
    }

    /// Takes what was appended to the buffer since the last call. Leaves bytes in it that can only be
    /// interpreted together with the following ones.
    pub(crate) fn push(&mut self, buffer: &mut Vec<u8>) -> Result<(), Refusal> {
        let new = buffer.get(self.kept..).unwrap_or_default();
        self.received = self.received.saturating_add(u64::try_from(new.len()).unwrap_or(u64::MAX));
        if self.received > self.limit {
            return Err(Refusal::too_large(self.limit));
        }
        if let Some(tee) = &mut self.tee {
            tee.write_all(new)?;
        }
        take(&mut self.reader, buffer, &mut self.draft)?;
        self.kept = buffer.len();
        Ok(())
    }

    /// Ends the body and returns its uploads. `more` creates further drafts.
    pub(crate) fn finish(mut self, more: &dyn Fn() -> Result<Draft, Refusal>) -> Result<Vec<(Draft, Upload)>, Refusal> {
        let shape = self.protocol.shape(&self.request)?;
        if let Reader::Aside(_) = self.reader {
            let path = self.draft.dir.join(ASIDE);
            if self.packing != Packing::None {
                let file = File::open(&path)?;
                let limits = jfr_parse::Limits::intake();
                let most = self.received.saturating_mul(limits.unpack_ratio).max(SMALL).min(limits.recording_bytes);
                let mut source: Box<dyn Read> = match self.packing {
                    Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(std::io::BufReader::new(file))),
                    _ => Box::new(
                        ruzstd::decoding::StreamingDecoder::new(std::io::BufReader::new(file))
                            .map_err(|e| Refusal::bad(&format!("the body cannot be decompressed: {e}")))?,
                    ),
                };
                let mut target = match shape {
                    Shape::Staged => Reader::Aside(File::create_new(self.draft.dir.join("unpacked"))?),
                    other => reader(other, &self.request, &mut self.draft)?,
                };
                let (mut piece, mut buffer) = (vec![0u8; PIECE], Vec::new());
                let mut unpacked = 0u64;
                loop {
                    let n = match source.read(&mut piece) {
                        Ok(0) => break,
                        Ok(n) => n,
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                        Err(error) => return Err(Refusal::bad(&format!("the body cannot be decompressed: {error}"))),
                    };
                    unpacked = unpacked.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
                    if unpacked > most {
                        return Err(Refusal::of(413, &format!("the body decompresses to more than {most} bytes")));
                    }
                    buffer.extend_from_slice(piece.get(..n).unwrap_or_default());
                    take(&mut target, &mut buffer, &mut self.draft)?;
                }
                drop(source);
                std::fs::remove_file(&path)?;
                if let Reader::Aside(_) = target {
                    std::fs::rename(self.draft.dir.join("unpacked"), &path)?;
                }
                self.reader = target;
            }
        }
        match &self.reader {
            Reader::Multipart(parser) => parser.finish()?,
            Reader::Raw => self.draft.end()?,
            Reader::Aside(_) => {}
        }
        self.protocol.uploads(&self.request, self.draft, more)
    }

    /// The path of the staged body.
    pub(super) fn aside(draft: &Draft) -> std::path::PathBuf {
        draft.dir.join(ASIDE)
    }
}

/// Takes the bytes of a buffer, except those that can only be interpreted together with the following ones.
fn take(reader: &mut Reader, buffer: &mut Vec<u8>, draft: &mut Draft) -> Result<(), Refusal> {
    match reader {
        Reader::Multipart(parser) => return parser.push(buffer, draft),
        Reader::Raw => draft.content(buffer)?,
        Reader::Aside(file) => file.write_all(buffer)?,
    }
    buffer.clear();
    Ok(())
}

/// How the body is compressed.
fn packing(request: &Request) -> Result<Packing, Refusal> {
    match request.header("content-encoding").unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(Packing::None),
        "gzip" | "x-gzip" => Ok(Packing::Gzip),
        "zstd" => Ok(Packing::Zstd),
        other => Err(Refusal::of(
            415,
            &format!("the content encoding {other:?} is unknown: expected gzip, zstd or identity"),
        )),
    }
}

fn reader(shape: Shape, request: &Request, draft: &mut Draft) -> Result<Reader, Refusal> {
    match shape {
        Shape::Multipart => Ok(Reader::Multipart(Multipart::new(request.header("content-type").unwrap_or_default())?)),
        Shape::Raw(name) => {
            draft.begin(PartHead {
                name: name.to_owned(),
                // Without a file name it could be mistaken for a form field.
                file_name: Some(String::new()),
                content_type: request.header("content-type").map(str::to_owned),
            })?;
            Ok(Reader::Raw)
        }
        Shape::Staged => Ok(Reader::Aside(File::create_new(draft.dir.join(ASIDE))?)),
    }
}
