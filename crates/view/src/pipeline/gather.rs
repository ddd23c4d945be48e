//! What is on the lanes: calls, batches, requests, backoffs, bytes.

use super::readers::{self, Reader, Readers};
use crate::kind::{Focus, Task};
use crate::model::messages::End;
use inflight_des::Instant;
use inflight_protocol::fact::{Direction, DrainReason};
use inflight_protocol::ids::{BatchId, BrokerId, ClientId, Node, SessionId, TopicPartition};
use inflight_protocol::{ApiKey, Fact};
use std::collections::BTreeMap;

/// How many requests a picture has at most.
pub(super) const REQUESTS_MAX: usize = 40;

/// A call of send() that put records into a batch.
pub(super) struct Call {
    pub(super) fact: usize,
    pub(super) at: Instant,
    pub(super) client: ClientId,
    pub(super) text: String,
}

/// A call that was blocked.
pub(super) struct Blocked {
    pub(super) fact: usize,
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) client: ClientId,
}

/// A batch from its first record to its first request, or to its end without one.
pub(super) struct OpenBatch {
    pub(super) fact: usize,
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) client: ClientId,
    pub(super) partition: TopicPartition,
    pub(super) text: String,
    pub(super) bytes: u64,
    pub(super) closed: Option<DrainReason>,
    /// Whether it was still open when its producer went away.
    pub(super) abandoned: bool,
}

/// A batch that waits for its next attempt.
pub(super) struct Backoff {
    pub(super) fact: usize,
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) client: ClientId,
    pub(super) partition: TopicPartition,
    pub(super) text: String,
}

/// A produce request.
pub(super) struct Bar {
    pub(super) fact: usize,
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) client: ClientId,
    pub(super) broker: BrokerId,
    pub(super) text: String,
    /// Whether no answer came.
    pub(super) failed: bool,
    /// When it was at the broker.
    pub(super) there: Option<(Instant, Instant)>,
}

/// Everything that is drawn, within a window of time.
pub(super) struct Gathered {
    pub(super) calls: Vec<Call>,
    pub(super) blocked: Vec<Blocked>,
    pub(super) batches: Vec<OpenBatch>,
    pub(super) backoffs: Vec<Backoff>,
    pub(super) requests: Vec<Bar>,
    /// Bytes that are queued or sent and not answered, after each change.
    pub(super) waiting: Vec<(Instant, u64)>,
    /// Where consumers are.
    pub(super) readers: Readers,
    pub(super) from: Instant,
    pub(super) to: Instant,
}

impl Gathered {
    pub(super) fn of(task: &Task<'_, '_>, requests_max: usize) -> Self {
        let mut all = Self {
            calls: Vec::new(),
            blocked: Vec::new(),
            batches: Vec::new(),
            backoffs: Vec::new(),
            requests: requests(task),
            waiting: Vec::new(),
            readers: readers::of(task),
            from: Instant::START,
            to: Instant::NEVER,
        };
        all.walk(task);
        (all.from, all.to) = window(task, &all, requests_max);
        let (from, to) = (all.from, all.to);
        let meets = |a: Instant, b: Instant| a <= to && from <= b;
        all.calls.retain(|call| meets(call.at, call.at));
        all.blocked.retain(|blocked| meets(blocked.from, blocked.to));
        all.batches.retain(|batch| meets(batch.from, batch.to));
        all.backoffs.retain(|backoff| meets(backoff.from, backoff.to));
        all.requests.retain(|bar| meets(bar.from, bar.from));
        all.waiting.retain(|(at, _)| meets(*at, *at));
        all
    }

