//! The checks of one setting of a producer against another, in Kafka's order.
//!
//! The order is that of `new KafkaProducer`: ProducerConfig.appendSerializerToConfig (V8), the keys
//! one by one (ConfigDef.parse), ProducerConfig.postProcessParsedConfig (V7, V1 to V5), and then
//! the constructor's own (V9, V11, V10). V11, that the bootstrap servers can be resolved, has no
//! meaning without name service. V8 is apart in [`missing`], because an application may hand over
//! its serializers and its bootstrap servers in code.

use super::ProducerConfig;
use super::error::{Concerned, ConfigError, Raised, Rule, WarningKind};
use super::kind::trim;
use super::nearest;
use super::producer_keys::ROUND_ROBIN;
use super::reading::{Reading, Words};
use super::settings::Settings;

/// The most requests in flight with idempotence: a broker remembers that many batches of a
/// producer. Kafka: ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION_FOR_IDEMPOTENCE.
pub const IN_FLIGHT_MAX_FOR_IDEMPOTENCE: u32 = 5;

const ACKS: &str = "acks";
const IDEMPOTENCE: &str = "enable.idempotence";
const RETRIES: &str = "retries";
const IN_FLIGHT: &str = "max.in.flight.requests.per.connection";
const LINGER: &str = "linger.ms";
const DELIVERY_TIMEOUT: &str = "delivery.timeout.ms";
const REQUEST_TIMEOUT: &str = "request.timeout.ms";
const RETRY_BACKOFF: &str = "retry.backoff.ms";
const RETRY_BACKOFF_MAX: &str = "retry.backoff.max.ms";
const RECONNECT_BACKOFF: &str = "reconnect.backoff.ms";
const RECONNECT_BACKOFF_MAX: &str = "reconnect.backoff.max.ms";
const SETUP_TIMEOUT: &str = "socket.connection.setup.timeout.ms";
const SETUP_TIMEOUT_MAX: &str = "socket.connection.setup.timeout.max.ms";
const TRANSACTIONAL_ID: &str = "transactional.id";
const TRANSACTION_TIMEOUT: &str = "transaction.timeout.ms";
const TWO_PHASE_COMMIT: &str = "transaction.two.phase.commit.enable";
const PARTITIONER: &str = "partitioner.class";
const RACK_AWARE: &str = "partitioner.rack.aware";
const RACK: &str = "client.rack";

type Producer<'s> = Reading<'s, ProducerConfig>;

/// Makes every check, and the adjustments that go with them.
pub(super) fn apply(reading: &mut Producer<'_>) {
    constant_backoffs(reading);
    reconnect_backoff(reading);
    let idempotence = idempotence(reading);
    transactions(reading, idempotence);
    partitioner(reading);
    delivery_timeout(reading);
    rack(reading);
}

/// V7, first half. Kafka: CommonClientConfigs.warnDisablingExponentialBackoff.
fn constant_backoffs(reading: &mut Producer<'_>) {
    let config = &reading.config;
    let retry = (config.retry_backoff_ms, config.retry_backoff_max_ms);
    let setup =
        (config.socket_connection_setup_timeout_ms, config.socket_connection_setup_timeout_max_ms);
    let keys = [RETRY_BACKOFF, RETRY_BACKOFF_MAX];
    if reading.are_sound(&keys) && retry.0 > retry.1 {
        let consequence = format!("every retry waits {} ms, without growth", retry.1);
        reading.warn(WarningKind::RetryBackoffConstant, &keys, consequence);
    }
    let keys = [SETUP_TIMEOUT, SETUP_TIMEOUT_MAX];
    if reading.are_sound(&keys) && setup.0 > setup.1 {
        let consequence = format!("every attempt to connect may take {} ms", setup.1);
        reading.warn(WarningKind::SetupTimeoutConstant, &keys, consequence);
    }
}

