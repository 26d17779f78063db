import java.util.ArrayList;
import java.util.List;

/** Busy for as many seconds as asked: CPU, memory, a lock that two threads want. Prints its CPU time. */
public class Work {
    static final Object LOCK = new Object();
    static volatile double sink;
    static volatile byte[] kept;

    static double hotLoop(long until) {
        double x = 1;
        while (System.nanoTime() < until) {
            for (int i = 1; i < 100_000; i++) x += Math.sqrt(x + i) % 7;
        }
        return x;
    }

    static void allocate(long until) throws InterruptedException {
        while (System.nanoTime() < until) {
            List<byte[]> some = new ArrayList<>();
            for (int i = 0; i < 50; i++) some.add(new byte[64 << 10]);
            kept = some.get(0);
            Thread.sleep(10);
        }
    }

    static void contend(long until) throws InterruptedException {
        while (System.nanoTime() < until) {
            synchronized (LOCK) { Thread.sleep(20); }
        }
    }

    interface Task { void run() throws Exception; }

    static Thread start(String name, Task task) {
        Thread thread = new Thread(() -> { try { task.run(); } catch (Exception e) { e.printStackTrace(); } }, name);
        thread.start();
        return thread;
    }

    public static void main(String[] args) throws Exception {
        long until = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
        List<Thread> threads = List.of(
            start("hot", () -> sink = hotLoop(until)), start("allocator", () -> allocate(until)),
            start("lock-1", () -> contend(until)), start("lock-2", () -> contend(until)));
        for (Thread thread : threads) thread.join();
        var os = (com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory.getOperatingSystemMXBean();
        System.out.printf("cpu_seconds=%.3f%n", os.getProcessCpuTime() / 1e9);
    }
}
