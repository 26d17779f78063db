//! For each pattern, stacks that it matches and similar ones that it does not.

/// Stacks, leaf first.
pub(super) type Stacks = &'static [&'static [&'static str]];

/// For each pattern, stacks (leaf first) that it matches, and similar stacks that it does not match. The root of each
/// is a method of the program.
pub(super) const CASES: &[(&str, Stacks, Stacks)] = &[
    (
        "LoggingOverhead",
        &[
            &["java.lang.String.concat", "ch.qos.logback.classic.Logger.info"],
            &["java.util.logging.Logger.log"],
            &["org.slf4j.helpers.MessageFormatter.format"],
            &["com.google.common.flogger.LogContext.log"],
        ],
        &[&["java.util.Log.log"], &["org.slf4jx.Logger.info"], &["com.acme.ch.qos.logback.Logger.info"]],
    ),
    (
        "Log4jOverhead",
        &[&["org.apache.logging.log4j.core.Logger.log"], &["org.apache.log4j.Category.info"]],
        &[&["org.apache.log.Logger.log"], &["ch.qos.logback.classic.Logger.info"]],
    ),
    (
        "RegexOverhead",
        &[&["java.util.regex.Pattern$Loop.match", "java.util.regex.Matcher.find"], &["com.google.re2j.Machine.step"]],
        &[&["java.util.Scanner.next"], &["com.acme.regex.Pattern.match"]],
    ),
    (
        "RegexCompileOverhead",
        &[&["java.util.regex.Pattern.atom", "java.util.regex.Pattern.compile"], &["java.util.regex.Pattern.<init>"]],
        &[
            &["java.util.regex.Pattern.matcher"],
            &["java.util.regex.Pattern$Loop.match", "java.util.regex.Matcher.find"],
        ],
    ),
    (
        "BoxingOverhead",
        &[
            &["java.lang.Integer.valueOf"],
            &["java.lang.Long.longValue"],
            &["scala.runtime.BoxesRunTime.boxToInteger"],
            &["java.lang.Boolean.booleanValue"],
        ],
        &[&["java.lang.Integer.parseInt"], &["java.lang.String.valueOf"], &["java.math.BigDecimal.valueOf"]],
    ),
    (
        "HashCollisionOverhead",
        &[
            &["java.util.HashMap$TreeNode.find", "java.util.HashMap.getNode"],
            &["java.util.concurrent.ConcurrentHashMap$TreeBin.putTreeVal"],
        ],
        &[&["java.util.HashMap.getNode"], &["java.util.TreeMap.getEntry"]],
    ),
    (
        "ReflectionOverhead",
        &[
            &["java.util.HashMap.get", "java.lang.Class.getMethod"],
            &["jdk.internal.reflect.DirectMethodHandleAccessor.invoke", "java.lang.reflect.Method.invoke"],
            &["java.lang.invoke.MethodHandles$Lookup.findVirtual"],
        ],
        &[
            // Code called by reflection belongs to the program, or to the JDK itself.
            &[
                "com.acme.Handler.handle",
                "jdk.internal.reflect.GeneratedMethodAccessor.invoke",
                "java.lang.reflect.Method.invoke",
            ],
            &[
                "java.util.ArrayList.writeObject",
                "java.lang.reflect.Method.invoke",
                "java.io.ObjectOutputStream.writeObject",
            ],
            &["java.lang.Class.getName"],
        ],
    ),
    (
        "ExceptionOverhead",
        &[
            &["java.lang.Throwable.fillInStackTrace", "java.lang.Throwable.<init>"],
            &["com.acme.LostException.<init>"],
            &["java.lang.StackTraceElement.of"],
        ],
        &[&["com.acme.LostException.of"], &["java.lang.Throwable.getMessage"], &["com.acme.Exceptions.<init>"]],
    ),
    (
        "StringOverhead",
        &[
            &["java.lang.AbstractStringBuilder.append", "java.lang.StringBuilder.append"],
            &["java.util.Formatter$FormatSpecifier.print", "java.lang.String.format"],
            &["java.lang.StringConcatHelper.mix"],
            &["java.text.SimpleDateFormat.format"],
        ],
        &[&["java.lang.String.indexOf"], &["java.text.Normalizer.normalize"], &["com.acme.StringBuilders.append"]],
    ),
    (
        "SerializationOverhead",
        &[&["java.io.ObjectOutputStream.writeObject0"], &["java.io.ObjectInputStream$BlockDataInputStream.read"]],
        &[&["java.io.DataOutputStream.writeInt"], &["java.io.ObjectInput.readObject"]],
    ),
    (
        "JsonOverhead",
        &[&["com.fasterxml.jackson.core.json.UTF8StreamJsonParser.nextToken"], &["org.json.JSONObject.toString"]],
        &[&["com.fasterxml.classmate.Types.of"], &["org.jsoup.Jsoup.parse"]],
    ),
    (
        "XmlOverhead",
        &[&["com.sun.org.apache.xerces.internal.impl.XMLScanner.scan"], &["javax.xml.bind.Unmarshaller.unmarshal"]],
        &[&["javax.xmlx.Parser.parse"], &["com.sun.net.httpserver.HttpServer.start"]],
    ),
    (
        "CryptoOverhead",
        &[
            &["com.sun.crypto.provider.GHASH.update", "javax.crypto.Cipher.doFinal"],
            &["java.util.Arrays.fill", "sun.security.ssl.SSLEngineImpl.wrap"],
            &["sun.security.provider.SHA2.implCompress"],
        ],
        &[
            &["java.security.AccessController.doPrivileged"],
            &["com.acme.Handler.handle", "sun.security.ssl.SSLEngineImpl.unwrap"],
            &["java.security.CodeSource.implies"],
        ],
    ),
    (
        "CompressionOverhead",
        &[
            &["java.util.zip.Deflater.deflateBytesBytes"],
            &["net.jpountz.lz4.LZ4JavaCompressor.compress"],
            &["inflate_fast"],
        ],
        &[
            &["java.util.zip.CRC32.update"],
            &["java.util.zip.ZipFile.getEntry"],
            &["com.acme.In.read", "java.util.zip.GZIPInputStream.read"],
        ],
    ),
    (
        "ClassLoadingOverhead",
        &[
            &["java.util.zip.ZipFile.getEntry", "java.net.URLClassLoader.findClass"],
            &["java.lang.ClassLoader.defineClass1"],
            &["org.springframework.boot.loader.LaunchedURLClassLoader.loadClass"],
            &["java.lang.Class.forName0"],
        ],
        &[&["java.lang.Class.getName"], &["java.lang.ClassLoader.getResource"], &["com.acme.ClassLoading.loadClasses"]],
    ),
    (
        "CollectionGrowthOverhead",
        &[&["java.util.HashMap.resize"], &["java.util.Arrays.copyOf", "java.util.ArrayList.grow"]],
        &[
            &["java.util.HashMap.put"],
            &["java.util.Arrays.copyOf", "java.lang.String.<init>"],
            &["java.util.ArrayList.add"],
        ],
    ),
    (
        "LockInternalsOverhead",
        &[
            &["ObjectMonitor::TrySpin", "ObjectMonitor::enter"],
            &["jdk.internal.misc.Unsafe.unpark"],
            &["futex_wait_queue", "do_futex"],
        ],
        &[
            &["JavaThread::run"],
            &["jdk.internal.misc.Unsafe.copyMemory"],
            &["java.util.concurrent.locks.ReentrantLock.lock"],
        ],
    ),
    (
        "FinalizerOverhead",
        &[&["com.acme.File.finalize", "java.lang.ref.Finalizer.runFinalizer"], &["jdk.internal.ref.CleanerImpl.run"]],
        &[&["java.lang.ref.WeakReference.get"], &["com.acme.Cleaner.clean"]],
    ),
    (
        "DeoptimizationOverhead",
        &[&["Deoptimization::fetch_unroll_info"], &["SharedRuntime::deoptimize_frame"]],
        &[&["SharedRuntime::resolve_sub_helper"], &["com.acme.Deoptimization.run"]],
    ),
    (
        "SafepointOverhead",
        &[&["SafepointSynchronize::block"], &["HandshakeState::process_by_self"]],
        &[&["SafepointBlob::create"], &["com.acme.SafepointSynchronize.block"]],
    ),
    (
        "VmOperationOverhead",
        &[&["VM_ThreadDump::doit", "VM_Operation::evaluate"], &["VMThread::inner_execute"]],
        &[&["VMThread::run"], &["VMError::report"], &["com.acme.VMs.start"]],
    ),
    (
        "BusySpin",
        &[
            &["java.lang.Thread.onSpinWait"],
            &["com.lmax.disruptor.BusySpinWaitStrategy.waitFor"],
            &["java.lang.Thread.yield"],
        ],
        &[
            &["java.lang.Thread.sleep"],
            &["java.util.concurrent.LinkedBlockingQueue.poll"],
            &["com.lmax.disruptor.BlockingWaitStrategy.waitFor"],
        ],
    ),
];
