//! Every kind has a sentence, and the sentences read well.

use super::*;
use crate::description::{ClientDescription, Description, TopicDescription};
use expect_test::{Expect, expect};
use inflight_des::Instant;
use inflight_protocol::fact::*;
use inflight_protocol::ids::*;
use inflight_protocol::{ErrorCode, Sequence};

fn namer() -> Namer {
    let client = |name: &str| ClientDescription { name: name.to_owned(), ..Default::default() };
    let description = Description {
        clients: vec![client("p1"), client("p2")],
        topics: vec![TopicDescription {
            name: "orders".to_owned(),
            replicas: vec![vec![1, 2, 3]],
            numbers: Vec::new(),
            min_insync_replicas: 2,
            unclean_leader_election_enable: false,
        }],
        ..Description::default()
    };
    let start = |client, session| {
        let (client, session) = (ClientId::new(client), SessionId::new(session));
        (Instant::START, Fact::ProducerStarted { client, session })
    };
    Namer::of(&description, &[start(0, 0), start(1, 1), start(0, 2)])
}

fn check(fact: Fact, expected: Expect) {
    expected.assert_eq(&sentence(&fact, &namer()));
}

#[test]
fn the_table_has_every_kind_once_and_in_order() {
    let kinds: Vec<_> = table::SENTENCES.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, FactKind::ALL);
}

#[test]
fn no_sentence_shows_a_word_where_it_replaces_others() {
    // A template that replaces some words of a set replaces each that can be there.
    for (kind, template) in table::SENTENCES {
        for hole in template.split('{').skip(1) {
            let hole = hole.split('}').next().unwrap();
            let Some((field, words)) = hole.split_once(':') else { continue };
            let spec = kind.fields().iter().find(|spec| spec.name == field).unwrap();
            let FieldType::Word(all) = spec.field_type else { panic!("{field} is no word") };
            let known: Vec<&str> =
                words.split(',').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
            // A producer's batches come from clients, markers from coordinators.
            let unused: &[&str] = match kind {
                FactKind::BatchAppended => &["coordinator"],
                _ => &[],
            };
            for word in all.iter().filter(|word| !unused.contains(word)) {
                assert!(known.contains(word), "{} {field}: {word}", kind.name());
            }
        }
    }
}

#[test]
fn templates_name_fields_that_exist() {
    const RUNS: [(&str, &str); 5] = [
        ("records", "first"),
        ("messages", "message"),
        ("offsets", "base_offset"),
        ("sequences", "sequence"),
        ("raised_epoch", "producer_epoch"),
    ];
    for (kind, template) in table::SENTENCES {
        for hole in template.split('{').skip(1) {
            let field = hole.split(['}', '|', ':']).next().unwrap();
            let field = RUNS.iter().find(|(run, _)| *run == field).map_or(field, |(_, f)| f);
            let known = kind.fields().iter().any(|spec| spec.name == field);
            assert!(known, "{} has no {field}", kind.name());
        }
    }
}

#[test]
fn sentences_read_well() {
    let (broker, partition) = (BrokerId::new(1), TopicPartition::new(0));
    check(
        Fact::BatchAppended {
            broker,
            partition,
            base_offset: Offset::new(3),
            count: 3,
            session: SessionId::new(0),
            first: 3,
            leader_epoch: LeaderEpoch::new(0),
            producer_id: None,
            producer_epoch: None,
            sequence: None,
            origin: AppendOrigin::Client,
        },
        expect![
            "broker 1 appended records 3..5 of p1 to orders-0 at offsets 3..5 (leader epoch 0)"
        ],
    );
    let again = Fact::BatchAppended {
        broker,
        partition,
        base_offset: Offset::new(3),
        count: 1,
        session: SessionId::new(0),
        first: 3,
        leader_epoch: LeaderEpoch::new(0),
        producer_id: Some(ProducerId::new(1000)),
        producer_epoch: Some(ProducerEpoch::new(1)),
        sequence: Some(Sequence::ZERO),
        origin: AppendOrigin::Client,
    };
    check(
        again,
        expect![
            "broker 1 appended record 3 of p1 to orders-0 at offset 3 (leader epoch 0, producer epoch 1, sequence 0)"
        ],
    );
    let renumbered = |from| Fact::SequenceRewritten {
        session: SessionId::new(0),
        partition,
        batch: BatchId::new(0),
        first: 0,
        count: 1,
        from: Sequence::new(from).unwrap(),
        to: Sequence::ZERO,
        producer_epoch: ProducerEpoch::new(1),
    };
    check(
        renumbered(2),
        expect!["p1 numbered record 0 of orders-0 anew: sequence 0 instead of 2, producer epoch 1"],
    );
    check(
        renumbered(0),
        expect!["p1 gave record 0 of orders-0 producer epoch 1, sequence 0 as before"],
    );
    check(
        Fact::BatchDrained {
            session: SessionId::new(2),
            partition,
            batch: BatchId::new(0),
            first: 7,
            count: 1,
            bytes: 100,
            broker,
            correlation: CorrelationId::new(4),
            attempt: 1,
            sequence: Some(Sequence::ZERO),
            producer_epoch: Some(ProducerEpoch::new(0)),
            reason: DrainReason::Retry,
        },
        expect!["p1 (2nd session) sent record 7 of orders-0 to broker 1, 2nd attempt, sequence 0"],
    );
    check(
        Fact::IsrChanged {
            partition,
            from: [1, 2, 3].map(BrokerId::new).into_iter().collect(),
            to: [2].map(BrokerId::new).into_iter().collect(),
            elr: BrokerSet::EMPTY,
            partition_epoch: PartitionEpoch::new(4),
        },
        expect!["the in-sync replicas of orders-0 are {2} instead of {1,2,3}"],
    );
    check(
        Fact::IsrChanged {
            partition,
            from: BrokerSet::EMPTY,
            to: BrokerSet::EMPTY,
            elr: [2].map(BrokerId::new).into_iter().collect(),
            partition_epoch: PartitionEpoch::new(5),
        },
        expect!["the eligible leader replicas of orders-0 are {2}, the in-sync ones none"],
    );
    check(
        Fact::LeaderElected {
            partition,
            leader: None,
            leader_epoch: LeaderEpoch::new(2),
            election: Election::None,
        },
        expect![
            "the controller made nobody leader of orders-0 (leader epoch 2, no replica could be chosen)"
        ],
    );
    check(
        Fact::RecordsFailed {
            session: SessionId::new(9),
            partition: TopicPartition::new(5),
            batch: BatchId::new(0),
            first: 0,
            count: 2,
            error: SendError::Code(ErrorCode::NotEnoughReplicas),
        },
        expect!["session 9 was told that records 0..1 of #5 failed: NOT_ENOUGH_REPLICAS"],
    );
}

#[test]
fn positions_are_counted_as_people_do() {
    let names = [0, 1, 2, 3, 10, 11, 12, 20, 21, 110].map(ordinal);
    assert_eq!(
        names,
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "111th"]
    );
    assert_eq!(range("record", 3, 0), "no records");
}
