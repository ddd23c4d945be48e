//! What the applications of one group owe to the records of one partition.

use super::{Places, Readers};
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
    /// The records that had an effect outside of Kafka.
    pub(crate) processed: Places,
    /// The records that had one more than once.
    pub(crate) again: Vec<Given>,
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
    pub(crate) given: Given,
    pub(crate) session: SessionId,
    /// The application's number of the first message.
    pub(crate) message: u64,
    /// The transaction of the session that was open.
    pub(crate) transaction: Option<u32>,
}

/// Records of one session at consecutive offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// Whose they are. `None` if nobody saw which records were given.
    pub(crate) session: Option<SessionId>,
    /// The ordinal of the first.
    pub(crate) first: u64,
    pub(crate) offsets: Run,
}

impl Given {
    /// Whether both are of one session, and would be the same records at the same offsets.
    const fn fits(&self, other: &Self) -> bool {
        let ahead = self.offsets.start.wrapping_sub(self.first);
        let sessions = match (self.session, other.session) {
            (Some(one), Some(other)) => one.get() == other.get(),
            (None, None) => true,
            _ => false,
        };
        sessions && ahead == other.offsets.start.wrapping_sub(other.first)
    }

    /// The offsets at which a list has the same records.
    pub(crate) fn known(&self, list: &[Self]) -> Runs {
        let mut known = Runs::new();
        for other in list.iter().filter(|other| other.fits(self)) {
            known.insert(other.offsets.meet(self.offsets));
        }
        known
    }

    /// A part of them.
    pub(crate) const fn part(&self, offsets: Run) -> Self {
        let ahead = offsets.start.saturating_sub(self.offsets.start);
        Self { first: self.first.saturating_add(ahead), offsets, ..*self }
    }
}

impl Duty {
    const fn new(scope: Scope, partition: TopicPartition) -> Self {
        Self {
            scope,
            partition,
            start: None,
            committed: 0,
            processed: Places::new(),
            again: Vec::new(),
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

    /// Records were processed. As many as the application left out had no effect: it knew them.
    pub(super) fn processed(&mut self, given: Given, left_out: &mut u64) {
        let before = self.processed.known(&given);
        let spared = before.len().min(*left_out);
        *left_out -= spared;
        if before.len() > spared {
            self.repeated += before.len() - spared;
            let noted = given.known(&self.again);
            self.again.extend(before.without(&noted).map(|offsets| given.part(offsets)));
        }
        self.processed.insert(given);
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
