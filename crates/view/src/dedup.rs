//! D10, the dedup window: the batches that a leader remembers of a producer id, the batch that comes
//! in, and what it decides. Kafka: ProducerStateEntry keeps the last five batches.

use crate::frame::{Entry, Sample};
use crate::icon::Icon;
use crate::kind::{Drawing, Refusal, Task};
use crate::model::Model;
use crate::model::classify::Oddity;
use crate::model::messages::End;
use crate::table::{Cell, Table};
use crate::theme::Ink;
use crate::words::Word;
use inflight_protocol::Fact;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{BrokerId, ProducerEpoch, ProducerId, SessionId, TopicPartition};
use std::collections::BTreeMap;

/// How many batches a broker remembers. Kafka: ProducerStateEntry.NUM_BATCHES_TO_RETAIN.
const REMEMBERED: usize = 5;
/// How many rows a table has at most.
const ROWS_MAX: usize = 16;

/// A batch that a broker remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    sequence: i32,
    last: i32,
    offset: u64,
}

/// What a broker knows of producer ids in a partition.
#[derive(Clone, Debug, Default)]
struct State {
    entries: BTreeMap<ProducerId, (ProducerEpoch, Vec<(Known, u64)>)>,
}

impl State {
    fn append(&mut self, id: ProducerId, epoch: ProducerEpoch, known: Known, end: u64) {
        let entry = self.entries.entry(id).or_insert_with(|| (epoch, Vec::new()));
        if entry.0 != epoch {
            *entry = (epoch, Vec::new());
        }
        entry.1.push((known, end));
        let surplus = entry.1.len().saturating_sub(REMEMBERED);
        entry.1.drain(..surplus);
    }

    fn cut(&mut self, end: u64) {
        for (_, known) in self.entries.values_mut() {
            known.retain(|(_, batch_end)| *batch_end <= end);
        }
        self.entries.retain(|_, (_, known)| !known.is_empty());
    }
}

struct Rows<'t, 'a, 'm> {
    task: &'t Task<'a, 'm>,
    states: BTreeMap<(BrokerId, TopicPartition), State>,
    /// The producer id and epoch that a session's batches have.
    ids: BTreeMap<SessionId, (ProducerId, ProducerEpoch)>,
    table: Table,
}

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    let lang = task.lang();
    let mut rows = Rows {
        task,
        states: BTreeMap::new(),
        ids: BTreeMap::new(),
        table: Table { heads: heads(task), ..Table::default() },
    };
    for (index, (_, fact)) in task.model.facts().iter().enumerate() {
        rows.fact(index, fact);
    }
    let mut table = rows.table;
    if table.rows.is_empty() {
        return Err(Refusal::Nothing("batch that reached a leader"));
    }
    let total = table.rows.len();
    let mut notes = Vec::new();
    if total > ROWS_MAX {
        let odd = table.rows.iter().position(|row| row.iter().any(|cell| cell.look.outlined));
        let from = odd.unwrap_or(0).saturating_sub(ROWS_MAX / 2).min(total - ROWS_MAX);
        table.rows = table.rows.drain(from..from + ROWS_MAX).collect();
        table.facts = table.facts.drain(from..from + ROWS_MAX).collect();
        let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
        notes.push(format!("{showing} {ROWS_MAX} {of} {total}: {}", task.around()));
    }
    let scene = table.scene(task.measure);
    let sign = |icon, ink, word| Entry { sample: Sample::Sign(icon, ink), word };
    let legend = vec![
        sign(Icon::Check, Ink::Good, Word::VerdictAppend),
        sign(Icon::Same, Ink::Duplicate, Word::LegendCopy),
        sign(Icon::Cross, Ink::Bad, Word::Refuses),
    ];
    let figures = vec![("batches that reached a leader", total as u64)];
    Ok(Drawing { scene, legend, notes, figures })
}

fn heads(task: &Task<'_, '_>) -> Vec<String> {
    let lang = task.lang();
    let window = format!("{} [seq]→offset", lang.term(Word::Remembered));
    vec![
        "ms".to_owned(),
        lang.term(Word::Leader),
        window,
        lang.term(Word::Incoming),
        lang.term(Word::Verdict),
    ]
}

