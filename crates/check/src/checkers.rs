//! One file a checker. Each says in one sentence what it examines.
//!
//! The checkers of the user's view get a [`UserView`]: what applications were told and what a
//! reader finds. They cannot look into a broker. What the oracle adds for them, and the invariants
//! of the oracle's view, get the [`History`](crate::History).

mod append_order;
mod double_append;
mod integrity;
mod leader_completeness;
mod log_matching;
mod message_duplicate;
mod message_order;
mod no_loss;
mod offset_agreement;
mod prefix;
mod producer_state;
mod progress;
mod sequences;
mod session_order;
mod spurious_fatal;
mod transport_duplicate;
mod truncation;
mod truthful_errors;

use crate::guarantee::Guarantee;
use crate::history::{History, Odd, What};
use crate::incident::Incident;
use crate::plan::Plan;
use crate::promise::{Armed, Case, Reason};
use crate::read::{Beyond, FinalRead, PartState};
use crate::runs::Run;
use crate::told::{Lane, Told};
use crate::verdict::{Aspect, CheckerId, Finding, Judgement, Records, Verdict};
use inflight_protocol::ids::{SessionId, TopicPartition};

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
    if let Some(Oracle { history, .. }) = oracle {
        log_matching::check(history, into);
        leader_completeness::check(history, into);
        truncation::check(history, into);
        sequences::check(history, into);
        double_append::check(history, into);
        producer_state::check(history, into);
    }
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

impl Judgement {
    /// Notes records that something was found about; what was found about their neighbours in the
    /// same way becomes one finding with it.
    fn add(&mut self, found: Found) {
        const RECENT: usize = 64;
        let Found { checker, aspect, verdict, armed, session, partition, run, offset } = found;
        let records = Records { session, partition, run };
        let recent = self.findings.len().saturating_sub(RECENT);
        let same = self.findings[recent..].iter_mut().rev().find(|known| {
            known.checker == checker
                && known.aspect == aspect
                && known.verdict == verdict
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
            decisive: None,
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
