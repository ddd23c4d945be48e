//! The keys of a broker that matter to groups. Kafka: GroupCoordinatorConfig.

use super::K;
use crate::config::keys::Whole;
use crate::config::kind::{Kind, Range};
use inflight_des::Span;

pub(super) static KEYS: &[K] = &[
    millis!(
        K::new(
            "offsets.commit.timeout.ms",
            Kind::Int(Range::at_least(1)),
            "5000",
            "How long a commit may wait until its offsets are replicated."
        ),
        offsets_commit_timeout
    ),
    millis!(
        K::new(
            "group.initial.rebalance.delay.ms",
            Kind::Int(Range::useful_from(0)),
            "3000",
            "How long the first member of a group waits for others."
        ),
        group_initial_rebalance_delay
    ),
    number!(
        K::new(
            "group.min.session.timeout.ms",
            Kind::Int(Range::useful_from(0)),
            "6000",
            "The shortest session.timeout.ms that a member may have."
        ),
        group_min_session_timeout_ms
    ),
    number!(
        K::new(
            "group.max.session.timeout.ms",
            Kind::Int(Range::useful_from(0)),
            "1800000",
            "The longest session.timeout.ms that a member may have."
        ),
        group_max_session_timeout_ms
    ),
    number!(
        K::new(
            "group.max.size",
            Kind::Int(Range::at_least(1)),
            "2147483647",
            "How many members a group may have."
        ),
        group_max_size
    ),
];
