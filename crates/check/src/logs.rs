//! The logs of one partition's replicas, kept as one shared log and what differs from it.
//!
//! The *spine* is the log of the broker that leads, as far as it is known. Each replica agrees with
//! the spine up to some offset and has its own entries from there on. In a quiet run nobody has
//! entries of its own, and a batch that a follower copies costs one comparison. When another
//! broker takes over, the spine becomes that broker's log. What every replica has and is committed
//! can be [forgotten](Logs::forget), so that a long run needs a bounded memory.

use crate::entry::{self, Entry};
use crate::runs::Run;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{BrokerId, LeaderEpoch, SessionId};

/// The logs of one partition.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    /// The log of the broker that leads, from `start` on.
    spine: Vec<Entry>,
    /// Everything below was forgotten.
    start: u64,
    /// Whose log the spine is.
    owner: Option<BrokerId>,
    /// The leader epoch in which it became so.
    owner_epoch: LeaderEpoch,
    /// By broker.
    replicas: Vec<Replica>,
    /// Reused when the spine changes hands.
    scratch: Vec<Entry>,
}

inflight_des::clone_fields!(Logs { spine, start, owner, owner_epoch, replicas, scratch });

/// One replica's log.
#[derive(Debug, Default)]
pub(crate) struct Replica {
    /// Up to here its log is the spine.
    pub(crate) agrees: u64,
    /// Its log end offset.
    pub(crate) end: u64,
    /// Its high watermark.
    pub(crate) high_watermark: u64,
    /// What it has from `agrees` on.
    own: Vec<Entry>,
    /// The epoch in which it leads, as far as it knows.
    pub(crate) leads: Option<LeaderEpoch>,
    /// Whether its process has crashed or stopped and was not started again.
    pub(crate) is_down: bool,
    /// Whether its process was started and the controller does not know it yet.
    pub(crate) is_unregistered: bool,
    /// Its log below this offset survives a loss of power.
    pub(crate) flushed: u64,
}

inflight_des::clone_fields!(Replica {
    agrees,
    end,
    high_watermark,
    own,
    leads,
    is_down,
    is_unregistered,
    flushed
});

impl Replica {
    fn reset(&mut self) {
        self.own.clear();
        (self.agrees, self.end, self.high_watermark, self.flushed) = (0, 0, 0, 0);
        (self.leads, self.is_down, self.is_unregistered) = (None, false, false);
    }

    /// Whether it has entries that the spine does not have.
    #[inline]
    pub(crate) fn differs(&self) -> bool {
        !self.own.is_empty()
    }

    /// Cuts the log.
    fn cut(&mut self, to: u64) {
        if !self.own.is_empty() {
            entry::truncate(&mut self.own, to);
        }
        self.agrees = self.agrees.min(to);
        self.end = self.end.min(to);
        self.high_watermark = self.high_watermark.min(to);
        self.flushed = self.flushed.min(to);
    }

    fn push_own(&mut self, entry: Entry) {
        entry::push(&mut self.own, entry);
        self.end = entry.end();
    }
}

/// What an append did to the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// The spine grew at its end.
    Grown,
    /// The leader wrote somewhere else than at its end: no broker does that.
    Rewritten,
    /// A replica has more of the spine, or differs from it.
    Copied,
}

impl Logs {
    pub(crate) fn new(brokers: usize) -> Self {
        let replicas = (0..brokers).map(|_| Replica::default()).collect();
        Self { replicas, ..Self::default() }
    }

    pub(crate) fn reset(&mut self) {
        self.spine.clear();
        (self.start, self.owner, self.owner_epoch) = (0, None, LeaderEpoch::new(0));
        self.replicas.iter_mut().for_each(Replica::reset);
    }

    /// The replica on a broker.
    #[inline]
    pub(crate) fn replica(&mut self, broker: BrokerId) -> &mut Replica {
        if self.replicas.len() <= broker.index() {
            self.grow(broker);
        }
        &mut self.replicas[broker.index()]
    }

    /// A run may show brokers that its description does not know.
    #[cold]
    fn grow(&mut self, broker: BrokerId) {
        self.replicas.resize_with(broker.index() + 1, Replica::default);
    }

    /// The replica on a broker, if anything is known of it.
    #[inline]
    pub(crate) fn known(&self, broker: BrokerId) -> Option<&Replica> {
        self.replicas.get(broker.index())
    }

    /// All replicas with their brokers.
    pub(crate) fn replicas(&self) -> impl Iterator<Item = (BrokerId, &Replica)> {
        let numbered = self.replicas.iter().enumerate();
        numbered.map(|(index, replica)| (BrokerId::from_index(index), replica))
    }

    /// Whose log the spine is.
    #[inline]
    pub(crate) const fn owner(&self) -> Option<BrokerId> {
        self.owner
    }

    /// The epoch in which the spine's owner took over.
    pub(crate) const fn owner_epoch(&self) -> LeaderEpoch {
        self.owner_epoch
    }

    /// The log end offset of the spine.
    #[inline]
    pub(crate) fn end(&self) -> u64 {
        self.spine.last().map_or(self.start, Entry::end)
    }

    /// Everything below was forgotten.
    pub(crate) const fn start(&self) -> u64 {
        self.start
    }

    /// How many entries the spine has.
    #[inline]
    pub(crate) fn entries(&self) -> usize {
        self.spine.len()
    }

