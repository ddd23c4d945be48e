package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.AbstractRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Utils;

/**
 * Batches of records and where keys go.
 *
 * <p>A script has {@code records}, each {@code [timestamp, key, value, [[key, value], ...]]} with
 * lengths in place of bytes and null for null, and a {@code key} in hexadecimal digits with a
 * number of {@code partitions}. The answer has the bytes of the batch, the upper bound for the
 * first record alone, and the hash and partition of the key.
 */
public final class Sizes {
    private static final long BASE_TIMESTAMP = 1_700_000_000_000L;

    private Sizes() {}

    public static void main(String[] args) throws Exception {
        Lines.answer(Sizes::answer);
    }

    private static JsonNode answer(JsonNode script) {
        ObjectNode answer = Lines.JSON.createObjectNode();
        JsonNode records = script.get("records");
        var builder = MemoryRecords.builder(
                ByteBuffer.allocate(64), RecordBatch.CURRENT_MAGIC_VALUE, Compression.NONE,
                TimestampType.CREATE_TIME, 0L, RecordBatch.NO_TIMESTAMP, 9L, (short) 0, 0, false,
                RecordBatch.NO_PARTITION_LEADER_EPOCH);
        for (JsonNode record : records) {
            builder.append(BASE_TIMESTAMP + record.get(0).longValue(), bytes(record.get(1)),
                    bytes(record.get(2)), headers(record.get(3)));
        }
        answer.put("bytes", builder.build().sizeInBytes());
        JsonNode first = records.get(0);
        answer.put("upper_bound", AbstractRecords.estimateSizeInBytesUpperBound(
                RecordBatch.CURRENT_MAGIC_VALUE, Compression.NONE.type(), bytes(first.get(1)),
                bytes(first.get(2)), headers(first.get(3))));
        byte[] key = HexFormat.of().parseHex(script.get("key").textValue());
        answer.put("hash", Utils.murmur2(key));
        answer.put("partition",
                BuiltInPartitioner.partitionForKey(key, script.get("partitions").intValue()));
        return answer;
    }

    private static byte[] bytes(JsonNode length) {
        return length.isNull() ? null : new byte[length.intValue()];
    }

    private static Header[] headers(JsonNode list) {
        Header[] headers = new Header[list.size()];
        for (int at = 0; at < headers.length; at++) {
            JsonNode header = list.get(at);
            headers[at] = new RecordHeader("h".repeat(header.get(0).intValue()),
                    bytes(header.get(1)));
        }
        return headers;
    }
}
