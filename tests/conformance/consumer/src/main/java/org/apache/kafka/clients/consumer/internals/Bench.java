package org.apache.kafka.clients.consumer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.Metadata;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.ClusterResourceListeners;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.internals.LogContext;

import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * One script on Kafka's ClassicKafkaConsumer with all that it is made of, down to NetworkClient. The
 * only thread is the application's. Time passes while it waits in a poll of the network, sleeps, or
 * has nothing to do; calls that are due meanwhile come after the one that it is in.
 *
 * <p>Nothing of Kafka is replaced but the clock, the sockets, and chance: the random start of
 * NetworkClient.leastLoadedNode is 0, and so is the field "jitter" of each ExponentialBackoff.
 */
final class Bench {
    /** The end of the script, thrown through the consumer. */
    private static final class End extends Error {
        End() {
            super(null, null, false, false);
        }
    }

    private final List<String> lines = new ArrayList<>();
    private final Deque<JsonNode> steps = new ArrayDeque<>();
    /** What the application is to do next. */
    private final Deque<JsonNode> calls = new ArrayDeque<>();
    private final long endMs;
    private final Clock clock = new Clock(this::sleep);
    private final Brokers brokers;
    private final Requests requests;
    private final Wire wire;
    private final SubscriptionState subscriptions;
    private final ClassicKafkaConsumer<byte[], byte[]> consumer;
    private boolean closed;
    private int asyncCommits;
    private String positions = "";

    Bench(JsonNode script) throws ReflectiveOperationException {
        JsonNode config = script.get("config");
        script.get("steps").forEach(steps::add);
        endMs = Clock.START_MS + script.get("end").asLong();
        brokers = new Brokers(script);
        requests = new Requests(brokers);
        int requestTimeoutMs = config.get("request_timeout_ms").asInt();
        wire = new Wire(clock, brokers::atOnce, received -> requestTimeoutMs, this::block, this::told);
        ConsumerConfig settings = settings(script);
        LogContext log = new LogContext();
        subscriptions = new SubscriptionState(log, AutoOffsetResetStrategy.fromString(config.get("reset").asText()));
        ConsumerMetadata metadata = new ConsumerMetadata(settings, subscriptions, log, new ClusterResourceListeners());
        metadata.bootstrap(List.of(new InetSocketAddress("127.0.0.1", 1)));
        ApiVersions versions = new ApiVersions();
        NetworkClient client = new NetworkClient(wire, metadata, "c1", 100,
            config.get("reconnect_backoff_ms").asLong(), config.get("reconnect_backoff_max_ms").asLong(), 1024, 1024,
            requestTimeoutMs, 10_000, 10_000, clock, true, versions, log, 300_000,
            MetadataRecoveryStrategy.REBOOTSTRAP, BootstrapConfiguration.DISABLED, true);
        set(client, "randOffset", new Random() {
            @Override
            public int nextInt(int bound) {
                return 0;
            }
        });
        set(get(metadata, Metadata.class, "refreshBackoff"), "jitter", 0.0);
        Object connections = get(client, NetworkClient.class, "connectionStates");
        set(get(connections, connections.getClass(), "reconnectBackoff"), "jitter", 0.0);
        set(get(connections, connections.getClass(), "connectionSetupTimeout"), "jitter", 0.0);
        wire.setupTimeouts(connections);
        consumer = new ClassicKafkaConsumer<>(log, clock, settings, new ByteArrayDeserializer(),
            new ByteArrayDeserializer(), client, subscriptions, metadata, List.of(new RangeAssignor()));
        shareVersions(versions);
        Object coordinator = get(consumer, ClassicKafkaConsumer.class, "coordinator");
        if (coordinator != null) {
            set(get(coordinator, AbstractCoordinator.class, "retryBackoff"), "jitter", 0.0);
            Object heartbeat = get(coordinator, AbstractCoordinator.class, "heartbeat");
            set(get(heartbeat, Heartbeat.class, "retryBackoff"), "jitter", 0.0);
        }
    }

