//! What an application does with its producer.

use super::key::Keys;
use super::partitioner::PartitionerTable;
use super::transactions::Transactions;
use crate::census::Lookup;
use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value, quoted};
use crate::form::{At, Form};
use crate::quantity::Size;
use crate::read::Reader;
use crate::schema::{Schemas, any_of};
use crate::source::Place;
use inflight_des::{Delay, Span};
use inflight_protocol::TopicId;
use inflight_protocol::murmur2::murmur2;
use inflight_protocol::record_size::RecordShape;
use inflight_sim::setup::{Content, Ending, KeyedShape, OnError, Resume, Style, ThreadSetup};
use serde_json::{Value as Json, json};

/// The most that a thread may send: more would not end in a day.
const MOST_RECORDS: u64 = 1_000_000_000;

object! {
    /// One thread of the application: what it sends, when, and what it does about the outcome.
    struct Thread {
        /// Where it sends to.
        "topic" topic: required TopicName,
        /// How many records it sends.
        "records" records: required At<u64>,
        /// The size of a record's value; null for a tombstone.
        "value" value: default MaybeSize = "\"100 B\"",
        /// The keys of the records: one for all, a list in turn, or drawn by weight. Without it
        /// records have no key.
        "key" key: optional At<Keys>,
        /// The partition that every record names. Without it the partitioner chooses.
        "partition" partition: optional At<u16>,
        /// Headers: names and the sizes of their values.
        "headers" headers: default Headers = "{}",
        /// When it starts.
        "start" start: default Span = "\"0ms\"",
        /// The time from one burst to the next. Without it the thread sends as fast as send()
        /// returns.
        "every" every: default Delay = "\"0ms\"",
        /// How many records in a burst, one after the other without a pause.
        "burst" burst: default At<u32> = "1",
        /// What it does with the future that send() returns.
        "style" style: default Style = "\"callback\"",
        /// What it does when it is told that a record was not delivered.
        "on-error" on_error: default OnError = "\"give-up\"",
        /// What it does after its last record.
        "then" ending: default Ending = "\"close\"",
        /// How it puts its records into transactions; needs a transactional.id.
        "transactions" transactions: optional Transactions,
    }
}

words! {
    /// What an application does with the future that send() returns.
    "style" for Style {
        /// It ignores it.
        "fire-and-forget" => Style::FireAndForget,
        /// It gives a callback and goes on.
        "callback" => Style::Callback,
        /// It calls get() and waits.
        "sync" => Style::Sync,
    }
}

words! {
    /// Where an application begins again after a restart.
    "resume" for Resume {
        /// With the first record that it was not told to be delivered: its source is
        /// at-least-once.
        "first-unacked" => Resume::FirstUnacked,
        /// With the first record that it has not given to send().
        "next-unsent" => Resume::NextUnsent,
    }
}

/// A topic by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TopicName(pub(crate) TopicId);

impl Form for TopicName {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
        match reader.census.topic(&text) {
            Lookup::Known(topic) => Some(Self(topic)),
            Lookup::Unclear => None,
            Lookup::Unknown => {
                let names: Vec<&str> = reader.census.topic_names().collect();
                reader.unknown((node.place, "topic", &text), names);
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        String::schema(schemas)
    }

    fn expected() -> Option<&'static str> {
        Some("the name of a topic")
    }
}

/// A size, or null.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaybeSize(pub(crate) Option<u32>);

impl Form for MaybeSize {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Null => Some(Self(None)),
            _ => Size::read(node, reader).map(|size| Self(Some(size.0))),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "anyOf": [Size::schema(schemas), { "type": "null" }] })
    }
}

/// Headers: the lengths of their names and the sizes of their values.
#[derive(Clone, Debug)]
pub(crate) struct Headers(Vec<(u32, Option<u32>)>);

impl Form for Headers {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(members) = node.members() else {
            reader.mismatch(node, "an object: names of headers to sizes");
            return None;
        };
        let header = |member: &crate::document::Member, reader: &mut Reader<'_>| {
            let size = MaybeSize::read(&member.node, reader)?;
            Some((u32::try_from(member.key.len()).ok()?, size.0))
        };
        let read = members
            .iter()
            .map(|member| reader.within(&member.key, |reader| header(member, reader)));
        Some(Self(read.collect::<Vec<_>>().into_iter().flatten().collect()))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "object", "additionalProperties": MaybeSize::schema(schemas) })
    }
}

object! {
    /// It sends the record again.
    struct Resend {
        /// How many times at most.
        "resend" times: required u32,
    }
}

