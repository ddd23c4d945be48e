//! The checks of one setting of a broker against another. Kafka: KafkaConfig.validateValues.

use super::ServerConfig;
use super::broker_keys::{FLUSH_INTERVAL, FLUSH_SCHEDULER};
use super::error::{Raised, Rule, WarningKind};
use super::reading::{Reading, Words};

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
}
