//! The parts of a record's time from send() to the callback, which sum up to it exactly.

use super::Model;
use super::messages::End;
use super::requests::{Request, Sent};
use inflight_des::{Instant, Span};
use inflight_protocol::Fact;
use inflight_protocol::fact::{BlockedOn, DrainReason, SendError};
use inflight_protocol::ids::{BatchId, Offset, SessionId, ThreadId, TopicPartition};
use std::collections::BTreeMap;

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// send() has not returned.
    Blocked(BlockedOn),
    /// In a batch that others may join.
    InBatch,
    /// In a batch that is ready and waits for its turn.
    Ready,
    /// In a request, for the nth time, from 1.
    InFlight(u32),
    /// Waiting for the next attempt.
    Backoff(u32),
}

/// One part of a record's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) stage: Stage,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    /// The fact at which it ends.
    pub(crate) fact: usize,
}

impl Part {
    pub(crate) fn span(&self) -> Span {
        self.to.since(self.from)
    }
}

/// What a callback said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callback {
    Acked(Option<Offset>),
    Failed(SendError),
    /// It never came.
    Never,
}

/// A record's time.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) session: SessionId,
    pub(crate) partition: TopicPartition,
    pub(crate) ordinal: u64,
    /// When the batch was begun: where delivery.timeout.ms starts.
    pub(crate) created: Instant,
    pub(crate) parts: Vec<Part>,
    pub(crate) callback: Callback,
    /// What happened to the last attempt that a broker answered.
    pub(crate) zoom: Vec<(&'static str, Span)>,
}

impl Life {
    pub(crate) fn start(&self) -> Instant {
        self.parts.first().map_or(self.created, |part| part.from)
    }

    pub(crate) fn end(&self) -> Instant {
        self.parts.last().map_or(self.created, |part| part.to)
    }

    pub(crate) fn total(&self) -> Span {
        self.end().since(self.start())
    }
}

/// What is known of a batch on its way through the client.
#[derive(Default)]
struct Batch {
    created: Option<Instant>,
    /// When nothing more could join, if a later batch shows it.
    closed: Option<Instant>,
    /// Drains, requeues and the end, in order, with their facts.
    steps: Vec<(usize, Instant, Step)>,
}

#[derive(Clone, Copy)]
enum Step {
    Drained(DrainReason),
    Requeued,
    Ended(Callback),
}

type BatchKey = (SessionId, BatchId);

/// The lives of the first record of every call, in the order of the calls.
pub(crate) fn lives(model: &Model<'_>) -> Vec<Life> {
    let mut batches: BTreeMap<BatchKey, Batch> = BTreeMap::new();
    let mut open: BTreeMap<(SessionId, TopicPartition), BatchId> = BTreeMap::new();
    let mut blocked: BTreeMap<(SessionId, ThreadId), Vec<(usize, Part)>> = BTreeMap::new();
    let mut waits: BTreeMap<(SessionId, ThreadId), (Instant, BlockedOn)> = BTreeMap::new();
    let mut calls = Vec::new();
    for (index, (at, fact)) in model.facts().iter().enumerate() {
        match *fact {
            Fact::SendBlocked { session, thread, on } => {
                waits.insert((session, thread), (*at, on));
            }
            Fact::SendReturned { session, thread, .. } => {
                if let Some((from, on)) = waits.remove(&(session, thread)) {
                    let part = Part { stage: Stage::Blocked(on), from, to: *at, fact: index };
                    blocked.entry((session, thread)).or_default().push((index, part));
                }
            }
            Fact::SendRefused { session, thread, .. } => {
                blocked.remove(&(session, thread));
                waits.remove(&(session, thread));
            }
            Fact::RecordsQueued { session, thread, partition, first, batch, .. } => {
                let one = batches.entry((session, batch)).or_default();
                one.created.get_or_insert(*at);
                if let Some(before) = open.insert((session, partition), batch)
                    && before != batch
                    && let Some(before) = batches.get_mut(&(session, before))
                {
                    before.closed.get_or_insert(*at);
                }
                let waited = blocked.remove(&(session, thread)).unwrap_or_default();
                let waited = waited.into_iter().map(|(_, part)| part).collect::<Vec<_>>();
                calls.push((*at, session, partition, first, batch, waited));
            }
            _ => step(&mut batches, index, *at, fact),
        }
    }
    let lives = calls.into_iter().map(|(at, session, partition, ordinal, batch, waited)| {
        let known = &batches[&(session, batch)];
        let linger = model.millis(session, "linger.ms").unwrap_or(0);
        let (parts, callback) = parts_of(known, at, waited, linger);
        let created = known.created.unwrap_or(at);
        let zoom = zoom_of(model, session, batch);
        Life { session, partition, ordinal, created, parts, callback, zoom }
    });
    lives.collect()
}

