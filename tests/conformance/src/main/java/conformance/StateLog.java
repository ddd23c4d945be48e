package conformance;

import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anyShort;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;
import static org.mockito.Mockito.withSettings;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import kafka.server.ReplicaManager;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ProduceResponse.PartitionResponse;
import org.apache.kafka.storage.internals.log.FetchDataInfo;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogOffsetMetadata;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import scala.Function1;
import scala.Option;
import scala.runtime.BoxedUnit;

/**
 * A partition of __transaction_state with two replicas and min.insync.replicas 2, as a coordinator
 * sees it through its ReplicaManager: what is appended is answered when the follower has it, when
 * its time is over, or when this broker does not lead any more; and not appended at all while only
 * one replica is in sync.
 */
final class StateLog {
    static final TopicPartition PARTITION = new TopicPartition("__transaction_state", 0);
    private static final TopicIdPartition ID = new TopicIdPartition(Uuid.ONE_UUID, PARTITION);

    private final Hours hours;
    private final List<SimpleRecord> records = new ArrayList<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private Runnable after = () -> {};
    private boolean leads = true;
    private int inSync = 2;
    private int follower;
    private int highWatermark;
    private RuntimeException failed;

    StateLog(Hours hours) {
        this.hours = hours;
    }

    /** Has this run after what time brings. */
    void after(Runnable pump) {
        after = pump;
    }

    List<SimpleRecord> records() {
        return records;
    }

    /** What a callback has thrown, if any has. */
    RuntimeException failed() {
        return failed;
    }

    /** The ReplicaManager that has this log. */
    @SuppressWarnings("unchecked")
    ReplicaManager manager() {
        ReplicaManager manager = mock(ReplicaManager.class, withSettings().stubOnly());
        UnifiedLog log = mock(UnifiedLog.class, withSettings().stubOnly());
        when(manager.topicIdPartition(any())).thenReturn(ID);
        when(manager.getLogConfig(any())).thenReturn(Option.apply(new LogConfig(new Properties())));
        when(manager.getLog(any())).thenReturn(Option.apply(log));
        when(manager.getLogEndOffset(any()))
                .thenAnswer(call -> Option.apply((Object) (long) records.size()));
        when(log.logStartOffset()).thenReturn(0L);
        try {
            when(log.read(anyLong(), anyInt(), any(), anyBoolean())).thenAnswer(call -> read());
        } catch (java.io.IOException impossible) {
            throw new IllegalStateException(impossible);
        }
        doAnswer(call -> {
            scala.collection.Map<TopicIdPartition, MemoryRecords> entries = call.getArgument(4);
            append(call.getArgument(0), entries.apply(ID), call.getArgument(5));
            return null;
        }).when(manager).appendRecords(anyLong(), anyShort(), anyBoolean(), any(), any(), any(),
                any(), any(), any(), anyShort());
        return manager;
    }

    private FetchDataInfo read() {
        SimpleRecord[] all = records.toArray(new SimpleRecord[0]);
        MemoryRecords batch = MemoryRecords.withRecords(0L, Compression.NONE, all);
        return new FetchDataInfo(new LogOffsetMetadata(0), batch);
    }

    private void append(long timeout, MemoryRecords batch,
                        Function1<Map<TopicIdPartition, PartitionResponse>, BoxedUnit> callback) {
        if (!leads || inSync < 2) {
            answer(callback, leads ? Errors.NOT_ENOUGH_REPLICAS : Errors.NOT_LEADER_OR_FOLLOWER);
            return;
        }
        for (Record record : batch.records()) {
            records.add(new SimpleRecord(record.timestamp(), copy(record.key()),
                    copy(record.value())));
        }
        Waiting append = new Waiting(records.size(), callback);
        append.deadline = hours.at(hours.now() + timeout * 1_000_000, () -> {
            waiting.remove(append);
            answer(callback, Errors.REQUEST_TIMED_OUT);
            after.run();
        });
        waiting.add(append);
    }

    private static byte[] copy(ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private void answer(Function1<Map<TopicIdPartition, PartitionResponse>, BoxedUnit> back,
                               Errors error) {
        try {
            back.apply(Map.of(ID, new PartitionResponse(error)));
        } catch (RuntimeException wrong) {
            // It goes to whoever has moved the high watermark, and nowhere else.
            failed = wrong;
        }
    }

    /** The follower has so many more records, or all. */
    void replicate(int count) {
        if (leads) {
            follower = count == 0 ? records.size() : Math.min(follower + count, records.size());
        }
    }

    /** So many replicas are in sync. */
    void setInSync(int replicas) {
        if (leads) {
            inSync = replicas;
        }
    }

    /** The high watermark follows, and whoever waited for it is answered. */
    void advance() {
        if (!leads || inSync < 2) {
            return;
        }
        highWatermark = Math.max(highWatermark, follower);
        while (!waiting.isEmpty() && waiting.get(0).required <= highWatermark) {
            Waiting append = waiting.remove(0);
            append.deadline.cancel();
            answer(append.callback, Errors.NONE);
        }
    }

    void elect() {
        leads = true;
        inSync = 2;
    }

    /** The follower leads, and has all that is here. */
    void resign() {
        leads = false;
        inSync = 2;
        follower = records.size();
        while (!waiting.isEmpty()) {
            Waiting append = waiting.remove(0);
            append.deadline.cancel();
            answer(append.callback, Errors.NOT_LEADER_OR_FOLLOWER);
        }
    }

    /** The other leader has written something. */
    void wrote(SimpleRecord record) {
        records.add(record);
        follower = records.size();
        highWatermark = records.size();
    }

    private static final class Waiting {
        private final int required;
        private final Function1<Map<TopicIdPartition, PartitionResponse>, BoxedUnit> callback;
        private Hours.Hour deadline;

        private Waiting(int required,
                        Function1<Map<TopicIdPartition, PartitionResponse>, BoxedUnit> callback) {
            this.required = required;
            this.callback = callback;
        }
    }
}
