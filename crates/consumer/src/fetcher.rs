//! Fetches: which are sent, what is done with the answers, and what poll() returns of them.
//! Kafka: clients/consumer/internals/{AbstractFetch, Fetcher, FetchBuffer, FetchCollector}.

use crate::completed_fetch::{CompletedFetch, Piece};
use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use crate::subscription::FetchPosition;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{
    ConsumerFetchRequest, ConsumerFetchResponse, FetchPartition, LeaderAndEpoch, Request, Response,
};
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{
    BrokerId, BrokerSet, ErrorCode, Fact, FactKind, LeaderEpoch, Offset, TopicPartition,
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};

/// What was fetched and not returned, and who is being asked for more.
#[derive(Debug, Default)]
pub(crate) struct FetchBuffer {
    completed: VecDeque<CompletedFetch>,
    next_in_line: Option<CompletedFetch>,
    /// What the application is about to be given.
    taken: Vec<(TopicPartition, Piece)>,
    /// What is behind that, with the leader epoch of the record before. Kafka: Fetch.nextOffsets.
    next_offsets: Vec<NextOffset>,
    /// Kafka: nodesWithPendingFetchRequests.
    asked: BrokerSet,
    /// The fetch sessions, by broker: the high watermark that the broker has last told of each
    /// partition, if that was no error. Kafka: FetchSessionHandler, and the broker's FetchSession.
    sessions: BTreeMap<BrokerId, Session>,
}

/// Where a partition goes on: the offset, and the leader epoch of the record before it.
type NextOffset = (TopicPartition, (Offset, Option<LeaderEpoch>));

/// What a fetch session has told of its partitions.
type Session = SmallVec<[(TopicPartition, Option<Offset>); 2]>;

inflight_des::clone_fields!(FetchBuffer {
    completed,
    next_in_line,
    taken,
    next_offsets,
    asked,
    sessions
});

/// What a poll gets. Kafka: Fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// How many records.
    pub(crate) records: u32,
    /// Whether a position has moved, be it past nothing that is returned.
    pub(crate) has_advanced: bool,
}

impl Collected {
    /// Kafka: Fetch.isEmpty.
    pub(crate) const fn is_empty(self) -> bool {
        self.records == 0 && !self.has_advanced
    }
}

impl FetchBuffer {
    fn is_buffered(&self, partition: TopicPartition) -> bool {
        let next = self.next_in_line.as_ref().filter(|fetch| !fetch.is_consumed);
        next.into_iter().chain(&self.completed).any(|fetch| fetch.partition == partition)
    }

    /// Forgets what was fetched of other partitions. Kafka: clearBufferedDataForUnassignedPartitions.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(TopicPartition) -> bool) {
        self.completed.retain(|fetch| keep(fetch.partition));
        if self.next_in_line.as_ref().is_some_and(|fetch| !keep(fetch.partition)) {
            self.next_in_line = None;
        }
    }
}

impl Consumer {
    /// Whether something was fetched that may be returned. Kafka: hasAvailableFetches.
    pub(crate) fn has_available_fetches(&self, ctx: &Ctx<'_, '_>) -> bool {
        let names = ctx.env.topics;
        let mut completed = self.fetches.completed.iter();
        completed.any(|fetch| self.subscriptions.is_fetchable(fetch.partition, names))
    }

    /// Whether anything is fetched and not returned. Kafka: FetchBuffer.isEmpty.
    pub(crate) fn has_buffered(&self) -> bool {
        let next = self.fetches.next_in_line.as_ref().filter(|fetch| !fetch.is_consumed);
        next.is_some() || !self.fetches.completed.is_empty()
    }

    /// Whether an answer to a fetch is on its way. Kafka: nodesWithPendingFetchRequests.
    pub(crate) fn has_pending_fetches(&self) -> bool {
        !self.fetches.asked.is_empty()
    }

