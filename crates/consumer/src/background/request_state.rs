//! When a request may be sent again. Kafka: clients/consumer/internals/RequestState.

use inflight_client::backoff::ExponentialBackoff;
use inflight_des::{Chance, StreamId};
use inflight_protocol::ConsumerConfig;

/// One kind of request, of which one is under way at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestState {
    backoff: ExponentialBackoff,
    is_in_flight: bool,
    /// Until when the next one has to wait.
    until_ms: i64,
    attempts: u32,
}

impl RequestState {
    pub(super) fn new(config: &ConsumerConfig) -> Self {
        let (first_ms, longest_ms) = (config.retry_backoff_ms, config.retry_backoff_max_ms);
        let backoff = ExponentialBackoff::new(first_ms, longest_ms);
        Self { backoff, is_in_flight: false, until_ms: i64::MIN, attempts: 0 }
    }

    /// Forgets the past. Kafka: reset.
    pub(super) fn reset(&mut self) {
        *self = Self { is_in_flight: false, until_ms: i64::MIN, attempts: 0, ..*self };
    }

    pub(super) const fn is_in_flight(&self) -> bool {
        self.is_in_flight
    }

    /// How often it has failed since it last succeeded.
    pub(super) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Kafka: canSendRequest.
    pub(super) const fn can_send(&self, now_ms: i64) -> bool {
        !self.is_in_flight && now_ms >= self.until_ms
    }

    /// When the next request may be sent, unless one is under way.
    pub(super) fn next_ms(&self, now_ms: i64) -> Option<i64> {
        (!self.is_in_flight).then_some(self.until_ms.max(now_ms))
    }

    /// Kafka: onSendAttempt.
    pub(super) fn sent(&mut self) {
        self.is_in_flight = true;
    }

    /// Even after a success the next request waits for the first backoff.
    /// Kafka: onSuccessfulAttempt.
    pub(super) fn succeeded(&mut self, now_ms: i64, (chance, stream): (&mut Chance, StreamId)) {
        self.attempts = 0;
        self.failed(now_ms, (chance, stream));
        self.attempts = 0;
    }

    /// Kafka: onFailedAttempt.
    pub(super) fn failed(&mut self, now_ms: i64, (chance, stream): (&mut Chance, StreamId)) {
        self.is_in_flight = false;
        let wait_ms = self.backoff.draw(self.attempts, chance, stream);
        self.until_ms = now_ms.saturating_add(wait_ms);
        self.attempts += 1;
    }
}
