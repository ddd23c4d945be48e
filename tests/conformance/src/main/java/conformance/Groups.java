package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.coordinator.common.runtime.CoordinatorEvent;
import org.apache.kafka.coordinator.common.runtime.CoordinatorEventProcessor;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.Services;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.apache.kafka.server.util.timer.Timer;
import org.apache.kafka.server.util.timer.TimerTask;
import org.apache.kafka.server.util.timer.TimerTaskEntry;
import org.mockito.Mockito;

/**
 * The group coordinator of a broker with its runtime, and one group of the classic or of the
 * consumer protocol.
 *
 * <p>A script has {@code load}, how many milliseconds it takes to read the partition, and {@code
 * steps}. A member is the number of its name, in the order in which names were given; -1 is none. The
 * first names are those that members of the consumer protocol take, {@code own} of them.
 *
 * <ul>
 *   <li>{@code ["join", member, session timeout, rebalance timeout, protocol, [owned], generation]};
 *       protocol 0 is eager, 1 cooperative
 *   <li>{@code ["sync", member, generation, [[member, [partitions]], ...]]}
 *   <li>{@code ["heartbeat", member, generation]}, {@code ["leave", member]}
 *   <li>{@code ["commit", member, generation, [[partition, offset], ...]]}, {@code ["fetch",
 *       [partitions], member, epoch]}; {@code ["txn", producer id, member, generation, [[partition, offset], ...]]}
 *       and {@code ["end", producer id, "commit" or "abort"]}
 *   <li>{@code ["beat", member, epoch, rebalance timeout, [topics], assignor, [owned]]}, a heartbeat
 *       of the consumer protocol, with -1 or null for what it leaves out
 *   <li>{@code ["replicate", count]}, {@code ["resign"]}, {@code ["elect"]}, {@code ["wait",
 *       milliseconds]}
 * </ul>
 *
 * <p>A millisecond passes before each request, so that little is due at the same time.
 *
 * <p>The answer has, for each step, what came of it: {@code ["a", number of the step that asked,
 * ...]}; and what was written: {@code ["o", partition, offset, producer id]}, {@code ["g",
 * generation, protocol, leader, [[member, session timeout, rebalance timeout, [partitions]], ...]]}
 * and {@code ["x", producer id, result]} for a marker. Of the consumer protocol there are {@code
 * ["ce", group epoch]}, {@code ["cm", member, [topics], rebalance timeout, assignor]}, {@code ["ct",
 * epoch, millisecond]}, {@code ["ca", member, [partitions]]} and {@code ["cc", member, epoch, previous
 * epoch, state, [assigned, each with its epoch], [revoked, the same]]}, and tombstones of them.
 */
public final class Groups {
    static final TopicPartition PARTITION = new TopicPartition("__consumer_offsets", 0);
    private static final String GROUP = "g";
    private static final String TOPIC = "t";
    private static final String[] PROTOCOLS = {"range", "cooperative-sticky"};
    private static final AbstractConfig CONFIG = new AbstractConfig(
            GroupCoordinatorConfig.CONFIG_DEF,
            // What nobody has asked for is not looked at in these scripts.
            Map.of("offsets.retention.check.interval.ms", Long.MAX_VALUE / 4,
                    "group.consumer.max.size", 5), false);

    private final Hours hours = new Hours(Transactions.START);
    private final Deque<CoordinatorEvent> events = new ArrayDeque<>();
    private final OffsetsLog log;
    private final Services services;
    private final GroupCoordinator service;
    private final List<String> names = new ArrayList<>();
    private final List<String> order = new ArrayList<>();
    private final List<ArrayNode> answers = new ArrayList<>();
    private String current;
    private int seen;
    private int epoch;

    private Groups(JsonNode script) {
        log = new OffsetsLog(hours, script.get("load").longValue() * 1_000_000, this::pump);
        services = new Services(CONFIG, hours, new Alarms(), new Events(), log, log,
                Members.image());
        service = services.service();
        // In the order of the hash maps in which assignors find them.
        for (int own = 0; own < script.path("own").intValue(); own++) {
            names.add(Integer.toString(own));
        }
        service.onElection(0, 0);
        pump();
        hours.pass(script.get("load").longValue() * 1_000_000, this::pump);
    }

    public static void main(String[] args) throws Exception {
        Lines.answer(script -> {
            JsonNode answer = new Groups(script).play(script.get("steps"));
            // Mocks know what they were asked, and would keep all that.
            Mockito.framework().clearInlineMocks();
            return answer;
        });
    }

    private void pump() {
        while (!events.isEmpty()) {
            CoordinatorEvent event = events.poll();
            try {
                event.run();
            } catch (Throwable wrong) {
                event.complete(wrong);
            }
            services.keepOrder(GROUP, order);
        }
    }

