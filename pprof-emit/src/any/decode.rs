//! Decodes any pprof file.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use jfrkit_profile::any::{AnyFunction, AnyLabel, AnyProfile, Line, Location, Mapping, SampleType, Texts};
use jfrkit_profile::{Cancel, StrId};

use super::scan::{Broken, Field, Scan};

/// Limits for reading a pprof file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnyLimits {
    /// Bytes of the decompressed file.
    pub bytes: u64,
    /// Samples.
    pub samples: usize,
    /// Locations in one stack.
    pub depth: usize,
    /// Strings.
    pub strings: usize,
    /// Locations, and the lines of all locations together.
    pub locations: usize,
    /// Sample types.
    pub sample_types: usize,
    /// Labels of one sample.
    pub labels: usize,
}

impl Default for AnyLimits {
    /// Limits for your own profiles: more than any profiler writes.
    fn default() -> Self {
        Self {
            bytes: 4 << 30,
            samples: 64 << 20,
            depth: 1 << 20,
            strings: 32 << 20,
            locations: 32 << 20,
            sample_types: 1_000,
            labels: 10_000,
        }
    }
}

impl AnyLimits {
    /// Limits for untrusted uploads.
    #[must_use]
    pub const fn intake() -> Self {
        Self {
            bytes: 512 << 20,
            samples: 4 << 20,
            depth: 16 << 10,
            strings: 8 << 20,
            locations: 8 << 20,
            sample_types: 200,
            labels: 256,
        }
    }
}

/// Why a file could not be read, as one human-readable sentence without the file name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnyError {
    /// The gzip stream is damaged.
    #[error("the gzip stream is damaged or truncated: {0}")]
    Unpack(#[source] std::io::Error),
    /// The file exceeds a limit.
    #[error("more than {limit} {what}")]
    Limit {
        /// What the limit counts.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The file is not a protocol buffer, or is truncated.
    #[error("not a pprof profile, or truncated: {message} is damaged at byte {offset} of {size} (decompressed)")]
    Damaged {
        /// The protobuf message that is damaged.
        message: &'static str,
        /// Offset of the damage in the decompressed file.
        offset: usize,
        /// Size of the decompressed file.
        size: usize,
    },
    /// A field has an invalid value.
    #[error("not a valid pprof profile: {0}")]
    Invalid(String),
    /// The call was canceled.
    #[error("canceled before it finished")]
    Canceled,
}

fn invalid<T>(text: String) -> Result<T, AnyError> {
    Err(AnyError::Invalid(text))
}

type Ids = HashMap<u64, u32, RandomState>;

/// Reads a profile in any language, with or without gzip compression.
///
/// Nothing is guessed: dangling or duplicate ids, samples whose number of values differs from the number of
/// sample types, and strings that are not in the table are errors. Faults that do not prevent reading (strings
/// that are not UTF-8, unknown fields, numbers out of range) are listed in [`AnyProfile::losses`].
///
/// # Errors
/// See [`AnyError`].
pub fn read_any(bytes: &[u8], limits: &AnyLimits, cancel: &Cancel) -> Result<AnyProfile, AnyError> {
    let unpacked;
    let raw = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = unpack(bytes, limits.bytes, cancel)?;
        unpacked.as_slice()
    } else {
        bytes
    };
    if raw.len() as u64 > limits.bytes {
        return Err(AnyError::Limit { what: "decompressed bytes", limit: limits.bytes });
    }
    Decoder::empty(raw, limits, cancel).run()
}

fn unpack(bytes: &[u8], limit: u64, cancel: &Cancel) -> Result<Vec<u8>, AnyError> {
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(4));
    let mut source = MultiGzDecoder::new(bytes);
    loop {
        let step = (&mut source).take(8 << 20).read_to_end(&mut out).map_err(AnyError::Unpack)?;
        if out.len() as u64 > limit {
            return Err(AnyError::Limit { what: "decompressed bytes", limit });
        }
        cancel.check().map_err(|_| AnyError::Canceled)?;
        if step == 0 {
            return Ok(out);
        }
    }
}

