//! Heartbeats, and what they let a broker be.
//!
//! Kafka: metadata/controller/ReplicationControlManager.processBrokerHeartbeat,
//! BrokerHeartbeatManager, BrokerHeartbeatTracker.

use crate::controller::Controller;
use crate::controller::commit::Records;
use crate::controller::elections::Departure;
use inflight_des::{Instant, Span};
use inflight_protocol::control::{BrokerRegistration, BrokerWish, ToBroker};
use inflight_protocol::{
    BrokerEpoch, BrokerId, Cluster, ErrorCode, Fact, FactKind, Outgoing, Turn,
};

/// What a broker is, or becomes with a heartbeat. Kafka: BrokerControlState.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ControlState {
    Fenced,
    Unfenced,
    ControlledShutdown,
    ShutdownNow,
}

impl Controller {
    /// A heartbeat arrived. It is answered only if the broker can learn something from it.
    pub(super) fn heartbeat(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        broker: BrokerId,
        (epoch, metadata_version): (BrokerEpoch, u64),
        want: BrokerWish,
    ) {
        let control = &mut self.brokers[broker.index()];
        if control.registration.epoch != epoch {
            let error = Some(ErrorCode::StaleBrokerEpoch);
            let word = ToBroker::Heartbeat { error, is_fenced: true, should_shut_down: false };
            turn.send(Outgoing::ToBroker(broker, word));
            return;
        }
        let had_session = control.contact.replace(turn.now()).is_some();
        if !had_session {
            self.watch_sessions(cluster);
        }
        let current = self.control_state(broker);
        let next = self.next_state(broker, current, want, metadata_version);
        if next != current {
            self.change_state(cluster, turn, broker, next);
        }
        let reported_before = self.brokers[broker.index()].metadata_version;
        self.touch(broker, next, metadata_version);
        if want != BrokerWish::Active || next != current || next != ControlState::Unfenced {
            let word = ToBroker::Heartbeat {
                error: None,
                is_fenced: matches!(next, ControlState::Fenced | ControlState::ShutdownNow),
                should_shut_down: next == ControlState::ShutdownNow,
            };
            turn.send(Outgoing::ToBroker(broker, word));
        }
        // Two heartbeats with the same old version: something was lost on its way.
        if metadata_version < self.version && reported_before == Some(metadata_version) {
            self.send_image(cluster, turn, broker);
        }
    }

    /// Kafka: BrokerHeartbeatManager.currentBrokerState.
    fn control_state(&self, broker: BrokerId) -> ControlState {
        let control = &self.brokers[broker.index()];
        if control.shutdown_version.is_some() {
            ControlState::ControlledShutdown
        } else if control.registration.fenced {
            ControlState::Fenced
        } else {
            ControlState::Unfenced
        }
    }

    /// Kafka: BrokerHeartbeatManager.calculateNextBrokerState.
    fn next_state(
        &self,
        broker: BrokerId,
        current: ControlState,
        want: BrokerWish,
        metadata_version: u64,
    ) -> ControlState {
        let control = &self.brokers[broker.index()];
        let leads = || self.partitions.iter().any(|known| known.leader == Some(broker));
        match (current, want) {
            (ControlState::Fenced, BrokerWish::ShutDown) => ControlState::ShutdownNow,
            (ControlState::Fenced, BrokerWish::Active)
                if metadata_version >= u64::from(control.registration.epoch.get()) =>
            {
                ControlState::Unfenced
            }
            (ControlState::Fenced, BrokerWish::Active | BrokerWish::Fenced) => ControlState::Fenced,
            (ControlState::Unfenced, BrokerWish::Fenced) => ControlState::Fenced,
            (ControlState::Unfenced, BrokerWish::ShutDown) if leads() => {
                ControlState::ControlledShutdown
            }
            (ControlState::Unfenced, BrokerWish::ShutDown) => ControlState::ShutdownNow,
            (ControlState::Unfenced, BrokerWish::Active) => ControlState::Unfenced,
            (ControlState::ControlledShutdown, _) if leads() => ControlState::ControlledShutdown,
            (ControlState::ControlledShutdown, _) => {
                let is_known = control.shutdown_version <= self.lowest_active_version();
                if is_known { ControlState::ShutdownNow } else { ControlState::ControlledShutdown }
            }
            (ControlState::ShutdownNow, _) => ControlState::ShutdownNow,
        }
    }

