//! Leaders' proposals of in-sync replica sets.
//!
//! Kafka: metadata/controller/ReplicationControlManager.alterPartition, validateAlterPartitionData,
//! ineligibleReplicasForIsr.

use crate::controller::Controller;
use crate::controller::commit::Records;
use inflight_protocol::control::{AlteredPartition, IsrChange, PartitionRegistration, ToBroker};
use inflight_protocol::{BrokerEpoch, BrokerId, Cluster, ErrorCode, Outgoing, Turn};
use smallvec::SmallVec;

impl Controller {
    /// Judges the proposals of a leader one by one and commits the good ones together.
    pub(super) fn alter_partition(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        broker: BrokerId,
        epoch: BrokerEpoch,
        changes: &[IsrChange],
    ) {
        if self.broker(broker).epoch != epoch {
            let error = Some(ErrorCode::StaleBrokerEpoch);
            let word = ToBroker::AlterPartition { error, partitions: SmallVec::new() };
            turn.send(Outgoing::ToBroker(broker, word));
            return;
        }
        let mut records = Records::default();
        let mut answers = SmallVec::new();
        for change in changes {
            let result = self.judge(cluster, broker, change).map(|()| {
                let target = self.change(cluster, change.partition, self.active(), change.isr);
                let Some((new, election)) = target.build() else {
                    return *self.partition(change.partition);
                };
                records.partitions.push((change.partition, new, election));
                new
            });
            answers.push(AlteredPartition { partition: change.partition, result });
        }
        let delta = self.apply(cluster, turn, records);
        let word = ToBroker::AlterPartition { error: None, partitions: answers };
        turn.send(Outgoing::ToBroker(broker, word));
        self.publish(cluster, turn, delta);
    }

    /// Whether a proposal is good, in the order of Kafka's checks.
    fn judge(
        &self,
        cluster: &Cluster,
        broker: BrokerId,
        change: &IsrChange,
    ) -> Result<(), ErrorCode> {
        let known = self.partitions.get(change.partition.index());
        let known: &PartitionRegistration = known.ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if change.leader_epoch > known.leader_epoch
            || change.partition_epoch > known.partition_epoch
        {
            return Err(ErrorCode::NotController);
        }
        if change.leader_epoch < known.leader_epoch {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if known.leader != Some(broker) {
            return Err(ErrorCode::InvalidRequest);
        }
        if change.partition_epoch < known.partition_epoch {
            return Err(ErrorCode::InvalidUpdateVersion);
        }
        let is_assigned = change.isr.difference(cluster.replica_set(change.partition)).is_empty();
        if !is_assigned || !change.isr.contains(broker) {
            return Err(ErrorCode::InvalidRequest);
        }
        let mut members = change.isr.iter().zip(&change.broker_epochs);
        if members.all(|(member, epoch)| self.is_active(member, *epoch)) {
            Ok(())
        } else {
            Err(ErrorCode::IneligibleReplica)
        }
    }
}
