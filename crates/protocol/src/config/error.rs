//! What can be said against settings: errors, warnings, and who says it.

use super::settings::Origin;
use std::fmt;

/// The rule that a setting breaks. V1 to V10 are the checks of one key against another; Kafka
/// makes them in [`super::ProducerConfig::from_settings`]'s order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The text is not of the key's type. Kafka: ConfigDef.parseType.
    Type,
    /// The value is outside the legal range or list. Kafka: ConfigDef.Validator.
    Range,
    /// A key without a default is absent. Kafka: ConfigDef.parseValue.
    Missing,
    /// Idempotence with `retries=0`. Kafka: ProducerConfig.postProcessAndValidateIdempotenceConfigs.
    V1,
    /// Idempotence with `acks` other than all. The same method.
    V2,
    /// Idempotence with more than five requests in flight. The same method.
    V3,
    /// A transactional id without idempotence. The same method.
    V4,
    /// Two-phase commit with a transaction timeout. The same method.
    V5,
    /// A missing serializer. Kafka: ProducerConfig.appendSerializerToConfig.
    V8,
    /// A delivery timeout below linger and request timeout. Kafka:
    /// KafkaProducer.configureDeliveryTimeout.
    V9,
    /// Rack awareness without a rack. Kafka: RecordAccumulator.PartitionerConfig.
    V10,
    /// A consumer without a group that is to commit by itself. Kafka:
    /// ConsumerConfig.maybeOverrideEnableAutoCommit.
    C1,
    /// Heartbeats that are not more frequent than sessions end. Kafka: consumer/internals/Heartbeat.
    C2,
    /// A setting of the other group protocol. Kafka:
    /// ConsumerConfig.checkUnsupportedConfigsPostProcess.
    C3,
    /// A follower's fetch that waits longer than its socket. Kafka: KafkaConfig.validateValues.
    B1,
    /// A follower's fetch that waits longer than the lag that it may have. The same method.
    B2,
    /// A setting of groups of the consumer protocol outside the limits that others set it. Kafka:
    /// GroupCoordinatorConfig.verifyConsumerGroupConfigs.
    B3,
    /// No such key. Kafka only logs these, but for those of topics: LogConfig.validateNames.
    Unknown,
    /// Kafka takes it, the simulator does not.
    Unsupported,
    /// Kafka takes it, the simulator does not yet.
    NotYet,
}

impl Rule {
    /// Its short name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Range => "range",
            Self::Missing => "missing",
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::V3 => "V3",
            Self::V4 => "V4",
            Self::V5 => "V5",
            Self::V8 => "V8",
            Self::V9 => "V9",
            Self::V10 => "V10",
            Self::C1 => "C1",
            Self::C2 => "C2",
            Self::C3 => "C3",
            Self::B1 => "B1",
            Self::B2 => "B2",
            Self::B3 => "B3",
            Self::Unknown => "unknown",
            Self::Unsupported => "unsupported",
            Self::NotYet => "not-yet",
        }
    }
}

/// How a Java client meets the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Raised {
    /// The exception itself, from the making of the configuration: a ConfigException, or an
    /// IllegalArgumentException of a broker's own checks.
    Raw,
    /// A KafkaException from the constructor of the client, caused by a ConfigException.
    Wrapped,
    /// Not at all: the objection is the simulator's.
    Never,
}

/// A setting that an error or a warning is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concerned {
    /// The key.
    pub key: String,
    /// The text that counts: what was written, or the default. Passwords are hidden.
    pub text: String,
    /// Where it was written; `None` if the default counts.
    pub origin: Option<Origin>,
}

impl fmt::Display for Concerned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, text, origin } = self;
        match origin {
            Some(_) if text.is_empty() => write!(f, "{key}=\"\""),
            Some(_) => write!(f, "{key}={text}"),
            None if text.is_empty() => write!(f, "{key} (absent)"),
            None => write!(f, "{key}={text} (default)"),
        }
    }
}

fn write_concerned(f: &mut fmt::Formatter<'_>, settings: &[Concerned]) -> fmt::Result {
    for (index, setting) in settings.iter().enumerate() {
        let before = if index == 0 { "" } else { " with " };
        write!(f, "{before}{setting}")?;
    }
    Ok(())
}

