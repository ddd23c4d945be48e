//! What the application's code gets to know.

use inflight_protocol::fact::{RevokeCause, SendError};
use inflight_protocol::{Offset, RecordRun, TopicPartition};

/// Something that the application's code gets to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// poll() returns these records, among others.
    Records {
        /// The partition.
        partition: TopicPartition,
        /// The offset of the first.
        base_offset: Offset,
        /// Which records they are.
        run: RecordRun,
    },
    /// onPartitionsAssigned() is called with this partition.
    Assigned {
        /// The partition.
        partition: TopicPartition,
    },
    /// onPartitionsRevoked() or onPartitionsLost() is called with this partition.
    Revoked {
        /// The partition.
        partition: TopicPartition,
        /// Which of the two, and why.
        why: RevokeCause,
    },
    /// poll() returned, with so many records.
    Polled {
        /// How many.
        records: u32,
    },
    /// poll() threw an exception.
    PollFailed {
        /// Which.
        error: SendError,
    },
    /// commitSync() returned, or threw an exception.
    CommittedSync {
        /// Why it failed, if it did.
        error: Option<SendError>,
    },
    /// The callback of a commitAsync() was called.
    CommittedAsync {
        /// The number that [`crate::Consumer::commit_async`] returned.
        commit: u32,
        /// Why it failed, if it did.
        error: Option<SendError>,
    },
    /// close() returned; the consumer is gone.
    Closed,
}
