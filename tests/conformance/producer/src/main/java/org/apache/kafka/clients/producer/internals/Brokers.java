package org.apache.kafka.clients.producer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.network.NetworkReceive;
import org.apache.kafka.common.network.NetworkSend;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.requests.ResponseHeader;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What the brokers of a script know and say. */
final class Brokers {
    /** Kafka visits partitions in the order of hash maps, which for this name is ascending. */
    static final String TOPIC = topic();
    private static final Map<Integer, String> HOSTS = new HashMap<>();
    private static final Uuid TOPIC_ID = new Uuid(7, 7);

    private final int count;
    private final int[] leaders;
    private final int[] epochs;
    private final long[] offsets;
    private final List<Errors> idErrors = new ArrayList<>();
    /** With transactions. */
    private final Coordinators coordinators;
    private long nextProducerId = 1000;

    Brokers(JsonNode script) {
        count = script.get("brokers").asInt();
        coordinators = script.has("transactions") ? new Coordinators(script.get("transactions")) : null;
        JsonNode led = script.get("leaders");
        leaders = new int[led.size()];
        epochs = new int[led.size()];
        offsets = new long[led.size()];
        for (int partition = 0; partition < led.size(); partition++) {
            leaders[partition] = led.get(partition).asInt();
        }
        if (script.has("id_errors")) {
            script.get("id_errors").forEach(error -> idErrors.add(Errors.valueOf(error.asText())));
        }
    }

