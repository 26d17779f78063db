//! Rule 5: labels.

use jfr_analyzers::LabelKey;
use jfrkit_profile::ProfileType::Alloc;
use jfrkit_profile::ProfileType::Cpu;
use jfrkit_profile::ProfileType::FileIo;
use jfrkit_profile::ProfileType::Sleep;
use jfrkit_profile::ProfileType::SocketIo;
use jfrkit_profile::ProfileType::Wall;

use crate::read::{by_labels, labeled, profiles, profiles_with, rows};
use crate::writer::{Chunk, N, T};

#[test]
fn without_labels_equal_stacks_are_one_sample() {
    let mut chunk = Chunk::new(&["jdk.FileRead"]);
    for (thread, path) in [("a", "/x"), ("b", "/y")] {
        let thread = chunk.thread(thread);
        chunk.event("jdk.FileRead", &[("eventThread", thread), ("path", T(path)), ("bytesRead", N(8))]);
    }
    assert_eq!(by_labels(&profiles(&[&chunk]), FileIo), rows(&[("", [2, 16, 0])]));
    let set = profiles_with(&[&chunk], &labeled(&[LabelKey::Path]));
    assert_eq!(by_labels(&set, FileIo), rows(&[("path=/x", [1, 8, 0]), ("path=/y", [1, 8, 0])]));
    let set = profiles_with(&[&chunk], &labeled(&[LabelKey::Thread, LabelKey::Path]));
    let expected = [("thread=a, path=/x", [1, 8, 0]), ("thread=b, path=/y", [1, 8, 0])];
    assert_eq!(by_labels(&set, FileIo), rows(&expected));
}

#[test]
fn a_thread_has_its_java_name_or_its_os_name() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep"]);
    for thread in ["main", "os=GC Thread#0"] {
        let thread = chunk.thread(thread);
        chunk.event("jdk.ThreadSleep", &[("eventThread", thread)]);
    }
    chunk.event("jdk.ThreadSleep", &[]);
    let set = profiles_with(&[&chunk], &labeled(&[LabelKey::Thread, LabelKey::ThreadId]));
    let expected = [("thread=main, thread id=7", [1, 0]), ("thread=GC Thread#0, thread id=1008", [1, 0]), ("", [1, 0])];
    assert_eq!(by_labels(&set, Sleep), rows(&expected));
}

#[test]
fn peers_classes_and_states() {
    let mut chunk = Chunk::new(&["jdk.SocketRead", "jdk.ObjectAllocationSample", "profiler.WallClockSample"]);
    chunk.event("jdk.SocketRead", &[("host", T("db.example")), ("port", N(5432)), ("bytesRead", N(3))]);
    for class in ["[Ljava/lang/String;", "[[I", "a/B$$Lambda$7/0x0000000800c8d000"] {
        let class = chunk.class(class);
        chunk.event("jdk.ObjectAllocationSample", &[("objectClass", class), ("weight", N(1))]);
    }
    let state = chunk.state("STATE_SLEEPING");
    chunk.event("profiler.WallClockSample", &[("state", state), ("samples", N(2))]);
    let set = profiles_with(&[&chunk], &labeled(&[LabelKey::Host, LabelKey::Port, LabelKey::Class, LabelKey::State]));
    assert_eq!(by_labels(&set, SocketIo), rows(&[("host=db.example, port=5432", [1, 3, 0])]));
    let classes = [("class=java.lang.String[]", [1, 1]), ("class=int[][]", [1, 1]), ("class=a.B$$Lambda", [1, 1])];
    assert_eq!(by_labels(&set, Alloc), rows(&classes));
    assert_eq!(by_labels(&set, Wall), rows(&[("state=STATE_SLEEPING", [2, 100_000_000])]));
}

#[test]
fn spans_and_an_endpoint_that_is_recorded_later() {
    let mut chunk = Chunk::new(&["datadog.ExecutionSample", "datadog.Endpoint"]);
    chunk.setting("datadog.ExecutionSample", "interval", "10 ms");
    for (span, root) in [(5, 1), (6, 1), (7, 2), (0, 0)] {
        let spans = [("spanId", N(span)), ("localRootSpanId", N(root)), ("weight", N(1))];
        chunk.event("datadog.ExecutionSample", &spans);
    }
    chunk.event("datadog.Endpoint", &[("endpoint", T("GET /cart")), ("localRootSpanId", N(1))]);
    let set = profiles_with(&[&chunk], &labeled(&[LabelKey::SpanId, LabelKey::LocalRootSpanId]));
    let expected = [
        ("span id=5, local root span id=1", [1, 10_000_000]),
        ("span id=6, local root span id=1", [1, 10_000_000]),
        ("span id=7, local root span id=2", [1, 10_000_000]),
        ("", [1, 10_000_000]),
    ];
    assert_eq!(by_labels(&set, Cpu), rows(&expected));
    // Nothing describes request 2.
    let set = profiles_with(&[&chunk], &labeled(&[LabelKey::TraceEndpoint]));
    let expected = [("trace endpoint=GET /cart", [2, 20_000_000]), ("", [2, 20_000_000])];
    assert_eq!(by_labels(&set, Cpu), rows(&expected));
}