/// A setting that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The rule it breaks.
    pub rule: Rule,
    /// How a Java client would meet it.
    pub raised: Raised,
    /// The settings concerned, the offending one first. Never empty.
    pub settings: Vec<Concerned>,
    /// What would have been right, in one line.
    pub expected: String,
    /// The nearest valid key or value, if the text looks like a slip.
    pub nearest: Option<String>,
    /// What to do about it, as a sentence, where that is not plain.
    pub hint: Option<String>,
}

impl ConfigError {
    /// The offending setting.
    pub fn offending(&self) -> Option<&Concerned> {
        self.settings.first()
    }

    /// The offending key.
    pub fn key(&self) -> &str {
        self.offending().map_or("", |setting| &setting.key)
    }

    /// The offending text.
    pub fn text(&self) -> &str {
        self.offending().map_or("", |setting| &setting.text)
    }

    /// Where the first of the settings that were written stands.
    pub fn origin(&self) -> Option<Origin> {
        self.settings.iter().find_map(|setting| setting.origin)
    }
}

impl fmt::Display for ConfigError {
    /// What was found, then what was expected: `acks=al, expected one of all, -1, 0, 1; did you
    /// mean "all"?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_concerned(f, &self.settings)?;
        write!(f, ", expected {}", self.expected)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean \"{nearest}\"?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WarningKind {
    /// No such key; Kafka logs it and goes on.
    UnknownKey,
    /// The key is set again further on, and this setting does not count.
    Overridden,
    /// Kafka has the key and it changes nothing here.
    WithoutEffect,
    /// An empty class name, which stands for no class here and which Kafka cannot load.
    EmptyClass,
    /// V1, V2: idempotence was switched off without a word, because nobody asked for it.
    IdempotenceDisabled,
    /// V7: `retry.backoff.ms` above its maximum.
    RetryBackoffConstant,
    /// V7: `socket.connection.setup.timeout.ms` above its maximum.
    SetupTimeoutConstant,
    /// V7: `reconnect.backoff.ms` without its maximum.
    ReconnectBackoffConstant,
    /// V9: the default of `delivery.timeout.ms` was too low for the other settings.
    DeliveryTimeoutRaised,
    /// `connections.max.idle.ms` below `max.poll.interval.ms`. Kafka:
    /// ConsumerConfig.warnIfConnectionsMaxIdleMsLowerThanMaxPollIntervalMs.
    IdleDuringRebalance,
    /// `broker.heartbeat.interval.ms` above half of the session. Kafka: KafkaConfig.validateValues.
    HeartbeatTooSlow,
}

/// A setting that stands, with an effect that its author may not expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigWarning {
    /// What it is about.
    pub kind: WarningKind,
    /// The settings concerned, the one that matters first. Never empty.
    pub settings: Vec<Concerned>,
    /// What follows, in one line.
    pub consequence: String,
    /// The nearest key, if the key looks like a slip.
    pub nearest: Option<String>,
}

impl ConfigWarning {
    /// Where the first of the settings that were written stands.
    pub fn origin(&self) -> Option<Origin> {
        self.settings.iter().find_map(|setting| setting.origin)
    }
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_concerned(f, &self.settings)?;
        write!(f, ": {}", self.consequence)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean \"{nearest}\"?"),
            None => Ok(()),
        }
    }
}

/// A configuration that stands, with what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured<C> {
    /// The configuration, complete and adjusted as Kafka adjusts it.
    pub config: C,
    /// In the order of the settings, then in the order of Kafka's checks.
    pub warnings: Vec<ConfigWarning>,
}

impl<C> Configured<C> {
    /// The same, for callers to whom a key that does not exist is an error.
    pub fn strict(self) -> Result<Self, Vec<ConfigError>> {
        let unknown = |warning: &&ConfigWarning| warning.kind == WarningKind::UnknownKey;
        let errors: Vec<_> = self.warnings.iter().filter(unknown).map(unknown_key).collect();
        if errors.is_empty() { Ok(self) } else { Err(errors) }
    }
}

fn unknown_key(warning: &ConfigWarning) -> ConfigError {
    ConfigError {
        rule: Rule::Unknown,
        raised: Raised::Never,
        settings: warning.settings.clone(),
        expected: format!("a known key: {}", warning.consequence),
        nearest: warning.nearest.clone(),
        hint: None,
    }
}
