package org.apache.kafka.clients.consumer.internals;

import org.apache.kafka.common.network.ChannelState;
import org.apache.kafka.common.network.NetworkReceive;
import org.apache.kafka.common.network.NetworkSend;
import org.apache.kafka.common.network.Selectable;
import org.apache.kafka.common.protocol.ApiMessage;

import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * The sockets of the consumer. What is sent is received at once. What comes back comes one by one to
 * polls that wait; what came while nobody polled is all there at the next poll.
 */
final class Wire implements Selectable {
    /** So many polls without a timeout, at one millisecond and with nothing to find, are a busy loop. */
    private static final int SPINS = 40;

    /** A request that the script answers. */
    record Waiting(int node, String connection, Received received) {
    }

    /** Something that the network has for the consumer. */
    private record Arrival(String connection, NetworkReceive receive, boolean lost) {
    }

    /** A connection; answers keep the order of requests. */
    private static final class Connection {
        final int node;
        boolean open;
        final Deque<Entry> entries = new ArrayDeque<>();

        Connection(int node) {
            this.node = node;
        }
    }

    private static final class Entry {
        final Received received;
        final long overMs;
        NetworkReceive answer;

        Entry(Received received, long overMs) {
            this.received = received;
            this.overMs = overMs;
        }
    }

    private final Clock clock;
    /** What brokers answer at once, or null if the script answers. */
    private final Function<Waiting, ApiMessage> atOnce;
    /** How long a request may take. */
    private final ToLongFunction<Received> timeoutMs;
    /** Lets time pass until something happens or so many milliseconds are over. */
    private final LongConsumer block;
    /** What is told of everything that goes out. */
    private final BiConsumer<Integer, Received> told;
    private final Map<String, Connection> connections = new LinkedHashMap<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final Deque<Arrival> arrivals = new ArrayDeque<>();
    private final List<NetworkSend> unwritten = new ArrayList<>();
    private final List<NetworkSend> completedSends = new ArrayList<>();
    private final List<NetworkReceive> completedReceives = new ArrayList<>();
    private final Map<String, ChannelState> disconnected = new HashMap<>();
    private final List<String> connected = new ArrayList<>();
    /** Brokers whose answers do not get through. */
    private final Set<Integer> held = new HashSet<>();
    /** Brokers that cannot be connected to. */
    private final Set<Integer> hidden = new HashSet<>();
    private Object states;
    private boolean wakeup;
    /** What has come while nobody polled. */
    private final Deque<Arrival> present = new ArrayDeque<>();
    private int spins;

    Wire(Clock clock, Function<Waiting, ApiMessage> atOnce, ToLongFunction<Received> timeoutMs, LongConsumer block,
            BiConsumer<Integer, Received> told) {
        this.clock = clock;
        this.atOnce = atOnce;
        this.timeoutMs = timeoutMs;
        this.block = block;
        this.told = told;
    }

    /** Whether a poll has something to return with. */
    boolean hasNews() {
        return wakeup || !arrivals.isEmpty() || !present.isEmpty();
    }

    /** Nobody has polled up to now: the next poll finds all that has arrived. */
    void wasAway() {
        present.addAll(arrivals);
        arrivals.clear();
        spins = 0;
    }

    /** Answers the oldest request of the n-th node that has one; a node and the same as coordinator are two. */
    void respond(int nth, Function<Waiting, ApiMessage> answer) {
        if (waiting.isEmpty()) {
            return;
        }
        int[] nodes = waiting.stream().mapToInt(Wire::place).sorted().distinct().toArray();
        int node = nodes[nth % nodes.length];
        Waiting oldest = waiting.stream().filter(other -> place(other) == node).findFirst().orElseThrow();
        String id = oldest.connection();
        waiting.remove(oldest);
        Connection connection = connections.get(id);
        for (Entry entry : connection.entries) {
            if (entry.received == oldest.received()) {
                entry.answer = entry.received.answer(id, answer.apply(oldest));
            }
        }
        deliver(id, connection);
    }

    private static int place(Waiting request) {
        boolean coordinator = switch (request.received().header().apiKey()) {
            case OFFSET_COMMIT, OFFSET_FETCH, JOIN_GROUP, SYNC_GROUP, HEARTBEAT, LEAVE_GROUP -> true;
            default -> false;
        };
        return 2 * request.node() + (coordinator ? 1 : 0);
    }

    /** From now on nothing that a broker says gets through. */
    void hold(int node) {
        held.add(node);
    }

    /** What a broker has said since gets through. */
    void release(int node) {
        held.remove(node);
        connections.forEach((id, connection) -> {
            if (connection.node == node) {
                deliver(id, connection);
            }
        });
    }

    /** From now on no connection to a broker can be made. */
    void hide(int node) {
        hidden.add(node);
    }

    /** New connections to a broker can be made again; those tried meanwhile never come about. */
    void show(int node) {
        hidden.remove(node);
    }

    /** The ClusterConnectionStates, which know when a connection should have been made. */
    void setupTimeouts(Object states) {
        this.states = states;
    }

    private void deliver(String id, Connection connection) {
        if (held.contains(connection.node)) {
            return;
        }
        while (!connection.entries.isEmpty() && connection.entries.peek().answer != null) {
            arrivals.add(new Arrival(id, connection.entries.poll().answer, false));
        }
    }

