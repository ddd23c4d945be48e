//! Runs in which nothing goes wrong.

use crate::bench::*;
use inflight_des::Halt;
use inflight_des::{Instant, Script, Seed};
use inflight_protocol::Offset;
use inflight_protocol::config::ProducerConfig;
use inflight_protocol::fact::FactKind;
use inflight_protocol::message::Acks;
use inflight_sim::Stepper;
use inflight_sim::setup::{Ending, Style};

fn without_idempotence(acks: Acks) -> ProducerConfig {
    ProducerConfig { acks, enable_idempotence: false, ..ProducerConfig::default() }
}

#[test]
fn every_record_is_acked_and_on_every_replica() {
    let setup = ten_records(ProducerConfig::default());
    let run = record(&setup);
    assert_eq!((run.halt, run.settled), (Halt::Quiescent, true));
    assert_eq!(outcomes(&run), (10, 0));
    assert_eq!(count(&run, FactKind::ProducerStopped), 1);

    let mut stepper = Stepper::new(&setup, Seed::new(1), &Script::default(), ());
    while stepper.step().is_some() {}
    for broker in stepper.world().brokers() {
        let replica = broker.replica(P0).unwrap();
        assert_eq!(replica.log_end, Offset::new(10));
        assert_eq!(replica.high_watermark, Offset::new(10), "the run waits for it to spread");
    }
}

#[test]
fn with_acks_all_the_ack_comes_after_the_followers_have_the_record() {
    let run = record(&ten_records(ProducerConfig::default()));
    let acked = all(&run, FactKind::RecordsAcked)[0].0;
    let appends = all(&run, FactKind::BatchAppended);
    let of_first: Vec<Instant> = appends
        .iter()
        .filter(|(_, fact)| field(fact, "base_offset") == field(&appends[0].1, "base_offset"))
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(of_first.len(), 3);
    assert!(of_first.iter().all(|at| *at < acked));
}

#[test]
fn with_acks_1_the_ack_does_not_wait_for_them() {
    let mut setup = ten_records(without_idempotence(Acks::Leader));
    setup.clients[0].threads[0].messages = 1;
    let run = record(&setup);
    let acked = all(&run, FactKind::RecordsAcked)[0].0;
    let appends = all(&run, FactKind::BatchAppended);
    assert!(appends[0].0 < acked && appends[2].0 >= acked, "{acked} {appends:?}");
}

#[test]
fn with_acks_0_there_is_no_response() {
    let run = record(&ten_records(without_idempotence(Acks::None)));
    assert_eq!(outcomes(&run), (10, 0));
    let words = all(&run, FactKind::MessageSent);
    let produce = words.iter().filter(|(_, fact)| word(fact, "api") == "Produce");
    assert!(produce.clone().count() > 0);
    for (_, fact) in produce {
        assert_eq!(word(fact, "direction"), "request");
    }
}

#[test]
fn a_synchronous_application_has_one_record_out_at_a_time() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.clients[0].threads[0].style = Style::Sync;
    let run = record(&setup);
    assert_eq!(numbers(&run, FactKind::BatchDrained, "count"), [1; 10]);
    let sent = all(&run, FactKind::RecordsQueued);
    let acked = all(&run, FactKind::RecordsAcked);
    for (next, ack) in sent[1..].iter().zip(&acked) {
        assert!(next.0 >= ack.0);
    }
}

#[test]
fn a_process_that_exits_without_close_loses_what_was_not_sent() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.clients[0].threads[0].ending = Ending::Exit;
    let run = record(&setup);
    let (acked, failed) = outcomes(&run);
    assert!(acked + failed < 10, "nobody is told of {acked} {failed}");
    assert_eq!(word(&all(&run, FactKind::ProducerStopped)[0].1, "how"), "exited");
}

#[test]
fn close_and_flush_wait_for_everything() {
    for ending in [Ending::Close, Ending::Flush] {
        let mut setup = ten_records(ProducerConfig::default());
        setup.clients[0].threads[0].ending = ending;
        assert_eq!(outcomes(&record(&setup)), (10, 0));
    }
}
