import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;

/** A batch of invoices. usage: Billing SECONDS SHARE-OF-TIME-BUSY */
public final class Billing {
    record Item(String text, BigDecimal amount) {}

    private static volatile int printed;

    private static List<Item> items(int customer) {
        var items = new ArrayList<Item>();
        for (int n = 0; n < 60; n++) {
            items.add(new Item("service " + n % 7, BigDecimal.valueOf(customer * 37L % 10_000 + n, 2)));
        }
        return items;
    }

    private static TreeMap<String, BigDecimal> sums(List<Item> items) {
        var sums = new TreeMap<String, BigDecimal>();
        for (Item item : items) {
            sums.merge(item.text(), withTax(item.amount()), BigDecimal::add);
        }
        return sums;
    }

    private static BigDecimal withTax(BigDecimal amount) {
        return amount.multiply(new BigDecimal("1.19")).setScale(2, RoundingMode.HALF_UP);
    }

    private static String print(int customer, TreeMap<String, BigDecimal> sums) {
        var text = new StringBuilder("invoice of customer ").append(customer).append('\n');
        sums.forEach((name, sum) -> text.append(String.format("%-20s %12s%n", name, sum)));
        return text.toString();
    }

    private static String sign(String invoice) throws Exception {
        var digest = MessageDigest.getInstance("SHA-256");
        byte[] hash = digest.digest(invoice.getBytes(StandardCharsets.UTF_8));
        for (int round = 0; round < 40; round++) {
            hash = digest.digest(hash);
        }
        return HexFormat.of().formatHex(hash);
    }

    public static void main(String[] args) throws Exception {
        long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
        double busy = Double.parseDouble(args[1]);
        for (int customer = 0; System.nanoTime() < end; customer++) {
            long begun = System.nanoTime();
            for (int n = 0; n < 50; n++) {
                String invoice = print(customer, sums(items(customer + n)));
                printed += sign(invoice).length();
                if (n == 0) {
                    Files.writeString(Path.of("invoice.txt"), invoice);
                }
            }
            long took = System.nanoTime() - begun;
            Thread.sleep((long) (took * (1 - busy) / busy / 1e6) + 1);
        }
    }
}
