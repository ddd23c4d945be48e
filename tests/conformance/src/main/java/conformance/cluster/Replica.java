package conformance.cluster;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.FileRecords;

/** What a replica's log has on disk, offset by offset. */
final class Replica {
    private Replica() {
    }

    /** What stands for a marker in a log of messages. */
    private static final int COMMIT = 1_000_000;
    private static final int ABORT = 1_000_001;

    /** Puts the messages of all segments in a directory into {@code log}; offsets have no holes. */
    static void read(Path directory, ObjectNode answer) throws IOException {
        var log = answer.putArray("log");
        try (var files = Files.list(directory)) {
            var segments = files.filter(file -> file.toString().endsWith(".log"));
            for (var segment : segments.sorted(Comparator.naturalOrder()).toList()) {
                try (var records = FileRecords.open(new File(segment.toString()), false)) {
                    for (var batch : records.batches()) {
                        batch.ensureValid();
                        for (var record : batch) {
                            if (record.offset() != log.size()) {
                                throw new IllegalStateException(
                                    "offset " + record.offset() + " behind " + log.size() + " records");
                            }
                            if (batch.isControlBatch()) {
                                var kind = ControlRecordType.parse(record.key());
                                log.add(kind == ControlRecordType.COMMIT ? COMMIT : ABORT);
                                continue;
                            }
                            var value = StandardCharsets.UTF_8.decode(record.value());
                            log.add(Integer.parseInt(value.toString()));
                        }
                    }
                }
            }
        }
    }
}
