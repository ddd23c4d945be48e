package org.apache.kafka.clients.producer.internals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * The application's threads. They are real ones, but only one runs at any time: each goes on until
 * it blocks, and goes on from there when the sender thread blocks and it is its turn.
 */
final class Threads {
    /** The script is over; thrown through a thread that still waits. */
    private static final class Abandoned extends Error {
        Abandoned() {
            super(null, null, false, false);
        }
    }

    private static final ExecutorService POOL = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    });

    private static final class Task {
        final Semaphore turn = new Semaphore(0);
        BooleanSupplier ready;
        long untilMs;
        boolean ended;
    }

    private final Clock clock;
    private final List<Task> tasks = new ArrayList<>();
    private final Semaphore back = new Semaphore(0);
    private final ThreadLocal<Task> current = new ThreadLocal<>();
    private boolean abandoned;
    private Throwable failure;

    Threads(Clock clock) {
        this.clock = clock;
    }

    /** Runs work on a thread of its own until it blocks or is over. */
    void start(Runnable work) {
        Task task = new Task();
        tasks.add(task);
        POOL.execute(() -> {
            task.turn.acquireUninterruptibly();
            current.set(task);
            try {
                work.run();
            } catch (Abandoned over) {
                // Nobody wants to know.
            } catch (Throwable wrong) {
                failure = wrong;
            }
            current.remove();
            task.ended = true;
            back.release();
        });
        resume(task);
    }

    private void resume(Task task) {
        task.turn.release();
        back.acquireUninterruptibly();
        if (failure != null) {
            throw new IllegalStateException(failure);
        }
    }

    /** Whether this is a thread of the application. */
    boolean isOne() {
        return current.get() != null;
    }

    /** Blocks the current thread until it is ready or the time has come. Returns whether it is ready. */
    boolean await(BooleanSupplier ready, long untilMs) {
        Task task = current.get();
        if (!ready.getAsBoolean() && untilMs > clock.milliseconds()) {
            task.ready = ready;
            task.untilMs = untilMs;
            back.release();
            task.turn.acquireUninterruptibly();
            if (abandoned) {
                throw new Abandoned();
            }
        }
        return ready.getAsBoolean();
    }

    /** Lets every thread that can go on do so, in the order in which they were started. */
    void run() {
        boolean any = true;
        while (any) {
            any = false;
            for (Task task : List.copyOf(tasks)) {
                if (!task.ended && (task.ready.getAsBoolean() || task.untilMs <= clock.milliseconds())) {
                    resume(task);
                    any = true;
                }
            }
            tasks.removeIf(task -> task.ended);
        }
    }

    /** When the first thread stops waiting. */
    long nextDeadlineMs() {
        return tasks.stream().filter(task -> !task.ended).mapToLong(task -> task.untilMs).min()
            .orElse(Long.MAX_VALUE);
    }

    /** Ends the threads that still wait. */
    void abandon() {
        abandoned = true;
        for (Task task : tasks) {
            if (!task.ended) {
                resume(task);
            }
        }
        tasks.clear();
    }

    /** A lock whose conditions wait in virtual time. */
    ReentrantLock lock() {
        return new ReentrantLock() {
            @Override
            public Condition newCondition() {
                return new Signal(this);
            }
        };
    }

    /** A condition in virtual time. */
    private final class Signal implements Condition {
        private final ReentrantLock lock;
        private boolean given;

        Signal(ReentrantLock lock) {
            this.lock = lock;
        }

        @Override
        public boolean await(long time, TimeUnit unit) {
            given = false;
            long untilMs = clock.milliseconds() + unit.toMillis(time);
            lock.unlock();
            try {
                return Threads.this.await(() -> given, untilMs);
            } finally {
                lock.lock();
            }
        }

        @Override
        public void signal() {
            given = true;
        }

        @Override
        public void signalAll() {
            given = true;
        }

        @Override
        public void await() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void awaitUninterruptibly() {
            throw new UnsupportedOperationException();
        }

        @Override
        public long awaitNanos(long nanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean awaitUntil(java.util.Date deadline) {
            throw new UnsupportedOperationException();
        }
    }
}
