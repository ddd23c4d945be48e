//! Positions that have to be found or compared: ListOffsets and OffsetForLeaderEpoch.
//! Kafka: clients/consumer/internals/{OffsetFetcher, OffsetFetcherUtils, PositionsValidator}.

use crate::consumer::Consumer;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use crate::subscription::{FetchPosition, ResetTo, Validation};
use inflight_protocol::fact::{PositionSource, SendError};
use inflight_protocol::message::{
    ListOffsetsRequest, OffsetForLeaderEpochRequest, OffsetSpec, Request, Response,
};
use inflight_protocol::{BrokerId, ErrorCode, Fact, FactKind, Offset, TopicPartition};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Partitions with what is asked about them.
type Asked<T> = SmallVec<[(TopicPartition, T); 2]>;

impl Consumer {
    /// Says where a consumer will read on.
    pub(crate) fn tell_position(
        &self,
        ctx: &mut Ctx<'_, '_>,
        partition: TopicPartition,
        offset: Offset,
        source: PositionSource,
    ) {
        let consumer = self.id;
        ctx.turn.did(FactKind::PositionSet.set(), || Fact::PositionSet {
            consumer,
            partition,
            offset,
            source,
        });
    }

    /// Compares the leaders of all positions with the metadata, if that is new.
    /// Kafka: validatePositionsOnMetadataChange.
    pub(crate) fn validate_on_metadata_change(&mut self) {
        let version = self.metadata.update_version();
        if self.validated_version == Some(version) {
            return;
        }
        self.validated_version = Some(version);
        for state in self.subscriptions.assigned_mut() {
            let leader = self.metadata.current_leader(state.partition);
            state.maybe_validate(leader);
        }
    }

    /// Asks new leaders whether they have what was read. Kafka: validatePositionsIfNeeded.
    pub(crate) fn validate_positions(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<(), SendError> {
        if let Some(error) = self.validation_failure.take() {
            return Err(error);
        }
        self.validate_on_metadata_change();
        let mut by_leader: BTreeMap<BrokerId, Asked<FetchPosition>> = BTreeMap::new();
        for (partition, position) in self.subscriptions.needing_validation(ctx.now_ms) {
            if let Some(leader) = position.leader.leader {
                by_leader.entry(leader).or_default().push((partition, position));
            }
        }
        for (leader, positions) in by_leader {
            let peer = self.network.broker(leader);
            if !self.network.knows_versions(peer, ctx.now_ms) {
                self.network.try_connect(ctx, peer);
                continue;
            }
            let again_ms = ctx.now_ms + ctx.env.config.request_timeout_ms;
            let mut partitions = SmallVec::new();
            for (partition, position) in &positions {
                self.subscriptions.retry_at(*partition, again_ms);
                let epochs = position.leader.epoch.zip(position.offset_epoch);
                partitions.extend(epochs.map(|(leader, read)| (*partition, leader, read)));
            }
            let request = Request::OffsetForLeaderEpoch(OffsetForLeaderEpochRequest { partitions });
            let timeout_ms = ctx.env.config.request_timeout_ms;
            self.network.send(ctx, peer, request, Purpose::EpochEnds(positions), timeout_ms);
        }
        Ok(())
    }

    /// Kafka: OffsetsForLeaderEpochUtils.handleResponse, onSuccessfulResponseForValidatingPositions
    /// and onFailedResponseForValidatingPositions.
    pub(crate) fn epoch_ends_answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        asked: &[(TopicPartition, FetchPosition)],
        outcome: Outcome,
    ) {
        let results = match outcome {
            Outcome::Response(Response::OffsetForLeaderEpoch(response)) => response.partitions,
            // Of none is anything known.
            Outcome::Response(_) | Outcome::Disconnected | Outcome::NotSent => SmallVec::new(),
        };
        if let Some(error) = unauthorized(&results) {
            self.validation_failure.get_or_insert(error);
            return self.ask_again(ctx, asked.iter().map(|(partition, _)| *partition));
        }
        for (partition, position) in asked {
            let result = results.iter().find(|(id, _)| id == partition);
            let Some((_, Ok(end))) = result else {
                self.ask_again(ctx, [*partition]);
                continue;
            };
            match self.subscriptions.complete_validation(*partition, *position, *end) {
                Validation::Done | Validation::Reset => {}
                Validation::Truncated(offset) => {
                    self.tell_position(ctx, *partition, offset, PositionSource::Truncation);
                }
                Validation::Failed => {
                    self.validation_failure.get_or_insert(SendError::LogTruncation);
                }
            }
        }
    }

