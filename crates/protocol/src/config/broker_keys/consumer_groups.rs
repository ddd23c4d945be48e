//! The keys of a broker that matter to groups of the consumer protocol.
//! Kafka: GroupCoordinatorConfig.

use super::K;
use crate::config::ServerAssignors;
use crate::config::keys::Whole;
use crate::config::kind::{Elements, Kind, Range};

/// The key that lists the assignors.
pub(in crate::config) const ASSIGNORS: &str = "group.consumer.assignors";

/// How a number becomes the field of the same name.
macro_rules! number {
    ($name:literal, $least:literal, $default:literal, $field:ident, $doc:literal) => {
        K::new($name, Kind::Int(Range::at_least($least)), $default, $doc).number(
            |c| c.broker.consumer_groups.$field.number(),
            |c, n| c.broker.consumer_groups.$field = Whole::of(n),
        )
    };
}

pub(super) static KEYS: &[K] = &[
    number!(
        "group.consumer.session.timeout.ms",
        1,
        "45000",
        session_timeout_ms,
        "How long the coordinator waits for a heartbeat before it removes a member."
    ),
    number!(
        "group.consumer.min.session.timeout.ms",
        1,
        "45000",
        min_session_timeout_ms,
        "The shortest group.consumer.session.timeout.ms that there may be."
    ),
    number!(
        "group.consumer.max.session.timeout.ms",
        1,
        "60000",
        max_session_timeout_ms,
        "The longest group.consumer.session.timeout.ms that there may be."
    ),
    number!(
        "group.consumer.heartbeat.interval.ms",
        1,
        "5000",
        heartbeat_interval_ms,
        "How long after a heartbeat the next one is due."
    ),
    number!(
        "group.consumer.min.heartbeat.interval.ms",
        1,
        "5000",
        min_heartbeat_interval_ms,
        "The shortest group.consumer.heartbeat.interval.ms that there may be."
    ),
    number!(
        "group.consumer.max.heartbeat.interval.ms",
        1,
        "15000",
        max_heartbeat_interval_ms,
        "The longest group.consumer.heartbeat.interval.ms that there may be."
    ),
    number!(
        "group.consumer.max.size",
        1,
        "2147483647",
        max_size,
        "How many members a group of the consumer protocol may have."
    ),
    number!(
        "group.consumer.assignment.interval.ms",
        0,
        "1000",
        assignment_interval_ms,
        "How long after a target assignment the next one may be computed."
    ),
    number!(
        "group.consumer.min.assignment.interval.ms",
        0,
        "0",
        min_assignment_interval_ms,
        "The shortest group.consumer.assignment.interval.ms that there may be."
    ),
    number!(
        "group.consumer.max.assignment.interval.ms",
        0,
        "15000",
        max_assignment_interval_ms,
        "The longest group.consumer.assignment.interval.ms that there may be."
    ),
    K::new(
        ASSIGNORS,
        Kind::List(Elements::AtLeastOne),
        "uniform,range",
        "Which assignors the coordinator has; the first one is used if no member names one.",
    )
    .word(
        |c| c.broker.consumer_groups.assignors.words(),
        // Of a list that is not one of these the rules complain.
        |c, words| {
            let names: Vec<&str> = words.split(',').map(str::trim).collect();
            c.broker.consumer_groups.assignors = ServerAssignors::of(&names).unwrap_or_default();
        },
    ),
];
