//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-H8F7UrQssTjy5qP8ToFxXk6DBjnEX0scA8QydbvYb5E=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-osSIZ4bq1BZD1mu+2e9f0qLNhm7mksqGlVLcd2FLkTo=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-3KZ/PFvEDlQNbWL8KW/AuBzM3VoT2Mlu4ukwNi9w5wQ=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-2zvNA7R4MLP+U+/8qM+11hKChCcgs6JiQOpSgEy60co=";