    boolean hasTransactions() {
        return coordinators != null;
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

    /** An address for a broker, so that a hash set of Kafka's nodes is in ascending order. */
    static String host(int id) {
        return HOSTS.computeIfAbsent(id, number -> {
            for (int last = 1; last < 255; last++) {
                String host = "127.0.0." + last;
                int hash = new Node(number, host, number).hashCode();
                if (((hash ^ hash >>> 16) & 15) == number) {
                    return host;
                }
            }
            throw new IllegalStateException("no address for broker " + number);
        });
    }

    /** A request as it came over a connection. */
    record Received(RequestHeader header, AbstractRequest request) {
        static Received from(NetworkSend send) throws IOException {
            Collector collector = new Collector();
            while (!send.completed()) {
                send.writeTo(collector);
            }
            ByteBuffer buffer = ByteBuffer.wrap(collector.bytes.toByteArray());
            buffer.getInt();
            RequestHeader header = RequestHeader.parse(buffer);
            ByteBufferAccessor body = new ByteBufferAccessor(buffer);
            return new Received(header, AbstractRequest.parseRequest(header.apiKey(), header.apiVersion(), body).request);
        }

        NetworkReceive answer(String connection, ApiMessage data) {
            ApiKeys api = header.apiKey();
            short version = header.apiVersion();
            ResponseHeader answer = new ResponseHeader(header.correlationId(), api.responseHeaderVersion(version));
            return new NetworkReceive(connection,
                RequestUtils.serialize(answer.data(), answer.headerVersion(), data, version));
        }
    }

    /** A leader changes. 0 is nobody. */
    void lead(int partition, int leader) {
        leaders[partition] = leader;
        epochs[partition]++;
    }

    /** The answer that is given at once, or null if the script answers. */
    ApiMessage answer(Received received) {
        if (coordinators != null && Coordinators.describe(received.request()) != null) {
            return null;
        }
        return switch (received.header().apiKey()) {
            case API_VERSIONS -> apiVersions();
            case METADATA -> metadata((MetadataRequest) received.request());
            case INIT_PRODUCER_ID -> producerId();
            case PRODUCE -> null;
            default -> throw new IllegalStateException("not expected: " + received.header());
        };
    }

    private ApiVersionsResponseData apiVersions() {
        ApiVersionsResponseData data = new ApiVersionsResponseData();
        if (coordinators != null) {
            data.setFinalizedFeaturesEpoch(1);
            data.finalizedFeatures().add(new ApiVersionsResponseData.FinalizedFeatureKey().setName("transaction.version")
                .setMinVersionLevel(coordinators.version()).setMaxVersionLevel(coordinators.version()));
        }
        for (ApiKeys api : ApiKeys.clientApis()) {
            data.apiKeys().add(new ApiVersionsResponseData.ApiVersion()
                .setApiKey(api.id)
                .setMinVersion(api.oldestVersion())
                .setMaxVersion(api.latestVersion()));
        }
        return data;
    }

    private MetadataResponseData metadata(MetadataRequest request) {
        MetadataResponseData data = new MetadataResponseData().setClusterId("cluster").setControllerId(1);
        for (int id = 1; id <= count; id++) {
            data.brokers().add(new MetadataResponseData.MetadataResponseBroker()
                .setNodeId(id).setHost(host(id)).setPort(id));
        }
        if (request.data().topics().stream().noneMatch(topic -> TOPIC.equals(topic.name()))) {
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

    private InitProducerIdResponseData producerId() {
        if (!idErrors.isEmpty()) {
            return new InitProducerIdResponseData().setErrorCode(idErrors.remove(0).code())
                .setProducerId(-1).setProducerEpoch((short) -1);
        }
        nextProducerId++;
        return new InitProducerIdResponseData().setProducerId(nextProducerId).setProducerEpoch((short) 0);
    }

    /** The answer that a step gives. */
    ApiMessage answer(Received received, JsonNode step) {
        return received.request() instanceof ProduceRequest produce ? produced(produce, step)
            : coordinators.answer(received.request(), step);
    }

    /** The batches of a produce request by partition: identity, records, bytes. */
    String describe(ProduceRequest request) {
        String kind = request.transactionalId() == null ? "" : request.version() > 11 ? "v2 " : "v0 ";
        return kind + batches(request);
    }

    private static String batches(ProduceRequest request) {
        SortedMap<Integer, String> batches = new TreeMap<>();
        for (ProduceRequestData.TopicProduceData topic : request.data().topicData()) {
            for (ProduceRequestData.PartitionProduceData partition : topic.partitionData()) {
                RecordBatch batch = ((MemoryRecords) partition.records()).batches().iterator().next();
                String identity = batch.producerId() < 0 ? "-"
                    : (batch.isTransactional() ? "t" : "") + batch.producerId() + "/" + batch.producerEpoch() + "/" + batch.baseSequence();
                batches.put(partition.index(), "p" + partition.index() + " " + identity + " +" + batch.countOrNull()
                    + " " + partition.records().sizeInBytes() + "B");
            }
        }
        return String.join(", ", batches.values());
    }

    /**
     * The answer to a produce request. "errors" are taken in turn by the partitions, NONE if there
     * are none; success takes the next offsets of the partition.
     */
    ApiMessage produced(ProduceRequest request, JsonNode step) {
        ProduceResponseData data = new ProduceResponseData().setThrottleTimeMs(step.path("throttle").asInt());
        List<String> errors = new ArrayList<>();
        if (step.has("errors")) {
            step.get("errors").forEach(error -> errors.add(error.asText()));
        }
        for (ProduceRequestData.TopicProduceData topic : request.data().topicData()) {
            ProduceResponseData.TopicProduceResponse answers =
                new ProduceResponseData.TopicProduceResponse().setName(topic.name()).setTopicId(topic.topicId());
            for (ProduceRequestData.PartitionProduceData batch : topic.partitionData()) {
                Errors error = errors.isEmpty() ? Errors.NONE
                    : Errors.valueOf(errors.get(batch.index() % errors.size()));
                answers.partitionResponses().add(produced(batch, error, step.path("hint").asBoolean()));
            }
            data.responses().add(answers);
        }
        if (step.path("hint").asBoolean()) {
            for (int id = 1; id <= count; id++) {
                data.nodeEndpoints().add(new ProduceResponseData.NodeEndpoint()
                    .setNodeId(id).setHost(host(id)).setPort(id));
            }
        }
        return data;
    }

    private ProduceResponseData.PartitionProduceResponse produced(
            ProduceRequestData.PartitionProduceData batch, Errors error, boolean hint) {
        int partition = batch.index();
        ProduceResponseData.PartitionProduceResponse answer = new ProduceResponseData.PartitionProduceResponse()
            .setIndex(batch.index()).setErrorCode(error.code()).setBaseOffset(-1);
        if (error == Errors.NONE) {
            answer.setBaseOffset(offsets[partition]);
            offsets[partition] += ((MemoryRecords) batch.records()).batches().iterator().next().countOrNull();
        } else if (error == Errors.NOT_LEADER_OR_FOLLOWER && hint && leaders[partition] != 0) {
            answer.currentLeader().setLeaderId(leaders[partition]).setLeaderEpoch(epochs[partition]);
        }
        return answer;
    }

    /** Takes what is written. */
    private static final class Collector implements TransferableChannel {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public boolean hasPendingWrites() {
            return false;
        }

        @Override
        public long transferFrom(FileChannel file, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            return Arrays.stream(sources, offset, offset + length).mapToLong(this::write).sum();
        }

        @Override
        public long write(ByteBuffer[] sources) {
            return write(sources, 0, sources.length);
        }

        @Override
        public int write(ByteBuffer source) {
            int written = source.remaining();
            byte[] content = new byte[written];
            source.get(content);
            bytes.writeBytes(content);
            return written;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
        }
    }
}
