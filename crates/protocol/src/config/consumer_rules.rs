//! The checks of one setting of a consumer against another, in Kafka's order.
//!
//! The order is that of `new KafkaConsumer`: the keys one by one (ConfigDef.parse),
//! ConsumerConfig.postProcessParsedConfig (V7, C1, C3), and then the constructor's own (C2).

use super::consumer_keys::{COOPERATIVE_STICKY, RANGE, REMOTE_ASSIGNOR};
use super::error::{Raised, Rule, WarningKind};
use super::kind::trim;
use super::nearest;
use super::reading::{Reading, Words};
use super::{AssignmentStrategy, ConsumerConfig, GroupProtocol, ServerAssignor};

const GROUP: &str = "group.id";
const PROTOCOL: &str = "group.protocol";
const RESET: &str = "auto.offset.reset";
const AUTO_COMMIT: &str = "enable.auto.commit";
const SESSION_TIMEOUT: &str = "session.timeout.ms";
const HEARTBEAT_INTERVAL: &str = "heartbeat.interval.ms";
const STRATEGY: &str = "partition.assignment.strategy";
const MAX_IDLE: &str = "connections.max.idle.ms";
const MAX_POLL_INTERVAL: &str = "max.poll.interval.ms";
const RETRY_BACKOFF: &str = "retry.backoff.ms";
const RETRY_BACKOFF_MAX: &str = "retry.backoff.max.ms";
const RECONNECT_BACKOFF: &str = "reconnect.backoff.ms";
const RECONNECT_BACKOFF_MAX: &str = "reconnect.backoff.max.ms";
const SETUP_TIMEOUT: &str = "socket.connection.setup.timeout.ms";
const SETUP_TIMEOUT_MAX: &str = "socket.connection.setup.timeout.max.ms";

type Consumer<'s> = Reading<'s, ConsumerConfig>;

/// Makes every check, and the adjustments that go with them.
pub(super) fn apply(reading: &mut Consumer<'_>) {
    offset_reset(reading);
    strategy(reading);
    remote_assignor(reading);
    backoffs(reading);
    auto_commit(reading);
    other_protocol(reading);
    idle_connections(reading);
    heartbeats(reading);
}

/// Kafka: AutoOffsetResetStrategy.Validator.
fn offset_reset(reading: &mut Consumer<'_>) {
    let Some(text) = reading.text(RESET) else { return };
    if ["latest", "earliest", "none"].contains(&text) {
        return;
    }
    if text.starts_with("by_duration:") {
        let words = Words::expected("latest, earliest or none: no search by time here");
        return reading.refuse(Rule::Unsupported, Raised::Never, &[RESET], words);
    }
    let mut words = Words::expected("latest, earliest, none or by_duration:<duration>");
    if let Some(near) = nearest::word(text, ["latest", "earliest", "none"].into_iter()) {
        words = words.nearest(near);
    }
    reading.refuse(Rule::Range, Raised::Raw, &[RESET], words);
}

/// Only two assignors are there. Kafka: ConsumerPartitionAssignor.getAssignorInstances.
fn strategy(reading: &mut Consumer<'_>) {
    let Some(text) = reading.text(STRATEGY) else { return };
    let list: Vec<&str> = text.split(',').map(trim).filter(|class| !class.is_empty()).collect();
    if list.iter().enumerate().any(|(place, class)| list[..place].contains(class)) {
        let words = Words::expected("each class once");
        return reading.refuse(Rule::Range, Raised::Raw, &[STRATEGY], words);
    }
    let strategy = match list[..] {
        [RANGE] | [RANGE, COOPERATIVE_STICKY] => AssignmentStrategy::Range,
        [COOPERATIVE_STICKY] => AssignmentStrategy::CooperativeSticky,
        _ => {
            let words = Words::expected(format!(
                "{RANGE}, {COOPERATIVE_STICKY}, or both in this order: others are not supported"
            ));
            return reading.refuse(Rule::Unsupported, Raised::Never, &[STRATEGY], words);
        }
    };
    reading.config.partition_assignment_strategy = strategy;
}

