//! A table of keys: what each is called, what it may be, what Kafka does without it, and what the
//! simulator does with it. The tables are [`producer_keys`], [`consumer_keys`], [`topic_keys`] and
//! [`server_keys`].

use super::broker_keys::{SERVER_FAMILIES, SERVER_KEYS};
use super::consumer_keys::{CONSUMER_FAMILIES, CONSUMER_KEYS};
use super::kind::{Kind, Value};
use super::producer_keys::{PRODUCER_FAMILIES, PRODUCER_KEYS};
use super::topic_keys::TOPIC_KEYS;
use super::{ConsumerConfig, ProducerConfig, ServerConfig, TopicConfig};

/// A key of the configuration `C`.
#[derive(Debug)]
pub struct Key<C: 'static> {
    /// Its name in Kafka.
    pub name: &'static str,
    /// Its type and legal values.
    pub kind: Kind,
    /// The text that counts if it is absent, in Kafka 4.x. `None` stands for Java's null, or for
    /// nothing at all if the key is required.
    pub default: Option<&'static str>,
    /// What it is for, in one sentence.
    pub doc: &'static str,
    /// What the simulator does with it.
    pub treatment: Treatment,
    /// The release of Kafka 4 that brought it, if it was not there from 4.0.
    pub since: Option<&'static str>,
    pub(crate) field: Option<Field<C>>,
}

/// What the simulator does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// What Kafka does.
    Modelled,
    /// It is read and checked, and changes nothing here, for this reason.
    WithoutEffect(&'static str),
    /// Any value but the default is refused, for this reason.
    Unsupported(&'static str),
    /// Any value but the default is refused until what it is about exists here.
    NotYet(&'static str),
}

/// Keys that are known by how they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The beginning.
    pub prefix: &'static str,
    /// Why they change nothing here.
    pub reason: &'static str,
    /// Whether their values may be shown.
    pub values: Values,
}

/// Whether values may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// There is nothing secret in them.
    Plain,
    /// There are passwords among them. Kafka: ConfigDef.Type.PASSWORD.
    Secret,
}

/// The part of the configuration `C` that a key fills.
#[derive(Debug)]
pub(crate) enum Field<C: 'static> {
    /// A number.
    Number(fn(&C) -> i64, fn(&mut C, i64)),
    /// A truth value.
    Flag(fn(&C) -> bool, fn(&mut C, bool)),
    /// A word.
    Word(fn(&C) -> &'static str, fn(&mut C, &str)),
    /// A text that may be absent.
    Text(fn(&C) -> Option<&str>, fn(&mut C, &str)),
}

impl<C> Field<C> {
    /// The value as Kafka would print it.
    pub(crate) fn show(&self, config: &C) -> String {
        match self {
            Self::Number(get, _) => get(config).to_string(),
            Self::Flag(get, _) => get(config).to_string(),
            Self::Word(get, _) => get(config).to_owned(),
            Self::Text(get, _) => get(config).unwrap_or("null").to_owned(),
        }
    }

    /// Puts a value in. The table guarantees that kind and field agree.
    pub(crate) fn put(&self, config: &mut C, value: &Value) {
        match (self, value) {
            (Self::Number(_, put), Value::Number(number)) => put(config, *number),
            (Self::Flag(_, put), Value::Flag(flag)) => put(config, *flag),
            (Self::Word(_, put) | Self::Text(_, put), Value::Text(text)) => put(config, text),
            (Self::Number(..) | Self::Flag(..) | Self::Word(..) | Self::Text(..), _) => {
                debug_assert!(false, "a key's kind is its field's");
            }
        }
    }
}

/// The keys of a producer, in the order of reading. Kafka: clients/producer/ProducerConfig.CONFIG.
pub fn producer_keys() -> impl Iterator<Item = &'static Key<ProducerConfig>> + Clone {
    PRODUCER_KEYS.iter().copied().flatten()
}

/// The keys of a consumer. Kafka: clients/consumer/ConsumerConfig.CONFIG.
pub fn consumer_keys() -> impl Iterator<Item = &'static Key<ConsumerConfig>> + Clone {
    CONSUMER_KEYS.iter().copied().flatten()
}

