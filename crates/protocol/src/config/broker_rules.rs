//! The checks of one setting of a broker against another. Kafka: KafkaConfig.validateValues.

use super::broker_keys::consumer_groups::ASSIGNORS;
use super::broker_keys::{FLUSH_INTERVAL, FLUSH_SCHEDULER};
use super::error::{Raised, Rule, WarningKind};
use super::kind::trim;
use super::reading::{Reading, Words};
use super::{ConsumerGroupConfig, ServerAssignor, ServerAssignors, ServerConfig};

const FETCH_WAIT: &str = "replica.fetch.wait.max.ms";
const SOCKET_TIMEOUT: &str = "replica.socket.timeout.ms";
const LAG: &str = "replica.lag.time.max.ms";
const HEARTBEAT: &str = "broker.heartbeat.interval.ms";
const SESSION: &str = "broker.session.timeout.ms";

/// Makes every check, and the adjustments that go with them.
pub(super) fn apply(reading: &mut Reading<'_, ServerConfig>) {
    let broker = &reading.config.broker;
    let wait = broker.replica_fetch_wait_max;
    let (socket, lag) = (broker.replica_socket_timeout, broker.replica_lag_time_max);
    let (heartbeat, session) = (broker.broker_heartbeat_interval, broker.broker_session_timeout);
    let scheduler = broker.log_flush_scheduler_interval;
    if reading.are_sound(&[FETCH_WAIT, SOCKET_TIMEOUT]) && wait > socket {
        let words = Words::expected("at most replica.socket.timeout.ms")
            .hint("Otherwise a follower gives up a fetch that its leader still holds.");
        reading.refuse(Rule::B1, Raised::Raw, &[FETCH_WAIT, SOCKET_TIMEOUT], words);
    }
    if reading.are_sound(&[FETCH_WAIT, LAG]) && wait > lag {
        let words = Words::expected("at most replica.lag.time.max.ms")
            .hint("Otherwise followers leave and join the in-sync set all the time.");
        reading.refuse(Rule::B2, Raised::Raw, &[FETCH_WAIT, LAG], words);
    }
    let keys = [HEARTBEAT, SESSION];
    if reading.are_sound(&keys) && heartbeat.times(2) > session {
        let consequence = "more than half of the session, so one late heartbeat can fence a broker";
        reading.warn(WarningKind::HeartbeatTooSlow, &keys, consequence.to_owned());
    }
    if !reading.is_set(FLUSH_INTERVAL) && reading.is_set(FLUSH_SCHEDULER) {
        reading.config.topic.flush_interval = scheduler;
    }
    consumer_group_limits(reading);
    consumer_group_assignors(reading);
}

/// B3. Kafka: GroupCoordinatorConfig.verifyConsumerGroupConfigs.
fn consumer_group_limits(reading: &mut Reading<'_, ServerConfig>) {
    let ConsumerGroupConfig {
        session_timeout_ms: session,
        min_session_timeout_ms: min_session,
        max_session_timeout_ms: max_session,
        heartbeat_interval_ms: heartbeat,
        min_heartbeat_interval_ms: min_heartbeat,
        max_heartbeat_interval_ms: max_heartbeat,
        assignment_interval_ms: assignment,
        min_assignment_interval_ms: min_assignment,
        max_assignment_interval_ms: max_assignment,
        ..
    } = reading.config.broker.consumer_groups;
    let limits = [
        ("heartbeat.interval.ms", heartbeat, min_heartbeat, max_heartbeat),
        ("session.timeout.ms", session, min_session, max_session),
        ("assignment.interval.ms", assignment, min_assignment, max_assignment),
    ];
    for (name, value, least, most) in limits {
        let key = format!("group.consumer.{name}");
        let low = format!("group.consumer.min.{name}");
        let high = format!("group.consumer.max.{name}");
        at_least(reading, (&high, most), (&low, least));
        at_least(reading, (&key, value), (&low, least));
        if reading.are_sound(&[&key, &high]) && value > most {
            let words = Words::expected(format!("at most {high}"));
            reading.refuse(Rule::B3, Raised::Raw, &[&key, &high], words);
        }
    }
    let keys = ["group.consumer.heartbeat.interval.ms", "group.consumer.session.timeout.ms"];
    if reading.are_sound(&keys) && heartbeat >= session {
        let words = Words::expected("less than group.consumer.session.timeout.ms");
        reading.refuse(Rule::B3, Raised::Raw, &keys, words);
    }
}

/// Refuses a value that is below another one.
fn at_least(reading: &mut Reading<'_, ServerConfig>, one: (&str, u32), other: (&str, u32)) {
    let keys = [one.0, other.0];
    if reading.are_sound(&keys) && one.1 < other.1 {
        let words = Words::expected(format!("at least {}", other.0))
            .hint(format!("Lower {} as well, or leave both.", other.0));
        reading.refuse(Rule::B3, Raised::Raw, &keys, words);
    }
}

/// Only the assignors that come with Kafka are there.
fn consumer_group_assignors(reading: &mut Reading<'_, ServerConfig>) {
    let Some(text) = reading.text(ASSIGNORS) else { return };
    let list: Vec<&str> = text.split(',').map(trim).collect();
    if list.iter().enumerate().any(|(place, name)| list[..place].contains(name)) {
        let words = Words::expected("each assignor once");
        return reading.refuse(Rule::Range, Raised::Raw, &[ASSIGNORS], words);
    }
    if list.iter().any(|name| ServerAssignor::from_word(name).is_none()) {
        let words = Words::expected("uniform and range: others are not supported");
        return reading.refuse(Rule::Unsupported, Raised::Never, &[ASSIGNORS], words);
    }
    let assignors = ServerAssignors::of(&list).unwrap_or_default();
    reading.config.broker.consumer_groups.assignors = assignors;
}
