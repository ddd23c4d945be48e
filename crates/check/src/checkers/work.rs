//! What became of the work on a partition: what was due, done, done twice, and skipped.

use super::{About, Found, UserView};
use crate::plan::Plan;
use crate::promise::{Armed, Case};
use crate::read::{Fate, FinalRead, PartState};
use crate::runs::{Run, Runs};
use crate::told::{Duty, Given, Outcome, Places, Readers, Told};
use crate::verdict::{Aspect, CheckerId, Judgement};
use inflight_des::Halt;
use inflight_protocol::ids::{ClientId, SessionId};

/// The work of one group, or one client, on one partition.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) duty: Duty,
    /// The clients whose work it is.
    clients: Vec<ClientId>,
    /// The clients that send what is made of the records.
    senders: Vec<ClientId>,
    /// The records below the committed offset.
    pub(crate) due: Vec<Given>,
    /// Those of them that nobody processed.
    pub(crate) skipped: Vec<Given>,
    /// Records with more than one output that counts.
    pub(crate) twice: Vec<Given>,
}

/// What one client's messages became.
#[derive(Debug)]
struct Outputs {
    client: ClientId,
    /// The messages that count.
    counting: Runs,
    /// Those of them that are there more than once.
    again: Runs,
    /// Those of which that is not known.
    pending: Runs,
    /// The messages that were linked to a record already.
    linked: Runs,
}

/// How many records these are.
pub(crate) fn records(list: &[Given]) -> u64 {
    list.iter().map(|given| given.offsets.len()).sum()
}

/// What became of all work.
pub(crate) fn of(told: &Told, read: &FinalRead, plan: &Plan) -> Vec<Work> {
    let Some(readers) = told.readers() else { return Vec::new() };
    let mut outputs = outputs_of(told, read, readers);
    let known = readers.duties.iter().filter(|duty| {
        let clients = readers.clients_of(duty.scope);
        let is_described = clients.iter().any(|c| plan.client(Some(*c)).reader.is_some());
        // Nobody says what an unknown application does with records.
        is_described || duty.effects > 0 || !duty.transformed.is_empty()
    });
    known.map(|duty| work_of(told, read, (readers, duty), &mut outputs)).collect()
}

fn work_of(
    told: &Told,
    read: &FinalRead,
    (readers, duty): (&Readers, &Duty),
    outputs: &mut [Outputs],
) -> Work {
    let at_rest = told.halt == Some(Halt::Quiescent);
    let clients = readers.clients_of(duty.scope);
    let due = due(told, read, readers, duty);
    let (mut done, mut pending) = (duty.processed.clone(), Places::default());
    let (mut made, mut twice) = (Places::default(), Vec::new());
    let mut senders = Vec::new();
    for transformed in &duty.transformed {
        let client = told.client_of(transformed.session);
        let Some(outputs) = outputs.iter_mut().find(|known| Some(known.client) == client) else {
            continue;
        };
        if !senders.contains(&outputs.client) {
            senders.push(outputs.client);
        }
        let given = transformed.given;
        let messages = Run::of(transformed.message, given.offsets.len());
        let place =
            |run: Run| Run::of(given.offsets.start + (run.start - messages.start), run.len());
        let new: Vec<Run> = outputs.linked.missing(messages).collect();
        for messages in new {
            for run in outputs.counting.common_runs(messages).map(place) {
                let new = given.part(run);
                for offsets in made.known(&new).iter() {
                    repeat(&mut twice, new.part(offsets));
                }
                made.insert(new);
                done.insert(new);
            }
            for run in outputs.again.common_runs(messages).map(place) {
                repeat(&mut twice, given.part(run));
            }
            for run in outputs.pending.common_runs(messages).map(place) {
                pending.insert(given.part(run));
            }
            outputs.linked.insert(messages);
        }
    }
    let lanes = readers.lanes.iter().filter(|lane| {
        lane.partition == duty.partition
            && readers.is_alive(lane.consumer)
            && readers.scope(lane.consumer) == duty.scope
    });
    for returned in lanes.flat_map(|lane| &lane.returned).filter(|_| !at_rest) {
        pending.insert(returned.given());
    }
    let missing = due.iter().flat_map(|due| done.missing(due));
    let skipped = missing.flat_map(|missing| pending.missing(&missing)).collect();
    Work { duty: duty.clone(), clients, senders, due, skipped, twice }
}

/// Notes records that are there again, each once.
fn repeat(twice: &mut Vec<Given>, given: Given) {
    let noted = given.known(twice);
    let new: Vec<Run> = noted.missing(given.offsets).collect();
    twice.extend(new.into_iter().map(|offsets| given.part(offsets)));
}

