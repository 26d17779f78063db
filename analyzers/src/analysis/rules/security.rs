//! Security.

mod crypto;
mod passwords;

pub use crypto::CryptoSecurityRule;
pub use passwords::{PasswordsInArguments, PasswordsInEnvironment, PasswordsInSystemProperties};

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![CryptoSecurityRule, PasswordsInArguments, PasswordsInEnvironment, PasswordsInSystemProperties]
}
