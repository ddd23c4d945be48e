package org.apache.kafka.clients.consumer.internals;

import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** What is told of requests. */
final class Requests {
    private final Brokers brokers;

    Requests(Brokers brokers) {
        this.brokers = brokers;
    }

    /** The request in words, or null if nothing is told of it. */
    String describe(int node, Received received) {
        String to = " b" + node;
        return switch (received.header().apiKey()) {
            case METADATA -> "metadata" + to;
            case FETCH -> fetch(to, (FetchRequest) received.request(), brokers.asked(received));
            case LIST_OFFSETS -> list(to, (ListOffsetsRequest) received.request());
            case OFFSET_FOR_LEADER_EPOCH -> epochs(to, (OffsetsForLeaderEpochRequest) received.request());
            case FIND_COORDINATOR -> "find" + to;
            case OFFSET_COMMIT -> commit(to, (OffsetCommitRequest) received.request());
            case OFFSET_FETCH -> committed(to, (OffsetFetchRequest) received.request());
            default -> null;
        };
    }

    private static String committed(String to, OffsetFetchRequest request) {
        TreeSet<Integer> partitions = new TreeSet<>();
        request.data().groups().get(0).topics().forEach(topic -> partitions.addAll(topic.partitionIndexes()));
        return "committed" + to + " p" + String.join(" p", partitions.stream().map(String::valueOf).toList());
    }

    private static String isolation(int level) {
        return level == 1 ? " committed" : " any";
    }

    private static String epoch(int epoch) {
        return epoch < 0 ? "-" : String.valueOf(epoch);
    }

    private static String sorted(String head, List<String> parts) {
        return head + " " + String.join(" ", parts.stream().sorted().toList());
    }

    private static String fetch(String to, FetchRequest request, Sessions.Asked asked) {
        if (asked == null) {
            return "end-session" + to;
        }
        List<String> parts = new ArrayList<>();
        asked.partitions().forEach((index, partition) -> parts.add("p" + index + "@" + partition.fetchOffset()
            + "e" + epoch(partition.currentLeaderEpoch())));
        return sorted("fetch" + to + isolation(request.isolationLevel().id()), parts);
    }

    private static String list(String to, ListOffsetsRequest request) {
        List<String> parts = new ArrayList<>();
        request.topics().forEach(topic -> topic.partitions().forEach(partition -> parts.add(
            "p" + partition.partitionIndex()
                + (partition.timestamp() == ListOffsetsRequest.EARLIEST_TIMESTAMP ? "-earliest" : "-latest")
                + "e" + epoch(partition.currentLeaderEpoch()))));
        return sorted("list" + to + isolation(request.isolationLevel().id()), parts);
    }

    private static String epochs(String to, OffsetsForLeaderEpochRequest request) {
        List<String> parts = new ArrayList<>();
        request.data().topics().forEach(topic -> topic.partitions().forEach(partition -> parts.add(
            "p" + partition.partition() + "e" + epoch(partition.currentLeaderEpoch()) + "r" + epoch(partition.leaderEpoch()))));
        return sorted("epochs" + to, parts);
    }

    private static String commit(String to, OffsetCommitRequest request) {
        List<String> parts = new ArrayList<>();
        request.data().topics().forEach(topic -> topic.partitions().forEach(partition -> parts.add(
            "p" + partition.partitionIndex() + "@" + partition.committedOffset()
                + "e" + epoch(partition.committedLeaderEpoch()))));
        return sorted("commit" + to + member(request.data().memberId(), request.data().generationIdOrMemberEpoch()), parts);
    }

    /** Who asks. */
    private static String member(String member, int generation) {
        return " " + (member.isEmpty() ? "-" : member) + "/" + (generation < 0 ? "-" : String.valueOf(generation));
    }
}
