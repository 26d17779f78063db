//! Suggests names that a user may have meant.

/// Maximum names to suggest.
const MOST: usize = 4;

/// The most similar names, nearest first, ignoring case. Names that contain `name` count as near.
pub(crate) fn near<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = name.to_ascii_lowercase();
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|known| {
            let lower = known.to_ascii_lowercase();
            let distance = strsim::damerau_levenshtein(&wanted, &lower);
            let part = wanted.len() > 2 && lower.contains(&wanted);
            (part || distance <= lower.len().max(wanted.len()) / 3).then_some((distance, known))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// `; did you mean A or B?`, or where to find the names.
pub(crate) fn hint<'n>(name: &str, known: impl IntoIterator<Item = &'n str>, list: &str) -> String {
    match near(name, known).as_slice() {
        [] => format!("; {list}"),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_found_ignoring_case() {
        let known = ["GcPauseRatio", "LongGcPause", "jdk.FileRead", "jdk.FileWrite"];
        assert_eq!(near("gcpauseratoi", known), ["GcPauseRatio"]);
        assert_eq!(near("FileRed", ["FileRead", "FileWrite", "SocketRead"]), ["FileRead"]);
        assert_eq!(hint("zzz", known, "see --list"), "; see --list");
    }
}
