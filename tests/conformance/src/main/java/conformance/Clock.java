package conformance;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.Scheduler;

/** Time that stands still until it is told to pass, and the tasks that it starts. */
final class Clock implements Time, Scheduler {
    private long now;
    private final Queue<Task> soon = new ArrayDeque<>();
    private final List<Task> periodic = new ArrayList<>();

    Clock(long now) {
        this.now = now;
    }

    @Override
    public long milliseconds() {
        return now;
    }

    @Override
    public long nanoseconds() {
        return TimeUnit.MILLISECONDS.toNanos(now);
    }

    @Override
    public void sleep(long ms) {
        long end = now + ms;
        while (true) {
            periodic.removeIf(FutureTask::isCancelled);
            Task next = null;
            for (Task task : periodic) {
                if (task.due <= end && (next == null || task.due < next.due)) {
                    next = task;
                }
            }
            if (next == null) {
                break;
            }
            now = next.due;
            next.due += next.period;
            next.work.run();
        }
        now = end;
    }

    /** Runs what is to be run once, whatever its delay: files are deleted, and logs flushed. */
    void runTasks() {
        for (Task task = soon.poll(); task != null; task = soon.poll()) {
            task.work.run();
        }
    }

    @Override
    public void startup() {}

    @Override
    public void shutdown() {
        soon.clear();
        periodic.clear();
    }

    @Override
    public ScheduledFuture<?> schedule(String name, Runnable work, long delay, long period) {
        Task task = new Task(work, now + delay, period);
        if (period > 0) {
            periodic.add(task);
        } else {
            soon.add(task);
        }
        return task;
    }

    @Override
    public void resizeThreadPool(int size) {}

    private static final class Task extends FutureTask<Void> implements ScheduledFuture<Void> {
        private final Runnable work;
        private final long period;
        private long due;

        private Task(Runnable work, long due, long period) {
            super(work, null);
            this.work = work;
            this.due = due;
            this.period = period;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return 0;
        }

        @Override
        public int compareTo(Delayed other) {
            return 0;
        }
    }
}
