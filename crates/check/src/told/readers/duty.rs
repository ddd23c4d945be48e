//! What the applications of one group owe to the records of one partition.

use super::Readers;
use crate::runs::{Run, Runs};
use inflight_protocol::fact::PositionSource;
use inflight_protocol::ids::{ClientId, ConsumerId, GroupId, SessionId, TopicPartition};

/// Whose work it is: a group's, or that of a client whose consumer has no group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All members of a group together.
    Group(GroupId),
    /// One client alone.
    Client(ClientId),
    /// A consumer whose start nobody saw.
    Stranger(ConsumerId),
}

/// The work on one partition. Everything is in offsets.
#[derive(Debug)]
pub(crate) struct Duty {
    pub(crate) scope: Scope,
    pub(crate) partition: TopicPartition,
    /// Where the work began.
    pub(crate) start: Option<u64>,
    /// Up to here it is done, as the group has committed at some time and some member was told.
    pub(crate) committed: u64,
    /// What had an effect outside of Kafka.
    pub(crate) processed: Runs,
    /// What had one more than once.
    pub(crate) again: Runs,
    /// How many effects there were.
    pub(crate) effects: u64,
    /// How many of them were one too many.
    pub(crate) repeated: u64,
    /// What was made into messages.
    pub(crate) transformed: Vec<Transformed>,
    /// Whether a commit failed, as far as the application was told.
    pub(crate) commit_failed: bool,
    /// Whether auto.offset.reset=latest took it to the end after it had begun.
    pub(crate) was_reset: bool,
    /// Whether the application skipped something by seek().
    pub(crate) was_skipped: bool,
}

inflight_des::clone_fields!(Duty {
    scope,
    partition,
    start,
    committed,
    processed,
    again,
    effects,
    repeated,
    transformed,
    commit_failed,
    was_reset,
    was_skipped
});

/// Records that became messages, one of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transformed {
    /// The offsets.
    pub(crate) run: Run,
    pub(crate) session: SessionId,
    /// The application's number of the first message.
    pub(crate) message: u64,
    /// The transaction of the session that was open.
    pub(crate) transaction: Option<u32>,
}

impl Duty {
    const fn new(scope: Scope, partition: TopicPartition) -> Self {
        Self {
            scope,
            partition,
            start: None,
            committed: 0,
            processed: Runs::new(),
            again: Runs::new(),
            effects: 0,
            repeated: 0,
            transformed: Vec::new(),
            commit_failed: false,
            was_reset: false,
            was_skipped: false,
        }
    }

    /// A consumer reads on from an offset.
    pub(super) fn placed(&mut self, offset: u64, source: PositionSource) {
        let begun = self.start.is_some();
        let start = self.start.get_or_insert(offset);
        match source {
            PositionSource::Committed => self.committed = self.committed.max(offset),
            PositionSource::Earliest => *start = offset.min(*start),
            PositionSource::Latest => self.was_reset |= begun,
            PositionSource::Seek | PositionSource::Truncation => {}
        }
    }

    /// Records were processed; some of them had no effect, because the application knew them.
    pub(super) fn processed(&mut self, run: Run, known: u64) {
        let before = self.processed.overlap(run);
        let effects = run.len().saturating_sub(known);
        self.effects += effects;
        let repeated = before.saturating_sub(known);
        if repeated > 0 {
            self.repeated += repeated;
            let again: Vec<Run> = self.processed.common_runs(run).collect();
            for run in again {
                self.again.insert(run);
            }
        }
        self.processed.insert(run);
    }
}

impl Readers {
    /// Whose work the records are that a consumer is given.
    pub(crate) fn scope(&self, consumer: ConsumerId) -> Scope {
        match self.consumer(consumer) {
            None => Scope::Stranger(consumer),
            Some(known) => known.group.map_or(Scope::Client(known.client), Scope::Group),
        }
    }

    /// The work on a partition that a consumer takes part in.
    pub(super) fn duty(&mut self, consumer: ConsumerId, partition: TopicPartition) -> &mut Duty {
        let scope = self.scope(consumer);
        let ours = |duty: &Duty| (duty.scope, duty.partition) == (scope, partition);
        let at = self.duties.iter().rposition(ours).unwrap_or_else(|| {
            self.duties.push(Duty::new(scope, partition));
            self.duties.len() - 1
        });
        &mut self.duties[at]
    }
}