    /// Whether there is a partition that may be fetched and of which nothing is buffered.
    pub(crate) fn has_fetchable_without_data(&self, ctx: &Ctx<'_, '_>) -> bool {
        self.subscriptions.assigned().iter().any(|state| {
            self.subscriptions.is_fetchable(state.partition, ctx.env.topics)
                && !self.fetches.is_buffered(state.partition)
        })
    }

    /// Asks every leader for the partitions of which nothing is buffered, one request a leader.
    /// A leader with buffered data of another partition is left alone. Kafka: prepareFetchRequests,
    /// sendFetches.
    pub(crate) fn send_fetches(&mut self, ctx: &mut Ctx<'_, '_>) {
        self.validate_on_metadata_change();
        let mut requests: BTreeMap<BrokerId, SmallVec<[FetchPartition; 1]>> = BTreeMap::new();
        let mut with_data = BrokerSet::EMPTY;
        for state in self.subscriptions.assigned() {
            let is_wanted = self.subscriptions.is_fetchable(state.partition, ctx.env.topics);
            let Some(position) = state.position().filter(|_| is_wanted) else { continue };
            let Some(leader) = position.leader.leader else {
                self.metadata.request_update();
                continue;
            };
            if self.fetches.is_buffered(state.partition) {
                with_data = with_data.with(leader);
                continue;
            }
            let peer = self.network.broker(leader);
            if self.fetches.asked.contains(leader) || self.network.is_unavailable(peer, ctx.now_ms)
            {
                continue;
            }
            requests.entry(leader).or_default().push(FetchPartition {
                partition: state.partition,
                current_leader_epoch: position.leader.epoch.unwrap_or_default(),
                fetch_offset: position.offset,
                last_fetched_epoch: None,
                log_start_offset: Offset::ZERO,
                max_bytes: ctx.env.config.max_partition_fetch_bytes,
            });
        }
        for (leader, partitions) in requests {
            if !with_data.contains(leader) {
                self.send_fetch(ctx, leader, partitions);
            }
        }
    }

    fn send_fetch(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        leader: BrokerId,
        partitions: SmallVec<[FetchPartition; 1]>,
    ) {
        let config = ctx.env.config;
        let from = partitions.iter().map(|fetch| (fetch.partition, fetch.fetch_offset)).collect();
        let request = ConsumerFetchRequest {
            isolation: ctx.env.asked_isolation(),
            max_wait_ms: config.fetch_max_wait_ms,
            min_bytes: config.fetch_min_bytes,
            max_bytes: config.fetch_max_bytes,
            partitions,
        };
        self.fetches.asked = self.fetches.asked.with(leader);
        let peer = self.network.broker(leader);
        let request = Request::ConsumerFetch(request);
        let purpose = Purpose::Fetch(leader, from);
        self.network.send(ctx, peer, request, purpose, config.request_timeout_ms);
    }

    /// Kafka: handleFetchSuccess, handleFetchFailure, FetchSessionHandler.handleResponse. Requests
    /// are whole here, and so are answers, but what Kafka's broker leaves out of an answer in a session
    /// does not count: partitions without records, of which there is nothing new. A failure ends the
    /// session, and all partitions are in the next answer.
    pub(crate) fn fetch_answered(
        &mut self,
        ctx: &Ctx<'_, '_>,
        leader: BrokerId,
        from: &[(TopicPartition, Offset)],
        outcome: Outcome,
    ) {
        self.fetches.asked = self.fetches.asked.without(leader);
        let before = self.fetches.sessions.remove(&leader).unwrap_or_default();
        let Outcome::Response(Response::ConsumerFetch(response)) = outcome else { return };
        let ConsumerFetchResponse { error, partitions, batches, aborted } = response;
        if let Some(error) = error {
            if error == ErrorCode::FetchSessionTopicIdError {
                self.metadata.request_update();
            }
            return;
        }
        let mut session = Session::new();
        let (mut batches, mut aborted) = (batches.into_iter(), aborted.into_iter());
        for entry in partitions {
            let batches: Vec<_> = batches.by_ref().take(entry.batches as usize).collect();
            let aborted: Vec<_> = aborted.by_ref().take(entry.aborted as usize).collect();
            let partition = entry.partition;
            if let Some(hint) = entry.current_leader {
                self.take_leader_hint(partition, hint);
            }
            let Some((_, offset)) = from.iter().find(|(asked, _)| *asked == partition) else {
                continue;
            };
            let told = (partition, Some(entry.high_watermark).filter(|_| entry.error.is_none()));
            session.push(told);
            if entry.error.is_some() || !batches.is_empty() || !before.contains(&told) {
                let isolation = ctx.env.given_isolation();
                let error = entry.error;
                let fetch =
                    CompletedFetch::new(partition, *offset, isolation, error, batches, aborted);
                self.fetches.completed.push_back(fetch);
            }
        }
        self.fetches.sessions.insert(leader, session);
    }

