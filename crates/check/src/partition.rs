//! One partition as the oracle sees it: its logs, who is in sync, who leads, what is committed.

use crate::logs::Logs;
use crate::plan::{PartitionPlan, Role};
use crate::promise::{Armed, Case, PartitionHappened};
use inflight_des::Instant;
use inflight_protocol::fact::{Election, Surviving};
use inflight_protocol::ids::{BrokerId, BrokerSet, LeaderEpoch};

/// Everything known of one partition.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    pub(crate) logs: Logs,
    pub(crate) plan: Option<PartitionPlan>,
    /// The in-sync replicas that the controller committed.
    isr: BrokerSet,
    /// The eligible leader replicas that the controller committed.
    elr: BrokerSet,
    /// What the leader proposed since.
    proposed: BrokerSet,
    /// Who was in sync or eligible before the last change, and when it came.
    electable_before: (BrokerSet, Instant),
    /// The last election: the leader and the epoch.
    elected: Option<(Option<BrokerId>, LeaderEpoch)>,
    /// The true high watermark, see [`Partition::note_committed`].
    committed: u64,
    /// Replicas that lost unflushed records and are not in sync again.
    lossy: BrokerSet,
    pub(crate) happened: PartitionHappened,
    /// Every session's records are in the leader's log in order, once, without gaps, and no leader
    /// ever lost any.
    pub(crate) is_plain: bool,
}

inflight_des::clone_fields!(Partition {
    logs,
    plan,
    isr,
    elr,
    proposed,
    electable_before,
    elected,
    committed,
    lossy,
    happened,
    is_plain,
});

/// The settings of a partition that the description does not know: they promise nothing.
pub(crate) const UNKNOWN: PartitionPlan = PartitionPlan {
    replicas: BrokerSet::EMPTY,
    min_isr: 0,
    unclean_enabled: false,
    topic: usize::MAX,
    role: Role::Data,
};

/// A new leader's log lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TakeOver {
    /// The new leader's log is the old one up to here.
    pub(crate) agreed: u64,
    /// Up to here everything was committed.
    pub(crate) committed: u64,
    /// Whether records were cut that the checker has forgotten.
    pub(crate) forgotten: bool,
}

impl Partition {
    pub(crate) fn new(brokers: usize, plan: Option<PartitionPlan>) -> Self {
        let mut partition = Self { logs: Logs::new(brokers), plan, ..Self::default() };
        partition.reset();
        partition
    }

    pub(crate) fn reset(&mut self) {
        self.logs.reset();
        self.isr = self.replicas();
        (self.elr, self.proposed, self.lossy) = Default::default();
        self.electable_before = (self.isr, Instant::START);
        (self.elected, self.committed) = (None, 0);
        self.happened = PartitionHappened::default();
        self.is_plain = true;
    }

    fn replicas(&self) -> BrokerSet {
        self.plan.map_or(BrokerSet::EMPTY, |plan| plan.replicas)
    }

    fn min_isr(&self) -> u32 {
        self.plan.map_or(1, |plan| plan.min_isr)
    }

    /// Whether committed records are promised to stay, after what has happened so far.
    pub(crate) fn committed_armed(&self) -> Armed {
        Case::committed(self.plan.unwrap_or(UNKNOWN), self.happened)
    }

    /// The broker that leads and knows it, if there is one. Nobody says who leads when a run begins;
    /// it is the one that appends first.
    pub(crate) fn leader(&self) -> Option<BrokerId> {
        let owner = self.logs.owner()?;
        let replica = self.logs.known(owner).filter(|replica| !replica.is_down)?;
        let leads = match self.elected {
            None => true,
            Some((leader, epoch)) => leader == Some(owner) && replica.leads == Some(epoch),
        };
        leads.then_some(owner)
    }

    /// The leader's high watermark, or the best guess if nobody leads.
    pub(crate) fn readable(&self) -> u64 {
        let owner = self.logs.owner().and_then(|owner| self.logs.known(owner));
        let mark = owner.map_or(0, |replica| replica.high_watermark);
        match self.leader() {
            Some(_) => mark,
            None => mark.max(self.committed).min(self.logs.end()),
        }
    }

    /// Raises the true high watermark: the offset below which every member of the leader's
    /// greatest in-sync set has the leader's log, as far as the leader has said so. Above, nothing
    /// was answered or read, and a follower may join that has it not. It never falls. Replicas and
    /// watermarks only grow between the facts that call this, so the moment does not matter.
    pub(crate) fn note_committed(&mut self) {
        let Some(leader) = self.leader() else { return };
        if self.isr.is_empty() || self.isr.len() < self.min_isr() {
            return;
        }
        let has = |broker: BrokerId| {
            let replica = self.logs.known(broker);
            replica.map_or(0, |r| if broker == leader { r.end } else { r.agrees })
        };
        let members = self.isr.union(self.proposed).with(leader);
        let everywhere = members.iter().map(has).min().unwrap_or(0);
        let said = self.logs.known(leader).map_or(0, |replica| replica.high_watermark);
        self.committed = self.committed.max(everywhere.min(said));
    }

