package org.apache.kafka.clients.producer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.Metadata;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.internals.ClusterResourceListeners;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.internals.LogContext;

import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/**
 * One script with transactions on Kafka's RecordAccumulator, Sender, TransactionManager,
 * ProducerMetadata and NetworkClient. The only thread is the sender; the application acts while it
 * blocks in a poll or sleeps, and time passes then.
 *
 * <p>KafkaProducer itself is left out, since its threads wait for a TransactionalRequestResult in real
 * time: what it does around RecordAccumulator.append is repeated in {@link #send}, its transactional
 * calls in {@link Calls}. Nothing of Kafka is replaced but the clock, the sockets, and chance: the random start of
 * NetworkClient.leastLoadedNode is 0, and the field "jitter" of the four ExponentialBackoffs is 0.
 */
final class TransactionBench {
    /** The end of the script, thrown through the sender. */
    private static final class End extends Error {
        End() {
            super(null, null, false, false);
        }
    }

    /** A record whose send() waits for metadata. */
    private record Pending(int record, int partition, int size, long deadlineMs) {
    }

    private final List<String> lines = new ArrayList<>();
    private final Deque<JsonNode> steps = new ArrayDeque<>();
    private final Deque<Pending> blocked = new ArrayDeque<>();
    private final long endMs;
    private final Clock clock = new Clock(this::sleep);
    private final Brokers brokers;
    private final Wire wire;
    private final ProducerMetadata metadata;
    private final RecordAccumulator accumulator;
    private final TransactionManager transactions;
    private final Calls calls;
    private final Sender sender;
    /** The application acts, not the sender. */
    private boolean application;
    /** When a close() that goes on comes to its end. */
    private long closeMs = Long.MAX_VALUE;
    private int records;
    /** The metadata's version when threads that wait for it were last woken. */
    private int announced;
    /** The version that threads inside send() wait to be exceeded. */
    private int awaited;

