import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** An order service. usage: Shop SECONDS ORDERS-A-SECOND VERSION; version 1.3.0 compiles a regular expression for each line of an order. */
public final class Shop {
    private static final Pattern ITEM = Pattern.compile("(\\w+)-(\\d+)x(\\d+)");
    private static final Map<String, Integer> STOCK = new HashMap<>();
    private static final List<String> CARTS = new ArrayList<>();
    private static volatile long sold;

    record Line(String item, int count, double price) {}

    record Order(long id, List<Line> lines) {}

    static final class OutOfStock extends RuntimeException {
        OutOfStock(String item) {
            super("out of stock: " + item);
        }
    }

    static final class OrderReader {
        private final boolean slow;

        OrderReader(boolean slow) {
            this.slow = slow;
        }

        Order read(String text) {
            var lines = new ArrayList<Line>();
            for (String part : text.substring(text.indexOf(':') + 1).split(";")) {
                lines.add(readLine(part));
            }
            return new Order(Long.parseLong(text.substring(0, text.indexOf(':'))), lines);
        }

        private Line readLine(String part) {
            var pattern = slow ? Pattern.compile("(\\w+)-(\\d+)x(\\d+)") : ITEM;
            var match = pattern.matcher(part);
            if (!match.matches()) {
                throw new IllegalArgumentException(part);
            }
            return new Line(match.group(1), Integer.parseInt(match.group(3)), Integer.parseInt(match.group(2)) / 100.0);
        }
    }

    static final class Prices {
        static double total(Order order) {
            double total = 0;
            for (Line line : order.lines()) {
                total += discounted(line) * line.count();
            }
            return total;
        }

        private static double discounted(Line line) {
            double price = line.price();
            for (int step = 0; step < 300; step++) {
                price = price * 0.9999 + Math.sqrt(price + step) * 1e-6;
            }
            return price;
        }
    }

    static final class Warehouse {
        static void take(Order order) {
            synchronized (STOCK) {
                for (Line line : order.lines()) {
                    int left = STOCK.merge(line.item(), -line.count(), Integer::sum);
                    if (left < 0) {
                        STOCK.put(line.item(), 20_000);
                        throw new OutOfStock(line.item());
                    }
                }
                if (order.id() % 64 == 0) {
                    recount();
                }
            }
        }

        private static void recount() {
            long sum = 0;
            for (int round = 0; round < 1500; round++) {
                for (int left : STOCK.values()) {
                    sum += left;
                }
            }
            sold = sum;
        }
    }

    static final class Receipts {
        private static final Path FILE = Path.of("receipts.log");

        static String write(Order order, double total) throws IOException {
            var json = new StringBuilder("{\"order\":").append(order.id()).append(",\"lines\":[");
            for (Line line : order.lines()) {
                json.append("{\"item\":\"").append(line.item()).append("\",\"count\":").append(line.count()).append("},");
            }
            json.append("],\"total\":").append(String.format("%.2f", total)).append('}');
            if (order.id() % 32 == 0) {
                Files.writeString(FILE, json.append('\n'), StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.SYNC);
            }
            return json.toString();
        }
    }

    private static String request(long id) {
        var random = ThreadLocalRandom.current();
        var text = new StringBuilder().append(id).append(':');
        for (int n = 3 + random.nextInt(10); n > 0; n--) {
            text.append("item").append(random.nextInt(200)).append('-').append(100 + random.nextInt(9_000)).append('x').append(1 + random.nextInt(9)).append(';');
        }
        return text.substring(0, text.length() - 1);
    }

    private static void serve(long id, OrderReader reader) {
        try {
            Order order = reader.read(request(id));
            Warehouse.take(order);
            String receipt = Receipts.write(order, Prices.total(order));
            synchronized (CARTS) {
                CARTS.add(receipt);
                if (CARTS.size() > 20_000) {
                    CARTS.subList(0, 10_000).clear();
                }
            }
        } catch (OutOfStock e) {
            sold++;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        int seconds = Integer.parseInt(args[0]);
        int rate = Integer.parseInt(args[1]);
        var reader = new OrderReader(args[2].equals("1.3.0"));
        var threads = new ArrayList<Thread>();
        int workers = 4;
        for (int worker = 0; worker < workers; worker++) {
            int number = worker;
            var thread = new Thread(() -> {
                long begun = System.nanoTime();
                long end = begun + seconds * 1_000_000_000L;
                for (long n = 0; ; n++) {
                    long due = begun + n * 1_000_000_000L * workers / rate;
                    long now = System.nanoTime();
                    if (now > end) {
                        return;
                    }
                    if (due > now) {
                        java.util.concurrent.locks.LockSupport.parkNanos(due - now);
                    }
                    serve(n * workers + number, reader);
                }
            }, "http-" + (worker + 1));
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
