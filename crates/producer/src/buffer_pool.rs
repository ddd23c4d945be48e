//! Buffer memory as numbers: who may have how much of it, and who waits.
//! Kafka: clients/producer/internals/BufferPool.

use inflight_protocol::ThreadId;
use std::collections::VecDeque;

/// The memory that batches are built in.
#[derive(Debug)]
pub(crate) struct BufferPool {
    total: u64,
    /// The size of the buffers in the free list: batch.size.
    poolable: u32,
    /// Buffers of exactly the poolable size, kept for the next batch.
    free: u64,
    non_pooled: u64,
    waiters: VecDeque<Waiter>,
    /// The first waiter was signalled and has not looked yet.
    signalled: bool,
}

inflight_des::clone_fields!(BufferPool { total, poolable, free, non_pooled, waiters, signalled });

/// A thread that waits in `allocate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiter {
    thread: ThreadId,
    size: u32,
    accumulated: u32,
}

/// What became of a request for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allocation {
    /// The memory is there.
    Granted,
    /// The thread has to wait; see [`BufferPool::resume`] and [`BufferPool::give_up`].
    Waiting,
    /// More than there is in all: send() throws IllegalArgumentException.
    Impossible,
}

impl BufferPool {
    pub(crate) fn new(total: u64, poolable: u32) -> Self {
        Self {
            total,
            poolable,
            free: 0,
            non_pooled: total,
            waiters: VecDeque::new(),
            signalled: false,
        }
    }

    /// Asks for `size` bytes. A request that can be met at once does not look at the queue of
    /// waiters and may overtake them; it signals the first, which then gathers what is left.
    /// Kafka: BufferPool.allocate.
    pub(crate) fn allocate(&mut self, thread: ThreadId, size: u32) -> Allocation {
        if u64::from(size) > self.total {
            return Allocation::Impossible;
        }
        if size == self.poolable && self.free > 0 {
            self.free -= 1;
            self.signal_if_memory_is_left();
            return Allocation::Granted;
        }
        if self.available() >= u64::from(size) {
            self.free_up(size);
            self.non_pooled -= u64::from(size);
            self.signal_if_memory_is_left();
            return Allocation::Granted;
        }
        self.waiters.push_back(Waiter { thread, size, accumulated: 0 });
        Allocation::Waiting
    }

    /// Gives `size` bytes back and signals the first waiter. Kafka: BufferPool.deallocate.
    pub(crate) fn deallocate(&mut self, size: u32) {
        if size == self.poolable {
            self.free += 1;
        } else {
            self.non_pooled += u64::from(size);
        }
        self.signalled = !self.waiters.is_empty();
    }

    /// A waiter's time is up: it returns what it had gathered, and the next one is signalled.
    pub(crate) fn give_up(&mut self, thread: ThreadId) {
        let Some(index) = self.waiters.iter().position(|waiter| waiter.thread == thread) else {
            return;
        };
        if let Some(waiter) = self.waiters.remove(index) {
            self.non_pooled += u64::from(waiter.accumulated);
        }
        self.signal_if_memory_is_left();
    }

    /// Kafka: signalNextWaiterIfMemoryAvailable.
    fn signal_if_memory_is_left(&mut self) {
        self.signalled = !self.waiters.is_empty() && self.available() > 0;
    }

    /// Whether a waiter has something to do in [`BufferPool::resume`].
    pub(crate) fn is_signalled(&self) -> bool {
        self.signalled
    }

    /// The first waiter's thread runs and takes what is there; if that is enough for it the next one
    /// is signalled. Threads whose wait is over are appended to `granted`. Until they run they count
    /// as waiters. Kafka: the loop of BufferPool.allocate.
    pub(crate) fn resume(&mut self, granted: &mut Vec<ThreadId>) {
        while std::mem::take(&mut self.signalled) {
            let Some(mut head) = self.waiters.front().copied() else { return };
            if head.accumulated == 0 && head.size == self.poolable && self.free > 0 {
                self.free -= 1;
                head.accumulated = head.size;
            } else {
                self.free_up(head.size - head.accumulated);
                let got = u64::from(head.size - head.accumulated).min(self.non_pooled);
                self.non_pooled -= got;
                head.accumulated += got as u32;
            }
            if head.accumulated < head.size {
                self.waiters[0] = head;
                return;
            }
            self.waiters.pop_front();
            granted.push(head.thread);
            self.signal_if_memory_is_left();
        }
    }

    /// Breaks up free buffers until `size` bytes are outside the free list, or none is left.
    fn free_up(&mut self, size: u32) {
        while self.free > 0 && self.non_pooled < u64::from(size) {
            self.free -= 1;
            self.non_pooled += u64::from(self.poolable);
        }
    }

    /// Bytes that nobody holds.
    pub(crate) fn available(&self) -> u64 {
        self.non_pooled + self.free * u64::from(self.poolable)
    }

