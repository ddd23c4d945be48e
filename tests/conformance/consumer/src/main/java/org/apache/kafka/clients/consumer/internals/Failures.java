package org.apache.kafka.clients.consumer.internals;

import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.Errors;

import java.util.Arrays;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What exceptions are called. */
final class Failures {
    private static final Pattern CODE = Pattern.compile("error code (-?[0-9]+)");

    private Failures() {
    }

    /** The error code of an exception, or what it is without one. */
    static String nameOf(Throwable error) {
        if (error instanceof RetriableCommitFailedException && error.getCause() != null) {
            return nameOf(error.getCause());
        }
        if (error instanceof CommitFailedException) {
            return "COMMIT_FAILED";
        }
        if (error instanceof LogTruncationException) {
            return "LOG_TRUNCATION";
        }
        if (error instanceof NoOffsetForPartitionException) {
            return "NO_OFFSET";
        }
        if (error instanceof OffsetOutOfRangeException) {
            return "OFFSET_OUT_OF_RANGE";
        }
        if (error instanceof NoAvailableBrokersException) {
            return Errors.BROKER_NOT_AVAILABLE.name();
        }
        if (error instanceof DisconnectException) {
            return "NETWORK_EXCEPTION";
        }
        if (error instanceof TimeoutException) {
            return "TIMEOUT";
        }
        Errors known = Errors.forException(error);
        return known == Errors.UNKNOWN_SERVER_ERROR ? named(error) : nameOf(known);
    }

    /** A TimeoutException can be a client's as well. */
    private static String nameOf(Errors code) {
        return code == Errors.REQUEST_TIMED_OUT ? "TIMEOUT" : code.name();
    }

    /** The code that an exception without one names in its message. */
    private static String named(Throwable error) {
        String message = String.valueOf(error.getMessage());
        if (message.endsWith(" does not exist")) {
            return Errors.UNKNOWN_TOPIC_OR_PARTITION.name();
        }
        if (message.startsWith("Encountered corrupt message")) {
            return Errors.CORRUPT_MESSAGE.name();
        }
        Matcher number = CODE.matcher(message);
        if (number.find()) {
            return nameOf(Errors.forCode(Short.parseShort(number.group(1))));
        }
        return Arrays.stream(Errors.values())
            .filter(code -> code != Errors.NONE && message.endsWith(code.message()))
            .max(Comparator.comparingInt(code -> code.message().length()))
            .map(Failures::nameOf)
            .orElse(error.getClass().getSimpleName());
    }
}
