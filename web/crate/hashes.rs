//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-mT9cmpQ/urXoZQfy3nUMlYjbT8tlaLHXI4+FSV8P0Ls=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-kcZy72hG2jz/YfPuFlTEWmVQ/ee9QxYXFzsdFsJhQPM=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-/M0fHx8IFTj5lvqFnj9r5fdnXo2FvPaYNZuOlSN2KDo=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-aqKo1j+VY7lRAU6IgyEr/OUV8PmpqpQBHmCYU///2MA=";
