//! Our group coordinator plays a script, and says the same as the Java program would.

use super::script::{Beat, Member, Script, Step};
use crate::stand::{OTHER, OURS, Stand};
use inflight_broker::GroupView;
use inflight_des::{Delay, Span};
use inflight_protocol::cluster::Coordinated;
use inflight_protocol::config::{ConsumerGroupConfig, ServerAssignor};
use inflight_protocol::message::{
    ConsumerGroupHeartbeatRequest, GroupIdentity, JoinGroupRequest, MarkerEntry,
    OffsetCommitRequest, OffsetFetchRequest, RebalanceProtocol, SyncGroupRequest,
    TxnOffsetCommitRequest, WriteTxnMarkersRequest,
};
use inflight_protocol::transaction::{
    CONSUMER_OFFSETS_TOPIC, CommittedOffset, CoordinatorEpoch, GroupMember, MemberId,
    TransactionalProducer,
};
use inflight_protocol::{
    BrokerConfig, BrokerId, ClientId, Cluster, ConsumerId, Defects, ErrorCode, GroupId, Offset,
    ProducerEpoch, ProducerId, ProducerIdAndEpoch, Request, Response, TopicConfig, TopicId,
    TopicPartition, Topics, TransactionResult, TransactionVersion, TransactionalId,
};
use serde_json::{Value, json};

const GROUP: GroupId = GroupId::new(0);
/// The partition of `__consumer_offsets`.
const OFFSETS: TopicPartition = TopicPartition::new(7);

/// Our coordinator in the middle of a script.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) stand: Stand,
    /// The names that were given, in that order.
    pub(crate) names: Vec<MemberId>,
    steps: Vec<Value>,
}

fn cluster(load: u64) -> Cluster {
    let config = BrokerConfig {
        replica_lag_time_max: Span::from_secs(10_000_000),
        replica_socket_timeout: Span::from_secs(10_000_000),
        coordinator_load_time: Delay::Constant(Span::from_millis(load)),
        transaction_partition_verification_enable: false,
        consumer_groups: ConsumerGroupConfig { max_size: 5, ..ConsumerGroupConfig::default() },
        ..BrokerConfig::default()
    };
    let mut topics = Topics::new([("t", 3), ("u", 4)]);
    topics.add_sparse(CONSUMER_OFFSETS_TOPIC, &[0]);
    let mut assignments: [&[BrokerId]; 8] = [&[OTHER]; 8];
    assignments[OFFSETS.index()] = &[OURS, OTHER];
    Cluster {
        brokers: 2,
        broker_configs: vec![config; 2],
        topics,
        topic_configs: vec![TopicConfig::default(); 3],
        assignments: assignments.iter().map(|brokers| brokers.iter().copied().collect()).collect(),
        eligible_leader_replicas: true,
        transaction_version: TransactionVersion::V0,
        coordinated: Coordinated {
            transactional_ids: Vec::new(),
            groups: vec![("g".to_owned(), OFFSETS)],
        },
        defects: Defects::NONE,
    }
}

impl Ours {
    /// A coordinator at the beginning of a script, with so many names that members take.
    pub(crate) fn new(load: u64, own: u32) -> Self {
        let mut stand = Stand::new(cluster(load), OFFSETS, &[]);
        stand.wait(Span::from_millis(load));
        let consumers = (0..own as u16).map(ConsumerId::new);
        let names = consumers.map(|it| MemberId::of_consumer(ClientId::new(0), it)).collect();
        Self { stand, names, steps: Vec::new() }
    }

    /// Plays a script from its beginning to its end.
    pub(crate) fn of(script: &Script) -> Self {
        let mut ours = Self::new(script.load, script.own);
        for step in &script.steps {
            ours.play(step);
        }
        ours
    }

    /// The group as the coordinator has it.
    pub(crate) fn group(&self) -> Option<GroupView> {
        self.stand.broker.group(GROUP)
    }

    /// The number of a name, which may be new.
    pub(crate) fn number(&mut self, member: MemberId) -> i32 {
        let known = self.names.iter().position(|name| *name == member);
        let place = known.unwrap_or_else(|| {
            self.names.push(member);
            self.names.len() - 1
        });
        place as i32
    }

