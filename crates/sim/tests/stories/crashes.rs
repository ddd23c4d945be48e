//! Processes that are killed, machines that lose power, and what their peers learn of it.

use crate::bench::*;
use inflight_des::Instant;
use inflight_protocol::config::ProducerConfig;
use inflight_protocol::fact::{FactKind, Surviving, Value};
use inflight_protocol::message::Acks;
use inflight_sim::fault::{Action, Test, Who};
use inflight_sim::setup::Resume;

#[test]
fn what_a_process_had_not_yet_said_when_it_was_killed_is_never_said() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.clients[0].threads[0].messages = 1;
    setup.faults.push(crash_after_append(1));
    let run = record(&setup);
    assert_eq!(count(&run, FactKind::BrokerCrashed), 1);
    let crashed = all(&run, FactKind::BrokerCrashed)[0].0;
    let dead = field(&all(&run, FactKind::BrokerCrashed)[0].1, "broker");
    let facts = run.observer.facts();
    let later = facts.iter().skip_while(|(_, fact)| fact.kind() != FactKind::BrokerCrashed);
    let mut by_the_dead = 0;
    for (at, fact) in later.skip(1) {
        assert!(*at >= crashed);
        if fact.kind() == FactKind::BatchAppended && field(fact, "broker") == dead {
            by_the_dead += 1;
        }
    }
    assert_eq!(by_the_dead, 0);
}

#[test]
fn an_idempotent_producer_survives_the_death_of_the_leader() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.faults.push(crash_after_append(1));
    let run = record(&setup);
    assert_eq!(outcomes(&run), (10, 0));
    let elected = all(&run, FactKind::LeaderElected);
    assert_eq!(elected.len(), 1);
    assert_eq!(word(&elected[0].1, "election"), "clean");
    // broker.session.timeout.ms is 9 s, counted from the last heartbeat that the controller heard.
    let took = elected[0].0.since(all(&run, FactKind::BrokerCrashed)[0].0);
    assert!((ms(7_000)..ms(9_600)).contains(&took), "{took}");
}

#[test]
fn peers_of_a_killed_process_get_a_reset() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.faults.push(crash_after_append(1));
    let run = record(&setup);
    let crashed = all(&run, FactKind::BrokerCrashed)[0].0;
    let closed = all(&run, FactKind::ConnectionClosed);
    let first = closed.iter().find(|(at, _)| *at >= crashed).unwrap();
    assert!(first.0.since(crashed) < ms(1), "{closed:?}");
    assert_eq!(word(&first.1, "why"), "peer");
}

#[test]
fn peers_of_a_machine_without_power_wait_for_their_own_timeouts() {
    let config = ProducerConfig { request_timeout_ms: 2_000, ..ProducerConfig::default() };
    let mut setup = ten_records(config);
    setup.faults.push(append_by_leader(1, power_off(Who::Subject, None)));
    let run = record(&setup);
    let crashed = all(&run, FactKind::BrokerCrashed)[0].0;
    let closed = all(&run, FactKind::ConnectionClosed);
    let by_the_client = |fact| {
        field(fact, "at")
            == Value::Node(inflight_protocol::Node::Client(inflight_protocol::ClientId::new(0)))
    };
    let first = closed.iter().find(|(at, fact)| *at >= crashed && by_the_client(fact)).unwrap();
    assert!(first.0.since(crashed) > ms(1_900), "{first:?}");
    assert_eq!(word(&first.1, "why"), "request-timeout");
    assert_eq!(outcomes(&run), (10, 0));
}

#[test]
fn a_machine_that_comes_back_resets_connections_it_knows_nothing_of() {
    // Nobody learns anything unless it sends something: TCP tries that again and again.
    let mut setup = ten_records(ProducerConfig::default());
    setup.clients[0].threads[0].messages = 300;
    setup.faults.push(append_by_leader(2, power_off(Who::Subject, Some(ms(500)))));
    let run = record(&setup);
    let crashed = all(&run, FactKind::BrokerCrashed)[0].0;
    let closed = all(&run, FactKind::ConnectionClosed);
    let first = closed.iter().find(|(at, _)| *at >= crashed).unwrap();
    assert!((ms(500)..ms(510)).contains(&first.0.since(crashed)), "{first:?}");
    assert_eq!(word(&first.1, "why"), "peer");
    assert_eq!(outcomes(&run), (300, 0), "acks=all and two other replicas");
}