    /// Whether a thread waits: then every batch is ready to be sent.
    pub(crate) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Forgets all waiters: the producer is closed and their calls have failed.
    pub(crate) fn close(&mut self) {
        while let Some(waiter) = self.waiters.pop_front() {
            self.non_pooled += u64::from(waiter.accumulated);
        }
        self.signalled = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: ThreadId = ThreadId::new(0);
    const B: ThreadId = ThreadId::new(1);

    #[test]
    fn a_buffer_that_came_back_is_used_again() {
        let mut pool = BufferPool::new(100, 10);
        assert_eq!(pool.allocate(A, 10), Allocation::Granted);
        pool.deallocate(10);
        assert_eq!((pool.free, pool.available()), (1, 100));
        assert_eq!(pool.allocate(A, 95), Allocation::Granted, "the buffer is broken up");
        assert_eq!((pool.free, pool.available()), (0, 5));
    }

    #[test]
    fn more_than_there_is_cannot_be_had() {
        let mut pool = BufferPool::new(100, 10);
        assert_eq!(pool.allocate(A, 101), Allocation::Impossible);
        assert!(!pool.has_waiters());
    }

    #[test]
    fn a_waiter_gathers_memory_until_it_has_enough() {
        let mut pool = BufferPool::new(30, 10);
        for _ in 0..3 {
            assert_eq!(pool.allocate(A, 10), Allocation::Granted);
        }
        assert_eq!(pool.allocate(A, 25), Allocation::Waiting);
        let mut granted = Vec::new();
        pool.deallocate(10);
        pool.deallocate(10);
        pool.resume(&mut granted);
        assert_eq!((granted.len(), pool.available()), (0, 0), "the waiter holds 20 of 25");
        pool.deallocate(10);
        assert!(pool.has_waiters(), "it has not looked yet");
        pool.resume(&mut granted);
        assert!(!pool.has_waiters());
        assert_eq!((granted.as_slice(), pool.available()), ([A].as_slice(), 5));
    }

    #[test]
    fn a_newcomer_may_overtake_the_waiters() {
        let mut pool = BufferPool::new(30, 10);
        assert_eq!(pool.allocate(A, 25), Allocation::Granted);
        assert_eq!(pool.allocate(A, 10), Allocation::Waiting);
        assert_eq!(pool.allocate(B, 5), Allocation::Granted);
    }

    #[test]
    fn after_a_newcomer_the_first_waiter_gathers_what_is_left() {
        let mut pool = BufferPool::new(30, 10);
        assert_eq!(pool.allocate(A, 15), Allocation::Granted);
        assert_eq!(pool.allocate(A, 20), Allocation::Waiting);
        assert!(!pool.is_signalled());
        assert_eq!(pool.allocate(B, 5), Allocation::Granted);
        assert!(pool.is_signalled());
        pool.resume(&mut Vec::new());
        assert_eq!(pool.available(), 0);
        assert_eq!(pool.allocate(B, 5), Allocation::Waiting);
    }

    #[test]
    fn giving_up_returns_what_was_gathered_and_helps_the_next() {
        let mut pool = BufferPool::new(30, 10);
        assert_eq!(pool.allocate(A, 20), Allocation::Granted);
        assert_eq!(pool.allocate(A, 10), Allocation::Granted);
        assert_eq!(pool.allocate(A, 30), Allocation::Waiting);
        assert_eq!(pool.allocate(B, 10), Allocation::Waiting);
        let mut granted = Vec::new();
        pool.deallocate(10);
        pool.resume(&mut granted);
        assert_eq!(granted, []);
        pool.give_up(A);
        pool.resume(&mut granted);
        assert_eq!(granted, [B]);
    }

    proptest! {
        /// Memory is neither made nor lost, whatever the order of calls.
        #[test]
        fn memory_is_conserved(steps in proptest::collection::vec((0..3_u8, 1..40_u32), 0..200)) {
            let mut pool = BufferPool::new(100, 16);
            let mut held: Vec<u32> = Vec::new();
            let mut wanted: VecDeque<(ThreadId, u32)> = VecDeque::new();
            let mut granted = Vec::new();
            let mut next_thread = 0;
            for (kind, size) in steps {
                match kind {
                    0 | 1 if kind == 0 || held.is_empty() => {
                        let thread = ThreadId::new(next_thread);
                        next_thread += 1;
                        let size = if size % 2 == 0 { 16 } else { size };
                        match pool.allocate(thread, size) {
                            Allocation::Granted => held.push(size),
                            Allocation::Waiting => wanted.push_back((thread, size)),
                            Allocation::Impossible => prop_assert!(size > 100),
                        }
                    }
                    1 => pool.deallocate(held.swap_remove(0)),
                    _ => {
                        if let Some((thread, _)) = wanted.pop_back() {
                            pool.give_up(thread);
                        }
                    }
                }
                pool.resume(&mut granted);
                for thread in granted.drain(..) {
                    let index = wanted.iter().position(|(known, _)| *known == thread).unwrap();
                    held.push(wanted.remove(index).unwrap().1);
                }
                let gathered: u32 = pool.waiters.iter().map(|waiter| waiter.accumulated).sum();
                let in_use: u32 = held.iter().sum();
                prop_assert_eq!(pool.available() + u64::from(gathered + in_use), 100);
                prop_assert_eq!(pool.waiters.len(), wanted.len());
            }
        }
    }
}
