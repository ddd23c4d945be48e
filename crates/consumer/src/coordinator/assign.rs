//! The group's leader shares out the partitions. Kafka: ConsumerCoordinator.onLeaderElected.

use crate::assignor::{self, Member};
use crate::consumer::Consumer;
use crate::coordinator::join::Join;
use crate::env::Ctx;
use crate::subscription::TopicList;
use inflight_protocol::message::{JoinGroupResponse, RebalanceProtocol};
use inflight_protocol::transaction::GroupMember;

impl Consumer {
    /// This member leads. It needs metadata of all topics of the group, which may be under way.
    /// Kafka: updateGroupSubscription, ensureFreshMetadata.
    pub(crate) fn lead(&mut self, ctx: &mut Ctx<'_, '_>, response: Box<JoinGroupResponse>) {
        let topics = response.members.iter().flat_map(|member| member.topics.iter().copied());
        let topics: TopicList = topics.collect();
        if self.subscriptions.group_subscribe(topics) {
            self.metadata.request_update_for_new_topics();
        }
        let is_fresh = !self.metadata.is_update_requested()
            && self.metadata.time_to_next_update(ctx.now_ms) > 0;
        if is_fresh {
            self.share_out(ctx, &response);
            return;
        }
        let version = self.metadata.request_update();
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.join = Join::Metadata(response, version);
        }
    }

    /// Goes on once the metadata is there.
    pub(crate) fn lead_with_metadata(&mut self, ctx: &mut Ctx<'_, '_>) {
        let version = self.metadata.update_version();
        let Some(coordinator) = &mut self.coordinator else { return };
        match &coordinator.join {
            Join::Metadata(_, asked) if version > *asked => {}
            Join::Metadata(..) | Join::None | Join::Joining | Join::Syncing | Join::Over(_) => {
                return;
            }
        }
        if let Join::Metadata(response, _) = std::mem::replace(&mut coordinator.join, Join::None) {
            self.share_out(ctx, &response);
        }
    }

    fn share_out(&mut self, ctx: &mut Ctx<'_, '_>, response: &JoinGroupResponse) {
        let known = self.known_topics();
        let members: Vec<Member<'_>> = response.members.iter().map(Member::of).collect();
        let names = ctx.env.topics;
        let Some(coordinator) = &mut self.coordinator else { return };
        let assigned = match coordinator.protocol {
            RebalanceProtocol::Eager => assignor::range::assign(&members, &known, names),
            RebalanceProtocol::Cooperative => assignor::sticky::assign(&members, &known, names),
        };
        coordinator.is_leader = true;
        coordinator.assignment_snapshot = Some(known);
        let assignments = members
            .iter()
            .zip(assigned)
            .map(|(member, assignment)| GroupMember { member: member.id, assignment })
            .collect();
        self.sync(ctx, assignments);
    }
}
