//! What a configuration promises: the guarantees as data.
//!
//! The scope of each is one partition and one producer session, of the last ones a group. Which of them hold in a run is
//! [`crate::promise`]'s business, since some depend on what happened.

use std::fmt;

/// A promise that Kafka makes under conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Guarantee {
    /// G0: what holds under any configuration.
    Always,
    /// G1: at most once, by never trying again.
    AtMostOnce,
    /// G2: as durable as the leader's log.
    LeaderDurable,
    /// G3: durable, and at least once if the application re-sends.
    Durable,
    /// G3': durable as long as one in-sync replica survives.
    DurableWhileOneSurvives,
    /// G4: in order, by one request in flight.
    InOrder,
    /// G5: at most once and in order, by idempotence.
    IdempotentSession,
    /// G6: what is left when unclean elections are permitted.
    Unclean,
    /// G7: all or nothing, by transactions.
    Transactional,
    /// G7-: the same before transaction.version 2.
    TransactionalBefore2,
    /// G7--: the same without verification, as before 3.6.
    TransactionalUnverified,
    /// G8: who is replaced does nothing any more.
    Fencing,
    /// G9: processed at most once, by committing first.
    ProcessedAtMostOnce,
    /// G10: processed at least once, by processing first.
    ProcessedAtLeastOnce,
    /// G11: exactly once from topic to topic.
    ExactlyOncePipeline,
    /// G12: one effect in a system that is not Kafka.
    ExternalSink,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// Its id, as other pages cite it.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What must hold, in one sentence.
    pub promise: &'static str,
    /// Under which conditions.
    pub conditions: &'static str,
    /// What it does not promise.
    pub excluded: &'static str,
}

