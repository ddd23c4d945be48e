//! What is written reads back, and what cannot be read is named.

use super::*;
use crate::description::{ClientDescription, FORMAT, TopicDescription};
use expect_test::{Expect, expect};
use inflight_des::Span;
use inflight_protocol::fact::{FieldType, SendError};
use inflight_protocol::ids::{BrokerId, BrokerSet, ClientId, ConnectionId, Node, TopicPartition};
use inflight_protocol::ids::{GroupId, TransactionalId};
use inflight_protocol::{ErrorCode, FactKind};
use proptest::prelude::*;

fn description() -> Description {
    let topic = |name: &str, partitions| TopicDescription {
        name: name.to_owned(),
        replicas: vec![vec![1, 2, 3]; partitions],
        numbers: Vec::new(),
        min_insync_replicas: 2,
        unclean_leader_election_enable: false,
    };
    let client = |name: &str| ClientDescription { name: name.to_owned(), ..Default::default() };
    Description {
        title: "A \"quoted\" title".to_owned(),
        seed: 7,
        format: FORMAT,
        brokers: 3,
        topics: vec![topic("orders", 3), topic("a\"b\\c", 2)],
        clients: vec![client("p1"), client("주문"), client("b1")],
        ..Description::default()
    }
}

fn trace(facts: Vec<(Instant, Fact)>) -> Trace {
    let count = facts.len() as u64;
    let ending = Ending { events: 9, facts: count, digest: "ab".to_owned(), halt: Halt::Quiescent };
    Trace { description: description(), facts, ending }
}

fn written(trace: &Trace) -> Vec<u8> {
    let mut bytes = Vec::new();
    trace.write(&mut bytes).unwrap();
    bytes
}

fn sample() -> Trace {
    let broker = BrokerId::new(2);
    let connection = ConnectionId { owner: Node::Client(ClientId::new(0)), number: 3 };
    trace(vec![
        (Instant::from_nanos(5), Fact::BrokerStarted { broker }),
        (
            Instant::from_nanos(713_000),
            Fact::ConnectionOpened { connection, to: Node::Broker(broker) },
        ),
    ])
}

/// A value of a field's type made of a random word. `small` keeps numbers within 15 bits.
fn value(field: FieldType, word: u64, small: bool) -> Value {
    let broker = || BrokerId::new((word % 64) as u8 + 1);
    let node = || match word % 3 {
        0 => Node::Controller,
        1 => Node::Broker(broker()),
        _ => Node::Client(ClientId::new((word >> 8) as u16 % 5)),
    };
    let codes = ErrorCode::ALL;
    let code = || codes[(word % codes.len() as u64) as usize].name();
    match field {
        FieldType::Number if small => Value::Number((word & 0x7FFF) as i64),
        FieldType::Number => Value::Number((word >> 1) as i64),
        FieldType::Broker => Value::Number(i64::from(broker().get())),
        FieldType::Word(words) => Value::Word(words[(word % words.len() as u64) as usize]),
        FieldType::Error => Value::Word(code()),
        FieldType::SendError if word.is_multiple_of(2) => Value::Word(code()),
        FieldType::SendError => Value::Word(SendError::LOCAL[(word / 2 % 16) as usize].name()),
        FieldType::Partition => Value::Partition(TopicPartition::new((word % 8) as u16)),
        FieldType::Client => Value::Client(ClientId::new((word % 5) as u16)),
        FieldType::Transactional => Value::Transactional(TransactionalId::new((word % 4) as u16)),
        FieldType::Group => Value::Group(GroupId::new((word % 4) as u16)),
        FieldType::Node => Value::Node(node()),
        FieldType::Brokers => Value::Brokers(BrokerSet::from_bits(word)),
        FieldType::Connection => {
            Value::Connection(ConnectionId { owner: node(), number: word as u32 })
        }
        FieldType::Span => Value::Span(Span::from_nanos(word)),
        FieldType::OptionalNumber
        | FieldType::OptionalBroker
        | FieldType::OptionalError
        | FieldType::OptionalSendError
        | FieldType::OptionalGroup
            if word.is_multiple_of(3) =>
        {
            Value::None
        }
        FieldType::OptionalNumber => value(FieldType::Number, word, small),
        FieldType::OptionalBroker => value(FieldType::Broker, word, small),
        FieldType::OptionalError => value(FieldType::Error, word, small),
        FieldType::OptionalSendError => value(FieldType::SendError, word, small),
        FieldType::OptionalGroup => value(FieldType::Group, word, small),
    }
}

/// A fact of a kind whose fields are made of random words, as large as their types permit.
fn fact(kind: FactKind, words: &[u64]) -> Fact {
    let mut small = Vec::new();
    loop {
        let mut next = words.iter().cycle();
        let built = Fact::from_fields(kind, |name, field| {
            Some(value(field, *next.next().unwrap(), small.contains(&name)))
        });
        match built {
            Ok(fact) => return fact,
            Err(name) => {
                assert!(!small.contains(&name), "{}.{name} takes no number", kind.name());
                small.push(name);
            }
        }
    }
}