    fn walk(&mut self, task: &Task<'_, '_>) {
        let model = task.model;
        let mut open: BTreeMap<(SessionId, BatchId), usize> = BTreeMap::new();
        let mut held: BTreeMap<(SessionId, BatchId), u64> = BTreeMap::new();
        let mut requeued: BTreeMap<(SessionId, BatchId), (usize, Instant)> = BTreeMap::new();
        let mut waits = BTreeMap::new();
        let mut bytes_waiting = 0;
        for (index, (at, fact)) in model.facts().iter().enumerate() {
            match *fact {
                Fact::SendBlocked { session, thread, .. } => {
                    waits.insert((session, thread), *at);
                }
                Fact::SendReturned { session, thread, .. } => {
                    let from = waits.remove(&(session, thread));
                    if let (Some(from), Some(client)) = (from, model.namer.client_of(session)) {
                        self.blocked.push(Blocked { fact: index, from, to: *at, client });
                    }
                }
                Fact::RecordsQueued { session, partition, first, count, batch, bytes, .. } => {
                    let Some(client) = model.namer.client_of(session) else { continue };
                    let text = model.letters.run(session, partition, first, u64::from(count));
                    self.calls.push(Call { fact: index, at: *at, client, text: text.clone() });
                    let place = *open.entry((session, batch)).or_insert_with(|| {
                        self.batches.push(OpenBatch {
                            fact: index,
                            from: *at,
                            to: Instant::NEVER,
                            client,
                            partition,
                            text,
                            bytes: 0,
                            closed: None,
                            abandoned: false,
                        });
                        self.batches.len() - 1
                    });
                    self.batches[place].bytes += u64::from(bytes);
                    *held.entry((session, batch)).or_default() += u64::from(bytes);
                    bytes_waiting += u64::from(bytes);
                    self.waiting.push((*at, bytes_waiting));
                }
                Fact::BatchDrained {
                    session,
                    batch,
                    reason,
                    partition,
                    first,
                    count,
                    bytes,
                    ..
                } => {
                    let text = model.letters.run(session, partition, first, u64::from(count));
                    let Some(client) = model.namer.client_of(session) else { continue };
                    if let Some((_, from)) = requeued.remove(&(session, batch)) {
                        let to = *at;
                        let fact = index;
                        self.backoffs.push(Backoff { fact, from, to, client, partition, text });
                    } else if let Some(place) = open.get(&(session, batch)) {
                        let one = &mut self.batches[*place];
                        (one.to, one.closed, one.text) = (*at, Some(reason), text);
                        one.bytes = u64::from(bytes);
                    }
                }
                Fact::BatchRequeued { session, batch, .. } => {
                    requeued.insert((session, batch), (index, *at));
                }
                Fact::RecordsAcked { session, batch, .. }
                | Fact::RecordsFailed { session, batch, .. } => {
                    if let Some(place) = open.get(&(session, batch)) {
                        let one = &mut self.batches[*place];
                        one.to = one.to.min(*at);
                    }
                    let bytes = held.remove(&(session, batch)).unwrap_or(0);
                    bytes_waiting -= bytes;
                    self.waiting.push((*at, bytes_waiting));
                }
                // What was in its memory is gone, and nobody waits any more.
                Fact::ProducerStopped { session: gone, client, .. } => {
                    for place in of_session(&open, gone) {
                        self.batches[place].abandon(*at);
                    }
                    let from = take(&mut waits, gone);
                    let (fact, to) = (index, *at);
                    self.blocked.extend(from.into_iter().map(|from| Blocked {
                        fact,
                        from,
                        to,
                        client,
                    }));
                    requeued.retain(|(session, _), _| *session != gone);
                    bytes_waiting -= take(&mut held, gone).into_iter().sum::<u64>();
                    self.waiting.push((*at, bytes_waiting));
                }
                _ => {}
            }
        }
        let end = model.facts().last().map_or(Instant::START, |(at, _)| *at);
        for batch in &mut self.batches {
            batch.to = batch.to.min(end);
        }
    }
}

impl OpenBatch {
    /// Its producer went away. A batch that was drained before is no longer open.
    fn abandon(&mut self, at: Instant) {
        if self.to == Instant::NEVER {
            (self.to, self.abandoned) = (at, true);
        }
    }
}

/// Takes out what is a session's.
fn take<K: Ord, V: Copy>(of: &mut BTreeMap<(SessionId, K), V>, session: SessionId) -> Vec<V> {
    let mut taken = Vec::new();
    of.retain(|(known, _), value| {
        let goes = *known == session;
        taken.extend(goes.then_some(*value));
        !goes
    });
    taken
}

/// The places of a session's batches.
fn of_session(
    open: &BTreeMap<(SessionId, BatchId), usize>,
    session: SessionId,
) -> impl Iterator<Item = usize> {
    open.iter().filter(move |((known, _), _)| *known == session).map(|(_, place)| *place)
}