impl Form for OnError {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        const EXPECTED: &str = "\"give-up\" or { \"resend\": 3 }";
        match &node.value {
            Value::Text(text) if text == "give-up" => Some(Self::GiveUp),
            Value::Text(text) => {
                let near = crate::nearest::nearest(text, ["give-up"]);
                let wrong = Diagnostic::error(node.place, quoted(text)).expected(EXPECTED);
                reader.report(wrong.nearest(near));
                None
            }
            Value::Object(_) => {
                Resend::read(node, reader).map(|Resend { times }| Self::Resend { times })
            }
            _ => {
                reader.mismatch(node, EXPECTED);
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let give_up = json!({ "const": "give-up", "description": "It does nothing." });
        let resend = Resend::schema(schemas);
        json!({ "anyOf": [give_up, resend] })
    }
}

object! {
    /// It calls close() with a timeout.
    struct CloseWithin {
        /// The timeout.
        "close-within" timeout: required Span,
    }
}

/// The endings without a number.
const ENDINGS: [(&str, Ending, &str); 4] = [
    ("close", Ending::Close, "It calls close(), with all the time that it takes."),
    ("flush", Ending::Flush, "It calls flush(), and the producer stays."),
    ("exit", Ending::Exit, "The process ends at once: no flush(), no close()."),
    ("stay", Ending::Stay, "The producer stays and works on."),
];

impl Form for Ending {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        const EXPECTED: &str = "\"close\", \"flush\", \"exit\", \"stay\" or \
                                { \"close-within\": \"5s\" }";
        match &node.value {
            Value::Text(text) => match ENDINGS.iter().find(|(word, ..)| word == text) {
                Some((_, ending, _)) => Some(*ending),
                None => {
                    let words = ENDINGS.map(|(word, ..)| word);
                    let near = crate::nearest::nearest(text, words);
                    let wrong = Diagnostic::error(node.place, quoted(text)).expected(EXPECTED);
                    reader.report(wrong.nearest(near));
                    None
                }
            },
            Value::Object(_) => CloseWithin::read(node, reader)
                .map(|CloseWithin { timeout }| Self::CloseWithin(timeout)),
            _ => {
                reader.mismatch(node, EXPECTED);
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let words = ENDINGS.map(|(word, _, doc)| (word, doc));
        let words = crate::schema::words("What it does after its last record.", words);
        any_of("What it does after its last record.", [words, CloseWithin::schema(schemas)])
    }
}

/// A thread before the partitioner of its producer is known.
#[derive(Clone, Debug)]
pub(crate) struct ThreadPart {
    thread: Thread,
    place: Place,
}

impl Form for ThreadPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let thread = Thread::read(node, reader)?;
        thread.check(reader).then_some(Self { thread, place: node.place })
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Thread::schema(schemas)
    }
}

impl Thread {
    fn check(&self, reader: &mut Reader<'_>) -> bool {
        let mut wrong = |key: &str, place, problem: String, expected: &str| {
            let diagnostic = Diagnostic::error(place, problem).expected(expected);
            reader.within(key, |reader| reader.report(diagnostic));
            false
        };
        if self.burst.value == 0 {
            return wrong("burst", self.burst.place, "0".to_owned(), "at least 1");
        }
        let At { value: records, place } = self.records;
        if records > MOST_RECORDS {
            let expected = format!("a whole number from 0 to {MOST_RECORDS}");
            return wrong("records", place, records.to_string(), &expected);
        }
        let Some(At { value: partition, place }) = self.partition else { return true };
        if self.key.is_some() {
            let problem = "\"partition\" beside \"key\"".to_owned();
            return wrong("partition", place, problem, "one of the two");
        }
        match reader.census.partition_count(self.topic.0) {
            Some(count) if count > 0 && partition >= count => {
                let problem = format!("partition {partition} of a topic that has {count}");
                let expected = format!("a number from 0 to {}", count - 1);
                let diagnostic = Diagnostic::error(place, problem).expected(expected);
                reader.within("partition", |reader| reader.report(diagnostic));
                false
            }
            Some(_) | None => true,
        }
    }
}

impl ThreadPart {
    /// Where it stands.
    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    /// The thread of a producer with this partitioner, by its place in the workload.
    pub(crate) fn complete(
        &self,
        index: usize,
        table: &PartitionerTable,
        reader: &mut Reader<'_>,
    ) -> Option<ThreadSetup> {
        let thread = &self.thread;
        self.check_table(table, reader);
        let transactions = match &thread.transactions {
            None => None,
            Some(plan) => {
                let sent = thread.records.value;
                let complete = |reader: &mut Reader<'_>| plan.complete(sent, reader);
                Some(reader.within("workload", |reader| {
                    reader.at(index, |reader| reader.within("transactions", complete))
                })?)
            }
        };
        let value = thread.value.0;
        let headers = &thread.headers.0;
        let unkeyed = RecordShape::new(None, value, headers);
        let keyed = |key: &String| {
            let length = u32::try_from(key.len()).ok();
            let shape = RecordShape::new(length, value, headers);
            KeyedShape { hash: murmur2(key.as_bytes()), table: table.partition(key), shape }
        };
        let content = match (&thread.key, thread.partition) {
            (None, None) => Content::Unkeyed(unkeyed),
            (None, Some(partition)) => Content::Partition(partition.value, unkeyed),
            (Some(At { value: Keys::InTurn(keys), .. }), _) => {
                Content::Keys(keys.iter().map(keyed).collect())
            }
            (Some(At { value: Keys::Weighted(keys), .. }), _) => Content::WeightedKeys(
                keys.iter().map(|(weight, key)| (*weight, keyed(key))).collect(),
            ),
        };
        Some(ThreadSetup {
            topic: thread.topic.0,
            messages: thread.records.value,
            content,
            start: thread.start,
            every: thread.every.clone(),
            burst: thread.burst.value,
            style: thread.style,
            on_error: thread.on_error,
            ending: thread.ending,
            transactions,
        })
    }

    /// A table puts the keys of this thread into partitions that the topic has.
    fn check_table(&self, table: &PartitionerTable, reader: &mut Reader<'_>) {
        let count = reader.census.partition_count(self.thread.topic.0);
        let Some(count) = count.filter(|count| *count > 0) else { return };
        let Some(keys) = self.thread.key.as_ref() else { return };
        for (key, partition) in table.0.iter().filter(|(_, to)| to.value >= count) {
            if !keys.value.has(key) {
                continue;
            }
            let number = partition.value;
            let problem = format!("partition {number} of a topic that has {count}");
            let expected = format!("a number from 0 to {}", count - 1);
            let diagnostic = Diagnostic::error(partition.place, problem).expected(expected);
            reader.within("partitioner-table", |reader| {
                reader.within(key, |reader| reader.report(diagnostic));
            });
        }
    }
}