    private JsonNode play(JsonNode steps) {
        ObjectNode answer = Lines.JSON.createObjectNode();
        ArrayNode results = answer.putArray("steps");
        for (int number = 0; number < steps.size(); number++) {
            ArrayNode found = results.addArray();
            act(number, steps.get(number));
            pump();
            log.advance();
            pump();
            answers.sort(Comparator.comparingInt(one -> one.get(1).intValue()));
            found.addAll(answers);
            answers.clear();
            for (; seen < log.entries().size(); seen++) {
                found.add(written(log.entries().get(seen)));
            }
        }
        return answer;
    }

    private void act(int number, JsonNode step) {
        current = step.get(0).textValue();
        if (!List.of("replicate", "wait", "elect", "resign").contains(current)) {
            hours.pass(1_000_000, this::pump);
        }
        switch (current) {
            case "join" -> join(number, step);
            case "sync" -> sync(number, step);
            case "heartbeat" -> when(number, service.heartbeat(context(ApiKeys.HEARTBEAT),
                    new HeartbeatRequestData().setGroupId(GROUP).setMemberId(name(step.get(1)))
                            .setGenerationId(step.get(2).intValue())),
                    (told, result) -> told.add(Errors.forCode(result.errorCode()).name()));
            case "leave" -> when(number, service.leaveGroup(context(ApiKeys.LEAVE_GROUP),
                    new LeaveGroupRequestData().setGroupId(GROUP).setMembers(List.of(
                            new LeaveGroupRequestData.MemberIdentity()
                                    .setMemberId(name(step.get(1)))))),
                    (told, result) -> {
                        short code = result.errorCode() != 0 || result.members().isEmpty()
                                ? result.errorCode() : result.members().get(0).errorCode();
                        told.add(Errors.forCode(code).name());
                    });
            case "beat" -> when(number, service.consumerGroupHeartbeat(
                    context(ApiKeys.CONSUMER_GROUP_HEARTBEAT),
                    Members.request(GROUP, name(step.get(1)), step)), Members::told);
            case "commit" -> commit(number, step);
            case "txn" -> commitInTransaction(number, step);
            case "fetch" -> fetch(number, step);
            case "end" -> when(number, service.completeTransaction(PARTITION,
                    step.get(1).longValue(), (short) 0, 0,
                    step.get(2).textValue().equals("commit")
                            ? TransactionResult.COMMIT : TransactionResult.ABORT, (short) 0),
                    (told, result) -> told.add("NONE"));
            case "replicate" -> log.replicate(step.get(1).intValue());
            case "wait" -> hours.pass(step.get(1).longValue() * 1_000_000, this::pump);
            case "elect" -> {
                log.setLeads(true);
                service.onElection(0, ++epoch);
            }
            case "resign" -> {
                log.setLeads(false);
                service.onResignation(0, OptionalInt.of(++epoch));
            }
            default -> throw new IllegalArgumentException(step.toString());
        }
    }

    private static RequestContext context(ApiKeys api) {
        return context(api, api.latestVersion());
    }

    private static RequestContext context(ApiKeys api, int version) {
        return new RequestContext(new RequestHeader(api, (short) version, "c", 0), "1",
                InetAddress.getLoopbackAddress(), KafkaPrincipal.ANONYMOUS,
                ListenerName.forSecurityProtocol(SecurityProtocol.PLAINTEXT),
                SecurityProtocol.PLAINTEXT, ClientInformation.EMPTY, false);
    }

    /** Says what a request is answered, when it is. */
    private <T> void when(int number, CompletableFuture<T> future,
                          BiConsumer<ArrayNode, T> describe) {
        boolean ends = current.equals("end");
        future.whenComplete((result, wrong) -> {
            ArrayNode told = Lines.JSON.createArrayNode().add("a").add(number);
            answers.add(told);
            if (wrong != null) {
                told.add(refused(Errors.forException(wrong), ends));
            } else {
                describe.accept(told, result);
            }
        });
    }

    /** As KafkaApis.handleWriteTxnMarkersRequest says it to a transaction coordinator. */
    private static String refused(Errors error, boolean ends) {
        return switch (error) {
            case COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR ->
                    ends ? Errors.NOT_LEADER_OR_FOLLOWER.name() : error.name();
            default -> error.name();
        };
    }

    private String name(JsonNode number) {
        int at = number.intValue();
        return at < 0 ? "" : at < names.size() ? names.get(at) : "nobody" + at;
    }

    private int number(String name) {
        if (name == null || name.isEmpty()) {
            return -1;
        }
        if (!names.contains(name)) {
            names.add(name);
        }
        return names.indexOf(name);
    }