const DEPTH: &str = "locations in a stack";
const VALUES: &str = "values in a sample";

/// The number of packed varints, or an upper bound if that is within `limit`: a billion numbers that will be rejected must not be
/// stored first.
fn packed(bytes: &[u8], limit: usize) -> usize {
    if bytes.len() <= limit { bytes.len() } else { bytes.iter().filter(|byte| **byte < 0x80).count() }
}

/// A location whose ids have not been looked up yet.
struct RawLocation {
    id: u64,
    mapping: u64,
    address: u64,
    folded: bool,
    lines_to: usize,
}

struct Decoder<'b> {
    raw: &'b [u8],
    limits: &'b AnyLimits,
    cancel: &'b Cancel,
    out: AnyProfile,
    texts: Option<Texts>,
    not_utf8: usize,
    unknown: usize,
    mappings: Vec<(u64, Mapping)>,
    functions: Vec<(u64, AnyFunction)>,
    locations: Vec<RawLocation>,
    /// Function id, line, column.
    lines: Vec<(u64, i64, i64)>,
    sample_ids: Vec<u64>,
    sample_ends: Vec<usize>,
    values: Vec<i64>,
    value_ends: Vec<usize>,
    labels: Vec<AnyLabel>,
    label_ends: Vec<usize>,
    period_type: Option<SampleType>,
}

impl<'b> Decoder<'b> {
    fn empty(raw: &'b [u8], limits: &'b AnyLimits, cancel: &'b Cancel) -> Self {
        Self {
            raw,
            limits,
            cancel,
            out: AnyProfile::default(),
            texts: None,
            not_utf8: 0,
            unknown: 0,
            mappings: Vec::new(),
            functions: Vec::new(),
            locations: Vec::new(),
            lines: Vec::new(),
            sample_ids: Vec::new(),
            sample_ends: Vec::new(),
            values: Vec::new(),
            value_ends: Vec::new(),
            labels: Vec::new(),
            label_ends: Vec::new(),
            period_type: None,
        }
    }

    /// The error for damage in a message with this content.
    fn damaged(&self, message: &'static str, content: &[u8], broken: Broken) -> AnyError {
        let at = content.as_ptr().addr().saturating_sub(self.raw.as_ptr().addr());
        let offset = at + content.len().saturating_sub(broken.left);
        AnyError::Damaged { message, offset, size: self.raw.len() }
    }

    fn limit(count: usize, limit: usize, what: &'static str) -> Result<(), AnyError> {
        if count > limit { Err(AnyError::Limit { what, limit: limit as u64 }) } else { Ok(()) }
    }

