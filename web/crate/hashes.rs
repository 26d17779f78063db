//! Written by `build.mjs`: hashes of the bundles, for the policies of pages from disk.

/// Source expression of `app.js` for a policy.
pub(crate) const APP_JS: &str = "sha256-GugOcGFx0FQt+335jYPnP5fVwziOaa2X9zO1tDqwy+Q=";
/// Source expression of `app.css` for a policy.
pub(crate) const APP_CSS: &str = "sha256-hM+R78ojDOI+czKdolNwbODnNinpttQ04yZziy0NAoY=";
/// Source expression of `flame.js` for a policy.
pub(crate) const FLAME_JS: &str = "sha256-ibqx98fKW/3mP+b4StvWgDNh/MQr2nIfPeWTrn24qjk=";
/// Source expression of `flame.css` for a policy.
pub(crate) const FLAME_CSS: &str = "sha256-aqKo1j+VY7lRAU6IgyEr/OUV8PmpqpQBHmCYU///2MA=";
