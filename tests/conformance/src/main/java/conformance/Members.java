package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMetadataValue;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.MetadataProvenance;

/**
 * What members of the consumer protocol say and are told, and what is written about them; and the
 * topics that they read, whose partitions are numbered over all of them.
 */
final class Members {
    static final List<String> TOPICS = List.of("t", "u");
    private static final int[] PARTITIONS = {3, 4};
    /** Topics have ids from here on, so that sets of them are in order. */
    private static final int FIRST_TOPIC = 10;

    private Members() {}

    /** All topics of the cluster. */
    static MetadataImage image() {
        MetadataDelta delta = new MetadataDelta.Builder().setImage(MetadataImage.EMPTY).build();
        for (int topic = 0; topic < PARTITIONS.length; topic++) {
            delta.replay(new TopicRecord().setName(TOPICS.get(topic)).setTopicId(id(topic)));
            for (int partition = 0; partition < PARTITIONS[topic]; partition++) {
                delta.replay(new PartitionRecord().setTopicId(id(topic)).setPartitionId(partition)
                        .setReplicas(List.of(0)).setIsr(List.of(0)).setLeader(0));
            }
        }
        return delta.apply(MetadataProvenance.EMPTY);
    }

    /** The topic of a partition. */
    static int topic(int partition) {
        return partition < PARTITIONS[0] ? 0 : 1;
    }

    /** Its index in this topic. */
    static int index(int partition) {
        return partition - topic(partition) * PARTITIONS[0];
    }

    /** The number of a partition by its topic and index. */
    static int number(String topic, int index) {
        return TOPICS.indexOf(topic) * PARTITIONS[0] + index;
    }

    private static int number(Uuid topic, int index) {
        return (int) (topic.getLeastSignificantBits() - FIRST_TOPIC) * PARTITIONS[0] + index;
    }

    /** Its id, which KafkaApis finds by the name. */
    static Uuid id(int topic) {
        return new Uuid(0, FIRST_TOPIC + topic);
    }

    /** A heartbeat as a script has it: member, epoch, rebalance timeout, topics, assignor, owned. */
    static ConsumerGroupHeartbeatRequestData request(String group, String member, JsonNode step) {
        var request = new ConsumerGroupHeartbeatRequestData().setGroupId(group).setMemberId(member)
                .setMemberEpoch(step.get(2).intValue()).setRebalanceTimeoutMs(step.get(3).intValue())
                .setSubscribedTopicNames(null).setTopicPartitions(null);
        if (!step.get(4).isNull()) {
            List<String> topics = new ArrayList<>();
            step.get(4).forEach(one -> topics.add(TOPICS.get(one.intValue())));
            request.setSubscribedTopicNames(topics);
        }
        if (!step.get(5).isNull()) {
            request.setServerAssignor(step.get(5).textValue());
        }
        if (!step.get(6).isNull()) {
            var owned = new TreeMap<Integer, List<Integer>>();
            step.get(6).forEach(one -> owned
                    .computeIfAbsent(topic(one.intValue()), __ -> new ArrayList<>())
                    .add(index(one.intValue())));
            List<ConsumerGroupHeartbeatRequestData.TopicPartitions> all = new ArrayList<>();
            owned.forEach((topic, partitions) -> all.add(
                    new ConsumerGroupHeartbeatRequestData.TopicPartitions()
                            .setTopicId(id(topic)).setPartitions(partitions)));
            request.setTopicPartitions(all);
        }
        return request;
    }

    /** Error; and without one member epoch, heartbeat interval and, if there is one, assignment. */
    static void told(ArrayNode told, ConsumerGroupHeartbeatResponseData result) {
        told.add(Errors.forCode(result.errorCode()).name());
        if (result.errorCode() != 0) {
            return;
        }
        told.add(result.memberEpoch()).add(result.heartbeatIntervalMs());
        if (result.assignment() == null) {
            told.addNull();
            return;
        }
        List<Integer> all = new ArrayList<>();
        result.assignment().topicPartitions().forEach(topic ->
                topic.partitions().forEach(one -> all.add(number(topic.topicId(), one))));
        put(told.addArray(), all);
    }

    private static void put(ArrayNode into, List<Integer> numbers) {
        numbers.stream().sorted().forEach(into::add);
    }

    /** A record about a group, or null if it is about something else. */
    static ArrayNode written(CoordinatorRecord record, ToIntFunction<String> names) {
        ArrayNode about = Lines.JSON.createArrayNode();
        var key = record.key();
        var value = record.value() == null ? null : record.value().message();
        if (key instanceof ConsumerGroupMetadataKey) {
            about.add("ce");
            if (value instanceof ConsumerGroupMetadataValue group) {
                about.add(group.epoch());
            }
        } else if (key instanceof ConsumerGroupMemberMetadataKey member) {
            about.add("cm").add(names.applyAsInt(member.memberId()));
            if (value instanceof ConsumerGroupMemberMetadataValue metadata) {
                put(about.addArray(),
                        metadata.subscribedTopicNames().stream().map(TOPICS::indexOf).toList());
                about.add(metadata.rebalanceTimeoutMs()).add(metadata.serverAssignor());
            }
        } else if (key instanceof ConsumerGroupTargetAssignmentMetadataKey) {
            about.add("ct");
            if (value instanceof ConsumerGroupTargetAssignmentMetadataValue target) {
                long at = target.assignmentTimestamp();
                about.add(target.assignmentEpoch()).add(at == 0 ? -1 : at - Transactions.START);
            }
        } else if (key instanceof ConsumerGroupTargetAssignmentMemberKey member) {
            about.add("ca").add(names.applyAsInt(member.memberId()));
            if (value instanceof ConsumerGroupTargetAssignmentMemberValue target) {
                List<Integer> all = new ArrayList<>();
                target.topicPartitions().forEach(topic ->
                        topic.partitions().forEach(one -> all.add(number(topic.topicId(), one))));
                put(about.addArray(), all);
            }
        } else if (key instanceof ConsumerGroupCurrentMemberAssignmentKey member) {
            about.add("cc").add(names.applyAsInt(member.memberId()));
            if (value instanceof ConsumerGroupCurrentMemberAssignmentValue current) {
                about.add(current.memberEpoch()).add(current.previousMemberEpoch());
                about.add(current.state());
                about.add(with(current.assignedPartitions()));
                about.add(with(current.partitionsPendingRevocation()));
            }
        } else {
            return null;
        }
        return about;
    }

    /** Partitions, each with the epoch in which it was assigned. */
    private static ArrayNode with(
            List<ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions> topics) {
        var epochs = new TreeMap<Integer, Integer>();
        topics.forEach(topic -> {
            for (int i = 0; i < topic.partitions().size(); i++) {
                epochs.put(number(topic.topicId(), topic.partitions().get(i)),
                        topic.assignmentEpochs().get(i));
            }
        });
        ArrayNode all = Lines.JSON.createArrayNode();
        epochs.forEach((number, epoch) -> all.addArray().add(number).add(epoch));
        return all;
    }
}
