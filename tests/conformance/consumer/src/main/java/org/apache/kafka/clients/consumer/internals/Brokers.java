package org.apache.kafka.clients.consumer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchMetadata;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the brokers of a script know and say. */
final class Brokers {
    /** Kafka visits partitions in the order of hash maps, which for this name is ascending. */
    static final String TOPIC = topic();
    static final String GROUP = "g";
    /** Where brokers are in hash maps, and where they are as coordinators. Not all pairs exist. */
    private static final int[] SLOTS = {0, 1, 3, 4};
    private static final int[] COORDINATOR_SLOTS = {8, 10, 12, 14};
    private static final Uuid TOPIC_ID = new Uuid(7, 7);
    private static final Map<Integer, String> HOSTS = new HashMap<>();

    private final int count;
    private final int[] leaders;
    private final int[] epochs;
    private final Logs[] logs;
    private final OffsetFetchResponseData.OffsetFetchResponsePartitions[] committed;
    private final Sessions sessions = new Sessions();
    /** What each fetch that waits asks for. */
    private final Map<Received, Sessions.Asked> fetches = new HashMap<>();
    private int coordinator;

    Brokers(JsonNode script) {
        count = script.get("brokers").asInt();
        coordinator = script.path("coordinator").asInt(1);
        JsonNode led = script.get("leaders");
        leaders = new int[led.size()];
        epochs = new int[led.size()];
        logs = new Logs[led.size()];
        committed = new OffsetFetchResponseData.OffsetFetchResponsePartitions[led.size()];
        for (int partition = 0; partition < led.size(); partition++) {
            leaders[partition] = led.get(partition).asInt();
            logs[partition] = new Logs(script.get("starts").get(partition).asLong());
            commit(partition, -1, -1);
        }
    }

    private static String topic() {
        int number = 0;
        while (!isAscending(new TopicPartition("t" + number, 0).hashCode())) {
            number++;
        }
        return "t" + number;
    }

    /** A hash map takes the last bits of hash ^ hash >>> 16, and each partition adds 31 to the hash. */
    private static boolean isAscending(int hash) {
        return (hash & 31) == 31 && (hash >>> 16 & 31) == 31;
    }

    /**
     * An address for a broker, so that a hash map of Kafka's nodes is in ascending order, coordinators
     * behind the others.
     */
    static String host(int id) {
        return HOSTS.computeIfAbsent(id, number -> {
            for (int last = 256; last < 1 << 24; last++) {
                String host = "127." + (last >> 16) + "." + (last >> 8 & 255) + "." + (last & 255);
                if (slot(new Node(number, host, number)) == SLOTS[number]
                        && slot(new Node(Integer.MAX_VALUE - number, host, number)) == COORDINATOR_SLOTS[number]) {
                    return host;
                }
            }
            throw new IllegalStateException("no address for broker " + number);
        });
    }

    private static int slot(Node node) {
        int hash = node.hashCode();
        return (hash ^ hash >>> 16) & 15;
    }

    /** A leader changes. 0 is nobody. */
    void lead(int partition, int leader) {
        leaders[partition] = leader;
        epochs[partition]++;
    }

    void coordinate(int node) {
        coordinator = node;
    }

    void append(JsonNode step) {
        int partition = step.get("partition").asInt();
        logs[partition].append(step, epochs[partition]);
    }

    void truncate(int partition, int batches) {
        logs[partition].truncate(batches);
    }

    private void commit(int partition, long offset, int epoch) {
        committed[partition] = new OffsetFetchResponseData.OffsetFetchResponsePartitions()
            .setPartitionIndex(partition).setCommittedOffset(offset).setCommittedLeaderEpoch(epoch).setMetadata("");
    }

    /** The answer that is given at once, or null if the script answers. */
    ApiMessage atOnce(Wire.Waiting waiting) {
        Received received = waiting.received();
        return switch (received.header().apiKey()) {
            case API_VERSIONS -> apiVersions();
            case METADATA -> metadata((MetadataRequest) received.request());
            case FETCH -> {
                FetchRequestData data = ((FetchRequest) received.request()).data();
                // A session that ends is answered with nothing at all.
                yield fetches.containsKey(received) ? null : new FetchResponseData().setSessionId(data.sessionId());
            }
            default -> null;
        };
    }

    /** Notes a request. */
    void told(Received received) {
        if (received.request() instanceof FetchRequest fetch) {
            Sessions.Asked asked = sessions.read(fetch.data());
            if (asked != null) {
                fetches.put(received, asked);
            }
        }
    }

    /** What a fetch asks for, or null if it ends its session. */
    Sessions.Asked asked(Received received) {
        return fetches.get(received);
    }

