//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-q9m0k1vJbn6neXnrkv4WNdxsOP3EGszSWgZU13sRIno=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-kcZy72hG2jz/YfPuFlTEWmVQ/ee9QxYXFzsdFsJhQPM=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-oWKqr7c60e0yOw/K0RoFqDtXk+j2P2Yqsr6xMzTVgsI=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-aqKo1j+VY7lRAU6IgyEr/OUV8PmpqpQBHmCYU///2MA=";
