//! Consumers and what applications do with the records that they read.

use super::Aborts;
use inflight_des::{Delay, Span};
use inflight_protocol::config::ConsumerConfig;
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{GroupId, TopicId, TopicPartition};

/// A consumer and the thread that polls it.
#[derive(Clone, Debug)]
pub struct ConsumerSetup {
    /// The settings.
    pub config: ConsumerConfig,
    /// group.id, if it has one.
    pub group: Option<GroupId>,
    /// What it reads.
    pub reading: Reading,
    /// When it starts.
    pub start: Span,
    /// The timeout of poll().
    pub poll_timeout: Span,
    /// The time that the application takes for a record.
    pub processing: Delay,
    /// What the application does with records, and when it commits.
    pub work: Work,
    /// What an effect of a record is.
    pub effect: Effect,
}

/// What a consumer reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// subscribe(): the group's protocol gives it partitions of these topics.
    Topics(Vec<TopicId>),
    /// assign(): these partitions, whoever else reads them.
    Partitions(Vec<TopicPartition>),
}

/// What an application does with the records of a poll(), and when it commits.
#[derive(Clone, Debug)]
pub enum Work {
    /// It looks at them and commits nothing.
    Read,
    /// commitSync(), then it processes them: at most once.
    CommitThenProcess,
    /// It processes them, then commitSync(): at least once.
    ProcessThenCommit,
    /// It processes them, then commitAsync().
    ProcessThenCommitAsync,
    /// It processes them; enable.auto.commit does the rest.
    AutoCommit,
    /// It makes messages of them and commits the offsets.
    Transform(TransformSetup),
}

/// An application that makes a message of each record.
#[derive(Clone, Debug)]
pub struct TransformSetup {
    /// Where the messages go.
    pub to: TopicId,
    /// What they look like.
    pub shape: RecordShape,
    /// How offsets are committed.
    pub offsets: OffsetsBy,
    /// How long it waits with the commit after the last message.
    pub hold: Span,
    /// Which transactions it aborts of its own accord.
    pub aborts: Aborts,
    /// What it does with its position after an abort.
    pub after_abort: AfterAbort,
}

/// How the offsets of transformed records are committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OffsetsBy {
    /// sendOffsetsToTransaction() with consumer.groupMetadata() (KIP-447).
    #[default]
    GroupMetadata,
    /// sendOffsetsToTransaction() with the group's name alone.
    GroupName,
    /// commitSync() of the consumer, after flush() and outside of any transaction.
    CommitSync,
}

/// What an application does with its consumer's position after an abort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AfterAbort {
    /// seek() to the committed offsets.
    #[default]
    Rewind,
    /// Nothing: the next poll() goes on behind the records of the aborted transaction.
    GoOn,
}

/// What the effect of a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It happens each time that the record is processed.
    #[default]
    EachTime,
    /// Whoever is affected knows the record's partition and offset and takes it once.
    Deduplicated,
}
