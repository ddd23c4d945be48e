package conformance;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.coordinator.common.runtime.CoordinatorLoader;
import org.apache.kafka.coordinator.common.runtime.CoordinatorPlayback;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * A partition of __consumer_offsets with two replicas, as a group coordinator sees it: what it
 * writes is committed when the follower has it, and is read again when it is elected anew.
 */
final class OffsetsLog implements PartitionWriter, CoordinatorLoader<CoordinatorRecord> {
    private final Hours hours;
    private final long load;
    private final GroupCoordinatorRecordSerde serde = new GroupCoordinatorRecordSerde();
    private final List<Entry> entries = new ArrayList<>();
    private final List<Listener> listeners = new ArrayList<>();
    private final Runnable after;
    private boolean leads = true;
    private int follower;
    private int highWatermark;

    OffsetsLog(Hours hours, long load, Runnable after) {
        this.hours = hours;
        this.load = load;
        this.after = after;
    }

    /** A record, or a marker whose record is null. */
    record Entry(long producerId, short epoch, CoordinatorRecord record, TransactionResult result) {}

    List<Entry> entries() {
        return entries;
    }

    boolean leads() {
        return leads;
    }

    void replicate(int count) {
        if (leads) {
            follower = count == 0 ? entries.size() : Math.min(follower + count, entries.size());
        }
    }

    /** The high watermark follows. */
    void advance() {
        if (leads && follower > highWatermark) {
            highWatermark = follower;
            List.copyOf(listeners).forEach(
                    listener -> listener.onHighWatermarkUpdated(Groups.PARTITION, highWatermark));
        }
    }

    void setLeads(boolean leads) {
        this.leads = leads;
        if (!leads) {
            follower = entries.size();
        }
    }

    @Override
    public void registerListener(TopicPartition partition, Listener listener) {
        listeners.add(listener);
    }

    @Override
    public void deregisterListener(TopicPartition partition, Listener listener) {
        listeners.remove(listener);
    }

    @Override
    public LogConfig config(TopicPartition partition) {
        return new LogConfig(new Properties());
    }

    @Override
    public long append(TopicPartition partition, VerificationGuard guard, MemoryRecords records,
                       short version) {
        for (MutableRecordBatch batch : records.batches()) {
            for (Record record : batch) {
                if (batch.isControlBatch()) {
                    TransactionResult result =
                            ControlRecordType.parse(record.key()) == ControlRecordType.COMMIT
                                    ? TransactionResult.COMMIT : TransactionResult.ABORT;
                    entries.add(new Entry(batch.producerId(), batch.producerEpoch(), null, result));
                } else {
                    entries.add(new Entry(batch.producerId(), batch.producerEpoch(),
                            serde.deserialize(copy(record.key()), copy(record.value())), null));
                }
            }
        }
        return entries.size();
    }

    private static ByteBuffer copy(ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return ByteBuffer.wrap(bytes);
    }

    @Override
    public CompletableFuture<VerificationGuard> maybeStartTransactionVerification(
            TopicPartition partition, String id, long producerId, short epoch, int version) {
        return CompletableFuture.completedFuture(VerificationGuard.SENTINEL);
    }

    @Override
    public CompletableFuture<Void> deleteRecords(TopicPartition partition, long before) {
        return CompletableFuture.completedFuture(null);
    }

    /** As CoordinatorLoaderImpl, which has a thread for it. */
    @Override
    public CompletableFuture<LoadSummary> load(TopicPartition partition,
                                               CoordinatorPlayback<CoordinatorRecord> playback) {
        CompletableFuture<LoadSummary> future = new CompletableFuture<>();
        Runnable work = () -> {
            for (int offset = 0; offset < entries.size(); offset++) {
                Entry entry = entries.get(offset);
                if (entry.record() == null) {
                    playback.replayEndTransactionMarker(entry.producerId(), entry.epoch(),
                            entry.result());
                } else {
                    playback.replay(offset, entry.producerId(), entry.epoch(), entry.record());
                }
                playback.updateLastWrittenOffset(offset + 1L);
            }
            if (highWatermark > 0) {
                playback.updateLastCommittedOffset(highWatermark);
            }
            future.complete(new LoadSummary(0, 0, 0, 0, 0));
        };
        if (load == 0) {
            work.run();
        } else {
            hours.at(hours.now() + load, () -> {
                work.run();
                after.run();
            });
        }
        return future;
    }

    @Override
    public void close() {}
}
