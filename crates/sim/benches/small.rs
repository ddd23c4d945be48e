//! Whole runs of a small scenario: three brokers, one partition on all of them, acks=all, ten
//! records; undisturbed, and with a crash of the leader after the first append.

use divan::Bencher;
use inflight_des::{Script, Seed};
use inflight_protocol::ProducerConfig;
use inflight_sim::Runner;

#[path = "../tests/stories/bench.rs"]
#[expect(dead_code, reason = "shared with the stories")]
mod bench;

fn main() {
    divan::main();
}

#[divan::bench]
fn undisturbed(bencher: Bencher<'_, '_>) {
    let setup = bench::ten_records(ProducerConfig::default());
    let mut runner = Runner::new(&setup, ());
    let mut seed = 0;
    bencher.bench_local(move || {
        seed += 1;
        runner.run(Seed::new(seed), &Script::default())
    });
}

#[divan::bench]
fn leader_crash(bencher: Bencher<'_, '_>) {
    let mut setup = bench::ten_records(ProducerConfig::default());
    setup.faults.push(bench::crash_after_append(1));
    let mut runner = Runner::new(&setup, ());
    let mut seed = 0;
    bencher.bench_local(move || {
        seed += 1;
        runner.run(Seed::new(seed), &Script::default())
    });
}
