//! Request bodies: splits the incoming bytes into the parts of a draft, and decompresses them if the request says so.

use std::fs::File;
use std::io::{Read, Write};

use super::multipart::Multipart;
use super::{PartHead, Parts, Protocol, Refusal, Request, Shape};
use crate::model::Upload;
use crate::spool::Draft;

/// Bytes of a body handed to a thread at once.
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
    /// Accepts at most `limit` bytes.
    pub(crate) fn new(protocol: Protocol, request: Request, mut draft: Draft, limit: u64) -> Result<Self, Refusal> {
        let packing = match request.header("content-encoding").unwrap_or_default().trim().to_ascii_lowercase().as_str()
        {
            "" | "identity" => Packing::None,
            "gzip" | "x-gzip" => Packing::Gzip,
            "zstd" => Packing::Zstd,
            other => {
                return Err(Refusal::of(
                    415,
                    &format!("the content encoding {other:?} is unknown: expected gzip, zstd or identity"),
                ));
            }
        };
        let shape = protocol.shape(&request)?;
        let reader = if packing != Packing::None || shape == Shape::Staged {
            if let Shape::Multipart = shape {
                Multipart::new(request.header("content-type").unwrap_or_default())?;
            }
            Reader::Aside(File::create_new(draft.dir.join(ASIDE))?)
        } else {
            reader(shape, &request, &mut draft)?
        };
        Ok(Self { protocol, request, draft, reader, packing, received: 0, limit, tee: None })
    }

    /// Also keeps the body as received.
    pub(crate) fn tee(&mut self) -> Result<(), Refusal> {
        self.tee = Some(File::create_new(self.draft.dir.join(RAW))?);
        self.draft.headers.clone_from(&self.request.headers);
        Ok(())
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        self.received = self.received.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.received > self.limit {
            return Err(Refusal::too_large(self.limit));
        }
        if let Some(tee) = &mut self.tee {
            tee.write_all(piece)?;
        }
        match &mut self.reader {
            Reader::Multipart(parser) => parser.push(piece, &mut self.draft),
            Reader::Raw => self.draft.content(piece),
            Reader::Aside(file) => file.write_all(piece).map_err(Refusal::from),
        }
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
                let mut piece = vec![0u8; PIECE];
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
                        return Err(Refusal::of(413, &format!("the body unpacks to more than {most} bytes")));
                    }
                    let bytes = piece.get(..n).unwrap_or_default();
                    match &mut target {
                        Reader::Multipart(parser) => parser.push(bytes, &mut self.draft)?,
                        Reader::Raw => self.draft.content(bytes)?,
                        Reader::Aside(file) => file.write_all(bytes)?,
                    }
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
