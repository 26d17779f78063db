//! The patterns of this crate.
//!
//! Shares of CPU and allocation are those of Jeffrey's guardian and of Datadog's insights, or our own where the remarks say so.
//! Wall-clock shares are judged of code that does not wait for others by design, with the thresholds for CPU: a thread that reads
//! logs off a queue, or a socket through a cipher, waits most of its time.

use super::pattern::{Pattern, Resource, Thresholds};
use crate::analysis::{AnalysisError, Category, Scope};

/// A pattern as a line of the table.
struct Line {
    id: &'static str,
    title: &'static str,
    category: Category,
    methods: &'static [&'static str],
    scope: Scope,
    native: bool,
    limits: &'static [(Resource, Thresholds)],
    explanation: &'static str,
    remedy: &'static str,
}

const LINE: Line = Line {
    id: "",
    title: "",
    category: Category::Cpu,
    methods: &[],
    scope: Scope::Anywhere,
    native: false,
    limits: &[],
    explanation: "",
    remedy: "",
};

const fn cpu(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Cpu, Thresholds::new(info, warning))
}

const fn allocation(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Allocation, Thresholds::new(info, warning))
}

const fn wall(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Wall, Thresholds::new(info, warning))
}

const fn blocking(info: f64, warning: f64) -> (Resource, Thresholds) {
    (Resource::Blocking, Thresholds::new(info, warning))
}

