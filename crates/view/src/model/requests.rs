//! Produce requests: which batches are in one, and what was answered.

use super::messages::Messages;
use inflight_des::Instant;
use inflight_protocol::fact::{AppendOrigin, Direction};
use inflight_protocol::ids::{
    BatchId, BrokerId, ClientId, CorrelationId, Node, Offset, ProducerEpoch, SessionId,
    TopicPartition,
};
use inflight_protocol::{ApiKey, ErrorCode, Fact, Sequence};
use inflight_trace::Namer;
use std::collections::BTreeMap;

/// A batch on its way in a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) session: SessionId,
    pub(crate) partition: TopicPartition,
    pub(crate) batch: BatchId,
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) attempt: u32,
    pub(crate) sequence: Option<Sequence>,
    pub(crate) producer_epoch: Option<ProducerEpoch>,
    pub(crate) broker: BrokerId,
}

/// What a broker decided about a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is in the log from this offset on.
    Written(Option<Offset>),
    /// It was in the log already.
    Recognised(Offset),
    /// It was refused, or failed after it was written.
    Failed(ErrorCode),
}

/// A produce request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its message, as a position in [`Messages`].
    pub(crate) message: usize,
    pub(crate) batches: Vec<Sent>,
    /// The response's message, if one was sent, with what it says of each batch.
    pub(crate) response: Option<(usize, Vec<Option<Decision>>)>,
}

/// All produce requests, in the order in which they left.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    pub(crate) list: Vec<Request>,
    /// The request of a message, whether it is the request or the response.
    by_message: BTreeMap<usize, usize>,
}

type BatchKey = (BrokerId, TopicPartition, SessionId, u64);

impl Requests {
    pub(crate) fn of(facts: &[(Instant, Fact)], namer: &Namer, messages: &Messages) -> Self {
        let mut requests = Self::default();
        let mut drained: BTreeMap<(ClientId, CorrelationId), Vec<Sent>> = BTreeMap::new();
        let mut decided: BTreeMap<BatchKey, Decision> = BTreeMap::new();
        for (index, (_, fact)) in facts.iter().enumerate() {
            note(&mut decided, fact);
            if let Some((client, correlation, sent)) = sent(fact, namer) {
                drained.entry((client, correlation)).or_default().push(sent);
            }
            let Some((place, message)) = messages.sent_at(index) else { continue };
            if message.api != ApiKey::Produce {
                continue;
            }
            match (message.direction, message.from) {
                (Direction::Request, Node::Client(client)) => {
                    let batches =
                        drained.remove(&(client, message.correlation)).unwrap_or_default();
                    requests.by_message.insert(place, requests.list.len());
                    requests.list.push(Request { message: place, batches, response: None });
                }
                (Direction::Response, Node::Broker(_)) => {
                    requests.answer(place, messages, &decided);
                }
                _ => {}
            }
        }
        requests
    }

    fn answer(
        &mut self,
        place: usize,
        messages: &Messages,
        decided: &BTreeMap<BatchKey, Decision>,
    ) {
        let of = messages.list[place];
        let asked = self.list.iter().rposition(|request| {
            let message = &messages.list[request.message];
            message.connection == of.connection && message.correlation == of.correlation
        });
        let Some(index) = asked else { return };
        let said = |sent: &Sent| {
            decided.get(&(sent.broker, sent.partition, sent.session, sent.first)).copied()
        };
        let said = self.list[index].batches.iter().map(said).collect();
        self.list[index].response = Some((place, said));
        self.by_message.insert(place, index);
    }

    /// The request that a message is or answers.
    pub(crate) fn of_message(&self, message: usize) -> Option<&Request> {
        self.list.get(*self.by_message.get(&message)?)
    }
}

/// What a fact says of the decision about a batch.
fn note(decided: &mut BTreeMap<BatchKey, Decision>, fact: &Fact) {
    match *fact {
        Fact::BatchAppended {
            broker,
            partition,
            session,
            first,
            base_offset,
            origin: AppendOrigin::Client,
            ..
        } => {
            let written = Decision::Written(Some(base_offset));
            decided.insert((broker, partition, session, first), written);
        }
        Fact::DuplicateRecognized { broker, partition, session, first, base_offset, .. } => {
            let recognised = Decision::Recognised(base_offset);
            decided.insert((broker, partition, session, first), recognised);
        }
        Fact::BatchRejected { broker, partition, session, first, error, .. } => {
            decided.insert((broker, partition, session, first), Decision::Failed(error));
        }
        Fact::ProduceDecided { broker, partition, session, first, error: Some(error), .. } => {
            decided.insert((broker, partition, session, first), Decision::Failed(error));
        }
        _ => {}
    }
}

fn sent(fact: &Fact, namer: &Namer) -> Option<(ClientId, CorrelationId, Sent)> {
    let Fact::BatchDrained {
        session,
        partition,
        batch,
        first,
        count,
        broker,
        correlation,
        attempt,
        sequence,
        producer_epoch,
        ..
    } = *fact
    else {
        return None;
    };
    let sent =
        Sent { session, partition, batch, first, count, attempt, sequence, producer_epoch, broker };
    Some((namer.client_of(session)?, correlation, sent))
}
