#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::borrow::Cow;

use proptest::prelude::*;

use super::{java_name, normalize_class, normalize_descriptor, normalize_method, source_file, type_name};

#[test]
fn run_time_classes() {
    for (recorded, normal) in [
        ("java.lang.invoke.LambdaForm$DMH+0x00007f1c2c000a00/295485334", "java.lang.invoke.LambdaForm$DMH"),
        ("java.lang.invoke.LambdaForm$MH/0x00007f1c2c000a00", "java.lang.invoke.LambdaForm$MH"),
        ("java.lang.invoke.LambdaForm$MH/1234567", "java.lang.invoke.LambdaForm$MH"),
        ("java/lang/invoke/LambdaForm$MH.0x0000000800c0a400", "java/lang/invoke/LambdaForm$MH"),
        (
            "org.apache.spark.sql.functions$$$Lambda$1234+0x00007fab9cd31234/12345",
            "org.apache.spark.sql.functions$$$Lambda",
        ),
        ("a.b.Foo$$Lambda/0x00007f1c2c000a00", "a.b.Foo$$Lambda"),
        ("io.Context$$Lambda$lambda$wrap$2$2630016632/0x00000008010cafe0", "io.Context$$Lambda$lambda$wrap$2"),
        ("[Lio/Context$$Lambda$lambda$wrap$2$2630016632;", "[Lio/Context$$Lambda$lambda$wrap$2;"),
        ("io.Context$$Lambda$lambda$wrap$2", "io.Context$$Lambda$lambda$wrap$2"),
        ("java/lang/VirtualThread$$Lambda.0x00000000c50a1f88", "java/lang/VirtualThread$$Lambda"),
        ("a.b.Foo$$Lambda$40/393040818", "a.b.Foo$$Lambda"),
        ("a.b.Foo$$Lambda$40/0x00000008010cafe0", "a.b.Foo$$Lambda"),
        ("a/Rule$$anonfun$apply$1$$Lambda$40/393040818", "a/Rule$$anonfun$apply$1$$Lambda"),
        ("[La/b/Foo$$Lambda$40/393040818;", "[La/b/Foo$$Lambda;"),
        ("jdk/internal/reflect/GeneratedMethodAccessor12", "jdk/internal/reflect/GeneratedMethodAccessor"),
        ("sun/reflect/GeneratedConstructorAccessor5", "sun/reflect/GeneratedConstructorAccessor"),
        (
            "jdk/internal/reflect/GeneratedSerializationConstructorAccessor7",
            "jdk/internal/reflect/GeneratedSerializationConstructorAccessor",
        ),
        ("$Proxy7", "$Proxy"),
        ("com/sun/proxy/$Proxy123", "com/sun/proxy/$Proxy"),
        ("jdk/proxy2/$Proxy19", "jdk/proxy/$Proxy"),
        ("jdk.proxy2.$Proxy19", "jdk.proxy.$Proxy"),
        ("[Ljdk/proxy2/$Proxy19;", "[Ljdk/proxy/$Proxy;"),
        ("a/Foo$$EnhancerBySpringCGLIB$$1a2b3c", "a/Foo$$EnhancerBySpringCGLIB"),
        ("a/Foo$$SpringCGLIB$$0", "a/Foo$$SpringCGLIB"),
        (
            "a/Foo$$EnhancerBySpringCGLIB$$1a2b3c$$FastClassBySpringCGLIB$$ffeedd00",
            "a/Foo$$EnhancerBySpringCGLIB$$FastClassBySpringCGLIB",
        ),
        ("a/Foo$$FastClassByCGLIB$$deadbeef", "a/Foo$$FastClassByCGLIB"),
        ("a/Foo$$EnhancerByGuice$$12345678", "a/Foo$$EnhancerByGuice"),
        ("a/Foo$ByteBuddy$Xy12abCD", "a/Foo$ByteBuddy"),
        ("a/Foo$HibernateProxy$Xy12abCD", "a/Foo$HibernateProxy"),
        ("a/Foo$MockitoMock$1234567890", "a/Foo$MockitoMock"),
        ("a/Foo$MockitoMock$1234567890$auxiliary$Xy12abCD", "a/Foo$MockitoMock"),
        ("a/Foo_$$_jvst123_0", "a/Foo_$$_jvst"),
        ("a/Foo_$$_jvstc45_1f", "a/Foo_$$_jvst"),
        ("a/Foo_$$_javassist_12", "a/Foo_$$_javassist"),
        (
            "org/apache/spark/sql/catalyst/expressions/GeneratedClass$GeneratedIteratorForCodegenStage12",
            "org/apache/spark/sql/catalyst/expressions/GeneratedClass$GeneratedIteratorForCodegenStage",
        ),
        ("Script1$_run_closure2", "Script$_run_closure2"),
        ("Script17", "Script"),
        ("$line14/$read$$iw$$iw", "$line/$read$$iw$$iw"),
    ] {
        assert_eq!(normalize_class(recorded), normal, "{recorded}");
        assert_eq!(normalize_class(normal), normal, "twice: {recorded}");
    }
}

