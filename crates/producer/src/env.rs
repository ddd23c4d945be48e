//! What a producer reads and never changes, and what it touches during a turn.

use inflight_des::Chance;
use inflight_des::StreamId;
use inflight_protocol::{
    BrokerId, Defects, ProducerConfig, Timestamp, Topics, TransactionVersion, TransactionalId, Turn,
};

/// The fixed surroundings of a producer.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Its settings.
    pub config: &'a ProducerConfig,
    /// The topics that programs may ask for.
    pub topics: &'a Topics,
    /// How many brokers the cluster has.
    pub brokers: u8,
    /// bootstrap.servers, in order.
    pub bootstrap: &'a [BrokerId],
    /// What compression achieves on this producer's records: compressed by uncompressed size.
    pub compression_ratio: f32,
    /// Rules that are broken on purpose.
    pub defects: Defects,
    /// The producer's transactional.id, if it has one.
    pub transactional_id: Option<TransactionalId>,
    /// The level of the feature transaction.version, as the brokers tell it.
    pub transaction_version: TransactionVersion,
}

/// The streams that a producer draws from. They belong to the client process: a restarted producer
/// goes on with them.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    pub(crate) sticky: StreamId,
    pub(crate) retry_backoff: StreamId,
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
            sticky: stream("sticky partition"),
            retry_backoff: stream("retry backoff"),
            metadata_backoff: stream("metadata backoff"),
            reconnect_backoff: stream("reconnect backoff"),
            setup_timeout: stream("connection setup timeout"),
            least_loaded: stream("least loaded node"),
        }
    }
}

/// A turn with the producer's millisecond clock.
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
}