    /** The constructor that applications use gives the network's ApiVersions to all; this one does not. */
    private void shareVersions(ApiVersions versions) throws ReflectiveOperationException {
        setIn(get(consumer, ClassicKafkaConsumer.class, "fetcher"), AbstractFetch.class, "apiVersions", versions);
        Object offsets = get(consumer, ClassicKafkaConsumer.class, "offsetFetcher");
        setIn(offsets, OffsetFetcher.class, "apiVersions", versions);
        setIn(get(offsets, OffsetFetcher.class, "offsetFetcherUtils"), OffsetFetcherUtils.class, "apiVersions", versions);
    }

    private static ConsumerConfig settings(JsonNode script) {
        JsonNode config = script.get("config");
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", "127.0.0.1:1");
        settings.put("key.deserializer", ByteArrayDeserializer.class);
        settings.put("value.deserializer", ByteArrayDeserializer.class);
        settings.put("group.protocol", "classic");
        settings.put("auto.offset.reset", config.get("reset").asText());
        settings.put("isolation.level", config.get("committed").asBoolean() ? "read_committed" : "read_uncommitted");
        for (String name : List.of("max_poll_records", "request_timeout_ms", "retry_backoff_ms", "retry_backoff_max_ms",
                "default_api_timeout_ms")) {
            settings.put(name.replace('_', '.'), config.get(name).asText());
        }
        settings.put("enable.auto.commit", config.has("auto_commit_ms"));
        if (config.has("auto_commit_ms")) {
            settings.put("auto.commit.interval.ms", config.get("auto_commit_ms").asText());
        }
        if (script.path("group").asBoolean()) {
            settings.put("group.id", Brokers.GROUP);
        }
        return new ConsumerConfig(settings);
    }

    List<String> run() {
        try {
            while (true) {
                if (calls.isEmpty()) {
                    advance(Long.MAX_VALUE);
                } else {
                    wire.wasAway();
                    call(calls.poll());
                }
            }
        } catch (End end) {
            return lines;
        }
    }

    private void note(String line) {
        lines.add((clock.milliseconds() - Clock.START_MS) + " " + line);
    }

    /** Notes a request, or that a connection is made. */
    private void told(int node, Received received) {
        if (received == null) {
            note("connect b" + node);
            return;
        }
        brokers.told(received);
        String line = requests.describe(node, received);
        if (line != null) {
            note(line);
        }
    }

    // --- time -----------------------------------------------------------------------------------

    /** Lets the next step happen if that is before `untilMs`, else time go to `untilMs`. */
    private boolean advance(long untilMs) {
        long nextMs = steps.isEmpty() ? endMs : Clock.START_MS + steps.peek().get("at").asLong();
        if (untilMs <= nextMs) {
            clock.set(untilMs);
            return false;
        }
        clock.set(Math.max(nextMs, clock.milliseconds()));
        if (steps.isEmpty()) {
            throw new End();
        }
        step(steps.poll());
        return true;
    }

    private void block(long timeoutMs) {
        long untilMs = clock.milliseconds() + Math.min(timeoutMs, 1L << 40);
        while (!wire.hasNews() && advance(untilMs)) {
            // The next step.
        }
    }

    private void sleep(long ms) {
        if (ms <= 0) {
            return;
        }
        long untilMs = clock.milliseconds() + ms;
        while (advance(untilMs)) {
            // The next step.
        }
        wire.wasAway();
    }

    // --- the brokers and the application --------------------------------------------------------

    private void step(JsonNode step) {
        switch (step.get("do").asText()) {
            case "answer" -> wire.respond(step.get("nth").asInt(), waiting -> brokers.answer(waiting, step));
            case "hold" -> wire.hold(step.get("node").asInt());
            case "release" -> wire.release(step.get("node").asInt());
            case "hide" -> wire.hide(step.get("node").asInt());
            case "show" -> wire.show(step.get("node").asInt());
            case "disconnect" -> wire.disconnect(step.get("node").asInt());
            case "lead" -> brokers.lead(step.get("partition").asInt(), step.get("leader").asInt());
            case "coordinate" -> brokers.coordinate(step.get("node").asInt());
            case "append" -> brokers.append(step);
            case "truncate" -> brokers.truncate(step.get("partition").asInt(), step.get("batches").asInt());
            default -> calls.add(step);
        }
    }

    private static TopicPartition partition(JsonNode number) {
        return new TopicPartition(Brokers.TOPIC, number.asInt());
    }

