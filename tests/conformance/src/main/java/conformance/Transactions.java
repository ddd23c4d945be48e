package conformance;

import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;
import static org.mockito.Mockito.withSettings;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledFuture;
import kafka.coordinator.transaction.TransactionCoordinator;
import kafka.coordinator.transaction.TransactionStateManager;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.utils.internals.LogContext;
import org.apache.kafka.common.utils.internals.ProducerIdAndEpoch;
import org.apache.kafka.coordinator.transaction.TransactionConfig;
import org.apache.kafka.coordinator.transaction.TransactionLog;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.apache.kafka.metadata.MetadataCache;
import org.apache.kafka.server.common.FinalizedFeatures;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.common.TransactionVersion;
import org.apache.kafka.server.util.Scheduler;
import scala.Option;

/**
 * The transaction coordinator of broker 1 with its state manager and its marker channels.
 *
 * <p>A script has {@code version}, the level of transaction.version; {@code load}, how many
 * milliseconds it takes to read the partition; {@code abort} and {@code expire}, the microseconds at
 * which the two sweeps are first made; and {@code steps}:
 *
 * <ul>
 *   <li>{@code ["init", id, timeout, producer id, epoch]}; producer id -1 is none
 *   <li>{@code ["add", id, producer id, epoch, [partitions]]} as a client adds; {@code "join"} and
 *       {@code "verify"} with the same, as a leader; {@code ["offsets", id, producer id, epoch]}
 *   <li>{@code ["end", id, producer id, epoch, "commit" or "abort", version]}
 *   <li>{@code ["markers", broker, error, place]}: a leader answers the oldest request with markers,
 *       with an error for the partition in this place or for all; {@code ["lost", broker]}: its
 *       connection ends
 *   <li>{@code ["replicate", count]}: the follower has so many more records, 0 for all
 *   <li>{@code ["isr", replicas]}, {@code ["resign"]}, {@code ["elect"]}
 *   <li>{@code ["wrote", record]}: the other leader has written this
 *   <li>{@code ["wait", milliseconds]}
 * </ul>
 *
 * <p>A leader that does not answer for ten seconds loses the connection, before it would be noticed
 * that it is too late.
 *
 * <p>The answer has, for each step, what came of it: {@code ["a", number of the step that asked,
 * ...]}, {@code ["w", record]} and {@code ["m", ...]} for the request with markers that is answered.
 * At the end the state of each id in memory.
 */
public final class Transactions {
    static final long START = 1_000_000_000_000L;
    private static final String[] IDS = {"a", "b", "c"};
    private static final int ABORT_INTERVAL = 7_919;
    private static final int EXPIRE_INTERVAL = 20_011;
    private static final int EXPIRATION = 60_000;
    private static final int MAX_TIMEOUT = 900_000;
    private static final int REQUEST_TIMEOUT = 30_000;
    private static final KafkaConfig CONFIG = new KafkaConfig(Map.of(
            "process.roles", "broker", "node.id", "1", "controller.quorum.voters", "9@localhost:1",
            "controller.listener.names", "CONTROLLER", "listeners", "PLAINTEXT://localhost:9092"));
    private static final Metrics METRICS = new Metrics();

    private final Hours hours = new Hours(START);
    private final StateLog log = new StateLog(hours);
    private final TransactionVersion level;
    private final long load;
    private final TransactionStateManager manager;
    private final Markers markers;
    private final TransactionCoordinator coordinator;
    private final List<ArrayNode> answers = new ArrayList<>();
    private int seen;
    private int epoch;
    private long producerIds;

    private Transactions(JsonNode script) {
        level = TransactionVersion.fromFeatureLevel((short) script.get("version").intValue());
        load = script.get("load").longValue() * 1_000_000;
        MetadataCache metadata = metadata();
        TransactionConfig config = new TransactionConfig(EXPIRATION, MAX_TIMEOUT, 1, (short) 2,
                1 << 20, 1 << 20, 2, ABORT_INTERVAL, EXPIRE_INTERVAL, false, REQUEST_TIMEOUT);
        Scheduler scheduler = new Loads();
        manager = new TransactionStateManager(1, scheduler, log.manager(), metadata, config, hours,
                METRICS);
        manager.startup(() -> (Object) 1, false);
        markers = new Markers(CONFIG, metadata, manager, hours);
        coordinator = new TransactionCoordinator(config, scheduler, () -> () -> producerIds++,
                manager, markers.manager(), hours, new LogContext());
        log.after(markers::pump);
        sweep(script.get("abort").longValue() * 1_000, ABORT_INTERVAL, () ->
                coordinator.abortTimedOutTransactions(who -> (error, id, epoch) -> null));
        sweep(script.get("expire").longValue() * 1_000, EXPIRE_INTERVAL,
                manager::removeExpiredTransactionalIds);
        manager.addLoadedTransactionsToCache(0, 0, new java.util.concurrent.ConcurrentHashMap<>());
    }

