//! What faults set on a broker from outside.

use crate::broker::Broker;
use inflight_des::Span;
use inflight_protocol::{ConnectionId, CorrelationId, ErrorCode, TopicPartition};

/// When an injected error takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InjectWhen {
    /// Instead of the append: nothing is written.
    BeforeAppend,
    /// After the append, in the answer alone.
    AfterAppend,
}

/// An error that the execution of a request is to answer with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Injection {
    connection: ConnectionId,
    correlation: CorrelationId,
    partition: Option<TopicPartition>,
    error: ErrorCode,
    when: InjectWhen,
}

impl Broker {
    /// Adds `by` to every append of a batch, as leader and as follower, from now on.
    pub fn set_disk_delay(&mut self, by: Span) {
        self.disk_delay = by;
    }

    /// The next execution of this request answers with `error`, for one of its partitions or for
    /// all.
    pub fn inject(
        &mut self,
        (connection, correlation): (ConnectionId, CorrelationId),
        partition: Option<TopicPartition>,
        error: ErrorCode,
        when: InjectWhen,
    ) {
        let injection = Injection { connection, correlation, partition, error, when };
        self.injections.push(injection);
    }

    /// The error that was injected here for a partition, or for the request as a whole.
    #[inline]
    pub(super) fn injected(
        &self,
        slot: u32,
        partition: Option<TopicPartition>,
        when: InjectWhen,
    ) -> Option<ErrorCode> {
        if self.injections.is_empty() {
            return None;
        }
        let connection = &self.sockets[slot];
        self.injections
            .iter()
            .find(|injection| {
                injection.connection == connection.id
                    && injection.correlation == connection.correlation
                    && injection.when == when
                    && (injection.partition.is_none() || injection.partition == partition)
            })
            .map(|injection| injection.error)
    }

    /// A request was executed: its injected errors are used up.
    #[inline]
    pub(super) fn use_up_injections(&mut self, slot: u32) {
        if self.injections.is_empty() {
            return;
        }
        let connection = &self.sockets[slot];
        let (id, correlation) = (connection.id, connection.correlation);
        self.injections
            .retain(|injection| (injection.connection, injection.correlation) != (id, correlation));
    }
}
