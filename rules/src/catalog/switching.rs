//! How to enable the events that a rule needs.

use std::fmt::Write;

/// Events that the `profile` settings of some JDK leave out, so recordings have them only on request. From the
/// `profile.jfc` of JDK 17 and 25.
const OFF: &[&str] = &[
    "jdk.AllocationRequiringGC",
    "jdk.CPUTimeSample",
    "jdk.ClassDefine",
    "jdk.ClassLoad",
    "jdk.ClassUnload",
    "jdk.CompilerInlining",
    "jdk.ContinuationFreeze",
    "jdk.ContinuationThaw",
    "jdk.Deserialization",
    "jdk.G1HeapRegionInformation",
    "jdk.G1HeapRegionTypeChange",
    "jdk.GCPhasePauseLevel3",
    "jdk.GCPhasePauseLevel4",
    "jdk.JavaExceptionThrow",
    "jdk.JavaMonitorInflate",
    "jdk.JavaMonitorNotify",
    "jdk.ObjectAllocationInNewTLAB",
    "jdk.ObjectAllocationOutsideTLAB",
    "jdk.ObjectCount",
    "jdk.ObjectCountAfterGC",
    "jdk.SafepointCleanup",
    "jdk.SafepointCleanupTask",
    "jdk.SafepointEnd",
    "jdk.SafepointLatency",
    "jdk.SafepointStateSynchronization",
    "jdk.SecurityPropertyModification",
    "jdk.SecurityProviderService",
    "jdk.ShenandoahEvacuationInformation",
    "jdk.ShenandoahHeapRegionInformation",
    "jdk.ShenandoahHeapRegionStateChange",
    "jdk.TLSHandshake",
    "jdk.VirtualThreadEnd",
    "jdk.VirtualThreadStart",
    "jdk.X509Certificate",
    "jdk.X509Validation",
    "jdk.ZStatisticsCounter",
    "jdk.ZStatisticsSampler",
    "jdk.ZThreadPhase",
];

/// Event settings besides `enabled` that decide how much an event records.
const FURTHER: &[(&str, &str, &str)] = &[
    ("jdk.OldObjectSample", "cutoff=10s", "also finds what holds the objects; pauses the program for up to that long"),
    ("jdk.FileRead", "threshold=1ms", SHORTER),
    ("jdk.FileWrite", "threshold=1ms", SHORTER),
    ("jdk.FileForce", "threshold=1ms", SHORTER),
    ("jdk.SocketRead", "threshold=1ms", SHORTER),
    ("jdk.SocketWrite", "threshold=1ms", SHORTER),
    ("jdk.JavaMonitorEnter", "threshold=1ms", SHORTER),
    ("jdk.JavaMonitorWait", "threshold=1ms", SHORTER),
    ("jdk.ThreadPark", "threshold=1ms", SHORTER),
    ("jdk.ThreadDump", "period=10s", "time between dumps; one per minute in `profile`, one per chunk in `default`"),
    ("jdk.ObjectCount", "period=everyChunk", "counts the objects in the heap; each count runs a full collection"),
    ("jdk.NativeMemoryUsage", "period=1s", "recorded only with -XX:NativeMemoryTracking=summary"),
];
const SHORTER: &str = "shorter events are not recorded; 10 ms in `profile`, 20 ms in `default`";

/// The option that makes async-profiler or the Datadog profiler write an event.
const PROFILERS: &[(&str, &str)] = &[
    ("profiler.LiveObject", "asprof -e alloc --live -o jfr"),
    ("profiler.Malloc", "asprof -e nativemem -o jfr"),
    ("profiler.NativeLock", "asprof --nativelock 1ms -o jfr"),
    ("profiler.WallClockSample", "asprof -e wall -o jfr"),
    ("datadog.HeapLiveObject", "-Ddd.profiling.ddprof.liveheap.enabled=true"),
    ("datadog.QueueTime", "-Ddd.profiling.queueing.time.enabled=true"),
];

/// Whether a JDK event is recorded only on request.
pub(super) fn is_off(event: &str) -> bool {
    OFF.contains(&event)
}

/// Writes how to record the JDK events among these.
pub(super) fn jdk(out: &mut String, events: &[&str]) -> std::fmt::Result {
    if !events.iter().any(|event| event.starts_with("jdk.")) {
        return Ok(());
    }
    let on: Vec<String> =
        events.iter().filter(|event| is_off(event)).map(|event| format!("{event}#enabled=true")).collect();
    let (mut java, mut jcmd) = (String::new(), String::new());
    for setting in &on {
        write!(java, "{setting},")?;
        write!(jcmd, " {setting}")?;
    }
    writeln!(out, "\nTo record them, with JDK 17 or later:")?;
    writeln!(out, "  java '-XX:StartFlightRecording:settings=profile,{java}filename=recording.jfr' …")?;
    writeln!(out, "  jcmd PID JFR.start settings=profile{jcmd} filename=recording.jfr")?;
    if !on.is_empty() {
        writeln!(
            out,
            "With an older JDK, enable them in a copy of lib/jfr/profile.jfc, and pass that file as settings."
        )?;
    }
    let further: Vec<_> = FURTHER.iter().filter(|(event, ..)| events.contains(event)).collect();
    if !further.is_empty() {
        writeln!(out, "Also useful:")?;
        let width = further.iter().map(|(event, setting, _)| event.len() + setting.len() + 1).max().unwrap_or(0);
        for (event, setting, why) in further {
            writeln!(out, "  {:<width$}  {why}", format!("{event}#{setting}"))?;
        }
    }
    Ok(())
}

/// Writes which profiler records the other events.
pub(super) fn others(out: &mut String, events: &[&str]) -> std::fmt::Result {
    for (prefix, writer) in
        [("datadog.", "the Datadog profiler, in its own recordings"), ("profiler.", "async-profiler")]
    {
        let of: Vec<&str> = events.iter().filter(|event| event.starts_with(prefix)).copied().collect();
        if of.is_empty() {
            continue;
        }
        writeln!(out, "\n{prefix}* events are written by {writer}.")?;
        for (event, how) in PROFILERS.iter().filter(|(event, _)| of.contains(event)) {
            writeln!(out, "  {event}: {how}")?;
        }
    }
    Ok(())
}
