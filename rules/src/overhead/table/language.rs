//! Use of the language and its collections: values, exceptions, reflection, class loading, waiting.

use super::{LINE, Line, allocation, blocking, cpu, wall};
use jfr_analyzers::events::Scope;
use jfr_analyzers::rule::Category;

pub(super) const LINES: &[Line] = &[
    Line {
        id: "BoxingOverhead",
        title: "Boxing of primitives",
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
        explanation: "The program wraps numbers in objects, mostly to put them into collections or to pass them to \
                      generic code.",
        remedy: "Use arrays, primitive streams (IntStream) or primitive collections (fastutil, HPPC, Eclipse \
                 Collections), and primitive types in the signatures of hot methods.",
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
        explanation: "Many keys of a hash map have the same hash, so its buckets have turned into trees.",
        remedy: "Give the keys a hashCode that spreads well: use all fields that differ, and cache it if it is \
                 expensive. Make keys Comparable, so that at least the trees are fast.",
        ..LINE
    },
    Line {
        id: "CollectionGrowthOverhead",
        title: "Collection resizing",
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
        explanation: "Collections start small, and their contents are copied each time they are full.",
        remedy: "Presize new collections if you know how many elements they will hold (HashMap.newHashMap(n) since JDK \
                 19, new ArrayList<>(n)), and reuse or avoid short-lived ones.",
        ..LINE
    },
    Line {
        id: "ExceptionOverhead",
        title: "Exception creation",
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
        explanation: "Creating an exception walks the stack, and costs more the deeper the stack is.",
        remedy: "Do not use exceptions for common cases: check before parsing, return an Optional or a result. If you \
                 must throw one often, create it without a stack trace (the constructor with writableStackTrace = \
                 false).",
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
        explanation: "The program looks up methods and fields by name, or calls them through reflection. The work of \
                      the called methods is not counted here.",
        remedy: "Look up methods, fields and handles once and keep them in static final fields, so that the compiler \
                 can inline the call. On the hot path, use interfaces, generated code or lambdas instead of \
                 reflection.",
        ..LINE
    },
    Line {
        id: "ClassLoadingOverhead",
        title: "Class loading",
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
        // Blocking: our own limit. Two threads that load the same class wait for each other.
        limits: &[cpu(3.0, 5.0), wall(3.0, 5.0), blocking(3.0, 5.0)],
        explanation: "The program loads classes, or looks for them in vain, while it runs. During startup that is \
                      unavoidable.",
        remedy: "If it continues after startup: do not look up classes by name again and again (ServiceLoader, JNDI, \
                 Class.forName, scripts); cache hits and misses. For a faster startup, use class data sharing \
                 (-XX:SharedArchiveFile).",
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
        explanation: "Objects with a finalizer survive one more collection, and a single thread finalizes them all.",
        remedy: "Close resources with try-with-resources; remove finalize(), or replace it by a Cleaner where cleanup \
                 must be guaranteed; create fewer objects that have one.",
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
        explanation: "Threads burn CPU time while they wait: they poll again and again for something to do.",
        remedy: "Block instead: a blocking queue, a condition, LockSupport.park, Selector.select with a timeout. Spin \
                 only for microseconds, and only if you can dedicate a core to it.",
        ..LINE
    },
];
