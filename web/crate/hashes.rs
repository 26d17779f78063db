//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-AQRnGEISAJZUgGlp6HuidkPyLHEWue3rdD2cg5tKH+c=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-9znPIT/cnlLiJ0AwVK6+6c8QfX875ObCtLzjuv88tf4=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-kUUFJ08nd6r/NEXhpybmo+c+zppAMNGZ5degkuLIVSg=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-KBoIA94jH1R4Tn/mmIZeKQtfLRV0fiLLQzGXWHKS2qY=";