fn requests(task: &Task<'_, '_>) -> Vec<Bar> {
    let model = task.model;
    let mut closed: BTreeMap<_, Instant> = BTreeMap::new();
    let mut stopped: Vec<(ClientId, Instant)> = Vec::new();
    for (at, fact) in model.facts() {
        match *fact {
            Fact::ConnectionClosed { connection, at: Node::Client(_), .. } => {
                closed.insert(connection, *at);
            }
            Fact::ProducerStopped { client, .. } => stopped.push((client, *at)),
            _ => {}
        }
    }
    let end = model.facts().last().map_or(Instant::START, |(at, _)| *at);
    let bar = |request: &crate::model::requests::Request| {
        let asked = &model.messages.list[request.message];
        let (Node::Client(client), Node::Broker(broker)) = (asked.from, asked.to) else {
            return None;
        };
        let reply = request.response.as_ref().map(|(place, _)| &model.messages.list[*place]);
        let arrived = reply.and_then(|reply| match reply.end {
            End::Arrived(index) => Some(model.at(index)),
            _ => None,
        });
        let from = model.at(asked.sent);
        // With acks=0 there is no answer to wait for: the slot is free at once.
        // Who is gone waits for nothing.
        let gone = stopped.iter().filter(|(who, _)| *who == client).map(|(_, at)| at);
        let over = gone.chain(closed.get(&asked.connection)).copied();
        let unanswered = over.filter(|at| *at >= from).min();
        let no_answer = expects_none(task, client);
        let to = arrived.or(if no_answer { Some(from) } else { unanswered }).unwrap_or(end);
        let there = match asked.end {
            End::Arrived(index) => {
                let left = reply.map_or(model.at(index), |reply| model.at(reply.sent));
                Some((model.at(index), left))
            }
            _ => None,
        };
        let texts = request.batches.iter().map(|sent| {
            let count = u64::from(sent.count);
            let letters = model.letters.run(sent.session, sent.partition, sent.first, count);
            match sent.attempt {
                0 => letters,
                more => format!("{letters} {}", more + 1),
            }
        });
        let text = texts.collect::<Vec<_>>().join(" ");
        let failed = arrived.is_none() && !no_answer;
        Some(Bar { fact: asked.sent, from, to, client, broker, text, failed, there })
    };
    let produce = |request: &&crate::model::requests::Request| {
        let message = &model.messages.list[request.message];
        message.api == ApiKey::Produce && message.direction == Direction::Request
    };
    model.requests.list.iter().filter(produce).filter_map(bar).collect()
}

fn expects_none(task: &Task<'_, '_>, client: ClientId) -> bool {
    let client = task.model.story.description.client(client);
    client.is_some_and(|client| client.acks == inflight_protocol::Acks::None)
}

/// The window of time that is drawn.
fn window(task: &Task<'_, '_>, all: &Gathered, requests_max: usize) -> (Instant, Instant) {
    if let Focus::Window(from, to) = task.options.focus {
        return (from, to);
    }
    let calls = all.calls.first().map(|call| call.at);
    let blocked = all.blocked.first().map(|blocked| blocked.from);
    let start = calls.into_iter().chain(blocked).min().unwrap_or(Instant::START);
    let last = all.requests.iter().map(|bar| bar.to).max();
    let last = last.max(all.batches.iter().map(|batch| batch.to).max());
    let last = last.max(all.blocked.iter().map(|blocked| blocked.to).max());
    let end = last.max(all.calls.last().map(|call| call.at)).unwrap_or(start);
    if all.requests.len() <= requests_max {
        let read = all.readers.values().filter_map(Reader::last).max();
        return (start, end.max(read.unwrap_or(end)));
    }
    let decisive = task.model.decisive().first().map(|index| task.model.at(*index));
    let centre = decisive.unwrap_or(start);
    let place = all.requests.partition_point(|bar| bar.from <= centre);
    let from = place.saturating_sub(requests_max / 2).min(all.requests.len() - requests_max);
    let window = &all.requests[from..from + requests_max];
    let to = window.iter().map(|bar| bar.to).max().unwrap_or(end);
    // The next request's bar would begin here.
    let next = all.requests.get(from + requests_max).map(|bar| bar.from);
    let to = next.map_or(to, |next| to.min(next).max(window[requests_max - 1].from));
    (window[0].from, to)
}