/// V7, second half. Kafka: CommonClientConfigs.postProcessReconnectBackoffConfigs.
fn reconnect_backoff(reading: &mut Producer<'_>) {
    if !reading.is_set(RECONNECT_BACKOFF) || reading.is_set(RECONNECT_BACKOFF_MAX) {
        return;
    }
    if !reading.are_sound(&[RECONNECT_BACKOFF]) {
        return;
    }
    let constant = reading.config.reconnect_backoff_ms;
    reading.config.reconnect_backoff_max_ms = constant;
    let keys = [RECONNECT_BACKOFF, RECONNECT_BACKOFF_MAX];
    let consequence = format!("every reconnection waits {constant} ms, without growth");
    reading.warn(WarningKind::ReconnectBackoffConstant, &keys, consequence);
}

/// Whether batches will be idempotent, as far as the settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idempotence {
    On,
    /// Because of this key.
    Off(&'static str),
    Unclear,
}

/// V1, V2, V3. Kafka: ProducerConfig.postProcessAndValidateIdempotenceConfigs.
fn idempotence(reading: &mut Producer<'_>) -> Idempotence {
    if !reading.are_sound(&[IDEMPOTENCE]) {
        return Idempotence::Unclear;
    }
    if !reading.config.enable_idempotence {
        return Idempotence::Off(IDEMPOTENCE);
    }
    let no_retries = reading.are_sound(&[RETRIES]) && reading.config.retries == 0;
    let few_acks = reading.are_sound(&[ACKS]) && reading.config.acks != crate::message::Acks::All;
    let asked_for = reading.is_set(IDEMPOTENCE);
    if no_retries {
        let words = Words::expected("at least one retry for an idempotent producer")
            .hint("Raise retries, or set enable.idempotence=false.");
        needed_for_idempotence(reading, Rule::V1, RETRIES, words);
    }
    if few_acks {
        let words = Words::expected("acks=all for an idempotent producer")
            .hint("Set acks=all, or set enable.idempotence=false.");
        needed_for_idempotence(reading, Rule::V2, ACKS, words);
    }
    let in_flight = reading.config.max_in_flight_requests_per_connection;
    if reading.are_sound(&[IN_FLIGHT]) && in_flight > IN_FLIGHT_MAX_FOR_IDEMPOTENCE {
        let most = IN_FLIGHT_MAX_FOR_IDEMPOTENCE;
        let words = Words::expected(format!("at most {most} for an idempotent producer"))
            .hint(format!("Set it to {most} or less, or set enable.idempotence=false."));
        reading.refuse(Rule::V3, Raised::Raw, &[IN_FLIGHT, IDEMPOTENCE], words);
    }
    if !asked_for && (no_retries || few_acks) {
        reading.config.enable_idempotence = false;
        return Idempotence::Off(if few_acks { ACKS } else { RETRIES });
    }
    let sound = reading.are_sound(&[RETRIES, ACKS]);
    if sound { Idempotence::On } else { Idempotence::Unclear }
}

/// What idempotence needs and does not have: an error if somebody asked for idempotence, and the
/// end of it without a word if nobody did.
fn needed_for_idempotence(reading: &mut Producer<'_>, rule: Rule, key: &'static str, words: Words) {
    let keys = [key, IDEMPOTENCE];
    if reading.is_set(IDEMPOTENCE) {
        return reading.refuse(rule, Raised::Raw, &keys, words);
    }
    let consequence = "idempotence is switched off, so retries can duplicate and reorder";
    reading.warn(WarningKind::IdempotenceDisabled, &keys, consequence.to_owned());
}

/// V4, V5. The same method.
fn transactions(reading: &mut Producer<'_>, idempotence: Idempotence) {
    let transactional = reading.text(TRANSACTIONAL_ID).is_some();
    if let (true, Idempotence::Off(cause)) = (transactional, idempotence) {
        let keys = [TRANSACTIONAL_ID, cause];
        let words = Words::expected("idempotence for a transactional producer")
            .hint("Take out what switches idempotence off, or transactional.id.");
        reading.refuse(Rule::V4, Raised::Raw, &keys, words);
    }
    if reading.says_yes(TWO_PHASE_COMMIT) && reading.is_set(TRANSACTION_TIMEOUT) {
        let keys = [TRANSACTION_TIMEOUT, TWO_PHASE_COMMIT];
        let words = Words::expected("no timeout for transactions in two phases")
            .hint("Take out transaction.timeout.ms: such transactions do not expire.");
        reading.refuse(Rule::V5, Raised::Raw, &keys, words);
    }
}

