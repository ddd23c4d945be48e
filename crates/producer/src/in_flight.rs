//! Requests that were sent and not answered, one queue a peer. Kafka: clients/InFlightRequests.

use crate::batch::BatchSlot;
use crate::connection_states::Peer;
use crate::metadata::RequestTicket;
use inflight_protocol::{ApiKey, CorrelationId};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// A request without an answer. Kafka: NetworkClient.InFlightRequest.
#[derive(Clone, Debug)]
pub(crate) struct InFlightRequest {
    pub(crate) correlation: CorrelationId,
    pub(crate) purpose: Purpose,
    pub(crate) sent_ms: i64,
    pub(crate) throttle_ms: i64,
    /// Whether the bytes have left for the socket. Kafka: Send.completed.
    pub(crate) written: bool,
    /// False for acks=0, which is complete once it is written.
    pub(crate) expects_response: bool,
}

/// What a request is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// The handshake of a new connection.
    ApiVersions,
    /// A refresh of the metadata.
    Metadata(RequestTicket),
    /// The producer id.
    InitProducerId,
    /// A request of a transaction.
    Transaction(ApiKey),
    /// These batches.
    Produce(SmallVec<[BatchSlot; 2]>),
}

impl Purpose {
    pub(crate) const fn api(&self) -> ApiKey {
        match self {
            Self::ApiVersions => ApiKey::ApiVersions,
            Self::Metadata(_) => ApiKey::Metadata,
            Self::InitProducerId => ApiKey::InitProducerId,
            Self::Transaction(api) => *api,
            Self::Produce(_) => ApiKey::Produce,
        }
    }
}

/// The queues of all peers, oldest request first.
#[derive(Debug)]
pub(crate) struct InFlightRequests {
    max_per_connection: usize,
    request_timeout_ms: i64,
    queues: Vec<VecDeque<InFlightRequest>>,
    count: usize,
}

inflight_des::clone_fields!(InFlightRequests {
    max_per_connection,
    request_timeout_ms,
    queues,
    count,
});

impl InFlightRequests {
    pub(crate) fn new(max_per_connection: u32, request_timeout_ms: i64, peers: usize) -> Self {
        Self {
            max_per_connection: max_per_connection as usize,
            request_timeout_ms,
            queues: vec![VecDeque::new(); peers],
            count: 0,
        }
    }

    pub(crate) fn add(&mut self, peer: Peer, request: InFlightRequest) {
        self.queues[peer.index()].push_back(request);
        self.count += 1;
    }

    /// Whether another request may go out: the newest one is written, and there are fewer than
    /// max.in.flight.requests.per.connection. Every kind of request counts.
    #[inline]
    pub(crate) fn can_send_more(&self, peer: Peer) -> bool {
        let queue = &self.queues[peer.index()];
        queue.back().is_none_or(|newest| newest.written && queue.len() < self.max_per_connection)
    }

    pub(crate) fn count(&self, peer: Peer) -> usize {
        self.queues[peer.index()].len()
    }

    pub(crate) fn count_all(&self) -> usize {
        self.count
    }

    /// The request that a response answers. Kafka takes the oldest, since TCP loses none of the
    /// answers before this one (completeNext). A network that drops messages may have.
    pub(crate) fn complete(
        &mut self,
        peer: Peer,
        correlation: CorrelationId,
    ) -> Option<InFlightRequest> {
        let queue = &mut self.queues[peer.index()];
        let place = queue.iter().position(|request| request.correlation == correlation)?;
        self.count -= 1;
        queue.remove(place)
    }

    /// The oldest request, whose connection has ended.
    pub(crate) fn complete_next(&mut self, peer: Peer) -> Option<InFlightRequest> {
        let request = self.queues[peer.index()].pop_front()?;
        self.count -= 1;
        Some(request)
    }

    /// Marks the newest request as written. Returns it if it expects no response.
    pub(crate) fn written(&mut self, peer: Peer) -> Option<InFlightRequest> {
        let queue = &mut self.queues[peer.index()];
        let newest = queue.back_mut()?;
        newest.written = true;
        if newest.expects_response {
            return None;
        }
        self.count -= 1;
        queue.pop_back()
    }

    /// Adds to the time that requests to this peer may take. Kafka: incrementThrottleTime.
    pub(crate) fn throttle(&mut self, peer: Peer, by_ms: i64) {
        for request in &mut self.queues[peer.index()] {
            request.throttle_ms += by_ms;
        }
    }

    /// The first millisecond at which a request to this peer has timed out.
    #[inline]
    pub(crate) fn expires_ms(&self, peer: Peer) -> i64 {
        let deadline = |request: &InFlightRequest| {
            request.sent_ms + request.throttle_ms + self.request_timeout_ms + 1
        };
        let queue = &self.queues[peer.index()];
        match queue.front() {
            None => i64::MAX,
            // Requests are sent in order; only throttling can make a later one expire first.
            Some(oldest) if oldest.throttle_ms == 0 => deadline(oldest),
            Some(_) => queue.iter().map(deadline).min().unwrap_or(i64::MAX),
        }
    }

    /// A peer with a request that has timed out. The comparison is strict, as Kafka's.
    pub(crate) fn timed_out(&self, now_ms: i64) -> Option<Peer> {
        (0..self.queues.len()).map(Peer::from_index).find(|peer| self.expires_ms(*peer) <= now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: u32, sent_ms: i64, expects_response: bool) -> InFlightRequest {
        InFlightRequest {
            correlation: CorrelationId::new(number),
            purpose: Purpose::InitProducerId,
            sent_ms,
            throttle_ms: 0,
            written: false,
            expects_response,
        }
    }

    const PEER: Peer = Peer::from_index(1);

    #[test]
    fn the_next_request_waits_until_the_last_is_written() {
        let mut in_flight = InFlightRequests::new(2, 30_000, 3);
        assert!(in_flight.can_send_more(PEER));
        in_flight.add(PEER, request(0, 0, true));
        assert!(!in_flight.can_send_more(PEER));
        assert!(in_flight.written(PEER).is_none());
        assert!(in_flight.can_send_more(PEER));
        in_flight.add(PEER, request(1, 0, true));
        in_flight.written(PEER);
        assert!(!in_flight.can_send_more(PEER), "two are the limit");
        assert_eq!(in_flight.complete_next(PEER).unwrap().correlation, CorrelationId::new(0));
        assert!(in_flight.can_send_more(PEER));
    }

    #[test]
    fn a_request_without_response_is_over_when_it_is_written() {
        let mut in_flight = InFlightRequests::new(5, 30_000, 3);
        in_flight.add(PEER, request(0, 0, true));
        in_flight.written(PEER);
        in_flight.add(PEER, request(1, 0, false));
        assert_eq!(in_flight.written(PEER).unwrap().correlation, CorrelationId::new(1));
        assert_eq!((in_flight.count(PEER), in_flight.count_all()), (1, 1));
    }

    #[test]
    fn a_request_times_out_a_millisecond_after_its_timeout() {
        let mut in_flight = InFlightRequests::new(5, 30_000, 3);
        in_flight.add(PEER, request(0, 500, true));
        in_flight.add(PEER, request(1, 1_000, true));
        assert_eq!(in_flight.expires_ms(PEER), 30_501);
        assert_eq!(in_flight.timed_out(30_500), None);
        assert_eq!(in_flight.timed_out(30_501), Some(PEER));
        in_flight.throttle(PEER, 100);
        assert_eq!(in_flight.timed_out(30_600), None);
        assert_eq!(in_flight.timed_out(30_601), Some(PEER));
    }
}
