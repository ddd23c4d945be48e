//! The consumer as one machine: the application's calls, the heartbeat thread, and what joins them.
//! Kafka: clients/consumer/internals/ClassicKafkaConsumer.

use crate::background::Background;
use crate::call::Call;
use crate::completion::Completion;
use crate::coordinator::Coordinator;
use crate::coordinator::commit::{Offsets, Origin};
use crate::env::{Ctx, Env, Streams};
use crate::fetcher::FetchBuffer;
use crate::metadata::ConsumerMetadata;
use crate::network::{Answered, Network};
use crate::request::Purpose;
use crate::subscription::{FetchPosition, ResetTo, SubscriptionState, SubscriptionType};
use inflight_des::{Instant, Span};
use inflight_protocol::config::GroupProtocol;
use inflight_protocol::fact::{PositionSource, RevokeCause, SendError};
use inflight_protocol::message::GroupIdentity;
use inflight_protocol::transaction::{CommittedOffset, MemberId};
use inflight_protocol::{
    ClientId, ConsumerId, Fact, FactKind, GroupId, Incoming, LeaderEpoch, Node, Offset, Timestamp,
    TopicId, TopicPartition, Turn,
};

/// One consumer object, from construction to close or crash.
#[derive(Debug)]
pub struct Consumer {
    pub(crate) client: ClientId,
    pub(crate) id: ConsumerId,
    streams: Streams,
    pub(crate) network: Network,
    pub(crate) metadata: ConsumerMetadata,
    pub(crate) subscriptions: SubscriptionState,
    pub(crate) fetches: FetchBuffer,
    /// group.id
    pub(crate) group: Option<GroupId>,
    /// With a group of the classic protocol.
    pub(crate) coordinator: Option<Coordinator>,
    /// With a group of the consumer protocol.
    pub(crate) background: Option<Box<Background>>,
    /// The version of the metadata that positions were compared with.
    pub(crate) validated_version: Option<u32>,
    /// Kafka: cachedValidatePositionsException.
    pub(crate) validation_failure: Option<SendError>,
    /// Kafka: cachedResetPositionsException.
    pub(crate) reset_failure: Option<SendError>,
    /// Whether all partitions had positions when that was last looked at.
    /// Kafka: cachedSubscriptionHasAllFetchPositions.
    pub(crate) has_all_positions: bool,
    /// The call that the application's thread is in.
    pub(crate) call: Option<Call>,
    pub(crate) has_ended: bool,
    pub(crate) completions: Vec<Completion>,
}

inflight_des::clone_fields!(Consumer {
    client,
    id,
    streams,
    network,
    metadata,
    subscriptions,
    fetches,
    group,
    coordinator,
    background,
    validated_version,
    validation_failure,
    reset_failure,
    has_all_positions,
    call,
    has_ended,
    completions,
});

impl Consumer {
    /// A new consumer, constructed at `now`. Connection ids start at `next_connection`: a client
    /// process uses each once.
    pub fn new(
        env: &Env<'_>,
        now: Instant,
        (client, id): (ClientId, ConsumerId),
        streams: Streams,
        next_connection: u32,
    ) -> Self {
        let now_ms = Timestamp::at(now).get();
        let mut metadata = ConsumerMetadata::new(env.config, env.topics, streams.metadata_backoff);
        let is_classic = env.config.group_protocol == GroupProtocol::Classic;
        let coordinator = env.group.filter(|_| is_classic).map(|group| {
            metadata.request_update_now();
            Coordinator::new(env.config, group, now_ms)
        });
        let background = env.group.filter(|_| !is_classic).map(|group| {
            let member = MemberId::of_consumer(client, id);
            Box::new(Background::new(env.config, (group, member), now_ms))
        });
        Self {
            client,
            id,
            streams,
            network: Network::new(env, streams, Node::Client(client), next_connection),
            metadata,
            subscriptions: SubscriptionState::new(env.config.auto_offset_reset),
            fetches: FetchBuffer::default(),
            group: env.group,
            coordinator,
            background,
            validated_version: None,
            validation_failure: None,
            reset_failure: None,
            has_all_positions: false,
            call: None,
            has_ended: false,
            completions: Vec::new(),
        }
    }

    /// The constructor has returned.
    pub fn start(&mut self, env: &Env<'_>, turn: &mut Turn<'_>) {
        let (client, consumer, group) = (self.client, self.id, env.group);
        let isolation = env.config.isolation_level;
        turn.did(FactKind::ConsumerStarted.set(), || Fact::ConsumerStarted {
            client,
            consumer,
            group,
            isolation,
        });
    }

