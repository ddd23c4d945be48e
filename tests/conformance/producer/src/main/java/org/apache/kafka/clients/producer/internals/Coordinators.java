package org.apache.kafka.clients.producer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnPartitionResult;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnTopicResult;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AddPartitionsToTxnRequest;
import org.apache.kafka.common.requests.EndTxnRequest;
import org.apache.kafka.common.requests.FindCoordinatorRequest;
import org.apache.kafka.common.requests.InitProducerIdRequest;
import org.apache.kafka.common.requests.TxnOffsetCommitRequest;

import java.util.List;
import java.util.stream.Collectors;

/** The coordinators of a script with transactions: what they are asked, and what they say. */
final class Coordinators {
    private static final long PRODUCER_ID = 1001;

    private final int version;
    private final int transaction;
    private final int group;
    private short epoch;

    Coordinators(JsonNode script) {
        version = script.get("version").asInt();
        transaction = script.get("coordinator").asInt();
        group = script.get("group_coordinator").asInt();
    }

    /** The level of the feature transaction.version. */
    short version() {
        return (short) version;
    }

    /** A request as lines show it; null for one that has nothing to do with transactions. */
    static String describe(AbstractRequest request) {
        return switch (request.apiKey()) {
            case FIND_COORDINATOR -> ((FindCoordinatorRequest) request).data().keyType() == 1 ? "find transaction" : "find group";
            case INIT_PRODUCER_ID -> {
                InitProducerIdRequestData data = ((InitProducerIdRequest) request).data();
                yield data.producerId() < 0 ? "init" : "bump " + data.producerEpoch();
            }
            case ADD_PARTITIONS_TO_TXN -> "add" + ((AddPartitionsToTxnRequest) request).data().v3AndBelowTopics().stream()
                .flatMap(topic -> topic.partitions().stream()).sorted().map(each -> " p" + each).collect(Collectors.joining());
            case ADD_OFFSETS_TO_TXN -> "add offsets";
            case TXN_OFFSET_COMMIT -> "offsets" + ((TxnOffsetCommitRequest) request).data().topics().stream()
                .flatMap(topic -> topic.partitions().stream())
                .map(each -> " p" + each.partitionIndex() + "@" + each.committedOffset()).collect(Collectors.joining())
                + " v" + (request.version() >= 5 ? 2 : 0);
            case END_TXN -> {
                EndTxnRequestData data = ((EndTxnRequest) request).data();
                yield (data.committed() ? "commit " : "abort ") + data.producerEpoch() + " v" + (request.version() >= 5 ? 2 : 0);
            }
            default -> null;
        };
    }

    /** The answer: the error of the step, or success. */
    ApiMessage answer(AbstractRequest request, JsonNode step) {
        Errors error = step.has("error") ? Errors.valueOf(step.get("error").asText()) : Errors.NONE;
        return switch (request.apiKey()) {
            case FIND_COORDINATOR -> found((FindCoordinatorRequest) request, error);
            case INIT_PRODUCER_ID -> {
                InitProducerIdResponseData data = new InitProducerIdResponseData().setErrorCode(error.code());
                boolean ok = error == Errors.NONE;
                yield data.setProducerId(ok ? PRODUCER_ID : -1).setProducerEpoch(ok ? epoch++ : -1);
            }
            case ADD_PARTITIONS_TO_TXN -> added((AddPartitionsToTxnRequest) request, error);
            case ADD_OFFSETS_TO_TXN -> new AddOffsetsToTxnResponseData().setErrorCode(error.code());
            case TXN_OFFSET_COMMIT -> committed((TxnOffsetCommitRequest) request, error);
            case END_TXN -> {
                EndTxnResponseData data = new EndTxnResponseData().setErrorCode(error.code());
                boolean bumps = error == Errors.NONE && request.version() >= 5;
                yield bumps ? data.setProducerId(PRODUCER_ID).setProducerEpoch(epoch++) : data;
            }
            default -> throw new IllegalStateException("not expected: " + request);
        };
    }

    private FindCoordinatorResponseData found(FindCoordinatorRequest request, Errors error) {
        boolean ofTransaction = request.data().keyType() == 1;
        int id = ofTransaction ? transaction : group;
        boolean ok = error == Errors.NONE;
        return new FindCoordinatorResponseData().setCoordinators(List.of(new FindCoordinatorResponseData.Coordinator()
            .setKey(request.data().coordinatorKeys().get(0)).setErrorCode(error.code())
            .setNodeId(ok ? id : -1).setHost(ok ? Brokers.host(id) : "").setPort(ok ? id : -1)));
    }

    private static AddPartitionsToTxnResponseData added(AddPartitionsToTxnRequest request, Errors error) {
        AddPartitionsToTxnResponseData data = new AddPartitionsToTxnResponseData();
        for (AddPartitionsToTxnTopic topic : request.data().v3AndBelowTopics()) {
            AddPartitionsToTxnTopicResult result = new AddPartitionsToTxnTopicResult().setName(topic.name());
            topic.partitions().forEach(each -> result.resultsByPartition().add(
                new AddPartitionsToTxnPartitionResult().setPartitionIndex(each).setPartitionErrorCode(error.code())));
            data.resultsByTopicV3AndBelow().add(result);
        }
        return data;
    }

    private static TxnOffsetCommitResponseData committed(TxnOffsetCommitRequest request, Errors error) {
        TxnOffsetCommitResponseData data = new TxnOffsetCommitResponseData();
        for (TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic topic : request.data().topics()) {
            TxnOffsetCommitResponseData.TxnOffsetCommitResponseTopic result =
                new TxnOffsetCommitResponseData.TxnOffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
            topic.partitions().forEach(each -> result.partitions().add(
                new TxnOffsetCommitResponseData.TxnOffsetCommitResponsePartition()
                    .setPartitionIndex(each.partitionIndex()).setErrorCode(error.code())));
            data.topics().add(result);
        }
        return data;
    }
}
