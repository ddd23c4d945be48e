package org.apache.kafka.clients.producer.internals;

import org.apache.kafka.common.network.ChannelState;
import org.apache.kafka.common.network.NetworkReceive;
import org.apache.kafka.common.network.NetworkSend;
import org.apache.kafka.common.network.Selectable;

import java.io.IOException;
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
import java.util.function.LongPredicate;

/**
 * The sockets of the producer. What is sent is received at once; what comes back lies here until
 * the sender thread blocks in a poll, and then comes one by one.
 */
final class Wire implements Selectable {
    /** How often a poll without a timeout may return with nothing before it counts as blocking. */
    private static final int FREE_SPINS = 3;

    /** A request that the script answers. */
    record Waiting(int node, String connection, Brokers.Received received) {
    }

    /** Something that the network has for the producer. */
    private record Arrival(String connection, NetworkReceive receive, boolean lost, int throttleMs) {
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
        final Brokers.Received received;
        final long sentMs;
        /** How long the answer stops the client from sending. */
        int throttleMs;
        /** By how much earlier answers have put off the timeout. */
        long throttledMs;
        NetworkReceive answer;

        Entry(Brokers.Received received, long sentMs) {
            this.received = received;
            this.sentMs = sentMs;
        }
    }

    private final Brokers brokers;
    private final Clock clock;
    private final int requestTimeoutMs;
    /** Lets time pass until something happens or so many milliseconds are over; with 0 the sender spins. */
    private final LongPredicate block;
    /** What is told of everything that goes out. */
    private final java.util.function.BiConsumer<Integer, Brokers.Received> told;
    private final Map<String, Connection> connections = new LinkedHashMap<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final Deque<Arrival> arrivals = new ArrayDeque<>();
    private final List<NetworkSend> unwritten = new ArrayList<>();
    private final List<NetworkSend> completedSends = new ArrayList<>();
    private final List<NetworkReceive> completedReceives = new ArrayList<>();
    private final Map<String, ChannelState> disconnected = new HashMap<>();
    private final List<String> connected = new ArrayList<>();
    private final Runnable application;
    /** Brokers whose answers do not get through. */
    private final Set<Integer> held = new HashSet<>();
    /** Brokers that cannot be connected to. */
    private final Set<Integer> hidden = new HashSet<>();
    private Object states;
    private boolean wakeup;
    private int spins;
    private boolean overslept;

    Wire(Brokers brokers, Clock clock, int requestTimeoutMs, Runnable application, LongPredicate block,
            java.util.function.BiConsumer<Integer, Brokers.Received> told) {
        this.brokers = brokers;
        this.clock = clock;
        this.requestTimeoutMs = requestTimeoutMs;
        this.application = application;
        this.block = block;
        this.told = told;
    }

    /** Whether a poll has something to return with. */
    boolean hasNews() {
        return wakeup || !arrivals.isEmpty();
    }

