package org.apache.kafka.clients.producer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.Metadata;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.Producers;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.internals.ClusterResourceListeners;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.CompressionRatioEstimator;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Timer;
import org.apache.kafka.common.utils.internals.LogContext;

import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One script on KafkaProducer with its RecordAccumulator, BufferPool, Sender, TransactionManager,
 * ProducerMetadata and NetworkClient. This thread is the sender; the application's threads go on
 * while it blocks in a poll or sleeps, and time passes then.
 *
 * <p>Nothing of Kafka is replaced but
 * <ul>
 *   <li>the clock, the sockets, and how threads wait: the lock of BufferPool and
 *       ProducerMetadata.awaitUpdate wait in virtual time, {@link #flush} and {@link #close} do what
 *       KafkaProducer does there without blocking;</li>
 *   <li>chance: the random start of NetworkClient.leastLoadedNode is 0, the field "jitter" of the four
 *       ExponentialBackoffs is 0, and BuiltInPartitioner.randomPartition returns what the script says;</li>
 *   <li>the codec, which keeps so many quarters of each batch.</li>
 * </ul>
 */
final class Bench {
    /** The end of the script, thrown through the sender. */
    private static final class End extends Error {
        End() {
            super(null, null, false, false);
        }
    }

    /** A flush() that waits. */
    private record Flush(int number, List<ProduceRequestResult> results) {
    }

    /** The sender, which tells of what it would only log. */
    private final class OwnSender extends Sender {
        OwnSender(LogContext log, NetworkClient client, int maxInFlight, JsonNode config, Metrics metrics,
                int requestTimeoutMs, long retryBackoffMs) {
            super(log, client, metadata, accumulator, maxInFlight == 1, config.path("max_request_size").asInt(1024 * 1024),
                (short) config.get("acks").asInt(), config.get("retries").asInt(), new SenderMetricsRegistry(metrics),
                clock, requestTimeoutMs, retryBackoffMs, transactions);
        }

        @Override
        void runOnce() {
            try {
                super.runOnce();
            } catch (RuntimeException error) {
                note("uncaught " + error);
            }
            endFlushes();
        }
    }

    /** Metadata whose waiting threads wait in virtual time. */
    private final class OwnMetadata extends ProducerMetadata {
        private int notices;

        OwnMetadata(long retryBackoffMs, long retryBackoffMaxMs, LogContext log) {
            super(retryBackoffMs, retryBackoffMaxMs, 300_000, 300_000, log, new ClusterResourceListeners());
        }

        @Override
        public void awaitUpdate(int lastVersion, Timer timer) {
            while (true) {
                maybeThrowFatalException();
                if (updateVersion() > lastVersion || isClosed()) {
                    break;
                }
                timer.update();
                if (timer.isExpired()) {
                    throw new TimeoutException("Failed to update metadata after " + timer.timeoutMs() + " ms.");
                }
                int seen = notices;
                threads.await(() -> notices > seen, clock.milliseconds() + timer.remainingMs());
            }
            if (isClosed()) {
                throw new KafkaException("Requested metadata update after close");
            }
        }

        @Override
        public synchronized void update(int requestVersion, MetadataResponse response, boolean isPartial, long nowMs) {
            super.update(requestVersion, response, isPartial, nowMs);
            notices++;
        }

        @Override
        public synchronized void fatalError(KafkaException error) {
            super.fatalError(error);
            notices++;
        }

        @Override
        public synchronized void close() {
            super.close();
            notices++;
        }
    }

    private final List<String> lines = new ArrayList<>();
    private final Deque<JsonNode> steps = new ArrayDeque<>();
    private final List<Flush> flushes = new ArrayList<>();
    private final List<Integer> choices = new ArrayList<>();
    private final long endMs;
    private final Clock clock = new Clock(this::sleep);
    private final Threads threads = new Threads(clock);
    private final Brokers brokers;
    private final Wire wire;
    private final OwnMetadata metadata;
    private final RecordAccumulator accumulator;
    private final TransactionManager transactions;
    private final Sender sender;
    private final KafkaProducer<byte[], byte[]> producer;
    private int records;
    private int flushed;
    private int chosen;
    private long forceCloseMs = Long.MAX_VALUE;

    Bench(JsonNode script) throws ReflectiveOperationException {
        JsonNode config = script.get("config");
        script.get("steps").forEach(steps::add);
        endMs = Clock.START_MS + script.get("end").asLong();
        brokers = new Brokers(script);
        int maxInFlight = config.get("max_in_flight").asInt();
        int requestTimeoutMs = config.get("request_timeout_ms").asInt();
        script.path("choices").forEach(choice -> choices.add(choice.asInt()));
        long retryBackoffMs = config.get("retry_backoff_ms").asLong();
        long retryBackoffMaxMs = config.get("retry_backoff_max_ms").asLong();
        long reconnectBackoffMs = config.get("reconnect_backoff_ms").asLong();
        long reconnectBackoffMaxMs = config.get("reconnect_backoff_max_ms").asLong();
        long setupMs = config.path("setup_timeout_ms").asLong(10_000);
        long setupMaxMs = config.path("setup_timeout_max_ms").asLong(10_000);
        long memory = config.path("buffer_memory").asLong(32 * 1024 * 1024);
        int batchSize = Math.max(1, config.get("batch_size").asInt());
        LogContext log = new LogContext();
        Metrics metrics = new Metrics(clock);
        ApiVersions versions = new ApiVersions();
        metadata = new OwnMetadata(retryBackoffMs, retryBackoffMaxMs, log);
        metadata.bootstrap(List.of(new InetSocketAddress("127.0.0.1", 1)));
        transactions = config.get("idempotence").asBoolean()
            ? new TransactionManager(log, null, 60_000, retryBackoffMs, versions, metadata, false) : null;
        BufferPool pool = new BufferPool(memory, batchSize, metrics, clock, "producer");
        set(pool, BufferPool.class, "lock", threads.lock());
        int quarters = config.path("compressed_quarters").asInt();
        CompressionRatioEstimator.resetEstimation(Brokers.TOPIC);
        boolean builtIn = !config.path("round_robin").asBoolean();
        accumulator = new RecordAccumulator(log, batchSize, quarters == 0 ? Compression.NONE : new Shrinking(quarters),
                config.get("linger_ms").asInt(), retryBackoffMs, retryBackoffMaxMs,
                config.get("delivery_timeout_ms").asInt(), new RecordAccumulator.PartitionerConfig(
                    builtIn && !config.path("not_adaptive").asBoolean(),
                    config.path("availability_timeout_ms").asLong(), false, ""),
                metrics, "producer", clock, transactions, pool) {
            @Override
            BuiltInPartitioner createBuiltInPartitioner(LogContext log, String topic, int size, boolean aware, String rack) {
                return new BuiltInPartitioner(log, topic, size, aware, rack) {
                    @Override
                    int randomPartition() {
                        return choices.get(chosen++ % choices.size());
                    }
                };
            }
        };
        wire = new Wire(brokers, clock, requestTimeoutMs, this::application, this::block, this::told);
        NetworkClient client = new NetworkClient(wire, metadata, "p1", maxInFlight, reconnectBackoffMs,
            reconnectBackoffMaxMs, 1024, 1024, requestTimeoutMs, setupMs, setupMaxMs, clock, true, versions, log,
            300_000, MetadataRecoveryStrategy.REBOOTSTRAP, BootstrapConfiguration.DISABLED, true);
        set(client, NetworkClient.class, "randOffset", new Random() {
            @Override
            public int nextInt(int bound) {
                return 0;
            }
        });
        Object states = get(client, NetworkClient.class, "connectionStates");
        for (Object backoff : List.of(get(metadata, Metadata.class, "refreshBackoff"),
                get(accumulator, RecordAccumulator.class, "retryBackoff"),
                get(states, states.getClass(), "reconnectBackoff"),
                get(states, states.getClass(), "connectionSetupTimeout"))) {
            set(backoff, backoff.getClass(), "jitter", 0.0);
        }
        wire.setupTimeouts(states);
        sender = new OwnSender(log, client, maxInFlight, config, metrics, requestTimeoutMs, retryBackoffMs);
        producer = Producers.of(Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:1",
            ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class,
            ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class,
            ProducerConfig.LINGER_MS_CONFIG, 0,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG, config.path("max_request_size").asInt(1024 * 1024),
            ProducerConfig.BUFFER_MEMORY_CONFIG, memory,
            ProducerConfig.MAX_BLOCK_MS_CONFIG, config.path("max_block_ms").asLong(60_000),
            ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG, config.path("ignore_keys").asBoolean()),
            metrics, metadata, accumulator, transactions, sender, builtIn ? null : new RoundRobinPartitioner(), clock);
    }

    List<String> run() {
        try {
            sender.run();
            forceCloseMs = Long.MAX_VALUE;
            note("closed");
            application();
            while (true) {
                advance(Long.MAX_VALUE);
                application();
            }
        } catch (End end) {
            threads.abandon();
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

    /**
     * Lets the next thing happen if that is before {@code untilMs}: close() loses its patience, a
     * thread gives up waiting, or a step. Otherwise time goes to {@code untilMs}.
     */
    private boolean advance(long untilMs) {
        long stepMs = nextStepMs();
        long threadMs = threads.nextDeadlineMs();
        long firstMs = Math.min(forceCloseMs, Math.min(stepMs, threadMs));
        clock.set(Math.max(Math.min(untilMs, firstMs), clock.milliseconds()));
        if (forceCloseMs <= Math.min(untilMs, firstMs)) {
            forceCloseMs = Long.MAX_VALUE;
            sender.forceClose();
        } else if (untilMs <= firstMs) {
            return false;
        } else if (threadMs == firstMs) {
            threads.run();
        } else if (steps.isEmpty()) {
            throw new End();
        } else {
            step(steps.poll());
            threads.run();
        }
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
            case "send" -> send(step);
            case "flush" -> flush();
            case "close" -> close(step.get("timeout_ms").asLong());
            case "answer" -> wire.respond(step.get("nth").asInt(), step.path("throttle").asInt(),
                received -> brokers.produced((ProduceRequest) received.request(), step));
            case "disconnect" -> wire.disconnect(step.get("node").asInt());
            case "hold" -> wire.hold(step.get("node").asInt());
            case "release" -> wire.release(step.get("node").asInt());
            case "hide" -> wire.hide(step.get("node").asInt());
            case "show" -> wire.show(step.get("node").asInt());
            case "lead" -> brokers.lead(step.get("partition").asInt(), step.get("leader").asInt());
            default -> throw new IllegalArgumentException("unknown step " + step);
        }
    }

    /** What the application's threads do when the sender thread blocks. */
    private void application() {
        endFlushes();
        threads.run();
    }

    /** KafkaProducer.flush; {@link #endFlushes} is its end. */
    private void flush() {
        List<ProduceRequestResult> results = new ArrayList<>();
        accumulator.beginFlush();
        sender.wakeup();
        IncompleteBatches incomplete = (IncompleteBatches) get(accumulator, RecordAccumulator.class, "incomplete");
        incomplete.requestResults().forEach(results::add);
        flushes.add(new Flush(flushed++, results));
        endFlushes();
    }

    /** KafkaProducer.close up to where it waits for the sender thread. */
    private void close(long timeoutMs) {
        if (timeoutMs > 0) {
            sender.initiateClose();
            forceCloseMs = clock.milliseconds() + timeoutMs;
        } else {
            sender.forceClose();
        }
        threads.run();
    }

    private void endFlushes() {
        for (Iterator<Flush> each = flushes.iterator(); each.hasNext();) {
            Flush flush = each.next();
            if (flush.results().stream().allMatch(Bench::isOver)) {
                each.remove();
                ((AtomicInteger) get(accumulator, RecordAccumulator.class, "flushesInProgress")).decrementAndGet();
                note("flushed f" + flush.number());
            }
        }
    }

    /** Kafka: ProduceRequestResult.awaitAllDependents, without waiting. */
    private static boolean isOver(ProduceRequestResult result) {
        return result.completed()
            && ((List<?>) get(result, ProduceRequestResult.class, "dependentResults")).stream().allMatch(each -> isOver((ProduceRequestResult) each));
    }

    private void send(JsonNode step) {
        int record = records++;
        Integer partition = step.has("partition") ? step.get("partition").asInt() : null;
        byte[] key = step.has("key") ? ("key" + step.get("key").asInt()).getBytes(StandardCharsets.UTF_8) : null;
        byte[] value = new byte[step.get("size").asInt()];
        threads.start(() -> {
            try {
                producer.send(new ProducerRecord<>(Brokers.TOPIC, partition, key, value),
                    (delivered, error) -> completed(record, delivered, error));
            } catch (RuntimeException error) {
                note("throw r" + record + " " + name(error));
            }
        });
    }

    private void completed(int record, RecordMetadata delivered, Exception error) {
        if (error == null) {
            note("ack r" + record + " p" + delivered.partition() + " @"
                + (delivered.hasOffset() ? delivered.offset() : "?"));
        } else if (threads.isOne()) {
            note("refuse r" + record + " " + error.getClass().getSimpleName());
        } else {
            Errors code = Errors.forException(error);
            boolean hasCode = code != Errors.UNKNOWN_SERVER_ERROR || error instanceof UnknownServerException;
            note("fail r" + record + " p" + delivered.partition() + " " + (hasCode ? code : name(error)));
        }
    }

    /** The class of an exception; a closed producer throws several. */
    private static String name(Exception error) {
        String message = String.valueOf(error.getMessage());
        return message.contains("closed") && !message.contains("forcefully") ? "closed"
            : error.getClass().getSimpleName();
    }

    // --- what is not visible --------------------------------------------------------------------

    private static Object get(Object owner, Class<?> declaring, String name) {
        try {
            Field field = declaring.getDeclaredField(name);
            field.setAccessible(true);
            return field.get(owner);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void set(Object owner, Class<?> declaring, String name, Object value)
            throws ReflectiveOperationException {
        Field field = declaring.getDeclaredField(name);
        field.setAccessible(true);
        field.set(owner, value);
    }
}