impl Rows<'_, '_, '_> {
    fn model(&self) -> &Model<'_> {
        self.task.model
    }

    fn fact(&mut self, index: usize, fact: &Fact) {
        match *fact {
            Fact::ProducerIdAssigned { session, producer_id, producer_epoch }
            | Fact::ProducerEpochBumped { session, producer_id, producer_epoch } => {
                self.ids.insert(session, (producer_id, producer_epoch));
            }
            Fact::BatchAppended {
                broker,
                partition,
                base_offset,
                count,
                origin,
                session,
                first,
                producer_id,
                producer_epoch,
                sequence,
                ..
            } => {
                let producer = producer_id.zip(producer_epoch).zip(sequence);
                let producer = producer.map(|((id, epoch), sequence)| (id, epoch, sequence.get()));
                if origin == AppendOrigin::Client {
                    let verdict = self.appended(index, producer, base_offset.get());
                    let records = (session, partition, first, count);
                    self.row(index, broker, records, producer, verdict);
                }
                if let Some((id, epoch, sequence)) = producer {
                    let last = sequence + i32::try_from(count).unwrap_or(1) - 1;
                    let known = Known { sequence, last, offset: base_offset.get() };
                    let end = base_offset.get() + u64::from(count);
                    let state = self.states.entry((broker, partition)).or_default();
                    state.append(id, epoch, known, end);
                }
            }
            Fact::DuplicateRecognized {
                broker,
                partition,
                base_offset,
                count,
                session,
                first,
                producer_id,
                producer_epoch,
                sequence,
            } => {
                let word = self.task.lang().say(Word::VerdictDuplicate);
                let verdict =
                    Cell::signed(Icon::Same, Ink::Duplicate, format!("{word} @{base_offset}"));
                let producer = Some((producer_id, producer_epoch, sequence.get()));
                let records = (session, partition, first, count);
                self.row(index, broker, records, producer, verdict.outlined());
            }
            Fact::BatchRejected { broker, partition, session, first, count, sequence, error } => {
                let verdict = Cell::signed(Icon::Cross, Ink::Bad, error.name()).outlined();
                let id = self.ids.get(&session).copied();
                let epoch = self.epoch_sent(index, session, partition, first);
                let producer = sequence
                    .zip(id)
                    .map(|(sequence, (id, known))| (id, epoch.unwrap_or(known), sequence.get()));
                self.row(index, broker, (session, partition, first, count), producer, verdict);
            }
            Fact::LogTruncated { broker, partition, to, .. }
            | Fact::LogRecovered { broker, partition, to, .. } => {
                self.states.entry((broker, partition)).or_default().cut(to.get());
            }
            Fact::ProducerStateExpired { broker, partition, producer_id } => {
                let state = self.states.entry((broker, partition)).or_default();
                state.entries.remove(&producer_id);
            }
            _ => {}
        }
    }

    /// The producer epoch that a batch had in the request that arrived last.
    fn epoch_sent(
        &self,
        index: usize,
        session: SessionId,
        partition: TopicPartition,
        first: u64,
    ) -> Option<ProducerEpoch> {
        let model = self.model();
        let requests = model.requests.list.iter().rev();
        let mut batches = requests
            .filter(|request| {
                matches!(model.messages.list[request.message].end, End::Arrived(at) if at < index)
            })
            .flat_map(|request| &request.batches);
        let same = batches
            .find(|sent| (sent.session, sent.partition, sent.first) == (session, partition, first));
        same.and_then(|sent| sent.producer_epoch)
    }

    fn appended(
        &self,
        index: usize,
        producer: Option<(ProducerId, ProducerEpoch, i32)>,
        offset: u64,
    ) -> Cell {
        let lang = self.task.lang();
        let word = if producer.is_some() { Word::VerdictAppend } else { Word::VerdictBlind };
        let text = format!("{} @{offset}", lang.say(word));
        match self.model().odd.at(index) {
            Some(Oddity::Copy) => {
                let text = format!("{text} ({})", lang.say(Word::LegendCopy));
                Cell::signed(Icon::Same, Ink::Duplicate, text).outlined()
            }
            Some(Oddity::Late) => {
                let text = format!("{text} ({})", lang.say(Word::LegendLate));
                Cell::signed(Icon::Swap, Ink::Warning, text).outlined()
            }
            None => Cell::signed(Icon::Check, Ink::Good, text),
        }
    }

    fn row(
        &mut self,
        index: usize,
        broker: BrokerId,
        (session, partition, first, count): (SessionId, TopicPartition, u64, u32),
        producer: Option<(ProducerId, ProducerEpoch, i32)>,
        verdict: Cell,
    ) {
        let lang = self.task.lang();
        let letters = self.model().records(session, partition, first, count);
        let records = self.model().where_to(partition) + &letters;
        let (window, incoming) = match producer {
            None => {
                let none = lang.say(Word::NoProducerId).to_owned();
                (format!("– ({none})"), format!("{records} ({none})"))
            }
            Some((id, epoch, sequence)) => {
                let state = self.states.get(&(broker, partition));
                let known = state.and_then(|state| state.entries.get(&id));
                let last = sequence + i32::try_from(count).unwrap_or(1) - 1;
                let pid = lang.say(Word::ProducerId);
                let ep = lang.say(Word::Epoch);
                let window = match known {
                    None => format!("{pid} {id}: –"),
                    Some((epoch, batches)) => {
                        let one = |(known, _): &(Known, u64)| {
                            format!("{}→{}", range(known.sequence, known.last), known.offset)
                        };
                        let list = batches.iter().map(one).collect::<Vec<_>>().join(" ");
                        format!("{pid} {id} {ep} {epoch}: {list}")
                    }
                };
                (window, format!("{records} {ep} {epoch} {}", range(sequence, last)))
            }
        };
        let at = self.model().at(index).to_string();
        let at = at.trim_end_matches(" ms").to_owned();
        self.table.rows.push(vec![
            Cell::plain(at),
            Cell::plain(format!("b{broker}")),
            Cell::plain(window),
            Cell::plain(incoming),
            verdict,
        ]);
        self.table.facts.push(Some(index));
    }
}

fn range(first: i32, last: i32) -> String {
    if first == last { format!("[{first}]") } else { format!("[{first}..{last}]") }
}