#[test]
fn a_killed_process_keeps_its_log_and_a_machine_without_power_what_was_flushed() {
    for (surviving, kept) in [(Surviving::Appended, 10), (Surviving::Flushed, 0)] {
        let mut setup = ten_records(ProducerConfig::default());
        let crash = Action::Crash { who: broker(2), surviving, restart_after: Some(ms(1_000)) };
        setup.faults.push(at(ms(2_000), crash));
        let run = record(&setup);
        assert_eq!(numbers(&run, FactKind::LogRecovered, "to"), [kept]);
        assert!(run.settled, "it catches up again");
    }
}

#[test]
fn a_client_that_is_killed_starts_again_as_somebody_else() {
    let mut setup = ten_records(ProducerConfig::default());
    let second = facts_with(FactKind::RecordsAcked, &[]);
    setup.faults.push(on_nth(1, second, kill(P1, Some(ms(100)))));
    setup.clients[0].resume = Resume::FirstUnacked;
    let run = record(&setup);
    let ids = numbers(&run, FactKind::ProducerIdAssigned, "producer_id");
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1], "no transactional.id, no memory");
    assert_eq!(numbers(&run, FactKind::ProducerStarted, "session"), [0, 1]);
    let started = all(&run, FactKind::ProducerStarted);
    assert_eq!(started[1].0.since(all(&run, FactKind::FaultInjected)[0].0), ms(100));
}

#[test]
fn an_application_begins_again_where_its_source_says() {
    // Killed when two messages were sent and none was acknowledged.
    for (resume, repeated) in [(Resume::FirstUnacked, true), (Resume::NextUnsent, false)] {
        let mut setup = ten_records(ProducerConfig::default());
        let queued = facts_with(FactKind::RecordsQueued, &[("message", Test::AtLeast(1))]);
        setup.faults.push(on_nth(1, queued, kill(P1, Some(ms(100)))));
        setup.clients[0].resume = resume;
        let run = record(&setup);
        let messages = numbers(&run, FactKind::RecordsQueued, "message");
        assert_eq!(messages.iter().filter(|message| **message == 0).count() == 2, repeated);
        assert!(messages.contains(&9));
    }
}

#[test]
fn a_controlled_shutdown_hands_leadership_over_without_a_gap() {
    let mut setup = ten_records(ProducerConfig::default());
    setup.clients[0].threads[0].messages = 300;
    let stop = Action::ShutDown { who: Who::LeaderOf(P0), restart_after: None };
    setup.faults.push(at(ms(100), stop));
    let run = record(&setup);
    assert_eq!(outcomes(&run), (300, 0));
    let elected = all(&run, FactKind::LeaderElected)[0].0;
    assert!(elected < Instant::START + ms(3_000), "no session timeout: {elected}");
    assert_eq!(count(&run, FactKind::BrokerStopped), 1);
    assert_eq!(count(&run, FactKind::BrokerCrashed), 0);
}

#[test]
fn with_acks_1_what_only_the_dead_leader_had_is_lost() {
    let config = ProducerConfig {
        acks: Acks::Leader,
        enable_idempotence: false,
        ..ProducerConfig::default()
    };
    let mut setup = ten_records(config);
    setup.clients[0].threads[0].messages = 1;
    // Killed when the response is on its way, before the followers have fetched.
    let decided = facts_with(
        FactKind::MessageSent,
        &[
            ("api", Test::Is(Value::Word("Produce"))),
            ("direction", Test::Is(Value::Word("response"))),
        ],
    );
    setup.faults.push(on_nth(1, decided, kill(Who::Subject, Some(ms(20_000)))));
    let run = record(&setup);
    assert_eq!(outcomes(&run), (1, 0), "acknowledged");
    let truncated = numbers(&run, FactKind::LogTruncated, "to");
    assert_eq!(truncated, [0], "and cut off when the old leader follows the new one");
}
