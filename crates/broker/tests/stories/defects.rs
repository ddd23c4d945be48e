//! Rules that are broken on purpose: each switch breaks its rule and nothing else.

use crate::harness::*;
use inflight_protocol::fact::{Election, Surviving};
use inflight_protocol::{
    Acks, Cluster, Defect, ErrorCode, Fact, Node, Request, Response, TopicConfig,
};

fn with(defect: Defect, cluster: Cluster) -> World {
    let defects = cluster.defects.with(defect);
    let mut world = World::new(Cluster { defects, ..cluster });
    world.run_for(ms(1_000));
    world
}

#[test]
fn a_broker_that_forgets_duplicates_appends_them() {
    let mut world = with(Defect::ForgetDuplicates, three(2));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 0, 2)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 0, 2)), (0, 2));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 7, 1)), (45, 0));
}

#[test]
fn a_broker_that_ignores_sequences_accepts_a_gap() {
    let mut world = with(Defect::IgnoreSequences, three(2));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 0, 2)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 7, 1)), (0, 2));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 7, 1)), (0, 2), "a duplicate");
}

#[test]
fn a_leader_that_acks_too_early_does_not_wait_for_anybody() {
    let mut world = with(Defect::AckBeforeHighWatermark, three(2));
    world.isolate(2);
    world.isolate(3);
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 1)), (0, 0));
    assert_eq!(world.offsets(1), (1, 0));
}

#[test]
fn a_follower_that_truncates_to_its_high_watermark_cuts_what_is_committed() {
    for (defect, cut) in [(Defect::TruncateToHighWatermark, 1), (Defect::RequeueOutOfOrder, 0)] {
        let mut world = with(defect, three(2));
        world.produce_now(1, Acks::All, batch(0, 0, 3));
        world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(2))));
        world.run_for(ms(100));
        let cuts = world.found(|fact| match fact {
            Fact::LogTruncated { broker, .. } if broker.get() == 3 => Some(()),
            _ => None,
        });
        assert_eq!(cuts.len(), cut, "{defect:?}");
    }
}

#[test]
fn a_leader_out_of_sync_is_elected_as_if_it_were_not() {
    let mut world = with(Defect::ElectOutOfSync, three(1));
    world.isolate(3);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1, 2])));
    world.produce_now(1, Acks::All, batch(0, 0, 3));
    world.cut(Node::Broker(b(3)), Node::Controller);
    world.heal();
    world.crash(1, Surviving::Appended);
    // Broker 3 is back and behind when the leader is found to be dead.
    world.cut(Node::Broker(b(3)), Node::Broker(b(2)));
    world.run_until_so(|world| world.controller.partition(P0).leader != Some(b(1)));
    let elected = world.found(|fact| match fact {
        Fact::LeaderElected { leader, election, .. } => {
            Some((leader.map(|id| id.get()), *election))
        }
        _ => None,
    });
    assert_eq!(elected.last().unwrap().1, (Some(3), Election::Clean));
}

#[test]
fn a_follower_that_skips_batches_claims_to_have_them() {
    let mut world = with(Defect::SkipReplication, three(2));
    for first in 0..4 {
        assert_eq!(world.produce_now(1, Acks::All, batch(0, first, 1)), (0, first));
    }
    assert_eq!(world.log(1).len(), 4);
    assert_eq!(world.log(2), [(0, 0, 1), (0, 2, 1)]);
    assert_eq!(world.offsets(2).0, 4);
}

#[test]
fn a_recovered_log_without_producer_state_takes_a_duplicate() {
    let mut world = with(Defect::LoseProducerState, cluster(1, 1, 1, TopicConfig::default()));
    world.produce_now(1, Acks::All, idempotent(9, 0, 0, 2));
    world.crash(1, Surviving::Appended);
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 0, 2)), (0, 2));
}

#[test]
fn a_broker_that_repeats_producer_ids_gives_everybody_the_same() {
    let mut world = with(Defect::RepeatProducerIds, three(2));
    let connection = world.connect(2);
    let asked = [0, 1].map(|_| {
        world.request(
            connection,
            Request::InitProducerId(inflight_protocol::message::InitProducerIdRequest::default()),
        )
    });
    world.run_for(ms(100));
    for correlation in asked {
        let Response::InitProducerId(Ok(given)) = world.answer(correlation).unwrap().1 else {
            panic!("an id is given");
        };
        assert_eq!(given.id.get(), 1_000);
    }
}

#[test]
fn a_broker_that_fails_after_the_append_has_stored_the_batch() {
    let mut world = with(Defect::FailAfterAppend, three(2));
    let (code, _) = world.produce_now(1, Acks::All, batch(0, 0, 1));
    assert_eq!(code, ErrorCode::UnknownServerError.number());
    assert_eq!(world.offsets(1).0, 1);
}

#[test]
fn a_broker_that_acks_without_an_append_has_stored_nothing() {
    let mut world = with(Defect::AckWithoutAppend, three(2));
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 1)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 1, 1)), (0, 0));
    assert_eq!(world.offsets(1).0, 0);
}

#[test]
fn two_sessions_find_their_records_under_each_others_name() {
    let mut world = with(Defect::SwapPayload, three(2));
    world.produce_now(1, Acks::All, batch(0, 0, 1));
    world.produce_now(1, Acks::All, batch(1, 0, 1));
    world.produce_now(1, Acks::All, batch(0, 1, 1));
    assert_eq!(world.log(1), [(1, 0, 1), (0, 0, 1), (1, 1, 1)]);
}
