//! D13, the truth table: what was said of each record, and where it is.

use crate::Story;
use crate::frame::{Entry, Sample};
use crate::icon::Icon;
use crate::kind::{Drawing, Refusal, Task};
use crate::model::Model;
use crate::model::logs::{Fate, Logs, Outcome, Replica};
use crate::scene::{Anchor, Fill, Scene, Stroke, Type};
use crate::table::{Cell, Table};
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_protocol::Fact;
use inflight_protocol::fact::SendError;
use inflight_protocol::ids::{BatchId, SessionId, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};

/// How many rows all tables have at most together, and how many tables there are.
const ROWS_MAX: usize = 30;
const PARTITIONS_MAX: usize = 4;

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    let Truth { tables, notes } = Truth::of(task.model, task.lang())?;
    let mut scene = Scene::new(task.measure);
    let (mut rows, mut mismatches, mut y) = (0, 0, 0);
    for (name, table) in &tables {
        if let Some(name) = name {
            let look = Type::strong(Ink::Plain).sized(14);
            y = scene.text(0, y, Anchor::Start, look, name).bottom() + task.measure.down(4, 0);
        }
        let odd = |row: &&Vec<Cell>| row.iter().any(|cell| cell.look.outlined);
        rows += table.rows.len() as u64;
        mismatches += table.rows.iter().filter(odd).count() as u64;
        scene.place(table.scene(task.measure), 0, y);
        y = scene.height + task.measure.down(16, 1);
    }
    let outlined = Sample::Box(Fill::Tint(Ink::Bad), Stroke::thick(Ink::Bad));
    let legend = vec![
        Entry { sample: Sample::Sign(Icon::Check, Ink::Good), word: Word::Acked },
        Entry { sample: Sample::Sign(Icon::Cross, Ink::Bad), word: Word::Failed },
        Entry { sample: Sample::Sign(Icon::Question, Ink::Muted), word: Word::Unknown },
        Entry { sample: outlined, word: Word::Mismatch },
    ];
    let figures = vec![("rows", rows), ("rows that do not fit", mismatches)];
    Ok(Drawing { scene, legend, notes, figures })
}

/// The truth table of a run as Markdown.
///
/// # Errors
///
/// If the run has no record.
pub fn truth_markdown(story: &Story<'_>, lang: Lang) -> Result<String, Refusal> {
    let model = Model::new(*story);
    let Truth { tables, notes } = Truth::of(&model, lang)?;
    let table = |(name, table): &(Option<String>, Table)| match name {
        Some(name) => format!("`{name}`\n\n{}", table.markdown()),
        None => table.markdown(),
    };
    let tables: Vec<String> = tables.iter().map(table).collect();
    let notes: String = notes.iter().map(|note| format!("\n{note}\n")).collect();
    Ok(tables.join("\n") + &notes)
}

/// One record, or a run of records that fare alike.
struct Row {
    session: SessionId,
    first: u64,
    count: u64,
    tries: u32,
    outcome: Option<Outcome>,
    error: Option<SendError>,
    /// The offsets of the first record in each replica's log.
    held: Vec<Vec<u64>>,
    /// The offsets at which a reader finds it.
    read: Vec<u64>,
    /// Those at which a reader of committed records finds it.
    committed: Vec<u64>,
    /// What became of its transaction, if it is in one.
    fate: Option<Fate>,
}

/// A table for each partition that records were sent to, by its name if there are several.
struct Truth {
    tables: Vec<(Option<String>, Table)>,
    /// What is left out.
    notes: Vec<String>,
}

impl Truth {
    fn of(model: &Model<'_>, lang: Lang) -> Result<Self, Refusal> {
        let written: BTreeSet<TopicPartition> =
            model.letters.records().map(|(_, partition, ..)| partition).collect();
        // The one that the story is about comes in any case.
        let main = model.partition();
        let mut shown: Vec<TopicPartition> = written.iter().copied().collect();
        shown.sort_by_key(|partition| (*partition != main, *partition));
        shown.truncate(PARTITIONS_MAX);
        shown.sort_unstable();
        let name = |partition| model.namer.names().partition(partition);
        let (mut tables, mut notes) = (Vec::new(), Vec::new());
        for partition in shown.iter().copied() {
            let rows_max = ROWS_MAX / shown.len();
            let (table, left_out) = table(model, lang, partition, rows_max);
            let several = shown.len() > 1;
            notes.extend(left_out.map(|note| match several {
                true => format!("{}: {note}", name(partition)),
                false => note,
            }));
            tables.push((several.then(|| name(partition)), table));
        }
        if tables.is_empty() {
            return Err(Refusal::Nothing("record"));
        }
        if let ([one], true) = (shown.as_slice(), model.partitions() > 1) {
            notes.push(lang.value(Word::OnlyPartition, name(*one)));
        }
        if shown.len() < written.len() {
            let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
            let (few, all, word) = (shown.len(), written.len(), lang.say(Word::Partitions));
            notes.push(format!("{showing} {few} {of} {all} {word}"));
        }
        Ok(Self { tables, notes })
    }
}