#[test]
fn numbers_from_the_compiler_stay_without_a_copy() {
    for name in [
        "java/util/HashMap$Node",
        "a/Foo$1",
        "a/Foo$1$2",
        "a/Foo$$anonfun$1",
        "a/Foo$bar$1",
        "org/apache/spark/sql/catalyst/expressions/GeneratedClass$SpecificUnsafeProjection",
        "org/groovy/Script1",
        "Scripting2",
        "a/GeneratedMethodAccessor2Test",
        "a/Foo$Proxy7",
        "net/bytebuddy/ByteBuddy$EnumerationImplementation",
        "a/Foo$$EnhancerBySpringCGLIB$$Helper",
        "jdk/proxying/Thing",
        "com/h2",
        "a/v2/Base64",
        "int",
        "[B",
        "[[Ljava/lang/Object;",
        "",
        "$",
        "$$",
        "/1",
        "größe/$Proxyß",
    ] {
        assert!(matches!(normalize_class(name), Cow::Borrowed(same) if same == name), "{name}");
    }
}

#[test]
fn methods_and_descriptors() {
    for name in ["run", "<init>", "lambda$run$3", "access$000", "$anonfun$main$1", "CGLIB$foo$0", "foo$original"] {
        assert!(matches!(normalize_method(name), Cow::Borrowed(same) if same == name), "{name}");
    }
    assert_eq!(normalize_method("save$accessor$Xy12abCD"), "save$accessor");
    assert_eq!(normalize_method("save$original$Xy12abCD$accessor$aaaaaaaa"), "save$original");
    assert_eq!(
        normalize_descriptor("(I[Ljdk/proxy2/$Proxy19;J)La/Foo$ByteBuddy$Xy12abCD;"),
        "(I[Ljdk/proxy/$Proxy;J)La/Foo$ByteBuddy;"
    );
    for same in ["()V", "(Ljava/util/Map$Entry;)La/Foo$1;", "(Lbroken$$Lambda$4", ""] {
        assert!(matches!(normalize_descriptor(same), Cow::Borrowed(s) if s == same), "{same}");
    }
}

