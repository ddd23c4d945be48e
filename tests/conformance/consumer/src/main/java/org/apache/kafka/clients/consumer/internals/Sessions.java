package org.apache.kafka.clients.consumer.internals;

import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.requests.FetchMetadata;

import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The fetch sessions of the brokers. */
final class Sessions {
    /** What a fetch asks for in all. */
    record Asked(int session, SortedMap<Integer, FetchRequestData.FetchPartition> partitions) {
    }

    private final Map<Integer, SortedMap<Integer, FetchRequestData.FetchPartition>> sessions = new HashMap<>();
    /** The high watermark that each session was last told of each partition. */
    private final Map<Integer, Map<Integer, Long>> told = new HashMap<>();
    private int last;

    /** What a fetch asks for, with what its session has; null if it ends the session. */
    Asked read(FetchRequestData request) {
        if (request.sessionEpoch() == FetchMetadata.FINAL_EPOCH) {
            return null;
        }
        boolean full = request.sessionEpoch() == FetchMetadata.INITIAL_EPOCH;
        int session = full ? ++last : request.sessionId();
        SortedMap<Integer, FetchRequestData.FetchPartition> partitions =
            full ? new TreeMap<>() : sessions.get(session);
        sessions.put(session, partitions);
        Map<Integer, Long> known = told.computeIfAbsent(session, number -> new HashMap<>());
        request.forgottenTopicsData().forEach(topic -> topic.partitions().forEach(partition -> {
            partitions.remove(partition);
            known.remove(partition);
        }));
        request.topics().forEach(topic -> topic.partitions()
            .forEach(partition -> partitions.put(partition.partition(), partition)));
        return new Asked(session, new TreeMap<>(partitions));
    }

    /**
     * Whether a session has not been told of this high watermark. Without it, records or an error a
     * partition is left out of an answer. Kafka: CachedPartition.maybeUpdateResponseData.
     */
    boolean isNews(int session, int partition, boolean failed, long highWatermark) {
        Long before = told.get(session).put(partition, failed ? -1 : highWatermark);
        return failed || before == null || before != highWatermark;
    }
}
