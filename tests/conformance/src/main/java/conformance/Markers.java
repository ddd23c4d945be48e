package conformance;

import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.withSettings;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.lang.reflect.Field;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import kafka.coordinator.transaction.TransactionMarkerChannelManager;
import kafka.coordinator.transaction.TransactionStateManager;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.apache.kafka.common.requests.WriteTxnMarkersResponse;
import org.apache.kafka.metadata.MetadataCache;
import org.apache.kafka.server.util.RequestAndCompletionHandler;

/**
 * A TransactionMarkerChannelManager whose thread is run step by step, and the leaders that it sends
 * to: each has one request at a time and the others behind it, as in InterBrokerSendThread.
 */
final class Markers {
    /** The partitions of scripts, by number. The last one is that of a group. */
    static final List<TopicPartition> PARTITIONS = List.of(new TopicPartition("t", 0),
            new TopicPartition("t", 1), new TopicPartition("t", 2),
            new TopicPartition("__consumer_offsets", 0));
    private static final Node[] NODES = {new Node(1, "localhost", 1), new Node(2, "localhost", 2)};
    /** How long the thread waits for something to happen. */
    private static final long POLL = 30_000_000_000L;
    /** For how long a leader may be silent. */
    static final long PATIENCE = 10_000_000_000L;
    /** reconnect.backoff.ms */
    private static final long BACKOFF = 50_000_000L;

    private final Hours hours;
    private final TransactionMarkerChannelManager manager;
    private final Queue<?> retries;
    private final Map<Integer, Deque<RequestAndCompletionHandler>> asked = new TreeMap<>();
    /** Since when a leader has not answered. */
    private final Map<Integer, Long> since = new HashMap<>();
    private final Set<Integer> connected = new HashSet<>();
    private final Map<Integer, Long> mayConnect = new HashMap<>();
    private boolean woken;
    private RuntimeException failed;
    private Hours.Hour poll;

    Markers(KafkaConfig config, MetadataCache metadata, TransactionStateManager state, Hours hours) {
        this.hours = hours;
        NetworkClient network = mock(NetworkClient.class, withSettings().stubOnly());
        doAnswer(call -> {
            woken = true;
            return null;
        }).when(network).wakeup();
        manager = new TransactionMarkerChannelManager(config, metadata, network, state, hours);
        try {
            Field field = TransactionMarkerChannelManager.class
                    .getDeclaredField("txnLogAppendRetryQueue");
            field.setAccessible(true);
            retries = (Queue<?>) field.get(manager);
        } catch (ReflectiveOperationException wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    TransactionMarkerChannelManager manager() {
        return manager;
    }

    /** What a handler has thrown, if any has. */
    RuntimeException failed() {
        return failed;
    }

    /** The first partition is this broker's, the others are another's. */
    static Node leader(TopicPartition partition) {
        return NODES[PARTITIONS.indexOf(partition) == 0 ? 0 : 1];
    }

    static ArrayNode numbers(Collection<TopicPartition> partitions) {
        ArrayNode numbers = Lines.JSON.createArrayNode();
        partitions.stream().map(PARTITIONS::indexOf).sorted().forEach(numbers::add);
        return numbers;
    }

    /**
     * The thread goes on as long as it is woken. Kafka: InterBrokerSendThread.pollOnce. What is for a
     * broker that may not be connected to yet fails at once; Kafka's thread does not rest until then.
     */
    void pump() {
        List<RequestAndCompletionHandler> failed = new ArrayList<>();
        while (woken) {
            woken = false;
            for (RequestAndCompletionHandler request : manager.generateRequests()) {
                int broker = request.destination.id();
                if (mayConnect.getOrDefault(broker, 0L) > hours.now()) {
                    failed.add(request);
                    continue;
                }
                connected.add(broker);
                var queue = asked.computeIfAbsent(broker, id -> new ArrayDeque<>());
                if (queue.isEmpty()) {
                    since.put(broker, hours.now());
                }
                queue.add(request);
            }
            if (poll != null) {
                poll.cancel();
                poll = null;
            }
        }
        for (RequestAndCompletionHandler request : failed) {
            complete(request, null);
            hours.at(mayConnect.get(request.destination.id()), () -> woken = true);
        }
        woken = false;
        if (poll == null && !retries.isEmpty()) {
            poll = hours.at(hours.now() + POLL, () -> {
                poll = null;
                woken = true;
            });
        }
    }

    /** A leader answers what it was asked first. What that was, if anything. */
    ArrayNode answer(int broker, String error, int place) {
        Deque<RequestAndCompletionHandler> queue = asked.get(broker);
        if (queue == null || queue.isEmpty()) {
            return null;
        }
        RequestAndCompletionHandler request = queue.poll();
        since.put(broker, hours.now());
        List<TxnMarkerEntry> entries = new ArrayList<>(
                ((WriteTxnMarkersRequest.Builder) request.request).build().markers());
        entries.sort(Comparator.comparingLong(TxnMarkerEntry::producerId)
                .thenComparingInt(TxnMarkerEntry::producerEpoch)
                .thenComparingInt(TxnMarkerEntry::coordinatorEpoch));
        Map<Long, Map<TopicPartition, Errors>> errors = new HashMap<>();
        ArrayNode about = Lines.JSON.createArrayNode().add("m");
        int at = 0;
        for (TxnMarkerEntry entry : entries) {
            ArrayNode one = about.addArray().add(entry.producerId()).add(entry.producerEpoch());
            one.add(entry.coordinatorEpoch());
            one.add(entry.transactionResult() == TransactionResult.COMMIT ? "commit" : "abort");
            ArrayNode numbers = numbers(entry.partitions());
            one.add(entry.transactionVersion()).add(numbers);
            Map<TopicPartition, Errors> results =
                    errors.computeIfAbsent(entry.producerId(), id -> new HashMap<>());
            for (int i = 0; i < numbers.size(); i++, at++) {
                Errors result = place < 0 || place == at ? Errors.valueOf(error) : Errors.NONE;
                results.put(PARTITIONS.get(numbers.get(i).intValue()), result);
            }
        }
        complete(request, new WriteTxnMarkersResponse(errors));
        return about;
    }

    /** Those leaders lose their connections that will have been silent for too long. */
    void loseImpatient(long span) {
        for (int broker : List.copyOf(asked.keySet())) {
            if (!asked.get(broker).isEmpty() && since.get(broker) + PATIENCE < hours.now() + span) {
                lose(broker);
            }
        }
    }

    /** The connection to a leader ends, and whatever was to be sent on it has failed. */
    void lose(int broker) {
        if (!connected.remove(broker)) {
            return;
        }
        mayConnect.put(broker, hours.now() + BACKOFF);
        asked.remove(broker).forEach(request -> complete(request, null));
        woken = true;
        pump();
    }

    private void complete(RequestAndCompletionHandler request, WriteTxnMarkersResponse response) {
        RequestHeader header = new RequestHeader(ApiKeys.WRITE_TXN_MARKERS,
                ApiKeys.WRITE_TXN_MARKERS.latestVersion(), "", 0);
        // Kafka: ClientResponse.onComplete, NetworkClient.completeResponses.
        try {
            request.handler.onComplete(new ClientResponse(header, request.handler,
                    request.destination.idString(), hours.milliseconds(), hours.milliseconds(),
                    response == null, null, null, response));
        } catch (IllegalStateException uncaught) {
            failed = uncaught;
        }
        woken = true;
    }
}