/// Every guarantee.
pub const GUARANTEES: [Terms; 16] = [
    Terms {
        guarantee: Guarantee::Always,
        id: "G0",
        name: "always",
        promise: "What the log holds was sent as it is, a committed offset holds one record, \
                  every call is answered, and a consumer reads on from where it is.",
        conditions: "none",
        excluded: "everything else",
    },
    Terms {
        guarantee: Guarantee::AtMostOnce,
        id: "G1",
        name: "at most once",
        promise: "No record is in the log twice.",
        conditions: "retries=0 or acks=0",
        excluded: "records may be lost",
    },
    Terms {
        guarantee: Guarantee::LeaderDurable,
        id: "G2",
        name: "leader durable",
        promise: "An acked record stays as long as the log of the leader that took it.",
        conditions: "acks=1 and no change of the leader",
        excluded: "acked records may be lost when the leader changes",
    },
    Terms {
        guarantee: Guarantee::Durable,
        id: "G3",
        name: "durable",
        promise: "Every acked record is in the log.",
        conditions: "acks=all, min.insync.replicas of 2 or more, three replicas or more, no \
                     unclean election, and at most min.insync.replicas - 1 replicas without their \
                     unflushed records at a time, never the last one in sync",
        excluded: "duplicates, and another order with more than one request in flight",
    },
    Terms {
        guarantee: Guarantee::DurableWhileOneSurvives,
        id: "G3'",
        name: "durable while one survives",
        promise: "Every acked record is in the log while one in-sync replica keeps its log.",
        conditions: "acks=all and no unclean election",
        excluded: "acked records may be lost with the last in-sync replica",
    },
    Terms {
        guarantee: Guarantee::InOrder,
        id: "G4",
        name: "in order",
        promise: "The records that are in the log are in the order of their send() calls.",
        conditions: "enable.idempotence=false, max.in.flight.requests.per.connection=1, acks=1 or \
                     acks=all, and no error was told to the application before",
        excluded: "duplicates",
    },
    Terms {
        guarantee: Guarantee::IdempotentSession,
        id: "G5",
        name: "idempotent session",
        promise: "Whatever the application is told, each record is in the log at most once and in \
                  the order of the send() calls.",
        conditions: "enable.idempotence=true, no error was told to the application before, and \
                     the brokers still know the producer id",
        excluded: "what another session or the application sends again, and gaps after an error",
    },
    Terms {
        guarantee: Guarantee::Unclean,
        id: "G6",
        name: "after an unclean election",
        promise: "What the log holds was sent as it is, and replicas agree again in the end.",
        conditions: "an unclean election",
        excluded: "durability, order and uniqueness",
    },
    Terms {
        guarantee: Guarantee::Transactional,
        id: "G7",
        name: "transactional",
        promise: "The records of a transaction count together or not at all, who reads committed \
                  records finds no others, and nobody waits for a transaction for ever. Kafka 4.4.0 \
                  keeps that as long as each partition has a leader when its marker is due.",
        conditions: "transactional.id, transaction.version=2, G3 for the topics and for \
                     __transaction_state, and isolation.level=read_committed",
        excluded: "the order of transactions, and what a reader finds between two of their \
                   partitions",
    },
    Terms {
        guarantee: Guarantee::TransactionalBefore2,
        id: "G7-",
        name: "transactional before version 2",
        promise: "As G7; but a request that is late may end, or join, the next transaction of its \
                  producer. That is a known flaw of the protocol and breaks the promise.",
        conditions: "as G7, with transaction.version below 2 and \
                     transaction.partition.verification.enable=true",
        excluded: "as G7",
    },
    Terms {
        guarantee: Guarantee::TransactionalUnverified,
        id: "G7--",
        name: "transactional without verification",
        promise: "As G7-; but nobody promises that readers get on.",
        conditions: "as G7-, with transaction.partition.verification.enable=false",
        excluded: "a late batch may open a transaction that nobody ends",
    },
    Terms {
        guarantee: Guarantee::Fencing,
        id: "G8",
        name: "fencing",
        promise: "Once initTransactions() has returned, nothing of an older instance is \
                  committed any more.",
        conditions: "both instances have one transactional.id",
        excluded: "the open transaction of the older instance is aborted",
    },
    Terms {
        guarantee: Guarantee::ProcessedAtMostOnce,
        id: "G9",
        name: "processed at most once",
        promise: "No record is processed twice.",
        conditions: "a group, and the application commits before it processes",
        excluded: "records may be skipped",
    },
    Terms {
        guarantee: Guarantee::ProcessedAtLeastOnce,
        id: "G10",
        name: "processed at least once",
        promise: "Every record below a committed offset was processed.",
        conditions: "a group, the application processes before it commits, or before its next \
                     poll() with enable.auto.commit=true, and the topic loses nothing that is \
                     committed",
        excluded: "records may be processed again",
    },
    Terms {
        guarantee: Guarantee::ExactlyOncePipeline,
        id: "G11",
        name: "exactly once from topic to topic",
        promise: "Every input has its output exactly once.",
        conditions: "G7, the offsets in the transaction that has the outputs, the metadata of the \
                     group with them, enable.auto.commit=false, and back to the committed offsets after every abort",
        excluded: "effects outside of Kafka may happen again",
    },
    Terms {
        guarantee: Guarantee::ExternalSink,
        id: "G12",
        name: "one effect outside of Kafka",
        promise: "No record has two effects.",
        conditions: "the application, or what it writes to, leaves out what was processed before",
        excluded: "nothing is said of records that were never processed",
    },
];

impl Guarantee {
    /// Its row in the table.
    pub const fn terms(self) -> &'static Terms {
        &GUARANTEES[self as usize]
    }

    /// Whether it is about the records that a client sends, and nothing else.
    pub const fn is_about_sending(self) -> bool {
        !matches!(self, Self::Always) && !self.is_about_reading()
    }

    /// Whether it is about the records that a client reads, and nothing else.
    pub const fn is_about_reading(self) -> bool {
        self as u8 >= Self::ProcessedAtMostOnce as u8
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.terms().id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guarantee_finds_its_own_row() {
        for (index, row) in GUARANTEES.iter().enumerate() {
            assert_eq!(row.guarantee as usize, index);
            assert_eq!(row.guarantee.terms(), row);
            assert!(row.promise.ends_with('.'), "{}", row.id);
        }
        assert_eq!(Guarantee::DurableWhileOneSurvives.to_string(), "G3'");
    }
}
