//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-7IWb9zMrc+55e1UgKG/O2kGvmloGgvzIMxrwY6xt7AM=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-NPSUv/T85GByexYJEl6CMkjRMtDh5rPXTbqMD7VjaeA=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-Wh8PUqSZ+cuMtWzsmuuE6TiOjyy+mDnthUZXDPUAGCY=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-2zvNA7R4MLP+U+/8qM+11hKChCcgs6JiQOpSgEy60co=";