/// The records that a group has left behind by committing a higher offset.
fn due(told: &Told, read: &FinalRead, readers: &Readers, duty: &Duty) -> Vec<Given> {
    let Some(start) = duty.start else { return Vec::new() };
    let mut committed = duty.committed;
    if let Some(transactions) = told.transactions() {
        for sent in &transactions.offsets {
            let ours = crate::told::Scope::Group(sent.group) == duty.scope
                && sent.partition == duty.partition;
            let outcome = transactions.get(sent.transaction).map(|t| t.outcome());
            let counts = match outcome {
                Some(Outcome::Committed) => true,
                Some(Outcome::Unknown) => read.sides(sent.transaction).inside > 0,
                _ => false,
            };
            if ours && counts {
                committed = committed.max(sent.offset);
            }
        }
    }
    let reads_committed = readers.scope_reads_committed(duty.scope);
    let is_seen = |fate| !reads_committed || matches!(fate, Fate::Plain | Fate::Committed);
    let offsets = Run { start, end: committed };
    let pieces = read.pieces_within(duty.partition, offsets).filter(|p| is_seen(p.fate));
    let due = pieces.map(|piece| Given {
        session: Some(piece.session),
        first: piece.run.start,
        offsets: Run { start: piece.offset, end: piece.end() },
    });
    due.collect()
}

/// What became of the messages of the clients that make messages of records.
fn outputs_of(told: &Told, read: &FinalRead, readers: &Readers) -> Vec<Outputs> {
    let at_rest = told.halt == Some(Halt::Quiescent);
    let mut clients: Vec<ClientId> = readers
        .duties
        .iter()
        .flat_map(|duty| &duty.transformed)
        .filter_map(|transformed| told.client_of(transformed.session))
        .collect();
    clients.sort_unstable();
    clients.dedup();
    let outputs = clients.into_iter().map(|client| {
        let mut outputs = Outputs {
            client,
            counting: Runs::new(),
            again: Runs::new(),
            pending: Runs::new(),
            linked: Runs::new(),
        };
        let lanes = told.lanes().iter().enumerate();
        for (index, lane) in lanes.filter(|(_, lane)| lane.client == Some(client)) {
            let is_open = !at_rest && !told.is_stopped(lane.session);
            let is_whole = read.state(lane.partition) == PartState::Whole;
            let present = &read.seen[index].present;
            for send in lane.sends() {
                let place =
                    |run: Run| Run::of(send.message + (run.start - send.run.start), run.len());
                for run in read.counting(told, index).common_runs(send.run).map(place) {
                    let both: Vec<Run> = outputs.counting.common_runs(run).collect();
                    for both in both {
                        outputs.again.insert(both);
                    }
                    outputs.counting.insert(run);
                }
                let undecided = read.fates(index).open_of(send.run);
                let absent = present
                    .missing(send.run)
                    .filter(|run| is_open || (!is_whole && lane.acked.overlap(*run) > 0));
                for run in undecided.chain(absent).map(place) {
                    outputs.pending.insert(run);
                }
            }
        }
        outputs
    });
    outputs.collect()
}

/// What is promised about some work: to all whose work it is.
pub(super) fn promised(user: &UserView<'_>, work: &Work, of: impl Fn(&Case) -> Armed) -> Armed {
    let cases = work.clients.iter().filter_map(|client| {
        user.case_of(Some(*client), work.duty.partition).map(|case| of(&case))
    });
    let mut first = None;
    for armed in cases {
        if armed.excuse().is_some() {
            return armed;
        }
        first.get_or_insert(armed);
    }
    let Some(armed) = first else { return super::NEVER };
    // Outputs that were lost from their log are no concern of those who made them.
    let outputs = user
        .lanes()
        .filter(|(_, lane)| lane.client.is_some_and(|client| work.senders.contains(&client)));
    let unsound = outputs.map(|(index, _)| user.cases[index].durable());
    let unsound = unsound.filter_map(|armed| armed.excuse()).next();
    unsound.map_or(armed, |reason| Armed::Excused(armed.guarantee(), reason))
}

/// Notes records that something was found about, as a consumer was given them: the log may have
/// others there by now.
pub(super) fn tell_given(
    user: &UserView<'_>,
    duty: &Duty,
    what: (CheckerId, Aspect),
    (armed, given): (Armed, &Given),
    into: &mut Judgement,
) {
    let Given { session, first, offsets } = *given;
    match session {
        Some(session) => {
            let piece = (session, Run::of(first, offsets.len()), offsets.start);
            add(user, duty, what, (armed, piece), into);
        }
        None => {
            for piece in user.read.pieces_within(duty.partition, offsets) {
                let piece = (piece.session, piece.run, piece.offset);
                add(user, duty, what, (armed, piece), into);
            }
        }
    }
}

fn add(
    user: &UserView<'_>,
    duty: &Duty,
    (checker, aspect): (CheckerId, Aspect),
    (armed, (session, run, offset)): (Armed, (SessionId, Run, u64)),
    into: &mut Judgement,
) {
    let partition = duty.partition;
    let found = Found {
        checker,
        aspect,
        verdict: user.weigh(partition, armed),
        armed,
        session,
        partition,
        run,
        offset: Some(offset),
    };
    into.add_about(found, About::default());
}
