//! False alarms that users saw, and problems that were missed: each is a test.

use crate::verdict_snapshots::SceneSnapshot;
use jfr_analyzers::rule::{Rule, Severity, Verdict};
use jfr_analyzers::testing::{Scene, stack, thread};

use crate::fixture;
use crate::time::SECOND;
use crate::{cpu, environment, exceptions, gc, heap, io, jvm, locks, overhead, recording};

const MS: i64 = 1_000_000;

fn severity(scene: &Scene, rule: &dyn Rule) -> Severity {
    scene.verdict(rule).severity
}

fn version(version: &str) -> Scene {
    let line = format!("OpenJDK 64-Bit Server VM ({version}) for linux-amd64 JRE ({version}), built on a day");
    let fields =
        [("jvmVersion", line.as_str().into()), ("jvmName", "OpenJDK 64-Bit Server VM".into()), ("pid", 1.into())];
    Scene::new().event("jdk.JVMInformation", 0, 0, fields)
}

#[test]
fn two_of_five_truncated_stacks() {
    let of = |stacks: i64, truncated: u64| {
        let one = |s: Scene, i: i64| s.event("jdk.FileRead", i, i, [("stackTrace", stack(&["a.b"]))]);
        (0..stacks).fold(Scene::new(), one).truncated("jdk.FileRead", truncated)
    };
    assert_eq!(severity(&of(5, 2), &recording::StackdepthSetting), Severity::Ok);
    assert_eq!(severity(&of(500, 200), &recording::StackdepthSetting), Severity::Info);
    assert_eq!(of(5, 2).as_jmc(&recording::StackdepthSetting), Severity::Warning);
}

#[test]
fn compressed_references_under_zgc() {
    let of = |collector: &str| {
        let flags = [("name", "MaxHeapSize".into()), ("value", (1i64 << 30).into())];
        version("21.0.1")
            .event("jdk.GCConfiguration", 0, 0, [("oldCollector", collector.into())])
            .event("jdk.GCHeapConfiguration", 0, 0, [("usesCompressedOops", false.into())])
            .event("jdk.BooleanFlag", 0, 0, [("name", "UseCompressedOops".into()), ("value", false.into())])
            .event("jdk.UnsignedLongFlag", 0, 0, flags)
    };
    assert_eq!(severity(&of("Z"), &gc::CompressedOops), Severity::Ok);
    assert_eq!(severity(&of("G1Old"), &gc::CompressedOops), Severity::Info);
}

#[test]
fn a_program_that_ends_because_it_is_done() {
    let scene = Scene::new().event("jdk.Shutdown", 0, 0, [("reason", "No remaining non-daemon Java threads".into())]);
    assert_eq!(
        (severity(&scene, &exceptions::FatalErrors), scene.as_jmc(&exceptions::FatalErrors)),
        (Severity::Ok, Severity::Info)
    );
}

#[test]
fn page_cache_counted_as_used_memory() {
    let memory = |jdk: &str| {
        version(jdk).event("jdk.PhysicalMemory", 0, 0, [("usedSize", 97.into()), ("totalSize", 100.into())])
    };
    assert_eq!(severity(&memory("17.0.1+1"), &environment::LowOnPhysicalMemory), Severity::Ok);
    assert_eq!(severity(&memory("21.0.1+1"), &environment::LowOnPhysicalMemory), Severity::Warning);
    let mac = memory("21.0.1+1").event("jdk.OSInformation", 0, 0, [("osVersion", "Darwin Kernel Version 23".into())]);
    assert_eq!(severity(&mac, &environment::LowOnPhysicalMemory), Severity::Ok);
}

/// Heap after full collections, in MiB of 3 GiB.
fn live_set(mib: &[i64], apart: i64) -> Scene {
    let scene = Scene::new()
        .event("jdk.GCHeapConfiguration", 0, 0, [("maxSize", (3_072i64 << 20).into())])
        .event("jdk.ClassLoadingStatistics", 0, 0, [("loadedClassCount", 100.into())])
        .event("jdk.OldGarbageCollection", 0, 0, []);
    mib.iter().enumerate().fold(scene, |scene, (i, used)| {
        let (id, at) = (i64::try_from(i).unwrap_or(0), (i64::try_from(i).unwrap_or(0) + 1) * apart);
        let summary = [("gcId", id.into()), ("when", "After GC".into()), ("heapUsed", (used << 20).into())];
        let collection = [("gcId", id.into()), ("name", "G1Full".into()), ("cause", "G1 Compaction Pause".into())];
        scene.event("jdk.GarbageCollection", at, at, collection).event("jdk.GCHeapSummary", at, at, summary)
    })
}

