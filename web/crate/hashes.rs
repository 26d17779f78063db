//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-w+RmrdRLMm5NQV4Stc1NKH5/g9/s2z1bH7ew5uUF4DI=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-iqA9vKR7FNlMjBmvAxGffVHYNhPNCMdRwUlBu0SGMrs=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-6ApFWgXzvj0+uNtkzQ/Ci+asuJWbq8iKqXTVojPdWqU=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-OorYN6GPflLztfVpC8+zvw6KHsHejPKDNFXeuUDDguo=";