const TABLE: &[Line] = &[
    Line {
        id: "LoggingOverhead",
        title: "Logging",
        methods: &[
            "ch.qos.logback",
            "org.slf4j",
            "java.util.logging",
            "java.lang.System$Logger",
            "sun.util.logging",
            "jdk.internal.logger",
            "org.apache.commons.logging",
            "org.apache.juli",
            "org.jboss.logging",
            "org.jboss.logmanager",
            "org.tinylog",
            "com.google.common.flogger",
            "com.typesafe.scalalogging",
        ],
        limits: &[cpu(2.0, 3.0), allocation(7.0, 10.0)],
        explanation: "Lines of log are made of text and formatted with time, thread and place, whether anybody reads them or not.",
        remedy: "Log less on the hot path and at a lower level. Pass arguments instead of joined text ({} in slf4j), guard what is \
                 expensive to make, and leave the caller's method and line out of the layout.",
        ..LINE
    },
    Line {
        id: "Log4jOverhead",
        title: "Logging with Log4j",
        methods: &["org.apache.log4j", "org.apache.logging"],
        limits: &[cpu(2.0, 3.0), allocation(3.0, 5.0)],
        explanation: "Lines of log are made of text and formatted with time, thread and place, whether anybody reads them or not. Log4j 2 \
                      can do so nearly without garbage.",
        remedy: "Log less on the hot path and at a lower level, pass arguments or suppliers instead of joined text, leave the location \
                 (%C, %M, %L) out of the layout, and use Log4j 2's garbage-free layouts.",
        ..LINE
    },
    Line {
        id: "RegexOverhead",
        title: "Regular expressions",
        methods: &["java.util.regex", "com.google.re2j", "org.joni"],
        limits: &[cpu(2.0, 4.0), allocation(3.0, 5.0), wall(2.0, 4.0)],
        explanation: "Regular expressions are matched by trying: some take time that grows with the square of the text or worse. \
                      String.split, replaceAll, matches and Scanner use them, too.",
        remedy: "Compile patterns once and keep them. On the hot path use indexOf, startsWith, split by a single character, or a parser. \
                 Avoid nested repetition such as (a+)* and leading .*; possessive quantifiers and atomic groups do not try again.",
        ..LINE
    },
    Line {
        id: "RegexCompileOverhead",
        title: "Compiling regular expressions on a hot path",
        methods: &["java.util.regex.Pattern.compile", "java.util.regex.Pattern.<init>"],
        limits: &[(Resource::Cpu, Thresholds::info(1.0)), (Resource::Allocation, Thresholds::info(1.0))],
        explanation: "The same pattern is compiled over and over: by Pattern.compile in a method that is called often, or by \
                      String.matches, replaceAll and split, which compile at each call.",
        remedy: "Keep the compiled pattern in a static field. Instead of text.replaceAll(…) use PATTERN.matcher(text).replaceAll(…).",
        ..LINE
    },
    Line {
        id: "BoxingOverhead",
        title: "Boxing of primitive values",
        methods: &[
            "java.lang.Boolean.valueOf",
            "java.lang.Byte.valueOf",
            "java.lang.Character.valueOf",
            "java.lang.Short.valueOf",
            "java.lang.Integer.valueOf",
            "java.lang.Long.valueOf",
            "java.lang.Float.valueOf",
            "java.lang.Double.valueOf",
            "java.lang.Boolean.booleanValue",
            "java.lang.Character.charValue",
            "java.lang.Byte.*Value",
            "java.lang.Short.*Value",
            "java.lang.Integer.*Value",
            "java.lang.Long.*Value",
            "java.lang.Float.*Value",
            "java.lang.Double.*Value",
            "scala.runtime.BoxesRunTime.boxTo*",
            "scala.runtime.BoxesRunTime.unboxTo*",
            "kotlin.coroutines.jvm.internal.Boxing",
        ],
        limits: &[cpu(3.0, 5.0), allocation(3.0, 5.0), wall(3.0, 5.0)],
        explanation: "Numbers are wrapped into objects, mostly to put them into collections or to pass them to generic code.",
        remedy: "Use arrays, primitive streams (IntStream) or collections of primitives (fastutil, HPPC, Eclipse Collections), and \
                 primitive types in signatures of hot methods.",
        ..LINE
    },
    Line {
        id: "HashCollisionOverhead",
        title: "Hash collisions",
        methods: &[
            "java.util.HashMap$TreeNode",
            "java.util.HashMap.treeifyBin",
            "java.util.HashMap.comparableClassFor",
            "java.util.HashMap.compareComparables",
            "java.util.concurrent.ConcurrentHashMap$TreeBin",
            "java.util.concurrent.ConcurrentHashMap$TreeNode",
            "java.util.concurrent.ConcurrentHashMap.treeifyBin",
            "java.util.concurrent.ConcurrentHashMap.comparableClassFor",
            "java.util.concurrent.ConcurrentHashMap.compareComparables",
        ],
        limits: &[cpu(2.0, 4.0), allocation(3.0, 5.0), wall(2.0, 4.0)],
        explanation: "Many keys of a hash map have the same hash, so that its buckets became trees.",
        remedy: "Give the keys a hashCode that spreads: over all fields that differ, and computed once if it is expensive. Make keys \
                 Comparable, so that at least the trees are fast.",
        ..LINE
    },
    Line {
        id: "ReflectionOverhead",
        title: "Reflection and method handles",
        methods: &[
            "java.lang.reflect",
            "jdk.internal.reflect",
            "sun.reflect",
            "java.lang.Class.getMethod*",
            "java.lang.Class.getField*",
            "java.lang.Class.getConstructor*",
            "java.lang.Class.getDeclared*",
            "java.lang.Class.privateGet*",
            "java.lang.invoke.MethodHandles",
            "java.lang.invoke.MethodHandleNatives",
            "java.lang.invoke.MethodType",
            "java.lang.invoke.InvokerBytecodeGenerator",
            "java.lang.invoke.*LambdaMetafactory",
        ],
        scope: Scope::Direct,
        limits: &[cpu(3.0, 5.0)],
        explanation: "Methods and fields are looked up by name, or called through reflection. What they then do is not counted here.",
        remedy: "Look methods, fields and handles up once and keep them: in static final fields, so that the compiler can inline the \
                 call. Use interfaces, generated code or lambdas in place of reflection on the hot path.",
        ..LINE
    },
    Line {
        id: "ExceptionOverhead",
        title: "Making exceptions",
        category: Category::Exceptions,
        methods: &[
            "java.lang.Throwable.<init>",
            "java.lang.Throwable.fillInStackTrace",
            "java.lang.Throwable.getStackTrace",
            "java.lang.Throwable.getOurStackTrace",
            "java.lang.StackTraceElement",
            "*Exception.<init>",
            "*Error.<init>",
        ],
        limits: &[cpu(3.0, 5.0), allocation(3.0, 5.0), wall(3.0, 5.0)],
        explanation: "An exception costs the walk over the stack when it is made, the more the deeper the stack is.",
        remedy: "Do not use exceptions for what happens all the time: check before parsing, return an Optional or a result. Where one \
                 has to be thrown often, make it without a stack trace (the constructor with writableStackTrace = false).",
        ..LINE
    },
    Line {
        id: "StringOverhead",
        title: "Building and formatting of text",
        methods: &[
            "java.lang.StringBuilder",
            "java.lang.StringBuffer",
            "java.lang.AbstractStringBuilder",
            "java.lang.StringConcatHelper",
            "java.lang.invoke.StringConcatFactory",
            "java.lang.String.format",
            "java.lang.String.formatted",
            "java.lang.String.join",
            "java.util.StringJoiner",
            "java.util.Formatter",
            "java.text.*Format",
        ],
        limits: &[cpu(3.0, 5.0), allocation(3.0, 5.0), wall(3.0, 5.0)],
        explanation: "Much text is put together or formatted. String.format and the classes of java.text parse their pattern at each call.",
        remedy: "Give a StringBuilder its capacity and use one instead of many; do not format on the hot path; keep formatters \
                 (DateTimeFormatter is thread-safe); write to a stream or buffer instead of making text first.",
        ..LINE
    },
    Line {
        id: "SerializationOverhead",
        title: "Java serialization",
        methods: &["java.io.ObjectInputStream", "java.io.ObjectOutputStream", "java.io.ObjectStreamClass"],
        limits: &[cpu(3.0, 5.0)],
        explanation: "Java's own serialization walks objects by reflection, and writes the description of each class with them.",
        remedy: "Use a format made for it (Protocol Buffers, Avro, Kryo, CBOR), or Externalizable; do not copy objects by serializing them; \
                 reset streams no more often than needed.",
        ..LINE
    },
    Line {
        id: "JsonOverhead",
        title: "JSON",
        methods: &[
            "com.fasterxml.jackson",
            "tools.jackson",
            "org.codehaus.jackson",
            "com.google.gson",
            "com.alibaba.fastjson",
            "com.alibaba.fastjson2",
            "org.json",
            "org.json4s",
            "net.minidev.json",
            "com.jayway.jsonpath",
            "com.squareup.moshi",
            "com.jsoniter",
            "com.dslplatform.json",
            "javax.json",
            "jakarta.json",
            "org.glassfish.json",
            "org.eclipse.parsson",
            "org.eclipse.yasson",
            "groovy.json",
            "io.circe",
            "play.api.libs.json",
            "spray.json",
            "kotlinx.serialization.json",
        ],
        limits: &[cpu(3.0, 5.0)],
        explanation: "JSON is written or read: numbers and texts are converted at each step.",
        remedy: "Keep mappers, readers and writers instead of making them anew. Leave out what nobody reads, stream large documents, do \
                 not convert twice (to text, then to bytes), and use a binary format between services of your own.",
        ..LINE
    },
    Line {
        id: "XmlOverhead",
        title: "XML",
        methods: &[
            "javax.xml",
            "jakarta.xml",
            "org.xml.sax",
            "org.w3c.dom",
            "jdk.xml",
            "com.sun.org.apache",
            "com.sun.xml",
            "org.apache.xerces",
            "org.apache.xalan",
            "org.apache.xmlbeans",
            "org.glassfish.jaxb",
            "com.ctc.wstx",
            "com.fasterxml.aalto",
            "org.dom4j",
            "org.jdom",
            "org.jdom2",
            "nu.xom",
            "com.thoughtworks.xstream",
            "net.sf.saxon",
            "scala.xml",
        ],
        limits: &[cpu(3.0, 5.0)],
        explanation: "XML is parsed, searched, transformed or written.",
        remedy: "Keep factories, contexts (JAXBContext), compiled expressions and stylesheets: making one takes longer than using it. \
                 Use a streaming parser in place of a tree, and do not validate what was validated.",
        ..LINE
    },
    Line {
        id: "CryptoOverhead",
        title: "Cryptography and TLS",
        methods: &[
            "sun.security",
            "com.sun.crypto",
            "javax.crypto",
            "javax.net.ssl",
            "java.security.MessageDigest",
            "java.security.Signature",
            "java.security.SecureRandom",
            "java.security.KeyFactory",
            "java.security.KeyPairGenerator",
            "org.bouncycastle",
            "org.conscrypt",
            "io.netty.internal.tcnative",
            "com.amazon.corretto.crypto",
        ],
        scope: Scope::Direct,
        // Blocking: own. It is locks around random numbers, mostly.
        limits: &[cpu(3.0, 5.0), blocking(3.0, 5.0)],
        explanation: "Connections are encrypted, digests and signatures computed, random numbers made. Shaking hands costs far more than \
                      sending over a connection that is there.",
        remedy: "Keep connections open and resume sessions (HTTP keep-alive, pools). Use AES-GCM and elliptic curves, which the CPU and \
                 the JVM know well; keep MessageDigest and Cipher objects for each thread; a newer JDK is faster.",
        ..LINE
    },
    Line {
        id: "CompressionOverhead",
        title: "Compression",
        methods: &[
            "java.util.zip.Deflater*",
            "java.util.zip.Inflater*",
            "java.util.zip.GZIP*",
            "java.util.zip.ZipInputStream",
            "java.util.zip.ZipOutputStream",
            "com.github.luben.zstd",
            "net.jpountz.lz4",
            "org.lz4",
            "org.xerial.snappy",
            "org.iq80.snappy",
            "io.airlift.compress",
            "com.ning.compress",
            "com.aayushatharva.brotli4j",
            "org.apache.commons.compress",
            "org.apache.hadoop.io.compress",
            "org.tukaani.xz",
            "deflate*",
            "inflate*",
            "ZSTD_*",
            "LZ4_*",
        ],
        scope: Scope::Direct,
        limits: &[cpu(3.0, 5.0)],
        explanation: "Data is packed or unpacked.",
        remedy: "Choose a lower level or a faster format (LZ4, zstd), do not pack what is packed already or small, and reuse Deflater and \
                 Inflater.",
        ..LINE
    },
    Line {
        id: "ClassLoadingOverhead",
        title: "Loading of classes",
        category: Category::Classes,
        methods: &[
            "*ClassLoader.loadClass*",
            "*ClassLoader.findClass*",
            "*ClassLoader.defineClass*",
            "java.lang.Class.forName*",
            "jdk.internal.loader.BuiltinClassLoader",
            "SystemDictionary::*",
            "ClassFileParser::*",
            "Verifier::*",
            "ClassVerifier::*",
        ],
        // Blocking: own. Two threads that load the same class wait for each other.
        limits: &[cpu(3.0, 5.0), wall(3.0, 5.0), blocking(3.0, 5.0)],
        explanation: "Classes are loaded, or looked for in vain, while the program runs. When it starts that is as it has to be.",
        remedy: "If it goes on after the start: do not look classes up by name again and again (ServiceLoader, JNDI, Class.forName, \
                 scripts), keep what was found and what was not. For a faster start use class data sharing (-XX:SharedArchiveFile).",
        ..LINE
    },
    Line {
        id: "CollectionGrowthOverhead",
        title: "Growing of collections",
        methods: &[
            "java.util.HashMap.resize",
            "java.util.IdentityHashMap.resize",
            "java.util.WeakHashMap.resize",
            "java.util.WeakHashMap.transfer",
            "java.util.Hashtable.rehash",
            "java.util.ArrayList.grow",
            "java.util.ArrayList.ensureCapacity*",
            "java.util.Vector.grow*",
            "java.util.Vector.ensureCapacity*",
            "java.util.ArrayDeque.grow",
            "java.util.ArrayDeque.doubleCapacity",
            "java.util.PriorityQueue.grow",
            "java.util.concurrent.PriorityBlockingQueue.tryGrow",
            "java.util.concurrent.ConcurrentHashMap.transfer",
            "java.util.concurrent.ConcurrentHashMap.helpTransfer",
            "java.util.concurrent.ConcurrentHashMap.tryPresize",
            "scala.collection.mutable.*.growTable",
            "scala.collection.mutable.*.resize",
            "it.unimi.dsi.fastutil.*.rehash",
        ],
        limits: &[cpu(3.0, 5.0), allocation(3.0, 5.0), wall(3.0, 5.0)],
        explanation: "Collections start small and are copied each time they are full.",
        remedy: "Give new collections their size where it is known (HashMap.newHashMap(n) since JDK 19, new ArrayList<>(n)), and reuse or \
                 avoid short-lived ones.",
        ..LINE
    },
    Line {
        id: "LockInternalsOverhead",
        title: "Work of the JVM and the system on locks",
        category: Category::Locks,
        methods: &[
            "ObjectMonitor::*",
            "ObjectSynchronizer::*",
            "Parker::*",
            "Unsafe_Park*",
            "Unsafe_Unpark*",
            "jdk.internal.misc.Unsafe.park",
            "jdk.internal.misc.Unsafe.unpark",
            "sun.misc.Unsafe.park",
            "sun.misc.Unsafe.unpark",
            "futex_*",
            "do_futex*",
            "*_sys_futex*",
            "pthread_cond_*",
            "__pthread_cond_*",
            "___pthread_cond_*",
            "pthread_mutex_*",
            "__pthread_mutex_*",
            "___pthread_mutex_*",
            "__lll_lock_*",
        ],
        limits: &[cpu(3.0, 5.0)],
        explanation: "CPU time, not waiting time, goes into putting threads to sleep and waking them up: locks are fought for, or tasks so \
                      small that handing them over costs more than doing them.",
        remedy: "Hand over tasks in batches, hold locks for less or split them, use fewer threads, and atomic or concurrent classes in \
                 place of locks.",
        ..LINE
    },
    Line {
        id: "FinalizerOverhead",
        title: "Finalizers and cleaners",
        category: Category::Jvm,
        methods: &[
            "java.lang.ref.Finalizer*",
            "java.lang.ref.Cleaner*",
            "jdk.internal.ref.Cleaner*",
            "jdk.internal.ref.PhantomCleanable",
            "sun.misc.Cleaner",
        ],
        limits: &[cpu(1.0, 3.0)],
        explanation: "Objects with a finalizer live for another collection, and one thread finalizes them all.",
        remedy: "Close resources with try-with-resources; replace finalize() by nothing, or by a Cleaner for what has to be certain; make \
                 fewer of the objects that have one.",
        ..LINE
    },
    Line {
        id: "DeoptimizationOverhead",
        title: "Deoptimization",
        category: Category::Jvm,
        methods: &[
            "Deoptimization::*",
            "DeoptimizationScope::*",
            "deoptimize*",
            "SharedRuntime::deopt*",
            "CodeCache::*deopt*",
        ],
        native: true,
        limits: &[cpu(3.0, 5.0)],
        explanation: "The JVM throws compiled code away and goes on in the interpreter, as what the compiler assumed no longer holds.",
        remedy: "See the rule DeoptimizationStorm for methods and reasons. Classes loaded late, types that alternate at one call, and \
                 exceptions on hot paths are the usual causes.",
        ..LINE
    },
    Line {
        id: "SafepointOverhead",
        title: "Safepoints and handshakes",
        category: Category::Jvm,
        methods: &[
            "SafepointSynchronize::*",
            "SafepointMechanism::*",
            "ThreadSafepointState::*",
            "Handshake::*",
            "HandshakeState::*",
        ],
        native: true,
        limits: &[cpu(3.0, 5.0)],
        explanation: "CPU time goes into stopping threads and letting them go on.",
        remedy: "See the rules SlowSafepoint and VmOperationShare for how often and why threads are stopped: thread dumps, monitoring, biased \
                 locking and deoptimization are the usual causes.",
        ..LINE
    },
    Line {
        id: "VmOperationOverhead",
        title: "Operations of the VM thread",
        category: Category::Jvm,
        methods: &["VM_*", "VM_Operation::*", "VMThread::evaluate_operation", "VMThread::inner_execute"],
        native: true,
        limits: &[cpu(3.0, 5.0)],
        explanation: "The VM thread does work for which, mostly, all others are stopped: collections, thread dumps, heap inspections, \
                      redefinition of classes.",
        remedy: "See which operations they are: rule VmOperationShare, and the methods called here.",
        ..LINE
    },
    Line {
        id: "BusySpin",
        title: "Busy spinning",
        methods: &[
            "java.lang.Thread.onSpinWait",
            "java.lang.Thread.yield",
            "java.lang.Thread.yield0",
            "sun.nio.ch.SelectorImpl.selectNow",
            "java.util.concurrent.ConcurrentLinkedQueue.poll",
            "java.util.concurrent.ConcurrentLinkedDeque.poll*",
            "com.lmax.disruptor.BusySpinWaitStrategy",
            "com.lmax.disruptor.YieldingWaitStrategy",
            "org.agrona.concurrent.BusySpinIdleStrategy",
            "org.agrona.concurrent.NoOpIdleStrategy",
            "org.agrona.concurrent.YieldingIdleStrategy",
        ],
        limits: &[cpu(3.0, 10.0)],
        explanation: "Threads use the CPU to wait: they look again and again whether there is something to do.",
        remedy: "Wait for something: a blocking queue, a condition, LockSupport.park, Selector.select with a time. Spin for microseconds \
                 only, and where a core can be given away for it.",
        ..LINE
    },
];

/// The patterns of the table.
pub(super) fn patterns() -> impl Iterator<Item = Result<Pattern, AnalysisError>> {
    TABLE.iter().map(|line| {
        let pattern = Pattern::new(line.id, line.title, line.methods.iter().copied())?
            .category(line.category)
            .scope(line.scope)
            .explain(line.explanation)
            .remedy(line.remedy);
        let pattern = if line.native { pattern.native() } else { pattern };
        Ok(line.limits.iter().fold(pattern, |pattern, (resource, limits)| pattern.limit(*resource, *limits)))
    })
}
