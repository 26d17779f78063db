//! `multipart/form-data`, parsed from pieces of any size; keeps at most a delimiter and the headers of a part between them.

use memchr::memmem;

use super::Refusal;

/// Maximum bytes of a part's headers.
const MAX_HEADERS: usize = 24 << 10;
/// Maximum length of a boundary; RFC 2046 allows 70 characters.
const MAX_BOUNDARY: usize = 256;

/// Receives the parts.
pub(crate) trait Parts {
    /// A part begins.
    fn begin(&mut self, head: PartHead) -> Result<(), Refusal>;
    /// Some content of the part.
    fn content(&mut self, bytes: &[u8]) -> Result<(), Refusal>;
    /// The part ends.
    fn end(&mut self) -> Result<(), Refusal>;
}

/// The headers of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PartHead {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    AfterDelimiter,
    Headers,
    Content,
    End,
}

/// A parser of one body.
#[derive(Debug)]
pub(crate) struct Multipart {
    delimiter: Vec<u8>,
    begun: bool,
    state: State,
}

impl Multipart {
    /// Creates a parser for a request's content type.
    pub(crate) fn new(content_type: &str) -> Result<Self, Refusal> {
        let not =
            || Refusal::bad("not a multipart upload: the content type is not multipart/form-data with a boundary");
        let (kind, rest) = content_type.split_once(';').ok_or_else(not)?;
        if !kind.trim().get(..10).is_some_and(|k| k.eq_ignore_ascii_case("multipart/")) {
            return Err(not());
        }
        let boundary = parameters(rest).into_iter().find(|(key, _)| key == "boundary").map(|(_, value)| value);
        let boundary = boundary.filter(|b| !b.is_empty() && b.len() <= MAX_BOUNDARY).ok_or_else(not)?;
        let mut delimiter = b"\r\n--".to_vec();
        delimiter.extend_from_slice(boundary.as_bytes());
        Ok(Self { delimiter, begun: false, state: State::Preamble })
    }

    /// Takes the bytes of a buffer. Leaves bytes in it that can only be interpreted together with the following ones; append
    /// those.
    pub(crate) fn push(&mut self, buffer: &mut Vec<u8>, parts: &mut dyn Parts) -> Result<(), Refusal> {
        if self.state == State::End {
            buffer.clear();
            return Ok(());
        }
        if !std::mem::replace(&mut self.begun, true) {
            // A first delimiter at the very start lacks the line break before it; add one so that it is found like the others.
            buffer.splice(..0, *b"\r\n");
        }
        let mut used = 0usize;
        loop {
            let rest = buffer.get(used..).unwrap_or_default();
            let (state, taken) = step(self.state, &self.delimiter, rest, parts)?;
            used = used.saturating_add(taken);
            if state == self.state {
                break;
            }
            self.state = state;
        }
        buffer.drain(..used.min(buffer.len()));
        Ok(())
    }

    /// Ends the body.
    pub(crate) fn finish(&self) -> Result<(), Refusal> {
        if self.state == State::End {
            return Ok(());
        }
        Err(Refusal::bad("the multipart body ends before its last boundary"))
    }
}

/// The next state and the number of bytes consumed; an unchanged state means that more bytes are needed.
fn step(state: State, delimiter: &[u8], rest: &[u8], parts: &mut dyn Parts) -> Result<(State, usize), Refusal> {
    match state {
        State::Preamble | State::Content => {
            let content = state == State::Content;
            if let Some(at) = memmem::find(rest, delimiter) {
                if content {
                    parts.content(rest.get(..at).unwrap_or_default())?;
                    parts.end()?;
                }
                return Ok((State::AfterDelimiter, at + delimiter.len()));
            }
            // The end of the data may be the start of a delimiter.
            let safe = rest.len().saturating_sub(delimiter.len() - 1);
            if content && safe > 0 {
                parts.content(rest.get(..safe).unwrap_or_default())?;
            }
            Ok((state, safe))
        }
        State::AfterDelimiter => {
            let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            match rest.get(blanks..).unwrap_or_default() {
                [b'-', b'-', ..] if blanks == 0 => Ok((State::End, 2)),
                [b'\r', b'\n', ..] => Ok((State::Headers, blanks)),
                [] | [b'\r'] | [b'-'] if blanks < 256 => Ok((state, 0)),
                _ => Err(Refusal::bad("not a multipart upload: a boundary is not followed by a line break")),
            }
        }
        State::Headers => {
            // `rest` begins with the line break of the delimiter, so a part without headers looks the same.
            let Some(at) = memmem::find(rest, b"\r\n\r\n") else {
                if rest.len() > MAX_HEADERS {
                    return Err(Refusal::bad("the headers of a part are longer than 24 KiB"));
                }
                return Ok((state, 0));
            };
            if at > MAX_HEADERS {
                return Err(Refusal::bad("the headers of a part are longer than 24 KiB"));
            }
            parts.begin(head(rest.get(..at).unwrap_or_default()))?;
            Ok((State::Content, at + 4))
        }
        State::End => Ok((State::End, rest.len())),
    }
}

