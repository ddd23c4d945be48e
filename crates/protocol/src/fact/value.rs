//! The values of facts' fields, in one type: what traces write and triggers compare.

use crate::error_code::ErrorCode;
use crate::fact::SendError;
use crate::ids::{
    BatchId, BrokerEpoch, BrokerId, BrokerSet, ClientId, ConnectionId, ConsumerId, CorrelationId,
    GroupId, LeaderEpoch, Node, Offset, PartitionEpoch, ProducerEpoch, ProducerId, SessionId,
    ThreadId, TopicPartition, TransactionalId,
};
use crate::message::ApiKey;
use crate::sequence::Sequence;
use crate::transaction::CoordinatorEpoch;
use inflight_des::{Halt, Span};

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Absent.
    None,
    /// A number.
    Number(i64),
    /// One of a closed set of words.
    Word(&'static str),
    /// A partition, to be written with the name of its topic.
    Partition(TopicPartition),
    /// A client, to be written with its name.
    Client(ClientId),
    /// A transactional id, to be written as it is.
    Transactional(TransactionalId),
    /// A group, to be written with its name.
    Group(GroupId),
    /// A node.
    Node(Node),
    /// A set of brokers, written as a list.
    Brokers(BrokerSet),
    /// A connection.
    Connection(ConnectionId),
    /// A span, written in nanoseconds.
    Span(Span),
}

/// The type of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A number that is not negative.
    Number,
    /// A broker's number.
    Broker,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of a Kafka error code.
    Error,
    /// The name of a Kafka error code or one of the client's own errors.
    SendError,
    /// A partition, as `topic-number`.
    Partition,
    /// A client's name.
    Client,
    /// A transactional id.
    Transactional,
    /// A group's name.
    Group,
    /// A group's name, or null.
    OptionalGroup,
    /// A client's name, `b` and a broker's number, or `controller`.
    Node,
    /// A list of broker numbers.
    Brokers,
    /// A connection: its opener, `#` and a number.
    Connection,
    /// Nanoseconds.
    Span,
    /// A number, or null.
    OptionalNumber,
    /// A broker's number, or null.
    OptionalBroker,
    /// The name of a Kafka error code, or null.
    OptionalError,
    /// The name of a Kafka error code or one of the client's own errors, or null.
    OptionalSendError,
}

/// A type that can be a field of a fact.
pub trait FactField: Copy {
    /// The type as the vocabulary states it.
    const TYPE: FieldType;

    /// The value.
    fn to_value(self) -> Value;

    /// The field with this value. `None` if the value is of another type or out of range.
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! numbers {
    ($($name:ty, $repr:ty, $type:ident, $get:expr, $new:expr;)*) => {$(
        impl FactField for $name {
            const TYPE: FieldType = FieldType::$type;

            fn to_value(self) -> Value {
                let get: fn($name) -> $repr = $get;
                Value::Number(get(self) as i64)
            }

            fn from_value(value: Value) -> Option<Self> {
                let new: fn($repr) -> Option<$name> = $new;
                match value {
                    Value::Number(number) => new(<$repr>::try_from(number).ok()?),
                    _ => None,
                }
            }
        }
    )*};
}

numbers! {
    u64, u64, Number, |n| n, Some;
    u32, u32, Number, |n| n, Some;
    ConsumerId, u16, Number, ConsumerId::get, |n| Some(ConsumerId::new(n));
    CoordinatorEpoch, u32, Number, |epoch| epoch.0, |n| Some(CoordinatorEpoch(n));
    SessionId, u16, Number, SessionId::get, |n| Some(SessionId::new(n));
    ThreadId, u16, Number, ThreadId::get, |n| Some(ThreadId::new(n));
    BatchId, u32, Number, BatchId::get, |n| Some(BatchId::new(n));
    CorrelationId, u32, Number, CorrelationId::get, |n| Some(CorrelationId::new(n));
    LeaderEpoch, u32, Number, LeaderEpoch::get, |n| Some(LeaderEpoch::new(n));
    PartitionEpoch, u32, Number, PartitionEpoch::get, |n| Some(PartitionEpoch::new(n));
    BrokerEpoch, u32, Number, BrokerEpoch::get, |n| Some(BrokerEpoch::new(n));
    ProducerEpoch, i16, Number, ProducerEpoch::get, |n| Some(ProducerEpoch::new(n));
    Offset, u64, Number, Offset::get, |n| Some(Offset::new(n));
    ProducerId, u64, Number, ProducerId::get, |n| (n < u64::MAX).then(|| ProducerId::new(n));
    Sequence, i32, Number, Sequence::get, Sequence::new;
    BrokerId, u8, Broker, BrokerId::get,
        |n| (1..=BrokerId::MAX).contains(&n).then(|| BrokerId::new(n));
}

macro_rules! options {
    ($($name:ty, $type:ident;)*) => {$(
        impl FactField for Option<$name> {
            const TYPE: FieldType = FieldType::$type;

            fn to_value(self) -> Value {
                self.map_or(Value::None, FactField::to_value)
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::None => Some(None),
                    value => <$name as FactField>::from_value(value).map(Some),
                }
            }
        }
    )*};
}

