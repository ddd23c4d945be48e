//! Answers, and errors as each request has them.

use crate::broker::Broker;
use crate::broker::settings::InjectWhen;
use crate::group::NOBODY;
use inflight_protocol::message::{
    ConsumerGroupHeartbeatResponse, JoinGroupResponse, OffsetCommitRequest, OffsetCommitResponse,
    OffsetFetchResponse, SyncGroupResponse, TxnOffsetCommitRequest,
};
use inflight_protocol::transaction::{CommittedOffset, MemberId};
use inflight_protocol::{ErrorCode, Fact, FactKind, Request, Response, Turn};
use smallvec::SmallVec;

impl Broker {
    /// Answers a request, unless an error was injected.
    pub(super) fn answer_group(&mut self, turn: &mut Turn<'_>, slot: u32, response: Response) {
        if slot == NOBODY {
            return;
        }
        let late = self.injected(slot, None, InjectWhen::AfterAppend);
        let error = late.and_then(|error| refusal(&self.sockets[slot].request, error));
        self.respond(turn, slot, error.unwrap_or(response));
    }

    /// Answers a heartbeat of the consumer protocol, or a commit, with an error of the group's.
    pub(super) fn reject_member(&mut self, turn: &mut Turn<'_>, slot: u32, error: ErrorCode) {
        let request = &self.sockets[slot].request;
        let (api, broker) = (request.api(), self.id);
        let member = match request {
            Request::ConsumerGroupHeartbeat(request) => {
                Some((request.group, request.member, request.epoch))
            }
            Request::OffsetCommit(OffsetCommitRequest { identity, .. })
            | Request::TxnOffsetCommit(TxnOffsetCommitRequest { identity, .. }) => {
                let member = identity.member;
                member.map(|(member, epoch)| (identity.group, member, Some(epoch)))
            }
            _ => None,
        };
        if let Some((group, MemberId { client, .. }, epoch)) = member {
            turn.did(FactKind::GroupRequestRejected.set(), || Fact::GroupRequestRejected {
                broker,
                group,
                client,
                api,
                epoch,
                error,
            });
        }
        self.refuse_group_request(turn, slot, error);
    }

    /// Answers a request with an error.
    pub(super) fn refuse_group_request(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        error: ErrorCode,
    ) {
        if let Some(response) = refusal(&self.sockets[slot].request, error) {
            self.answer_group(turn, slot, response);
        }
    }
}

/// The response that says that a request has failed.
fn refusal(request: &Request, error: ErrorCode) -> Option<Response> {
    Some(match request {
        Request::JoinGroup(request) => Response::JoinGroup(Box::new(JoinGroupResponse {
            error: Some(error),
            generation: 0,
            member: request.member,
            leader: None,
            members: Vec::new(),
        })),
        Request::SyncGroup(_) => {
            let assignment = SmallVec::new();
            Response::SyncGroup(SyncGroupResponse { error: Some(error), assignment })
        }
        Request::Heartbeat(_) => Response::Heartbeat(Some(error)),
        Request::LeaveGroup(_) => Response::LeaveGroup(Some(error)),
        Request::OffsetCommit(request) => Response::OffsetCommit(all(&request.offsets, error)),
        Request::TxnOffsetCommit(request) => {
            Response::TxnOffsetCommit(all(&request.offsets, error))
        }
        Request::OffsetFetch(_) => {
            let partitions = SmallVec::new();
            Response::OffsetFetch(OffsetFetchResponse { error: Some(error), partitions })
        }
        Request::ConsumerGroupHeartbeat(request) => {
            Response::ConsumerGroupHeartbeat(Box::new(ConsumerGroupHeartbeatResponse {
                error: Some(error),
                epoch: request.epoch,
                heartbeat_interval_ms: 0,
                assignment: None,
            }))
        }
        _ => return None,
    })
}

fn all(offsets: &[CommittedOffset], error: ErrorCode) -> OffsetCommitResponse {
    let partitions = offsets.iter().map(|offset| (offset.partition, Some(error)));
    OffsetCommitResponse { partitions: partitions.collect() }
}
