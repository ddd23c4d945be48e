package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogFileUtils;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/**
 * A UnifiedLog in a temporary directory.
 *
 * <p>A script has {@code segment}, the bytes of a segment, and {@code steps}:
 *
 * <ul>
 *   <li>{@code ["append", producer id, producer epoch, base sequence, records, leader epoch]}, and
 *       {@code "follow"} with the same for a batch that comes from the leader; id -1 is none
 *   <li>{@code ["lead", leader epoch]}: it starts at the end of the log
 *   <li>{@code ["truncate", offset]}, {@code ["flush"]}, {@code ["wait", seconds]}
 *   <li>{@code ["close"]}: a clean shutdown, and a start
 *   <li>{@code ["kill"]}: the process dies, and starts; {@code ["power"]}: what was not flushed is
 *       lost as well
 * </ul>
 *
 * <p>The answer has, for each step, the base offset of what was appended, {@code "dup"} with that
 * of the first time, the name of the error, or after any other step the log end offset. Then come
 * the producers: id, epoch, and per batch first and last sequence, first and last offset; and the
 * leader epochs with their start offsets.
 */
public final class Log {
    private static final long START = 1_700_000_000_000L;
    private static final int VALUE_BYTES = 10;
    private static final int EXPIRATION_MS = 86_400_000;
    private static final int EXPIRATION_CHECK_MS = 600_000;

    private static final BrokerTopicStats STATS = new BrokerTopicStats();

    private final File directory;
    private final Clock clock = new Clock(START);
    private final LogConfig config;
    private UnifiedLog log;

    private Log(Path parent, int segmentBytes) throws Exception {
        directory = parent.resolve("script-0").toFile();
        Properties properties = new Properties();
        properties.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, segmentBytes);
        // Only size rolls a segment, and files are small.
        properties.put(TopicConfig.SEGMENT_MS_CONFIG, Long.MAX_VALUE);
        properties.put(TopicConfig.SEGMENT_INDEX_BYTES_CONFIG, 4096);
        config = new LogConfig(properties);
        open(false, 0);
    }

    public static void main(String[] args) throws Exception {
        Path memory = Path.of("/dev/shm");
        Path parent = Files.isDirectory(memory)
                ? Files.createTempDirectory(memory, "conformance")
                : Files.createTempDirectory("conformance");
        try {
            Lines.answer(script -> {
                Log log = new Log(parent, script.get("segment").intValue());
                try {
                    return log.play(script.get("steps"));
                } finally {
                    log.log.closeQuietly();
                    Utils.delete(log.directory);
                }
            });
        } finally {
            STATS.close();
            Utils.delete(parent.toFile());
        }
    }

    private void open(boolean clean, long recoveryPoint) throws Exception {
        log = UnifiedLog.create(directory, config, 0L, recoveryPoint, clock, STATS, clock,
                15 * 60 * 1000, new ProducerStateManagerConfig(EXPIRATION_MS, false),
                EXPIRATION_CHECK_MS, new LogDirFailureChannel(1), clean, Optional.empty());
        clock.runTasks();
    }

    private JsonNode play(JsonNode script) throws Exception {
        ObjectNode answer = Lines.JSON.createObjectNode();
        ArrayNode steps = answer.putArray("steps");
        for (JsonNode step : script) {
            switch (step.get(0).textValue()) {
                case "append" -> append(step, steps);
                case "follow" -> {
                    log.appendAsFollower(records(step, log.logEndOffset()), epoch(step));
                    steps.add(log.logEndOffset());
                }
                default -> {
                    other(step);
                    steps.add(log.logEndOffset());
                }
            }
            clock.runTasks();
        }
        describe(answer);
        return answer;
    }

    private void append(JsonNode step, ArrayNode steps) {
        long end = log.logEndOffset();
        try {
            long first = log.appendAsLeader(records(step, 0), epoch(step)).firstOffset();
            if (log.logEndOffset() == end) {
                steps.add("dup " + first);
            } else {
                steps.add(first);
            }
        } catch (Exception wrong) {
            steps.add(Errors.forException(wrong).name());
        }
    }

    private void other(JsonNode step) throws Exception {
        switch (step.get(0).textValue()) {
            case "lead" -> log.assignEpochStartOffset(step.get(1).intValue(), log.logEndOffset());
            case "truncate" -> log.truncateTo(step.get(1).longValue());
            case "flush" -> log.flush(false);
            case "wait" -> clock.sleep(1000 * step.get(1).longValue());
            case "close" -> {
                log.prepareActiveSegmentForClose();
                log.flush(true);
                log.close();
                clock.runTasks();
                open(true, log.recoveryPoint());
            }
            case "kill" -> {
                die();
                open(false, log.recoveryPoint());
            }
            case "power" -> {
                die();
                loseUnflushed(log.recoveryPoint());
                open(false, log.recoveryPoint());
            }
            default -> throw new IllegalArgumentException(step.toString());
        }
    }

    private void die() {
        log.producerExpireCheck().cancel(true);
        log.closeQuietly();
    }

    private void loseUnflushed(long from) throws Exception {
        for (File file : directory.listFiles()) {
            if (!LogFileUtils.isLogFile(file)) {
                continue;
            }
            long keep = 0;
            try (FileRecords records = FileRecords.open(file, false)) {
                for (FileChannelRecordBatch batch : records.batches()) {
                    if (batch.baseOffset() >= from) {
                        break;
                    }
                    keep += batch.sizeInBytes();
                }
            }
            try (RandomAccessFile open = new RandomAccessFile(file, "rw")) {
                open.setLength(keep);
            }
        }
    }

    private static int epoch(JsonNode step) {
        return step.get(5).intValue();
    }

    private MemoryRecords records(JsonNode step, long baseOffset) {
        long id = step.get(1).longValue();
        boolean none = id == RecordBatch.NO_PRODUCER_ID;
        int count = step.get(4).intValue();
        var builder = MemoryRecords.builder(
                ByteBuffer.allocate(128 + 32 * count), RecordBatch.CURRENT_MAGIC_VALUE,
                Compression.NONE, TimestampType.CREATE_TIME, baseOffset, RecordBatch.NO_TIMESTAMP,
                id, none ? RecordBatch.NO_PRODUCER_EPOCH : step.get(2).shortValue(),
                none ? RecordBatch.NO_SEQUENCE : step.get(3).intValue(), false, epoch(step));
        for (int at = 0; at < count; at++) {
            builder.append(clock.milliseconds(), null, new byte[VALUE_BYTES]);
        }
        return builder.build();
    }

    private void describe(ObjectNode answer) {
        ArrayNode producers = answer.putArray("producers");
        var active = new TreeMap<>(log.producerStateManager().activeProducers());
        for (ProducerStateEntry entry : active.values()) {
            ArrayNode producer = producers.addArray();
            producer.add(entry.producerId()).add(entry.producerEpoch());
            ArrayNode batches = producer.addArray();
            for (BatchMetadata batch : entry.batchMetadata()) {
                batches.addArray().add(batch.firstSeq()).add(batch.lastSeq())
                        .add(batch.firstOffset()).add(batch.lastOffset());
            }
        }
        ArrayNode epochs = answer.putArray("epochs");
        log.leaderEpochCache().epochEntries().forEach(
                entry -> epochs.addArray().add(entry.epoch()).add(entry.startOffset()));
        answer.put("end", log.logEndOffset());
    }
}
