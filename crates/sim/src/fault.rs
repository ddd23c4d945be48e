//! Faults as data: when something goes wrong, and what.

pub use inflight_broker::InjectWhen;
use inflight_des::{Delay, Instant, Ratio, Span};
use inflight_protocol::fact::{FactKind, Surviving, Value};
use inflight_protocol::{BrokerId, ClientId, ErrorCode, TopicPartition};
use smallvec::SmallVec;

/// One rule: when this, then that.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    /// When it takes effect.
    pub when: When,
    /// How long after.
    pub after: Span,
    /// What happens, in order.
    pub then: Vec<Action>,
}

/// When a fault takes effect.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// At a time of the run.
    At(Instant),
    /// Right after a fact: the `nth` (from 1) that matches, or every one from it on.
    Happened {
        /// Which facts.
        pattern: Pattern,
        /// Which of them, from 1.
        nth: u32,
        /// Whether only that one.
        repeat: Repeat,
    },
    /// After each matching fact with these odds, at most `limit` times.
    Odds {
        /// Which facts.
        pattern: Pattern,
        /// How likely.
        odds: Ratio,
        /// How often at most.
        limit: u32,
    },
    /// Again and again, as long as clients have work: the first one after `every`, and so on.
    Every {
        /// The time from one to the next.
        every: Delay,
        /// How often at most.
        limit: u32,
    },
    /// Not before another rule arms it; see [`Action::Arm`]. Then as [`When::Happened`] from there.
    Armed {
        /// Which facts.
        pattern: Pattern,
        /// Which of them, from 1.
        nth: u32,
    },
}

/// Whether a rule applies once or from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Once.
    #[default]
    Once,
    /// To every further match as well.
    Always,
}

/// Facts of one kind whose fields pass tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The kind.
    pub kind: FactKind,
    /// What must hold: the position of a field and a test.
    pub tests: SmallVec<[(u8, Test); 4]>,
}

/// A test of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// The field has this value.
    Is(Value),
    /// The field is a number of at least this.
    AtLeast(i64),
    /// The field is a number of at most this.
    AtMost(i64),
    /// The field is the broker, or the node, that leads the partition now, as the controller knows.
    IsLeaderOf(TopicPartition),
    /// The field is a broker, or a node, with a replica of the partition that does not lead it.
    IsFollowerOf(TopicPartition),
}

/// Somebody that something happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// This broker.
    Broker(BrokerId),
    /// This client.
    Client(ClientId),
    /// The controller.
    Controller,
    /// The leader of the partition now, as the controller knows.
    LeaderOf(TopicPartition),
    /// The nth follower (from 0) of the partition in assignment order.
    FollowerOf(TopicPartition, u8),
    /// The broker or client that the fact is about.
    Subject,
    /// A live broker, drawn.
    AnyBroker,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The process is killed. `Flushed`: the machine loses power, and nobody is told.
    Crash {
        /// A broker or client.
        who: Who,
        /// What is left of a broker's logs.
        surviving: Surviving,
        /// After how long the process is started again.
        restart_after: Option<Span>,
    },
    /// The broker is asked to stop (SIGTERM) and does a controlled shutdown.
    ShutDown {
        /// The broker.
        who: Who,
        /// After how long, from now, the process is started again; not before it has ended.
        restart_after: Option<Span>,
    },
    /// The process is started again.
    Restart {
        /// A broker or client that is down.
        who: Who,
    },
    /// The process stands still.
    Pause {
        /// A broker or client.
        who: Who,
        /// For how long.
        span: Span,
    },
    /// Links stop delivering.
    Cut {
        /// The sending side; `None` is everybody else.
        from: Option<Who>,
        /// The receiving side; `None` is everybody else.
        to: Option<Who>,
        /// In one direction or both.
        ways: Ways,
        /// For how long; `None` is for good.
        span: Option<Span>,
    },
    /// Connections over these links are reset.
    Reset {
        /// One side.
        from: Who,
        /// The other side; `None` is everybody.
        to: Option<Who>,
    },
    /// Links become slower.
    Slow {
        /// The sending side; `None` is everybody else.
        from: Option<Who>,
        /// The receiving side; `None` is everybody else.
        to: Option<Who>,
        /// In one direction or both.
        ways: Ways,
        /// By how much.
        by: Span,
        /// For how long; `None` is for good.
        span: Option<Span>,
    },
    /// A broker's disk becomes slower.
    SlowDisk {
        /// The broker.
        who: Who,
        /// By how much an append.
        by: Span,
        /// For how long; `None` is for good.
        span: Option<Span>,
    },
    /// The message that is being sent is lost.
    Lose {
        /// How the connection takes it.
        how: Loss,
    },
    /// The message that is being sent takes longer, and all behind it on its connection.
    Delay {
        /// By how much.
        by: Span,
    },
    /// The request that is being delivered is answered with this error.
    Answer {
        /// The error.
        error: ErrorCode,
        /// Whether it is executed all the same.
        when: InjectWhen,
        /// For this partition; `None` is for all.
        partition: Option<TopicPartition>,
    },
    /// The controller elects a leader.
    Elect {
        /// The partition.
        partition: TopicPartition,
        /// This one, whatever its state; `None` leaves the choice to the rules.
        leader: Option<Who>,
    },
    /// Another rule begins to count.
    Arm {
        /// Its position among the rules.
        rule: u32,
    },
}

/// In one direction or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ways {
    /// From the one to the other.
    One,
    /// Both.
    #[default]
    Both,
}

/// How a connection takes the loss of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The connection breaks: both sides get a reset.
    #[default]
    Reset,
    /// Silence: nothing more gets through in this direction, until somebody's timeout.
    Silence,
}

/// A fault that took effect, for a scenario that repeats the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Realised {
    /// The rule.
    pub rule: u32,
    /// When.
    pub at: Instant,
    /// The number of the fact that set it off among those that match, if the rule counts facts.
    pub matched: u32,
    /// Whom `Who::AnyBroker` meant.
    pub drawn: Option<BrokerId>,
}
