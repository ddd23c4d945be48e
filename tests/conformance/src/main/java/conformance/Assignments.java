package conformance;

import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.GroupAssignment;
import org.apache.kafka.coordinator.group.api.assignor.GroupSpec;
import org.apache.kafka.coordinator.group.api.assignor.MemberAssignment;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * Who is to have which partitions: prints random groups and what Kafka's assignors make of them, as
 * in {@code crates/broker/src/group/assignor/kafka.txt}.
 */
public final class Assignments {
    private static final int GROUPS = 300;
    /** Topics have ids from here on, so that sets of them are in order. */
    private static final int FIRST_TOPIC = 10;

    private final Random random = new Random(848);

    private Assignments() {}

    public static void main(String[] args) throws ReflectiveOperationException {
        Assignments all = new Assignments();
        for (int n = 0; n < GROUPS; n++) {
            all.print(n % 2 == 0 ? new UniformAssignor() : new RangeAssignor());
        }
    }

    private void print(ConsumerGroupPartitionAssignor assignor) throws ReflectiveOperationException {
        int topics = 1 + random.nextInt(2);
        int members = 1 + random.nextInt(5);
        int[] counts = IntStream.range(0, topics).map(t -> 1 + random.nextInt(6)).toArray();
        List<Map<Uuid, Set<Integer>>> before = new ArrayList<>();
        for (int m = 0; m < members; m++) {
            before.add(new TreeMap<>());
        }
        Map<Uuid, Map<Integer, String>> owners = new HashMap<>();
        for (int t = 0; t < topics; t++) {
            for (int p = 0; p < counts[t]; p++) {
                int owner = random.nextInt(members + 1);
                if (owner < members) {
                    Uuid id = topic(t);
                    before.get(owner).computeIfAbsent(id, __ -> new TreeSet<>()).add(p);
                    owners.computeIfAbsent(id, __ -> new HashMap<>()).put(p, "m" + owner);
                }
            }
        }
        GroupAssignment result = assignor.assign(spec(before, topics, owners), describer(counts));
        StringJoiner after = new StringJoiner("/");
        for (int m = 0; m < members; m++) {
            MemberAssignment one = result.members().get("m" + m);
            after.add(words(one == null ? Map.of() : one.partitions(), counts));
        }
        String partitions =
            IntStream.of(counts).mapToObj(Integer::toString).collect(Collectors.joining(" "));
        String had = before.stream().map(one -> words(one, counts)).collect(Collectors.joining("/"));
        String line = assignor.name() + " | " + partitions + " | " + had + " | " + after;
        System.out.println(line.stripTrailing());
    }

    private static Uuid topic(int number) {
        return new Uuid(0, FIRST_TOPIC + number);
    }

    /** Members in order, all with all topics. */
    private static GroupSpec spec(
        List<Map<Uuid, Set<Integer>>> before, int topics, Map<Uuid, Map<Integer, String>> owners)
        throws ReflectiveOperationException {
        Set<Uuid> subscribed = new LinkedHashSet<>();
        for (int t = 0; t < topics; t++) {
            subscribed.add(topic(t));
        }
        Map<String, MemberSubscriptionAndAssignmentImpl> members = new LinkedHashMap<>();
        for (int m = 0; m < before.size(); m++) {
            Assignment target = new Assignment(Collections.unmodifiableMap(before.get(m)));
            members.put("m" + m, new MemberSubscriptionAndAssignmentImpl(
                Optional.empty(), Optional.empty(), subscribed, target));
        }
        Map<String, MemberSubscriptionAndAssignmentImpl> sealed = Collections.unmodifiableMap(members);
        // From 4.2 on a group may say which partitions can be assigned at all.
        Constructor<?> constructor = GroupSpecImpl.class.getConstructors()[0];
        Object[] arguments = constructor.getParameterCount() == 3
            ? new Object[] {sealed, SubscriptionType.HOMOGENEOUS, owners}
            : new Object[] {sealed, SubscriptionType.HOMOGENEOUS, owners, Optional.empty()};
        return (GroupSpec) constructor.newInstance(arguments);
    }

    private static SubscribedTopicDescriber describer(int[] counts) {
        return new SubscribedTopicDescriber() {
            @Override
            public int numPartitions(Uuid id) {
                return counts[(int) id.getLeastSignificantBits() - FIRST_TOPIC];
            }

            @Override
            public Set<String> racksForPartition(Uuid id, int partition) {
                return Set.of();
            }
        };
    }

    /** Partitions are numbered over all topics. */
    private static String words(Map<Uuid, Set<Integer>> partitions, int[] counts) {
        TreeSet<Integer> all = new TreeSet<>();
        partitions.forEach((id, set) -> {
            int base = id.equals(topic(0)) ? 0 : counts[0];
            set.forEach(partition -> all.add(base + partition));
        });
        return all.stream().map(Object::toString).collect(Collectors.joining(" "));
    }
}
