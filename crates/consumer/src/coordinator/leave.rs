//! Leaving the group. Kafka: AbstractCoordinator.maybeLeaveGroup, ConsumerCoordinator.onLeavePrepare.

use crate::consumer::Consumer;
use crate::coordinator::generation::{MemberState, ResetMember};
use crate::env::Ctx;
use crate::request::Purpose;
use inflight_protocol::message::Request;

impl Consumer {
    /// Says goodbye, if there is anybody to say it to, and forgets the membership.
    /// Kafka: maybeLeaveGroup, handlePollTimeoutExpiry.
    pub(crate) fn leave_group(&mut self, ctx: &mut Ctx<'_, '_>) {
        let node = self.coordinator_node(ctx);
        let Some(coordinator) = &mut self.coordinator else { return };
        let is_joined = coordinator.state != MemberState::Unjoined;
        if let Some(node) = node.filter(|_| is_joined && coordinator.generation.member.is_some()) {
            let mut identity = coordinator.identity_of(coordinator.generation);
            // A member that has not joined yet leaves by its name alone.
            let member = coordinator.generation.member;
            identity.member = member.map(|id| (id, coordinator.generation.id.unwrap_or_default()));
            let peer = self.network.coordinator(node);
            let request = Request::LeaveGroup(identity);
            let timeout_ms = ctx.env.config.request_timeout_ms;
            self.network.send(ctx, peer, request, Purpose::LeaveGroup, timeout_ms);
            self.poll_network(ctx);
        }
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.reset_and_rejoin(ResetMember::Forget);
        }
    }
}
