//! The request handlers and the queue in front of them.
//!
//! A request keeps a handler busy for a time, at the end of which it is checked and executed. The
//! waiting in the purgatory keeps none busy. Kafka: server/KafkaRequestHandlerPool,
//! core/network/RequestChannel.

use inflight_des::Instant;
use std::collections::VecDeque;

/// The handlers of one broker.
#[derive(Debug)]
pub(crate) struct Handlers {
    idle: u32,
    /// Connections whose request waits for a handler, in the order of arrival.
    queue: VecDeque<u32>,
    /// Connections whose request is with a handler, and until when.
    busy: Vec<(Instant, u32)>,
}

inflight_des::clone_fields!(Handlers { idle, queue, busy });

impl Handlers {
    /// `threads` idle handlers.
    pub(crate) fn new(threads: u32) -> Self {
        Self { idle: threads.max(1), queue: VecDeque::new(), busy: Vec::new() }
    }

    /// All handlers are idle again, and nothing waits.
    pub(crate) fn clear(&mut self) {
        self.idle += self.busy.len() as u32;
        self.busy.clear();
        self.queue.clear();
    }

    /// Whether a request that arrives now gets a handler at once.
    #[inline]
    pub(crate) fn is_free(&self) -> bool {
        self.idle > 0 && self.queue.is_empty()
    }

    /// A request waits for a handler.
    pub(crate) fn enqueue(&mut self, slot: u32) {
        self.queue.push_back(slot);
    }

    /// The next request that gets a handler, if one is idle.
    pub(crate) fn dequeue(&mut self) -> Option<u32> {
        if self.idle == 0 {
            return None;
        }
        self.queue.pop_front()
    }

    /// A handler is busy until `until`.
    pub(crate) fn occupy(&mut self, until: Instant, slot: u32) {
        debug_assert!(self.idle > 0, "a request is given to an idle handler");
        self.idle -= 1;
        self.busy.push((until, slot));
    }

    /// The request whose handler is done first, if that is not after `now`.
    pub(crate) fn release(&mut self, now: Instant) -> Option<u32> {
        let done = (0..self.busy.len()).min_by_key(|index| self.busy[*index].0)?;
        if self.busy[done].0 > now {
            return None;
        }
        self.idle += 1;
        Some(self.busy.remove(done).1)
    }

    /// When the next handler is done.
    pub(crate) fn next_done(&self) -> Option<Instant> {
        self.busy.iter().map(|(until, _)| *until).min()
    }
}
