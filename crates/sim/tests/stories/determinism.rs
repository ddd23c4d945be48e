//! The same setup, seed and script: the same run, whoever watches and however it is run.

use crate::bench::*;
use inflight_des::{ChoicePoint, Delay, Deviation, Ratio, Script, Seed, Span};
use inflight_protocol::config::ProducerConfig;
use inflight_sim::fault::{Action, FaultRule, When, Who};
use inflight_sim::setup::Setup;
use inflight_sim::{Runner, Stepper, World, run};
use inflight_trace::{Recorder, TraceDigest};

/// A run with luck in every corner: delays, losses, crashes at random times.
fn eventful() -> Setup {
    let mut setup = ten_records(ProducerConfig { linger_ms: 0, ..ProducerConfig::default() });
    setup.clients[0].threads[0].messages = 200;
    setup.network.links.delay =
        Delay::Exponential { floor: Span::from_micros(100), mean: Span::from_micros(400) };
    setup.network.links.loss = Ratio::new(1, 100).unwrap();
    let when = When::Every { every: Delay::Uniform { low: ms(20), high: ms(200) }, limit: 3 };
    let crash = kill(Who::AnyBroker, Some(ms(300)));
    setup.faults.push(FaultRule { when, after: Span::ZERO, then: vec![crash] });
    setup.faults.push(crash_after_append(40));
    setup.faults.push(at(ms(90), Action::Pause { who: P1, span: ms(25) }));
    setup
}

#[test]
fn who_watches_changes_nothing() {
    let setup = eventful();
    let script = Script::default();
    for seed in (0..20).map(Seed::new) {
        let watched = run(&setup, seed, &script, Recorder::default());
        let unwatched = run(&setup, seed, &script, ());
        assert_eq!(watched.digest, unwatched.digest);
        assert_eq!(watched.events, unwatched.events);
        assert_eq!((watched.end, watched.halt), (unwatched.end, unwatched.halt));
        assert_eq!(watched.realised, unwatched.realised);
    }
}

#[test]
fn a_run_that_reuses_memory_is_the_same_run() {
    let setup = eventful();
    let mut runner = Runner::new(&setup, Recorder::default());
    // Each seed twice, in an order in which every run follows a different one.
    for seed in [3, 1, 4, 1, 5, 9, 3, 6, 5, 4].map(Seed::new) {
        let outline = runner.run(seed, &Script::default());
        let fresh = run(&setup, seed, &Script::default(), Recorder::default());
        assert_eq!(outline.digest, fresh.digest);
        assert_eq!(runner.observer().facts(), fresh.observer.facts());
    }
}

#[test]
fn runs_on_two_threads_do_not_know_of_each_other() {
    let setup = eventful();
    let digests = |seeds: std::ops::Range<u64>| -> Vec<u128> {
        let mut runner = Runner::new(&setup, ());
        seeds.map(|seed| runner.run(Seed::new(seed), &Script::default()).digest).collect()
    };
    let alone = digests(0..40);
    let (left, right) = std::thread::scope(|scope| {
        let left = scope.spawn(|| digests(0..20));
        let right = scope.spawn(|| digests(20..40));
        (left.join().unwrap(), right.join().unwrap())
    });
    assert_eq!(alone, [left, right].concat());
}

#[test]
fn a_fork_in_mid_flight_and_its_original_go_on_identically() {
    let setup = eventful();
    let whole = run(&setup, Seed::new(7), &Script::default(), Recorder::default());
    for fraction in 1..10 {
        let mut original =
            Stepper::new(&setup, Seed::new(7), &Script::default(), Recorder::default());
        for _ in 0..whole.events * fraction / 10 {
            original.step();
        }
        let mut fork = original.fork();
        while fork.step().is_some() {}
        while original.step().is_some() {}
        assert_eq!(fork.world().digest(), whole.digest);
        assert_eq!(original.world().digest(), whole.digest);
        let ran = whole.observer.facts().len() - 1;
        assert_eq!(fork.world().observer().facts(), &whole.observer.facts()[..ran]);
    }
}

#[test]
fn seeds_differ_and_so_do_scripts() {
    let setup = eventful();
    let digest = |seed, script: &Script| run(&setup, Seed::new(seed), script, ()).digest;
    let plain = digest(1, &Script::default());
    assert_ne!(plain, digest(2, &Script::default()));
    let stream = World::new(&setup, ()).stream("link p1>b1 delay").unwrap();
    let point = ChoicePoint { stream, ordinal: 0 };
    let script = Script::new([Deviation { point, outcome: 12_345 }]);
    assert_ne!(plain, digest(1, &script));
}

/// The same on every machine and in every build profile: the tests run in more than one.
#[test]
fn digests_are_pinned() {
    let digest = |setup: &Setup, seed| run(setup, Seed::new(seed), &Script::default(), ()).digest;
    let mut crash = ten_records(ProducerConfig::default());
    crash.faults.push(crash_after_append(1));
    let setups = [ten_records(ProducerConfig::default()), crash, eventful()];
    let digests: Vec<_> = setups.iter().map(|setup| format!("{:032x}", digest(setup, 1))).collect();
    assert_eq!(digests, PINNED);
    let facts = run(&eventful(), Seed::new(1), &Script::default(), Recorder::default());
    assert_eq!(
        format!("{:032x}", TraceDigest::of(facts.observer.facts()).value().value()),
        PINNED_FACTS
    );
}

const PINNED: [&str; 3] = [
    "e47f797a3c4c5de13aab09c5fc4c8335",
    "a5a47e3488a36027c37a02a672285e28",
    "f87fa17f22522b9b3ab3b21c0ad28b95",
];
const PINNED_FACTS: &str = "b7e15689c99583b2d7d9b680a9fbc392";
