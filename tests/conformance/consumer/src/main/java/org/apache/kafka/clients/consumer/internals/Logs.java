package org.apache.kafka.clients.consumer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The log of a partition, the same on every broker. */
final class Logs {
    /** A batch: so many records from an offset on, or a marker. */
    private record Batch(long base, int count, int epoch, String kind, long producer) {
        long next() {
            return base + count;
        }

        boolean isMarker() {
            return kind.equals("commit") || kind.equals("abort");
        }

        MemoryRecords records() {
            if (isMarker()) {
                ControlRecordType type = kind.equals("commit") ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
                return MemoryRecords.withEndTransactionMarker(base, 0L, epoch, producer, (short) 0,
                    new EndTransactionMarker(type, 0));
            }
            SimpleRecord[] records = new SimpleRecord[count];
            for (int index = 0; index < count; index++) {
                records[index] = new SimpleRecord(new byte[] {(byte) index});
            }
            boolean transactional = kind.equals("txn");
            return MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V2, base, Compression.NONE,
                TimestampType.CREATE_TIME, transactional ? producer : -1, (short) (transactional ? 0 : -1),
                transactional ? 0 : -1, epoch, transactional, records);
        }
    }

    private final List<Batch> batches = new ArrayList<>();
    private final long start;
    private long end;

    Logs(long start) {
        this.start = start;
        end = start;
    }

    void append(JsonNode step, int epoch) {
        long base = end + step.path("gap").asLong();
        Batch batch = new Batch(base, step.get("count").asInt(), epoch, step.path("kind").asText("plain"),
            step.path("producer").asLong());
        batches.add(batch);
        end = batch.next();
    }

    /** The last batches are gone. */
    void truncate(int count) {
        for (int index = 0; index < count && !batches.isEmpty(); index++) {
            batches.remove(batches.size() - 1);
            end = batches.isEmpty() ? start : batches.get(batches.size() - 1).next();
        }
    }

    long start() {
        return start;
    }

    /** Where readers find the end. */
    long end(boolean committed) {
        return committed ? stable() : end;
    }

    /** The last stable offset: where the first open transaction begins. */
    private long stable() {
        Map<Long, Long> open = new HashMap<>();
        for (Batch batch : batches) {
            if (batch.kind().equals("txn")) {
                open.putIfAbsent(batch.producer(), batch.base());
            } else if (batch.isMarker()) {
                open.remove(batch.producer());
            }
        }
        return open.values().stream().mapToLong(offset -> offset).min().orElse(end);
    }

    /** The epoch of the batch that an offset is in or behind, or -1. */
    int epochAt(long offset) {
        int epoch = -1;
        for (Batch batch : batches) {
            if (batch.base() <= offset) {
                epoch = batch.epoch();
            }
        }
        return epoch;
    }

    /** The greatest epoch that is not greater than this one and where it ends; both -1 if there is none. */
    long[] endOf(int epoch) {
        long[] found = {-1, -1};
        for (Batch batch : batches) {
            if (batch.epoch() <= epoch) {
                found = new long[] {batch.epoch(), batch.next()};
            }
        }
        return found;
    }

    /** So many batches from the one on that an offset is in. Returns whether there are any. */
    boolean read(FetchResponseData.PartitionData data, long offset, int count, boolean committed) {
        data.setHighWatermark(end).setLastStableOffset(stable()).setLogStartOffset(start);
        List<Batch> read = batches.stream()
            .filter(batch -> batch.next() > offset && (!committed || batch.base() < stable())).limit(count).toList();
        ByteBuffer buffer = ByteBuffer.allocate(read.stream().mapToInt(batch -> batch.records().sizeInBytes()).sum());
        read.forEach(batch -> buffer.put(batch.records().buffer()));
        buffer.flip();
        data.setRecords(MemoryRecords.readableRecords(buffer));
        if (committed) {
            data.setAbortedTransactions(read.isEmpty() ? new ArrayList<>()
                : aborted(offset, read.get(read.size() - 1).next()));
        }
        return !read.isEmpty();
    }

    private List<FetchResponseData.AbortedTransaction> aborted(long from, long until) {
        List<FetchResponseData.AbortedTransaction> found = new ArrayList<>();
        Map<Long, Long> open = new HashMap<>();
        for (Batch batch : batches) {
            if (batch.kind().equals("txn")) {
                open.putIfAbsent(batch.producer(), batch.base());
            } else if (batch.isMarker()) {
                Long first = open.remove(batch.producer());
                if (first != null && batch.kind().equals("abort") && batch.base() >= from && first < until) {
                    found.add(new FetchResponseData.AbortedTransaction().setProducerId(batch.producer()).setFirstOffset(first));
                }
            }
        }
        return found;
    }
}