    /// A broker leads from now on. Tells what its log lacks, if another led before.
    pub(crate) fn became_leader(
        &mut self,
        broker: BrokerId,
        epoch: LeaderEpoch,
        high_watermark: u64,
    ) -> Option<TakeOver> {
        self.note_committed();
        let replica = self.logs.replica(broker);
        (replica.leads, replica.is_down) = (Some(epoch), false);
        replica.high_watermark = high_watermark;
        // A broker that hears late of an old election leads nobody any more. Nor does one that
        // starts again and finds that it leads: nobody can reach it before it is registered anew,
        // and that ends its epoch.
        let is_unreachable = replica.is_unregistered;
        let latest = self.elected.map_or(epoch, |(_, latest)| latest);
        let before = self.logs.owner();
        let is_late = before.is_some() && epoch < self.logs.owner_epoch();
        if is_unreachable || is_late || epoch < latest {
            return None;
        }
        let (start, end) = (self.logs.start(), self.logs.end());
        let agreed = self.logs.take_over(broker, epoch);
        // Nobody says who leads at the start, in epoch 0; there may be nothing in its log yet.
        self.happened.leader_changes += u32::from(before.is_some() || epoch.get() > 0);
        before?;
        self.is_plain &= agreed == end && self.logs.end() == end;
        let committed = self.committed;
        // What is lost is accounted for once; the next leader is not to blame.
        self.committed = committed.min(agreed);
        Some(TakeOver { agreed, committed, forgotten: agreed < start })
    }

    pub(crate) fn became_follower(&mut self, broker: BrokerId) {
        self.note_committed();
        self.logs.replica(broker).leads = None;
    }

    /// A replica cuts its log. Tells how far the committed part of it goes, if it is cut.
    pub(crate) fn truncated(&mut self, broker: BrokerId, to: u64) -> Option<u64> {
        self.note_committed();
        let held = self.logs.replica(broker).agrees.min(self.committed);
        self.cut(broker, to);
        (to < held).then_some(held)
    }

    fn cut(&mut self, broker: BrokerId, to: u64) {
        self.is_plain &= self.logs.owner() != Some(broker) || to >= self.logs.end();
        self.logs.cut(broker, to);
    }

    pub(crate) fn recovered(&mut self, broker: BrokerId, from: u64, to: u64, mark: u64) {
        self.note_committed();
        self.cut(broker, to);
        self.logs.replica(broker).high_watermark = mark.min(to);
        if to >= from {
            self.lossy = self.lossy.without(broker);
        }
    }

    pub(crate) fn crashed(&mut self, broker: BrokerId, surviving: Surviving) {
        self.note_committed();
        let replica = self.logs.replica(broker);
        (replica.leads, replica.is_down) = (None, true);
        if surviving == Surviving::Flushed && replica.flushed < replica.end {
            self.lossy = self.lossy.with(broker);
            self.weigh_losses();
        }
    }

    pub(crate) fn stopped(&mut self, broker: BrokerId) {
        self.note_committed();
        let replica = self.logs.replica(broker);
        (replica.leads, replica.is_down) = (None, true);
    }

    pub(crate) fn started(&mut self, broker: BrokerId) {
        let replica = self.logs.replica(broker);
        (replica.is_down, replica.is_unregistered) = (false, true);
    }

    pub(crate) fn registered(&mut self, broker: BrokerId) {
        self.logs.replica(broker).is_unregistered = false;
    }

    pub(crate) fn isr_proposed(&mut self, to: BrokerSet) {
        self.note_committed();
        self.proposed = to;
    }

    pub(crate) fn isr_changed(
        &mut self,
        at: Instant,
        from: BrokerSet,
        to: BrokerSet,
        elr: BrokerSet,
    ) {
        self.note_committed();
        if self.electable_before.1 != at {
            self.electable_before = (self.isr.union(self.elr).union(from), at);
        }
        (self.isr, self.elr, self.proposed) = (to, elr, BrokerSet::EMPTY);
        // Who joins a leader has everything, unless it died while the leader proposed it. Who is
        // elected from nobody has what it has.
        let is_back = |broker: &BrokerId| {
            let replica = self.logs.known(*broker);
            let is_up = replica.is_none_or(|replica| !replica.is_down && !replica.is_unregistered);
            is_up && !from.is_empty()
        };
        let joined: BrokerSet = to.difference(from).iter().filter(is_back).collect();
        self.lossy = self.lossy.difference(joined);
        self.weigh_losses();
    }

    /// Sees whether too many replicas have lost records.
    fn weigh_losses(&mut self) {
        let candidates = if self.isr.is_empty() { self.elr } else { self.isr };
        let survives = candidates.is_empty() || !candidates.difference(self.lossy).is_empty();
        self.happened.none_survived |= !survives;
        self.happened.over_budget |= self.lossy.len() >= self.min_isr().max(1);
    }

    /// The controller made a leader. A change of the in-sync replicas at the same instant belongs
    /// to the election and is no reason for it.
    pub(crate) fn elected(
        &mut self,
        at: Instant,
        leader: Option<BrokerId>,
        epoch: LeaderEpoch,
        election: Election,
    ) {
        self.note_committed();
        let unclean = match election {
            Election::Unclean => true,
            Election::LastKnown => leader.is_some_and(|leader| self.lossy.contains(leader)),
            Election::Forced => leader.is_some_and(|leader| {
                let (before, changed) = self.electable_before;
                let now = self.isr.union(self.elr);
                !(if changed == at { before } else { now }).contains(leader)
            }),
            Election::Clean | Election::Eligible | Election::Preferred | Election::None => false,
        };
        self.happened.unclean_elections += u32::from(unclean);
        self.happened.last_known_elections += u32::from(unclean && election == Election::LastKnown);
        self.elected = Some((leader, epoch));
    }

    /// Whether a replica's log differs from the leader's below both high watermarks, and where.
    pub(crate) fn mismatch(&self, broker: BrokerId) -> Option<u64> {
        let replica = self.logs.known(broker)?;
        let owner = self.logs.known(self.logs.owner()?)?;
        let both = replica.high_watermark.min(owner.high_watermark).min(self.logs.end());
        let is_odd = replica.differs() && replica.agrees < both;
        is_odd.then(|| self.logs.agreement(broker)).filter(|agreed| *agreed < both)
    }
}
