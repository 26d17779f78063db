//! Rules on weak cryptography, secrets that a recording exposes, and unsafe deserialization.
//!
//! Recognizing and masking secrets belongs in [`jfr_analyzers::secrets`], because reports need it too. Two rules on
//! security are in `jvm`, because they judge how it was started: remote JMX access and bytecode verification.
//! `algorithms.rs` lists what is weak. Open `crypto.rs` first.

mod algorithms;
mod crypto;
mod passwords;
mod passwords_in_arguments;
mod passwords_in_environment;
mod passwords_in_system_properties;
mod secrets;
mod unsafe_deserialization;
mod weak_crypto;

use super::boxed;
pub(crate) use crypto::CryptoSecurityRule;
use jfr_analyzers::rule::Rule;
pub(crate) use passwords_in_arguments::PasswordsInArguments;
pub(crate) use passwords_in_environment::PasswordsInEnvironment;
pub(crate) use passwords_in_system_properties::PasswordsInSystemProperties;
pub(crate) use secrets::SecretsInConfiguration;
pub(crate) use unsafe_deserialization::UnsafeDeserialization;
pub(crate) use weak_crypto::WeakCrypto;

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

/// Whether a class belongs to the JDK or is a primitive type, or is an array of these.
fn is_jdk_class(class: &str) -> bool {
    let element = class.trim_end_matches("[]");
    matches!(element, "boolean" | "byte" | "char" | "short" | "int" | "long" | "float" | "double")
        || element.contains('.') && jfr_analyzers::events::is_jdk(element)
}
