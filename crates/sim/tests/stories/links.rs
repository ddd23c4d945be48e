//! Links that are cut, slow or lossy, and messages that are taken away.

use crate::bench::*;
use inflight_des::{Delay, Instant, Ratio, Span};
use inflight_net::LossMode;
use inflight_protocol::Fact;
use inflight_protocol::config::ProducerConfig;
use inflight_protocol::fact::{FactKind, Value};
use inflight_sim::Run;
use inflight_sim::fault::{Action, FaultRule, Loss, Pattern, Test, Ways};
use inflight_sim::setup::Setup;
use inflight_trace::Recorder;
use std::collections::BTreeMap;

fn impatient() -> ProducerConfig {
    ProducerConfig { request_timeout_ms: 1_000, ..ProducerConfig::default() }
}

fn produce(direction: &'static str) -> Pattern {
    let tests = [
        ("api", Test::Is(Value::Word("Produce"))),
        ("direction", Test::Is(Value::Word(direction))),
    ];
    facts_with(FactKind::MessageSent, &tests)
}

fn with_fault(config: ProducerConfig, fault: FaultRule) -> Setup {
    let mut setup = ten_records(config);
    setup.faults.push(fault);
    setup
}

/// What was sent and what arrived, in order, of each connection and direction.
fn traffic(run: &Run<Recorder>, kind: FactKind) -> BTreeMap<String, Vec<Value>> {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (_, fact) in all(run, kind) {
        let line = format!("{:?} {}", field(&fact, "connection"), word(&fact, "direction"));
        lists.entry(line).or_default().push(field(&fact, "correlation"));
    }
    lists
}

#[test]
fn what_is_sent_on_a_connection_arrives_in_order_whatever_the_delays() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.clients[0].threads[0].messages = 400;
    setup.network.links.delay = Delay::Uniform { low: Span::from_micros(10), high: ms(20) };
    let run = record(&setup);
    let sent = traffic(&run, FactKind::MessageSent);
    let delivered = traffic(&run, FactKind::MessageDelivered);
    let mut busy = 0;
    for (line, sent) in &sent {
        let arrived = delivered.get(line).map_or(&[][..], Vec::as_slice);
        assert_eq!(arrived, &sent[..arrived.len()], "{line}");
        busy += usize::from(arrived.len() > 10);
    }
    assert!(busy > 0, "some connection was busy");
    assert_eq!(outcomes(&run), (400, 0));
}

#[test]
fn a_lost_response_with_a_reset_is_followed_by_a_retry_that_is_recognised() {
    let lose = Action::Lose { how: Loss::Reset };
    let run = record(&with_fault(ProducerConfig::default(), on_nth(1, produce("response"), lose)));
    let lost = all(&run, FactKind::MessageLost);
    assert_eq!(word(&lost[0].1, "why"), "fault");
    assert_eq!(count(&run, FactKind::DuplicateRecognized), 1);
    assert_eq!(outcomes(&run), (10, 0));
}

#[test]
fn a_lost_request_with_a_reset_is_sent_again() {
    let lose = Action::Lose { how: Loss::Reset };
    let run = record(&with_fault(ProducerConfig::default(), on_nth(1, produce("request"), lose)));
    assert_eq!(count(&run, FactKind::DuplicateRecognized), 0);
    assert_eq!(outcomes(&run), (10, 0));
}

#[test]
fn behind_a_silent_loss_nothing_arrives_until_the_request_times_out() {
    let lose = Action::Lose { how: Loss::Silence };
    let run = record(&with_fault(impatient(), on_nth(1, produce("response"), lose)));
    let lost = all(&run, FactKind::MessageLost)[0].0;
    let closed = all(&run, FactKind::ConnectionClosed);
    let timeout = closed.iter().find(|(_, fact)| word(fact, "why") == "request-timeout").unwrap();
    let waited = timeout.0.since(lost);
    assert!((ms(950)..ms(1_005)).contains(&waited), "{waited}");
    let connection = field(&timeout.1, "connection");
    let through = all(&run, FactKind::MessageDelivered).into_iter().filter(|(at, fact)| {
        (lost..timeout.0).contains(at)
            && field(fact, "connection") == connection
            && word(fact, "direction") == "response"
    });
    assert_eq!(through.count(), 0, "TCP delivers nothing behind a hole");
    assert_eq!(outcomes(&run), (10, 0));
}

#[test]
fn in_drop_mode_a_lost_message_leaves_the_connection_alone() {
    let lose = Action::Lose { how: Loss::Silence };
    let mut setup = with_fault(impatient(), on_nth(1, produce("response"), lose));
    setup.network.mode = LossMode::Drop;
    let run = record(&setup);
    let lost = all(&run, FactKind::MessageLost)[0];
    let later = all(&run, FactKind::MessageDelivered).into_iter().filter(|(at, fact)| {
        *at > lost.0 && field(fact, "connection") == field(&lost.1, "connection")
    });
    assert!(later.count() > 0);
}

