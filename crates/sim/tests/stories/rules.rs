//! When faults strike: at a time, after a fact, by chance, or when another rule says so.

use crate::bench::*;
use inflight_des::{Delay, Instant, Ratio, Span};
use inflight_protocol::ErrorCode;
use inflight_protocol::config::ProducerConfig;
use inflight_protocol::fact::{FactKind, Value};
use inflight_sim::fault::InjectWhen;
use inflight_sim::fault::{Action, FaultRule, Loss, Pattern, Repeat, Test, When, Who};
use inflight_sim::setup::Setup;

fn scene(faults: impl IntoIterator<Item = FaultRule>) -> Setup {
    let mut setup = ten_records(ProducerConfig::default());
    setup.clients[0].threads[0].messages = 100;
    setup.faults.extend(faults);
    setup
}

fn acked() -> Pattern {
    facts_with(FactKind::RecordsAcked, &[])
}

fn arriving_produce() -> Pattern {
    let tests = [
        ("api", Test::Is(Value::Word("Produce"))),
        ("direction", Test::Is(Value::Word("request"))),
    ];
    facts_with(FactKind::MessageDelivered, &tests)
}

const RESET: Action = Action::Lose { how: Loss::Reset };

#[test]
fn a_rule_may_wait_after_its_fact() {
    let rule = FaultRule { after: ms(7), ..on_nth(2, acked(), kill(broker(3), None)) };
    let run = record(&scene([rule]));
    let second = all(&run, FactKind::RecordsAcked)[1].0;
    assert_eq!(all(&run, FactKind::BrokerCrashed)[0].0.since(second), ms(7));
}

#[test]
fn a_rule_that_repeats_strikes_from_its_nth_fact_on() {
    let response = [
        ("api", Test::Is(Value::Word("Produce"))),
        ("direction", Test::Is(Value::Word("response"))),
    ];
    let pattern = facts_with(FactKind::MessageSent, &response);
    let when = When::Happened { pattern, nth: 3, repeat: Repeat::Always };
    let delay = Action::Delay { by: ms(2) };
    let run = record(&scene([FaultRule { when, after: Span::ZERO, then: vec![delay] }]));
    let responses = all(&run, FactKind::MessageSent)
        .iter()
        .filter(|(_, fact)| word(fact, "api") == "Produce" && word(fact, "direction") == "response")
        .count();
    assert!(responses > 5);
    assert_eq!(count(&run, FactKind::FaultInjected), responses - 2);
}

#[test]
fn random_faults_strike_with_their_odds_as_long_as_clients_work() {
    let when = When::Odds {
        pattern: facts_with(FactKind::MessageSent, &[("api", Test::Is(Value::Word("Produce")))]),
        odds: Ratio::new(1, 4).unwrap(),
        limit: 3,
    };
    let run = record(&scene([FaultRule { when, after: Span::ZERO, then: vec![RESET] }]));
    assert_eq!(count(&run, FactKind::FaultInjected), 3);
    assert_eq!(outcomes(&run), (100, 0));

    let when = When::Every { every: Delay::Constant(ms(30)), limit: 100 };
    let pause = Action::Pause { who: Who::AnyBroker, span: ms(10) };
    let run = record(&scene([FaultRule { when, after: Span::ZERO, then: vec![pause] }]));
    let strikes = all(&run, FactKind::FaultInjected);
    assert!(strikes.len() >= 3, "{strikes:?}");
    assert!(strikes.iter().all(|(at, _)| at.as_nanos() % 30_000_000 == 0));
    let stopped = all(&run, FactKind::ProducerStopped)[0].0;
    assert!(strikes.iter().all(|(at, _)| *at <= stopped));
}

#[test]
fn a_rule_may_wait_for_another() {
    // The second response after the first reset, not the second response of all.
    let response = [
        ("api", Test::Is(Value::Word("Produce"))),
        ("direction", Test::Is(Value::Word("response"))),
    ];
    let pattern = facts_with(FactKind::MessageSent, &response);
    let first = FaultRule {
        when: When::Happened { pattern: pattern.clone(), nth: 3, repeat: Repeat::Once },
        after: Span::ZERO,
        then: vec![RESET, Action::Arm { rule: 1 }],
    };
    let second =
        FaultRule { when: When::Armed { pattern, nth: 2 }, after: Span::ZERO, then: vec![RESET] };
    let run = record(&scene([first, second]));
    assert_eq!(numbers(&run, FactKind::FaultInjected, "fault"), [0, 1]);
    assert_eq!(outcomes(&run), (100, 0));
}

#[test]
fn an_error_instead_of_an_append_or_after_it() {
    for (when, written_before_retry) in
        [(InjectWhen::BeforeAppend, false), (InjectWhen::AfterAppend, true)]
    {
        let error = ErrorCode::NotEnoughReplicasAfterAppend;
        let answer = Action::Answer { error, when, partition: None };
        let run = record(&scene([on_nth(1, arriving_produce(), answer)]));
        assert_eq!(outcomes(&run), (100, 0));
        assert_eq!(count(&run, FactKind::BatchRequeued), 1);
        assert_eq!(count(&run, FactKind::DuplicateRecognized) == 1, written_before_retry);
    }
}

#[test]
fn the_controller_elects_whom_it_is_told() {
    let elect = Action::Elect { partition: P0, leader: Some(broker(3)) };
    let run = record(&scene([at(ms(40), elect)]));
    assert_eq!(numbers(&run, FactKind::LeaderElected, "leader"), [3]);
    assert_eq!(outcomes(&run), (100, 0));
}

#[test]
fn a_slow_disk_slows_the_answers() {
    let slow = Action::SlowDisk { who: Who::LeaderOf(P0), by: ms(80), span: None };
    let run = record(&scene([at(Span::ZERO, slow)]));
    assert!(all(&run, FactKind::RecordsAcked)[0].0 > Instant::START + ms(80));
    assert_eq!(count(&run, FactKind::DiskSlowed), 1);
}

#[test]
fn a_message_lost_on_delivery_rules_is_left_alone() {
    // Losing is for messages that are being sent; one that has arrived has arrived.
    let run = record(&scene([on_nth(1, arriving_produce(), RESET)]));
    assert_eq!(count(&run, FactKind::MessageLost), 0);
    assert_eq!(outcomes(&run), (100, 0));
}

#[test]
fn a_fault_of_a_process_that_is_down_does_nothing() {
    let rules = [at(ms(40), kill(broker(3), None)), at(ms(50), kill(broker(3), None))];
    let run = record(&scene(rules));
    assert_eq!(count(&run, FactKind::BrokerCrashed), 1);
    assert_eq!(count(&run, FactKind::FaultInjected), 2);
}