#[test]
fn spelling() {
    assert_eq!(java_name("java/util/HashMap$Node"), "java.util.HashMap$Node");
    for (recorded, shown) in [
        ("java/lang/String", "java.lang.String"),
        ("Ljava/lang/String;", "java.lang.String"),
        ("[Ljava/lang/String;", "java.lang.String[]"),
        ("[[J", "long[][]"),
        ("[B", "byte[]"),
        ("int", "int"),
        ("B", "B"),
        ("LinkedList", "LinkedList"),
        ("byte[]", "byte[]"),
        ("", ""),
    ] {
        assert_eq!(type_name(recorded), shown);
    }
    for (class, file) in [
        ("java/util/HashMap$Node", "HashMap.java"),
        ("Main", "Main.java"),
        ("a.b.Foo$$Lambda$40/393040818", "Foo.java"),
        ("java.lang.invoke.LambdaForm$DMH+0x00007f1c2c000a00/295485334", "LambdaForm.java"),
        ("java.lang.invoke.LambdaForm$DMH/0x00007f1c2c000a00", "LambdaForm.java"),
        ("org/apache/spark/sql/functions$", "functions.java"),
        ("jdk/proxy2/$Proxy19", ""),
        ("", ""),
    ] {
        assert_eq!(source_file(class), file, "{class}");
    }
}

proptest! {
    #[test]
    fn normalizing_twice_is_normalizing_once(
        name in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "$", "$$", "/", ".", "+", ";", "[L", "0x", "Lambda", "$$Lambda", "12", "abc", "CGLIB", "ByGuice",
                "$ByteBuddy", "$auxiliary", "$Proxy", "jdk/proxy", "_$$_jvst", "_$$_javassist", "_", "Script",
                "GeneratedMethodAccessor", "ForCodegenStage", "$line", "$MockitoMock", "$accessor", "$original", "é",
            ]).prop_map(String::from),
            "\\PC{0,3}".prop_map(String::from),
        ], 0..9).prop_map(|parts| parts.concat()),
    ) {
        let once = normalize_class(&name).into_owned();
        prop_assert_eq!(normalize_class(&once), once.as_str());
        let once = normalize_method(&name).into_owned();
        prop_assert_eq!(normalize_method(&once), once.as_str());
        let once = normalize_descriptor(&name).into_owned();
        prop_assert_eq!(normalize_descriptor(&once), once.as_str());
        let _ = (source_file(&name), type_name(&name));
    }

    /// The quick check must not skip names that a rule would change.
    #[test]
    fn the_quick_check_misses_no_name(
        head in prop::sample::select(vec!["", "a/B", "[La/B", "jdk"]),
        middle in prop::sample::select(vec!["$$Lambda$1", "$Proxy1", "/proxy2/$Proxy3", "$ByteBuddy$ab", "_$$_jvst1_2", "_$$_javassist_x", "$$XCGLIB$$ff", "$$FooByGuice$$aa", "$HibernateProxy$q", "$MockitoMock$z", "$auxiliary$z", "GForCodegenStage1", "GeneratedMethodAccessor1", "+0xab", "/0xab", ".0xab", "/12"]),
        tail in prop::sample::select(vec!["", "$Inner", ";", "/0xabc"]),
    ) {
        let name = format!("{head}{middle}{tail}");
        if !super::suspicious(&name) {
            prop_assert!(super::hidden_suffix(&name).is_none() && super::first_match(&name, super::CLASS_RULES).is_none(), "{}", name);
        }
    }
}

#[test]
fn handlers_of_the_recorder_lose_number_time_and_process() {
    for (recorded, stable) in [
        ("jdk/jfr/internal/handlers/EventHandler1349_1795343790394-1712", "jdk/jfr/internal/handlers/EventHandler"),
        (
            "jdk/jfr/proxy/internal/EventHandlerProxy1611_1795344385668-21088",
            "jdk/jfr/proxy/internal/EventHandlerProxy",
        ),
        ("com/example/EventHandler", "com/example/EventHandler"),
    ] {
        assert_eq!(normalize_class(recorded), stable);
    }
}

#[test]
fn the_quick_check_misses_no_marker() {
    for rule in super::CLASS_RULES.iter().chain(super::METHOD_RULES) {
        let [first, second, ..] = rule.marker.as_bytes() else { unreachable!("{}", rule.marker) };
        assert!(super::begins_marker(*first, *second), "{}", rule.marker);
    }
}