    /// The spine within `[from, to)`.
    pub(crate) fn spine(&self, from: u64, to: u64) -> impl Iterator<Item = Entry> + '_ {
        entry::within(&self.spine, from, to)
    }

    /// The spine, last entry first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Entry> {
        self.spine.iter().rev()
    }

    /// Whether the spine has these records at an offset, whichever leader appended them. What was
    /// forgotten is believed.
    #[inline]
    pub(crate) fn holds(&self, offset: u64, session: SessionId, run: Run) -> bool {
        let skipped = self.start.saturating_sub(offset).min(run.len());
        let known = Run { start: run.start + skipped, end: run.end };
        entry::holds(&self.spine, offset + skipped, session, known)
    }

    /// A broker appended a batch.
    #[inline]
    pub(crate) fn append(
        &mut self,
        broker: BrokerId,
        entry: Entry,
        origin: AppendOrigin,
    ) -> Appended {
        if self.owner.is_none() && origin != AppendOrigin::Replication {
            self.take_over(broker, entry.leader_epoch);
        }
        if self.owner == Some(broker) {
            let end = self.end();
            let replica = self.replica(broker);
            if entry.offset == end && replica.agrees == end && replica.own.is_empty() {
                replica.end = entry.end();
                replica.agrees = entry.end();
                entry::push(&mut self.spine, entry);
                return Appended::Grown;
            }
            return self.rewrite(broker, entry);
        }
        self.copy(broker, entry);
        Appended::Copied
    }

    /// The owner of the spine appended elsewhere than at the spine's end.
    #[cold]
    fn rewrite(&mut self, broker: BrokerId, entry: Entry) -> Appended {
        let replica = self.replica(broker);
        replica.cut(entry.offset);
        replica.push_own(entry);
        self.adopt(broker);
        Appended::Rewritten
    }

    /// A replica that does not own the spine appended a batch.
    #[inline]
    fn copy(&mut self, broker: BrokerId, entry: Entry) {
        let start = self.start;
        self.replica(broker);
        let replica = &mut self.replicas[broker.index()];
        if replica.own.is_empty() && entry.offset == replica.agrees {
            let unknown = entry.part(0, start);
            let known = entry.part(start, entry.end());
            let matched = match known.count {
                0 => unknown.end(),
                _ => entry::matched(&self.spine, &known),
            };
            if matched == entry.end() {
                replica.agrees = matched;
                replica.end = matched;
                return;
            }
        }
        if entry.offset < replica.end {
            replica.cut(entry.offset);
        }
        replica.push_own(entry);
    }

    /// A replica cut its log.
    pub(crate) fn cut(&mut self, broker: BrokerId, to: u64) {
        self.replica(broker).cut(to);
    }

    /// A broker leads from now on: the spine becomes its log. Tells up to where the new spine is
    /// the old one.
    pub(crate) fn take_over(&mut self, broker: BrokerId, epoch: LeaderEpoch) -> u64 {
        self.owner_epoch = epoch;
        self.adopt(broker)
    }

    /// Makes the spine this broker's log.
    fn adopt(&mut self, broker: BrokerId) -> u64 {
        self.owner = Some(broker);
        self.replica(broker);
        // The spine may have grown into what others had before it.
        self.agree_anew();
        let agreed = self.replica(broker).agrees;
        let differs = self.replica(broker).differs();
        if agreed == self.end() && !differs {
            return agreed;
        }
        self.give_back(agreed);
        entry::truncate(&mut self.spine, agreed);
        self.start = self.start.min(agreed);
        self.scratch.clear();
        self.scratch.append(&mut self.replicas[broker.index()].own);
        for own in &self.scratch {
            entry::push(&mut self.spine, *own);
        }
        let end = self.end();
        let replica = &mut self.replicas[broker.index()];
        (replica.agrees, replica.end) = (end, end);
        self.agree_anew();
        agreed
    }

    /// What the others have of the spine beyond an offset becomes their own.
    fn give_back(&mut self, agreed: u64) {
        for replica in &mut self.replicas {
            if replica.agrees <= agreed {
                continue;
            }
            self.scratch.clear();
            self.scratch.extend(entry::within(&self.spine, agreed, replica.agrees));
            self.scratch.append(&mut replica.own);
            std::mem::swap(&mut replica.own, &mut self.scratch);
            replica.agrees = agreed;
        }
    }

    /// Up to where a replica has what the spine has.
    pub(crate) fn agreement(&self, broker: BrokerId) -> u64 {
        let Some(replica) = self.known(broker) else { return 0 };
        let mut agrees = replica.agrees;
        for own in &replica.own {
            if own.offset != agrees {
                break;
            }
            agrees = entry::matched(&self.spine, own);
            if agrees < own.end() {
                break;
            }
        }
        agrees
    }

    /// Replicas agree with the spine as far as what they have is the same.
    fn agree_anew(&mut self) {
        for replica in &mut self.replicas {
            while let Some(first) = replica.own.first().copied() {
                if first.offset != replica.agrees {
                    break;
                }
                let matched = entry::matched(&self.spine, &first);
                replica.agrees = matched;
                if matched == first.end() {
                    replica.own.remove(0);
                } else {
                    replica.own[0] = first.part(matched, first.end());
                    break;
                }
            }
        }
    }

    /// Forgets the spine below an offset, but for the newest entries. Tells the entries that are
    /// forgotten, in order.
    pub(crate) fn forget(&mut self, below: u64, keep: usize, mut tell: impl FnMut(&Entry)) {
        let newest = self.spine.len().saturating_sub(keep);
        let count = self.spine[..newest].iter().take_while(|entry| entry.end() <= below).count();
        for entry in self.spine.drain(..count) {
            tell(&entry);
            self.start = entry.end();
        }
    }
}

#[cfg(test)]
mod tests;
