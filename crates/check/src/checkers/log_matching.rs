//! W1, log matching: two replicas are equal below the lower of their high watermarks.
//!
//! After an unclean election or a loss logs may differ for a while; then only the end counts.

use super::incidents;
use crate::history::History;
use crate::incident::Incident;
use crate::promise::Armed;
use crate::verdict::{Aspect, CheckerId, FactRef, Judgement, Verdict};
use inflight_des::Halt;
use inflight_protocol::FactKind;
use inflight_protocol::ids::TopicPartition;

const CHECKER: CheckerId = CheckerId::LogMatching;

pub(super) fn check(history: &History, into: &mut Judgement) {
    into.examined(CHECKER, history.examined.watermarks);
    for incident in incidents(history, CHECKER) {
        let armed = incident.armed.unwrap_or(super::ALWAYS);
        into.add_incident(incident, armed, armed.verdict());
    }
    for (index, partition) in history.partitions.iter().enumerate() {
        let armed = partition.committed_armed();
        if matches!(armed, Armed::Promised(_)) || history.told.halt != Some(Halt::Quiescent) {
            continue;
        }
        let running = partition.logs.replicas().filter(|(_, replica)| !replica.is_down);
        if let Some(offset) = running.filter_map(|(broker, _)| partition.mismatch(broker)).min() {
            let (last, at) = (history.facts().saturating_sub(1), history.told.until);
            let end = FactRef { index: last, at, kind: FactKind::RunEnded };
            let name = TopicPartition::new(index as u16);
            let incident: Incident = end.incident(CHECKER, Aspect::NotConverged, name);
            into.add_incident(&incident.at_offset(offset), armed, Verdict::Possible);
        }
    }
}
