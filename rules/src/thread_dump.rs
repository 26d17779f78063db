//! Parses the text of a thread dump as HotSpot writes it.

use jfr_analyzers::events::is_jdk;

/// The event with the text of a thread dump, in `result`.
pub(crate) const DUMP: &str = "jdk.ThreadDump";
/// How many thread dumps to read; each may take half a megabyte.
pub(crate) const MAX_DUMPS: usize = 200;

/// A thread of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Thread<'t> {
    pub(crate) name: &'t str,
    /// The JVM's `tid`, which stays the same in all dumps while the thread lives.
    pub(crate) id: &'t str,
    /// `RUNNABLE`, `BLOCKED`, `WAITING`, `TIMED_WAITING`; empty for threads of the JVM.
    pub(crate) state: &'t str,
    /// `package.Class.method(File.java:12)`, leaf first.
    pub(crate) frames: Vec<&'t str>,
    /// The lock that the thread waits for: address and class.
    pub(crate) waits_for: Option<(&'t str, &'t str)>,
    /// The addresses of the locks that it holds.
    pub(crate) holds: Vec<&'t str>,
}

/// Threads that wait for each other in a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cycle<'t> {
    /// Thread name, lock address and lock class; each thread waits for the next.
    pub(crate) threads: Vec<(&'t str, &'t str, &'t str)>,
}

impl<'t> Thread<'t> {
    fn header(line: &'t str) -> Option<Self> {
        let (name, rest) = line.strip_prefix('"')?.rsplit_once('"')?;
        let id = rest.split_ascii_whitespace().find_map(|w| w.strip_prefix("tid=")).unwrap_or(name);
        Some(Self { name, id, ..Self::default() })
    }

    /// The method of a frame, without file and line: `package.Class.method`.
    pub(crate) fn method(frame: &str) -> &str {
        frame.split_once('(').map_or(frame, |(method, _)| method)
    }

    /// The first frame of the program's own code, or else the first frame.
    pub(crate) fn site(&self) -> Option<&'t str> {
        let own = self.frames.iter().find(|f| !is_jdk(Self::method(f)));
        own.or_else(|| self.frames.first()).copied()
    }

    /// Whether the thread belongs to the program. JVM threads have no frames, and some JDK threads always wait.
    pub(crate) fn is_program(&self) -> bool {
        const JDK: [&str; 6] = [
            "Reference Handler",
            "Finalizer",
            "Common-Cleaner",
            "Signal Dispatcher",
            "JFR Periodic Tasks",
            "Attach Listener",
        ];
        !self.frames.is_empty() && !JDK.contains(&self.name) && !self.name.starts_with("JFR ")
    }

    /// Whether the thread carries a virtual thread. Its own stack is then the same all the time, whatever that runs.
    pub(crate) fn carries(&self) -> bool {
        self.frames.first().is_some_and(|f| Self::method(f) == "jdk.internal.vm.Continuation.run")
    }

    /// Whether the thread is at a place where threads wait for work: a selector, an accept call or a pool's queue. The
    /// JVM reports such a thread as RUNNABLE if it waits in native code.
    pub(crate) fn waits_by_design(&self) -> bool {
        const LEAVES: [&str; 24] = [
            "epollWait",
            "EPoll.wait",
            "KQueue.poll",
            "poll0",
            "accept",
            "accept0",
            "socketAccept",
            "waitForReferencePendingList",
            "waitForProcessExit0",
            "waitForProcessExit",
            "ProcessImpl.waitForProcess",
            "WindowsSelectorImpl$SubSelector.poll0",
            "Iocp.getQueuedCompletionStatus",
            "GetQueuedCompletionStatus",
            "GetQueuedCompletionStatus0",
            "WEPoll.wait",
            // Libraries with selectors of their own.
            "epollWait0",
            "keventWait",
            "ioUringEnter",
            "jni.Poll.poll",
            // Changes of files, and the events of a desktop.
            "LinuxWatchService.poll",
            "XToolkit.waitForEvents",
            "WToolkit.eventLoop",
            "_runLoop",
        ];
        const ANYWHERE: [&str; 8] = [
            "ThreadPoolExecutor.getTask",
            "ForkJoinPool.awaitWork",
            "ForkJoinPool.scan",
            "ServerSocket.accept",
            "ServerSocketChannelImpl.accept",
            "SelectorImpl.select",
            "SelectorImpl.lockAndDoSelect",
            "TimerThread.mainLoop",
        ];
        let leaf = self.frames.first().map_or("", |f| Self::method(f));
        let ends = |names: &[&str], method: &str| {
            names.iter().any(|n| method.strip_suffix(n).is_some_and(|m| m.is_empty() || m.ends_with('.')))
        };
        // A thread that reads from a connection waits for its peer; other rules judge whether that takes too long.
        const READS: [&str; 10] = [
            "socketRead0",
            "SocketDispatcher.read0",
            "Net.poll",
            "FileInputStream.readBytes",
            "FileInputStream.read0",
            "FileDispatcherImpl.read0",
            "UnixFileDispatcherImpl.read0",
            "DatagramChannelImpl.receive0",
            "PlainDatagramSocketImpl.receive0",
            "UnixAsynchronousSocketChannelImpl.read",
        ];
        ends(&LEAVES, leaf) || ends(&READS, leaf) || self.frames.iter().any(|f| ends(&ANYWHERE, Self::method(f)))
    }
}