/// The table of a partition, and what it leaves out.
fn table(
    model: &Model<'_>,
    lang: Lang,
    partition: TopicPartition,
    rows_max: usize,
) -> (Table, Option<String>) {
    let logs = Logs::new(model, partition);
    let logs = logs.after(model.facts(), model.facts().len());
    let told = Told::of(model, partition);
    let mut rows: Vec<Row> = Vec::new();
    for (session, of, ordinal, _) in model.letters.records() {
        if of != partition {
            continue;
        }
        let row = row(&logs, &told, session, ordinal);
        match rows.last_mut() {
            Some(last) if continues(last, &row) => last.count += 1,
            _ => rows.push(row),
        }
    }
    // Few records are worth a row each.
    if model.letters.messages() as usize <= 8 {
        rows = rows.into_iter().flat_map(one_by_one).collect();
    }
    let mut left_out = None;
    if rows.len() > rows_max {
        let total = rows.len();
        let odd = rows.iter().position(|row| !fits(row).is_empty());
        let why = if odd.is_some() { Word::AroundAnomaly } else { Word::FromTheStart };
        let from = odd.unwrap_or(0).saturating_sub(rows_max / 2).min(total - rows_max);
        rows = rows.drain(from..from + rows_max).collect();
        let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
        left_out = Some(format!("{showing} {rows_max} {of} {total}: {}", lang.say(why)));
    }
    let mut heads: Vec<String> =
        [Word::Record, Word::Tries, Word::Told].iter().map(|word| lang.term(*word)).collect();
    for replica in &logs.replicas {
        let leads = logs.leader == Some(replica.broker);
        let role = if leads { lang.say(Word::Leader) } else { lang.say(Word::Follower) };
        heads.push(format!("b{} {role}", replica.broker));
    }
    let transactions = logs.has_transactions();
    if transactions {
        heads.extend(["read_uncommitted", "read_committed"].map(str::to_owned));
    } else {
        heads.push(lang.term(Word::Reader));
    }
    let of = |row: &Row| {
        let mut cells = cells(model, &logs, row, lang);
        cells.extend(transactions.then(|| committed(row, lang)));
        cells
    };
    let cells = rows.iter().map(of).collect();
    let facts = vec![None; rows.len()];
    (Table { heads, rows: cells, facts }, left_out)
}

/// How often each batch was sent, and what was told beyond an offset.
struct Told {
    tries: BTreeMap<(SessionId, TopicPartition, u64), u32>,
    errors: BTreeMap<(SessionId, TopicPartition, u64), SendError>,
    partition: TopicPartition,
}

impl Told {
    fn of(model: &Model<'_>, partition: TopicPartition) -> Self {
        let mut told = Self { tries: BTreeMap::new(), errors: BTreeMap::new(), partition };
        let mut batches: BTreeMap<(SessionId, BatchId), u32> = BTreeMap::new();
        for (_, fact) in model.facts() {
            match *fact {
                Fact::BatchDrained { session, partition: p, batch, first, count, .. }
                    if p == partition =>
                {
                    let tries = batches.entry((session, batch)).or_default();
                    *tries += 1;
                    for ordinal in first..first + u64::from(count) {
                        *told.tries.entry((session, p, ordinal)).or_default() += 1;
                    }
                }
                Fact::RecordsFailed { session, partition: p, first, count, error, .. }
                    if p == partition =>
                {
                    for ordinal in first..first + u64::from(count) {
                        told.errors.insert((session, p, ordinal), error);
                    }
                }
                _ => {}
            }
        }
        told
    }
}

fn row(logs: &Logs, told: &Told, session: SessionId, ordinal: u64) -> Row {
    let key = (session, told.partition, ordinal);
    let held: Vec<Vec<u64>> =
        logs.replicas.iter().map(|replica| replica.offsets_of(session, ordinal)).collect();
    let leader = logs.readable();
    let read = leader.map(|(leader, end)| below(leader, session, ordinal, end)).unwrap_or_default();
    let fate_at = |offset: &u64| leader.and_then(|(leader, _)| logs.fate(leader, *offset));
    let is_stable = |offset: &u64| {
        let below = leader.is_some_and(|(leader, _)| *offset < logs.last_stable(leader));
        below && matches!(fate_at(offset), None | Some(Fate::Committed))
    };
    let committed = read.iter().copied().filter(is_stable).collect();
    let fate = read.last().and_then(fate_at);
    Row {
        session,
        first: ordinal,
        count: 1,
        tries: told.tries.get(&key).copied().unwrap_or(0),
        outcome: logs.outcome(session, ordinal),
        error: told.errors.get(&key).copied(),
        held,
        read,
        committed,
        fate,
    }
}

fn below(leader: &Replica, session: SessionId, ordinal: u64, end: u64) -> Vec<u64> {
    leader.offsets_of(session, ordinal).into_iter().filter(|offset| *offset < end).collect()
}