    /// The leader of the group, if somebody has joined it in the last step.
    pub(crate) fn told_leader(&self) -> Option<i32> {
        let events = self.steps.last()?.as_array()?;
        let joined = events.iter().rev().find(|event| event.get(6).is_some());
        joined?.get(5)?.as_i64()?.try_into().ok()
    }

    /// Does one step.
    pub(crate) fn play(&mut self, step: &Step) {
        match step {
            Step::Replicate(count) => self.stand.replicate(*count),
            Step::Resign => self.stand.resign(),
            Step::Elect => self.stand.elect(),
            Step::Wait(ms) => self.stand.wait(Span::from_millis(*ms)),
            asking => {
                let request = self.request(asking).expect("all others ask");
                self.stand.wait(Span::from_millis(1));
                self.stand.ask(self.steps.len() as u32, request);
            }
        }
        let found = self.stand.look();
        let mut answers = std::mem::take(&mut self.stand.answers);
        answers.sort_by_key(|(number, _)| *number);
        let mut events: Vec<Value> =
            answers.iter().map(|(number, response)| self.told(*number, response)).collect();
        events.extend(found.iter().map(|found| self.written(found)));
        self.steps.push(Value::Array(events));
    }

    /// The line that the Java program would print.
    pub(crate) fn answer(self) -> Value {
        json!({ "steps": self.steps })
    }

    fn name(&self, number: i32) -> MemberId {
        let ghost = MemberId { client: ClientId::new(0), number: 1_000_000 + number as u32 };
        usize::try_from(number).ok().and_then(|at| self.names.get(at).copied()).unwrap_or(ghost)
    }

    fn identity(&self, (member, generation): Member) -> GroupIdentity {
        let member = (member >= 0).then(|| (self.name(member), generation.max(0) as u32));
        GroupIdentity { group: GROUP, member }
    }

    fn request(&self, step: &Step) -> Option<Request> {
        Some(match step {
            Step::Join(join) => Request::JoinGroup(Box::new(JoinGroupRequest {
                group: GROUP,
                member: (join.member >= 0).then(|| self.name(join.member)),
                session_timeout_ms: join.session_ms,
                rebalance_timeout_ms: join.rebalance_ms,
                protocol: match join.protocol {
                    0 => RebalanceProtocol::Eager,
                    _ => RebalanceProtocol::Cooperative,
                },
                topics: [TopicId::new(0)].into_iter().collect(),
                owned: join.owned.iter().map(|number| TopicPartition::new(*number)).collect(),
                generation: u32::try_from(join.generation).ok(),
            })),
            Step::Sync(member, given) => {
                let given = given.iter().map(|(member, partitions)| GroupMember {
                    member: self.name(*member),
                    assignment: partitions.iter().map(|id| TopicPartition::new(*id)).collect(),
                });
                let identity = self.identity(*member);
                Request::SyncGroup(SyncGroupRequest { identity, assignments: given.collect() })
            }
            Step::Heartbeat(member) => Request::Heartbeat(self.identity(*member)),
            Step::Leave(member) => Request::LeaveGroup(self.identity((*member, 0))),
            Step::Beat(beat) => Request::ConsumerGroupHeartbeat(Box::new(self.beat(beat))),
            Step::Commit(member, offsets) => Request::OffsetCommit(OffsetCommitRequest {
                identity: self.identity(*member),
                offsets: offsets.iter().map(committed).collect(),
            }),
            Step::Fetch(partitions, member) => Request::OffsetFetch(OffsetFetchRequest {
                identity: self.identity(*member),
                partitions: partitions.iter().map(|id| TopicPartition::new(*id)).collect(),
            }),
            Step::Txn(pid, member, offsets) => Request::TxnOffsetCommit(TxnOffsetCommitRequest {
                who: TransactionalProducer {
                    id: TransactionalId::new(0),
                    producer: producer(*pid),
                },
                version: TransactionVersion::V0,
                identity: self.identity(*member),
                offsets: offsets.iter().map(committed).collect(),
            }),
            Step::End(pid, commits) => {
                use TransactionResult::{Abort, Commit};
                let marker = MarkerEntry {
                    producer: producer(*pid),
                    result: if *commits { Commit } else { Abort },
                    coordinator_epoch: CoordinatorEpoch(0),
                    version: TransactionVersion::V0,
                    partitions: [OFFSETS].into_iter().collect(),
                };
                let markers = [marker].into_iter().collect();
                Request::WriteTxnMarkers(WriteTxnMarkersRequest { markers })
            }
            _ => return None,
        })
    }

