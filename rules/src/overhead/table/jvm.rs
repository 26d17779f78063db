//! The JVM's own work, most of which only native stacks show.

use super::{LINE, Line, cpu};
use jfr_analyzers::rule::Category;

pub(super) const LINES: &[Line] = &[
    Line {
        id: "LockInternalsOverhead",
        title: "Lock internals",
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
        explanation: "CPU time (not waiting time) goes into putting threads to sleep and waking them up: locks are \
                      contended, or tasks are so small that handing them over costs more than running them.",
        remedy: "Hand over tasks in batches, hold locks for less time or split them, use fewer threads, and use atomic \
                 or concurrent classes instead of locks.",
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
        explanation: "The JVM discards compiled code and continues in the interpreter because an assumption of the \
                      compiler no longer holds.",
        remedy: "See the rule DeoptimizationStorm for methods and reasons. The usual causes are classes loaded late, \
                 types that alternate at one call site, and exceptions on hot paths.",
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
        explanation: "CPU time goes into stopping threads and resuming them.",
        remedy: "See the rules SlowSafepoint and VmOperationShare for how often and why threads are stopped. The usual \
                 causes are thread dumps, monitoring, biased locking and deoptimization.",
        ..LINE
    },
    Line {
        id: "VmOperationOverhead",
        title: "VM operations",
        category: Category::Jvm,
        methods: &["VM_*", "VM_Operation::*", "VMThread::evaluate_operation", "VMThread::inner_execute"],
        native: true,
        limits: &[cpu(3.0, 5.0)],
        explanation: "The VM thread does work that mostly requires all other threads to stop: collections, thread \
                      dumps, heap inspections, class redefinition.",
        remedy: "Find out which operations these are: see the rule VmOperationShare, and the methods called here.",
        ..LINE
    },
];
