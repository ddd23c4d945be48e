//! The network thread of a consumer with the consumer protocol (KIP-848), and what it and the
//! application's thread tell one another.
//!
//! Kafka: clients/consumer/internals/{AsyncKafkaConsumer, ConsumerNetworkThread, RequestManagers}.
//! Unlike with the classic protocol, the network is looked at whatever the application does; but
//! partitions change hands only inside of poll(), where the rebalance listener is called.

pub(crate) mod app;
mod close;
mod commits;
mod committed;
mod events;
mod heartbeat;
mod lookup;
mod membership;
mod reconcile;
mod request_state;

use crate::consumer::Consumer;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use app::{AppCall, PollEvent};
use commits::CommitRequests;
use committed::CommittedRequests;
use events::BackgroundEvent;
use heartbeat::Heartbeats;
use inflight_protocol::fact::MembershipState;
use inflight_protocol::message::GroupIdentity;
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{ConsumerConfig, GroupId};
use lookup::CoordinatorLookup;
use membership::Membership;
use std::collections::VecDeque;

/// The managers of requests and what they work on.
#[derive(Clone, Debug)]
pub(crate) struct Background {
    pub(crate) group: GroupId,
    lookup: CoordinatorLookup,
    commits: CommitRequests,
    committed: CommittedRequests,
    heartbeats: Heartbeats,
    membership: Membership,
    /// What the application's thread is to do at its next poll(). Kafka: backgroundEventQueue.
    events: VecDeque<BackgroundEvent>,
    /// The call that the application's thread is in.
    pub(crate) call: Option<AppCall>,
    poll_event: Option<PollEvent>,
    /// What groupMetadata() says. It stays when the member is fenced.
    pub(crate) identity: GroupIdentity,
    /// Counts what the managers have done.
    moves: u64,
}

impl Background {
    /// Of a consumer that is constructed now.
    pub(crate) fn new(
        config: &ConsumerConfig,
        (group, member): (GroupId, MemberId),
        now_ms: i64,
    ) -> Self {
        Self {
            group,
            lookup: CoordinatorLookup::new(config),
            commits: CommitRequests::new(config, now_ms),
            committed: CommittedRequests::default(),
            heartbeats: Heartbeats::new(config, now_ms),
            membership: Membership::new(member),
            events: VecDeque::new(),
            call: None,
            poll_event: None,
            identity: GroupIdentity { group, member: None },
            moves: 0,
        }
    }
}

impl Background {
    /// The application has called subscribe(). Kafka: onSubscriptionUpdated.
    pub(crate) fn subscription_updated(&mut self) {
        self.membership.is_subscription_new = true;
    }

    /// Whether the member is in its group and has what the coordinator wants it to have.
    pub(crate) fn has_joined(&self) -> bool {
        self.membership.state == MembershipState::Stable
    }

    /// The application has called poll().
    pub(crate) fn begin_poll(&mut self, deadline_ms: i64) {
        self.call = Some(AppCall::Poll { deadline_ms, is_first: true, wait: None });
    }
}

impl Consumer {
    /// The background of a consumer that is known to have one.
    pub(crate) fn back(&mut self) -> &mut Background {
        self.background.as_mut().expect("only consumers with a background thread come here")
    }

    /// Runs both threads until they are blocked.
    pub(crate) fn run_with_background(&mut self, ctx: &mut Ctx<'_, '_>) {
        loop {
            self.run_network_thread(ctx);
            if !self.drive_app(ctx) || self.has_ended {
                return;
            }
        }
    }

    /// Kafka: ConsumerNetworkThread.runOnce, until nothing more comes of it.
    fn run_network_thread(&mut self, ctx: &mut Ctx<'_, '_>) {
        loop {
            let before = (self.network.events(), self.network.pending(), self.back().moves);
            self.poll_lookup(ctx);
            self.poll_commits(ctx);
            self.poll_committed_requests(ctx);
            self.poll_heartbeat(ctx);
            self.maybe_reconcile(ctx, false);
            self.poll_network(ctx);
            if before == (self.network.events(), self.network.pending(), self.back().moves) {
                return;
            }
        }
    }

    /// When a thread has something to do, if nothing arrives.
    pub(crate) fn background_wakes(&self, now_ms: i64, network_ms: i64) -> Option<i64> {
        let back = self.background.as_ref()?;
        let coordinator = back.lookup.node.is_some();
        let managers = [
            Some(network_ms),
            back.lookup.next_ms(now_ms),
            back.commits.next_ms(now_ms, coordinator),
            back.committed.next_ms(now_ms, coordinator),
            back.heartbeats.next_ms(&back.membership, now_ms, coordinator),
            back.call.as_ref().and_then(AppCall::wakes),
        ];
        managers.into_iter().flatten().min()
    }

    /// A request of a manager has come to its end.
    pub(crate) fn background_answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        purpose: Purpose,
        outcome: Outcome,
    ) {
        match purpose {
            Purpose::FindCoordinator => self.lookup_answered(ctx, outcome),
            Purpose::OffsetCommit(id, _) => self.commit_request_answered(ctx, id, outcome),
            Purpose::OffsetFetch(id) => self.committed_request_answered(ctx, id, outcome),
            Purpose::MemberHeartbeat { counts: true } => self.beat_answered(ctx, outcome),
            Purpose::MemberHeartbeat { counts: false } => {}
            Purpose::Fetch(leader, from) => {
                self.fetch_answered(ctx, leader, &from, outcome);
                self.wake_app();
            }
            Purpose::ListOffsets(asked) => {
                self.list_offsets_answered(ctx, &asked, outcome);
                self.reset_answered(ctx);
            }
            Purpose::EpochEnds(asked) => self.epoch_ends_answered(ctx, &asked, outcome),
            Purpose::ApiVersions
            | Purpose::Metadata(_)
            | Purpose::JoinGroup(_)
            | Purpose::SyncGroup(_)
            | Purpose::Heartbeat(_)
            | Purpose::LeaveGroup => {}
        }
    }
}