/// The classes that 4.0 deleted: their logic is what a producer does without a class.
const DELETED: [&str; 2] = [
    "org.apache.kafka.clients.producer.internals.DefaultPartitioner",
    "org.apache.kafka.clients.producer.UniformStickyPartitioner",
];

/// Only the partitioners that are there can be named; a class of the user's own is a table.
fn partitioner(reading: &mut Producer<'_>) {
    let class = match reading.text(PARTITIONER) {
        None | Some("" | ROUND_ROBIN) => return,
        Some(class) => class,
    };
    if DELETED.contains(&class) {
        let words = Words::expected("no class: this one is gone since kafka 4.0")
            .hint("Take out partitioner.class: the producer's own logic has replaced it.");
        return reading.refuse(Rule::Range, Raised::Raw, &[PARTITIONER], words);
    }
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    let round_robin = nearest::word(simple, ["RoundRobinPartitioner"].into_iter());
    let mut words = Words::expected(format!(
        "no class or {ROUND_ROBIN}: others are not supported; use the scenario's partitioner table"
    ));
    if round_robin.is_some() {
        words = words.nearest(ROUND_ROBIN);
    }
    reading.refuse(Rule::Unsupported, Raised::Never, &[PARTITIONER], words);
}

/// V9. Kafka: KafkaProducer.configureDeliveryTimeout.
fn delivery_timeout(reading: &mut Producer<'_>) {
    let keys = [DELIVERY_TIMEOUT, LINGER, REQUEST_TIMEOUT];
    if !reading.are_sound(&keys) {
        return;
    }
    let config = &reading.config;
    let least = (config.linger_ms + config.request_timeout_ms).min(i32::MAX.into());
    if config.delivery_timeout_ms >= least {
        return;
    }
    if reading.is_set(DELIVERY_TIMEOUT) {
        let words = Words::expected(format!("at least linger.ms + request.timeout.ms, {least}"))
            .hint(format!("Raise delivery.timeout.ms to {least} or more, or take it out."));
        return reading.refuse(Rule::V9, Raised::Wrapped, &keys, words);
    }
    reading.config.delivery_timeout_ms = least;
    let consequence = format!("delivery.timeout.ms is raised to {least}");
    reading.warn(WarningKind::DeliveryTimeoutRaised, &keys, consequence);
}

/// V10. Kafka: RecordAccumulator.PartitionerConfig.
fn rack(reading: &mut Producer<'_>) {
    let blank = reading.text(RACK).is_none_or(|rack| rack.trim().is_empty());
    if reading.says_yes(RACK_AWARE) && blank {
        let words = Words::expected("a client.rack").hint("Set client.rack.");
        reading.refuse(Rule::V10, Raised::Wrapped, &[RACK, RACK_AWARE], words);
    }
}

/// V8, and the one key without a default: what a Java client must also be given, in settings or in
/// code. Kafka: ProducerConfig.appendSerializerToConfig, ConfigDef.parseValue.
pub(super) fn missing(settings: &Settings) -> Vec<ConfigError> {
    let required = [
        ("key.serializer", Rule::V8, "the class of a serializer"),
        ("value.serializer", Rule::V8, "the class of a serializer"),
        ("bootstrap.servers", Rule::Missing, "a list of brokers"),
    ];
    let absent = required.into_iter().filter(|(key, ..)| settings.get(key).is_none());
    let error = |(key, rule, expected): (&'static str, Rule, &str)| ConfigError {
        rule,
        raised: Raised::Raw,
        settings: vec![Concerned { key: key.to_owned(), text: String::new(), origin: None }],
        expected: expected.to_owned(),
        nearest: near(settings, key),
        hint: None,
    };
    absent.map(error).collect()
}

/// The setting that was perhaps meant to be `key`.
fn near(settings: &Settings, key: &'static str) -> Option<String> {
    let meant = |text: &str| nearest::key(text, [key].into_iter()).is_some();
    settings.iter().map(|setting| trim(&setting.key)).find(|text| meant(text)).map(str::to_owned)
}
