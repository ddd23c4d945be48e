//! What it costs to observe and to judge: a clean run of ten records, as an exhaustive search has
//! millions of, and a long run with several producers.

use divan::Bencher;
use divan::counter::ItemsCount;
use inflight_check::{History, Judge, Judgement, View};
use inflight_des::{Halt, Instant};
use inflight_protocol::fact::{AppendOrigin, DrainReason};
use inflight_protocol::ids::*;
use inflight_protocol::{Fact, Sequence};
use inflight_trace::{ClientDescription, Description, Observer, TopicDescription};

fn main() {
    divan::main();
}

const P: TopicPartition = TopicPartition::new(0);

fn description(clients: u16) -> Description {
    let client = |n| ClientDescription { name: format!("p{n}"), ..Default::default() };
    Description {
        brokers: 3,
        topics: vec![TopicDescription {
            name: "t".to_owned(),
            replicas: vec![vec![1, 2, 3]],
            numbers: Vec::new(),
            min_insync_replicas: 2,
            unclean_leader_election_enable: false,
        }],
        clients: (0..clients).map(client).collect(),
        ..Description::default()
    }
}

/// A run without trouble: producers take turns, each batch is replicated, committed and acked.
fn facts(sessions: u16, batches: u64, count: u32) -> Vec<(Instant, Fact)> {
    let mut facts = Vec::new();
    let mut next = vec![0_u64; usize::from(sessions)];
    let mut did = |fact| facts.push((Instant::from_nanos(facts.len() as u64 * 1_000), fact));
    for session in (0..sessions).map(SessionId::new) {
        did(Fact::ProducerStarted { client: ClientId::new(session.get()), session });
    }
    for n in 0..batches {
        let session = SessionId::new((n % u64::from(sessions)) as u16);
        let first = next[session.index()];
        next[session.index()] += u64::from(count);
        let (batch, base) = (BatchId::new(n as u32), n * u64::from(count));
        let sequence = Sequence::new((first & 0x7FFF_FFFF) as i32);
        let epoch = Some(ProducerEpoch::new(0));
        did(Fact::RecordsQueued {
            session,
            thread: ThreadId::new(0),
            partition: P,
            first,
            count,
            message: first,
            batch,
            bytes: 100,
        });
        did(Fact::BatchDrained {
            session,
            partition: P,
            batch,
            first,
            count,
            bytes: 100,
            broker: BrokerId::new(1),
            correlation: CorrelationId::new(n as u32),
            attempt: 0,
            sequence,
            producer_epoch: epoch,
            reason: DrainReason::Linger,
        });
        for broker in 1..4 {
            let origin = if broker == 1 { AppendOrigin::Client } else { AppendOrigin::Replication };
            did(Fact::BatchAppended {
                broker: BrokerId::new(broker),
                partition: P,
                base_offset: Offset::new(base),
                count,
                session,
                first,
                leader_epoch: LeaderEpoch::new(0),
                producer_id: Some(ProducerId::new(u64::from(session.get()))),
                producer_epoch: epoch,
                sequence,
                origin,
            });
        }
        for broker in 1..4 {
            did(Fact::HighWatermarkAdvanced {
                broker: BrokerId::new(broker),
                partition: P,
                from: Offset::new(base),
                to: Offset::new(base + u64::from(count)),
            });
        }
        let base_offset = Some(Offset::new(base));
        did(Fact::RecordsAcked { session, partition: P, batch, first, count, base_offset });
    }
    did(Fact::RunEnded { halt: Halt::Quiescent });
    facts
}

fn play(history: &mut History, facts: &[(Instant, Fact)]) {
    for (at, fact) in facts {
        history.offer(*at, fact);
    }
}

/// Ten records in ten batches: reset, observe, judge.
#[divan::bench(sample_size = 100)]
fn ten_records(bencher: Bencher<'_, '_>) {
    let facts = facts(1, 10, 1);
    let mut history = History::new(&description(1));
    let (mut judge, mut judgement) = (Judge::default(), Judgement::default());
    bencher.counter(ItemsCount::new(facts.len())).bench_local(move || {
        history.reset();
        play(&mut history, divan::black_box(&facts));
        judge.judge(&history, View::Oracle, &mut judgement);
        judgement.worst()
    });
}

/// The same, reset by copying an empty history, as runs of a simulator are.
#[divan::bench(sample_size = 100)]
fn ten_records_from_template(bencher: Bencher<'_, '_>) {
    let facts = facts(1, 10, 1);
    let template = History::new(&description(1));
    let mut history = template.clone();
    let (mut judge, mut judgement) = (Judge::default(), Judgement::default());
    bencher.counter(ItemsCount::new(facts.len())).bench_local(move || {
        history.clone_from(&template);
        play(&mut history, divan::black_box(&facts));
        judge.judge(&history, View::Oracle, &mut judgement);
        judgement.worst()
    });
}

/// The verdicts alone.
#[divan::bench]
fn ten_records_judged(bencher: Bencher<'_, '_>) {
    let mut history = History::new(&description(1));
    play(&mut history, &facts(1, 10, 1));
    let (mut judge, mut judgement) = (Judge::default(), Judgement::default());
    bencher.bench_local(move || {
        judge.judge(divan::black_box(&history), View::Oracle, &mut judgement);
        judgement.worst()
    });
}

/// A copy into used memory, as a fork makes it.
#[divan::bench]
fn ten_records_copied(bencher: Bencher<'_, '_>) {
    let mut history = History::new(&description(1));
    play(&mut history, &facts(1, 10, 1));
    let mut copy = history.clone();
    bencher.bench_local(move || {
        copy.clone_from(divan::black_box(&history));
    });
}

/// A hundred thousand batches of a hundred records, by so many producers.
#[divan::bench(args = [1, 8, 64], sample_count = 10)]
fn ten_million_records(bencher: Bencher<'_, '_>, producers: u16) {
    let facts = facts(producers, 100_000, 100);
    let mut history = History::new(&description(producers));
    let (mut judge, mut judgement) = (Judge::default(), Judgement::default());
    bencher.counter(ItemsCount::new(facts.len())).bench_local(move || {
        history.reset();
        play(&mut history, divan::black_box(&facts));
        judge.judge(&history, View::Oracle, &mut judgement);
        assert_eq!(judgement.counts.acked, 10_000_000);
        judgement.worst()
    });
}