/// Why the dumps cannot be judged, if they are not in HotSpot's format: no thread in them has a state.
pub(crate) fn unreadable<'t>(mut texts: impl Iterator<Item = &'t str>) -> Option<&'static str> {
    let readable = texts.any(|text| text.contains("java.lang.Thread.State: ") || text.contains("Found one Java-level"));
    (!readable).then_some("the thread dumps are not in HotSpot's format; they show neither thread states nor stacks")
}

/// The threads of a dump, up to the deadlock report.
pub(crate) fn threads(text: &str) -> Vec<Thread<'_>> {
    let mut threads: Vec<Thread<'_>> = Vec::new();
    let mut owned = false;
    // Object.wait() releases the monitor, but the dump still lists it as locked further down the stack.
    let mut given_back = "";
    for line in text.lines() {
        if line.starts_with('"') {
            (owned, given_back) = (false, "");
            threads.extend(Thread::header(line));
            continue;
        }
        if line.starts_with("Found ") {
            break;
        }
        let Some(thread) = threads.last_mut() else { continue };
        let line = line.trim_start();
        if let Some(state) = line.strip_prefix("java.lang.Thread.State: ") {
            thread.state = state.split_ascii_whitespace().next().unwrap_or("");
        } else if let Some(frame) = line.strip_prefix("at ") {
            thread.frames.push(frame.trim_end());
        } else if let Some(lock) = line.strip_prefix("- ") {
            let kind = lock.split_once('<').map_or("", |(kind, _)| kind.trim());
            match (address(lock), kind) {
                (Some((at, class)), "waiting to lock" | "parking to wait for") if thread.waits_for.is_none() => {
                    thread.waits_for = Some((at, class));
                }
                (Some((at, _)), "waiting on" | "waiting to re-lock in wait()") => given_back = at,
                (Some((at, _)), "locked") if at != given_back => thread.holds.push(at),
                (Some((at, _)), "") if owned => thread.holds.push(at),
                _ => {}
            }
        } else if line.starts_with("Locked ownable synchronizers") {
            owned = true;
        }
    }
    threads
}

/// The address and the class in `<0x00000000fc08bfe8> (a fx.Scenarios$Account)`.
fn address(lock: &str) -> Option<(&str, &str)> {
    let (at, rest) = lock.split_once('<')?.1.split_once('>')?;
    let class = rest.split_once("(a ").and_then(|(_, class)| class.split_once(')')).map_or("", |(class, _)| class);
    Some((at, class))
}

/// The deadlocks that the JVM itself reports.
pub(crate) fn reported_deadlocks(text: &str) -> Vec<Cycle<'_>> {
    let mut cycles: Vec<Cycle<'_>> = Vec::new();
    let mut inside = false;
    let mut name = "";
    for line in text.lines() {
        if line.starts_with("Found one Java-level deadlock") {
            cycles.push(Cycle { threads: Vec::new() });
            inside = true;
        } else if line.starts_with("Java stack information") || line.starts_with("Found ") {
            inside = false;
        } else if inside && let Some(of) = line.strip_prefix('"') {
            name = of.rsplit_once('"').map_or(of, |(name, _)| name);
        } else if inside && line.trim_start().starts_with("waiting ") {
            // `waiting to lock monitor 0x… (object 0x…, a C),` or `waiting for ownable synchronizer 0x…, (a C),`
            let class = line.rsplit_once("a ").map_or("", |(_, class)| class.trim_end_matches([',', ')']));
            let at = line.split([' ', ',', '(']).rfind(|w| w.starts_with("0x")).unwrap_or("");
            if let Some(cycle) = cycles.last_mut() {
                cycle.threads.push((name, at, class));
            }
        }
    }
    cycles.retain(|c| !c.threads.is_empty());
    cycles
}

/// Deadlocks derived from which thread waits for which lock and which thread holds it.
pub(crate) fn derived_deadlocks<'t>(threads: &[Thread<'t>]) -> Vec<Cycle<'t>> {
    let mut owners: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for (i, thread) in threads.iter().enumerate() {
        for lock in &thread.holds {
            owners.insert(lock, i);
        }
    }
    let next = |i: usize| {
        let (lock, _) = threads.get(i)?.waits_for?;
        owners.get(lock).copied().filter(|owner| *owner != i)
    };
    let mut cycles: Vec<Cycle<'t>> = Vec::new();
    // The start of the walk that first reached each thread. A walk that reaches its own trail has found a cycle.
    let mut walked: Vec<Option<usize>> = vec![None; threads.len()];
    for start in 0..threads.len() {
        let mut at = Some(start);
        while let Some(i) = at {
            match walked.get_mut(i) {
                Some(walk @ None) => *walk = Some(start),
                Some(Some(walk)) if *walk == start => {
                    let round = std::iter::successors(Some(i), |place| next(*place).filter(|next| *next != i));
                    let members = round.filter_map(|place| threads.get(place));
                    let of = |t: &Thread<'t>| t.waits_for.map(|(at, class)| (t.name, at, class));
                    cycles.push(Cycle { threads: members.filter_map(of).collect() });
                    break;
                }
                _ => break,
            }
            at = next(i);
        }
    }
    cycles
}