    /// Asks for the beginning or the end where a position is to be reset.
    /// Kafka: resetPositionsIfNeeded.
    ///
    /// # Errors
    ///
    /// What an earlier question came to, if that cannot be mended.
    pub(crate) fn reset_positions(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<(), SendError> {
        if let Some(error) = self.reset_failure.take() {
            return Err(error);
        }
        let mut by_leader: BTreeMap<BrokerId, Asked<ResetTo>> = BTreeMap::new();
        for (partition, to) in self.subscriptions.needing_reset(ctx.now_ms) {
            match self.metadata.current_leader(partition).leader {
                None => self.metadata.request_update_now(),
                Some(leader)
                    if self.network.is_unavailable(self.network.broker(leader), ctx.now_ms) =>
                {
                    self.metadata.request_update();
                }
                Some(leader) => by_leader.entry(leader).or_default().push((partition, to)),
            }
        }
        for (leader, partitions) in by_leader {
            let timeout_ms = ctx.env.config.request_timeout_ms;
            let asked = partitions.iter().map(|(partition, to)| {
                let epoch = self.metadata.current_leader(*partition).epoch.unwrap_or_default();
                let spec = match to {
                    ResetTo::Earliest => OffsetSpec::Earliest,
                    ResetTo::Latest => OffsetSpec::Latest,
                };
                (*partition, epoch, spec)
            });
            let isolation = ctx.env.config.isolation_level;
            let request = ListOffsetsRequest { isolation, partitions: asked.collect() };
            for (partition, _) in &partitions {
                self.subscriptions.retry_at(*partition, ctx.now_ms + timeout_ms);
            }
            let peer = self.network.broker(leader);
            let request = Request::ListOffsets(request);
            self.network.send(ctx, peer, request, Purpose::ListOffsets(partitions), timeout_ms);
        }
        Ok(())
    }

    /// Kafka: OffsetFetcherUtils.handleListOffsetResponse, onSuccessfulResponseForResettingPositions
    /// and onFailedResponseForResettingPositions.
    pub(crate) fn list_offsets_answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        asked: &[(TopicPartition, ResetTo)],
        outcome: Outcome,
    ) {
        let all = asked.iter().map(|(partition, _)| *partition);
        let results = match outcome {
            Outcome::Response(Response::ListOffsets(response)) => response.partitions,
            Outcome::Response(_) | Outcome::Disconnected | Outcome::NotSent => {
                return self.ask_again(ctx, all);
            }
        };
        if let Some(error) = unauthorized(&results) {
            self.reset_failure.get_or_insert(error);
            return self.ask_again(ctx, all);
        }
        for (partition, to) in asked {
            let found = match results.iter().find(|(id, _)| id == partition) {
                Some((_, Ok(found))) => found,
                // As if there were no such offset: nobody asks before request.timeout.ms is over.
                Some((_, Err(ErrorCode::UnsupportedForMessageFormat))) | None => continue,
                Some((_, Err(_))) => {
                    self.ask_again(ctx, [*partition]);
                    continue;
                }
            };
            let Some(offset) = found.offset else { continue };
            let leader = self.metadata.current_leader(*partition);
            if let Some(epoch) = found.leader_epoch {
                self.metadata.saw_epoch(*partition, epoch);
            }
            let position = FetchPosition { offset, offset_epoch: None, leader };
            if self.subscriptions.maybe_seek(*partition, position, *to) {
                let source = match to {
                    ResetTo::Earliest => PositionSource::Earliest,
                    ResetTo::Latest => PositionSource::Latest,
                };
                self.tell_position(ctx, *partition, offset, source);
            }
        }
    }

    /// Asks about these partitions again after retry.backoff.ms; by then the metadata may be new.
    /// Kafka: SubscriptionState.requestFailed.
    fn ask_again(
        &mut self,
        ctx: &Ctx<'_, '_>,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) {
        let again_ms = ctx.now_ms + ctx.env.config.retry_backoff_ms;
        for partition in partitions {
            self.subscriptions.retry_at(partition, again_ms);
        }
        self.metadata.request_update();
    }
}

/// One topic that may not be read makes a TopicAuthorizationException of the whole answer.
fn unauthorized<T>(results: &[(TopicPartition, Result<T, ErrorCode>)]) -> Option<SendError> {
    const REFUSED: ErrorCode = ErrorCode::TopicAuthorizationFailed;
    let is_refused =
        results.iter().any(|(_, result)| result.as_ref().is_err_and(|e| *e == REFUSED));
    is_refused.then_some(SendError::Code(REFUSED))
}
