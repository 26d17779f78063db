//! Names of methods, classes, threads and thread pools.

use jfr_analyzers::events::Group;

/// The name of the thread that is a key of a group.
pub(crate) fn thread_name(group: &Group<'_>, key: &str) -> String {
    group.thread(key).map_or_else(|| "unknown".to_owned(), |t| t.name.clone())
}

/// The name of a thread pool: the name of a thread without its numbers.
pub(crate) fn pool_name(thread: &str) -> String {
    let mut name = String::with_capacity(thread.len());
    let mut number = false;
    for c in thread.chars() {
        if !c.is_ascii_digit() {
            name.push(c);
        } else if !number {
            name.push('*');
        }
        number = c.is_ascii_digit();
    }
    name
}

/// The class part of `package.Class.method`.
pub(crate) fn class_of(method: &str) -> &str {
    method.rsplit_once('.').map_or("", |(class, _)| class)
}

/// The method part of `package.Class.method`.
pub(crate) fn method_of(method: &str) -> &str {
    method.rsplit_once('.').map_or(method, |(_, method)| method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        assert_eq!((class_of("a.B.c"), method_of("a.B.c")), ("a.B", "c"));
        assert_eq!((class_of("memcpy"), method_of("memcpy")), ("", "memcpy"));
    }

    #[test]
    fn pools_are_named_without_numbers() {
        assert_eq!(pool_name("pool-1-thread-25"), "pool-*-thread-*");
        assert_eq!(pool_name("main"), "main");
    }
}
