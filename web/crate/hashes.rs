//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-hmnwSKDppdR9xlcwYQmrQ32maDrZJfvWpFGu9yVCp4c=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-mmZgxCT6CY0E2yTHLX/cQyUfLA8UoEvk7rEaB5/nB00=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-IQgOisrWdjuvQAtgmTvPV8Dk8CRQwIkECP81A18MxVo=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-mmZgxCT6CY0E2yTHLX/cQyUfLA8UoEvk7rEaB5/nB00=";
