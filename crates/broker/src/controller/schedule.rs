//! The controller's periodic tasks. Kafka: metadata/controller/PeriodicTaskControlManager.
//!
//! A task that would find nothing is not run. Where a task falls within its period is drawn when
//! it first matters.

use crate::controller::Controller;
use crate::controller::heartbeat::session_timeout;
use inflight_des::{Chance, Instant, Span, StreamId};
use inflight_protocol::{Cluster, Turn};

/// After a pass that has fenced a broker the next one comes this soon.
/// Kafka: PeriodicTask.DEFAULT_IMMEDIATE_PERIOD_NS.
const IMMEDIATE_PERIOD: Span = Span::from_millis(10);
/// How many passes over the sessions there are in a session timeout.
/// Kafka: QuorumController.registerMaybeFenceStaleBroker.
const PASSES_PER_SESSION: u64 = 8;
/// How often partitions without a leader are looked at.
/// Kafka: QuorumController.Builder.uncleanLeaderElectionCheckIntervalMs.
const UNCLEAN_CHECK_INTERVAL: Span = Span::from_secs(300);

/// When the controller wants to be woken, and where its tasks fall in their periods.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    fence: Task,
    balance: Task,
    unclean: Task,
}

/// A periodic task.
#[derive(Clone, Copy, Debug)]
struct Task {
    stream: StreamId,
    /// A run of the task; all others are whole periods away from it.
    anchor: Option<Instant>,
    /// The next run that may find something.
    next: Instant,
}

impl Task {
    fn new(chance: &mut Chance, label: &str) -> Self {
        Self { stream: chance.stream(label), anchor: None, next: Instant::NEVER }
    }

    /// The first run at or after `at`.
    fn first_at(&mut self, turn: &mut Turn<'_>, period: Span, at: Instant) -> Instant {
        let nanos = period.as_nanos().max(1);
        let stream = self.stream;
        let anchor = *self.anchor.get_or_insert_with(|| {
            Instant::START + Span::from_nanos(turn.chance().pick(stream, nanos))
        });
        anchor + Span::from_nanos(nanos).times(at.since(anchor).as_nanos().div_ceil(nanos))
    }
}

impl Schedule {
    /// Names the streams of the tasks.
    pub(super) fn new(chance: &mut Chance) -> Self {
        Self {
            fence: Task::new(chance, "controller fencing phase"),
            balance: Task::new(chance, "controller balancing phase"),
            unclean: Task::new(chance, "controller unclean election phase"),
        }
    }
}

impl Controller {
    /// When [`Controller::handle_timeout`] is to be called. It may be called early and does
    /// nothing then.
    #[inline]
    pub fn next_timeout(&self) -> Option<Instant> {
        let Schedule { fence, balance, unclean } = &self.schedule;
        let next = fence.next.min(balance.next).min(unclean.next);
        (next != Instant::NEVER).then_some(next)
    }

    /// Time has come for something, or the driver woke the controller for nothing.
    pub fn handle_timeout(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        if self.schedule.fence.next <= now {
            self.check_sessions(cluster, turn);
        }
        if self.schedule.balance.next <= now {
            self.schedule.balance.next = Instant::NEVER;
            self.balance_leaders(cluster, turn);
            self.watch_leaders(cluster, turn);
        }
        if self.schedule.unclean.next <= now {
            self.schedule.unclean.next = Instant::NEVER;
            self.elect_unclean_leaders(cluster, turn);
            self.watch_leaders(cluster, turn);
        }
    }

    /// Sees to it that the session that ends first is looked at when it does. Sessions only get
    /// longer, so this needs to be done when one begins, not with every heartbeat.
    pub(super) fn watch_sessions(&mut self, cluster: &Cluster) {
        let contacts = self.brokers.iter().filter_map(|control| control.contact).min();
        let over = session_timeout(cluster) + Span::from_nanos(1);
        self.schedule.fence.next = contacts.map_or(Instant::NEVER, |first| first + over);
    }

    /// A pass over the sessions: one broker is fenced, and if one was, the next pass comes soon.
    /// Kafka: ReplicationControlManager.maybeFenceOneStaleBroker.
    fn check_sessions(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        let Some(broker) = self.expired_session(cluster, now) else {
            self.watch_sessions(cluster);
            return;
        };
        let period = session_timeout(cluster).as_nanos() / PASSES_PER_SESSION;
        let tick = self.schedule.fence.first_at(turn, Span::from_nanos(period), now);
        if tick > now {
            self.schedule.fence.next = tick;
            return;
        }
        self.brokers[broker.index()].contact = None;
        self.fence(cluster, turn, broker);
        self.brokers[broker.index()].shutdown_version = None;
        let next = now + IMMEDIATE_PERIOD;
        self.schedule.fence.anchor = Some(next);
        self.schedule.fence.next = next;
    }

    /// Partitions changed: perhaps a periodic election has something to do now.
    pub(super) fn watch_leaders(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let soon = turn.now() + Span::from_nanos(1);
        let settings = &cluster.broker_configs[0];
        let any = |condition: &dyn Fn(inflight_protocol::TopicPartition) -> bool| {
            cluster.topics.all_partitions().any(condition)
        };
        let is_imbalanced =
            settings.auto_leader_rebalance_enable && any(&|id| self.is_imbalanced(cluster, id));
        let awaits_unclean = any(&|id| self.awaits_unclean_leader(cluster, id));
        if is_imbalanced && self.schedule.balance.next == Instant::NEVER {
            let period = settings.leader_imbalance_check_interval;
            self.schedule.balance.next = self.schedule.balance.first_at(turn, period, soon);
        }
        if awaits_unclean && self.schedule.unclean.next == Instant::NEVER {
            let period = UNCLEAN_CHECK_INTERVAL;
            self.schedule.unclean.next = self.schedule.unclean.first_at(turn, period, soon);
        }
    }
}