fn step(batches: &mut BTreeMap<BatchKey, Batch>, index: usize, at: Instant, fact: &Fact) {
    let (key, step) = match *fact {
        Fact::BatchDrained { session, batch, reason, .. } => {
            ((session, batch), Step::Drained(reason))
        }
        Fact::BatchRequeued { session, batch, .. } => ((session, batch), Step::Requeued),
        Fact::RecordsAcked { session, batch, base_offset, .. } => {
            ((session, batch), Step::Ended(Callback::Acked(base_offset)))
        }
        Fact::RecordsFailed { session, batch, error, .. } => {
            ((session, batch), Step::Ended(Callback::Failed(error)))
        }
        _ => return,
    };
    batches.entry(key).or_default().steps.push((index, at, step));
}

/// The parts of a record that joined a batch at an instant.
fn parts_of(
    batch: &Batch,
    joined: Instant,
    waited: Vec<Part>,
    linger: u64,
) -> (Vec<Part>, Callback) {
    let mut parts = waited;
    let mut from = joined;
    let mut tries = 0;
    let mut push = |stage, from: Instant, to: Instant, fact| {
        if from < to {
            parts.push(Part { stage, from, to, fact });
        }
    };
    for (index, at, step) in &batch.steps {
        match step {
            Step::Drained(reason) if tries == 0 => {
                let created = batch.created.unwrap_or(joined);
                let over = created + Span::from_millis(linger);
                let ready = match reason {
                    DrainReason::Linger => over,
                    DrainReason::Full => batch.closed.unwrap_or(*at).min(over),
                    _ => *at,
                };
                let ready = ready.clamp(from, *at);
                push(Stage::InBatch, from, ready, *index);
                push(Stage::Ready, ready, *at, *index);
                (from, tries) = (*at, 1);
            }
            Step::Drained(_) => {
                push(Stage::Backoff(tries), from, *at, *index);
                (from, tries) = (*at, tries + 1);
            }
            Step::Requeued => {
                push(Stage::InFlight(tries), from, *at, *index);
                from = *at;
            }
            Step::Ended(callback) => {
                let before = batch.steps.iter().rfind(|(earlier, ..)| earlier < index);
                let in_flight = matches!(before, Some((_, _, Step::Drained(_))));
                let stage = match (in_flight, tries) {
                    (true, _) => Stage::InFlight(tries),
                    (false, 0) => Stage::InBatch,
                    (false, _) => Stage::Backoff(tries),
                };
                push(stage, from, *at, *index);
                return (parts, *callback);
            }
        }
    }
    (parts, Callback::Never)
}

/// What a broker did with the last attempt that it answered.
fn zoom_of(model: &Model<'_>, session: SessionId, batch: BatchId) -> Vec<(&'static str, Span)> {
    let of = |sent: &Sent| (sent.session, sent.batch) == (session, batch);
    let answered = |request: &&Request| {
        request.batches.iter().any(of)
            && request.response.as_ref().is_some_and(|(place, _)| {
                matches!(model.messages.list[*place].end, End::Arrived(_))
            })
    };
    let Some(request) = model.requests.list.iter().rfind(answered) else { return Vec::new() };
    let Some(sent) = request.batches.iter().find(|sent| of(sent)) else { return Vec::new() };
    let asked = &model.messages.list[request.message];
    let Some(reply) = request.response.as_ref().map(|(place, _)| &model.messages.list[*place])
    else {
        return Vec::new();
    };
    let (Some(arrived), Some(back)) = (asked.ended(), reply.ended()) else { return Vec::new() };
    let between = &model.facts()[arrived..=reply.sent];
    let find = |wanted: fn(&Fact, &Sent) -> bool| {
        between.iter().position(|(_, fact)| wanted(fact, sent)).map(|place| arrived + place)
    };
    let written = find(is_written).unwrap_or(arrived);
    let decided = find(is_decided).unwrap_or(written).max(written);
    let at = |index| model.at(index);
    let span = |from: usize, to: usize| at(to).since(at(from));
    vec![
        ("network", span(asked.sent, arrived)),
        ("append", span(arrived, written)),
        ("in-sync", span(written, decided)),
        ("queue", span(decided, reply.sent)),
        ("back", span(reply.sent, back)),
    ]
}

fn is_written(fact: &Fact, sent: &Sent) -> bool {
    match *fact {
        Fact::BatchAppended { broker, session, partition, first, .. }
        | Fact::DuplicateRecognized { broker, session, partition, first, .. }
        | Fact::BatchRejected { broker, session, partition, first, .. } => {
            (broker, session, partition, first)
                == (sent.broker, sent.session, sent.partition, sent.first)
        }
        _ => false,
    }
}

fn is_decided(fact: &Fact, sent: &Sent) -> bool {
    match *fact {
        Fact::ProduceDecided { broker, session, partition, first, .. } => {
            (broker, session, partition, first)
                == (sent.broker, sent.session, sent.partition, sent.first)
        }
        _ => false,
    }
}