    /// A broker told who leads (KIP-951). Kafka: updatePartitionLeadership.
    fn take_leader_hint(&mut self, partition: TopicPartition, hint: LeaderAndEpoch) {
        if self.metadata.update_leadership(partition, hint) {
            let leader = self.metadata.current_leader(partition);
            if let Some(state) = self.subscriptions.get_mut(partition) {
                state.maybe_validate(leader);
            }
        }
    }

    /// Takes up to max.poll.records records out of what was fetched, and gives them to the
    /// application. Kafka: collectFetch.
    ///
    /// # Errors
    ///
    /// What is wrong with the first fetch. Records in front of it come first, and the error with the
    /// next poll; but a code that a fetch does not know is thrown at once (IllegalStateException), and
    /// those records are lost, as their positions have moved.
    pub(crate) fn collect_fetch(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<Collected, SendError> {
        let mut collected = Collected::default();
        self.fetches.next_offsets.clear();
        let mut paused: SmallVec<[CompletedFetch; 2]> = SmallVec::new();
        let mut failure = None;
        while collected.records < ctx.env.config.max_poll_records {
            let next = self.fetches.next_in_line.take().filter(|fetch| !fetch.is_consumed);
            match next {
                None => {
                    let Some(mut fetch) = self.fetches.completed.pop_front() else { break };
                    if fetch.is_initialized {
                        self.fetches.next_in_line = Some(fetch);
                        continue;
                    }
                    match self.initialize(&mut fetch) {
                        Ok(true) => self.fetches.next_in_line = Some(fetch),
                        Ok(false) => {}
                        Err(error) => {
                            failure = Some(error);
                            if !collected.is_empty() {
                                // The exception is thrown by a poll that has nothing to return.
                                self.fetches.completed.push_front(fetch);
                            }
                            break;
                        }
                    }
                }
                Some(fetch) if self.subscriptions.is_paused(fetch.partition) => paused.push(fetch),
                Some(fetch) => self.fetch_records(ctx, fetch, &mut collected),
            }
        }
        self.fetches.completed.extend(paused);
        match failure {
            Some(error) if collected.is_empty() || is_unexpected(error) => {
                self.fetches.taken.clear();
                Err(error)
            }
            Some(_) | None => {
                self.give(ctx);
                Ok(collected)
            }
        }
    }

    /// What is behind the records of the last poll(), whatever has become of the positions since.
    /// Kafka: ConsumerRecords.nextOffsets.
    pub fn next_offsets(&self) -> impl Iterator<Item = CommittedOffset> {
        let offsets = self.fetches.next_offsets.iter();
        offsets.filter_map(|&(partition, (offset, leader_epoch))| {
            Some(CommittedOffset { group: self.group?, partition, offset, leader_epoch })
        })
    }

    /// The application gets what was taken.
    fn give(&mut self, ctx: &mut Ctx<'_, '_>) {
        let consumer = self.id;
        for (partition, piece) in self.fetches.taken.drain(..) {
            match piece {
                Piece::Records(base_offset, run) => {
                    ctx.turn.did(FactKind::RecordsReturned.set(), || Fact::RecordsReturned {
                        consumer,
                        partition,
                        base_offset,
                        count: run.count,
                        session: run.session,
                        first: run.first,
                    });
                    self.completions.push(Completion::Records { partition, base_offset, run });
                }
                Piece::Aborted(base_offset, count, producer_id) => {
                    ctx.turn.did(FactKind::AbortedRecordsSkipped.set(), || {
                        Fact::AbortedRecordsSkipped {
                            consumer,
                            partition,
                            base_offset,
                            count,
                            producer_id,
                        }
                    });
                }
            }
        }
    }

    /// Takes records of one partition. Kafka: FetchCollector.fetchRecords.
    fn fetch_records(
        &mut self,
        ctx: &Ctx<'_, '_>,
        mut fetch: CompletedFetch,
        collected: &mut Collected,
    ) {
        let partition = fetch.partition;
        let is_fetchable = self.subscriptions.is_fetchable(partition, ctx.env.topics);
        let position = self.subscriptions.get(partition).and_then(|state| state.position());
        let Some(position) =
            position.filter(|position| is_fetchable && position.offset == fetch.next_offset())
        else {
            // It is of a position that the consumer has left.
            return;
        };
        self.fetches.next_offsets.retain(|(known, _)| *known != partition);
        let most = ctx.env.config.max_poll_records - collected.records;
        let taken = &mut self.fetches.taken;
        collected.records += fetch.take(most, |piece| taken.push((partition, piece)));
        let (offset, offset_epoch) = (fetch.next_offset(), fetch.last_epoch());
        self.fetches.next_offsets.push((partition, (offset, offset_epoch)));
        if offset > position.offset {
            collected.has_advanced = true;
            let next = FetchPosition { offset, offset_epoch, ..position };
            self.subscriptions.advance(partition, next);
        }
        if fetch.is_exhausted() {
            if fetch.drain() {
                self.subscriptions.move_to_end(partition);
            }
        } else {
            self.fetches.next_in_line = Some(fetch);
        }
    }

    /// Whether a fetch is of use: its position is still the consumer's, and there was no error.
    /// Kafka: FetchCollector.initialize.
    fn initialize(&mut self, fetch: &mut CompletedFetch) -> Result<bool, SendError> {
        let partition = fetch.partition;
        let state = self.subscriptions.get(partition).filter(|state| state.has_valid_position());
        let Some(position) = state.and_then(|state| state.position()) else {
            if fetch.error.is_some() {
                self.subscriptions.move_to_end(partition);
            }
            return Ok(false);
        };
        let is_current = position.offset == fetch.next_offset();
        let Some(error) = fetch.error else {
            fetch.is_initialized = is_current;
            return Ok(is_current);
        };
        let result = self.handle_error(partition, is_current, error);
        self.subscriptions.move_to_end(partition);
        result.map(|()| false)
    }

    /// Kafka: handleInitializeErrors.
    fn handle_error(
        &mut self,
        partition: TopicPartition,
        is_current: bool,
        error: ErrorCode,
    ) -> Result<(), SendError> {
        match error {
            ErrorCode::NotLeaderOrFollower
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::KafkaStorageError
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::OffsetNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::InconsistentTopicId => {
                self.metadata.request_update();
            }
            ErrorCode::OffsetOutOfRange if is_current => match self.subscriptions.default_reset() {
                Some(to) => self.subscriptions.request_reset(partition, to),
                None => return Err(SendError::Code(error)),
            },
            ErrorCode::OffsetOutOfRange
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::UnknownServerError => {}
            _ => return Err(SendError::Code(error)),
        }
        Ok(())
    }
}

/// Whether Kafka's fetcher makes an IllegalStateException of an error.
fn is_unexpected(error: SendError) -> bool {
    !matches!(
        error,
        SendError::Code(
            ErrorCode::OffsetOutOfRange
                | ErrorCode::TopicAuthorizationFailed
                | ErrorCode::CorruptMessage
        )
    )
}