    /// The application calls subscribe(): its group assigns the partitions. It wants a group.
    /// Kafka: KafkaConsumer.subscribe.
    pub fn subscribe(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, topics: &[TopicId]) {
        debug_assert!(self.group.is_some(), "subscribe() wants a group");
        self.fetches.retain(|partition| topics.contains(&env.topics.split(partition).0));
        if self.subscriptions.subscribe(topics.iter().copied().collect()) {
            self.metadata.request_update_for_new_topics();
        }
        if let Some(background) = &mut self.background {
            background.subscription_updated();
        }
        self.run(&mut Ctx::new(env, turn, self.streams));
    }

    /// The application calls assign(): it chooses the partitions itself.
    /// Kafka: KafkaConsumer.assign.
    pub fn assign(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, partitions: &[TopicPartition]) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        self.fetches.retain(|partition| partitions.contains(&partition));
        match self.background {
            Some(_) => self.maybe_commit_automatically(&mut ctx),
            // Applications choose once, when nothing is consumed: there is nothing to throw.
            None => self.maybe_auto_commit(&mut ctx).unwrap_or_default(),
        }
        let known: Vec<_> = self.subscriptions.assigned().iter().map(|s| s.partition).collect();
        for partition in known.iter().copied().filter(|id| !partitions.contains(id)) {
            let (consumer, why) = (self.id, RevokeCause::Revoked);
            ctx.turn.did(FactKind::PartitionRevoked.set(), || Fact::PartitionRevoked {
                consumer,
                partition,
                why,
            });
        }
        if self.subscriptions.assign_from_user(partitions, env.topics) {
            self.metadata.request_update_for_new_topics();
        }
        for partition in partitions.iter().copied().filter(|id| !known.contains(id)) {
            let (consumer, generation) = (self.id, 0);
            ctx.turn.did(FactKind::PartitionAssigned.set(), || Fact::PartitionAssigned {
                consumer,
                partition,
                generation,
            });
        }
        self.run(&mut ctx);
    }

    /// The application calls poll() with a timeout. [`Completion::Polled`] ends the call.
    /// Kafka: KafkaConsumer.poll.
    pub fn poll(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, timeout: Span) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let deadline_ms = after(ctx.now_ms, timeout);
        match &mut self.background {
            Some(background) => background.begin_poll(deadline_ms),
            None => self.begin(Call::poll(deadline_ms)),
        }
        self.run(&mut ctx);
    }

    /// The application calls commitSync(), with all that was returned or with these offsets, of
    /// partitions and the next offset to read. [`Completion::CommittedSync`] ends the call.
    /// Kafka: KafkaConsumer.commitSync.
    pub fn commit_sync(
        &mut self,
        env: &Env<'_>,
        turn: &mut Turn<'_>,
        offsets: Option<&[CommittedOffset]>,
    ) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let offsets = self.offsets_or_consumed(offsets);
        self.see_epochs(&offsets);
        if self.background.is_some() {
            self.begin_commit(&mut ctx, offsets);
            return self.run(&mut ctx);
        }
        let deadline_ms = ctx.now_ms + env.config.default_api_timeout_ms;
        self.tell_requested(&mut ctx, &offsets, Origin::Sync);
        self.begin(Call::commit(offsets, deadline_ms));
        self.run(&mut ctx);
    }

    /// The application calls commitAsync(). Returns the number that its callback will come with.
    /// Kafka: KafkaConsumer.commitAsync.
    ///
    /// # Errors
    ///
    /// What it throws: with the classic protocol why no coordinator was found.
    pub fn commit_async(
        &mut self,
        env: &Env<'_>,
        turn: &mut Turn<'_>,
        offsets: Option<&[CommittedOffset]>,
    ) -> Result<u32, SendError> {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let offsets = self.offsets_or_consumed(offsets);
        self.see_epochs(&offsets);
        let id = match self.background {
            Some(_) => Ok(self.begin_async_commit(&mut ctx, offsets)),
            None => self.commit_offsets_async(&mut ctx, offsets, Origin::Async).map(|(id, _)| id),
        };
        self.run(&mut ctx);
        id
    }

    /// Whoever read records of a leader epoch knows that there is one.
    /// Kafka: updateLastSeenEpochIfNewer.
    fn see_epochs(&mut self, offsets: &Offsets) {
        for committed in offsets {
            if let Some(epoch) = committed.leader_epoch {
                self.metadata.saw_epoch(committed.partition, epoch);
            }
        }
    }

    fn offsets_or_consumed(&self, offsets: Option<&[CommittedOffset]>) -> Offsets {
        debug_assert!(self.group.is_some(), "a commit wants a group");
        offsets.map_or_else(|| self.all_consumed(), |offsets| offsets.iter().copied().collect())
    }

    /// The application calls seek(). Kafka: KafkaConsumer.seek.
    pub fn seek(
        &mut self,
        env: &Env<'_>,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        offset: Offset,
    ) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let leader = self.metadata.current_leader(partition);
        let position = FetchPosition { offset, offset_epoch: None, leader };
        self.subscriptions.seek_unvalidated(partition, position);
        self.tell_position(&mut ctx, partition, offset, PositionSource::Seek);
    }

    /// The application calls seekToBeginning() with a partition.
    pub fn seek_to_beginning(&mut self, partition: TopicPartition) {
        self.subscriptions.request_reset(partition, ResetTo::Earliest);
    }

    /// The application calls seekToEnd() with a partition.
    pub fn seek_to_end(&mut self, partition: TopicPartition) {
        self.subscriptions.request_reset(partition, ResetTo::Latest);
    }

    /// The application calls pause() with a partition: polls return nothing of it.
    pub fn pause(&mut self, partition: TopicPartition) {
        self.subscriptions.set_paused(partition, true);
    }

    /// The application calls resume() with a partition.
    pub fn resume(&mut self, partition: TopicPartition) {
        self.subscriptions.set_paused(partition, false);
    }

    /// The application calls close() with a timeout; the default of Kafka's is 30 s.
    /// [`Completion::Closed`] ends the call. Kafka: KafkaConsumer.close.
    pub fn close(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, timeout: Span) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let longest = Span::from_millis(env.config.request_timeout_ms as u64);
        let deadline_ms = after(ctx.now_ms, timeout.min(longest));
        match self.background {
            Some(_) => self.begin_close_with_background(deadline_ms),
            None => self.begin(Call::close(deadline_ms)),
        }
        self.run(&mut ctx);
    }

    /// What groupMetadata() says: who commits, for the producer that commits offsets in a
    /// transaction. `None` without a group.
    pub fn group_metadata(&self) -> Option<GroupIdentity> {
        let classic = self.coordinator.as_ref().map(|coordinator| coordinator.identity);
        classic.or(self.background.as_ref().map(|background| background.identity))
    }

    /// The positions of all partitions behind what was returned: what a commit would commit.
    pub fn consumed(&self) -> Vec<CommittedOffset> {
        self.all_consumed().into_vec()
    }

    /// The partitions that the consumer may read, with the next offset to return, if it has one.
    pub fn assignment(&self) -> impl Iterator<Item = (TopicPartition, Option<Offset>)> {
        self.subscriptions.assigned().iter().map(|state| {
            let valid = state.position().filter(|_| state.has_valid_position());
            (state.partition, valid.map(|position| position.offset))
        })
    }

    /// Whether the consumer is in its group, as far as it knows, or needs no group.
    pub fn has_joined(&self) -> bool {
        !self.subscriptions.is_auto_assigned()
            || match (&self.coordinator, &self.background) {
                (Some(coordinator), _) => coordinator.has_joined(),
                (None, Some(background)) => background.has_joined(),
                (None, None) => true,
            }
    }

    /// The epoch of the leader that a partition's position was last compared with, if any.
    pub fn leader_epoch_of(&self, partition: TopicPartition) -> Option<LeaderEpoch> {
        self.subscriptions.get(partition)?.position()?.leader.epoch
    }

    /// Something arrived from the network. It is looked at when somebody polls.
    pub fn handle(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, incoming: Incoming) {
        if self.has_ended {
            return;
        }
        self.network.receive(incoming);
        self.run(&mut Ctx::new(env, turn, self.streams));
    }

    /// Time has passed: perhaps as much as was waited for.
    pub fn handle_timeout(&mut self, env: &Env<'_>, turn: &mut Turn<'_>) {
        self.run(&mut Ctx::new(env, turn, self.streams));
    }

    /// When [`Consumer::handle_timeout`] wants to be called. Being early does no harm.
    pub fn next_timeout(&mut self, now: Instant) -> Option<Instant> {
        if self.has_ended {
            return None;
        }
        let now_ms = Timestamp::at(now).get();
        let network_ms = self.network.next_ms(now_ms, &mut self.metadata);
        let in_call = self.call.as_ref().map(Call::wakes);
        let heartbeat = self.heartbeat_wakes(now_ms, network_ms);
        let background = self.background_wakes(now_ms, network_ms);
        let wakes = in_call.into_iter().chain(heartbeat).chain(background);
        let at_ms = wakes.min().filter(|at| *at < i64::MAX)?;
        Some(instant(at_ms).max(now))
    }

    /// What the application gets to know, in order; the list is emptied by the caller.
    pub fn completions(&mut self) -> &mut Vec<Completion> {
        &mut self.completions
    }

    /// Whether close() has finished.
    pub const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether the application's thread is inside a call.
    pub fn is_in_call(&self) -> bool {
        self.call.is_some() || self.background.as_ref().is_some_and(|back| back.call.is_some())
    }

    /// The id of the next connection, for the consumer that takes over after a restart.
    pub fn next_connection(&self) -> u32 {
        self.network.next_connection()
    }

    fn begin(&mut self, call: Call) {
        debug_assert!(self.call.is_none(), "the consumer is not for several threads");
        self.call = Some(call);
    }

    /// Runs both threads until they are blocked.
    fn run(&mut self, ctx: &mut Ctx<'_, '_>) {
        if self.background.is_some() {
            return self.run_with_background(ctx);
        }
        loop {
            let in_call = self.drive_call(ctx);
            if self.has_ended {
                return;
            }
            let in_thread = self.run_heartbeat_thread(ctx);
            if !in_call && !in_thread {
                return;
            }
        }
    }

    /// Polls the network once, and runs the handlers of all that has come to an end. What they leave
    /// to be done waits for the next poll. Kafka: ConsumerNetworkClient.poll with a timeout of 0.
    pub(crate) fn poll_network(&mut self, ctx: &mut Ctx<'_, '_>) {
        self.run_handlers(ctx);
        self.network.poll(ctx, &mut self.metadata, &self.subscriptions);
        self.lead_with_metadata(ctx);
        self.run_handlers(ctx);
    }

    /// The next poll comes back at once if there were any, even if a handler has polled itself.
    /// Kafka: firePendingCompletedRequests.
    fn run_handlers(&mut self, ctx: &mut Ctx<'_, '_>) {
        let mut has_run = false;
        while let Some(answered) = self.network.take_answered() {
            self.answered(ctx, answered);
            has_run = true;
        }
        if has_run {
            self.network.wake_up();
        }
    }

    /// Sends what waits to be sent, for whoever is about to return. Kafka: transmitSends.
    pub(crate) fn transmit_sends(&mut self, ctx: &mut Ctx<'_, '_>) {
        self.network.transmit_sends(ctx, &mut self.metadata, &self.subscriptions);
    }

    /// The first half of a poll that may wait until then, and the second half too if it does not
    /// wait at all. Returns how long it waits. Kafka: ConsumerNetworkClient.poll.
    pub(crate) fn begin_poll(&mut self, ctx: &mut Ctx<'_, '_>, until_ms: i64) -> i64 {
        self.run_handlers(ctx);
        let back_ms = self.network.begin_poll(ctx, &mut self.metadata, &self.subscriptions);
        let back_ms = back_ms.min(until_ms);
        if back_ms <= ctx.now_ms {
            self.end_poll(ctx);
        }
        back_ms
    }

    /// The second half of a poll.
    pub(crate) fn end_poll(&mut self, ctx: &mut Ctx<'_, '_>) {
        self.network.end_poll(ctx, &mut self.metadata, &self.subscriptions);
        self.lead_with_metadata(ctx);
        self.run_handlers(ctx);
    }

    fn answered(&mut self, ctx: &mut Ctx<'_, '_>, Answered { purpose, outcome }: Answered) {
        if self.background.is_some() {
            return self.background_answered(ctx, purpose, outcome);
        }
        match purpose {
            Purpose::ApiVersions | Purpose::Metadata(_) | Purpose::MemberHeartbeat { .. } => {}
            Purpose::FindCoordinator => self.coordinator_found(ctx, outcome),
            Purpose::JoinGroup(sent) => self.join_answered(ctx, sent, outcome),
            Purpose::SyncGroup(sent) => self.sync_answered(sent, outcome),
            Purpose::Heartbeat(sent) => self.heartbeat_answered(ctx, sent, outcome),
            Purpose::LeaveGroup => self.left(&outcome),
            Purpose::OffsetCommit(id, sent) => self.commit_answered((id, sent), outcome),
            Purpose::OffsetFetch(id) => self.committed_answered(id, outcome),
            Purpose::Fetch(leader, from) => self.fetch_answered(ctx, leader, &from, outcome),
            Purpose::ListOffsets(asked) => self.list_offsets_answered(ctx, &asked, outcome),
            Purpose::EpochEnds(asked) => self.epoch_ends_answered(ctx, &asked, outcome),
        }
    }

    /// Whether neither subscribe() nor assign() was called.
    pub(crate) fn has_no_subscription(&self) -> bool {
        self.subscriptions.kind() == SubscriptionType::None
    }
}

/// The millisecond so long after another.
fn after(now_ms: i64, timeout: Span) -> i64 {
    now_ms.saturating_add(timeout.as_millis() as i64)
}

/// When a clock of milliseconds reads this.
fn instant(at_ms: i64) -> Instant {
    Instant::START + Span::from_millis((at_ms - Timestamp::RUN_START.get()).max(0) as u64)
}
