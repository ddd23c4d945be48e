//! Registration of brokers. Kafka: metadata/controller/ClusterControlManager.registerBroker.

use crate::controller::Controller;
use crate::controller::commit::Records;
use crate::controller::elections::Departure;
use inflight_protocol::control::{BrokerRegistration, ToBroker};
use inflight_protocol::fact::LastStop;
use inflight_protocol::{
    BrokerEpoch, BrokerId, Cluster, ErrorCode, Fact, FactKind, Outgoing, Turn,
};

impl Controller {
    /// A broker process asks to be registered. As long as the session of another process with its
    /// id is valid, that is refused: so a broker that restarts quickly waits until its own old
    /// session is over, even after a clean shutdown.
    pub(super) fn register(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        broker: BrokerId,
        incarnation: u32,
        previous_epoch: Option<BrokerEpoch>,
    ) {
        let control = self.brokers[broker.index()];
        if incarnation == control.incarnation {
            // The answer to the first request was lost. Kafka amends the registration.
            self.answer_registration(turn, broker, Ok(control.registration.epoch));
            self.send_image(cluster, turn, broker);
            return;
        }
        if self.has_valid_session(cluster, broker, turn.now()) {
            let refusal = ErrorCode::DuplicateBrokerRegistration;
            self.answer_registration(turn, broker, Err(refusal));
            return;
        }
        let is_clean = previous_epoch == Some(control.registration.epoch);
        let after = if is_clean { LastStop::Clean } else { LastStop::Unclean };
        let epoch = BrokerEpoch::new((self.version + 1) as u32);
        turn.did(FactKind::BrokerRegistered.set(), || Fact::BrokerRegistered {
            broker,
            broker_epoch: epoch,
            after,
        });
        let registration =
            BrokerRegistration { epoch, fenced: true, in_controlled_shutdown: false };
        // Kafka: ReplicationControlManager.handleBrokerShutdown.
        let departure = match after {
            LastStop::Unclean if cluster.eligible_leader_replicas => {
                Departure::UncleanShutdown(broker)
            }
            LastStop::Unclean | LastStop::Clean => Departure::Fenced(broker),
        };
        let partitions = self.partitions_without(cluster, departure);
        let control = &mut self.brokers[broker.index()];
        control.incarnation = incarnation;
        control.contact = None;
        control.metadata_version = None;
        control.shutdown_version = None;
        let records = Records { broker: Some((broker, registration)), partitions };
        let delta = self.apply(cluster, turn, records);
        self.answer_registration(turn, broker, Ok(epoch));
        self.publish(cluster, turn, delta);
        self.send_image(cluster, turn, broker);
    }

    fn answer_registration(
        &self,
        turn: &mut Turn<'_>,
        broker: BrokerId,
        result: Result<BrokerEpoch, ErrorCode>,
    ) {
        turn.send(Outgoing::ToBroker(broker, ToBroker::Registered(result)));
    }
}
