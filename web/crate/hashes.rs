//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-cgVzgOCTHpaBu1vkDH2eV8706l1b5lsV9PbLJs6LpCc=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-9znPIT/cnlLiJ0AwVK6+6c8QfX875ObCtLzjuv88tf4=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-8qiVV1YN274KVT/kw8GWgQMNV47XH9nkrM+Y6B/3O5A=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-KBoIA94jH1R4Tn/mmIZeKQtfLRV0fiLLQzGXWHKS2qY=";