    /** The connections of a broker break. What it said before is still there. */
    void disconnect(int node) {
        List<String> broken = new ArrayList<>();
        connections.forEach((id, connection) -> {
            if (connection.node == node) {
                broken.add(id);
            }
        });
        for (String id : broken) {
            lose(id);
            arrivals.add(new Arrival(id, null, true));
        }
    }

    private void lose(String id) {
        connections.remove(id);
        waiting.removeIf(request -> request.connection().equals(id));
    }

    @Override
    public void connect(String id, InetSocketAddress address, int sendBuffer, int receiveBuffer) {
        told.accept(address.getPort(), null);
        connections.put(id, new Connection(address.getPort()));
        if (!hidden.contains(address.getPort())) {
            arrivals.add(new Arrival(id, null, false));
        }
    }

    @Override
    public void send(NetworkSend send) {
        unwritten.add(send);
        String id = send.destinationId();
        Received received = Received.from(send);
        Connection connection = connections.get(id);
        if (connection == null) {
            // It broke, and the consumer does not know yet: the socket takes it all the same.
            return;
        }
        told.accept(connection.node, received);
        Waiting request = new Waiting(connection.node, id, received);
        Entry entry = new Entry(received, clock.milliseconds() + timeoutMs.applyAsLong(received) + 1);
        connection.entries.add(entry);
        ApiMessage answer = atOnce.apply(request);
        if (answer == null) {
            waiting.add(request);
        } else {
            entry.answer = received.answer(id, answer);
            deliver(id, connection);
        }
    }

    @Override
    public void poll(long timeoutMs) {
        completedSends.clear();
        completedReceives.clear();
        disconnected.clear();
        connected.clear();
        boolean early = wakeup || !unwritten.isEmpty() || untilTimeoutMs() <= 0;
        wakeup = false;
        takePresent();
        completedSends.addAll(unwritten);
        unwritten.clear();
        if (early || !completedReceives.isEmpty() || !connected.isEmpty() || !disconnected.isEmpty()) {
            return;
        }
        if (timeoutMs <= 0 && spins++ < SPINS) {
            return;
        }
        spins = 0;
        block.accept(Math.max(Math.min(timeoutMs, untilTimeoutMs()), 1));
        wakeup = false;
        if (!arrivals.isEmpty()) {
            arrive(arrivals.poll());
        }
    }

    /** Takes what has come while nobody polled, but not two things of a connection. */
    private void takePresent() {
        Set<String> heard = new HashSet<>();
        for (Arrival arrival : List.copyOf(present)) {
            if (heard.add(arrival.connection())) {
                present.remove(arrival);
                arrive(arrival);
            }
        }
    }

    private void arrive(Arrival arrival) {
        if (arrival.lost()) {
            disconnected.put(arrival.connection(), ChannelState.READY);
        } else if (arrival.receive() != null) {
            completedReceives.add(arrival.receive());
        } else {
            Connection made = connections.get(arrival.connection());
            if (made != null) {
                made.open = true;
            }
            connected.add(arrival.connection());
        }
    }

    /**
     * How long until a request or the making of a connection times out. A selector may return early,
     * and this one does then: Kafka notices a timeout with the next poll, which can be as late as
     * another timeout.
     */
    private long untilTimeoutMs() {
        long nowMs = clock.milliseconds();
        long requestMs = connections.values().stream().flatMap(connection -> connection.entries.stream())
            .mapToLong(entry -> entry.overMs - nowMs).min().orElse(Long.MAX_VALUE);
        long setupMs = connections.entrySet().stream().filter(entry -> !entry.getValue().open)
            .mapToLong(entry -> ask("lastConnectAttemptMs", entry.getKey())
                + ask("connectionSetupTimeoutMs", entry.getKey()) + 1 - nowMs)
            .min().orElse(Long.MAX_VALUE);
        return Math.min(requestMs, setupMs);
    }

    private long ask(String method, String id) {
        try {
            Method found = states.getClass().getDeclaredMethod(method, String.class);
            found.setAccessible(true);
            return (long) found.invoke(states, id);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public void wakeup() {
        wakeup = true;
    }

    @Override
    public void close() {
    }

    @Override
    public void close(String id) {
        lose(id);
        arrivals.removeIf(arrival -> arrival.connection().equals(id));
        present.removeIf(arrival -> arrival.connection().equals(id));
        unwritten.removeIf(send -> send.destinationId().equals(id));
    }

    @Override
    public List<NetworkSend> completedSends() {
        return completedSends;
    }

    @Override
    public Collection<NetworkReceive> completedReceives() {
        return completedReceives;
    }

    @Override
    public Map<String, ChannelState> disconnected() {
        return disconnected;
    }

    @Override
    public List<String> connected() {
        return connected;
    }

    @Override
    public void mute(String id) {
    }

    @Override
    public void unmute(String id) {
    }

    @Override
    public void muteAll() {
    }

    @Override
    public void unmuteAll() {
    }

    @Override
    public boolean isChannelReady(String id) {
        Connection connection = connections.get(id);
        // A connection that broke looks well until a poll finds out.
        return connection != null ? connection.open
            : Stream.concat(present.stream(), arrivals.stream()).anyMatch(arrival -> arrival.lost() && arrival.connection().equals(id));
    }
}
