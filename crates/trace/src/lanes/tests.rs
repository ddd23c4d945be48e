//! What lanes look like.

use super::*;
use crate::description::{ClientDescription, TopicDescription};
use expect_test::{Expect, expect};
use inflight_protocol::fact::*;
use inflight_protocol::ids::*;
use inflight_protocol::{ApiKey, FactKind, Sequence};

fn description(client: &str) -> Description {
    Description {
        brokers: 3,
        clients: vec![ClientDescription { name: client.to_owned(), ..Default::default() }],
        topics: vec![TopicDescription {
            name: "orders".to_owned(),
            replicas: vec![vec![1, 2, 3]],
            numbers: Vec::new(),
            min_insync_replicas: 2,
            unclean_leader_election_enable: false,
        }],
        ..Description::default()
    }
}

fn appended(broker: u8, origin: AppendOrigin) -> Fact {
    Fact::BatchAppended {
        broker: BrokerId::new(broker),
        partition: TopicPartition::new(0),
        base_offset: Offset::new(0),
        count: 4,
        session: SessionId::new(0),
        first: 0,
        leader_epoch: LeaderEpoch::new(0),
        producer_id: Some(ProducerId::new(1)),
        producer_epoch: Some(ProducerEpoch::new(0)),
        sequence: Some(Sequence::ZERO),
        origin,
    }
}

fn story() -> Vec<(Instant, Fact)> {
    let (session, partition, batch) = (SessionId::new(0), TopicPartition::new(0), BatchId::new(0));
    let (broker, client) = (BrokerId::new(1), ClientId::new(0));
    let connection = ConnectionId { owner: Node::Client(client), number: 0 };
    let leader_epoch = LeaderEpoch::new(1);
    let fetch = Fact::MessageDelivered {
        from: Node::Broker(BrokerId::new(2)),
        to: Node::Broker(broker),
        connection: ConnectionId { owner: Node::Broker(BrokerId::new(2)), number: 0 },
        correlation: CorrelationId::new(5),
        api: ApiKey::Fetch,
        direction: Direction::Request,
    };
    let (first, count, offset) = (0, 4, Some(Offset::new(0)));
    let facts = [
        Fact::ProducerStarted { client, session },
        Fact::RecordsQueued {
            session,
            thread: ThreadId::new(0),
            partition,
            first,
            count,
            message: 0,
            batch,
            bytes: 400,
        },
        appended(1, AppendOrigin::Client),
        fetch,
        appended(2, AppendOrigin::Replication),
        Fact::HighWatermarkAdvanced { broker, partition, from: Offset::ZERO, to: Offset::new(4) },
        Fact::BrokerCrashed { broker, surviving: Surviving::Appended },
        Fact::ConnectionClosed { connection, at: Node::Client(client), why: CloseCause::Peer },
        Fact::LeaderElected {
            partition,
            leader: Some(BrokerId::new(2)),
            leader_epoch,
            election: Election::Clean,
        },
        Fact::RecordsAcked { session, partition, batch, first, count, base_offset: offset },
        Fact::RunEnded { halt: inflight_des::Halt::Quiescent },
    ];
    facts.iter().zip(0..).map(|(fact, at)| (Instant::from_nanos(at * 713_000), *fact)).collect()
}

fn check(options: &Options, expected: Expect) {
    // A first line without indentation keeps the indentation of the rest.
    expected.assert_eq(&format!("lanes\n{}", render(&description("p1"), &story(), options)));
}

