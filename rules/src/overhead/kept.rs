//! Texts and settings of rules that are created at run time. The description of a rule lives as long as the process;
//! equal texts are kept once, so registering the same pattern repeatedly takes no more memory.

use std::sync::{Mutex, PoisonError};

use jfr_analyzers::rule::Setting;

static TEXTS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
static SETTINGS: Mutex<Vec<&'static [Setting]>> = Mutex::new(Vec::new());

/// Interns a text.
pub(super) fn text(text: &str) -> &'static str {
    let mut kept = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    match kept.binary_search_by(|known| (*known).cmp(text)) {
        Ok(place) => kept.get(place).copied().unwrap_or_default(),
        Err(place) => {
            let new: &'static str = Box::leak(text.into());
            kept.insert(place, new);
            new
        }
    }
}

/// Interns a list of settings.
pub(super) fn settings(settings: Vec<Setting>) -> &'static [Setting] {
    let mut kept = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.iter().find(|known| ***known == *settings) {
        return known;
    }
    let new: &'static [Setting] = settings.leak();
    kept.push(new);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_kept_once() {
        let (a, b) = (text("a text of a test"), text(&["a text", "of a test"].join(" ")));
        assert!(std::ptr::eq(a, b));
        let of = |default| settings(vec![Setting::count("kept", default, "of a test")]);
        assert!(std::ptr::eq(of(1.5), of(1.5)) && !std::ptr::eq(of(1.5), of(2.5)));
    }
}
