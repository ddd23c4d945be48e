//! From settings to configurations, and back to what they come to.

use super::error::{ConfigError, Configured};
use super::reading::{self, Others, Reading, Tables};
use super::settings::Settings;
use super::{
    BrokerConfig, ConsumerConfig, ProducerConfig, TopicConfig, broker_keys, broker_rules,
    consumer_keys, consumer_rules, keys, producer_keys, producer_rules, topic_keys,
};

/// What a server.properties says of a cluster: the settings of its brokers, and the defaults of its
/// topics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerConfig {
    /// The settings of the brokers.
    pub broker: BrokerConfig,
    /// What counts for a topic that does not say otherwise.
    pub topic: TopicConfig,
}

/// A value that is not the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key in Kafka.
    pub key: &'static str,
    /// The value.
    pub value: String,
    /// The default in its place.
    pub default: String,
}

/// The outcome of reading settings: all that is wrong with them, or the configuration.
pub type Outcome<C> = Result<Configured<C>, Vec<ConfigError>>;

impl ProducerConfig {
    /// The configuration that a producer makes of `settings`. Kafka: the constructors of
    /// ProducerConfig and KafkaProducer.
    ///
    /// The errors are those of single keys in the order of the settings, those between keys in the
    /// order of Kafka's checks, and then the objections that only the simulator has.
    pub fn from_settings(settings: &Settings) -> Outcome<Self> {
        let tables = Tables {
            noun: "producer",
            keys: producer_keys::PRODUCER_KEYS,
            families: producer_keys::PRODUCER_FAMILIES,
            others: Others::Logged,
        };
        let mut reading = Reading::of(tables, settings, Self::default());
        producer_rules::apply(&mut reading);
        reading.finish()
    }

    /// What a Java producer needs besides, unless the application gives it in code: serializers
    /// (V8) and bootstrap servers.
    pub fn missing_in(settings: &Settings) -> Vec<ConfigError> {
        producer_rules::missing(settings)
    }

    /// The modelled values by their key, in the order of [`keys::producer_keys`].
    pub fn effective(&self) -> Vec<(&'static str, String)> {
        reading::effective(self, keys::producer_keys())
    }

    /// The modelled values that are not Kafka's defaults.
    pub fn differences_from_default(&self) -> Vec<Difference> {
        reading::differences(self, &Self::default(), keys::producer_keys())
    }
}

impl ConsumerConfig {
    /// The configuration that a consumer makes of `settings`. Kafka: the constructors of
    /// ConsumerConfig and KafkaConsumer.
    ///
    /// The errors are in the order of [`ProducerConfig::from_settings`].
    pub fn from_settings(settings: &Settings) -> Outcome<Self> {
        let tables = Tables {
            noun: "consumer",
            keys: consumer_keys::CONSUMER_KEYS,
            families: consumer_keys::CONSUMER_FAMILIES,
            others: Others::Logged,
        };
        let mut reading = Reading::of(tables, settings, Self::default());
        consumer_rules::apply(&mut reading);
        reading.finish()
    }

    /// The modelled values by their key, in the order of [`keys::consumer_keys`].
    pub fn effective(&self) -> Vec<(&'static str, String)> {
        reading::effective(self, keys::consumer_keys())
    }

    /// The modelled values that are not Kafka's defaults.
    pub fn differences_from_default(&self) -> Vec<Difference> {
        reading::differences(self, &Self::default(), keys::consumer_keys())
    }
}

impl TopicConfig {
    /// The configuration of a topic with these `settings` in a cluster with these `defaults`.
    /// Kafka: LogConfig.fromProps, LogConfig.validate.
    pub fn from_settings(settings: &Settings, defaults: &Self) -> Outcome<Self> {
        let tables = Tables {
            noun: "topic",
            keys: topic_keys::TOPIC_KEYS,
            families: &[],
            others: Others::Refused,
        };
        let mut reading = Reading::of(tables, settings, *defaults);
        topic_keys::prefer_internal_segment_bytes(&mut reading);
        reading.finish()
    }

    /// The modelled values by their key, in the order of [`keys::topic_keys`].
    pub fn effective(&self) -> Vec<(&'static str, String)> {
        reading::effective(self, keys::topic_keys())
    }

    /// The modelled values that are not Kafka's defaults.
    pub fn differences_from_default(&self) -> Vec<Difference> {
        reading::differences(self, &Self::default(), keys::topic_keys())
    }
}

impl ServerConfig {
    /// The configuration that a server.properties with these `settings` gives a cluster. Kafka: the
    /// constructor of KafkaConfig.
    pub fn from_settings(settings: &Settings) -> Outcome<Self> {
        let tables = Tables {
            noun: "broker",
            keys: broker_keys::SERVER_KEYS,
            families: broker_keys::SERVER_FAMILIES,
            others: Others::Logged,
        };
        let mut reading = Reading::of(tables, settings, Self::default());
        broker_rules::apply(&mut reading);
        reading.finish()
    }

    /// The modelled values by their key, in the order of [`keys::server_keys`].
    pub fn effective(&self) -> Vec<(&'static str, String)> {
        reading::effective(self, keys::server_keys())
    }

    /// The modelled values that are not Kafka's defaults.
    pub fn differences_from_default(&self) -> Vec<Difference> {
        reading::differences(self, &Self::default(), keys::server_keys())
    }
}

impl BrokerConfig {
    /// [`ServerConfig::from_settings`] without the defaults of topics.
    pub fn from_settings(settings: &Settings) -> Outcome<Self> {
        let Configured { config, warnings } = ServerConfig::from_settings(settings)?;
        Ok(Configured { config: config.broker, warnings })
    }
}
