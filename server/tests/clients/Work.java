import java.io.FileOutputStream;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Busy for as many seconds as asked: CPU, memory, a lock that two threads want, exceptions, files, a socket. Prints its CPU time as it runs. */
public class Work {
    static final Object LOCK = new Object();
    static volatile double sink;
    static volatile byte[] kept;

    static double hotLoop(long until) {
        double x = 1;
        while (System.nanoTime() < until) {
            for (int i = 1; i < 1_000_000; i++) {
                x = x * 1.000001 + i;
                if (x > 1e12) x -= 1e12;
            }
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

    static void fail(long until) throws InterruptedException {
        while (System.nanoTime() < until) {
            try {
                throw new IllegalStateException("one of many");
            } catch (IllegalStateException expected) {
                Thread.sleep(2);
            }
        }
    }

    /** A peer that answers after 30 ms, long enough to be recorded. */
    static void listen(ServerSocket server) throws Exception {
        try (Socket peer = server.accept()) {
            while (true) {
                Thread.sleep(30);
                peer.getOutputStream().write(1);
            }
        }
    }

    static void receive(ServerSocket server, long until) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", server.getLocalPort()); InputStream in = socket.getInputStream()) {
            while (System.nanoTime() < until && in.read() >= 0) { }
        }
    }

    static void write(long until) throws Exception {
        Path file = Files.createTempFile("work", ".bin");
        byte[] block = new byte[8 << 20];
        try (FileOutputStream out = new FileOutputStream(file.toFile())) {
            while (System.nanoTime() < until) {
                out.getChannel().truncate(0);
                out.write(block);
                Thread.sleep(200);
            }
        } finally {
            Files.delete(file);
        }
    }

    interface Task { void run() throws Exception; }

    static Thread start(String name, Task task) {
        Thread thread = new Thread(() -> { try { task.run(); } catch (Exception e) { e.printStackTrace(); } }, name);
        thread.start();
        return thread;
    }

    static double cpu() {
        var os = (com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory.getOperatingSystemMXBean();
        return os.getProcessCpuTime() / 1e9;
    }

    /** The time and the CPU time used so far, four times a second. */
    static void clock() {
        try {
            while (true) {
                System.out.printf(Locale.ROOT, "clock=%.3f,%.3f%n", System.currentTimeMillis() / 1e3, cpu());
                Thread.sleep(250);
            }
        } catch (InterruptedException gone) { }
    }

    public static void main(String[] args) throws Exception {
        Thread clock = new Thread(Work::clock, "clock");
        clock.setDaemon(true);
        clock.start();
        long began = System.nanoTime();
        long until = began + Long.parseLong(args[0]) * 1_000_000_000L;
        ServerSocket server = new ServerSocket(0);
        Thread peer = new Thread(() -> { try { listen(server); } catch (Exception gone) { } }, "peer");
        peer.setDaemon(true);
        peer.start();
        List<Thread> threads = List.of(
            start("hot", () -> sink = hotLoop(until)), start("allocator", () -> allocate(until)),
            start("lock-1", () -> contend(until)), start("lock-2", () -> contend(until)), start("failing", () -> fail(until)),
            start("receiver", () -> receive(server, until)), start("writer", () -> write(until)));
        for (Thread thread : threads) thread.join();
    }
}
