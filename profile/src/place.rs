//! Places in Java code: which methods belong to the JDK, and which of them only wait.

/// Packages of the JDK and of the runtimes of JVM languages.
const JDK: &[&str] = &["java.", "javax.", "jdk.", "sun.", "com.sun.", "scala.", "kotlin.", "kotlinx.", "groovy."];

/// Packages and methods through which a thread waits, whatever it waits for.
const WAITING: &[&str] = &["jdk.internal.misc.", "sun.misc.", "java.util.concurrent.locks.", "java.lang.Object.wait"];

/// Whether a method (`package.Class.method`) is JDK code, native code, or not a method at all.
#[must_use]
pub fn is_jdk(method: &str) -> bool {
    method.starts_with('[')
        || !method.contains('.')
        || method.contains("::")
        || JDK.iter().any(|package| method.starts_with(package))
}

/// Whether a method is part of how a thread waits: `Unsafe.park`, `LockSupport`, the locks of `java.util.concurrent`,
/// `Object.wait`. It says nothing about what the thread waits for.
#[must_use]
pub fn only_waits(method: &str) -> bool {
    WAITING.iter().any(|prefix| method.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_jdk() {
        for method in ["java.util.HashMap.get", "jdk.internal.misc.Unsafe.park", "memcpy", "os::sleep", "[truncated]"] {
            assert!(is_jdk(method), "{method}");
        }
        for method in ["com.acme.Shop.open", "javassist.Loader.run", "Main.main"] {
            assert!(!is_jdk(method), "{method}");
        }
        assert!(only_waits("java.util.concurrent.locks.ReentrantLock.lock"));
        assert!(!only_waits("java.util.concurrent.LinkedBlockingQueue.take"));
    }
}