/// Only the assignors that come with Kafka are there. In Kafka the coordinator refuses others.
fn remote_assignor(reading: &mut Consumer<'_>) {
    let Some(text) = reading.text(REMOTE_ASSIGNOR) else { return };
    if ServerAssignor::from_word(text).is_none() {
        let words = Words::expected("uniform or range: others are not supported");
        reading.refuse(Rule::Unsupported, Raised::Never, &[REMOTE_ASSIGNOR], words);
    }
}

/// V7. Kafka: CommonClientConfigs.warnDisablingExponentialBackoff and
/// postProcessReconnectBackoffConfigs.
fn backoffs(reading: &mut Consumer<'_>) {
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
    let is_alone = reading.is_set(RECONNECT_BACKOFF) && !reading.is_set(RECONNECT_BACKOFF_MAX);
    if is_alone && reading.are_sound(&[RECONNECT_BACKOFF]) {
        let constant = reading.config.reconnect_backoff_ms;
        reading.config.reconnect_backoff_max_ms = constant;
        let keys = [RECONNECT_BACKOFF, RECONNECT_BACKOFF_MAX];
        let consequence = format!("every reconnection waits {constant} ms, without growth");
        reading.warn(WarningKind::ReconnectBackoffConstant, &keys, consequence);
    }
}

/// C1. Kafka: ConsumerConfig.maybeOverrideEnableAutoCommit.
fn auto_commit(reading: &mut Consumer<'_>) {
    if reading.config.group_id.is_some() || !reading.are_sound(&[AUTO_COMMIT]) {
        return;
    }
    if reading.says_yes(AUTO_COMMIT) {
        let words = Words::expected("false for a consumer without a group")
            .hint("Set group.id, or take out enable.auto.commit.");
        return reading.refuse(Rule::C1, Raised::Raw, &[AUTO_COMMIT, GROUP], words);
    }
    reading.config.enable_auto_commit = false;
}

/// C3. Kafka: ConsumerConfig.checkUnsupportedConfigsPostProcess.
fn other_protocol(reading: &mut Consumer<'_>) {
    if reading.config.group_protocol == GroupProtocol::Classic {
        if reading.is_set(REMOTE_ASSIGNOR) {
            let words = Words::expected("no such setting with the classic protocol")
                .hint("Set group.protocol=consumer, or partition.assignment.strategy instead.");
            reading.refuse(Rule::C3, Raised::Raw, &[REMOTE_ASSIGNOR, PROTOCOL], words);
        }
        return;
    }
    for key in [STRATEGY, HEARTBEAT_INTERVAL, SESSION_TIMEOUT] {
        if reading.is_set(key) {
            let words = Words::expected("no such setting with the consumer protocol")
                .hint(format!("Take out {key}: the coordinator's settings count."));
            reading.refuse(Rule::C3, Raised::Raw, &[key, PROTOCOL], words);
        }
    }
}

/// Kafka: ConsumerConfig.warnIfConnectionsMaxIdleMsLowerThanMaxPollIntervalMs.
fn idle_connections(reading: &mut Consumer<'_>) {
    let keys = [MAX_IDLE, MAX_POLL_INTERVAL];
    let config = &reading.config;
    let (idle, interval) = (config.connections_max_idle_ms, config.max_poll_interval_ms);
    let is_classic = config.group_protocol == GroupProtocol::Classic;
    if is_classic && reading.are_sound(&keys) && (0..interval).contains(&idle) {
        let consequence = "the connection to the coordinator may be closed during a rebalance";
        reading.warn(WarningKind::IdleDuringRebalance, &keys, consequence.to_owned());
    }
}

/// C2. Kafka: the constructor of Heartbeat. Only a consumer with a group has one.
fn heartbeats(reading: &mut Consumer<'_>) {
    let keys = [HEARTBEAT_INTERVAL, SESSION_TIMEOUT];
    let config = &reading.config;
    let is_slow = config.heartbeat_interval_ms >= config.session_timeout_ms;
    if config.group_id.is_some() && reading.are_sound(&keys) && is_slow {
        let words = Words::expected("less than session.timeout.ms")
            .hint("Lower heartbeat.interval.ms to a third of session.timeout.ms.");
        reading.refuse(Rule::C2, Raised::Wrapped, &keys, words);
    }
}
