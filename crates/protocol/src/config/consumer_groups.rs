//! The settings of a broker about groups of the consumer protocol (KIP-848).
//! Kafka: GroupCoordinatorConfig, group.consumer.*.

/// The settings of a broker about groups of the consumer protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerGroupConfig {
    /// group.consumer.session.timeout.ms
    pub session_timeout_ms: u32,
    /// group.consumer.min.session.timeout.ms
    pub min_session_timeout_ms: u32,
    /// group.consumer.max.session.timeout.ms
    pub max_session_timeout_ms: u32,
    /// group.consumer.heartbeat.interval.ms
    pub heartbeat_interval_ms: u32,
    /// group.consumer.min.heartbeat.interval.ms
    pub min_heartbeat_interval_ms: u32,
    /// group.consumer.max.heartbeat.interval.ms
    pub max_heartbeat_interval_ms: u32,
    /// group.consumer.max.size
    pub max_size: u32,
    /// group.consumer.assignors
    pub assignors: ServerAssignors,
    /// group.consumer.assignment.interval.ms
    pub assignment_interval_ms: u32,
    /// group.consumer.min.assignment.interval.ms
    pub min_assignment_interval_ms: u32,
    /// group.consumer.max.assignment.interval.ms
    pub max_assignment_interval_ms: u32,
}

impl Default for ConsumerGroupConfig {
    /// The defaults of Kafka 4.x.
    fn default() -> Self {
        Self {
            session_timeout_ms: 45_000,
            min_session_timeout_ms: 45_000,
            max_session_timeout_ms: 60_000,
            heartbeat_interval_ms: 5_000,
            min_heartbeat_interval_ms: 5_000,
            max_heartbeat_interval_ms: 15_000,
            max_size: i32::MAX as u32,
            assignors: ServerAssignors::default(),
            assignment_interval_ms: 1_000,
            min_assignment_interval_ms: 0,
            max_assignment_interval_ms: 15_000,
        }
    }
}

/// An assignor of the coordinator's. Kafka: group-coordinator/assignor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerAssignor {
    /// As even as possible, and as much as possible stays where it is. Kafka: UniformAssignor.
    Uniform,
    /// Topic by topic, each member a range. Kafka: RangeAssignor.
    Range,
}

impl ServerAssignor {
    /// The word, as Kafka writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The assignor of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Uniform, Self::Range].into_iter().find(|assignor| assignor.word() == word)
    }
}

/// group.consumer.assignors: those that members may ask for, the one that is used if nobody does
/// first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerAssignors {
    /// Both, as by default.
    #[default]
    UniformRange,
    /// Both, range first.
    RangeUniform,
    /// Uniform alone.
    Uniform,
    /// Range alone.
    Range,
}

impl ServerAssignors {
    const ALL: [Self; 4] = [Self::UniformRange, Self::RangeUniform, Self::Uniform, Self::Range];

    /// The assignors.
    pub const fn list(self) -> &'static [ServerAssignor] {
        match self {
            Self::UniformRange => &[ServerAssignor::Uniform, ServerAssignor::Range],
            Self::RangeUniform => &[ServerAssignor::Range, ServerAssignor::Uniform],
            Self::Uniform => &[ServerAssignor::Uniform],
            Self::Range => &[ServerAssignor::Range],
        }
    }

    /// The list, as Kafka writes it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::UniformRange => "uniform,range",
            Self::RangeUniform => "range,uniform",
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The assignors of these names, in any order and each once.
    pub fn of(names: &[&str]) -> Option<Self> {
        let is_it = |all: &Self| {
            all.list().iter().map(|assignor| assignor.word()).eq(names.iter().copied())
        };
        Self::ALL.into_iter().find(is_it)
    }
}
