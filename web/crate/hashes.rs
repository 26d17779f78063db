//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-gFjd0ARTPTuLZkAse1M1JTmfv3du+UHX8/eletJbtY8=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-6wlc+xXTwVbm7P7+bYOrcTOkRm0QOUJRTcO6vrHa6mo=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-AXaFZkDMP3mcKsYiRFN2M2c0I//rHflFSNwYhp9BmUI=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-2zvNA7R4MLP+U+/8qM+11hKChCcgs6JiQOpSgEy60co=";
