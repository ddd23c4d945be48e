//! What was written to the partition, as the Java program says it.

use super::ours::{Ours, numbers};
use crate::stand::Found;
use inflight_des::Instant;
use inflight_protocol::config::ServerAssignor;
use inflight_protocol::consumer_group::{AssignedPartitions, ConsumerGroupRecord};
use inflight_protocol::message::RebalanceProtocol;
use inflight_protocol::transaction::GroupMetadataValue;
use inflight_protocol::{InternalRecord, Timestamp, TransactionResult};
use serde_json::{Value, json};

impl Ours {
    pub(super) fn written(&mut self, found: &Found) -> Value {
        match found {
            Found::Marker(pid, result) => {
                let pid = pid.map_or(-1, |pid| pid.get() as i64);
                let commits = *result == TransactionResult::Commit;
                json!(["x", pid, if commits { "commit" } else { "abort" }])
            }
            Found::Record(InternalRecord::Offset(committed), pid) => {
                let pid = pid.map_or(-1, |pid| pid.get() as i64);
                json!(["o", committed.partition.index(), committed.offset.get(), pid])
            }
            Found::Record(InternalRecord::Group(group), _) => self.written_group(group),
            Found::Record(InternalRecord::GroupForgotten(_), _) => json!(["g"]),
            Found::Record(InternalRecord::ConsumerGroup(_, record), _) => {
                self.written_consumers(record)
            }
            other => panic!("{other:?} is not written here"),
        }
    }

    fn written_group(&mut self, group: &GroupMetadataValue) -> Value {
        let protocol = group.protocol.map_or("", |protocol| match protocol {
            RebalanceProtocol::Eager => "range",
            RebalanceProtocol::Cooperative => "cooperative-sticky",
        });
        let leader = group.leader.map_or(-1, |leader| self.number(leader));
        let members = group.members.iter().map(|member| {
            let number = self.number(member.assigned.member);
            let (session, rebalance) = (member.session_timeout_ms, member.rebalance_timeout_ms);
            (number, json!([number, session, rebalance, numbers(&member.assigned.assignment)]))
        });
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|(number, _)| *number);
        let members: Vec<Value> = members.into_iter().map(|(_, member)| member).collect();
        json!(["g", group.generation, protocol, leader, members])
    }

    fn written_consumers(&mut self, record: &ConsumerGroupRecord) -> Value {
        let (mut told, about) = match record {
            ConsumerGroupRecord::Epoch(epoch) => {
                (vec![json!("ce")], epoch.map(|it| vec![json!(it)]))
            }
            ConsumerGroupRecord::Member(id, metadata) => {
                let about = metadata.as_ref().map(|it| {
                    let topics: Vec<u16> = it.topics.iter().map(|topic| topic.get()).collect();
                    let assignor = it.assignor.map(ServerAssignor::word);
                    vec![json!(topics), json!(it.rebalance_timeout_ms), json!(assignor)]
                });
                (vec![json!("cm"), json!(self.number(*id))], about)
            }
            ConsumerGroupRecord::TargetEpoch(target) => {
                let start_ms = Timestamp::at(Instant::START).get();
                let about = target.map(|(epoch, at_ms)| {
                    let since = if at_ms == 0 { -1 } else { at_ms - start_ms };
                    vec![json!(epoch), json!(since)]
                });
                (vec![json!("ct")], about)
            }
            ConsumerGroupRecord::Target(id, target) => {
                let about = target.as_deref().map(|target| vec![json!(numbers(target))]);
                (vec![json!("ca"), json!(self.number(*id))], about)
            }
            ConsumerGroupRecord::Current(id, current) => {
                let about = current.as_ref().map(|it| {
                    let previous = it.previous_epoch.map_or(-1, i64::from);
                    let state = it.state as u8;
                    let (assigned, revoking) = (epochs(&it.assigned), epochs(&it.revoking));
                    vec![json!(it.epoch), json!(previous), json!(state), assigned, revoking]
                });
                (vec![json!("cc"), json!(self.number(*id))], about)
            }
        };
        told.extend(about.unwrap_or_default());
        Value::Array(told)
    }
}

/// Partitions, each with the epoch in which it was assigned.
fn epochs(partitions: &AssignedPartitions) -> Value {
    let pairs = partitions.iter().map(|(partition, epoch)| json!([partition.index(), epoch]));
    Value::Array(pairs.collect())
}
