//! Where partitions and their leader epochs begin and end, for consumers.
//!
//! Kafka: KafkaApis.handleListOffsetRequest, Partition.fetchOffsetForTimestamp;
//! handleOffsetForLeaderEpochRequest, Partition.lastOffsetForLeaderEpoch.

use crate::broker::Broker;
use crate::broker::settings::InjectWhen;
use inflight_protocol::message::{
    IsolationLevel, ListOffsetsResponse, OffsetAndEpoch, OffsetForLeaderEpochResponse, OffsetSpec,
};
use inflight_protocol::{ErrorCode, LeaderEpoch, Offset, Request, Response, TopicPartition, Turn};

impl Broker {
    #[inline(never)]
    pub(super) fn execute_list_offsets(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Request::ListOffsets(request) = &self.sockets[slot].request else { return };
        let isolation = request.isolation;
        let results = request.partitions.iter().map(|(partition, epoch, spec)| {
            let injected = self.injected(slot, Some(*partition), InjectWhen::BeforeAppend);
            let found = match injected {
                Some(error) => Err(error),
                None => self.list_offset(*partition, *epoch, (*spec, isolation)),
            };
            (*partition, found)
        });
        let response = ListOffsetsResponse { partitions: results.collect() };
        self.respond(turn, slot, Response::ListOffsets(response));
    }

    /// A replica that leads in the epoch that a consumer knows.
    /// Kafka: Partition.localLogWithEpochOrThrow.
    fn led_in(&self, partition: TopicPartition, epoch: LeaderEpoch) -> Result<usize, ErrorCode> {
        let index = self.hosted_index(partition)?;
        let replica = &self.partitions[index];
        replica.check_leader_epoch(epoch)?;
        replica.leadership().map(|_| index).ok_or(ErrorCode::NotLeaderOrFollower)
    }

    /// Kafka: fetchOffsetForTimestamp. A new leader whose high watermark is not up to the start of
    /// its epoch cannot say where the end is.
    fn list_offset(
        &self,
        partition: TopicPartition,
        epoch: LeaderEpoch,
        (spec, isolation): (OffsetSpec, IsolationLevel),
    ) -> Result<OffsetAndEpoch, ErrorCode> {
        let index = self.led_in(partition, epoch)?;
        let replica = &self.partitions[index];
        let log = &replica.log;
        let is_behind =
            replica.leadership().is_some_and(|leader| leader.start > log.high_watermark());
        let end = match isolation {
            IsolationLevel::ReadUncommitted => log.high_watermark(),
            IsolationLevel::ReadCommitted => log.last_stable_offset(),
        };
        match spec {
            OffsetSpec::Latest if is_behind => Err(ErrorCode::OffsetNotAvailable),
            OffsetSpec::Latest => {
                Ok(OffsetAndEpoch { offset: Some(end), leader_epoch: replica.leader_epoch() })
            }
            OffsetSpec::Earliest => {
                let first = log.epochs().entries().first().filter(|e| e.start == Offset::ZERO);
                let leader_epoch = first.map(|entry| entry.epoch);
                Ok(OffsetAndEpoch { offset: Some(Offset::ZERO), leader_epoch })
            }
            OffsetSpec::At(time) => {
                let mut batches = log.batches().iter();
                let found = batches.find(|b| b.max_timestamp >= time && b.base_offset < end);
                match found {
                    Some(batch) => Ok(OffsetAndEpoch {
                        offset: Some(batch.base_offset),
                        leader_epoch: Some(batch.leader_epoch),
                    }),
                    None if is_behind => Err(ErrorCode::OffsetNotAvailable),
                    None => Ok(OffsetAndEpoch { offset: None, leader_epoch: None }),
                }
            }
        }
    }

    #[inline(never)]
    pub(super) fn execute_epoch_ends(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Request::OffsetForLeaderEpoch(request) = &self.sockets[slot].request else { return };
        let results = request.partitions.iter().map(|(partition, current, wanted)| {
            let injected = self.injected(slot, Some(*partition), InjectWhen::BeforeAppend);
            let found = match injected {
                Some(error) => Err(error),
                None => self.led_in(*partition, *current),
            };
            let end = found.map(|index| self.partitions[index].log.end_offset_for(*wanted));
            (*partition, end)
        });
        let response = OffsetForLeaderEpochResponse { partitions: results.collect() };
        self.respond(turn, slot, Response::OffsetForLeaderEpoch(response));
    }
}
