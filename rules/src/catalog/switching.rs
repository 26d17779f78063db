//! How the events that a rule needs are switched on.

use std::fmt::Write;

/// Events that the settings `profile` of some JDK leave out, so that they are there only for who asks. From the
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

/// Settings of events that decide how much they tell, beside `enabled`.
const FURTHER: &[(&str, &str, &str)] = &[
    ("jdk.OldObjectSample", "cutoff=10s", "finds what holds the objects, too; it stops the program for that long"),
    ("jdk.FileRead", "threshold=1ms", SHORTER),
    ("jdk.FileWrite", "threshold=1ms", SHORTER),
    ("jdk.FileForce", "threshold=1ms", SHORTER),
    ("jdk.SocketRead", "threshold=1ms", SHORTER),
    ("jdk.SocketWrite", "threshold=1ms", SHORTER),
    ("jdk.JavaMonitorEnter", "threshold=1ms", SHORTER),
    ("jdk.JavaMonitorWait", "threshold=1ms", SHORTER),
    ("jdk.ThreadPark", "threshold=1ms", SHORTER),
    ("jdk.ThreadDump", "period=10s", "time between dumps; a minute in `profile`, one for each chunk in `default`"),
    ("jdk.ObjectCount", "period=everyChunk", "counts the objects in the heap; each count is a full collection"),
    ("jdk.NativeMemoryUsage", "period=1s", "is there only with -XX:NativeMemoryTracking=summary"),
];
const SHORTER: &str = "shorter ones are not recorded; 10 ms in `profile`, 20 ms in `default`";

/// What tells async-profiler and Datadog's profiler to write an event.
const PROFILERS: &[(&str, &str)] = &[
    ("profiler.LiveObject", "asprof -e alloc --live -o jfr"),
    ("profiler.Malloc", "asprof -e nativemem -o jfr"),
    ("profiler.NativeLock", "asprof --nativelock 1ms -o jfr"),
    ("profiler.WallClockSample", "asprof -e wall -o jfr"),
    ("datadog.HeapLiveObject", "-Ddd.profiling.ddprof.liveheap.enabled=true"),
    ("datadog.QueueTime", "-Ddd.profiling.queueing.time.enabled=true"),
];

/// Whether an event of the JDK is recorded only if it is asked for.
pub(super) fn is_off(event: &str) -> bool {
    OFF.contains(&event)
}

/// How the events of the JDK among these are recorded.
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
            "With an older one, switch them on in a copy of lib/jfr/profile.jfc, and give that as settings."
        )?;
    }
    let further: Vec<_> = FURTHER.iter().filter(|(event, ..)| events.contains(event)).collect();
    if !further.is_empty() {
        writeln!(out, "Worth setting in the same way:")?;
        let width = further.iter().map(|(event, setting, _)| event.len() + setting.len() + 1).max().unwrap_or(0);
        for (event, setting, why) in further {
            writeln!(out, "  {:<width$}  {why}", format!("{event}#{setting}"))?;
        }
    }
    Ok(())
}

/// Who writes those of the others.
pub(super) fn others(out: &mut String, events: &[&str]) -> std::fmt::Result {
    for (prefix, writer) in [("datadog.", "Datadog's profiler, in its own recordings"), ("profiler.", "async-profiler")]
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