#[test]
fn a_delayed_message_delays_what_is_behind_it() {
    let delay = Action::Delay { by: ms(300) };
    let run = record(&with_fault(ProducerConfig::default(), on_nth(1, produce("response"), delay)));
    let first_ack = all(&run, FactKind::RecordsAcked)[0].0;
    assert!(first_ack > Instant::START + ms(300));
    assert_eq!(outcomes(&run), (10, 0));
}

#[test]
fn a_cut_holds_messages_back_and_loses_none() {
    let cut = Action::Cut { from: Some(P1), to: None, ways: Ways::Both, span: Some(ms(400)) };
    let run = record(&with_fault(ProducerConfig::default(), at(ms(5), cut)));
    assert_eq!(count(&run, FactKind::MessageLost), 0);
    assert_eq!(outcomes(&run), (10, 0));
    let healed = all(&run, FactKind::LinkHealed)[0].0;
    assert_eq!(healed, Instant::START + ms(405));
    for (at, fact) in all(&run, FactKind::MessageDelivered) {
        let client =
            Value::Node(inflight_protocol::Node::Client(inflight_protocol::ClientId::new(0)));
        if [field(&fact, "from"), field(&fact, "to")].contains(&client) {
            assert!(at < Instant::START + ms(6) || at >= healed, "{at}");
        }
    }
}

#[test]
fn in_drop_mode_a_cut_loses_what_is_sent_into_it() {
    let cut = Action::Cut { from: Some(P1), to: None, ways: Ways::Both, span: Some(ms(400)) };
    let mut setup = with_fault(impatient(), at(ms(30), cut));
    setup.network.mode = LossMode::Drop;
    setup.clients[0].threads[0].messages = 100;
    let run = record(&setup);
    assert!(count(&run, FactKind::MessageLost) > 0);
    assert_eq!(word(&all(&run, FactKind::MessageLost)[0].1, "why"), "cut");
    assert_eq!(outcomes(&run), (100, 0));
}

#[test]
fn a_cut_is_directed() {
    // Requests get through, responses do not: the broker appends and the client hears nothing.
    let cut =
        Action::Cut { from: Some(broker(1)), to: Some(P1), ways: Ways::One, span: Some(ms(3_000)) };
    let mut setup = with_fault(impatient(), append_by_leader(1, cut));
    setup.clients[0].threads[0].messages = 1;
    let run = record(&setup);
    assert_eq!(count(&run, FactKind::LinkCut), 1);
    assert_eq!(outcomes(&run), (1, 0));
    assert!(count(&run, FactKind::DuplicateRecognized) > 0, "the retry found the first attempt");
}

#[test]
fn loss_becomes_delay() {
    let mut setup = ten_records(ProducerConfig::default());
    let lossless = record(&setup).end;
    setup.network.links.loss = Ratio::new(1, 10).unwrap();
    let run = record(&setup);
    assert_eq!(count(&run, FactKind::MessageLost), 0);
    assert_eq!(outcomes(&run), (10, 0));
    assert!(run.end > lossless);
}

#[test]
fn a_slow_link_is_slow_for_a_while() {
    let slow = Action::Slow {
        from: Some(P1),
        to: None,
        ways: Ways::Both,
        by: ms(50),
        span: Some(ms(500)),
    };
    let run = record(&with_fault(ProducerConfig::default(), at(Span::ZERO, slow)));
    // Connection, ApiVersions, metadata, producer id, connection, ApiVersions, produce: round trips.
    assert!(all(&run, FactKind::RecordsAcked)[0].0 > Instant::START + ms(500));
    let last = all(&run, FactKind::LinkSlowed);
    assert_eq!(last.last().map(|(at, _)| *at), Some(Instant::START + ms(500)));
}

#[test]
fn a_reset_reaches_both_ends() {
    let reset = Action::Reset { from: P1, to: None };
    let mut setup = with_fault(ProducerConfig::default(), at(ms(20), reset));
    setup.clients[0].threads[0].messages = 40;
    let run = record(&setup);
    let closed = all(&run, FactKind::ConnectionClosed);
    let by_peer = closed
        .iter()
        .filter(|(at, fact)| *at < Instant::START + ms(22) && word(fact, "why") == "peer");
    assert!(by_peer.count() >= 2, "the bootstrap connection and the leader's");
    assert_eq!(outcomes(&run), (40, 0));
}

#[test]
fn a_narrow_link_lets_bytes_through_at_its_rate() {
    let mut setup = ten_records(ProducerConfig::default());
    // One batch of 10 records of 100 bytes at 1 kB/s takes longer than a second.
    setup.clients[0].threads[0].burst = 10;
    setup.network.links.bandwidth = Some(1_000);
    let run = record(&setup);
    let sent = all(&run, FactKind::MessageSent);
    let arrived = all(&run, FactKind::MessageDelivered);
    let is_produce =
        |fact: &Fact| word(fact, "api") == "Produce" && word(fact, "direction") == "request";
    let at = |list: &[(Instant, Fact)]| list.iter().find(|(_, fact)| is_produce(fact)).unwrap().0;
    let took = at(&arrived).since(at(&sent));
    assert!(took > ms(1_000), "{took}");
}