#[test]
fn the_column_says_who_and_the_glyph_says_what() {
    check(
        &Options::default(),
        expect![[r#"
            lanes
                     time  fact  p1 ctl b1 b2 b3
                 0.000 ms     1  (                started    p1
                 0.713 ms     2  +                queued     orders-0 records 0..3 messages 0..3
                 1.426 ms     3         A         appended   b1 orders-0 offsets 0..3 records 0..3 of p1 (leader epoch 0, sequences 0..3)
                 2.852 ms     5            a      appended   b2 orders-0 offsets 0..3 records 0..3 of p1 (leader epoch 0, sequences 0..3)
                 3.565 ms     6         ^         committed  b1 orders-0 high watermark 4
                 4.278 ms     7         !         CRASHED    b1 appended survives
                 4.991 ms     8  x                closed     p1#0 peer
                 5.704 ms     9     @             elected    orders-0 b2 leader epoch 1 clean
                 6.417 ms    10  ✓                acked      orders-0 records 0..3 offsets 0..3
                 7.130 ms    11                   END        quiescent
        "#]],
    );
}

#[test]
fn everything_is_shown_on_request() {
    let options = Options { focus: Focus::ALL, ..Options::default() };
    let text = render(&description("p1"), &story(), &options);
    assert_eq!(text.lines().count(), story().len() + 1);
    assert!(text.contains("Fetch request 5"), "{text}");
    let options = Options { focus: Focus::on(FactKind::RecordsAcked.set()), ..options };
    assert_eq!(render(&description("p1"), &story(), &options).lines().count(), 2);
}

#[test]
fn ascii_is_ascii_and_lines_are_cut_to_the_width() {
    let options = Options { glyphs: GlyphSet::Ascii, width: Some(60), ..Options::default() };
    let text = render(&description("p1"), &story(), &options);
    assert!(text.is_ascii(), "{text}");
    assert!(text.lines().all(|line| line.len() <= 60), "{text}");
    assert!(text.lines().any(|line| line.ends_with("...")), "{text}");
}

#[test]
fn wide_names_keep_their_columns() {
    let options = Options { width: Some(70), ..Options::default() };
    let text = render(&description("주문서비스프로듀서"), &story(), &options);
    assert!(text.lines().all(|line| display_width(line) <= 70), "{text}");
    expect![[r#"
        lanes
                 time  fact  주문서비… ctl b1 b2 b3
             0.000 ms     1  (                       started    주문서비스프…
             0.713 ms     2  +                       queued     orders-0 reco…
             1.426 ms     3                A         appended   b1 orders-0 o…
             2.852 ms     5                   a      appended   b2 orders-0 o…
             3.565 ms     6                ^         committed  b1 orders-0 h…
             4.278 ms     7                !         CRASHED    b1 appended s…
             4.991 ms     8  x                       closed     주문서비스프…
             5.704 ms     9            @             elected    orders-0 b2 l…
             6.417 ms    10  ✓                       acked      orders-0 reco…
             7.130 ms    11                          END        quiescent
    "#]]
    .assert_eq(&format!("lanes\n{text}"));
}

#[test]
fn colour_adds_and_never_tells() {
    let plain = Options { width: Some(64), ..Options::default() };
    let coloured = Options { colour: Colour::Ansi, ..plain.clone() };
    let text = render(&description("p1"), &story(), &coloured);
    assert!(text.contains("\u{1b}[31m"), "{text}");
    let mut stripped = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    let lines = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&stripped), lines(&render(&description("p1"), &story(), &plain)));
}

#[test]
fn the_legend_explains_every_glyph_on_a_line() {
    let legend = legend(GlyphSet::Unicode);
    for (_, fact) in story() {
        let glyph = glyph_of(&fact).unicode;
        assert!(legend.lines().any(|line| line.starts_with(glyph)), "{glyph}");
    }
}

#[test]
fn a_change_of_the_eligible_replicas_alone_says_so() {
    let set = |brokers: &[u8]| brokers.iter().copied().map(BrokerId::new).collect::<BrokerSet>();
    let change = |from: &[u8], to: &[u8], elr: &[u8]| Fact::IsrChanged {
        partition: TopicPartition::new(0),
        from: set(from),
        to: set(to),
        elr: set(elr),
        partition_epoch: PartitionEpoch::new(1),
    };
    let facts = [change(&[1], &[], &[1]), change(&[], &[], &[]), change(&[], &[], &[2])];
    let facts = facts.map(|fact| (Instant::START, fact));
    let text = render(&description("p1"), &facts, &Options::default());
    let words: Vec<_> =
        text.lines().skip(1).filter_map(|line| line.split("orders-0 ").nth(1)).collect();
    assert_eq!(words, ["{1} to none elr {1}", "elr {1} to none", "elr none to {2}"]);
}
