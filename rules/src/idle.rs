//! Threads with nothing to do: workers that wait for work, servers that wait for the next request.
//!
//! Idle is not slow. Rules that sum up waiting check here first.

use jfr_analyzers::events::{Facts, is_jdk};
use jfrkit_profile::StackId;

use crate::matching::MethodMatcher;
use crate::names::{class_of, method_of};

/// Recognizes threads that wait for something to do, by their stack.
pub(crate) struct Idle<'f> {
    facts: &'f Facts,
    waits: MethodMatcher<'f, fn(&str) -> bool>,
}

impl<'f> Idle<'f> {
    pub(crate) fn new(facts: &'f Facts) -> Self {
        Self { facts, waits: MethodMatcher::new(facts, is_idle) }
    }

    /// Whether the thread of a stack waits for something to do. What it called up to its first frame outside the JDK
    /// decides: below the code of a task is the loop of the pool that runs it.
    pub(crate) fn passes(&self, stack: StackId) -> bool {
        for frame in self.facts.frames(stack).iter() {
            if self.waits.is(*frame) {
                return true;
            }
            if !self.facts.is_jdk_frame(*frame) {
                return false;
            }
        }
        false
    }
}

/// Whether a method by design waits for something to do.
fn is_idle(method: &str) -> bool {
    let (class, name) = (class_of(method), method_of(method));
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    match name {
        // Queues of any library, and the thread pools of the JDK.
        "take" | "poll" | "takeFirst" | "pollFirst" | "takeLast" | "pollLast" => true,
        "getTask" | "processWorkerExit" | "awaitWork" | "runWorker" | "mainLoop" | "waitFor" | "applyWaitMethod" => {
            true
        }
        // The next connection, the next event of a selector, the next element of a reference queue.
        "accept" | "accept0" | "implAccept" | "socketAccept" | "lockAndDoSelect" if awaits_connection(method) => true,
        "select" | "epollWait" | "kevent" => {
            class.starts_with("sun.nio.ch.") || simple.ends_with("Selector") || simple.ends_with("EventLoop")
        }
        "remove" => class == "java.lang.ref.ReferenceQueue",
        _ => {
            class.starts_with("java.util.concurrent.DelayQueue")
                || class.starts_with("java.util.concurrent.ScheduledThreadPoolExecutor$DelayedWorkQueue")
                || class.starts_with("java.lang.ref.ReferenceQueue")
        }
    }
}

/// Whether a method waits for the next connection or the next event of a selector. Threads that do so together wait for
/// each other's lock.
pub(crate) fn awaits_connection(method: &str) -> bool {
    let class = class_of(method);
    match method_of(method) {
        "accept" | "accept0" | "implAccept" | "socketAccept" => {
            class.starts_with("java.net.") || class.starts_with("sun.nio.")
        }
        "lockAndDoSelect" => class.starts_with("sun.nio.ch."),
        _ => false,
    }
}

/// Code of servers and of connections that are kept open: a read below it waits for the next request or message.
pub(crate) const NEXT_REQUEST: &str = r"^org\.apache\.(?:coyote|tomcat)\.|^org\.eclipse\.jetty\.(?:io|server)|^io\.undertow\.|^sun\.net\.httpserver\.|^sun\.rmi\.transport\.tcp\.TCPTransport|^javax\.management\.remote\.rmi\.RMIConnector\$RMINotifClient|^com\.sun\.jndi\.ldap\.Connection\.run|^org\.glassfish\.grizzly\.|^weblogic\.socket\.|^com\.ibm\.io\.|^jdk\.internal\.net\.http\.|^org\.apache\.zookeeper\.ClientCnxn|^com\.rabbitmq\.client\.impl\.|^org\.apache\.activemq\.transport\.tcp\.|^com\.mongodb\.internal\.connection\.DefaultServerMonitor|^org\.eclipse\.jdt\.|^py4j\.|^sun\.tools\.attach\.|^java\.lang\.ProcessImpl|^java\.lang\.Process|\.(?:waitFor|awaitNext|awaitRequest|nextRequest|readRequest|readCommand|receiveRequest)[^.]*$";

/// Whether the thread of a stack reads standard input.
pub(crate) fn reads_stdin(facts: &Facts, stack: StackId) -> bool {
    facts.methods(stack).take_while(|m| is_jdk(m)).any(|m| m.starts_with("java.io.Console."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_and_servers_without_work_are_idle() {
        for method in [
            "java.util.concurrent.LinkedBlockingQueue.take",
            "java.util.concurrent.ThreadPoolExecutor.getTask",
            "java.util.concurrent.ForkJoinPool.awaitWork",
            "java.util.concurrent.ScheduledThreadPoolExecutor$DelayedWorkQueue.take",
            "java.util.TimerThread.mainLoop",
            "java.net.ServerSocket.accept",
            "sun.nio.ch.ServerSocketChannelImpl.accept",
            "sun.nio.ch.SelectorImpl.select",
            "io.netty.channel.epoll.EpollEventLoop.epollWait",
            "java.lang.ref.ReferenceQueue.remove",
        ] {
            assert!(is_idle(method), "{method}");
        }
        for method in [
            "java.util.concurrent.locks.ReentrantLock.lock",
            "shop.Orders.accept",
            "shop.Orders.select",
            "java.util.ArrayList.remove",
        ] {
            assert!(!is_idle(method), "{method}");
        }
    }
}
