//! Which algorithms and cipher suites are weak.

/// The strength of a cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suite {
    Good,
    /// Attackers can break it.
    Weak,
    /// It offers no protection: it does not encrypt, or does not authenticate the peer.
    Open,
}

/// Whether a protocol is older than TLS 1.2, by its JDK name.
pub(super) fn is_old_protocol(name: &str) -> bool {
    matches!(name, "TLSv1" | "TLSv1.0" | "TLSv1.1") || name.starts_with("SSL")
}

/// The strength of a cipher suite, by its JDK name: `TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA`.
pub(super) fn suite(name: &str) -> Suite {
    let name = name.to_ascii_uppercase();
    let has = |words: &[&str]| name.split('_').any(|part| words.contains(&part));
    if has(&["NULL", "ANON"]) {
        Suite::Open
    } else if has(&["RC4", "RC2", "DES", "DES40", "3DES", "EXPORT"]) || name.ends_with("_CBC_SHA") {
        Suite::Weak
    } else {
        Suite::Good
    }
}

/// Whether a requested algorithm, such as `MD5`, `SHA1withRSA`, `DES/ECB/PKCS5Padding`, is weak. `kind` is the type of
/// the service: `MessageDigest`, `Cipher`.
pub(super) fn is_weak(kind: &str, algorithm: &str) -> bool {
    // An HMAC does not depend on the broken property of its hash, and the algorithm of a random number generator says
    // nothing about its strength.
    if matches!(kind, "Mac" | "SecureRandom") {
        return false;
    }
    // Without hyphens, SHA-1 and SHA-256 are one word each.
    let name = algorithm.to_ascii_uppercase().replace('-', "");
    let rsa = name.starts_with("RSA");
    name.split('/').flat_map(|part| part.split("WITH")).flat_map(|part| part.split("AND")).any(|word| match word {
        "MD2" | "MD5" | "SHA" | "SHA1" | "DES" | "DESEDE" | "TRIPLEDES" | "RC2" | "RC4" | "ARCFOUR" => true,
        // RSA encrypts a single block, whatever the mode is called.
        "ECB" => !rsa,
        word => ["RC2_", "RC4_"].iter().any(|p| word.starts_with(p)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_algorithms_by_word() {
        for weak in ["MD5", "SHA", "SHA-1", "SHA1withRSA", "MD5andSHA1withRSA", "DES", "DESede/CBC/PKCS5Padding"] {
            assert!(is_weak("Signature", weak), "{weak}");
        }
        for weak in ["AES/ECB/PKCS5Padding", "ARCFOUR", "PBEWithMD5AndDES", "PBEWithSHA1AndRC2_40"] {
            assert!(is_weak("Cipher", weak), "{weak}");
        }
        for fine in ["SHA-256", "SHA3-256", "SHA256withRSA", "AES/GCM/NoPadding", "RSA/ECB/OAEPPadding", "SHA512/256"] {
            assert!(!is_weak("Cipher", fine), "{fine}");
        }
        assert!(!is_weak("Mac", "HmacSHA1") && !is_weak("SecureRandom", "SHA1PRNG"));
        assert!(!is_weak("Cipher", "PBEWithHmacSHA1AndAES_128"));
    }

    #[test]
    fn suites_and_protocols() {
        assert_eq!(suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"), Suite::Good);
        assert_eq!(suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"), Suite::Good);
        assert_eq!(suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"), Suite::Weak);
        assert_eq!(suite("SSL_RSA_WITH_3DES_EDE_CBC_SHA"), Suite::Weak);
        assert_eq!(suite("TLS_DH_anon_WITH_AES_128_GCM_SHA256"), Suite::Open);
        assert_eq!(suite("SSL_RSA_WITH_NULL_MD5"), Suite::Open);
        assert!(is_old_protocol("SSLv3") && is_old_protocol("TLSv1.1") && !is_old_protocol("TLSv1.2"));
    }
}