    private static ApiVersionsResponseData apiVersions() {
        ApiVersionsResponseData data = new ApiVersionsResponseData();
        for (ApiKeys api : ApiKeys.clientApis()) {
            data.apiKeys().add(new ApiVersionsResponseData.ApiVersion().setApiKey(api.id)
                .setMinVersion(api.oldestVersion()).setMaxVersion(api.latestVersion()));
        }
        return data;
    }

    private MetadataResponseData metadata(MetadataRequest request) {
        MetadataResponseData data = new MetadataResponseData().setClusterId("cluster").setControllerId(1);
        for (int id = 1; id <= count; id++) {
            data.brokers().add(new MetadataResponseData.MetadataResponseBroker()
                .setNodeId(id).setHost(host(id)).setPort(id));
        }
        if (request.data().topics() == null
                || request.data().topics().stream().noneMatch(topic -> TOPIC.equals(topic.name()))) {
            return data;
        }
        MetadataResponseData.MetadataResponseTopic topic =
            new MetadataResponseData.MetadataResponseTopic().setName(TOPIC).setTopicId(TOPIC_ID);
        for (int partition = 0; partition < leaders.length; partition++) {
            boolean led = leaders[partition] != 0;
            topic.partitions().add(new MetadataResponseData.MetadataResponsePartition()
                .setPartitionIndex(partition)
                .setErrorCode((led ? Errors.NONE : Errors.LEADER_NOT_AVAILABLE).code())
                .setLeaderId(led ? leaders[partition] : -1)
                .setLeaderEpoch(epochs[partition])
                .setReplicaNodes(List.of(1))
                .setIsrNodes(List.of(1)));
        }
        data.topics().add(topic);
        return data;
    }

    /** The answer that a step gives. */
    ApiMessage answer(Wire.Waiting waiting, JsonNode step) {
        Received received = waiting.received();
        return switch (received.header().apiKey()) {
            case FETCH -> fetched((FetchRequest) received.request(), fetches.remove(received), step);
            case LIST_OFFSETS -> listed((ListOffsetsRequest) received.request(), step);
            case OFFSET_FOR_LEADER_EPOCH -> ended((OffsetsForLeaderEpochRequest) received.request(), step);
            case FIND_COORDINATOR -> found(step);
            case OFFSET_COMMIT -> committed((OffsetCommitRequest) received.request(), step);
            case OFFSET_FETCH -> committed((OffsetFetchRequest) received.request(), step);
            default -> throw new IllegalStateException("not expected: " + received.header());
        };
    }

    /** The error for a partition. */
    private static Errors errorOf(JsonNode step, int partition) {
        JsonNode errors = step.path("errors");
        return errors.isEmpty() ? Errors.NONE : Errors.valueOf(errors.get(partition % errors.size()).asText());
    }

    /** The error for all. */
    static Errors errorOf(JsonNode step) {
        return Errors.valueOf(step.path("error").asText("NONE"));
    }

    private FetchResponseData fetched(FetchRequest request, Sessions.Asked asked, JsonNode step) {
        FetchResponseData data = new FetchResponseData().setSessionId(asked.session()).setErrorCode(errorOf(step).code());
        if (errorOf(step) != Errors.NONE) {
            return data.setSessionId(FetchMetadata.INVALID_SESSION_ID);
        }
        // Without the topic's id the request is of a version whose answer names no endpoints.
        boolean hint = step.path("hint").asBoolean() && request.version() >= 16;
        FetchResponseData.FetchableTopicResponse topic =
            new FetchResponseData.FetchableTopicResponse().setTopic(TOPIC).setTopicId(TOPIC_ID);
        asked.partitions().forEach((index, partition) -> {
            Errors error = errorOf(step, index);
            FetchResponseData.PartitionData answer = new FetchResponseData.PartitionData()
                .setPartitionIndex(index).setErrorCode(error.code()).setHighWatermark(-1);
            boolean any = error == Errors.NONE && logs[index].read(answer, partition.fetchOffset(),
                step.path("batches").asInt(), request.isolationLevel().id() == 1);
            boolean moved = error == Errors.NOT_LEADER_OR_FOLLOWER || error == Errors.FENCED_LEADER_EPOCH;
            if (moved && hint && leaders[index] != 0) {
                answer.currentLeader().setLeaderId(leaders[index]).setLeaderEpoch(epochs[index]);
            }
            if (sessions.isNews(asked.session(), index, error != Errors.NONE, answer.highWatermark()) || any) {
                topic.partitions().add(answer);
            }
        });
        if (!topic.partitions().isEmpty()) {
            data.responses().add(topic);
        }
        if (hint) {
            for (int id = 1; id <= count; id++) {
                data.nodeEndpoints().add(new FetchResponseData.NodeEndpoint().setNodeId(id).setHost(host(id)).setPort(id));
            }
        }
        return data;
    }

