//! When a run is over: the clients have no work, no fault is ahead, and the cluster is at rest.

use super::World;
use inflight_broker::is_settled;
use inflight_des::Instant;
use inflight_producer::Producer;
use inflight_protocol::{BrokerSet, Node};
use inflight_trace::Observer;

impl<O: Observer> World<'_, O> {
    /// Notes since when nothing but background work is left. Called after each event.
    #[inline]
    pub(super) fn note_idleness(&mut self, now: Instant) {
        if self.threads_active > 0
            || self.faults_ahead > 0
            || !self.producers_are_idle()
            || !self.readers_are_idle()
        {
            self.idle_since = None;
        } else if self.idle_since.is_none() {
            self.idle_since = Some(now);
        } else if let Some(since) = self.idle_since
            && now.since(since) > self.setup.settle
        {
            self.gave_up_settling = true;
        }
    }

    fn producers_are_idle(&self) -> bool {
        self.clients.iter().all(|client| client.producer.as_ref().is_none_or(Producer::is_idle))
    }

    /// Whether the run is over. Asked when only background work is left. A producer that does not
    /// wait for answers may be gone before its requests arrive.
    pub(super) fn is_over(&self) -> bool {
        self.gave_up_settling
            || (self.produces_under_way == 0 && self.is_settled() && self.readers_have_read_all())
    }

    /// Whether every replica that can catch up has done so.
    pub fn is_settled(&self) -> bool {
        let up: BrokerSet = (self.setup.cluster.broker_ids())
            .filter(|broker| self.state(Node::Broker(*broker)).is_up())
            .collect();
        is_settled(&self.setup.cluster, &self.controller, &self.brokers, up)
    }
}