    TransactionBench(JsonNode script) throws ReflectiveOperationException {
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
                new ClusterResourceListeners()) {
            @Override
            public synchronized void update(int version, MetadataResponse response, boolean partial, long nowMs) {
                super.update(version, response, partial, nowMs);
                announced = updateVersion();
            }
        };
        metadata.bootstrap(List.of(new InetSocketAddress("127.0.0.1", 1)));
        transactions = new TransactionManager(log, "t", 60_000, retryBackoffMs, versions, metadata, false) {
            @Override
            protected boolean shouldPoisonStateOnInvalidTransition() {
                return !application;
            }
        };
        calls = new Calls(transactions, metadata, clock, config.path("max_block_ms").asLong(60_000), () -> announced,
            this::note);
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
        wire.setupTimeouts(connections);
        sender = new Sender(log, client, metadata, accumulator, maxInFlight == 1, 1024 * 1024,
            (short) config.get("acks").asInt(), config.get("retries").asInt(), new SenderMetricsRegistry(metrics),
            clock, requestTimeoutMs, retryBackoffMs, transactions);
        calls.sender(sender);
    }

    List<String> run() {
        try {
            sender.run();
            note("closed");
            blocked.clear();
            while (true) {
                advance(Long.MAX_VALUE);
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
        String asked = Coordinators.describe(received.request());
        if (asked != null) {
            note("ask b" + node + " " + asked);
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
        application();
        long nextMs = nextStepMs();
        long dueMs = Math.min(calls.deadlineMs(), closeMs);
        if (!blocked.isEmpty()) {
            dueMs = Math.min(dueMs, blocked.peek().deadlineMs());
        }
        if (dueMs <= nextMs && dueMs < untilMs) {
            passTo(dueMs);
            if (dueMs == closeMs) {
                closeMs = Long.MAX_VALUE;
                sender.forceClose();
            }
            return true;
        }
        if (untilMs <= nextMs) {
            passTo(untilMs);
            return false;
        }
        passTo(nextMs);
        if (steps.isEmpty()) {
            calls.noteState();
            throw new End();
        }
        act(() -> step(steps.poll()));
        return true;
    }

    /** Lets time go to `ms`, unless it is there. */
    private void passTo(long ms) {
        if (ms > clock.milliseconds()) {
            calls.noteState();
            clock.set(ms);
        }
    }

    /** What the application does. */
    private void act(Runnable what) {
        boolean before = application;
        application = true;
        what.run();
        application = before;
    }

    private boolean block(long timeoutMs) {
        boolean spins = timeoutMs == 0;
        long untilMs = clock.milliseconds() + Math.max(Math.min(timeoutMs, 1L << 40), 1);
        while (advance(untilMs)) {
            // A sender that spins sees at once what a step changed.
            if (spins || wire.hasNews()) {
                return true;
            }
        }
        return false;
    }

    private void sleep(long ms) {
        long untilMs = clock.milliseconds() + ms;
        application();
        while (advance(untilMs)) {
            application();
        }
        wire.overslept();
    }

    // --- the application and the brokers --------------------------------------------------------

    private void step(JsonNode step) {
        if (calls.step(step)) {
            return;
        }
        switch (step.get("do").asText()) {
            case "close" -> {
                long timeoutMs = step.get("timeout_ms").asLong();
                if (timeoutMs > 0) {
                    sender.initiateClose();
                    closeMs = clock.milliseconds() + timeoutMs;
                } else {
                    sender.forceClose();
                }
            }
            case "send" -> {
                if (!sender.isRunning()) {
                    records++;
                    return;
                }
                blocked.add(new Pending(records++, step.get("partition").asInt(),
                    step.get("size").asInt(), calls.deadlineFromNow()));
                if (!metadata.fetch().topics().contains(Brokers.TOPIC)) {
                    metadata.add(Brokers.TOPIC, clock.milliseconds());
                    awaited = metadata.requestUpdateForTopic(Brokers.TOPIC);
                    sender.wakeup();
                }
                application();
            }
            case "answer" -> wire.respond(step.get("nth").asInt(), step.path("throttle").asInt(),
                received -> brokers.answer(received, step));
            case "disconnect" -> wire.disconnect(step.get("node").asInt());
            case "lead" -> brokers.lead(step.get("partition").asInt(), step.get("leader").asInt());
            default -> throw new IllegalArgumentException("unknown step " + step);
        }
    }

    /** What the application's threads do when the sender thread blocks. */
    private void application() {
        act(calls::look);
        while (!blocked.isEmpty() && blocked.peek().deadlineMs() <= clock.milliseconds()) {
            blocked.poll();
            act(() -> calls.refused(new TimeoutException()));
        }
        while (!blocked.isEmpty() && metadata.fetch().topics().contains(Brokers.TOPIC)) {
            act(() -> send(blocked.poll()));
        }
        if (!blocked.isEmpty() && announced > awaited) {
            metadata.add(Brokers.TOPIC, clock.milliseconds());
            awaited = metadata.requestUpdateForTopic(Brokers.TOPIC);
            sender.wakeup();
        }
    }

    /** Kafka: KafkaProducer.doSend from RecordAccumulator.append on. */
    private void send(Pending pending) {
        long nowMs = clock.milliseconds();
        if (!sender.isRunning()) {
            return;
        }
        metadata.add(Brokers.TOPIC, nowMs);
        RecordAccumulator.AppendCallbacks callbacks = new RecordAccumulator.AppendCallbacks() {
            @Override
            public void setPartition(int partition) {
            }

            @Override
            public void onCompletion(RecordMetadata delivered, Exception error) {
                String record = "r" + pending.record() + " p" + pending.partition();
                note(error == null ? "ack " + record + " @" + (delivered.hasOffset() ? delivered.offset() : "?")
                    : "fail " + record + " " + Calls.nameOf(error));
            }
        };
        try {
            RecordAccumulator.RecordAppendResult result = accumulator.append(Brokers.TOPIC,
                pending.partition(), nowMs, null, new byte[pending.size()], null, callbacks, 0, nowMs, metadata.fetch());
            if (calls.appended(pending.partition()) && (result.batchIsFull || result.newBatchCreated)) {
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
