//! What time does to a group. Kafka: the timers of GroupMetadataManager.

use crate::group::classic::{ClassicGroup, GroupState, JoinTimer, Member};
use crate::group::{Action, Rules};
use inflight_protocol::fact::LeaveCause;

impl Member {
    /// Whether a waiting request stands for heartbeats. Kafka: hasSatisfiedHeartbeat.
    const fn is_excused(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }
}

impl ClassicGroup {
    /// When time has something to do next, in milliseconds of the clock.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        let sessions = self.members.iter().filter(|m| !m.is_excused()).map(|m| m.expires_ms);
        let names = self.pending_join.iter().map(|(_, until_ms)| *until_ms);
        let join = self.join_timer.map(|(at_ms, _)| at_ms);
        let sync = self.sync_timer_ms.filter(|_| !self.pending_sync.is_empty());
        sessions.chain(names).chain(join).chain(sync).min()
    }

    /// Does what is due first. Returns whether there was anything.
    pub(super) fn expire(&mut self, now_ms: i64, rules: Rules, out: &mut Vec<Action>) -> bool {
        if let Some((_, timer)) = self.join_timer.filter(|(at_ms, _)| *at_ms <= now_ms) {
            self.join_timer = None;
            self.join_time_over(timer, now_ms, rules, out);
            return true;
        }
        if self.sync_timer_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.sync_timer_ms = None;
            if !self.pending_sync.is_empty() {
                self.sync_time_over(now_ms, rules, out);
                return true;
            }
        }
        let over = self.pending_join.iter().find(|(_, until_ms)| *until_ms <= now_ms);
        if let Some((id, _)) = over.copied() {
            self.remove(id);
            if self.state == GroupState::PreparingRebalance && self.have_all_joined() {
                self.complete_join(now_ms, out);
            }
            return true;
        }
        let dead = |member: &&Member| member.expires_ms <= now_ms && !member.is_excused();
        let Some(id) = self.members.iter().find(dead).map(Member::id) else { return false };
        self.take_out(id, LeaveCause::SessionTimeout, out);
        match self.state {
            GroupState::Stable | GroupState::CompletingRebalance => {
                self.prepare_or_complete(now_ms, rules, out);
            }
            GroupState::PreparingRebalance if self.have_all_joined() => {
                self.complete_join(now_ms, out);
            }
            GroupState::PreparingRebalance | GroupState::Empty => {}
        }
        true
    }

    /// Kafka: tryCompleteInitialRebalanceElseSchedule, completeClassicGroupJoin.
    fn join_time_over(
        &mut self,
        timer: JoinTimer,
        now_ms: i64,
        rules: Rules,
        out: &mut Vec<Action>,
    ) {
        match timer {
            JoinTimer::Initial { delay_ms, remaining_ms }
                if self.has_newcomer && remaining_ms != 0 =>
            {
                self.has_newcomer = false;
                let next_ms = rules.initial_delay_ms.min(remaining_ms);
                let left_ms = (remaining_ms - delay_ms).max(0);
                let timer = JoinTimer::Initial { delay_ms: next_ms, remaining_ms: left_ms };
                self.join_timer = Some((now_ms + next_ms, timer));
            }
            JoinTimer::Initial { .. } | JoinTimer::Rebalance => self.complete_join(now_ms, out),
        }
    }

    /// Members that have not sent SyncGroup are out. Kafka: expirePendingSync.
    fn sync_time_over(&mut self, now_ms: i64, rules: Rules, out: &mut Vec<Action>) {
        if !matches!(self.state, GroupState::CompletingRebalance | GroupState::Stable) {
            return;
        }
        for id in std::mem::take(&mut self.pending_sync) {
            self.remove(id);
            out.push(Action::Removed(self.id, id, LeaveCause::RebalanceTimeout));
        }
        self.prepare_rebalance(now_ms, rules, out);
    }
}