fn head(bytes: &[u8]) -> PartHead {
    let text = String::from_utf8_lossy(bytes);
    let mut head = PartHead::default();
    for line in text.split("\r\n") {
        let Some((key, value)) = line.split_once(':') else { continue };
        if key.trim().eq_ignore_ascii_case("content-type") {
            head.content_type = Some(value.trim().to_owned());
        }
        if key.trim().eq_ignore_ascii_case("content-disposition") {
            for (key, value) in parameters(value.split_once(';').map_or("", |(_, rest)| rest)) {
                match key.as_str() {
                    "name" => head.name = value,
                    "filename" => head.file_name = Some(value),
                    _ => {}
                }
            }
        }
    }
    head
}

/// Parses `a=b; c="d"`: keys become lower case, values lose their quotes.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace() || *c == ';').is_some() {}
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| !matches!(c, '=' | ';')) {
            key.push(c);
        }
        if key.is_empty() && chars.peek().is_none() {
            return found;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'=').is_some() {
            if chars.next_if_eq(&'"').is_some() {
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        // Only quotes and backslashes are escaped; Windows paths are not.
                        '\\' if matches!(chars.peek(), Some('"' | '\\')) => value.extend(chars.next()),
                        c => value.push(c),
                    }
                }
            } else {
                while let Some(c) = chars.next_if(|c| *c != ';') {
                    value.push(c);
                }
                value.truncate(value.trim_end().len());
            }
        }
        found.push((key.trim().to_ascii_lowercase(), value));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Default)]
    struct Collected(Vec<(PartHead, Vec<u8>)>, bool);

    impl Parts for Collected {
        fn begin(&mut self, head: PartHead) -> Result<(), Refusal> {
            assert!(!std::mem::replace(&mut self.1, true));
            self.0.push((head, Vec::new()));
            Ok(())
        }
        fn content(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
            assert!(self.1);
            self.0.last_mut().unwrap().1.extend_from_slice(bytes);
            Ok(())
        }
        fn end(&mut self) -> Result<(), Refusal> {
            assert!(std::mem::replace(&mut self.1, false));
            Ok(())
        }
    }

    const BODY: &[u8] =
        b"preamble\r\n--B\r\nContent-Disposition: form-data; name=\"event\"; filename=\"event.json\"\r\n\
        Content-Type: application/json\r\n\r\n{}\r\n--B  \r\nContent-Disposition: form-data; name=main\r\n\r\n\
        FLR\0\r\n--\r\n--Bx not it\r\n-\r\n--B\r\n\r\n\r\n--B--\r\nepilogue";

    #[test]
    fn parts_do_not_depend_on_how_the_body_is_split() {
        // `--Bx` is the boundary followed by something else, which clients must not send.
        let mut parser = Multipart::new("multipart/form-data; boundary=B").unwrap();
        assert!(parser.push(&mut BODY.to_vec(), &mut Collected::default()).is_err());
        let body = String::from_utf8_lossy(BODY).replace("--Bx", "--C");
        let mut whole = None;
        for size in [body.len(), 1, 2, 3, 7, 64] {
            let mut parser = Multipart::new("Multipart/Form-Data; charset=x; boundary=\"B\"").unwrap();
            let (mut parts, mut buffer) = (Collected::default(), Vec::new());
            for piece in body.as_bytes().chunks(size) {
                buffer.extend_from_slice(piece);
                parser.push(&mut buffer, &mut parts).unwrap();
            }
            parser.finish().unwrap();
            let expected = whole.get_or_insert_with(|| parts.0.clone());
            assert_eq!(&parts.0, expected, "{size}");
        }
        let whole = whole.unwrap();
        let names: Vec<&str> = whole.iter().map(|(h, _)| h.name.as_str()).collect();
        assert_eq!(names, ["event", "main", ""]);
        assert_eq!(whole.first().unwrap().0.file_name.as_deref(), Some("event.json"));
        assert_eq!(whole.get(1).unwrap().1, b"FLR\0\r\n--\r\n--C not it\r\n-");
    }

    #[test]
    fn other_content_types_are_rejected() {
        for wrong in
            ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "application/json; boundary=x"]
        {
            assert!(Multipart::new(wrong).is_err(), "{wrong}");
        }
        let mut parser = Multipart::new("multipart/form-data; boundary=B").unwrap();
        parser.push(&mut b"--B\r\n\r\nhalf".to_vec(), &mut Collected::default()).unwrap();
        assert!(parser.finish().is_err());
    }

    #[test]
    fn parameters_may_be_quoted() {
        let of = |t: &str| parameters(t);
        assert_eq!(
            of(r#" name="a\"b;c" ; filename=x.pprof"#),
            [("name".to_owned(), "a\"b;c".to_owned()), ("filename".to_owned(), "x.pprof".to_owned())]
        );
        assert_eq!(of(r#"filename="C:\dir\f""#), [("filename".to_owned(), r"C:\dir\f".to_owned())]);
    }
}