#[test]
fn a_leak_forecast_from_a_start_of_12_s() {
    let start: Vec<i64> = (0..12).map(|i| 100 + 60 * i).collect();
    assert_eq!(severity(&live_set(&start, SECOND), &heap::HeapLeakForecast), Severity::Ok);
    assert_eq!(
        severity(&live_set(&start, 30 * SECOND), &heap::HeapLeakForecast),
        Severity::Warning,
        "6 minutes suffice"
    );
}

#[test]
fn a_live_set_that_breathes_or_ends_lower_than_it_began() {
    // spark17-heavy.jfr of the corpus.
    let heavy = live_set(&[25, 54, 152, 465, 282, 621, 420, 415, 81], 18 * SECOND);
    assert_eq!(severity(&heavy, &heap::IncreasingLiveSet), Severity::Ok);
    assert_eq!(severity(&heavy, &heap::HeapLeakForecast), Severity::Ok);
    let growing: Vec<i64> = (0..20).map(|i| 100 + 60 * i).collect();
    assert_eq!(severity(&live_set(&growing, 18 * SECOND), &heap::IncreasingLiveSet), Severity::Info);
}

#[test]
fn metaspace_that_grows_in_the_first_minutes() {
    let growth = |apart: i64| {
        (0..40i64).fold(Scene::new(), |scene, i| {
            let used = [("when", "After GC".into()), ("metaspace.used", ((5 + i * apart) << 20).into())];
            scene.event("jdk.MetaspaceSummary", i * apart * SECOND, i * apart * SECOND, used)
        })
    };
    assert_eq!(severity(&growth(2), &gc::IncreasingMetaSpaceLiveSet), Severity::Ok, "80 s");
    assert_eq!(severity(&growth(20), &gc::IncreasingMetaSpaceLiveSet), Severity::Warning, "13 min");
}

#[test]
fn class_loading_in_the_first_minutes() {
    let loading = |length: i64| {
        (0..1_000i64).fold(Scene::new(), |scene, i| {
            let at = i * length / 1_000;
            let methods = if i % 5 == 0 {
                ["java.lang.ClassLoader.loadClass", "shop.Main.main"]
            } else {
                ["shop.A.b", "shop.Main.main"]
            };
            scene.event("jdk.ExecutionSample", at, at, [("stackTrace", stack(&methods))])
        })
    };
    let rules = overhead::all();
    let rule = rules.iter().find(|r| r.info().id == "ClassLoadingOverhead").map(|r| &**r);
    let of = |length| rule.map(|rule| severity(&loading(length), rule));
    assert_eq!(of(60 * SECOND), Some(Severity::Info));
    assert_eq!(of(600 * SECOND), Some(Severity::Warning));
}

fn full(cause: &str) -> Scene {
    let fields =
        [("gcId", 1.into()), ("name", "G1Full".into()), ("cause", cause.into()), ("sumOfPauses", (200 * MS).into())];
    Scene::new()
        .event("jdk.GCConfiguration", 0, 0, [("oldCollector", "G1Old".into())])
        .event("jdk.GarbageCollection", SECOND, SECOND + 200 * MS, fields)
        .event("jdk.CPULoad", 5 * SECOND, 5 * SECOND, [])
}

#[test]
fn full_collections_on_request() {
    for cause in ["Heap Inspection Initiated GC", "System.gc()", "Heap Dump Initiated GC", "Diagnostic Command"] {
        assert_eq!(severity(&full(cause), &gc::FullGc), Severity::Ok, "{cause}");
        assert_eq!(full(cause).as_jmc(&gc::FullGc), Severity::Warning, "{cause}");
    }
    assert_eq!(severity(&full("G1 Compaction Pause"), &gc::FullGc), Severity::Warning);
}

