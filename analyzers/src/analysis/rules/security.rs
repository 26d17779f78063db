//! Security.

mod algorithms;
mod crypto;
mod passwords;
mod secrets;
mod unsafe_deserialization;
mod weak_crypto;

use super::boxed;
use crate::analysis::rule::Rule;
pub use crypto::CryptoSecurityRule;
pub use passwords::{PasswordsInArguments, PasswordsInEnvironment, PasswordsInSystemProperties};
pub use secrets::SecretsInConfiguration;
pub use unsafe_deserialization::UnsafeDeserialization;
pub use weak_crypto::WeakCrypto;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        CryptoSecurityRule,
        PasswordsInArguments,
        PasswordsInEnvironment,
        PasswordsInSystemProperties,
        SecretsInConfiguration,
        UnsafeDeserialization,
        WeakCrypto
    ]
}

/// Whether a class is the JDK's, or an array of such, or of primitives.
fn is_jdk_class(class: &str) -> bool {
    let element = class.trim_end_matches("[]");
    matches!(element, "boolean" | "byte" | "char" | "short" | "int" | "long" | "float" | "double")
        || element.contains('.') && crate::analysis::facts::is_jdk(element)
}
