//! Whole runs of a small scenario: three brokers, one partition on all of them, acks=all and
//! idempotence, ten records. Undisturbed, and with a crash of the leader after the first append;
//! with nobody watching, and with the verdict of every checker.

use divan::Bencher;
use inflight_check::{History, Judge, Judgement, View};
use inflight_des::{Script, Seed, Span};
use inflight_protocol::ProducerConfig;
use inflight_sim::Runner;
use inflight_sim::setup::Setup;
use inflight_trace::{ClientDescription, Description};

#[path = "../tests/stories/bench.rs"]
#[expect(dead_code, reason = "shared with the stories")]
mod bench;

fn main() {
    divan::main();
}

#[divan::bench]
fn undisturbed(bencher: Bencher<'_, '_>) {
    unwatched(bencher, &bench::ten_records(ProducerConfig::default()));
}

#[divan::bench]
fn undisturbed_with_verdict(bencher: Bencher<'_, '_>) {
    judged(bencher, &bench::ten_records(ProducerConfig::default()));
}

/// With Kafka's defaults: the controller takes nine seconds to notice, and the followers fetch
/// all the while.
#[divan::bench]
fn leader_crash(bencher: Bencher<'_, '_>) {
    unwatched(bencher, &crash());
}

#[divan::bench]
fn leader_crash_with_verdict(bencher: Bencher<'_, '_>) {
    judged(bencher, &crash());
}

/// The controller notices after one second, as many test clusters have it.
#[divan::bench]
fn leader_crash_soon_noticed_with_verdict(bencher: Bencher<'_, '_>) {
    let mut setup = crash();
    for config in &mut setup.cluster.broker_configs {
        config.broker_session_timeout = Span::from_millis(1_000);
        config.broker_heartbeat_interval = Span::from_millis(250);
    }
    judged(bencher, &setup);
}

fn crash() -> Setup {
    let mut setup = bench::ten_records(ProducerConfig::default());
    setup.faults.push(bench::crash_after_append(1));
    setup
}

fn unwatched(bencher: Bencher<'_, '_>, setup: &Setup) {
    let mut runner = Runner::new(setup, ());
    let mut seed = 0;
    bencher.bench_local(move || {
        seed += 1;
        runner.run(Seed::new(seed), &Script::default())
    });
}

fn judged(bencher: Bencher<'_, '_>, setup: &Setup) {
    let description = Description {
        clients: vec![ClientDescription::default()],
        ..Description::of_cluster("small", 0, &setup.cluster)
    };
    let mut runner = Runner::new(setup, History::new(&description));
    let (mut judge, mut judgement) = (Judge::default(), Judgement::default());
    let mut seed = 0;
    bencher.bench_local(move || {
        seed += 1;
        runner.run(Seed::new(seed), &Script::default());
        judge.judge(runner.observer(), View::Oracle, &mut judgement);
        judgement.worst()
    });
}