    fn run(mut self) -> Result<AnyProfile, AnyError> {
        let mut scan = Scan(self.raw);
        let mut count = 0_usize;
        while let Some((field, value)) = scan.field().map_err(|b| self.damaged("the profile", self.raw, b))? {
            count += 1;
            if count.is_multiple_of(1 << 14) {
                self.cancel.check().map_err(|_| AnyError::Canceled)?;
            }
            match (field, value) {
                (1, Field::Bytes(of)) => {
                    let of = self.value_type(of)?;
                    self.out.sample_types.push(of);
                    Self::limit(self.out.sample_types.len(), self.limits.sample_types, "sample types")?;
                }
                (2, Field::Bytes(of)) => self.sample(of)?,
                (3, Field::Bytes(of)) => self.mapping(of)?,
                (4, Field::Bytes(of)) => self.location(of)?,
                (5, Field::Bytes(of)) => self.function(of)?,
                (6, Field::Bytes(of)) => self.text(of)?,
                (7, Field::Number(n)) => self.out.drop_frames = text_id(n)?,
                (8, Field::Number(n)) => self.out.keep_frames = text_id(n)?,
                (9, Field::Number(n)) => self.out.time_nanos = n.cast_signed(),
                (10, Field::Number(n)) => self.out.duration_nanos = n.cast_signed(),
                (11, Field::Bytes(of)) => self.period_type = Some(self.value_type(of)?),
                (12, Field::Number(n)) => self.out.period = n.cast_signed(),
                (13, Field::Number(n)) => self.out.comments.push(text_id(n)?),
                (13, Field::Bytes(of)) => {
                    let mut packed = Scan(of);
                    while !packed.0.is_empty() {
                        let n = packed.number().map_err(|b| self.damaged("a list of comments", of, b))?;
                        self.out.comments.push(text_id(n)?);
                    }
                }
                (14, Field::Number(n)) => self.out.default_sample_type = text_id(n)?,
                (15, Field::Number(n)) => self.out.doc_url = text_id(n)?,
                (1..=15, _) => {
                    return invalid(format!(
                        "field {field} of the profile does not have the type that profile.proto gives it"
                    ));
                }
                _ => self.unknown += 1,
            }
        }
        self.finish()
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), AnyError> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => std::borrow::Cow::Borrowed(text),
            Err(_) => {
                self.not_utf8 += 1;
                String::from_utf8_lossy(bytes)
            }
        };
        match &mut self.texts {
            None if !text.is_empty() => return invalid("the first entry of the string table is not empty".to_owned()),
            None => self.texts = Some(Texts::default()),
            Some(texts) => {
                texts.push(&text);
                Self::limit(texts.len(), self.limits.strings, "texts")?;
            }
        }
        Ok(())
    }

    /// Reads the fields of a message that contains only numbers.
    fn numbers(
        &mut self,
        message: &'static str,
        content: &[u8],
        mut set: impl FnMut(u64, u64) -> bool,
    ) -> Result<(), AnyError> {
        let mut scan = Scan(content);
        while let Some((field, value)) = scan.field().map_err(|b| self.damaged(message, content, b))? {
            let known = match value {
                Field::Number(n) => set(field, n),
                _ => false,
            };
            self.unknown += usize::from(!known);
        }
        Ok(())
    }

    fn value_type(&mut self, content: &[u8]) -> Result<SampleType, AnyError> {
        let (mut name, mut unit) = (0, 0);
        self.numbers("a sample type", content, |field, n| match field {
            1 => put(&mut name, n),
            2 => put(&mut unit, n),
            _ => false,
        })?;
        Ok(SampleType { name: text_id(name)?, unit: text_id(unit)? })
    }

    fn mapping(&mut self, content: &[u8]) -> Result<(), AnyError> {
        let (mut id, mut file, mut build) = (0, 0, 0);
        let mut of = Mapping::default();
        self.numbers("a mapping", content, |field, n| match field {
            1 => put(&mut id, n),
            2 => put(&mut of.start, n),
            3 => put(&mut of.limit, n),
            4 => put(&mut of.offset, n),
            5 => put(&mut file, n),
            6 => put(&mut build, n),
            7 => put(&mut of.has_functions, n != 0),
            8 => put(&mut of.has_filenames, n != 0),
            9 => put(&mut of.has_line_numbers, n != 0),
            10 => put(&mut of.has_inline_frames, n != 0),
            _ => false,
        })?;
        (of.file, of.build_id) = (text_id(file)?, text_id(build)?);
        self.mappings.push((id, of));
        Self::limit(self.mappings.len(), self.limits.locations, "mappings")
    }

    fn function(&mut self, content: &[u8]) -> Result<(), AnyError> {
        let (mut id, mut name, mut system, mut file, mut start) = (0, 0, 0, 0, 0);
        self.numbers("a function", content, |field, n| match field {
            1 => put(&mut id, n),
            2 => put(&mut name, n),
            3 => put(&mut system, n),
            4 => put(&mut file, n),
            5 => put(&mut start, n),
            _ => false,
        })?;
        let of = AnyFunction {
            name: text_id(name)?,
            system_name: text_id(system)?,
            file: text_id(file)?,
            start_line: start.cast_signed(),
        };
        self.functions.push((id, of));
        Self::limit(self.functions.len(), self.limits.locations, "functions")
    }

    fn location(&mut self, content: &[u8]) -> Result<(), AnyError> {
        let mut of = RawLocation { id: 0, mapping: 0, address: 0, folded: false, lines_to: 0 };
        let mut scan = Scan(content);
        while let Some((field, value)) = scan.field().map_err(|b| self.damaged("a location", content, b))? {
            match (field, value) {
                (1, Field::Number(n)) => of.id = n,
                (2, Field::Number(n)) => of.mapping = n,
                (3, Field::Number(n)) => of.address = n,
                (4, Field::Bytes(line)) => {
                    let (mut function, mut at, mut column) = (0, 0, 0);
                    self.numbers("a line", line, |field, n| match field {
                        1 => put(&mut function, n),
                        2 => put(&mut at, n),
                        3 => put(&mut column, n),
                        _ => false,
                    })?;
                    self.lines.push((function, at.cast_signed(), column.cast_signed()));
                    Self::limit(self.lines.len(), self.limits.locations, "lines")?;
                }
                (5, Field::Number(n)) => of.folded = n != 0,
                _ => self.unknown += 1,
            }
        }
        of.lines_to = self.lines.len();
        self.locations.push(of);
        Self::limit(self.locations.len(), self.limits.locations, "locations")
    }

    fn sample(&mut self, content: &[u8]) -> Result<(), AnyError> {
        let mut scan = Scan(content);
        let (before, values_before, labels_before) = (self.sample_ids.len(), self.values.len(), self.labels.len());
        while let Some((field, value)) = scan.field().map_err(|b| self.damaged("a sample", content, b))? {
            match (field, value) {
                (1, Field::Number(n)) => {
                    self.sample_ids.push(n);
                    Self::limit(self.sample_ids.len() - before, self.limits.depth, DEPTH)?;
                }
                (1, Field::Bytes(of)) => {
                    Self::limit(packed(of, self.limits.depth), self.limits.depth, DEPTH)?;
                    let mut packed = Scan(of);
                    while !packed.0.is_empty() {
                        let n = packed.number().map_err(|b| self.damaged("a stack", of, b))?;
                        self.sample_ids.push(n);
                    }
                }
                (2, Field::Number(n)) => {
                    self.values.push(n.cast_signed());
                    Self::limit(self.values.len() - values_before, self.limits.sample_types, VALUES)?;
                }
                (2, Field::Bytes(of)) => {
                    Self::limit(packed(of, self.limits.sample_types), self.limits.sample_types, VALUES)?;
                    let mut packed = Scan(of);
                    while !packed.0.is_empty() {
                        let n = packed.number().map_err(|b| self.damaged("the values of a sample", of, b))?;
                        self.values.push(n.cast_signed());
                    }
                }
                (3, Field::Bytes(of)) => {
                    let (mut key, mut text, mut number, mut unit) = (0, 0, 0, 0);
                    self.numbers("a label", of, |field, n| match field {
                        1 => put(&mut key, n),
                        2 => put(&mut text, n),
                        3 => put(&mut number, n),
                        4 => put(&mut unit, n),
                        _ => false,
                    })?;
                    self.labels.push(AnyLabel {
                        key: text_id(key)?,
                        text: text_id(text)?,
                        number: number.cast_signed(),
                        unit: text_id(unit)?,
                    });
                    Self::limit(self.labels.len() - labels_before, self.limits.labels, "labels of a sample")?;
                }
                _ => self.unknown += 1,
            }
        }
        Self::limit(self.sample_ids.len() - before, self.limits.depth, DEPTH)?;
        Self::limit(self.values.len() - values_before, self.limits.sample_types, VALUES)?;
        self.sample_ends.push(self.sample_ids.len());
        self.value_ends.push(self.values.len());
        self.label_ends.push(self.labels.len());
        Self::limit(self.sample_ends.len(), self.limits.samples, "samples")
    }

    /// Looks up ids after everything has been read.
    fn finish(mut self) -> Result<AnyProfile, AnyError> {
        let width = self.out.sample_types.len();
        if width == 0 {
            return invalid("it has no sample types".to_owned());
        }
        let Some(texts) = self.texts.take() else { return invalid("it has no string table".to_owned()) };
        self.out.texts = texts;
        let mappings = ids("mapping", self.mappings.iter().map(|(id, _)| *id))?;
        let functions = ids("function", self.functions.iter().map(|(id, _)| *id))?;
        let locations = ids("location", self.locations.iter().map(|of| of.id))?;
        self.out.mappings = self.mappings.into_iter().map(|(_, of)| of).collect();
        self.out.functions = self.functions.into_iter().map(|(_, of)| of).collect();
        self.out.period_type = self.period_type;
        for (function, line, column) in self.lines {
            let Some(function) = functions.get(function) else {
                return invalid(format!("a line refers to function {function}, which does not exist"));
            };
            self.out.lines.push(Line { function, line, column });
        }
        let mut from = 0_u32;
        for of in &self.locations {
            let mapping = match of.mapping {
                0 => None,
                id => match mappings.get(id) {
                    Some(mapping) => Some(mapping),
                    None => return invalid(format!("location {} refers to mapping {id}, which does not exist", of.id)),
                },
            };
            let lines_to = u32::try_from(of.lines_to).unwrap_or(u32::MAX);
            self.out.locations.push(Location {
                mapping,
                address: of.address,
                folded: of.folded,
                lines_from: from,
                lines_to,
            });
            from = lines_to;
        }
        let mut frames = Frames::new(self.limits, &self.out.locations);
        let mut stack = Vec::new();
        let (mut ids_from, mut values_from, mut labels_from) = (0, 0, 0);
        let ends = self.sample_ends.iter().zip(&self.value_ends).zip(&self.label_ends).enumerate();
        for (i, ((&ids_to, &values_to), &labels_to)) in ends {
            if i.is_multiple_of(1 << 14) {
                self.cancel.check().map_err(|_| AnyError::Canceled)?;
            }
            if values_to - values_from != width {
                let found = values_to - values_from;
                return invalid(format!("sample {i} has {found} values for {width} sample types"));
            }
            stack.clear();
            for &id in self.sample_ids.get(ids_from..ids_to).unwrap_or_default() {
                let Some(location) = locations.get(id) else {
                    return invalid(format!("sample {i} refers to location {id}, which does not exist"));
                };
                stack.push(location);
            }
            frames.add(&stack, &self.out.locations)?;
            let values = self.values.get(values_from..values_to).unwrap_or_default();
            let labels = self.labels.get(labels_from..labels_to).unwrap_or_default();
            self.out.samples.push(stack.iter().copied(), values, labels.iter().copied());
            (ids_from, values_from, labels_from) = (ids_to, values_to, labels_to);
        }
        check_texts(&self.out)?;
        check_sums(&mut self.out);
        if self.not_utf8 > 0 {
            let (strings, are) = if self.not_utf8 == 1 { ("string", "is") } else { ("strings", "are") };
            let count = self.not_utf8;
            self.out
                .losses
                .push(format!("{count} {strings} {are} not valid UTF-8; invalid bytes are shown as \u{fffd}"));
        }
        if self.unknown > 0 {
            let fields = if self.unknown == 1 { "field that is" } else { "fields that are" };
            self.out.losses.push(format!("ignored {} {fields} not in profile.proto", self.unknown));
        }
        let named = self.out.texts.get(self.out.default_sample_type).to_owned();
        if !named.is_empty() && !self.out.values().any(|(name, _)| name == named) {
            self.out.losses.push(format!("the default sample type {named} is not one of the sample types"));
        }
        Ok(self.out)
    }
}

