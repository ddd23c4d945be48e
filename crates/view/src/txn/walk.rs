//! From facts to events on lanes.

mod app;
mod coordinators;
mod logs;
mod readers;

use super::gather::{Event, Gathered, Lane, Look, partitions};
use super::visible::{Level, Levels};
use crate::Icon;
use crate::kind::Task;
use crate::model::logs::Logs;
use crate::theme::Ink;
use crate::words::Word;
use inflight_protocol::ids::{
    BrokerId, ClientId, ProducerEpoch, SessionId, TopicPartition, TransactionalId,
};
use inflight_protocol::{Fact, TransactionState};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a transactional id on the way.
struct Identity {
    state: TransactionState,
    epoch: Option<ProducerEpoch>,
    coordinator: Option<BrokerId>,
    /// The partition of the internal topic that it belongs to.
    home: Option<TopicPartition>,
}

/// One way through the facts of a run.
pub(super) struct Walk<'t, 'a, 'm> {
    task: &'t Task<'a, 'm>,
    out: Gathered,
    levels: Levels,
    /// The logs as they are in the end: they say what became of each transaction.
    ends: Vec<Logs>,
    clients: BTreeSet<ClientId>,
    readers: BTreeSet<ClientId>,
    ids: BTreeMap<TransactionalId, Identity>,
    /// The partition of an internal topic that a coordinator wrote to last.
    written: Option<TopicPartition>,
    /// Records of the send() calls of one instant.
    sends: Vec<(SessionId, TopicPartition, u64)>,
    committed: BTreeMap<(ClientId, TopicPartition), u64>,
    index: usize,
}

impl<'t, 'a, 'm> Walk<'t, 'a, 'm> {
    pub(super) fn new(task: &'t Task<'a, 'm>) -> Self {
        let model = task.model;
        let (partitions, partitions_left) = partitions(task);
        let facts = model.facts();
        let end = |one: &TopicPartition| Logs::new(model, *one).after(facts, facts.len());
        let ends = partitions.iter().map(end).collect();
        let levels = Levels::new(model, &partitions);
        let out = Gathered { partitions, partitions_left, ..Gathered::default() };
        let mut walk = Self {
            task,
            out,
            levels,
            ends,
            clients: BTreeSet::new(),
            readers: BTreeSet::new(),
            ids: BTreeMap::new(),
            written: None,
            sends: Vec::new(),
            committed: BTreeMap::new(),
            index: 0,
        };
        walk.who_takes_part();
        walk
    }

    /// Clients with transactions, and those who read what is written in them or are clients of both
    /// kinds.
    fn who_takes_part(&mut self) {
        let model = self.task.model;
        for (_, fact) in model.facts() {
            match *fact {
                Fact::TransactionsInitialized { session, .. }
                | Fact::TransactionCallFailed { session, .. }
                | Fact::TransactionBegun { session, .. } => {
                    self.clients.extend(model.namer.client_of(session));
                }
                Fact::PartitionAssigned { consumer, partition, .. }
                    if self.out.partitions.contains(&partition) =>
                {
                    self.readers.extend(model.namer.client_of_consumer(consumer));
                }
                _ => {}
            }
        }
        let description = model.story.description;
        for (index, client) in description.clients.iter().enumerate() {
            let id = ClientId::new(index as u16);
            if client.consumer.is_some() && self.clients.contains(&id) {
                self.readers.insert(id);
            }
        }
    }

    pub(super) fn run(mut self) -> Gathered {
        let facts = self.task.model.facts();
        for (index, (_, fact)) in facts.iter().enumerate() {
            self.index = index;
            self.on_app(fact);
            self.on_producer(fact);
            self.on_coordinator(fact);
            self.on_log(fact);
            self.on_reader(fact);
            self.on_fault(fact);
            self.on_levels(fact);
        }
        self.lags();
        self.out
    }

    fn say(&self, word: Word) -> &'static str {
        self.task.lang().say(word)
    }

    fn push(&mut self, lane: Lane, text: String, look: Look) {
        self.push_both(lane, text, String::new(), look);
    }

    fn push_both(&mut self, lane: Lane, text: String, below: String, look: Look) {
        let (fact, at) = (self.index, self.task.model.at(self.index));
        self.out.events.push(Event { fact, at, lane, text, below, look });
    }

    fn client(&self, session: SessionId) -> Option<ClientId> {
        let client = self.task.model.namer.client_of(session)?;
        self.clients.contains(&client).then_some(client)
    }

    fn place(&self, partition: TopicPartition) -> Option<usize> {
        self.out.partitions.iter().position(|known| *known == partition)
    }

    fn on_fault(&mut self, fact: &Fact) {
        if let Fact::FaultInjected { fault } = *fact {
            let text = self.task.model.namer.names().fault(u64::from(fault));
            self.push(Lane::Faults, text, Look::Label(Ink::Bad, Some(Icon::Lightning)));
        }
    }

    fn on_levels(&mut self, fact: &Fact) {
        for level in self.levels.apply(self.index, fact) {
            let Level { partition, high, stable, .. } = level;
            self.push(Lane::Stable(partition), String::new(), Look::Levels { high, stable });
        }
    }

    /// What is left to read behind what was committed last, control records included.
    fn lags(&mut self) {
        for ((client, partition), committed) in &self.committed {
            let Some(place) = self.place(*partition) else { continue };
            let ends = &self.ends[place];
            let leader = ends.leader.and_then(|leader| ends.replica(leader));
            let high = leader.map_or(0, |leader| leader.high_watermark);
            self.out.lags.push((*client, high.saturating_sub(*committed)));
        }
    }
}
