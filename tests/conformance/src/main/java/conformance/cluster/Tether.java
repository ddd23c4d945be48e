package conformance.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Ties a process to the one that started it: when that is gone, or after so many seconds, this dies. */
final class Tether {
    private Tether() {
    }

    /** Gives every line of the standard input to {@code each}, and its end ends the process. */
    static void read(Consumer<String> each) {
        try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                each.accept(line);
            }
        } catch (IOException | RuntimeException wrong) {
            wrong.printStackTrace();
        }
        Runtime.getRuntime().halt(3);
    }

    /** Ends the process after so many seconds, whatever it does. */
    static void limit(long seconds) {
        start("limit", () -> {
            try {
                Thread.sleep(seconds * 1000);
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(4);
        });
    }

    /** Starts a thread that keeps no process alive. */
    static void start(String name, Runnable work) {
        var thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }
}
