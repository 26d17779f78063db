//! Queries and paths of URLs.

/// Decodes the pairs of a query such as `a=b&c=d`; a plus sign is a space.
pub(crate) fn decode(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Encodes pairs as a query.
pub(crate) fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Decodes the percent escapes of a part of a path.
pub(crate) fn decode_path(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_come_back_as_they_were_encoded() {
        let pairs = [("tag", "file:a b+c&d=é.jfr"), ("empty", ""), ("100%", "%zz")];
        let back: Vec<(String, String)> = decode(&encode(&pairs));
        assert_eq!(back, pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
        // Escapes that are not hexadecimal are kept.
        assert_eq!(decode("a=%zz&&b"), [("a".to_owned(), "%zz".to_owned()), ("b".to_owned(), String::new())]);
        assert_eq!(decode_path("a%2Fb+c"), "a/b+c");
    }
}
