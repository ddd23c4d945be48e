package org.apache.kafka.clients.consumer.internals;

import org.apache.kafka.common.utils.Time;

import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/** Virtual time. It moves while the application polls, sleeps or does nothing. */
final class Clock implements Time {
    /** What the clock says at the start. */
    static final long START_MS = 1_700_000_000_000L;

    private long nowMs = START_MS;
    private final LongConsumer sleep;

    Clock(LongConsumer sleep) {
        this.sleep = sleep;
    }

    void set(long ms) {
        nowMs = ms;
    }

    @Override
    public long milliseconds() {
        return nowMs;
    }

    @Override
    public long nanoseconds() {
        return TimeUnit.MILLISECONDS.toNanos(nowMs);
    }

    @Override
    public void sleep(long ms) {
        sleep.accept(ms);
    }
}
