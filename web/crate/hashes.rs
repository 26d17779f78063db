//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-jipdTtNUgdTxmLmgok1xqsVTJy4tH3dqmYENQYEwiXw=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-YAZH+XEq4QhLcHbYAgjdvR20BUaw2J92JRjvLsDQpY4=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-zLaMvDy/WFNwLxeVvGVscCxftnvvmXpN3VPjIb4C1Jc=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-ikRviMK07A1WgF6FBKG9Y91ZkBFRCD3TuTMIMaCzg3o=";