    /** Answers the oldest request of the n-th node that has one, by id. */
    void respond(int nth, int throttleMs, java.util.function.Function<Brokers.Received, org.apache.kafka.common.protocol.ApiMessage> answer) {
        if (waiting.isEmpty()) {
            return;
        }
        int[] nodes = waiting.stream().mapToInt(Waiting::node).sorted().distinct().toArray();
        int node = nodes[nth % nodes.length];
        Waiting oldest = waiting.stream().filter(other -> other.node() == node).findFirst().orElseThrow();
        String id = oldest.connection();
        waiting.remove(oldest);
        Connection connection = connections.get(id);
        for (Entry entry : connection.entries) {
            if (entry.received == oldest.received()) {
                entry.answer = entry.received.answer(id, answer.apply(entry.received));
                entry.throttleMs = throttleMs;
            }
        }
        deliver(id, connection);
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
            Entry entry = connection.entries.poll();
            arrivals.add(new Arrival(id, entry.answer, false, entry.throttleMs));
        }
    }

    /** The connections of a broker break. */
    void disconnect(int node) {
        List<String> broken = new ArrayList<>();
        connections.forEach((id, connection) -> {
            if (connection.node == node) {
                broken.add(id);
            }
        });
        for (String id : broken) {
            if (brokers.hasTransactions()) {
                // What has come in before is there, even if the sender slept.
                lose(id);
            } else {
                forget(id);
            }
            arrivals.add(new Arrival(id, null, true, 0));
        }
    }

    private void lose(String id) {
        connections.remove(id);
        waiting.removeIf(request -> request.connection().equals(id));
    }

    private void forget(String id) {
        lose(id);
        arrivals.removeIf(arrival -> arrival.connection().equals(id));
        unwritten.removeIf(send -> send.destinationId().equals(id));
    }

    @Override
    public void connect(String id, InetSocketAddress address, int sendBuffer, int receiveBuffer) {
        told.accept(address.getPort(), null);
        connections.put(id, new Connection(address.getPort()));
        if (!hidden.contains(address.getPort())) {
            arrivals.add(new Arrival(id, null, false, 0));
        }
    }

    @Override
    public void send(NetworkSend send) {
        if (!brokers.hasTransactions()) {
            write(send);
        }
        unwritten.add(send);
    }

    /** With transactions a request is written by the poll after it, as a selector does. */
    private void write(NetworkSend send) {
        String id = send.destinationId();
        Connection connection = connections.get(id);
        if (connection == null && !brokers.hasTransactions()) {
            // It broke, and the producer does not know yet.
            return;
        }
        try {
            Brokers.Received received = Brokers.Received.from(send);
            if (connection == null) {
                // The socket takes it all the same.
                return;
            }
            told.accept(connection.node, received);
            Entry entry = new Entry(received, clock.milliseconds());
            org.apache.kafka.common.protocol.ApiMessage answer = brokers.answer(received);
            if (answer == null) {
                boolean silent = received.request() instanceof org.apache.kafka.common.requests.ProduceRequest produce
                    && produce.acks() == 0;
                if (!silent) {
                    waiting.add(new Waiting(connection.node, id, received));
                    connection.entries.add(entry);
                }
            } else {
                entry.answer = received.answer(id, answer);
                connection.entries.add(entry);
            }
            deliver(id, connection);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public void poll(long timeoutMs) {
        completedSends.clear();
        completedReceives.clear();
        disconnected.clear();
        connected.clear();
        if (overslept) {
            overslept = false;
            Set<String> heard = new HashSet<>();
            List<Arrival> ready = new ArrayList<>(arrivals);
            arrivals.clear();
            for (Arrival arrival : ready) {
                if (heard.add(arrival.connection())) {
                    arrive(arrival);
                } else {
                    arrivals.add(arrival);
                    overslept = true;
                }
            }
        }
        if (!unwritten.isEmpty()) {
            if (brokers.hasTransactions()) {
                List.copyOf(unwritten).forEach(this::write);
            }
            spins = 0;
            wakeup = false;
            completedSends.addAll(unwritten);
            unwritten.clear();
            return;
        }
        if (!completedReceives.isEmpty() || !connected.isEmpty() || !disconnected.isEmpty()) {
            return;
        }
        if (timeoutMs <= 0 && spins++ < FREE_SPINS) {
            wakeup = false;
            return;
        }
        application.run();
        if (wakeup) {
            wakeup = false;
            return;
        }
        spins = 0;
        if (arrivals.isEmpty() && !block.test(timeoutMs <= 0 && brokers.hasTransactions()
                ? 0 : Math.max(Math.min(timeoutMs, untilTimeoutMs()), 1))) {
            return;
        }
        wakeup = false;
        Arrival arrival = arrivals.poll();
        if (arrival != null) {
            arrive(arrival);
        }
    }

    private void arrive(Arrival arrival) {
        if (arrival.lost()) {
            disconnected.put(arrival.connection(), ChannelState.READY);
        } else if (arrival.receive() != null) {
            completedReceives.add(arrival.receive());
            Connection known = connections.get(arrival.connection());
            if (known != null) {
                known.entries.forEach(entry -> entry.throttledMs += arrival.throttleMs());
            }
        } else {
            Connection made = connections.get(arrival.connection());
            if (made != null) {
                made.open = true;
            }
            connected.add(arrival.connection());
        }
    }

    /** The sender has slept: the next poll finds all that came meanwhile, one receive a connection. */
    void overslept() {
        overslept = true;
    }

    /**
     * How long until a request or the making of a connection times out. A selector may return early,
     * and this one does then: Kafka notices a timeout with the next poll, which can be as late as
     * another timeout.
     */
    private long untilTimeoutMs() {
        long nowMs = clock.milliseconds();
        long requestMs = connections.values().stream().flatMap(connection -> connection.entries.stream())
            .mapToLong(entry -> entry.sentMs + requestTimeoutMs + 1 + entry.throttledMs - nowMs)
            .min().orElse(Long.MAX_VALUE);
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
        forget(id);
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
            : arrivals.stream().anyMatch(arrival -> arrival.lost() && arrival.connection().equals(id));
    }
}
