//! Processes that stand still: garbage collection, SIGSTOP, a virtual machine that moves.

use crate::bench::*;
use inflight_des::Instant;
use inflight_protocol::config::ProducerConfig;
use inflight_protocol::fact::{Fact, FactKind, Value};
use inflight_sim::fault::{Action, Who};

fn by(fact: &Fact, broker: Value) -> bool {
    matches!(fact.kind(), FactKind::BatchAppended | FactKind::HighWatermarkAdvanced)
        && field(fact, "broker") == broker
}

#[test]
fn a_broker_does_nothing_while_it_stands_still_and_goes_on_with_what_came() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.faults.push(append_by_leader(1, Action::Pause { who: Who::Subject, span: ms(700) }));
    let run = record(&setup);
    let paused = all(&run, FactKind::BrokerPaused)[0];
    let resumed = all(&run, FactKind::BrokerResumed)[0];
    assert_eq!(resumed.0.since(paused.0), ms(700));
    let who = field(&paused.1, "broker");
    let meanwhile = run
        .observer
        .facts()
        .iter()
        .filter(|(at, fact)| *at > paused.0 && *at < resumed.0 && by(fact, who));
    assert_eq!(meanwhile.count(), 0);
    assert_eq!(outcomes(&run), (10, 0));
    assert_eq!(count(&run, FactKind::LeaderElected), 0, "shorter than the session timeout");
}

#[test]
fn a_leader_that_stood_still_for_too_long_finds_another_in_its_place() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.faults.push(append_by_leader(1, Action::Pause { who: Who::Subject, span: ms(15_000) }));
    let run = record(&setup);
    assert_eq!(count(&run, FactKind::LeaderElected), 1);
    assert_eq!(count(&run, FactKind::BrokerFenced), 1);
    assert_eq!(count(&run, FactKind::BrokerUnfenced), 1);
    assert_eq!(outcomes(&run), (10, 0));
    assert!(run.settled);
}

#[test]
fn pauses_add_up() {
    let mut setup = ten_records(ProducerConfig::default());
    for start in [10, 15] {
        setup.faults.push(at(ms(start), Action::Pause { who: broker(1), span: ms(100) }));
    }
    let run = record(&setup);
    let appends = all(&run, FactKind::BatchAppended);
    let between = |(at, fact): &&(Instant, Fact)| {
        field(fact, "broker") == Value::Number(1)
            && (Instant::START + ms(11)..Instant::START + ms(115)).contains(at)
    };
    assert_eq!(appends.iter().filter(between).count(), 0);
    assert_eq!(outcomes(&run), (10, 0));
}

#[test]
fn a_producer_stands_still_with_its_application() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.faults.push(at(ms(5), Action::Pause { who: P1, span: ms(1_000) }));
    let run = record(&setup);
    let queued = all(&run, FactKind::RecordsQueued);
    let resumed = all(&run, FactKind::ProducerResumed)[0].0;
    assert!(queued.iter().all(|(at, _)| *at < Instant::START + ms(6) || *at >= resumed));
    assert_eq!(outcomes(&run), (10, 0));
}

#[test]
fn a_process_that_is_killed_while_it_stands_still_does_not_go_on() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.faults.push(at(ms(5), Action::Pause { who: broker(3), span: ms(1_000) }));
    setup.faults.push(at(ms(500), kill(broker(3), None)));
    let run = record(&setup);
    assert_eq!(count(&run, FactKind::BrokerResumed), 0);
    assert_eq!(outcomes(&run), (10, 0));
}
