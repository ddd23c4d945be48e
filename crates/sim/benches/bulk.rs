//! Bulk: a hundred-byte record after the other into six partitions on three brokers, with all
//! defaults and no faults. Alone, and with every checker watching.

use divan::Bencher;
use divan::counter::ItemsCount;
use inflight_check::{History, View, judge};
use inflight_des::{Delay, Instant, Script, Seed, Span};
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{BrokerId, ProducerConfig, Topics};
use inflight_sim::run;
use inflight_sim::setup::{Content, Setup};
use inflight_trace::{ClientDescription, Description};

#[path = "../tests/stories/bench.rs"]
#[expect(dead_code, reason = "shared with the stories")]
mod bench;

const RECORDS: u64 = 10_000_000;

fn main() {
    divan::main();
}

fn setup() -> Setup {
    let mut setup = bench::ten_records(ProducerConfig::default());
    let brokers = [1, 2, 3].map(BrokerId::new);
    let rotated = |by: usize| (0..3).map(|index| brokers[(index + by) % 3]).collect();
    setup.cluster.topics = Topics::new([("orders", 6)]);
    setup.cluster.assignments = (0..6).map(|index| rotated(index % 3)).collect();
    setup.budget.events = u64::MAX;
    setup.budget.horizon = Instant::NEVER;
    let thread = &mut setup.clients[0].threads[0];
    thread.messages = RECORDS;
    thread.every = Delay::Constant(Span::ZERO);
    thread.burst = 10_000;
    thread.content = Content::Unkeyed(RecordShape::plain(None, Some(100)));
    setup
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn ten_million_records(bencher: Bencher<'_, '_>) {
    let setup = setup();
    bencher
        .counter(ItemsCount::new(RECORDS))
        .bench_local(|| run(&setup, Seed::new(1), &Script::default(), ()).events);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn ten_million_records_with_verdict(bencher: Bencher<'_, '_>) {
    let setup = setup();
    let description = Description {
        clients: vec![ClientDescription::default()],
        ..Description::of_cluster("bulk", 1, &setup.cluster)
    };
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let history = History::new(&description);
        let run = run(&setup, Seed::new(1), &Script::default(), history);
        let judgement = judge(&run.observer, View::Oracle);
        assert_eq!(judgement.counts.acked, RECORDS);
        judgement.worst()
    });
}