#[test]
fn a_marking_cycle_that_a_heap_inspection_cut_short() {
    let failed =
        |at: i64| full("Heap Inspection Initiated GC").event("jdk.ConcurrentModeFailure", at, at, [("gcId", 7.into())]);
    let near = failed(SECOND + 300 * MS);
    assert_eq!((severity(&near, &gc::GcStall), near.as_jmc(&gc::GcStall)), (Severity::Ok, Severity::Warning));
    assert_eq!(severity(&near, &gc::FailedEvacuation), Severity::Ok);
    let far = failed(4 * SECOND);
    assert_eq!(severity(&far, &gc::GcStall), Severity::Warning);
    assert_eq!(severity(&far, &gc::FailedEvacuation), Severity::Info);
}

#[test]
fn early_access_builds() {
    let scene = version("17.0.1-ea+1");
    assert_eq!(
        (severity(&scene, &jvm::FlightRecordingSupport), scene.as_jmc(&jvm::FlightRecordingSupport)),
        (Severity::Ok, Severity::Warning)
    );
}

#[test]
fn process_1_of_a_container() {
    assert_eq!(severity(&version("17.0.1+1"), &jvm::Pid1), Severity::Ok);
    assert_eq!(severity(&version("1.8.0_302"), &jvm::Pid1), Severity::Info);
    assert_eq!(version("17.0.1+1").as_jmc(&jvm::Pid1), Severity::Warning);
}

#[test]
fn a_lock_convoy_for_a_percent_of_the_time() {
    // 40 threads for one second of a hundred.
    let scene = (0..40i64).fold(Scene::new(), |scene, i| {
        let name = format!("t{i}");
        let fields = [("eventThread", thread(&name)), ("monitorClass", "shop.Stock".into()), ("address", 1.into())];
        scene.event("jdk.JavaMonitorEnter", 0, SECOND, fields)
    });
    let scene = scene.event("jdk.CPULoad", 100 * SECOND, 100 * SECOND, []);
    assert_ne!(severity(&scene, &locks::LockConvoy), Severity::Warning);
}

#[test]
fn exceptions_that_cost_nothing() {
    // 12,000 per minute, and none of 2,000 CPU samples creates one.
    let scene = (0..=60i64).fold(Scene::new(), |scene, i| {
        scene.event("jdk.ExceptionStatistics", i * SECOND, i * SECOND, [("throwables", (i * 200).into())])
    });
    assert_eq!(severity(&scene, &exceptions::ExceptionControlFlow), Severity::Info, "the cost is an estimate");
    let scene = (0..2_000i64).fold(scene, |scene, i| {
        let fields = [("stackTrace", stack(&["shop.A.b"])), ("sampledThread", thread("main"))];
        scene.event("jdk.ExecutionSample", i * 30 * MS, i * 30 * MS, fields)
    });
    assert_eq!(severity(&scene, &exceptions::ExceptionControlFlow), Severity::Ok);
}

#[test]
fn errors_that_java_lang_invoke_makes_and_handles() {
    let of = |method: &str| {
        (0..200i64).fold(Scene::new(), |scene, i| {
            let fields = [
                ("thrownClass", "java.lang.NoSuchMethodError".into()),
                ("stackTrace", stack(&["java.lang.Error.<init>", method])),
            ];
            scene.event("jdk.JavaErrorThrow", i * MS, i * MS, fields)
        })
    };
    assert_eq!(severity(&of("java.lang.invoke.MemberName$Factory.resolve"), &exceptions::Errors), Severity::Ok);
    assert_eq!(severity(&of("shop.Plugins.find"), &exceptions::Errors), Severity::Info);
}

#[test]
fn a_short_collection_with_less_cpu_time_than_time() {
    let of = |real: i64, times: i64| {
        let scene = Scene::new().event("jdk.GCConfiguration", 0, 0, [("oldCollector", "G1Old".into())]);
        (0..times).fold(scene, |scene, i| {
            let fields = [("userTime", (real / 2).into()), ("systemTime", 0.into()), ("realTime", real.into())];
            scene.event("jdk.GCCPUTime", i, i, fields)
        })
    };
    assert_eq!(severity(&of(20 * MS, 2), &gc::GcInvertedParallelism), Severity::Ok);
    assert_eq!(of(20 * MS, 2).as_jmc(&gc::GcInvertedParallelism), Severity::Warning);
    assert_eq!(severity(&of(200 * MS, 1), &gc::GcInvertedParallelism), Severity::Info);
    assert_eq!(severity(&of(200 * MS, 5), &gc::GcInvertedParallelism), Severity::Warning);
}

