//! Datadog tags, and Pyroscope names with labels.

/// Maximum tags of an upload.
pub(crate) const MAX_TAGS: usize = 200;
/// Maximum bytes of a tag.
pub(crate) const MAX_TAG: usize = 1 << 10;
/// Maximum bytes of a name.
pub(crate) const MAX_NAME: usize = 8 << 10;

/// Tags by key. The last value of a repeated key wins, at the position of the first.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tags {
    list: Vec<(String, String)>,
    /// How many were dropped or truncated.
    pub(crate) refused: usize,
}

impl Tags {
    /// Sets a tag.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let key = key.trim();
        if key.is_empty() {
            return;
        }
        if key.len() + value.len() >= MAX_TAG {
            self.refused += 1;
            return;
        }
        let room = self.list.len() < MAX_TAGS;
        match self.list.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => value.trim().clone_into(old),
            None if room => self.list.push((key.to_owned(), value.trim().to_owned())),
            None => self.refused += 1,
        }
    }

    /// Parses `k:v,k:v`: splits at commas, then at the first colon. Without a colon the value is empty.
    pub(crate) fn add_all(&mut self, text: &str) {
        for piece in text.split(',') {
            self.add(piece);
        }
    }

    /// Adds one `k:v`.
    pub(crate) fn add(&mut self, piece: &str) {
        let (key, value) = piece.split_once(':').unwrap_or((piece, ""));
        self.set(key, value);
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.list.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// All tags.
    pub(crate) fn into_list(self) -> Vec<(String, String)> {
        self.list
    }
}

/// Profile types that old clients append to the name of a Pyroscope application.
const TYPE_ENDINGS: [&str; 4] = [".cpu", ".itimer", ".wall", ".exceptions"];

/// Splits `app{k=v,k="v"}` into the application and its labels.
pub(crate) fn pyroscope_name(name: &str) -> (String, Vec<(String, String)>) {
    let (app, rest) = name.split_once('{').unwrap_or((name, ""));
    let mut app = app.trim();
    let old =
        |ending: &str| TYPE_ENDINGS.contains(&ending) || ending.starts_with(".alloc_") || ending.starts_with(".inuse_");
    if let Some((short, ending)) = app.rfind('.').and_then(|at| app.split_at_checked(at))
        && old(ending)
        && !short.is_empty()
    {
        app = short;
    }
    let mut labels = Vec::new();
    let mut chars = rest.chars().peekable();
    while chars.peek().is_some_and(|c| *c != '}') {
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| !matches!(c, '=' | ',' | '}')) {
            key.push(c);
        }
        let mut value = String::new();
        if chars.next_if_eq(&'=').is_some() {
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            if chars.next_if_eq(&'"').is_some() {
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => value.extend(chars.next()),
                        c => value.push(c),
                    }
                }
                while chars.next_if(|c| !matches!(c, ',' | '}')).is_some() {}
            } else {
                while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '}')) {
                    value.push(c);
                }
            }
        }
        let _ = chars.next_if_eq(&',');
        if !key.trim().is_empty() {
            labels.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    (app.to_owned(), labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_split_at_the_first_colon_and_the_last_wins() {
        let mut tags = Tags::default();
        tags.add_all("service:shop,,env:prod,url:http://a:1/,flag,env:stage, :x");
        assert_eq!(tags.get("url"), Some("http://a:1/"));
        assert_eq!(tags.get("flag"), Some(""));
        assert_eq!(tags.get("env"), Some("stage"));
        assert_eq!(tags.clone().into_list().len(), 4);
        for i in 0..300 {
            tags.set(&format!("k{i}"), "v");
        }
        tags.set("long", &"x".repeat(2_000));
        assert_eq!((tags.refused, tags.into_list().len()), (105, 200));
    }

    #[test]
    fn pyroscope_names_contain_labels() {
        let (app, labels) = pyroscope_name(r#"shop.cpu{env=prod,region="eu, west",__session_id__=a1}"#);
        assert_eq!(app, "shop");
        let pairs: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("env", "prod"), ("region", "eu, west"), ("__session_id__", "a1")]);
        assert_eq!(pyroscope_name("my.app").0, "my.app");
        assert_eq!(pyroscope_name("app.alloc_objects").0, "app");
        assert_eq!(pyroscope_name("x{").1, []);
        assert_eq!(pyroscope_name("x{a").1.len(), 1);
    }
}
