//! Pyroscope's `push.v1.PusherService/Push`, a unary Connect call:
//! `PushRequest{series:1{labels:1{name:1,value:2}, samples:2{raw_profile:1, ID:2}}}`, as protobuf or JSON.

use std::fs::File;
use std::io::BufReader;

use super::body::Receiver;
use super::protobuf::{Field, Walker};
use super::tags::Tags;
use super::{Content, PartHead, Parts, Refusal, Request, finish};
use crate::model::Upload;
use crate::spool::Draft;

/// Maximum bytes of a JSON request, which must be held in memory.
const MAX_JSON: u64 = 16 << 20;
/// Maximum series in a request.
const MAX_SERIES: usize = 64;
const MAX_TEXT: usize = 8 << 10;

/// Whether we accept bodies of this type.
pub(super) fn accepts(content_type: &str) -> Result<(), Refusal> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    match kind {
        "application/proto" | "application/x-protobuf" | "application/protobuf" | "application/json" => Ok(()),
        _ => Err(Refusal::of(
            415,
            &format!("the content type {kind:?} is unknown: expected application/proto or application/json"),
        )),
    }
}

/// One upload per distinct set of labels.
pub(super) fn uploads(
    request: &Request,
    draft: Draft,
    more: &dyn Fn() -> Result<Draft, Refusal>,
) -> Result<Vec<(Draft, Upload)>, Refusal> {
    let path = Receiver::aside(&draft);
    let bytes = std::fs::metadata(&path)?.len();
    let json = request.header("content-type").is_some_and(|k| k.trim_start().starts_with("application/json"));
    let mut series = Series { list: Vec::new(), spare: Some(draft), more };
    if json {
        if bytes > MAX_JSON {
            return Err(Refusal::of(413, "a request in JSON is larger than 16 MiB; send application/proto"));
        }
        from_json(&std::fs::read(&path)?, &mut series)?;
    } else {
        from_protobuf(Walker::new(BufReader::new(File::open(&path)?), bytes), &mut series)?;
    }
    std::fs::remove_file(&path)?;
    if series.list.is_empty() {
        return Err(Refusal::bad("the request contains no profile"));
    }
    series.list.into_iter().map(|(labels, draft)| one(request, labels, draft)).collect()
}

type Labels = Vec<(String, String)>;

/// Drafts by labels.
struct Series<'m> {
    list: Vec<(Labels, Draft)>,
    spare: Option<Draft>,
    more: &'m dyn Fn() -> Result<Draft, Refusal>,
}

impl Series<'_> {
    fn draft(&mut self, labels: &Labels) -> Result<&mut Draft, Refusal> {
        // Ignore the profile type in `__name__`: series of the same process belong together.
        let mut key: Labels = labels.iter().filter(|(name, _)| name != "__name__").cloned().collect();
        key.sort();
        let at = match self.list.iter().position(|(known, _)| *known == key) {
            Some(at) => at,
            None if self.list.len() >= MAX_SERIES => return Err(Refusal::bad("more than 64 series")),
            None => {
                let draft = match self.spare.take() {
                    Some(draft) => draft,
                    None => (self.more)()?,
                };
                self.list.push((key, draft));
                self.list.len() - 1
            }
        };
        self.list.get_mut(at).map(|(_, draft)| draft).ok_or_else(|| Refusal::bad("no series"))
    }

    fn begin(&mut self, labels: &Labels, name: &str) -> Result<&mut Draft, Refusal> {
        let name = labels.iter().find(|(n, _)| n == "__name__").map_or(name, |(_, v)| v.as_str()).to_owned();
        let draft = self.draft(labels)?;
        draft.begin(PartHead { name, file_name: Some(String::new()), content_type: None })?;
        Ok(draft)
    }
}

fn from_protobuf(mut body: Walker<BufReader<File>>, series: &mut Series<'_>) -> Result<(), Refusal> {
    while let Some(field) = body.next(0)? {
        let Field::Bytes(number, length) = field else { continue };
        if number != 1 {
            body.skip(length)?;
            continue;
        }
        let end = body.left() - length;
        let mut labels = Labels::new();
        while let Some(field) = body.next(end)? {
            match field {
                Field::Bytes(1, length) => {
                    let end = body.left() - length;
                    let (mut name, mut value) = (String::new(), String::new());
                    while let Some(field) = body.next(end)? {
                        match field {
                            Field::Bytes(1, n) => name = body.text(n, MAX_TEXT)?,
                            Field::Bytes(2, n) => value = body.text(n, MAX_TEXT)?,
                            Field::Bytes(_, n) => body.skip(n)?,
                            Field::Number(..) => {}
                        }
                    }
                    if labels.len() < super::tags::MAX_TAGS {
                        labels.push((name, value));
                    }
                }
                Field::Bytes(2, length) => {
                    let end = body.left() - length;
                    while let Some(field) = body.next(end)? {
                        match field {
                            Field::Bytes(1, n) => {
                                let draft = series.begin(&labels, "profile")?;
                                body.copy(n, |piece| draft.content(piece))?;
                                draft.end()?;
                            }
                            Field::Bytes(_, n) => body.skip(n)?,
                            Field::Number(..) => {}
                        }
                    }
                }
                Field::Bytes(_, n) => body.skip(n)?,
                Field::Number(..) => {}
            }
        }
    }
    Ok(())
}

fn from_json(bytes: &[u8], series: &mut Series<'_>) -> Result<(), Refusal> {
    #[derive(serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    #[derive(Default)]
    struct Push {
        series: Vec<One>,
    }
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct One {
        labels: Vec<Pair>,
        samples: Vec<Raw>,
    }
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Pair {
        name: String,
        value: String,
    }
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Raw {
        #[serde(alias = "rawProfile")]
        raw_profile: String,
    }
    let push: Push = serde_json::from_slice(bytes).map_err(|e| Refusal::bad(&format!("not a PushRequest: {e}")))?;
    for one in push.series {
        let labels: Labels = one.labels.into_iter().map(|pair| (pair.name, pair.value)).collect();
        for sample in one.samples {
            let bytes = base64(&sample.raw_profile).ok_or_else(|| Refusal::bad("rawProfile is not base64"))?;
            let draft = series.begin(&labels, "profile")?;
            draft.content(&bytes)?;
            draft.end()?;
        }
    }
    Ok(())
}

/// Standard or URL-safe base64, padded or not.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(out)
}

fn one(request: &Request, labels: Labels, draft: Draft) -> Result<(Draft, Upload), Refusal> {
    let mut tags = Tags::default();
    for (name, value) in &labels {
        tags.set(name, value);
    }
    let spy = tags.get("pyroscope_spy").or_else(|| tags.get("spy")).or_else(|| tags.get("spyName")).map(str::to_owned);
    let family = spy.as_deref().map(super::ingest::family);
    // The profiles themselves contain the time range.
    let content = Content { protocol: "push", tags, start: None, end: None, family, event: None, warnings: Vec::new() };
    finish(request, draft, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_either_alphabet_is_read() {
        assert_eq!(base64("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(base64("_-8"), Some(vec![0xff, 0xef]));
        assert_eq!(base64("a!"), None);
    }
}
