//! Facts that no run can have are judged all the same: a file may hold anything.

use super::*;
use crate::judge_recording;
use inflight_des::{Instant, Span};
use inflight_protocol::fact::{FieldType, SendError, Value};
use inflight_protocol::ids::{BrokerId, BrokerSet, ClientId, ConnectionId, Node, TopicPartition};
use inflight_protocol::{ErrorCode, Fact, FactKind, GroupId, TransactionalId};
use proptest::prelude::*;

/// A value of a field's type. Numbers are small or as large as they get.
fn value(field: FieldType, word: u64, within: u64) -> Value {
    let pick = |count: usize| (word / 7 % count as u64) as usize;
    let broker = BrokerId::new((word % 4) as u8 + 1);
    match field {
        FieldType::Number | FieldType::OptionalNumber => {
            let small = word % 7;
            let number = if word.is_multiple_of(11) { within - small } else { small };
            Value::Number(number as i64)
        }
        FieldType::Broker | FieldType::OptionalBroker => Value::Number(i64::from(broker.get())),
        FieldType::Word(words) => Value::Word(words[pick(words.len())]),
        FieldType::Error | FieldType::OptionalError => {
            Value::Word(ErrorCode::ALL[pick(ErrorCode::ALL.len())].name())
        }
        FieldType::SendError | FieldType::OptionalSendError => {
            Value::Word(SendError::LOCAL[pick(SendError::LOCAL.len())].name())
        }
        FieldType::Transactional => Value::Transactional(TransactionalId::new((word % 2) as u16)),
        FieldType::Group | FieldType::OptionalGroup => {
            Value::Group(GroupId::new((word % 2) as u16))
        }
        FieldType::Partition => Value::Partition(TopicPartition::new((word % 3) as u16)),
        FieldType::Client => Value::Client(ClientId::new((word % 3) as u16)),
        FieldType::Node => Value::Node(Node::Broker(broker)),
        FieldType::Brokers => Value::Brokers(BrokerSet::from_bits(word % 16)),
        FieldType::Connection => {
            let owner = Node::Client(ClientId::new((word % 3) as u16));
            Value::Connection(ConnectionId { owner, number: (word % 5) as u32 })
        }
        FieldType::Span => Value::Span(Span::from_nanos(word)),
    }
}

/// A fact of a kind made of random words: the largest numbers that its fields can hold, or small
/// ones.
fn fact(kind: FactKind, words: &[u64]) -> Fact {
    const LARGEST: [u64; 5] =
        [i64::MAX as u64, u32::MAX as u64, i32::MAX as u64, u16::MAX as u64, i16::MAX as u64];
    let mut limits: Vec<(&str, usize)> = Vec::new();
    loop {
        let mut next = words.iter().cycle();
        let built = Fact::from_fields(kind, |name, field| {
            let limit = limits.iter().find(|(known, _)| *known == name).map_or(0, |(_, at)| *at);
            Some(value(field, *next.next().unwrap(), LARGEST[limit]))
        });
        match built {
            Ok(fact) => return fact,
            Err(name) => match limits.iter_mut().find(|(known, _)| *known == name) {
                Some((_, limit)) => *limit += 1,
                None => limits.push((name, 1)),
            },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_facts_are_judged_and_explained(
        facts in proptest::collection::vec(
            (0..FactKind::ALL.len(), proptest::collection::vec(any::<u64>(), 12)),
            0..120,
        ),
    ) {
        let facts: Vec<_> = facts
            .into_iter()
            .enumerate()
            .map(|(at, (kind, words))| {
                (Instant::from_nanos(at as u64), fact(FactKind::ALL[kind], &words))
            })
            .collect();
        let report = judge_recording(&Script::new().description, &facts);
        let decided = report.judgement.findings.len().min(100);
        prop_assert_eq!(report.explanations.len(), decided);
    }
}
