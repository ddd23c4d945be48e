//! Requests of members. Kafka: GroupCoordinatorService.joinGroup, syncGroup, heartbeat, leaveGroup.

use super::Reply;
use crate::broker::Broker;
use crate::broker::settings::InjectWhen;
use crate::broker::sockets::Stage;
use crate::group::Rules;
use crate::group::consumer::check_request;
use inflight_protocol::message::{
    ConsumerGroupHeartbeatRequest, OffsetFetchRequest, OffsetFetchResponse,
};
use inflight_protocol::transaction::CoordinatorKey;
use inflight_protocol::{
    Cluster, ErrorCode, GroupId, Node, Request, Response, TopicPartition, Turn,
};

impl Broker {
    /// Executes a request that a group coordinator answers.
    #[inline(never)]
    pub(in crate::broker) fn execute_group_request(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
    ) {
        if let Some(error) = self.injected(slot, None, InjectWhen::BeforeAppend) {
            return self.refuse_group_request(turn, slot, error);
        }
        let request = self.sockets[slot].request.clone();
        let Some(group) = group_of(&request) else { return };
        let partition = cluster.coordinated.partition(CoordinatorKey::Group(group));
        let config = cluster.broker(self.id);
        let legal = config.group_min_session_timeout_ms..=config.group_max_session_timeout_ms;
        if let Request::JoinGroup(request) = &request
            && !legal.contains(&request.session_timeout_ms)
        {
            return self.refuse_group_request(turn, slot, ErrorCode::InvalidSessionTimeout);
        }
        if let Request::ConsumerGroupHeartbeat(request) = &request
            && let Err(error) = check_request(request, Rules::of(config))
        {
            return self.reject_member(turn, slot, error);
        }
        if let Err(error) = self.groups.active(partition) {
            let is_alive = matches!(request, Request::Heartbeat(_));
            if is_alive && error == ErrorCode::CoordinatorLoadInProgress {
                // The member cannot be known yet: it is left in peace.
                return self.answer_group(turn, slot, Response::Heartbeat(None));
            }
            return self.refuse_group_request(turn, slot, error);
        }
        self.sockets[slot].stage = Stage::Delayed;
        match request {
            Request::JoinGroup(_)
            | Request::SyncGroup(_)
            | Request::Heartbeat(_)
            | Request::LeaveGroup(_) => {
                self.handle_member(cluster, turn, slot, partition, &request);
            }
            Request::ConsumerGroupHeartbeat(request) => {
                self.handle_consumer_heartbeat(cluster, turn, (slot, partition), &request);
            }
            Request::OffsetCommit(request) => {
                self.handle_offset_commit(turn, (slot, partition), &request);
            }
            Request::OffsetFetch(request) => {
                self.handle_offset_fetch(cluster, turn, (slot, partition), &request);
            }
            Request::TxnOffsetCommit(request) => {
                self.handle_txn_offset_commit(cluster, turn, (slot, partition), &request);
            }
            _ => debug_assert!(false, "no group coordinator answers this"),
        }
    }

    fn handle_member(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        partition: TopicPartition,
        request: &Request,
    ) {
        let clock = self.group_clock(cluster, turn);
        let Node::Client(client) = self.sockets[slot].id.owner else { return };
        let connection = &self.sockets[slot];
        let otherwise = Reply::Otherwise(slot, connection.id, connection.correlation);
        let Ok(context) = self.groups.active(partition) else { return };
        let (shard, mut actions) = (&mut context.shard, Vec::new());
        let reply = match request {
            Request::JoinGroup(request) => {
                shard.join(request, (slot, client), clock, &mut actions);
                otherwise
            }
            Request::SyncGroup(request) => {
                shard.sync(request, slot, &mut actions);
                otherwise
            }
            Request::Heartbeat(identity) => match shard.heartbeat(*identity, clock.0) {
                Ok(error) => Reply::Respond(slot, Box::new(Response::Heartbeat(error))),
                Err(error) => return self.refuse_group_request(turn, slot, error),
            },
            Request::LeaveGroup(identity) => match shard.leave(*identity, clock, &mut actions) {
                Ok(error) => Reply::Respond(slot, Box::new(Response::LeaveGroup(error))),
                Err(error) => return self.refuse_group_request(turn, slot, error),
            },
            _ => Reply::Nothing,
        };
        self.carry_out(cluster, turn, partition, actions, reply);
    }

    /// A member of the consumer protocol joins, lives or leaves.
    /// Kafka: GroupCoordinatorService.consumerGroupHeartbeat.
    fn handle_consumer_heartbeat(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (slot, partition): (u32, TopicPartition),
        request: &ConsumerGroupHeartbeatRequest,
    ) {
        let clock = self.group_clock(cluster, turn);
        let Ok(context) = self.groups.active(partition) else { return };
        let mut actions = Vec::new();
        let names = &cluster.topics;
        match context.shard.consumer_heartbeat(request, clock, names, &mut actions) {
            Err(error) => self.reject_member(turn, slot, error),
            Ok(response) => {
                let response = Response::ConsumerGroupHeartbeat(Box::new(response));
                let reply = Reply::Respond(slot, Box::new(response));
                self.carry_out(cluster, turn, partition, actions, reply);
            }
        }
    }

    /// The offsets that there are, and those of transactions count as unstable: written first, so
    /// that nothing is told that may still be lost. Kafka: fetchOffsets with requireStable.
    fn handle_offset_fetch(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (slot, partition): (u32, TopicPartition),
        request: &OffsetFetchRequest,
    ) {
        let group = request.identity.group;
        let checked = self
            .groups
            .active(partition)
            .and_then(|context| context.shard.check_fetch(request.identity));
        if let Err(error) = checked {
            return self.refuse_group_request(turn, slot, error);
        }
        let asked = request.partitions.iter();
        let found = asked.map(|id| (*id, self.groups.fetch(partition, group, *id)));
        let response = OffsetFetchResponse { error: None, partitions: found.collect() };
        let reply = Reply::Respond(slot, Box::new(Response::OffsetFetch(response)));
        self.carry_out(cluster, turn, partition, Vec::new(), reply);
    }
}

/// The group that a request is about.
fn group_of(request: &Request) -> Option<GroupId> {
    Some(match request {
        Request::JoinGroup(request) => request.group,
        Request::SyncGroup(request) => request.identity.group,
        Request::Heartbeat(identity) | Request::LeaveGroup(identity) => identity.group,
        Request::ConsumerGroupHeartbeat(request) => request.group,
        Request::OffsetCommit(request) => request.identity.group,
        Request::OffsetFetch(request) => request.identity.group,
        Request::TxnOffsetCommit(request) => request.identity.group,
        _ => return None,
    })
}