options! {
    u32, OptionalNumber;
    Sequence, OptionalNumber;
    ProducerEpoch, OptionalNumber;
    ProducerId, OptionalNumber;
    Offset, OptionalNumber;
    BrokerId, OptionalBroker;
    ErrorCode, OptionalError;
    SendError, OptionalSendError;
    GroupId, OptionalGroup;
}

macro_rules! directly {
    ($($name:ty, $type:ident, $variant:ident;)*) => {$(
        impl FactField for $name {
            const TYPE: FieldType = FieldType::$type;

            fn to_value(self) -> Value {
                Value::$variant(self)
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    )*};
}

directly! {
    TopicPartition, Partition, Partition;
    ClientId, Client, Client;
    TransactionalId, Transactional, Transactional;
    GroupId, Group, Group;
    Node, Node, Node;
    BrokerSet, Brokers, Brokers;
    ConnectionId, Connection, Connection;
    Span, Span, Span;
}

impl FactField for ErrorCode {
    const TYPE: FieldType = FieldType::Error;

    fn to_value(self) -> Value {
        Value::Word(self.name())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Word(word) => Self::from_name(word),
            _ => None,
        }
    }
}

impl SendError {
    /// The client's own errors.
    pub const LOCAL: [Self; 16] = [
        Self::DeliveryTimeout,
        Self::MetadataTimeout,
        Self::BufferExhausted,
        Self::RecordTooLarge,
        Self::BatchLargerThanMemory,
        Self::InvalidPartition,
        Self::ProducerClosed,
        Self::ProducerClosedForcefully,
        Self::FatalState,
        Self::AbortableState,
        Self::TransactionAborted,
        Self::IllegalState,
        Self::CallTimeout,
        Self::CommitFailed,
        Self::NoOffset,
        Self::LogTruncation,
    ];

    /// The name: a Kafka error code's, or one of the client's own errors'.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code(code) => code.name(),
            Self::DeliveryTimeout => "delivery-timeout",
            Self::MetadataTimeout => "metadata-timeout",
            Self::BufferExhausted => "buffer-exhausted",
            Self::RecordTooLarge => "record-too-large",
            Self::BatchLargerThanMemory => "batch-larger-than-memory",
            Self::InvalidPartition => "invalid-partition",
            Self::ProducerClosed => "producer-closed",
            Self::ProducerClosedForcefully => "producer-closed-forcefully",
            Self::FatalState => "fatal-state",
            Self::AbortableState => "abortable-state",
            Self::TransactionAborted => "transaction-aborted",
            Self::IllegalState => "illegal-state",
            Self::CallTimeout => "call-timeout",
            Self::CommitFailed => "commit-failed",
            Self::NoOffset => "no-offset",
            Self::LogTruncation => "log-truncation",
        }
    }

    /// The error of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let local = Self::LOCAL.into_iter().find(|error| error.name() == name);
        local.or_else(|| ErrorCode::from_name(name).map(Self::Code))
    }
}

impl FactField for SendError {
    const TYPE: FieldType = FieldType::SendError;

    fn to_value(self) -> Value {
        Value::Word(self.name())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Word(word) => Self::from_name(word),
            _ => None,
        }
    }
}

impl FactField for ApiKey {
    const TYPE: FieldType = FieldType::Word(Self::NAMES);

    fn to_value(self) -> Value {
        Value::Word(self.name())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Word(word) => Self::ALL.iter().copied().find(|api| api.name() == word),
            _ => None,
        }
    }
}

impl FactField for Halt {
    const TYPE: FieldType = FieldType::Word(&["quiescent", "horizon", "event-budget"]);

    fn to_value(self) -> Value {
        Value::Word(match self {
            Self::Quiescent => "quiescent",
            Self::Horizon => "horizon",
            Self::EventBudget => "event-budget",
        })
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Word("quiescent") => Some(Self::Quiescent),
            Value::Word("horizon") => Some(Self::Horizon),
            Value::Word("event-budget") => Some(Self::EventBudget),
            _ => None,
        }
    }
}
