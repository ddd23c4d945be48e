//! What a consumer reads and never changes, and what it touches during a turn.

use inflight_des::{Chance, StreamId};
use inflight_protocol::message::IsolationLevel;
use inflight_protocol::{
    BrokerId, ConsumerConfig, Defect, Defects, GroupId, Timestamp, TopicPartition, Topics, Turn,
};

/// The fixed surroundings of a consumer.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Its settings.
    pub config: &'a ConsumerConfig,
    /// The topics that programs may ask for.
    pub topics: &'a Topics,
    /// How many brokers the cluster has.
    pub brokers: u8,
    /// bootstrap.servers, in order.
    pub bootstrap: &'a [BrokerId],
    /// The group that group.id names.
    pub group: Option<GroupId>,
    /// Rules that are broken on purpose.
    pub defects: Defects,
}

impl Env<'_> {
    /// What it asks leaders for.
    pub(crate) fn asked_isolation(&self) -> IsolationLevel {
        self.isolation_without(Defect::ReadAboveStable)
    }

    /// What it gives its application.
    pub(crate) fn given_isolation(&self) -> IsolationLevel {
        self.isolation_without(Defect::GiveAborted)
    }

    fn isolation_without(&self, defect: Defect) -> IsolationLevel {
        if self.defects.has(defect) {
            IsolationLevel::ReadUncommitted
        } else {
            self.config.isolation_level
        }
    }
}

/// The streams that a consumer draws from. They belong to the client process: a restarted consumer
/// goes on with them.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    pub(crate) coordinator_backoff: StreamId,
    pub(crate) heartbeat_backoff: StreamId,
    pub(crate) metadata_backoff: StreamId,
    pub(crate) reconnect_backoff: StreamId,
    pub(crate) setup_timeout: StreamId,
    pub(crate) least_loaded: StreamId,
}

impl Streams {
    /// Names the streams of the client called `name`.
    pub fn register(name: &str, chance: &mut Chance) -> Self {
        let mut stream = |purpose: &str| chance.stream(&format!("{name} {purpose}"));
        Self {
            coordinator_backoff: stream("consumer coordinator backoff"),
            heartbeat_backoff: stream("consumer heartbeat backoff"),
            metadata_backoff: stream("consumer metadata backoff"),
            reconnect_backoff: stream("consumer reconnect backoff"),
            setup_timeout: stream("consumer connection setup timeout"),
            least_loaded: stream("consumer least loaded node"),
        }
    }
}

/// A turn with the consumer's millisecond clock.
pub(crate) struct Ctx<'a, 't> {
    pub(crate) env: &'a Env<'a>,
    pub(crate) turn: &'a mut Turn<'t>,
    pub(crate) streams: Streams,
    /// What System.currentTimeMillis() says.
    pub(crate) now_ms: i64,
}

impl<'a, 't> Ctx<'a, 't> {
    pub(crate) fn new(env: &'a Env<'a>, turn: &'a mut Turn<'t>, streams: Streams) -> Self {
        let now_ms = Timestamp::at(turn.now()).get();
        Self { env, turn, streams, now_ms }
    }

    /// The place of a partition in Kafka's order: by the topic's name, then by number.
    pub(crate) fn place(&self, partition: TopicPartition) -> (&'a str, u16) {
        let (topic, number) = self.env.topics.split(partition);
        (self.env.topics.name(topic), number)
    }
}