#[test]
fn a_thread_that_reads_standard_input_until_its_parent_ends() {
    let reads = |path: &str| {
        let fields =
            [("path", path.into()), ("stackTrace", stack(&["java.io.FileInputStream.readBytes", "shop.Main.main"]))];
        Scene::new().event("jdk.FileRead", 0, 74 * SECOND, fields)
    };
    assert_eq!(
        (severity(&reads(""), &io::FileRead), reads("").as_jmc(&io::FileRead)),
        (Severity::Ok, Severity::Warning)
    );
    assert_eq!(severity(&reads("/data/orders"), &io::FileRead), Severity::Info);
}

#[test]
fn a_server_that_waits_for_the_next_request() {
    let reads = |method: &str| {
        let fields =
            [("address", "10.0.0.1".into()), ("stackTrace", stack(&["java.net.SocketInputStream.read", method]))];
        Scene::new().event("jdk.SocketRead", 0, 30 * SECOND, fields)
    };
    for waiting in [
        "py4j.GatewayConnection.run",
        "py4j.ClientServerConnection.waitForCommands",
        "org.apache.tomcat.util.net.Poller.read",
    ] {
        assert_eq!(severity(&reads(waiting), &io::SocketRead), Severity::Ok, "{waiting}");
    }
    assert_eq!(severity(&reads("shop.Inventory.ask"), &io::SocketRead), Severity::Info);
}

#[test]
fn a_server_with_code_of_its_own_that_waits_for_requests() {
    let reads = |port: i64| {
        (0..40i64).fold(Scene::new(), |scene, i| {
            let fields = [
                ("address", "10.0.0.1".into()),
                ("port", (port + i % 4).into()),
                ("eventThread", thread("handler")),
                ("stackTrace", stack(&["java.net.SocketInputStream.read", "shop.Server.serve"])),
            ];
            scene.event("jdk.SocketRead", i * SECOND, (i + 3) * SECOND, fields)
        })
    };
    let clients = reads(40_001);
    assert_eq!(severity(&clients, &io::IoWait), Severity::Ok);
    assert_eq!(
        (severity(&clients, &io::SocketRead), clients.as_jmc(&io::SocketRead)),
        (Severity::Ok, Severity::Warning)
    );
    assert_eq!(severity(&reads(5_432), &io::IoWait), Severity::Warning, "a database");
}

#[test]
fn logging_that_blocks_the_threads_of_a_pool_was_missed() {
    let blocked = |methods: &[&str]| {
        (0..20i64).fold(Scene::new(), |scene, i| {
            let pool = ["java.util.concurrent.ThreadPoolExecutor.runWorker", "java.lang.Thread.run"];
            let methods: Vec<&str> = methods.iter().chain(&pool).copied().collect();
            let fields = [
                ("parkedClass", "java.util.concurrent.locks.ReentrantLock$NonfairSync".into()),
                ("eventThread", thread("worker")),
                ("stackTrace", stack(&methods)),
            ];
            scene.event("jdk.ThreadPark", i * SECOND, i * SECOND + 900 * MS, fields)
        })
    };
    let lock = "java.util.concurrent.locks.ReentrantLock.lock";
    let logs = blocked(&[lock, "ch.qos.logback.core.OutputStreamAppender.writeBytes", "shop.Orders.add"]);
    assert_eq!(severity(&logs, &locks::LoggingBlocks), Severity::Warning);
    let idle =
        blocked(&["java.util.concurrent.ArrayBlockingQueue.take", "ch.qos.logback.core.AsyncAppenderBase$Worker.run"]);
    assert_eq!(severity(&idle, &locks::LoggingBlocks), Severity::Ok);
}

#[test]
fn threads_that_take_turns_to_accept_connections() {
    let parks = |method: &str| {
        (0..4i64).fold(Scene::new(), |scene, i| {
            let fields = [
                ("parkedClass", "java.util.concurrent.locks.ReentrantLock$NonfairSync".into()),
                ("eventThread", thread(&format!("acceptor-{i}"))),
                ("stackTrace", stack(&["jdk.internal.misc.Unsafe.park", method, "shop.Server.run"])),
            ];
            scene.event("jdk.ThreadPark", 0, 60 * SECOND, fields)
        })
    };
    assert_eq!(severity(&parks("sun.nio.ch.NioSocketImpl.accept"), &locks::LockContention), Severity::Ok);
    assert_eq!(severity(&parks("shop.Orders.accept"), &locks::LockContention), Severity::Warning);
}

