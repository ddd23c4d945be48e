//! What consumers and their applications do.

use super::Script;
use super::transactions::MARKER;
use inflight_protocol::Fact;
use inflight_protocol::fact::{CommitMode, PositionSource, RevokeCause, SendError, StopCause};
use inflight_protocol::ids::*;
use inflight_protocol::message::IsolationLevel;
use inflight_trace::{CommitStyle, ConsumerDescription};

impl Script {
    /// Both clients have a consumer of the group `g` whose application commits in this way.
    pub(crate) fn reading(mut self, commits: CommitStyle) -> Self {
        self.description.groups = vec!["g".to_owned()];
        for client in &mut self.description.clients {
            client.consumer = Some(ConsumerDescription {
                group: Some("g".to_owned()),
                isolation: IsolationLevel::ReadCommitted,
                commits,
                ..Default::default()
            });
        }
        self
    }

    /// Changes what is said of both consumers.
    pub(crate) fn readers(mut self, change: impl Fn(&mut ConsumerDescription)) -> Self {
        let consumers = self.description.clients.iter_mut().filter_map(|c| c.consumer.as_mut());
        consumers.for_each(change);
        self
    }

    /// A client starts a consumer of the group.
    pub(crate) fn consumer(self, consumer: u16, client: u16, isolation: IsolationLevel) -> Self {
        let (client, consumer) = (ClientId::new(client), ConsumerId::new(consumer));
        let group = Some(GroupId::new(0));
        self.fact(Fact::ConsumerStarted { client, consumer, group, isolation })
    }

    pub(crate) fn stop_consumer(self, consumer: u16, client: u16) -> Self {
        let (client, consumer) = (ClientId::new(client), ConsumerId::new(consumer));
        self.fact(Fact::ConsumerStopped { client, consumer, how: StopCause::Crashed })
    }

    pub(crate) fn assign(self, consumer: u16, generation: u32) -> Self {
        let (consumer, partition) = (ConsumerId::new(consumer), self.at());
        self.fact(Fact::PartitionAssigned { consumer, partition, generation })
    }

    pub(crate) fn revoke(self, consumer: u16) -> Self {
        let (consumer, partition) = (ConsumerId::new(consumer), self.at());
        self.fact(Fact::PartitionRevoked { consumer, partition, why: RevokeCause::Revoked })
    }

    pub(crate) fn place(self, consumer: u16, offset: u64, source: PositionSource) -> Self {
        let (consumer, partition) = (ConsumerId::new(consumer), self.at());
        self.fact(Fact::PositionSet { consumer, partition, offset: Offset::new(offset), source })
    }

    /// A consumer of a group is given the partition and reads it from its beginning.
    pub(crate) fn join(self, consumer: u16, client: u16, generation: u32) -> Self {
        self.consumer(consumer, client, IsolationLevel::ReadCommitted)
            .assign(consumer, generation)
            .place(consumer, 0, PositionSource::Earliest)
    }

    /// poll() returns what broker 1 has at some offsets, without markers.
    pub(crate) fn poll(mut self, consumer: u16, offset: u64, count: u64) -> Self {
        for at in offset..offset + count {
            let (session, first, ..) = self.replica(1)[at as usize];
            if session != MARKER {
                self = self.give(consumer, at, session, first);
            }
        }
        self
    }

    /// poll() returns one record.
    pub(crate) fn give(self, consumer: u16, offset: u64, session: u16, first: u64) -> Self {
        let partition = self.at();
        self.fact(Fact::RecordsReturned {
            consumer: ConsumerId::new(consumer),
            partition,
            base_offset: Offset::new(offset),
            count: 1,
            session: SessionId::new(session),
            first,
        })
    }

    pub(crate) fn process(self, consumer: u16, offset: u64, count: u32) -> Self {
        self.process_known(consumer, offset, count, 0)
    }

    /// Records are processed, and some of them have no effect because they are known.
    pub(crate) fn process_known(self, consumer: u16, offset: u64, count: u32, known: u32) -> Self {
        let (consumer, partition) = (ConsumerId::new(consumer), self.at());
        let base_offset = Offset::new(offset);
        self.fact(Fact::RecordsProcessed { consumer, partition, base_offset, count, known })
    }

    /// Records become the next messages of a session's client.
    pub(crate) fn transform(self, consumer: u16, offset: u64, count: u32, session: u16) -> Self {
        let partition = self.at();
        let message = self.messages[usize::from(self.clients[usize::from(session)])];
        self.fact(Fact::RecordsTransformed {
            consumer: ConsumerId::new(consumer),
            partition,
            base_offset: Offset::new(offset),
            count,
            session: SessionId::new(session),
            message,
        })
    }

    /// A commit succeeds, or fails.
    pub(crate) fn commit_offset(
        self,
        consumer: u16,
        offset: u64,
        error: Option<SendError>,
    ) -> Self {
        let (consumer, partition) = (ConsumerId::new(consumer), self.at());
        let (offset, mode) = (Offset::new(offset), CommitMode::Sync);
        self.fact(Fact::OffsetCommitRequested { consumer, partition, offset, mode })
            .fact(Fact::OffsetCommitReturned { consumer, partition, offset, mode, error })
    }
}