    /// How far the slowest active broker has applied the metadata log. If there is none, everybody
    /// has applied everything. Kafka: BrokerHeartbeatManager.lowestActiveOffset.
    fn lowest_active_version(&self) -> Option<u64> {
        let active = self
            .brokers
            .iter()
            .filter(|control| !control.registration.fenced && control.shutdown_version.is_none());
        let versions = active.map(|control| control.metadata_version.unwrap_or(0));
        Some(versions.min().unwrap_or(u64::MAX))
    }

    fn change_state(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        broker: BrokerId,
        next: ControlState,
    ) {
        match next {
            ControlState::Fenced | ControlState::ShutdownNow => self.fence(cluster, turn, broker),
            ControlState::Unfenced => self.unfence(cluster, turn, broker),
            ControlState::ControlledShutdown => self.begin_shutdown(cluster, turn, broker),
        }
    }

    /// A broker leads nothing and is in sync with nothing any more.
    /// Kafka: ReplicationControlManager.handleBrokerFenced.
    pub(super) fn fence(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, broker: BrokerId) {
        if self.is_fenced(broker) {
            return;
        }
        turn.did(FactKind::BrokerFenced.set(), || Fact::BrokerFenced { broker });
        let registration = BrokerRegistration { fenced: true, ..*self.broker(broker) };
        let partitions = self.partitions_without(cluster, Departure::Fenced(broker));
        self.commit(cluster, turn, Records { broker: Some((broker, registration)), partitions });
    }

    /// A broker may lead and be in sync again; partitions without a leader look whether it can
    /// lead them. Kafka: ReplicationControlManager.handleBrokerUnfenced.
    fn unfence(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, broker: BrokerId) {
        turn.did(FactKind::BrokerUnfenced.set(), || Fact::BrokerUnfenced { broker });
        let registration = BrokerRegistration { fenced: false, ..*self.broker(broker) };
        let partitions = self.leaderless_with(cluster, broker);
        self.commit(cluster, turn, Records { broker: Some((broker, registration)), partitions });
    }

    /// A broker hands over what it leads. It may go when everybody has heard of that.
    /// Kafka: ReplicationControlManager.handleBrokerInControlledShutdown.
    fn begin_shutdown(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, broker: BrokerId) {
        let registration =
            BrokerRegistration { in_controlled_shutdown: true, ..*self.broker(broker) };
        let partitions = self.partitions_without(cluster, Departure::Fenced(broker));
        self.commit(cluster, turn, Records { broker: Some((broker, registration)), partitions });
        self.brokers[broker.index()].shutdown_version = Some(self.version);
    }

    /// Kafka: BrokerHeartbeatManager.touch.
    fn touch(&mut self, broker: BrokerId, next: ControlState, metadata_version: u64) {
        let control = &mut self.brokers[broker.index()];
        control.metadata_version = Some(metadata_version);
        match next {
            ControlState::Fenced | ControlState::ShutdownNow => control.shutdown_version = None,
            ControlState::Unfenced | ControlState::ControlledShutdown => {}
        }
    }

    /// Kafka: BrokerHeartbeatTracker.hasValidSession.
    pub(super) fn has_valid_session(
        &self,
        cluster: &Cluster,
        broker: BrokerId,
        now: Instant,
    ) -> bool {
        let contact = self.brokers[broker.index()].contact;
        contact.is_some_and(|at| now <= at + session_timeout(cluster))
    }

    /// A broker whose session is over. Kafka: BrokerHeartbeatTracker.maybeRemoveExpired.
    pub(super) fn expired_session(&self, cluster: &Cluster, now: Instant) -> Option<BrokerId> {
        let has_contact = |id: &BrokerId| self.brokers[id.index()].contact.is_some();
        let mut tracked = cluster.broker_ids().filter(has_contact);
        tracked.find(|id| !self.has_valid_session(cluster, *id, now))
    }
}

/// broker.session.timeout.ms. The controller goes by the settings of the first broker.
pub(super) fn session_timeout(cluster: &Cluster) -> Span {
    cluster.broker_configs[0].broker_session_timeout
}
