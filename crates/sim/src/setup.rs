//! The validated input of a run: complete, with no defaults left to fill in.

use crate::fault::FaultRule;
use inflight_des::{Budget, Delay, Instant, Span};
use inflight_net::NetworkSettings;
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{BrokerId, Cluster, ProducerConfig, TopicId, TransactionalId};

mod consumer;
pub use consumer::{AfterAbort, ConsumerSetup, Effect, OffsetsBy, Reading, TransformSetup, Work};

/// Everything that is fixed about a run but the seed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What the run is called.
    pub title: String,
    /// Brokers, topics and their settings.
    pub cluster: Cluster,
    /// Links between nodes. Node 0 is the controller, then come the brokers, then the clients.
    pub network: NetworkSettings,
    /// The client processes.
    pub clients: Vec<ClientSetup>,
    /// What goes wrong.
    pub faults: Vec<FaultRule>,
    /// Limits of the run.
    pub budget: Budget,
    /// How long the cluster may take to settle when all work and all faults are over.
    pub settle: Span,
}

impl Setup {
    /// The greatest number of events of a run, unless a scenario says otherwise.
    pub const EVENTS_MAX: u64 = 200_000_000;
    /// The longest virtual time of a run, unless a scenario says otherwise.
    pub const HORIZON: Instant = Instant::from_nanos(24 * 3_600 * 1_000_000_000);
    /// How long a cluster may take to settle, unless a scenario says otherwise. Longer than the
    /// slowest single step: a session timeout, a registration, an ISR that has to shrink.
    pub const SETTLE: Span = Span::from_secs(120);

    /// The limits of a run that sets none.
    pub const fn default_budget() -> Budget {
        Budget { events: Self::EVENTS_MAX, horizon: Self::HORIZON }
    }

    /// The names of all nodes in order, as streams and links are labelled with them.
    pub fn node_names(&self) -> Vec<String> {
        let brokers = self.cluster.broker_ids().map(|broker| format!("b{broker}"));
        let clients = self.clients.iter().map(|client| client.name.clone());
        std::iter::once("controller".to_owned()).chain(brokers).chain(clients).collect()
    }
}

/// A client process: a producer and the application's threads that use it, or a consumer and the
/// thread that polls it, or a consumer that has a producer besides.
#[derive(Clone, Debug)]
pub struct ClientSetup {
    /// Its name, unique among clients.
    pub name: String,
    /// bootstrap.servers
    pub bootstrap: Vec<BrokerId>,
    /// The producer, if it has one.
    pub producer: Option<ProducerSetup>,
    /// The application's threads that send.
    pub threads: Vec<ThreadSetup>,
    /// Where the application begins again after a restart of the process.
    pub resume: Resume,
    /// What it does when its transactional producer has come to a fatal error.
    pub on_fatal: OnFatal,
    /// The consumer, if it has one.
    pub consumer: Option<ConsumerSetup>,
}

/// A producer with its settings.
#[derive(Clone, Debug)]
pub struct ProducerSetup {
    /// The settings.
    pub config: ProducerConfig,
    /// What compression achieves: compressed by uncompressed size.
    pub compression_ratio: f32,
    /// transactional.id, if it has one.
    pub transactional_id: Option<TransactionalId>,
}

impl Default for ProducerSetup {
    /// Kafka's defaults, no compression, no transactions.
    fn default() -> Self {
        let config = ProducerConfig::default();
        Self { config, compression_ratio: 1.0, transactional_id: None }
    }
}

/// What an application does when its transactional producer cannot be used any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFatal {
    /// It closes the producer and ends.
    #[default]
    Stop,
    /// The process ends and is started again at once.
    Restart,
}

/// Where an application begins again after its process was restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resume {
    /// With the first message that it was not told to be delivered: its source is at-least-once.
    #[default]
    FirstUnacked,
    /// With the first message that it has not given to send().
    NextUnsent,
}

/// One application thread.
#[derive(Clone, Debug)]
pub struct ThreadSetup {
    /// Where it sends to.
    pub topic: TopicId,
    /// How many messages it sends.
    pub messages: u64,
    /// What it sends.
    pub content: Content,
    /// When it starts.
    pub start: Span,
    /// The time from one burst to the next; a late one does not delay the rest.
    pub every: Delay,
    /// How many messages in a burst, one after the other without a pause.
    pub burst: u32,
    /// What it does with the future that send() returns.
    pub style: Style,
    /// What it does when it is told that a message was not delivered.
    pub on_error: OnError,
    /// What it does after its last message.
    pub ending: Ending,
    /// How it puts messages into transactions, if the producer has a transactional id.
    pub transactions: Option<TransactionSetup>,
}

/// How a thread puts its messages into transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionSetup {
    /// How many messages in a transaction.
    pub messages: u32,
    /// How long it waits with the end after the last message.
    pub hold: Span,
    /// Which transactions it aborts of its own accord.
    pub aborts: Aborts,
    /// What it does with the messages of a transaction that failed.
    pub on_failure: OnFailure,
}

/// Which transactions an application aborts of its own accord.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Aborts {
    /// None.
    #[default]
    Never,
    /// These, counted from 0. A transaction that is repeated after a failure has the same number.
    These(Vec<u32>),
    /// All.
    Always,
}

impl Aborts {
    /// Whether the transaction of this number is one.
    pub fn include(&self, number: u32) -> bool {
        match self {
            Self::Never => false,
            Self::These(numbers) => numbers.contains(&number),
            Self::Always => true,
        }
    }
}

/// What an application does with the messages of a transaction that failed and was aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// It gives them up.
    GiveUp,
    /// It puts them into another transaction, at most so often.
    Repeat {
        /// How many times in all a message is sent again.
        times: u32,
    },
}

/// What the messages of a thread look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All alike, without a key; the partitioner chooses.
    Unkeyed(RecordShape),
    /// All alike, for this partition number.
    Partition(u16, RecordShape),
    /// With these keys in turn.
    Keys(Vec<KeyedShape>),
    /// With a key drawn for each message, by weight.
    WeightedKeys(Vec<(u32, KeyedShape)>),
}

/// A key, as far as partitioning and sizes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyedShape {
    /// murmur2 of the key's bytes.
    pub hash: i32,
    /// Where a custom partitioner puts it, if it names the key.
    pub table: Option<u16>,
    /// Sizes of key, value and headers.
    pub shape: RecordShape,
}

/// What an application thread does with the future that send() returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    /// Ignores it.
    FireAndForget,
    /// Gives a callback and goes on.
    #[default]
    Callback,
    /// Calls get() and waits.
    Sync,
}

impl Style {
    /// The style in a word, as scenarios and traces have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::FireAndForget => "fire-and-forget",
            Self::Callback => "callback",
            Self::Sync => "sync",
        }
    }
}

/// What an application thread does about a message that was not delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnError {
    /// Nothing.
    #[default]
    GiveUp,
    /// It sends the message again, at most so often.
    Resend {
        /// How many times in all a message is sent again.
        times: u32,
    },
}

/// What an application thread does after its last message. The process ends with its last thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ending {
    /// close(), with all the time that it takes.
    #[default]
    Close,
    /// close() with a timeout.
    CloseWithin(Span),
    /// flush(), and the producer stays.
    Flush,
    /// The process ends at once: no flush(), no close().
    Exit,
    /// The producer stays and works on.
    Stay,
}
