package org.apache.kafka.clients.producer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionAbortedException;
import org.apache.kafka.common.protocol.Errors;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * The transactional calls of a script, each on a thread of its own: what KafkaProducer does in
 * initTransactions() and its like, where a thread that would block is asked again whenever the
 * sender blocks.
 */
final class Calls {
    /** A thread inside a call. Without a result it waits for metadata newer than the version. */
    private static final class Call {
        final String name;
        final long deadlineMs;
        TransactionalRequestResult result;
        int version;
        Supplier<TransactionalRequestResult> next;

        Call(String name, long deadlineMs) {
            this.name = name;
            this.deadlineMs = deadlineMs;
        }
    }

    private final TransactionManager transactions;
    private final ProducerMetadata metadata;
    private final Clock clock;
    private final long maxBlockMs;
    /** The version of the metadata when threads that wait for it were last woken. */
    private final IntSupplier announced;
    private final Consumer<String> note;
    private final List<Call> open = new ArrayList<>();
    private Sender sender;
    private String state = "UNINITIALIZED";

    Calls(TransactionManager transactions, ProducerMetadata metadata, Clock clock, long maxBlockMs, IntSupplier announced,
            Consumer<String> note) {
        this.transactions = transactions;
        this.metadata = metadata;
        this.clock = clock;
        this.maxBlockMs = maxBlockMs;
        this.announced = announced;
        this.note = note;
    }

    void sender(Sender made) {
        sender = made;
    }

    /** Whether the step is a call; then it was made. */
    boolean step(JsonNode step) {
        String name = step.get("do").asText();
        switch (name) {
            case "init" -> await(name, () -> transactions.initializeTransactions(false));
            case "begin" -> attempt(name, () -> {
                refuseIfClosed();
                transactions.beginTransaction();
                note.accept("begin ok");
            });
            case "commit" -> await(name, transactions::beginCommit);
            case "abort" -> await(name, transactions::beginAbort);
            case "offsets" -> sendOffsets(step.get("partition").asInt(), step.get("offset").asLong());
            default -> {
                return false;
            }
        }
        return true;
    }

    private void refuseIfClosed() {
        if (!sender.isRunning()) {
            throw new IllegalStateException("Cannot perform operation after producer has been closed");
        }
    }

    private void attempt(String name, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException error) {
            note.accept(name + " throws " + nameOf(error));
        }
    }

    private void await(String name, Supplier<TransactionalRequestResult> begin) {
        Call call = new Call(name, deadlineFromNow());
        attempt(name, () -> {
            refuseIfClosed();
            call.result = begin.get();
            sender.wakeup();
            open.add(call);
        });
    }

    /** Kafka: KafkaProducer.sendOffsetsToTransaction, awaitTopicMetadata. */
    private void sendOffsets(int partition, long offset) {
        Call call = new Call("send-offsets", deadlineFromNow());
        Map<TopicPartition, OffsetAndMetadata> offsets =
            Map.of(new TopicPartition(Brokers.TOPIC, partition), new OffsetAndMetadata(offset));
        call.next = () -> transactions.sendOffsetsToTransaction(offsets, new ConsumerGroupMetadata("g"));
        attempt(call.name, () -> {
            refuseIfClosed();
            OptionalInt version = metadata.add(Set.of(Brokers.TOPIC), clock.milliseconds());
            if (version.isPresent()) {
                call.version = version.getAsInt();
                sender.wakeup();
            } else {
                call.result = call.next.get();
                sender.wakeup();
            }
            open.add(call);
        });
    }

    /** Lets every thread inside a call look whether its wait is over. */
    void look() {
        for (Call call : List.copyOf(open)) {
            if (call.result == null && announced.getAsInt() > call.version) {
                open.remove(call);
                attempt(call.name, () -> {
                    call.result = call.next.get();
                    sender.wakeup();
                    open.add(call);
                });
            }
            if (call.result != null && call.result.isCompleted()) {
                open.remove(call);
                attempt(call.name, () -> {
                    call.result.await(0, TimeUnit.MILLISECONDS, "");
                    if (call.name.equals("init")) {
                        transactions.maybeUpdateTransactionV2Enabled(true);
                    }
                    note.accept(call.name + " ok");
                });
            } else if (open.contains(call) && clock.milliseconds() >= call.deadlineMs) {
                open.remove(call);
                note.accept(call.name + " throws TIMEOUT");
            }
        }
    }

    /** When the first thread inside a call gives up. */
    long deadlineMs() {
        return open.stream().mapToLong(call -> call.deadlineMs).min().orElse(Long.MAX_VALUE);
    }

    /** When a call that begins now gives up. */
    long deadlineFromNow() {
        return clock.milliseconds() + maxBlockMs;
    }

    /** Kafka: KafkaProducer.doSend, an ApiException before the append. */
    void refused(ApiException error) {
        attempt("send", () -> transactions.maybeTransitionToErrorState(error));
    }

    /** Time is about to pass: notes the state if it is another one. */
    void noteState() {
        try {
            Field field = TransactionManager.class.getDeclaredField("currentState");
            field.setAccessible(true);
            String now = field.get(transactions).toString();
            if (!now.equals(state)) {
                state = now;
                note.accept("state " + now);
            }
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Kafka: the end of KafkaProducer.doSend, from the append on. Whether the sender is woken. */
    boolean appended(int partition) {
        try {
            transactions.maybeAddPartition(new TopicPartition(Brokers.TOPIC, partition));
            return true;
        } catch (RuntimeException error) {
            RuntimeException thrown = error;
            if (error instanceof ApiException) {
                try {
                    transactions.maybeTransitionToErrorState(error);
                } catch (RuntimeException other) {
                    thrown = other;
                }
            }
            note.accept("send throws " + nameOf(thrown));
            return false;
        }
    }

    /** The error code of an exception, or what it is without one. */
    static String nameOf(Exception error) {
        if (error instanceof TransactionAbortedException) {
            return "ABORTED";
        }
        if (error instanceof CommitFailedException) {
            return "COMMIT_FAILED";
        }
        if (error instanceof IllegalStateException) {
            return "ILLEGAL_STATE";
        }
        if (error instanceof TimeoutException) {
            return Errors.REQUEST_TIMED_OUT.name();
        }
        return error instanceof ApiException ? Errors.forException(error).name() : "KAFKA";
    }
}
