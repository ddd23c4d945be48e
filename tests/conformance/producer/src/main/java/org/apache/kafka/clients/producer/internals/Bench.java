package org.apache.kafka.clients.producer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.Metadata;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.internals.ClusterResourceListeners;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.internals.LogContext;

import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One script on Kafka's RecordAccumulator, Sender, TransactionManager, ProducerMetadata and
 * NetworkClient. The only thread is the sender; the application acts while it blocks in a poll or
 * sleeps, and time passes then.
 *
 * <p>KafkaProducer itself is left out: what it does around RecordAccumulator.append is repeated in
 * {@link #send}. Nothing of Kafka is replaced but the clock, the sockets, and chance: the random start of
 * NetworkClient.leastLoadedNode is 0, and the field "jitter" of the four ExponentialBackoffs is 0.
 */
final class Bench {
    /** The end of the script, thrown through the sender. */
    private static final class End extends Error {
        End() {
            super(null, null, false, false);
        }
    }

    /** A record whose send() waits for metadata. */
    private record Pending(int record, int partition, int size) {
    }

    private final List<String> lines = new ArrayList<>();
    private final Deque<JsonNode> steps = new ArrayDeque<>();
    private final Deque<Pending> blocked = new ArrayDeque<>();
    private final List<List<ProduceRequestResult>> flushes = new ArrayList<>();
    private final long endMs;
    private final Clock clock = new Clock(this::sleep);
    private final Brokers brokers;
    private final Wire wire;
    private final ProducerMetadata metadata;
    private final RecordAccumulator accumulator;
    private final TransactionManager transactions;
    private final Sender sender;
    private int records;

    Bench(JsonNode script) throws ReflectiveOperationException {
        JsonNode config = script.get("config");
        script.get("steps").forEach(steps::add);
        endMs = Clock.START_MS + script.get("end").asLong();
        brokers = new Brokers(script);
        int maxInFlight = config.get("max_in_flight").asInt();
        int requestTimeoutMs = config.get("request_timeout_ms").asInt();
        wire = new Wire(brokers, clock, requestTimeoutMs, this::application, this::block, this::told);
        long retryBackoffMs = config.get("retry_backoff_ms").asLong();
        long retryBackoffMaxMs = config.get("retry_backoff_max_ms").asLong();
        long reconnectBackoffMs = config.get("reconnect_backoff_ms").asLong();
        long reconnectBackoffMaxMs = config.get("reconnect_backoff_max_ms").asLong();
        int batchSize = Math.max(1, config.get("batch_size").asInt());
        LogContext log = new LogContext();
        Metrics metrics = new Metrics(clock);
        ApiVersions versions = new ApiVersions();
        metadata = new ProducerMetadata(retryBackoffMs, retryBackoffMaxMs, 300_000, 300_000, log,
            new ClusterResourceListeners());
        metadata.bootstrap(List.of(new InetSocketAddress("127.0.0.1", 1)));
        transactions = config.get("idempotence").asBoolean()
            ? new TransactionManager(log, null, 60_000, retryBackoffMs, versions, metadata, false) : null;
        accumulator = new RecordAccumulator(log, batchSize, Compression.NONE, config.get("linger_ms").asInt(),
            retryBackoffMs, retryBackoffMaxMs, config.get("delivery_timeout_ms").asInt(), metrics, "producer", clock,
            transactions, new BufferPool(32 * 1024 * 1024, batchSize, metrics, clock, "producer"));
        NetworkClient client = new NetworkClient(wire, metadata, "p1", maxInFlight, reconnectBackoffMs,
            reconnectBackoffMaxMs, 1024, 1024, requestTimeoutMs, 10_000, 10_000, clock, true, versions, log,
            300_000, MetadataRecoveryStrategy.REBOOTSTRAP, BootstrapConfiguration.DISABLED, true);
        set(client, "randOffset", new Random() {
            @Override
            public int nextInt(int bound) {
                return 0;
            }
        });
        set(get(metadata, Metadata.class, "refreshBackoff"), "jitter", 0.0);
        set(get(accumulator, "retryBackoff"), "jitter", 0.0);
        Object connections = get(client, "connectionStates");
        set(get(connections, "reconnectBackoff"), "jitter", 0.0);
        set(get(connections, "connectionSetupTimeout"), "jitter", 0.0);
        sender = new Sender(log, client, metadata, accumulator, maxInFlight == 1, 1024 * 1024,
            (short) config.get("acks").asInt(), config.get("retries").asInt(), new SenderMetricsRegistry(metrics),
            clock, requestTimeoutMs, retryBackoffMs, transactions);
    }

    List<String> run() {
        try {
            while (true) {
                try {
                    sender.runOnce();
                } catch (RuntimeException error) {
                    // As Sender.run does, which logs it.
                    note("uncaught " + error);
                }
                endFlushes();
            }
        } catch (End end) {
            return lines;
        }
    }

    private void note(String line) {
        lines.add((clock.milliseconds() - Clock.START_MS) + " " + line);
    }

    /** Notes a request, or that a connection is made. */
    private void told(int node, Brokers.Received received) {
        if (received == null) {
            note("connect b" + node);
            return;
        }
        switch (received.header().apiKey()) {
            case PRODUCE -> note("send b" + node + " " + brokers.describe((ProduceRequest) received.request()));
            case METADATA -> note("metadata b" + node);
            case INIT_PRODUCER_ID -> note("init b" + node);
            default -> { }
        }
    }

    // --- time -----------------------------------------------------------------------------------

    private long nextStepMs() {
        return steps.isEmpty() ? endMs : Clock.START_MS + steps.peek().get("at").asLong();
    }

    /** Lets the next step happen if that is before `untilMs`, else time go to `untilMs`. */
    private boolean advance(long untilMs) {
        long nextMs = nextStepMs();
        if (untilMs <= nextMs) {
            clock.set(Math.max(untilMs, clock.milliseconds()));
            return false;
        }
        clock.set(Math.max(nextMs, clock.milliseconds()));
        if (steps.isEmpty()) {
            throw new End();
        }
        step(steps.poll());
        return true;
    }

    private boolean block(long timeoutMs) {
        long untilMs = clock.milliseconds() + Math.min(timeoutMs, 1L << 40);
        while (advance(untilMs)) {
            if (wire.hasNews()) {
                return true;
            }
        }
        return false;
    }

    private void sleep(long ms) {
        long untilMs = clock.milliseconds() + ms;
        while (advance(untilMs)) {
            application();
        }
        wire.overslept();
    }

    // --- the application and the brokers --------------------------------------------------------

    private void step(JsonNode step) {
        switch (step.get("do").asText()) {
            case "send" -> {
                blocked.add(new Pending(records++, step.get("partition").asInt(), step.get("size").asInt()));
                if (!metadata.fetch().topics().contains(Brokers.TOPIC)) {
                    metadata.add(Brokers.TOPIC, clock.milliseconds());
                    metadata.requestUpdateForTopic(Brokers.TOPIC);
                    sender.wakeup();
                }
                application();
            }
            case "flush" -> {
                List<ProduceRequestResult> waitedFor = new ArrayList<>();
                IncompleteBatches incomplete = (IncompleteBatches) get(accumulator, "incomplete");
                incomplete.requestResults().forEach(waitedFor::add);
                accumulator.beginFlush();
                flushes.add(waitedFor);
                sender.wakeup();
            }
            case "answer" -> wire.respond(step.get("nth").asInt(),
                received -> brokers.produced((ProduceRequest) received.request(), step));
            case "disconnect" -> wire.disconnect(step.get("node").asInt());
            case "lead" -> brokers.lead(step.get("partition").asInt(), step.get("leader").asInt());
            default -> throw new IllegalArgumentException("unknown step " + step);
        }
    }

    /** What threads inside send() and flush() do when the sender thread blocks. */
    private void application() {
        endFlushes();
        while (!blocked.isEmpty() && metadata.fetch().topics().contains(Brokers.TOPIC)) {
            send(blocked.poll());
        }
    }

    private void endFlushes() {
        for (Iterator<List<ProduceRequestResult>> each = flushes.iterator(); each.hasNext();) {
            if (each.next().stream().allMatch(Bench::isOver)) {
                each.remove();
                ((AtomicInteger) get(accumulator, "flushesInProgress")).decrementAndGet();
            }
        }
    }

    /** Kafka: ProduceRequestResult.awaitAllDependents, without waiting. */
    private static boolean isOver(ProduceRequestResult result) {
        return result.completed()
            && ((List<?>) get(result, "dependentResults")).stream().allMatch(each -> isOver((ProduceRequestResult) each));
    }

    /** Kafka: KafkaProducer.doSend from RecordAccumulator.append on. */
    private void send(Pending pending) {
        long nowMs = clock.milliseconds();
        metadata.add(Brokers.TOPIC, nowMs);
        RecordAccumulator.AppendCallbacks callbacks = new RecordAccumulator.AppendCallbacks() {
            @Override
            public void setPartition(int partition) {
            }

            @Override
            public void onCompletion(RecordMetadata delivered, Exception error) {
                String record = "r" + pending.record() + " p" + pending.partition();
                note(error == null ? "ack " + record + " @" + (delivered.hasOffset() ? delivered.offset() : "?")
                    : "fail " + record + " " + Errors.forException(error));
            }
        };
        try {
            RecordAccumulator.RecordAppendResult result = accumulator.append(Brokers.TOPIC,
                pending.partition(), nowMs, null, new byte[pending.size()], null, callbacks, 0, nowMs, metadata.fetch());
            if (result.batchIsFull || result.newBatchCreated) {
                sender.wakeup();
            }
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    // --- what is not visible --------------------------------------------------------------------

    private static Object get(Object owner, String name) {
        return get(owner, owner.getClass(), name);
    }

    private static Object get(Object owner, Class<?> declaring, String name) {
        try {
            Field field = declaring.getDeclaredField(name);
            field.setAccessible(true);
            return field.get(owner);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void set(Object owner, String name, Object value) throws ReflectiveOperationException {
        Field field = owner.getClass().getDeclaredField(name);
        field.setAccessible(true);
        field.set(owner, value);
    }
}
