//! One file a checker. Each says in one sentence what it examines.
//!
//! The checkers of the user's view get a [`UserView`]: what applications were told and what a
//! reader finds. They cannot look into a broker. What the oracle adds for them, and the invariants
//! of the oracle's view, get the [`History`](crate::History).

mod aborted_read;
mod append_order;
mod atomicity;
mod cycles;
mod double_append;
mod early_read;
mod exactly_once;
mod fencing;
mod integrity;
mod known_transactions;
mod leader_completeness;
mod log_matching;
mod markers;
mod message_duplicate;
mod message_order;
mod no_loss;
mod offset_agreement;
mod ownership;
mod prefix;
mod processed_at_least_once;
mod processed_at_most_once;
mod producer_state;
mod progress;
mod reader_order;
mod repeatable_read;
mod sequences;
mod session_order;
mod spurious_fatal;
mod stable_offset;
mod stable_progress;
mod transactional_offsets;
mod transport_duplicate;
mod truncation;
mod truthful_errors;
mod unique_identity;
mod work;

use crate::guarantee::Guarantee;
use crate::history::{History, Odd, What};
use crate::incident::Incident;
use crate::plan::Plan;
use crate::promise::{Armed, Case, Reason};
use crate::read::{Beyond, FinalRead, PartState};
use crate::runs::Run;
use crate::told::{Lane, Told, Transactions};
use crate::verdict::{
    Aspect, CheckerId, FactRef, Finding, Judgement, Records, TransactionName, Verdict,
};
use inflight_des::Instant;
use inflight_protocol::ids::{ClientId, ConsumerId, SessionId, TopicPartition};

pub(crate) use work::{Work, of as work_of, records};

/// What a checker of the user's view may know.
pub(crate) struct UserView<'a> {
    /// What applications sent and were told.
    pub(crate) told: &'a Told,
    /// What a reader finds.
    pub(crate) read: &'a FinalRead,
    /// What is promised, by lane.
    pub(crate) cases: &'a [Case],
    /// The settings of clients.
    pub(crate) plan: &'a Plan,
    /// By client, whether it stopped running for a while: its settings' times do not count then.
    pub(crate) paused: &'a [bool],
    /// What is promised about each partition to a client that has no settings.
    pub(crate) sites: &'a [Case],
    /// Since when no link is cut and no broker stands still. `None` while one does.
    pub(crate) calm: Option<Instant>,
    /// What consumers' applications did, by group and partition.
    pub(crate) work: &'a [Work],
}

/// What the oracle adds.
pub(crate) struct Oracle<'a> {
    pub(crate) history: &'a History,
    /// What leaders have that a reader does not find.
    pub(crate) beyond: &'a Beyond,
}

/// Runs every checker that a view permits.
pub(crate) fn run(user: &UserView<'_>, oracle: Option<&Oracle<'_>>, into: &mut Judgement) {
    integrity::check(user, into);
    offset_agreement::check(user, into);
    no_loss::check(user, oracle.map(|oracle| oracle.beyond), into);
    transport_duplicate::check(user, into);
    message_duplicate::check(user, into);
    session_order::check(user, into);
    message_order::check(user, into);
    prefix::check(user, into);
    append_order::check(user, into);
    truthful_errors::check(user, oracle.map(|oracle| oracle.history), into);
    spurious_fatal::check(user, into);
    progress::check(user, into);
    if let Some(transactions) = user.told.transactions() {
        run_transactional(user, transactions, into);
    }
    if let Some(readers) = user.told.readers() {
        reader_order::check(user, readers, into);
        repeatable_read::check(user, readers, into);
        processed_at_least_once::check(user, into);
        processed_at_most_once::check(user, into);
        exactly_once::check(user, into);
        ownership::check(user, readers, into);
    }
    if let Some(Oracle { history, .. }) = oracle {
        log_matching::check(history, into);
        leader_completeness::check(history, into);
        truncation::check(history, into);
        sequences::check(history, into);
        double_append::check(history, into);
        producer_state::check(history, into);
        unique_identity::check(history, into);
        if let Some(coordinated) = &history.coordinated {
            known_transactions::check(history, coordinated, into);
            markers::check(history, coordinated, into);
            stable_offset::check(history, coordinated, into);
            fencing::check_coordinator(history, coordinated, into);
            transactional_offsets::check(user, history, coordinated, into);
        }
    }
}

/// Runs the checkers of the user's view that look at transactions.
fn run_transactional(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    aborted_read::check(user, transactions, into);
    early_read::check(user, transactions, into);
    atomicity::check(user, transactions, into);
    cycles::check(user, transactions, into);
    stable_progress::check(user, transactions, into);
    fencing::check(user, transactions, into);
}

impl<'a> UserView<'a> {
    /// The lanes with their numbers.
    fn lanes(&self) -> impl Iterator<Item = (usize, &'a Lane)> {
        self.told.lanes().iter().enumerate()
    }