    private void call(JsonNode step) {
        if (closed) {
            return;
        }
        String name = step.get("do").asText();
        try {
            switch (name) {
                case "poll" -> note(polled(consumer.poll(Duration.ofMillis(step.get("ms").asLong()))));
                case "assign" -> {
                    List<TopicPartition> partitions = new ArrayList<>();
                    step.get("partitions").forEach(number -> partitions.add(partition(number)));
                    consumer.assign(partitions);
                }
                case "seek", "beginning", "end", "pause", "resume" -> {
                    if (subscriptions.isAssigned(partition(step.get("partition")))) {
                        move(name, partition(step.get("partition")), step.path("offset").asLong());
                    }
                }
                case "commit" -> {
                    if (step.has("partition")) {
                        consumer.commitSync(offsets(step));
                    } else {
                        consumer.commitSync();
                    }
                    note("commit ok");
                }
                case "commit-async" -> commitAsync(step);
                case "close" -> {
                    closed = true;
                    consumer.close(CloseOptions.timeout(Duration.ofMillis(step.get("ms").asLong())));
                    note("close ok");
                }
                default -> throw new IllegalArgumentException("unknown step " + step);
            }
        } catch (RuntimeException error) {
            note(name + " throws " + Failures.nameOf(error));
        }
        notePositions();
    }

    private void move(String how, TopicPartition partition, long offset) {
        switch (how) {
            case "seek" -> consumer.seek(partition, offset);
            case "beginning" -> consumer.seekToBeginning(List.of(partition));
            case "end" -> consumer.seekToEnd(List.of(partition));
            case "pause" -> consumer.pause(List.of(partition));
            default -> consumer.resume(List.of(partition));
        }
    }

    private static Map<TopicPartition, OffsetAndMetadata> offsets(JsonNode step) {
        return Map.of(partition(step.get("partition")), new OffsetAndMetadata(step.get("offset").asLong()));
    }

    private void commitAsync(JsonNode step) {
        int number = asyncCommits++;
        Map<TopicPartition, OffsetAndMetadata> offsets =
            step.has("partition") ? offsets(step) : subscriptions.allConsumed();
        consumer.commitAsync(offsets, (committed, error) ->
            note("async " + number + " " + (error == null ? "ok" : Failures.nameOf(error))));
    }

    /** The records by partition, as runs of offsets. */
    private static String polled(ConsumerRecords<byte[], byte[]> records) {
        StringBuilder line = new StringBuilder("poll");
        Map<Integer, List<ConsumerRecord<byte[], byte[]>>> byPartition = new TreeMap<>();
        records.partitions().forEach(partition -> byPartition.put(partition.partition(), records.records(partition)));
        byPartition.forEach((partition, list) -> {
            line.append(" p").append(partition).append(':');
            long first = list.get(0).offset();
            long last = first;
            for (ConsumerRecord<byte[], byte[]> record : list.subList(1, list.size())) {
                if (record.offset() != last + 1) {
                    line.append(first).append('-').append(last).append(',');
                    first = record.offset();
                }
                last = record.offset();
            }
            line.append(first).append('-').append(last);
        });
        return line.toString();
    }

    /** Notes what is assigned, and where it is, if that is news. */
    private void notePositions() {
        if (closed) {
            return;
        }
        TreeMap<Integer, String> found = new TreeMap<>();
        Collection<TopicPartition> assigned = subscriptions.assignedPartitions();
        for (TopicPartition partition : assigned) {
            boolean valid = subscriptions.hasValidPosition(partition);
            found.put(partition.partition(), "p" + partition.partition() + "="
                + (valid ? String.valueOf(subscriptions.positionOrNull(partition).offset) : "-"));
        }
        String line = String.join(" ", found.values());
        if (!line.equals(positions)) {
            note("at " + line);
            positions = line;
        }
    }

    // --- what is not visible --------------------------------------------------------------------

    private static Object get(Object owner, Class<?> declaring, String name) throws ReflectiveOperationException {
        Field field = declaring.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(owner);
    }

    private static void set(Object owner, String name, Object value) throws ReflectiveOperationException {
        setIn(owner, owner.getClass(), name, value);
    }

    private static void setIn(Object owner, Class<?> declaring, String name, Object value)
            throws ReflectiveOperationException {
        Field field = declaring.getDeclaredField(name);
        field.setAccessible(true);
        field.set(owner, value);
    }
}