/// Counts frames with inlined calls. Each reference to a location with many lines takes a few bytes and becomes a long stack.
struct Frames {
    depth: usize,
    /// All stacks together may have as many frames as a file of the allowed size could list without inlined calls.
    most: u64,
    total: u64,
    /// Whether any location has several lines. Otherwise there is nothing to count.
    inlined: bool,
}

fn lines(location: &Location) -> usize {
    location.lines_to.saturating_sub(location.lines_from).max(1) as usize
}

impl Frames {
    fn new(limits: &AnyLimits, locations: &[Location]) -> Self {
        let inlined = locations.iter().any(|of| lines(of) > 1);
        Self { depth: limits.depth, most: limits.bytes, total: 0, inlined }
    }

    fn add(&mut self, stack: &[u32], locations: &[Location]) -> Result<(), AnyError> {
        if !self.inlined {
            return Ok(());
        }
        let frames = stack.iter().map(|&at| locations.get(at as usize).map_or(1, lines)).fold(0, usize::saturating_add);
        Decoder::limit(frames, self.depth, "frames in a stack, including inlined calls")?;
        self.total = self.total.saturating_add(frames as u64);
        if self.total > self.most {
            return Err(AnyError::Limit { what: "frames in all stacks, including inlined calls", limit: self.most });
        }
        Ok(())
    }
}