    public static void main(String[] args) throws Exception {
        Lines.answer(script -> new Transactions(script).play(script.get("steps")));
    }

    private MetadataCache metadata() {
        MetadataCache cache = mock(MetadataCache.class, withSettings().stubOnly());
        when(cache.features()).thenReturn(FinalizedFeatures.of(MetadataVersion.latestProduction(),
                Map.of(TransactionVersion.FEATURE_NAME, level.featureLevel()), 1));
        when(cache.getPartitionLeaderEndpoint(anyString(), anyInt(), any())).thenAnswer(call -> {
            TopicPartition of = new TopicPartition(call.getArgument(0), call.getArgument(1));
            return Optional.of(Markers.leader(of));
        });
        return cache;
    }

    /** What is to be done at intervals. */
    private void sweep(long first, long interval, Runnable work) {
        hours.at(first, () -> {
            sweep(first + interval * 1_000_000, interval, work);
            work.run();
        });
    }

    private JsonNode play(JsonNode steps) {
        ObjectNode answer = Lines.JSON.createObjectNode();
        ArrayNode results = answer.putArray("steps");
        for (int number = 0; number < steps.size(); number++) {
            ArrayNode events = results.addArray();
            JsonNode step = steps.get(number);
            String kind = step.get(0).textValue();
            ArrayNode about = null;
            if (kind.equals("markers")) {
                about = markers.answer(step.get(1).intValue(), step.get(2).textValue(),
                        step.get(3).intValue());
            } else {
                act(number, kind, step);
            }
            markers.pump();
            log.advance();
            markers.pump();
            answers.sort(Comparator.comparingInt(one -> one.get(1).intValue()));
            events.addAll(answers);
            answers.clear();
            written().forEach(events::add);
            if (about != null) {
                events.add(about);
            }
        }
        ArrayNode ids = answer.putArray("ids");
        for (String id : IDS) {
            manager.getTransactionMetadata(id).ifPresent(state -> ids.add(describe(state, true)));
        }
        if (System.getenv("INFLIGHT_SHOW") != null && log.failed() != null) {
            log.failed().printStackTrace();
        }
        return answer;
    }

    private void act(int number, String kind, JsonNode step) {
        switch (kind) {
            case "init", "add", "join", "verify", "offsets", "end" -> ask(number, kind, step);
            case "lost" -> {
                markers.lose(step.get(1).intValue());
                hours.pass(100_000_000, markers::pump);
            }
            case "replicate" -> log.replicate(step.get(1).intValue());
            case "isr" -> log.setInSync(step.get(1).intValue());
            case "wait" -> {
                long left = step.get(1).longValue() * 1_000_000;
                while (left > 0) {
                    long slice = Math.min(left, Markers.PATIENCE);
                    markers.loseImpatient(slice);
                    hours.pass(slice, markers::pump);
                    left -= slice;
                }
            }
            case "elect" -> {
                log.elect();
                log.advance();
                coordinator.onElection(0, ++epoch);
            }
            case "resign" -> {
                log.resign();
                coordinator.onResignation(0, Option.apply((Object) (++epoch)));
            }
            case "wrote" -> {
                log.wrote(record(step.get(1)));
                seen = log.records().size();
            }
            default -> throw new IllegalArgumentException(step.toString());
        }
    }

    private void ask(int number, String kind, JsonNode step) {
        String id = IDS[step.get(1).intValue()];
        boolean init = kind.equals("init");
        long pid = step.get(init ? 3 : 2).longValue();
        short of = (short) step.get(init ? 4 : 3).intValue();
        RequestLocal local = RequestLocal.noCaching();
        try {
            switch (kind) {
                case "init" -> coordinator.handleInitProducerId(id, step.get(2).intValue(), false,
                        false, pid < 0 ? Option.empty() : Option.apply(new ProducerIdAndEpoch(pid, of)),
                        result -> {
                            told(number, result.error(), result.producerId(), result.producerEpoch());
                            return null;
                        }, local);
                case "add", "join", "offsets" -> {
                    TransactionVersion version =
                            kind.equals("join") ? TransactionVersion.TV_2 : TransactionVersion.TV_0;
                    Set<TopicPartition> partitions = kind.equals("offsets")
                            ? Set.of(Markers.PARTITIONS.get(3)) : partitions(step.get(4));
                    int times = kind.equals("join") ? partitions.size() : 1;
                    coordinator.handleAddPartitionsToTransaction(id, pid, of, partitions, error -> {
                        ArrayNode told = answer(number);
                        for (int i = 0; i < times; i++) {
                            told.add(error.name());
                        }
                        return null;
                    }, version, local);
                }
                case "verify" -> coordinator.handleVerifyPartitionsInTransaction(id, pid, of,
                        partitions(step.get(4)), result -> {
                            var found = new TreeMap<Integer, String>();
                            result.topicResults().forEach(topic -> topic.resultsByPartition()
                                    .forEach(one -> found.put(Markers.PARTITIONS.indexOf(
                                            new TopicPartition(topic.name(), one.partitionIndex())),
                                            Errors.forCode(one.partitionErrorCode()).name())));
                            ArrayNode told = answer(number);
                            found.values().forEach(told::add);
                            return null;
                        });
                default -> coordinator.handleEndTransaction(id, pid, of,
                        step.get(4).textValue().equals("commit")
                                ? TransactionResult.COMMIT : TransactionResult.ABORT,
                        TransactionVersion.fromFeatureLevel((short) step.get(5).intValue()),
                        (error, next, after) -> {
                            told(number, error, (Long) next, (Short) after);
                            return null;
                        }, local);
            }
        } catch (RuntimeException wrong) {
            // KafkaApis answers so.
            told(number, Errors.forException(wrong), -1, (short) -1);
        }
    }

