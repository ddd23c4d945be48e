//! When the guarantees of transactions and consumers stand.

use super::{Armed, Case, PartitionHappened, Reason, refuse};
use crate::guarantee::Guarantee;
use crate::plan::{PartitionPlan, ReaderPlan, Role};
use crate::told::Duty;
use inflight_protocol::message::IsolationLevel;
use inflight_trace::CommitStyle;

/// Whether the internal topics keep what coordinators have committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) transactions: Result<(), Reason>,
    pub(crate) offsets: Result<(), Reason>,
}

impl Behind {
    /// Nothing is lost.
    pub(crate) const SOUND: Self = Self { transactions: Ok(()), offsets: Ok(()) };

    /// What is known of the internal topics from all partitions, before the run or after it.
    pub(crate) fn of(
        partitions: impl Iterator<Item = (PartitionPlan, Option<PartitionHappened>)>,
    ) -> Self {
        let mut behind = Self::SOUND;
        for (plan, happened) in partitions.filter(|(plan, _)| plan.role != Role::Data) {
            let is_sound = match happened {
                None => !plan.unclean_enabled,
                Some(happened) => matches!(Case::committed(plan, happened), Armed::Promised(_)),
            };
            match plan.role {
                _ if is_sound => {}
                Role::Transactions => behind.transactions = Err(Reason::TransactionsUnsound),
                Role::Offsets => behind.offsets = Err(Reason::OffsetsUnsound),
                Role::Data => {}
            }
        }
        behind
    }
}

impl Case {
    /// Whether a guarantee from G7 on stands.
    pub(super) fn standing_exactly_once(&self, guarantee: Guarantee) -> Result<(), Reason> {
        let version = self.cluster.transaction_version;
        match guarantee {
            Guarantee::Transactional => {
                self.transactional()?;
                refuse(version < 2, Reason::OldTransactions)?;
                self.standing(Guarantee::Durable)
            }
            Guarantee::TransactionalBefore2 => {
                self.transactional()?;
                refuse(version >= 2, Reason::NewTransactions)?;
                refuse(!self.cluster.verifies, Reason::Unverified)?;
                self.standing(Guarantee::Durable)
            }
            Guarantee::TransactionalUnverified => {
                self.transactional()?;
                refuse(version >= 2, Reason::NewTransactions)?;
                refuse(self.cluster.verifies, Reason::Verified)?;
                self.standing(Guarantee::Durable)
            }
            Guarantee::Fencing => self.transactional(),
            Guarantee::ProcessedAtMostOnce => {
                let reader = self.grouped_reader()?;
                match reader.commits {
                    CommitStyle::CommitFirst => Ok(()),
                    CommitStyle::ProcessFirst | CommitStyle::Auto => Err(Reason::ProcessFirst),
                    CommitStyle::Transaction => Err(Reason::CommitsInTransactions),
                }
            }
            Guarantee::ProcessedAtLeastOnce => {
                let reader = self.grouped_reader()?;
                match reader.commits {
                    // An abort takes back what was made of records, but not the position.
                    CommitStyle::ProcessFirst | CommitStyle::Auto => {
                        refuse(self.client.transactional && !reader.rewinds, Reason::NoRewind)
                    }
                    CommitStyle::CommitFirst => Err(Reason::CommitFirst),
                    CommitStyle::Transaction => Err(Reason::CommitsInTransactions),
                }
            }
            Guarantee::ExactlyOncePipeline => {
                let reader = self.grouped_reader()?;
                self.transactional()?;
                refuse(reader.commits != CommitStyle::Transaction, Reason::CommitsOutside)?;
                refuse(reader.auto_commits, Reason::AutoCommits)?;
                refuse(!reader.sends_group_metadata, Reason::NoGroupMetadata)?;
                refuse(!reader.rewinds, Reason::NoRewind)
            }
            _ => {
                let reader = self.client.reader.ok_or(Reason::NoConsumer)?;
                refuse(!reader.deduplicates, Reason::NoDeduplication)
            }
        }
    }

    fn transactional(&self) -> Result<(), Reason> {
        refuse(!self.client.produces, Reason::NoProducer)?;
        refuse(!self.client.transactional, Reason::NotTransactional)?;
        self.behind.transactions
    }

    fn grouped_reader(&self) -> Result<ReaderPlan, Reason> {
        let reader = self.client.reader.ok_or(Reason::NoConsumer)?;
        refuse(!reader.has_group, Reason::NoGroup)?;
        self.behind.offsets?;
        Ok(reader)
    }

