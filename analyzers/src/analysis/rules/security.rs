//! Security.

mod crypto;
mod passwords;

use super::boxed;
use crate::analysis::rule::Rule;
pub use crypto::CryptoSecurityRule;
pub use passwords::{PasswordsInArguments, PasswordsInEnvironment, PasswordsInSystemProperties};

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![CryptoSecurityRule, PasswordsInArguments, PasswordsInEnvironment, PasswordsInSystemProperties]
}