/// The keys of a topic. Kafka: storage/internals/log/LogConfig.CONFIG.
pub fn topic_keys() -> impl Iterator<Item = &'static Key<TopicConfig>> + Clone {
    TOPIC_KEYS.iter().copied().flatten()
}

/// The keys of a broker that matter to delivery, and the cluster-wide defaults of topics. Kafka:
/// server/config/AbstractKafkaConfig.CONFIG_DEF.
pub fn server_keys() -> impl Iterator<Item = &'static Key<ServerConfig>> + Clone {
    SERVER_KEYS.iter().copied().flatten()
}

/// The families of keys of a producer.
pub const fn producer_families() -> &'static [Family] {
    PRODUCER_FAMILIES
}

/// The families of keys of a consumer.
pub const fn consumer_families() -> &'static [Family] {
    CONSUMER_FAMILIES
}

/// The families of keys of a broker.
pub const fn server_families() -> &'static [Family] {
    SERVER_FAMILIES
}

impl Family {
    pub(crate) const fn plain(prefix: &'static str, reason: &'static str) -> Self {
        Self { prefix, reason, values: Values::Plain }
    }

    pub(crate) const fn secret(prefix: &'static str, reason: &'static str) -> Self {
        Self { prefix, reason, values: Values::Secret }
    }
}

impl<C> Key<C> {
    /// A key with a default that is modelled, once it has its field.
    pub(crate) const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        let default = Some(default);
        Self { name, kind, default, doc, treatment: Treatment::Modelled, since: None, field: None }
    }

    /// A key whose default is null, or that is required.
    pub(crate) const fn null(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        let treatment = Treatment::Modelled;
        Self { name, kind, default: None, doc, treatment, since: None, field: None }
    }

    pub(crate) const fn number(mut self, get: fn(&C) -> i64, put: fn(&mut C, i64)) -> Self {
        self.field = Some(Field::Number(get, put));
        self
    }

    pub(crate) const fn flag(mut self, get: fn(&C) -> bool, put: fn(&mut C, bool)) -> Self {
        self.field = Some(Field::Flag(get, put));
        self
    }

    pub(crate) const fn word(mut self, get: fn(&C) -> &'static str, put: fn(&mut C, &str)) -> Self {
        self.field = Some(Field::Word(get, put));
        self
    }

    pub(crate) const fn text(mut self, get: fn(&C) -> Option<&str>, put: fn(&mut C, &str)) -> Self {
        self.field = Some(Field::Text(get, put));
        self
    }

    pub(crate) const fn without_effect(mut self, reason: &'static str) -> Self {
        self.treatment = Treatment::WithoutEffect(reason);
        self
    }

    pub(crate) const fn unsupported(mut self, reason: &'static str) -> Self {
        self.treatment = Treatment::Unsupported(reason);
        self
    }

    pub(crate) const fn not_yet(mut self, reason: &'static str) -> Self {
        self.treatment = Treatment::NotYet(reason);
        self
    }

    pub(crate) const fn since(mut self, release: &'static str) -> Self {
        self.since = Some(release);
        self
    }

    /// The default as a value.
    pub(crate) fn default_value(&self) -> Option<Value> {
        self.default.and_then(|text| self.kind.read(text).ok())
    }
}

/// A whole number of Kafka's in the type of our field. Ranges keep it from saturating.
pub(crate) trait Whole: Copy {
    /// From Kafka's number.
    fn of(number: i64) -> Self;
    /// To Kafka's number.
    fn number(self) -> i64;
}

impl Whole for i64 {
    fn of(number: i64) -> Self {
        number
    }

    fn number(self) -> i64 {
        self
    }
}

impl Whole for u32 {
    fn of(number: i64) -> Self {
        Self::try_from(number.max(0)).unwrap_or(Self::MAX)
    }

    fn number(self) -> i64 {
        self.into()
    }
}

impl Whole for u64 {
    fn of(number: i64) -> Self {
        Self::try_from(number).unwrap_or(0)
    }

    fn number(self) -> i64 {
        i64::try_from(self).unwrap_or(i64::MAX)
    }
}