    /// Which row of the table is about transactions of this version.
    pub(super) const fn transactions(&self) -> Guarantee {
        match (self.cluster.bumps_epochs(), self.cluster.verifies) {
            (true, _) => Guarantee::Transactional,
            (false, true) => Guarantee::TransactionalBefore2,
            (false, false) => Guarantee::TransactionalUnverified,
        }
    }

    /// Whether the records of a transaction are promised to count together or not at all. That
    /// needs less than the durability of G3, as long as nothing was lost.
    pub(crate) fn atomic(&self) -> Armed {
        let guarantee = self.transactions();
        if let Err(reason) = self.transactional() {
            return Armed::Excused(guarantee, reason);
        }
        match self.durable() {
            Armed::Promised(_) => Armed::Promised(guarantee),
            Armed::Weak(_, reason) | Armed::Excused(_, reason) => Armed::Excused(guarantee, reason),
        }
    }

    /// Whether a reader is promised to be given committed records only.
    pub(crate) fn isolated(&self, isolation: IsolationLevel) -> Armed {
        match isolation {
            IsolationLevel::ReadCommitted => self.atomic(),
            IsolationLevel::ReadUncommitted => {
                Armed::Excused(self.transactions(), Reason::ReadsUncommitted)
            }
        }
    }

    /// Whether readers of committed records are promised to get on.
    pub(crate) fn stable_progress(&self) -> Armed {
        match self.atomic() {
            Armed::Promised(guarantee @ Guarantee::TransactionalUnverified) => {
                Armed::Excused(guarantee, Reason::Unverified)
            }
            armed => armed,
        }
    }

    /// Whether what coordinators decide is promised to be carried out.
    pub(crate) fn coordinated(&self) -> Armed {
        let sound = self.behind.transactions.and(self.behind.offsets);
        match sound {
            Ok(()) => Armed::Promised(self.transactions()),
            Err(reason) => Armed::Excused(self.transactions(), reason),
        }
    }

    /// Whether older instances of a transactional id are promised to be fenced.
    pub(crate) fn fenced(&self) -> Armed {
        self.first_of(&[Guarantee::Fencing])
    }

    /// Whether everything below a committed offset is promised to be processed.
    pub(crate) fn processed(&self, duty: &Duty) -> Armed {
        match self.first_of(&[Guarantee::ProcessedAtLeastOnce, Guarantee::ExactlyOncePipeline]) {
            Armed::Promised(guarantee) if duty.was_reset => {
                Armed::Excused(guarantee, Reason::ResetToLatest)
            }
            Armed::Promised(guarantee) if duty.was_skipped => {
                Armed::Excused(guarantee, Reason::Sought)
            }
            // Another record may be where one was processed.
            Armed::Promised(guarantee) => {
                match Self::committed(self.partition, self.happened.unwrap_or_default()) {
                    Armed::Promised(_) => Armed::Promised(guarantee),
                    Armed::Weak(_, reason) | Armed::Excused(_, reason) => {
                        Armed::Excused(guarantee, reason)
                    }
                }
            }
            Armed::Excused(guarantee, Reason::CommitsInTransactions) => {
                let pipeline = self.standing(Guarantee::ExactlyOncePipeline).err();
                Armed::Excused(guarantee, pipeline.unwrap_or(Reason::CommitsInTransactions))
            }
            armed => armed,
        }
    }

    /// Whether nothing is promised to have two effects.
    pub(crate) fn processed_once(&self, duty: &Duty) -> Armed {
        match self.first_of(&[Guarantee::ProcessedAtMostOnce, Guarantee::ExternalSink]) {
            Armed::Promised(guarantee @ Guarantee::ProcessedAtMostOnce) if duty.commit_failed => {
                Armed::Excused(guarantee, Reason::CommitFailed)
            }
            armed => armed,
        }
    }

    /// Whether each input is promised to have its output exactly once.
    pub(crate) fn exactly_once(&self, duty: &Duty) -> Armed {
        let guarantee = Guarantee::ExactlyOncePipeline;
        match self.first_of(&[guarantee]) {
            Armed::Promised(_) => match self.atomic() {
                Armed::Promised(_) if duty.was_reset => {
                    Armed::Excused(guarantee, Reason::ResetToLatest)
                }
                Armed::Promised(_) if duty.was_skipped => Armed::Excused(guarantee, Reason::Sought),
                Armed::Promised(_) => Armed::Promised(guarantee),
                Armed::Weak(_, reason) | Armed::Excused(_, reason) => {
                    Armed::Excused(guarantee, reason)
                }
            },
            armed => armed,
        }
    }
}
