//! The vocabulary holds together.

use super::*;
use crate::ids::*;
use std::collections::BTreeSet;

#[test]
fn a_fact_is_small() {
    assert!(size_of::<Fact>() <= 64, "{}", size_of::<Fact>());
}

#[test]
fn there_is_a_bit_for_each_kind_and_a_name_for_each_bit() {
    assert!(FactKind::ALL.len() <= 128);
    let names: BTreeSet<_> = FactKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), FactKind::ALL.len());
    for kind in FactKind::ALL {
        assert_eq!(FactKind::from_name(kind.name()), Some(*kind));
        assert!(kind.doc().ends_with('.'), "{} has no sentence", kind.name());
        for field in kind.fields() {
            assert!(field.doc.ends_with('.'), "{}.{}", kind.name(), field.name);
        }
    }
    assert_eq!(FactKind::from_name("Nonsense"), None);
}

#[test]
fn a_fact_is_rebuilt_from_its_fields() {
    let facts = [
        Fact::BatchAppended {
            broker: BrokerId::new(2),
            partition: TopicPartition::new(3),
            base_offset: Offset::new(17),
            count: 4,
            session: SessionId::new(1),
            first: 9,
            leader_epoch: LeaderEpoch::new(5),
            producer_id: Some(ProducerId::new(1_000)),
            producer_epoch: Some(ProducerEpoch::new(0)),
            sequence: Sequence::new(9),
            origin: AppendOrigin::Replication,
        },
        Fact::RecordsFailed {
            session: SessionId::new(0),
            partition: TopicPartition::new(0),
            batch: BatchId::new(3),
            first: 0,
            count: 1,
            error: SendError::DeliveryTimeout,
        },
        Fact::LeaderElected {
            partition: TopicPartition::new(0),
            leader: None,
            leader_epoch: LeaderEpoch::new(1),
            election: Election::None,
        },
        Fact::RunEnded { halt: Halt::Quiescent },
    ];
    for fact in facts {
        let mut fields = Vec::new();
        fact.for_each_field(|name, value| fields.push((name, value)));
        for (index, (name, value)) in fields.iter().enumerate() {
            assert_eq!(fact.field(index), Some(*value));
            assert_eq!(fact.kind().fields()[index].name, *name);
        }
        assert_eq!(fact.field(fields.len()), None);
        let rebuilt = Fact::from_fields(fact.kind(), |name, _| {
            fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
        });
        assert_eq!(rebuilt, Ok(fact));
    }
}

#[test]
fn a_missing_or_wrong_field_is_named() {
    let kind = FactKind::BrokerCrashed;
    let missing = Fact::from_fields(kind, |_, _| None);
    assert_eq!(missing, Err("broker"));
    let wrong = Fact::from_fields(kind, |name, _| {
        Some(if name == "broker" { Value::Number(1) } else { Value::Word("partly") })
    });
    assert_eq!(wrong, Err("surviving"));
}

#[test]
fn broker_numbers_out_of_range_are_refused() {
    for number in [-1, 0, 65, 1_000] {
        assert_eq!(BrokerId::from_value(Value::Number(number)), None);
    }
}
