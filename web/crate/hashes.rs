//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-DNRy0BVgZn5spXBEWTFcxtTClIgIqZ+JORow22n4f4E=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-iqA9vKR7FNlMjBmvAxGffVHYNhPNCMdRwUlBu0SGMrs=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-RHtYcT5yY4/+jnJ27i8rqHLKuh47mKuWzRyRDvg1ORA=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-OorYN6GPflLztfVpC8+zvw6KHsHejPKDNFXeuUDDguo=";