    fn beat(&self, beat: &Beat) -> ConsumerGroupHeartbeatRequest {
        let topics = beat.topics.as_ref();
        let owned = beat.owned.as_ref();
        ConsumerGroupHeartbeatRequest {
            group: GROUP,
            member: self.name(beat.member),
            epoch: u32::try_from(beat.epoch).ok(),
            rebalance_timeout_ms: u32::try_from(beat.rebalance_ms).ok(),
            topics: topics.map(|list| list.iter().map(|id| TopicId::new(*id)).collect()),
            assignor: beat.assignor.as_deref().and_then(ServerAssignor::from_word),
            owned: owned.map(|list| list.iter().map(|id| TopicPartition::new(*id)).collect()),
        }
    }

    /// What was answered in the last step, each with the number of the step that asked.
    pub(crate) fn answers(&self) -> Vec<(u32, Value)> {
        let events = self.steps.last().and_then(Value::as_array).cloned().unwrap_or_default();
        let answers = events.into_iter().filter(|event| event[0] == "a");
        answers.map(|answer| (answer[1].as_u64().unwrap_or_default() as u32, answer)).collect()
    }

    fn told(&mut self, number: u32, response: &Response) -> Value {
        let mut told = vec![json!("a"), json!(number)];
        match response {
            Response::JoinGroup(response) => {
                told.push(json!(name(response.error)));
                if response.error == Some(ErrorCode::MemberIdRequired) {
                    let member = response.member.expect("a name comes with it");
                    told.push(json!(self.number(member)));
                } else if response.error.is_none() {
                    let member = response.member.expect("a member has a name");
                    told.push(json!(self.number(member)));
                    told.push(json!(response.generation));
                    told.push(response.leader.map_or(json!(-1), |id| json!(self.number(id))));
                    let members = response.members.iter().map(|joined| joined.member);
                    let mut members: Vec<_> = members.map(|id| self.number(id)).collect();
                    members.sort_unstable();
                    told.push(json!(members));
                }
            }
            Response::SyncGroup(response) => {
                told.push(json!(name(response.error)));
                if response.error.is_none() {
                    told.push(json!(numbers(&response.assignment)));
                }
            }
            Response::ConsumerGroupHeartbeat(response) => {
                told.push(json!(name(response.error)));
                if response.error.is_none() {
                    told.push(response.epoch.map_or(json!(-1), |epoch| json!(epoch)));
                    told.push(json!(response.heartbeat_interval_ms));
                    told.push(json!(response.assignment.as_deref().map(numbers)));
                }
            }
            Response::Heartbeat(error) | Response::LeaveGroup(error) => {
                told.push(json!(name(*error)));
            }
            Response::OffsetCommit(response) | Response::TxnOffsetCommit(response) => {
                told.extend(response.partitions.iter().map(|(_, error)| json!(name(*error))));
            }
            Response::OffsetFetch(response) => match response.error {
                Some(error) => told.push(json!(error.name())),
                None => told.extend(response.partitions.iter().map(|(_, found)| match found {
                    Ok(Some(committed)) => json!(committed.offset.get()),
                    Ok(None) => json!(-1),
                    Err(error) => json!(error.name()),
                })),
            },
            Response::WriteTxnMarkers(response) => {
                told.extend(response.results.iter().map(|(.., error)| json!(name(*error))));
            }
            other => panic!("{other:?} is not an answer of a group coordinator"),
        }
        Value::Array(told)
    }
}

fn committed((partition, offset): &(u16, u64)) -> CommittedOffset {
    CommittedOffset {
        group: GROUP,
        partition: TopicPartition::new(*partition),
        offset: Offset::new(*offset),
        leader_epoch: None,
    }
}

const fn producer(pid: u64) -> ProducerIdAndEpoch {
    ProducerIdAndEpoch { id: ProducerId::new(pid), epoch: ProducerEpoch::new(0) }
}

fn name(error: Option<ErrorCode>) -> &'static str {
    error.map_or("NONE", ErrorCode::name)
}

pub(super) fn numbers(partitions: &[TopicPartition]) -> Vec<usize> {
    partitions.iter().map(|partition| partition.index()).collect()
}
