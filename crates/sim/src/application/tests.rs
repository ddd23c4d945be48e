//! Application threads, without a producer: the test plays it.

use super::*;
use crate::setup::{Ending, KeyedShape, OnFatal, ProducerSetup};
use inflight_des::{Delay, Seed, Span};
use inflight_protocol::fact::SendError;
use inflight_protocol::murmur2::murmur2;
use inflight_protocol::{TopicId, TopicPartition};

const SHAPE: fn() -> RecordShape = || RecordShape::plain(None, Some(100));

fn thread(messages: u64) -> ThreadSetup {
    ThreadSetup {
        topic: TopicId::new(0),
        messages,
        content: Content::Unkeyed(SHAPE()),
        start: Span::ZERO,
        every: Delay::Constant(Span::from_millis(1)),
        burst: 1,
        style: Style::Callback,
        on_error: OnError::GiveUp,
        ending: Ending::Close,
        transactions: None,
    }
}

fn client(thread: ThreadSetup) -> ClientSetup {
    ClientSetup {
        name: "p1".to_owned(),
        bootstrap: Vec::new(),
        producer: Some(ProducerSetup::default()),
        threads: vec![thread],
        resume: Resume::FirstUnacked,
        on_fatal: OnFatal::Stop,
        consumer: None,
    }
}

struct Bench {
    setup: ClientSetup,
    application: Application,
    chance: Chance,
    now: Instant,
}

impl Bench {
    fn new(setup: ClientSetup, may_restart: bool) -> Self {
        let mut chance = Chance::new(Seed::new(1));
        let mut application = Application::new(&setup, may_restart, &mut chance);
        application.start();
        Self { setup, application, chance, now: Instant::START }
    }

    fn next(&mut self) -> NextStep {
        self.application.next_step(0, &self.setup.threads[0], self.now, &mut self.chance)
    }

    /// The messages of the next send(), which returns at once.
    fn send(&mut self) -> (u64, u32) {
        let NextStep::Send(request) = self.next() else { panic!("the thread has to send") };
        self.hear(Completion::SendReturned { thread: ThreadId::new(0) });
        (request.message, request.count)
    }

    fn hear(&mut self, completion: Completion) {
        self.application.hear(&self.setup.threads, completion);
    }

    fn acked(&mut self, message: u64, count: u32) {
        let (thread, partition) = (ThreadId::new(0), TopicPartition::new(0));
        self.hear(Completion::Acked { thread, message, count, partition, offset: None });
    }

    fn failed(&mut self, message: u64, count: u32) {
        let (thread, error) = (ThreadId::new(0), SendError::DeliveryTimeout);
        self.hear(Completion::Failed { thread, message, count, error });
    }
}

fn millis(ms: u64) -> Instant {
    Instant::START + Span::from_millis(ms)
}

#[test]
fn bursts_come_at_their_times_and_late_ones_do_not_delay_the_rest() {
    let setup = ThreadSetup { burst: 2, start: Span::from_millis(5), ..thread(5) };
    let mut bench = Bench::new(client(setup), false);
    assert_eq!(bench.next(), NextStep::WaitUntil(millis(5)));
    assert_eq!(bench.next(), NextStep::Listen, "the event is scheduled once");
    bench.now = millis(5);
    assert_eq!(bench.send(), (0, 2));
    assert_eq!(bench.next(), NextStep::WaitUntil(millis(6)));
    bench.now = millis(9);
    assert_eq!(bench.send(), (2, 2), "the burst of 6 ms");
    assert_eq!(bench.send(), (4, 1), "the burst of 7 ms, what is left");
    assert_eq!(bench.next(), NextStep::Finish);
}

#[test]
fn a_thread_that_calls_get_waits_for_each_message() {
    let setup = ThreadSetup { burst: 2, style: Style::Sync, ..thread(2) };
    let mut bench = Bench::new(client(setup), false);
    assert_eq!(bench.send(), (0, 1));
    assert_eq!(bench.application.threads[0].place, Place::InGet(1));
    bench.acked(0, 1);
    assert_eq!(bench.application.threads[0].place, Place::Free);
    assert_eq!(bench.send(), (1, 1));
    bench.failed(1, 1);
    assert_eq!(bench.next(), NextStep::Finish);
}

#[test]
fn keys_go_in_turn_one_message_a_call() {
    let key = |name: &str| KeyedShape {
        hash: murmur2(name.as_bytes()),
        table: None,
        shape: RecordShape::plain(Some(2), Some(10)),
    };
    let setup =
        ThreadSetup { burst: 3, content: Content::Keys(vec![key("k0"), key("k1")]), ..thread(3) };
    let mut bench = Bench::new(client(setup), false);
    let mut hashes = Vec::new();
    for _ in 0..3 {
        let NextStep::Send(request) = bench.next() else { panic!("three messages") };
        assert_eq!(request.count, 1);
        hashes.push(request.destination);
        bench.hear(Completion::SendReturned { thread: ThreadId::new(0) });
    }
    assert_eq!(hashes[0], hashes[2]);
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn weighted_keys_are_drawn_by_weight() {
    let key = |hash| KeyedShape { hash, table: None, shape: SHAPE() };
    let content = Content::WeightedKeys(vec![(30, key(1)), (70, key(2))]);
    let setup = ThreadSetup { burst: 2_000, content, ..thread(2_000) };
    let mut bench = Bench::new(client(setup), false);
    let mut hot = 0;
    for _ in 0..2_000 {
        let NextStep::Send(request) = bench.next() else { panic!("2000 messages") };
        hot += u32::from(request.destination == Destination::Key { hash: 1, table: None });
        bench.hear(Completion::SendReturned { thread: ThreadId::new(0) });
    }
    assert!((540..660).contains(&hot), "{hot} of 2000 should be near 600");
}

#[test]
fn a_failed_message_is_sent_again_so_many_times() {
    let setup = ThreadSetup { burst: 4, on_error: OnError::Resend { times: 1 }, ..thread(4) };
    let mut bench = Bench::new(client(setup), false);
    assert_eq!(bench.send(), (0, 4));
    assert_eq!(bench.next(), NextStep::Listen, "it waits for its callbacks");
    bench.acked(0, 1);
    bench.failed(1, 2);
    assert_eq!(bench.send(), (1, 2), "the same messages again");
    bench.acked(3, 1);
    bench.failed(1, 1);
    bench.acked(2, 1);
    assert_eq!(bench.next(), NextStep::Finish, "message 1 was sent again once, and no more");
}

#[test]
fn a_restarted_application_begins_with_what_it_was_not_told_about() {
    let mut bench = Bench::new(client(ThreadSetup { burst: 3, ..thread(5) }), true);
    assert_eq!(bench.send(), (0, 3));
    bench.acked(0, 1);
    assert_eq!(bench.application.crash(), 1);
    assert_eq!(bench.application.revive(&bench.setup), 1);
    bench.application.start();
    bench.now = millis(10);
    assert_eq!(bench.send(), (1, 2));
    assert_eq!(bench.send(), (3, 2));
}

#[test]
fn an_application_may_go_on_with_what_it_has_not_sent() {
    let setup =
        ClientSetup { resume: Resume::NextUnsent, ..client(ThreadSetup { burst: 3, ..thread(5) }) };
    let mut bench = Bench::new(setup, true);
    assert_eq!(bench.send(), (0, 3));
    bench.application.crash();
    bench.application.revive(&bench.setup);
    bench.application.start();
    bench.now = millis(10);
    assert_eq!(bench.send(), (3, 2));
}