    private void join(int number, JsonNode step) {
        List<TopicPartition> owned = new ArrayList<>();
        step.get(5).forEach(one -> owned.add(new TopicPartition(TOPIC, one.intValue())));
        Subscription subscription = new Subscription(List.of(TOPIC), null, owned,
                step.get(6).intValue(), java.util.Optional.empty());
        var protocols = new JoinGroupRequestProtocolCollection();
        protocols.add(new JoinGroupRequestProtocol()
                .setName(PROTOCOLS[step.get(4).intValue()])
                .setMetadata(bytes(ConsumerProtocol.serializeSubscription(subscription))));
        JoinGroupRequestData request = new JoinGroupRequestData().setGroupId(GROUP)
                .setMemberId(name(step.get(1))).setProtocolType("consumer")
                .setSessionTimeoutMs(step.get(2).intValue())
                .setRebalanceTimeoutMs(step.get(3).intValue()).setProtocols(protocols);
        when(number, service.joinGroup(context(ApiKeys.JOIN_GROUP), request,
                BufferSupplier.NO_CACHING), this::joined);
    }

    private void joined(ArrayNode told, JoinGroupResponseData result) {
        Errors error = Errors.forCode(result.errorCode());
        told.add(error.name());
        if (error == Errors.MEMBER_ID_REQUIRED) {
            told.add(number(result.memberId()));
        } else if (error == Errors.NONE) {
            told.add(number(result.memberId())).add(result.generationId());
            told.add(number(result.leader()));
            List<Integer> members = new ArrayList<>();
            result.members().forEach(member -> members.add(number(member.memberId())));
            members.sort(null);
            ArrayNode all = told.addArray();
            members.forEach(all::add);
        }
    }