#[cfg(test)]
mod form {
    use super::unreadable;

    #[test]
    fn dumps_of_another_form_are_not_read() {
        // In OpenJ9's format.
        let other = "0x1aa00 javaTID: 2 osTID: 2881523\n0x1e700 javaTID: 3 osTID: 2881524\nNumber of threads: 2";
        assert!(unreadable([other, other].into_iter()).is_some());
        assert_eq!(unreadable([other, super::example::LOCKED].into_iter()), None);
    }
}

#[cfg(test)]
pub(crate) mod example {
    //! A thread dump for tests.

    /// Two threads that each hold the lock the other waits for, and one waiting on a queue.
    pub(crate) const LOCKED: &str = "\
2026-11-23 11:39:52
Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode, sharing):

\"left\" #15 daemon prio=5 os_prio=0 cpu=0.30ms elapsed=0.93s tid=0x0001 nid=0x3619 waiting for monitor entry  [0x1]
   java.lang.Thread.State: BLOCKED (on object monitor)
\tat shop.Bank.transfer(Bank.java:193)
\t- waiting to lock <0x00b> (a shop.Account)
\t- locked <0x00a> (a shop.Account)

\"right \"2\"\" #16 daemon prio=5 os_prio=0 cpu=0.19ms elapsed=0.93s tid=0x0002 nid=0x361a waiting on condition  [0x2]
   java.lang.Thread.State: WAITING (parking)
\tat jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)
\t- parking to wait for  <0x00a> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
\tat shop.Bank.reserve(Bank.java:202)

   Locked ownable synchronizers:
\t- <0x00b> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)

\"pool-1-thread-1\" #19 prio=5 os_prio=0 cpu=1.23ms elapsed=10.68s tid=0x0003 nid=0x7610 in Object.wait()  [0x3]
   java.lang.Thread.State: WAITING (on object monitor)
\tat java.lang.Object.wait(java.base@17.0.15/Native Method)
\t- waiting on <0x00c> (a shop.Queue)
\tat shop.Queue.take(Queue.java:11)
\t- locked <0x00c> (a shop.Queue)

\"VM Thread\" os_prio=0 cpu=1.10ms elapsed=1.26s tid=0x0004 nid=0x3615 runnable
";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_dump_is_read() {
        let threads = threads(example::LOCKED);
        let names: Vec<&str> = threads.iter().map(|t| t.name).collect();
        assert_eq!(names, ["left", "right \"2\"", "pool-1-thread-1", "VM Thread"]);
        assert_eq!(threads[0].state, "BLOCKED");
        assert_eq!(threads[0].waits_for, Some(("0x00b", "shop.Account")));
        assert_eq!(threads[0].holds, ["0x00a"]);
        assert_eq!(threads[1].holds, ["0x00b"]);
        assert_eq!(Thread::method(threads[0].frames[0]), "shop.Bank.transfer");
        assert!(threads[0].is_program() && !threads[3].is_program());
        assert!(threads[2].holds.is_empty(), "a monitor that is waited on is not held");
    }

    #[test]
    fn a_circle_is_found_without_the_jvms_help() {
        let threads = threads(example::LOCKED);
        let cycles = derived_deadlocks(&threads);
        assert_eq!(cycles.len(), 1);
        let mut names: Vec<&str> = cycles[0].threads.iter().map(|t| t.0).collect();
        names.sort_unstable();
        assert_eq!(names, ["left", "right \"2\""]);
        assert!(derived_deadlocks(&threads[..1]).is_empty());
    }

    #[test]
    fn what_the_jvm_tells_is_read() {
        let text = "\
Found one Java-level deadlock:
=============================
\"a\":
  waiting to lock monitor 0x000056360f164800 (object 0x00000000fc08bfe8, a fx.Account),
  which is held by \"b\"

\"b\":
  waiting for ownable synchronizer 0x00000000fc08c010, (a fx.Sync),
  which is held by \"a\"

Java stack information for the threads listed above:
===================================================
\"a\":
\tat fx.Scenarios.transfer(Scenarios.java:193)

Found 1 deadlock.
";
        let cycles = reported_deadlocks(text);
        assert_eq!(cycles.len(), 1);
        assert_eq!(
            cycles[0].threads,
            [("a", "0x00000000fc08bfe8", "fx.Account"), ("b", "0x00000000fc08c010", "fx.Sync")]
        );
    }
}