/// Sums saturate; one that does is a loss.
fn check_sums(profile: &mut AnyProfile) {
    // Fewer than 2^32 samples with values below 2^31 cannot reach the limit.
    if profile.samples().all(|sample| sample.values.iter().all(|value| value.unsigned_abs() < 1 << 31)) {
        return;
    }
    for value in 0..profile.width() {
        let values = || profile.samples().filter_map(|sample| sample.values.get(value).copied());
        let sum = |sign: i64| values().filter(|n| n.signum() == sign).map(i128::from).sum::<i128>();
        if i64::try_from(sum(1)).is_err() || i64::try_from(sum(-1)).is_err() {
            let name = profile.value(value).0.to_owned();
            profile.losses.push(format!("the sum of {name} exceeds 64 bits; the largest 64-bit value is used"));
        }
    }
}

fn put<T>(place: &mut T, value: T) -> bool {
    *place = value;
    true
}

/// A string index. It is checked against the table after everything has been read.
fn text_id(n: u64) -> Result<StrId, AnyError> {
    match u32::try_from(n) {
        Ok(n) => Ok(StrId::from_number(n)),
        Err(_) => invalid(format!("invalid string index {}", n.cast_signed())),
    }
}

fn check_texts(profile: &AnyProfile) -> Result<(), AnyError> {
    let count = profile.texts.len();
    let check = |what: &str, id: StrId| {
        if id.index() < count {
            Ok(())
        } else {
            invalid(format!("{what} refers to string {}, but the string table has {count} entries", id.index()))
        }
    };
    for of in profile.sample_types.iter().chain(&profile.period_type) {
        check("a sample type", of.name)?;
        check("the unit of a sample type", of.unit)?;
    }
    for of in &profile.mappings {
        check("a mapping", of.file)?;
        check("the build id of a mapping", of.build_id)?;
    }
    for of in &profile.functions {
        check("the name of a function", of.name)?;
        check("the system name of a function", of.system_name)?;
        check("the file of a function", of.file)?;
    }
    for sample in profile.samples() {
        for label in sample.labels {
            check("the key of a label", label.key)?;
            check("a label", label.text)?;
            check("the unit of a label", label.unit)?;
        }
    }
    for &comment in &profile.comments {
        check("a comment", comment)?;
    }
    check("the default sample type", profile.default_sample_type)?;
    check("drop_frames", profile.drop_frames)?;
    check("keep_frames", profile.keep_frames)?;
    check("doc_url", profile.doc_url)
}

/// Maps ids to indices. The ids are nearly always 1, 2, 3….
enum Places {
    Dense(u64),
    Sparse(Ids),
}

impl Places {
    #[inline]
    fn get(&self, id: u64) -> Option<u32> {
        match self {
            Self::Dense(count) => {
                let place = id.checked_sub(1).filter(|place| place < count)?;
                u32::try_from(place).ok()
            }
            Self::Sparse(ids) => ids.get(&id).copied(),
        }
    }
}

fn ids(kind: &str, all: impl Iterator<Item = u64> + Clone) -> Result<Places, AnyError> {
    if all.clone().zip(1..).all(|(id, expected)| id == expected) {
        return Ok(Places::Dense(all.count() as u64));
    }
    let mut ids = Ids::default();
    for (place, id) in (0_u32..).zip(all) {
        if id == 0 {
            return invalid(format!("a {kind} has id 0"));
        }
        if ids.insert(id, place).is_some() {
            return invalid(format!("{kind} {id} is defined twice"));
        }
    }
    Ok(Places::Sparse(ids))
}