/// Whether a record fares as those of a row before it, one offset further.
fn continues(last: &Row, row: &Row) -> bool {
    let step = last.count;
    let shifted = |before: &Vec<u64>, now: &Vec<u64>| {
        before.len() == now.len() && before.iter().zip(now).all(|(a, b)| a + step == *b)
    };
    let told = match (last.outcome, row.outcome) {
        (Some(Outcome::Acked(Some(a))), Some(Outcome::Acked(Some(b)))) => a + step == b,
        (a, b) => a == b,
    };
    last.session == row.session
        && last.first + step == row.first
        && last.tries == row.tries
        && last.error == row.error
        && told
        && last.held.len() == row.held.len()
        && last.held.iter().zip(&row.held).all(|(a, b)| shifted(a, b))
        && shifted(&last.read, &row.read)
        && shifted(&last.committed, &row.committed)
        && last.fate == row.fate
}

fn one_by_one(row: Row) -> Vec<Row> {
    let shift = |list: &[u64], by: u64| list.iter().map(|offset| offset + by).collect::<Vec<_>>();
    (0..row.count)
        .map(|by| Row {
            session: row.session,
            first: row.first + by,
            count: 1,
            tries: row.tries,
            outcome: match row.outcome {
                Some(Outcome::Acked(Some(offset))) => Some(Outcome::Acked(Some(offset + by))),
                other => other,
            },
            error: row.error,
            held: row.held.iter().map(|list| shift(list, by)).collect(),
            read: shift(&row.read, by),
            committed: shift(&row.committed, by),
            fate: row.fate,
        })
        .collect()
}

/// What a reader of committed records finds, or why it finds nothing.
fn committed(row: &Row, lang: Lang) -> Cell {
    match (row.committed.is_empty(), row.fate) {
        (true, Some(Fate::Aborted)) => Cell::signed(Icon::Cross, Ink::Bad, lang.say(Word::Aborted)),
        (true, Some(Fate::Open)) => Cell::signed(Icon::Dot, Ink::Transaction, lang.say(Word::Open)),
        // Behind an open transaction of somebody else.
        (true, _) if !row.read.is_empty() => {
            Cell::signed(Icon::Left, Ink::Transaction, lang.say(Word::BehindStable))
        }
        _ => Cell::plain(offsets(&row.committed, row.count)),
    }
}

/// What does not fit to the rest of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    /// What was told.
    Told,
    /// What a reader finds.
    Read,
}

fn fits(row: &Row) -> Vec<Odd> {
    let found = row.read.len();
    match row.outcome {
        // Acked and not there.
        Some(Outcome::Acked(_)) if found == 0 => vec![Odd::Told, Odd::Read],
        // Acked elsewhere than it is.
        Some(Outcome::Acked(Some(offset))) if !row.read.contains(&offset) => {
            vec![Odd::Told, Odd::Read]
        }
        // Failed and there all the same.
        Some(Outcome::Failed) if found > 0 => vec![Odd::Told, Odd::Read],
        _ if found > 1 => vec![Odd::Read],
        _ => Vec::new(),
    }
}

fn offsets(list: &[u64], count: u64) -> String {
    let one = |offset: &u64| match count {
        1 => format!("@{offset}"),
        _ => format!("@{offset}–{}", offset + count - 1),
    };
    match list {
        [] => "–".to_owned(),
        list => list.iter().map(one).collect::<Vec<_>>().join(" "),
    }
}

fn cells(model: &Model<'_>, logs: &Logs, row: &Row, lang: Lang) -> Vec<Cell> {
    let odd = fits(row);
    let mark = |cell: Cell, which: Odd| if odd.contains(&which) { cell.outlined() } else { cell };
    let letters = model.letters.run(row.session, logs.partition, row.first, row.count);
    let mut name = letters;
    if row.count > 3 {
        name = format!("{name} ({})", row.count);
    }
    let told = match (row.outcome, row.error) {
        (Some(Outcome::Acked(Some(offset))), _) => {
            let text = format!("{} {}", lang.say(Word::Acked), offsets(&[offset], row.count));
            Cell::signed(Icon::Check, Ink::Good, text)
        }
        (Some(Outcome::Acked(None)), _) => {
            Cell::signed(Icon::Check, Ink::Good, lang.say(Word::Acked))
        }
        (Some(Outcome::Failed), Some(error)) => Cell::signed(Icon::Cross, Ink::Bad, error.name()),
        (Some(Outcome::Failed), None) => {
            Cell::signed(Icon::Cross, Ink::Bad, lang.say(Word::Failed))
        }
        (None, _) => Cell::signed(Icon::Question, Ink::Muted, lang.say(Word::Unknown)),
    };
    let mut cells =
        vec![Cell::plain(name), Cell::plain(row.tries.to_string()), mark(told, Odd::Told)];
    for held in &row.held {
        let text = offsets(held, row.count);
        cells.push(match held.len() {
            0 | 1 => Cell::plain(text),
            _ => Cell::signed(Icon::Same, Ink::Duplicate, text),
        });
    }
    let text = offsets(&row.read, row.count);
    let read = match row.read.len() {
        0 | 1 => Cell::plain(text),
        _ => Cell::signed(Icon::Same, Ink::Duplicate, text),
    };
    cells.push(mark(read, Odd::Read));
    cells
}
