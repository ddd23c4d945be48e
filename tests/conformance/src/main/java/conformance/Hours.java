package conformance;

import java.util.PriorityQueue;
import org.apache.kafka.common.utils.Time;

/** A clock with nanoseconds that stands still until it is told to pass, and what it starts then. */
final class Hours implements Time {
    private final long start;
    private long now;
    private long serial;
    private final PriorityQueue<Hour> hours = new PriorityQueue<>();

    /** A clock that begins with this many milliseconds. */
    Hours(long start) {
        this.start = start;
    }

    /** Nanoseconds since the beginning. */
    long now() {
        return now;
    }

    @Override
    public long milliseconds() {
        return start + now / 1_000_000;
    }

    @Override
    public long nanoseconds() {
        return now;
    }

    @Override
    public void sleep(long ms) {
        throw new IllegalStateException("nobody sleeps here");
    }

    /** Has this run at an instant. */
    Hour at(long nanos, Runnable work) {
        Hour hour = new Hour(nanos, serial++, work);
        hours.add(hour);
        return hour;
    }

    /** Passes, and runs what is due, with something to do after each of that. */
    void pass(long nanos, Runnable after) {
        long end = now + nanos;
        while (!hours.isEmpty() && hours.peek().at <= end) {
            Hour hour = hours.poll();
            now = hour.at;
            if (!hour.cancelled) {
                hour.work.run();
                after.run();
            }
        }
        now = end;
    }

    /** Something that is to be run. */
    static final class Hour implements Comparable<Hour> {
        private final long at;
        private final long serial;
        private final Runnable work;
        private boolean cancelled;

        private Hour(long at, long serial, Runnable work) {
            this.at = at;
            this.serial = serial;
            this.work = work;
        }

        void cancel() {
            cancelled = true;
        }

        @Override
        public int compareTo(Hour other) {
            int order = Long.compare(at, other.at);
            return order != 0 ? order : Long.compare(serial, other.serial);
        }
    }
}