    /// What is odd in one way, with the lane and what is promised to it.
    fn odd(&self, what: What) -> impl Iterator<Item = (&'a Odd, Option<Case>)> + '_ {
        self.read.oddities.iter().filter(move |odd| odd.what == what).map(|odd| {
            let lane = self.told.find_lane(odd.session, odd.partition);
            (odd, lane.map(|lane| self.cases[lane]))
        })
    }

    /// What is promised to a client about a partition.
    fn case_of(&self, client: Option<ClientId>, partition: TopicPartition) -> Option<Case> {
        let site = self.sites.get(partition.index())?;
        Some(Case { client: self.plan.client(client), ..*site })
    }

    /// Whether what is committed in a partition is promised to stay.
    fn committed_armed(&self, partition: TopicPartition) -> Option<Armed> {
        let site = self.sites.get(partition.index())?;
        Some(Case::committed(site.partition, site.happened.unwrap_or_default()))
    }

    /// A verdict on what a reader finds in a partition. Where nobody leads it may change yet.
    fn weigh(&self, partition: TopicPartition, armed: Armed) -> Verdict {
        let may_change = self.read.state(partition) == PartState::Leaderless;
        match armed.verdict() {
            Verdict::Violation if may_change => Verdict::Possible,
            verdict => verdict,
        }
    }
}

/// A property that is always promised.
const ALWAYS: Armed = Armed::Promised(Guarantee::Always);

/// A property that Kafka never promises.
const NEVER: Armed = Armed::Excused(Guarantee::IdempotentSession, Reason::NeverPromised);

/// One run of records that a checker found something about.
struct Found {
    checker: CheckerId,
    aspect: Aspect,
    verdict: Verdict,
    armed: Armed,
    session: SessionId,
    partition: TopicPartition,
    run: Run,
    offset: Option<u64>,
}

/// What else a finding is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct About {
    transaction: Option<TransactionName>,
    consumer: Option<ConsumerId>,
    decisive: Option<FactRef>,
}

impl Judgement {
    /// Notes records that something was found about; what was found about their neighbours in the
    /// same way becomes one finding with it.
    fn add(&mut self, found: Found) {
        self.add_about(found, About::default());
    }

    /// The same with what else it is about.
    fn add_about(&mut self, found: Found, about: About) {
        const RECENT: usize = 64;
        let Found { checker, aspect, verdict, armed, session, partition, run, offset } = found;
        let records = Records { session, partition, run };
        let recent = self.findings.len().saturating_sub(RECENT);
        let same = self.findings[recent..].iter_mut().rev().find(|known| {
            known.checker == checker
                && known.aspect == aspect
                && known.verdict == verdict
                && (known.transaction, known.consumer) == (about.transaction, about.consumer)
                && known
                    .records
                    .first()
                    .is_some_and(|first| (first.session, first.partition) == (session, partition))
        });
        if let Some(known) = same {
            known.total += run.len();
            let full = known.records.len() >= Finding::RUNS_MAX;
            match known.records.last_mut() {
                Some(last) if last.run.end == run.start => last.run.end = run.end,
                _ if full => {}
                _ => known.records.push(records),
            }
            return;
        }
        self.find(Finding {
            checker,
            verdict,
            aspect,
            guarantee: armed.guarantee(),
            excuse: armed.excuse(),
            records: vec![records],
            total: run.len(),
            offset,
            transaction: about.transaction,
            consumer: about.consumer,
            decisive: about.decisive,
        });
    }

    /// Notes something that is about no records.
    fn add_fact(
        &mut self,
        (checker, aspect): (CheckerId, Aspect),
        (armed, verdict): (Armed, Verdict),
        about: About,
    ) {
        self.find(Finding {
            checker,
            verdict,
            aspect,
            guarantee: armed.guarantee(),
            excuse: armed.excuse(),
            records: Vec::new(),
            total: 0,
            offset: None,
            transaction: about.transaction,
            consumer: about.consumer,
            decisive: about.decisive,
        });
    }

    /// Notes an incident with what is promised about it.
    fn add_incident(&mut self, incident: &Incident, armed: Armed, verdict: Verdict) {
        let partition = incident.partition;
        let records = incident.records.map(|(session, run)| Records { session, partition, run });
        self.find(Finding {
            checker: incident.checker,
            verdict,
            aspect: incident.aspect,
            guarantee: armed.guarantee(),
            excuse: armed.excuse(),
            total: records.map_or(0, |records| records.run.len()),
            records: records.into_iter().collect(),
            offset: incident.offset,
            transaction: None,
            consumer: None,
            decisive: Some(incident.fact),
        });
    }
}

/// The incidents of one checker.
fn incidents(history: &History, checker: CheckerId) -> impl Iterator<Item = &Incident> {
    history.incidents.iter().filter(move |incident| incident.checker == checker)
}

/// What is promised to the records of an incident.
fn case_of(history: &History, incident: &Incident) -> Option<Case> {
    let (session, _) = incident.records?;
    history.told.find_lane(session, incident.partition).map(|lane| history.case(lane))
}
