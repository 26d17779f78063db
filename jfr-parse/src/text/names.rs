//! Converts class and type names to Java syntax.

/// The Java name of a class recorded by the JVM: `java/util/Map` becomes `java.util.Map`, `[[I` becomes
/// `int[][]`.
#[must_use]
pub fn class_name(recorded: &str) -> String {
    if recorded.starts_with('[') {
        let mut names = descriptor_names(recorded);
        if names.len() == 1 {
            return names.pop().unwrap_or_default();
        }
    }
    recorded.replace('/', ".")
}

/// The Java names of the types in a part of a JVM descriptor: `ILjava/lang/String;[J` yields `int`,
/// `java.lang.String`, `long[]`. Stops at the first character that is not valid in a descriptor.
#[must_use]
pub fn descriptor_names(descriptor: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = descriptor;
    while !rest.is_empty() {
        let element = rest.trim_start_matches('[');
        let dimensions = rest.len() - element.len();
        let mut chars = element.chars();
        let primitive = match chars.next() {
            Some('Z') => "boolean",
            Some('B') => "byte",
            Some('C') => "char",
            Some('S') => "short",
            Some('I') => "int",
            Some('J') => "long",
            Some('F') => "float",
            Some('D') => "double",
            Some('L') => "",
            _ => break,
        };
        rest = chars.as_str();
        let mut name = primitive.to_owned();
        if primitive.is_empty() {
            let Some((class, behind)) = rest.split_once(';') else { break };
            name = class.replace('/', ".");
            rest = behind;
        }
        // A JVM allows 255 dimensions; a forged name may consist only of brackets.
        for _ in 0..dimensions.min(255) {
            name.push_str("[]");
        }
        out.push(name);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(class_name("java/util/HashMap$Node"), "java.util.HashMap$Node");
        assert_eq!(class_name("[Ljava/lang/Object;"), "java.lang.Object[]");
        assert_eq!(class_name("[[B"), "byte[][]");
        assert_eq!(class_name("int"), "int");
        assert_eq!(class_name("[oops"), "[oops");
        assert_eq!(descriptor_names("ILjava/lang/String;[[JZ"), ["int", "java.lang.String", "long[][]", "boolean"]);
        assert_eq!(descriptor_names("ILjava/lang"), ["int"]);
        assert!(descriptor_names("").is_empty());
    }
}