fn hot(samples: i64, share: i64) -> Verdict {
    let scene = (0..samples).fold(Scene::new(), |scene, i| {
        let other = format!("shop.M{i}.run");
        let method = if i * share / 100 != (i + 1) * share / 100 { "shop.Work.unit" } else { other.as_str() };
        let fields = [("stackTrace", stack(&[method])), ("sampledThread", thread("main"))];
        scene.event("jdk.ExecutionSample", i * 20 * MS, i * 20 * MS, fields)
    });
    scene.verdict(&overhead::HotSpots)
}

#[test]
fn one_method_with_nearly_all_of_700_samples_was_missed() {
    assert_eq!(hot(700, 97).severity, Severity::Info);
    assert_eq!(hot(100, 30).severity, Severity::Ok, "it is named, but not a finding");
    assert_eq!(hot(100, 30).summary, "shop.Work.unit itself takes 30 % of CPU time");
    assert_eq!(hot(10, 97).severity, Severity::NotApplicable);
}

#[test]
fn regular_expressions_with_a_third_of_500_samples_were_missed() {
    let scene = (0..500i64).fold(Scene::new(), |scene, i| {
        let methods = if i % 3 == 0 { ["java.util.regex.Matcher.find", "shop.A.b"] } else { ["shop.B.c", "shop.A.b"] };
        scene.event("jdk.ExecutionSample", i * 20 * MS, i * 20 * MS, [("stackTrace", stack(&methods))])
    });
    let rules = overhead::all();
    let regex = rules.iter().find(|r| r.info().id == "RegexOverhead");
    assert_eq!(regex.map(|rule| severity(&scene, &**rule)), Some(Severity::Warning));
}

#[test]
fn the_hottest_method_is_named_from_wall_clock_samples_of_running_threads() {
    let wall = (0..400i64).fold(Scene::new(), |scene, i| {
        let (state, method) =
            if i % 2 == 0 { ("STATE_RUNNABLE", "shop.Fib.fib") } else { ("STATE_SLEEPING", "shop.Pool.wait") };
        let fields = [("stackTrace", stack(&[method])), ("sampledThread", thread("main")), ("state", state.into())];
        scene.event("jdk.ExecutionSample", i * 20 * MS, i * 20 * MS, fields)
    });
    let wall = wall.event("jdk.ActiveRecording", 0, 0, [("name", "async-profiler 3.0".into())]).setting(
        "jdk.ActiveRecording",
        "event",
        "wall",
    );
    let verdict = wall.verdict(&overhead::HotSpots);
    assert_eq!(verdict.summary, "shop.Fib.fib itself takes 100 % of the wall-clock time of running threads");
}

#[test]
fn a_program_that_uses_the_cpus_is_told_apart_from_other_processes() {
    use jfr_analyzers::rule::Section;
    let load = |jvm: f64| {
        let scene = Scene::new().event("jdk.CPUInformation", 0, 0, [("hwThreads", 4.into())]);
        let scene = (1..=20i64).fold(scene, |scene, i| {
            let fields = [("jvmUser", jvm.into()), ("jvmSystem", 0.0.into()), ("machineTotal", 1.0.into())];
            scene.event("jdk.CPULoad", i * SECOND, i * SECOND, fields)
        });
        let verdict = scene.verdict(&cpu::CpuSaturation);
        (verdict.severity, verdict.section)
    };
    assert_eq!(load(0.9), (Severity::Warning, Some(Section::Program)));
    assert_eq!(load(0.2), (Severity::Warning, Some(Section::Environment)));
}

#[test]
fn the_healthy_program_has_no_finding() {
    use jfr_analyzers::rule::AnalysisOptions;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/scenarios/healthy.jfr.gz");
    let recording = jfr_parse::Recording::open(path);
    let report = recording.ok().and_then(|r| crate::analysis().evaluate(&r, &AnalysisOptions::default()).ok());
    assert_eq!(report.map(|r| r.findings), Some(Vec::new()));
    fixture::expect("StringOverhead", "scenarios/healthy", Severity::Ok);
}
