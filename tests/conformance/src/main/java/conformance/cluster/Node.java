package conformance.cluster;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import kafka.Kafka;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Utils;

/**
 * One broker or controller: Kafka's own main class, behind a formatted directory.
 *
 * <p>Arguments: the properties file, the cluster id, and for how many seconds it may live. The line
 * {@code stop} on the standard input asks for a controlled shutdown, as SIGTERM would.
 */
public final class Node {
    private Node() {
    }

    public static void main(String[] arguments) throws Exception {
        Tether.limit(Long.parseLong(arguments[2]));
        Tether.start("input", () -> Tether.read(line -> {
            if (line.equals("stop")) {
                Tether.start("stop", () -> System.exit(0));
            }
        }));
        var properties = arguments[0];
        var directory = Path.of(Utils.loadProps(properties).getProperty("log.dirs"));
        if (!Files.exists(directory.resolve("meta.properties"))) {
            var silent = new PrintStream(OutputStream.nullOutputStream());
            var format = new String[] {"format", "-t", arguments[1], "-c", properties};
            if (StorageTool.execute(format, silent) != 0) {
                throw new IllegalStateException("cannot format " + directory);
            }
        }
        Kafka.main(new String[] {properties});
    }
}