    private void sync(int number, JsonNode step) {
        List<SyncGroupRequestData.SyncGroupRequestAssignment> all = new ArrayList<>();
        step.get(3).forEach(one -> {
            byte[] bytes = new byte[one.get(1).size()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) one.get(1).get(i).intValue();
            }
            all.add(new SyncGroupRequestData.SyncGroupRequestAssignment()
                    .setMemberId(name(one.get(0))).setAssignment(bytes));
        });
        SyncGroupRequestData request = new SyncGroupRequestData().setGroupId(GROUP)
                .setMemberId(name(step.get(1))).setGenerationId(step.get(2).intValue())
                .setAssignments(all);
        when(number, service.syncGroup(context(ApiKeys.SYNC_GROUP), request,
                BufferSupplier.NO_CACHING), (told, result) -> {
                    told.add(Errors.forCode(result.errorCode()).name());
                    if (result.errorCode() == 0) {
                        told.add(partitions(result.assignment()));
                    }
                });
    }

    private void commit(int number, JsonNode step) {
        var all = new TreeMap<Integer, OffsetCommitRequestData.OffsetCommitRequestTopic>();
        step.get(3).forEach(one -> all
                .computeIfAbsent(Members.topic(one.get(0).intValue()), topic ->
                        new OffsetCommitRequestData.OffsetCommitRequestTopic()
                                .setName(Members.TOPICS.get(topic)).setTopicId(Members.id(topic)))
                .partitions().add(new OffsetCommitRequestData.OffsetCommitRequestPartition()
                        .setPartitionIndex(Members.index(one.get(0).intValue()))
                        .setCommittedOffset(one.get(1).longValue()).setCommittedMetadata("")));
        OffsetCommitRequestData request = new OffsetCommitRequestData().setGroupId(GROUP)
                .setMemberId(name(step.get(1)))
                .setGenerationIdOrMemberEpoch(step.get(2).intValue())
                .setTopics(List.copyOf(all.values()));
        when(number, service.commitOffsets(context(ApiKeys.OFFSET_COMMIT, 9), request,
                BufferSupplier.NO_CACHING),
                (told, result) -> result.topics().forEach(topic -> topic.partitions().forEach(
                        one -> told.add(Errors.forCode(one.errorCode()).name()))));
    }

    private void commitInTransaction(int number, JsonNode step) {
        var all = new TreeMap<Integer, TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic>();
        step.get(4).forEach(one -> all
                .computeIfAbsent(Members.topic(one.get(0).intValue()), topic ->
                        new TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic()
                                .setName(Members.TOPICS.get(topic)).setTopicId(Members.id(topic)))
                .partitions().add(new TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition()
                        .setPartitionIndex(Members.index(one.get(0).intValue()))
                        .setCommittedOffset(one.get(1).longValue()).setCommittedMetadata("")));
        TxnOffsetCommitRequestData request = new TxnOffsetCommitRequestData().setGroupId(GROUP)
                .setTransactionalId("p").setProducerId(step.get(1).longValue())
                .setProducerEpoch((short) 0).setMemberId(name(step.get(2)))
                .setGenerationIdOrMemberEpoch(step.get(3).intValue())
                .setTopics(List.copyOf(all.values()));
        when(number, service.commitTransactionalOffsets(
                context(ApiKeys.TXN_OFFSET_COMMIT, 4), request,
                BufferSupplier.NO_CACHING),
                (told, result) -> result.topics().forEach(topic -> topic.partitions().forEach(
                        one -> told.add(Errors.forCode(one.errorCode()).name()))));
    }

    private void fetch(int number, JsonNode step) {
        var wanted = new TreeMap<Integer, OffsetFetchRequestData.OffsetFetchRequestTopics>();
        step.get(1).forEach(one -> wanted
                .computeIfAbsent(Members.topic(one.intValue()), topic ->
                        new OffsetFetchRequestData.OffsetFetchRequestTopics()
                                .setName(Members.TOPICS.get(topic)))
                .partitionIndexes().add(Members.index(one.intValue())));
        var request = new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(GROUP)
                .setTopics(List.copyOf(wanted.values()));
        if (step.path(2).asInt(-1) >= 0) {
            request.setMemberId(name(step.get(2))).setMemberEpoch(step.get(3).intValue());
        }
        when(number, service.fetchOffsets(context(ApiKeys.OFFSET_FETCH), request, true),
                (told, result) -> {
                    if (result.errorCode() != 0) {
                        told.add(Errors.forCode(result.errorCode()).name());
                        return;
                    }
                    result.topics().forEach(topic -> topic.partitions().forEach(one -> {
                        if (one.errorCode() != 0) {
                            told.add(Errors.forCode(one.errorCode()).name());
                        } else {
                            told.add(one.committedOffset());
                        }
                    }));
                });
    }

    private ArrayNode written(OffsetsLog.Entry entry) {
        ArrayNode about = Lines.JSON.createArrayNode();
        if (entry.record() == null) {
            return about.add("x").add(entry.producerId())
                    .add(entry.result() == TransactionResult.COMMIT ? "commit" : "abort");
        }
        var value = entry.record().value() == null ? null : entry.record().value().message();
        if (entry.record().key() instanceof OffsetCommitKey key) {
            about.add("o").add(Members.number(key.topic(), key.partition()));
            if (value instanceof OffsetCommitValue offset) {
                about.add(offset.offset()).add(entry.producerId());
            }
            return about;
        }
        ArrayNode ofConsumers = Members.written(entry.record(), this::number);
        if (ofConsumers != null) {
            return ofConsumers;
        }
        about.add("g");
        if (value instanceof GroupMetadataValue group) {
            order.clear();
            about.add(group.generation()).add(group.protocol() == null ? "" : group.protocol());
            about.add(number(group.leader()));
            List<ArrayNode> members = new ArrayList<>();
            for (GroupMetadataValue.MemberMetadata member : group.members()) {
                order.add(member.memberId());
                ArrayNode one = Lines.JSON.createArrayNode().add(number(member.memberId()));
                one.add(member.sessionTimeout()).add(member.rebalanceTimeout());
                one.add(partitions(member.assignment()));
                members.add(one);
            }
            members.sort(Comparator.comparingInt(one -> one.get(0).intValue()));
            about.addArray().addAll(members);
        }
        return about;
    }

    private static ArrayNode partitions(byte[] assignment) {
        ArrayNode all = Lines.JSON.createArrayNode();
        for (byte one : assignment) {
            all.add(one);
        }
        return all;
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    /** Events one after the other, when this program says so. */
    private final class Events implements CoordinatorEventProcessor {
        @Override
        public void enqueueLast(CoordinatorEvent event) {
            events.addLast(event);
        }

        @Override
        public void enqueueFirst(CoordinatorEvent event) {
            events.addFirst(event);
        }

        @Override
        public void close() {}
    }

    /** Timers on the clock of the script. */
    private final class Alarms implements Timer {
        @Override
        public void add(TimerTask task) {
            TimerTaskEntry entry = new TimerTaskEntry(task, hours.milliseconds() + task.delayMs);
            if (task.delayMs > Integer.MAX_VALUE * 100L) {
                return;
            }
            hours.at(hours.now() + Math.max(task.delayMs, 0) * 1_000_000, () -> {
                if (!entry.cancelled()) {
                    task.run();
                }
            });
        }

        @Override
        public boolean advanceClock(long ms) {
            return false;
        }

        @Override
        public int size() {
            return 0;
        }

        @Override
        public void close() {}
    }
}