fn facts() -> impl Strategy<Value = Vec<(Instant, Fact)>> {
    let words = proptest::collection::vec(any::<u64>(), 16);
    let one = (any::<u64>(), 0..FactKind::ALL.len(), words)
        .prop_map(|(at, kind, words)| (Instant::from_nanos(at), fact(FactKind::ALL[kind], &words)));
    proptest::collection::vec(one, 0..20)
}

#[test]
fn every_kind_reads_back() {
    let words: Vec<u64> = (0..16).map(|n| 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(n + 1)).collect();
    let one = |kind: &FactKind| (Instant::from_nanos(1), fact(*kind, &words));
    let trace = trace(FactKind::ALL.iter().map(one).collect());
    assert_eq!(Trace::read(written(&trace).as_slice()), Ok(trace));
}

proptest! {
    #[test]
    fn random_facts_read_back(facts in facts()) {
        let trace = trace(facts);
        prop_assert_eq!(Trace::read(written(&trace).as_slice()), Ok(trace));
    }

    #[test]
    fn any_bytes_give_facts_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Trace::read(bytes.as_slice());
    }

    #[test]
    fn any_damage_gives_facts_or_an_error(
        facts in facts(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = written(&trace(facts));
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = Trace::read(bytes.as_slice());
    }
}

#[test]
fn the_form_is_stable() {
    let text = String::from_utf8(written(&sample())).unwrap();
    let lines: Vec<_> = text.lines().skip(1).collect();
    expect![[r#"
        {"at":5,"fact":"BrokerStarted","broker":2}
        {"at":713000,"fact":"ConnectionOpened","connection":"p1#3","to":"b2"}
        {"end":{"events":9,"facts":2,"digest":"ab","halt":"quiescent"}}"#]]
    .assert_eq(&lines.join("\n"));
}

fn broken(from: &str, to: &str, expected: Expect) {
    let text = String::from_utf8(written(&sample())).unwrap();
    assert!(text.contains(from), "{text}");
    let error = Trace::read(text.replacen(from, to, 1).as_bytes()).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn errors_name_line_column_key_and_what_was_meant() {
    let unknown = expect![[
        r#"line 2, column 9: fact: unknown fact "BrokerStartd"; did you mean "BrokerStarted"?"#
    ]];
    broken("BrokerStarted", "BrokerStartd", unknown);
    let key =
        expect![[r#"line 2, column 32: BrokerStarted has no "brokr"; did you mean "broker"?"#]];
    broken("\"broker\"", "\"brokr\"", key);
    let number = expect!["line 2, column 32: broker: 77, expected a broker's number from 1 to 64"];
    broken("\"broker\":2", "\"broker\":77", number);
    let name = expect![[
        r#"line 3, column 60: to: "b99", expected a client's name, b and a broker's number, or controller"#
    ]];
    broken("\"b2\"", "\"b99\"", name);
    let missing = expect!["line 2: broker: missing, expected a broker's number from 1 to 64"];
    broken(",\"broker\":2", "", missing);
    let instant = expect!["line 2, column 2: at: -5, expected nanoseconds"];
    broken("\"at\":5", "\"at\":-5", instant);
    broken("\"facts\":2", "\"facts\":3", expect!["line 4: 2 facts, but the last line counts 3"]);
    let halt = expect![[r#"line 4: end: halt is "bored", not quiescent, horizon or event-budget"#]];
    broken("quiescent", "bored", halt);
    let setting = expect![[r#"line 1: description: acks is "2", not 0, 1 or all"#]];
    broken("\"acks\":\"all\"", "\"acks\":\"2\"", setting);
    broken("{\"end\"", "{\"done\"", expect!["line 4: at: missing, expected nanoseconds"]);
}

#[test]
fn a_file_without_its_ends_is_refused() {
    let bytes = written(&sample());
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let read = |lines: &[&str]| Trace::read(lines.join("\n").as_bytes()).map(drop);
    let error = |lines: &[&str]| read(lines).unwrap_err().to_string();
    expect![[r#"line 1: the first line is no {"description":...}"#]].assert_eq(&error(&lines[1..]));
    expect![[r#"line 4: the file ends without its {"end":...} line"#]]
        .assert_eq(&error(&lines[..3]));
    let twice = [lines.as_slice(), &lines[2..3]].concat();
    expect![[r#"line 5: something stands behind the {"end":...} line"#]].assert_eq(&error(&twice));
    expect![[r#"line 1: the first line is no {"description":...}"#]].assert_eq(&error(&[]));
    assert_eq!(read(&lines), Ok(()));
}

#[test]
fn an_observer_remembers_the_first_error() {
    use crate::observer::Observer;

    /// Takes some bytes and no more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 < bytes.len() {
                return Err(io::Error::other("full"));
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut writer = Writer::new(Full(4_000), &description()).unwrap();
    for _ in 0..1_000 {
        writer.on_fact(Instant::START, &Fact::BrokerStarted { broker: BrokerId::new(1) });
    }
    let error = writer.finish(0, "", Halt::Horizon).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "full");
}