    private ArrayNode answer(int number) {
        ArrayNode told = Lines.JSON.createArrayNode().add("a").add(number);
        answers.add(told);
        return told;
    }

    private void told(int number, Errors error, long pid, short of) {
        ArrayNode told = answer(number).add(error.name());
        if (pid >= 0) {
            told.add(pid).add(of);
        }
    }

    private static Set<TopicPartition> partitions(JsonNode numbers) {
        Set<TopicPartition> set = new HashSet<>();
        numbers.forEach(number -> set.add(Markers.PARTITIONS.get(number.intValue())));
        return set;
    }

    /** What was written since the last time, by id. */
    private List<ArrayNode> written() {
        List<ArrayNode> found = new ArrayList<>();
        for (; seen < log.records().size(); seen++) {
            SimpleRecord record = log.records().get(seen);
            TransactionLog.ReadResult read = TransactionLog.read(record.key().duplicate(),
                    record.value() == null ? null : record.value().duplicate());
            ArrayNode about = Lines.JSON.createArrayNode().add("w");
            if (read instanceof TransactionLog.TxnRecord value) {
                about.add(describe(value.metadata(), false));
            } else if (read instanceof TransactionLog.TxnTombstone gone) {
                about.add(Lines.JSON.createArrayNode().add(gone.transactionId().charAt(0) - 'a'));
            }
            found.add(about);
        }
        found.sort(Comparator.comparingInt(one -> one.get(1).get(0).intValue()));
        return found;
    }

    private ArrayNode describe(TransactionMetadata of, boolean memory) {
        ArrayNode about = Lines.JSON.createArrayNode();
        about.add(of.transactionalId().charAt(0) - 'a').add(of.state().stateName());
        about.add(of.producerId()).add(of.producerEpoch());
        about.add(of.prevProducerId()).add(of.prepareNoTransit().nextProducerId()).add(of.txnTimeoutMs());
        about.add(Markers.numbers(of.topicPartitions()));
        about.add(since(of.txnStartTimestamp())).add(since(of.txnLastUpdateTimestamp()));
        about.add(of.clientTransactionVersion().featureLevel());
        if (memory) {
            about.add(of.lastProducerEpoch());
            about.add(of.pendingState().map(TransactionState::stateName).orElse(""));
        }
        return about;
    }

    private static long since(long timestamp) {
        return timestamp < 0 ? timestamp : timestamp - START;
    }

    /** The inverse of describe. */
    private SimpleRecord record(JsonNode about) {
        byte[] key = TransactionLog.keyToBytes(IDS[about.get(0).intValue()]);
        if (about.size() == 1) {
            return new SimpleRecord(hours.milliseconds(), key, null);
        }
        long start = about.get(8).longValue();
        TxnTransitMetadata value = new TxnTransitMetadata(about.get(2).longValue(),
                about.get(4).longValue(), about.get(5).longValue(),
                (short) about.get(3).intValue(), (short) -1, about.get(6).intValue(),
                TransactionState.fromName(about.get(1).textValue()).get(),
                new HashSet<>(partitions(about.get(7))), start < 0 ? start : START + start,
                START + about.get(9).longValue(),
                TransactionVersion.fromFeatureLevel((short) about.get(10).intValue()));
        return new SimpleRecord(hours.milliseconds(), key,
                TransactionLog.valueToBytes(value, level));
    }

    /** Runs what is to be run once, which are loads of partitions. */
    private final class Loads implements Scheduler {
        @Override
        public void startup() {}

        @Override
        public void shutdown() {}

        @Override
        public ScheduledFuture<?> schedule(String name, Runnable work, long delay, long period) {
            if (load == 0) {
                work.run();
            } else {
                hours.at(hours.now() + load, work);
            }
            return null;
        }

        @Override
        public void resizeThreadPool(int size) {}
    }
}
