package org.apache.kafka.coordinator.group;

import static org.mockito.Mockito.RETURNS_MOCKS;
import static org.mockito.Mockito.mock;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;
import org.apache.kafka.coordinator.common.runtime.CoordinatorEventProcessor;
import org.apache.kafka.coordinator.common.runtime.CoordinatorLoader;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRuntimeMetrics;
import org.apache.kafka.coordinator.common.runtime.CoordinatorTimer;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;
import org.apache.kafka.coordinator.group.classic.ClassicGroup;
import org.apache.kafka.coordinator.group.classic.ClassicGroupMember;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorMetrics;
import org.apache.kafka.coordinator.group.modern.MemberState;
import org.apache.kafka.coordinator.group.modern.consumer.ConsumerGroup;
import org.apache.kafka.coordinator.group.modern.consumer.ConsumerGroupMember;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.util.PartitionMetadataClient;
import org.apache.kafka.server.util.timer.Timer;

/** A GroupCoordinatorService on a CoordinatorRuntime, as its builder makes it, without threads. */
public final class Services {
    private final GroupCoordinatorService service;
    private GroupCoordinatorShard shard;
    /** Whether no session has begun in it. */
    private boolean isFresh;

    public Services(AbstractConfig properties, Time time, Timer timer,
                    CoordinatorEventProcessor events, PartitionWriter writer,
                    CoordinatorLoader<CoordinatorRecord> loader, MetadataImage image) {
        GroupCoordinatorConfig config = new GroupCoordinatorConfig(properties);
        GroupConfigManager groups = mock(GroupConfigManager.class, RETURNS_MOCKS);
        GroupCoordinatorMetrics metrics = mock(GroupCoordinatorMetrics.class, RETURNS_MOCKS);
        var runtime = new CoordinatorRuntime.Builder<GroupCoordinatorShard, CoordinatorRecord>()
                .withTime(time)
                .withTimer(timer)
                .withLogPrefix("")
                .withLogContext(new LogContext())
                .withEventProcessor(events)
                .withPartitionWriter(writer)
                .withLoader(loader)
                .withCoordinatorShardBuilderSupplier(() -> new Builder(config, groups))
                .withWriteTimeout(Duration.ofMillis(config.offsetCommitTimeoutMs()))
                .withCoordinatorRuntimeMetrics(mock(CoordinatorRuntimeMetrics.class))
                .withCoordinatorMetrics(metrics)
                .withSerializer(new GroupCoordinatorRecordSerde())
                .withCompression(Compression.NONE)
                .withAppendLingerMs(OptionalInt.of(0))
                .withExecutorService(mock(java.util.concurrent.ExecutorService.class))
                .withCachedBufferMaxBytesSupplier(config::cachedBufferMaxBytes)
                .build();
        service = new GroupCoordinatorService(new LogContext(), config, runtime, metrics, groups,
                mock(Persister.class), timer, mock(PartitionMetadataClient.class), Optional.empty(),
                time);
        service.startup(() -> 1);
        service.onMetadataUpdate(new MetadataDelta.Builder().setImage(image).build(), image);
    }

    public GroupCoordinator service() {
        return service;
    }

    /**
     * Lets a group keep its members in the order in which they joined, instead of that of the hashes
     * of random names: who leads next does not depend on chance then.
     */
    @SuppressWarnings("unchecked")
    public void keepOrder(String id, Collection<String> order) {
        try {
            Object manager = field(GroupCoordinatorShard.class, "groupMetadataManager").get(shard);
            var groups = (Map<String, Group>) field(GroupMetadataManager.class, "groups").get(manager);
            if (groups.get(id) instanceof ConsumerGroup group) {
                beginInOrder(manager, group);
            }
            if (!(groups.get(id) instanceof ClassicGroup group)) {
                return;
            }
            Field members = field(ClassicGroup.class, "members");
            var known = (Map<String, ClassicGroupMember>) members.get(group);
            if (known instanceof LinkedHashMap) {
                return;
            }
            Map<String, ClassicGroupMember> kept = new LinkedHashMap<>();
            order.stream().filter(known::containsKey).forEach(one -> kept.put(one, known.get(one)));
            known.forEach(kept::putIfAbsent);
            members.set(group, kept);
        } catch (ReflectiveOperationException wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    /**
     * Lets the sessions of a group that was read begin in the order of the members' names, instead
     * of that of a hash map: whose time is over first does not depend on chance then.
     */
    private void beginInOrder(Object manager, ConsumerGroup group)
            throws ReflectiveOperationException {
        var timer = (CoordinatorTimer<?>) field(GroupMetadataManager.class, "timer").get(manager);
        List<String> members = group.members().keySet().stream().sorted().toList();
        if (!isFresh || members.isEmpty() || !members.stream().allMatch(
                one -> timer.isScheduled(GroupMetadataManager.groupSessionTimeoutKey(
                        group.groupId(), one)))) {
            return;
        }
        isFresh = false;
        Method session = method("scheduleConsumerGroupSessionTimeout", String.class, String.class);
        Method rebalance = method("scheduleConsumerGroupRebalanceTimeout", String.class,
                String.class, int.class, int.class);
        for (String one : members) {
            session.invoke(manager, group.groupId(), one);
            ConsumerGroupMember member = group.members().get(one);
            if (member.state() == MemberState.UNREVOKED_PARTITIONS) {
                rebalance.invoke(manager, group.groupId(), one, member.memberEpoch(),
                        member.rebalanceTimeoutMs());
            }
        }
    }

    private static Method method(String name, Class<?>... of) throws ReflectiveOperationException {
        Method method = GroupMetadataManager.class.getDeclaredMethod(name, of);
        method.setAccessible(true);
        return method;
    }

    private static Field field(Class<?> of, String name) throws ReflectiveOperationException {
        Field field = of.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    /** The builder, which tells what it has built. */
    private final class Builder extends GroupCoordinatorShard.Builder {
        private Builder(GroupCoordinatorConfig config, GroupConfigManager groups) {
            super(config, groups);
            withAuthorizerPlugin(Optional.empty());
        }

        @Override
        public GroupCoordinatorShard build() {
            shard = super.build();
            isFresh = true;
            return shard;
        }
    }
}
