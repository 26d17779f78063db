//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-rPpJYiTKiBEAFvPBT+KGzCta1Uvo+tDk2JY1EM2VMD4=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-6wlc+xXTwVbm7P7+bYOrcTOkRm0QOUJRTcO6vrHa6mo=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-xgyccGm2knAbOjF0FhcbTmjvfNe+8IP2n6yGMlJoHMo=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-2zvNA7R4MLP+U+/8qM+11hKChCcgs6JiQOpSgEy60co=";