    private ListOffsetsResponseData listed(ListOffsetsRequest request, JsonNode step) {
        ListOffsetsResponseData data = new ListOffsetsResponseData();
        for (ListOffsetsRequestData.ListOffsetsTopic topic : request.topics()) {
            ListOffsetsResponseData.ListOffsetsTopicResponse answers =
                new ListOffsetsResponseData.ListOffsetsTopicResponse().setName(topic.name());
            for (ListOffsetsRequestData.ListOffsetsPartition partition : topic.partitions()) {
                int index = partition.partitionIndex();
                Errors error = errorOf(step, index);
                long offset = partition.timestamp() == ListOffsetsRequest.EARLIEST_TIMESTAMP ? logs[index].start()
                    : logs[index].end(request.isolationLevel().id() == 1);
                boolean ok = error == Errors.NONE;
                answers.partitions().add(new ListOffsetsResponseData.ListOffsetsPartitionResponse()
                    .setPartitionIndex(index).setErrorCode(error.code()).setTimestamp(-1)
                    .setOffset(ok ? offset : -1).setLeaderEpoch(ok ? logs[index].epochAt(offset) : -1));
            }
            data.topics().add(answers);
        }
        return data;
    }

    private OffsetForLeaderEpochResponseData ended(OffsetsForLeaderEpochRequest request, JsonNode step) {
        OffsetForLeaderEpochResponseData data = new OffsetForLeaderEpochResponseData();
        request.data().topics().forEach(topic -> {
            OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult answers =
                new OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult().setTopic(topic.topic());
            topic.partitions().forEach(partition -> {
                Errors error = errorOf(step, partition.partition());
                long[] end = logs[partition.partition()].endOf(partition.leaderEpoch());
                boolean ok = error == Errors.NONE;
                answers.partitions().add(new OffsetForLeaderEpochResponseData.EpochEndOffset()
                    .setPartition(partition.partition()).setErrorCode(error.code())
                    .setLeaderEpoch(ok ? (int) end[0] : -1).setEndOffset(ok ? end[1] : -1));
            });
            data.topics().add(answers);
        });
        return data;
    }

    private FindCoordinatorResponseData found(JsonNode step) {
        Errors error = errorOf(step);
        boolean ok = error == Errors.NONE;
        FindCoordinatorResponseData data = new FindCoordinatorResponseData();
        data.coordinators().add(new FindCoordinatorResponseData.Coordinator().setKey(GROUP).setErrorCode(error.code())
            .setNodeId(ok ? coordinator : -1).setHost(ok ? host(coordinator) : "").setPort(ok ? coordinator : -1));
        return data;
    }

    private OffsetCommitResponseData committed(OffsetCommitRequest request, JsonNode step) {
        OffsetCommitResponseData data = new OffsetCommitResponseData();
        for (OffsetCommitRequestData.OffsetCommitRequestTopic topic : request.data().topics()) {
            OffsetCommitResponseData.OffsetCommitResponseTopic answers =
                new OffsetCommitResponseData.OffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
            for (OffsetCommitRequestData.OffsetCommitRequestPartition offset : topic.partitions()) {
                Errors error = errorOf(step, offset.partitionIndex());
                if (error == Errors.NONE) {
                    commit(offset.partitionIndex(), offset.committedOffset(), offset.committedLeaderEpoch());
                }
                answers.partitions().add(new OffsetCommitResponseData.OffsetCommitResponsePartition()
                    .setPartitionIndex(offset.partitionIndex()).setErrorCode(error.code()));
            }
            data.topics().add(answers);
        }
        return data;
    }

    private OffsetFetchResponseData committed(OffsetFetchRequest request, JsonNode step) {
        OffsetFetchResponseData.OffsetFetchResponseGroup group = new OffsetFetchResponseData.OffsetFetchResponseGroup()
            .setGroupId(GROUP).setErrorCode(errorOf(step).code());
        for (OffsetFetchRequestData.OffsetFetchRequestTopics topic : request.data().groups().get(0).topics()) {
            OffsetFetchResponseData.OffsetFetchResponseTopics answers =
                new OffsetFetchResponseData.OffsetFetchResponseTopics().setName(topic.name()).setTopicId(topic.topicId());
            for (int index : topic.partitionIndexes()) {
                Errors error = errorOf(step, index);
                answers.partitions().add(error == Errors.NONE ? committed[index].duplicate()
                    : new OffsetFetchResponseData.OffsetFetchResponsePartitions().setPartitionIndex(index)
                        .setErrorCode(error.code()).setCommittedOffset(-1).setCommittedLeaderEpoch(-1).setMetadata(""));
            }
            group.topics().add(answers);
        }
        OffsetFetchResponseData data = new OffsetFetchResponseData();
        data.groups().add(group);
        return data;
    }
}
