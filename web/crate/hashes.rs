//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-C8lBQSrIUPrSj6mguTZ6t8nLS9PhgWPSn98Sk0pAbzk=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-kdHdUPvHcG/c2Z8OUqITLXIBXGkBH+sQzdXsKBATOJo=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-XYvBWSAIlQoxXARaZLmg7RiE8dgP0RlwDNUBV4ZcqEk=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-N9/wXbfi8OC3jUP807scmpUEePlBYFCt4HFbVknymf0=";
