//! What a configuration promises: the guarantees as data.
//!
//! The scope of each is one partition and one producer session. Which of them hold in a run is
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

/// Every guarantee. Consumers and transactions (G7 to G12) come with their machines.
pub const GUARANTEES: [Terms; 8] = [
    Terms {
        guarantee: Guarantee::Always,
        id: "G0",
        name: "always",
        promise: "What the log holds was sent as it is, a committed offset holds one record, and \
                  every send() is answered.",
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
];

impl Guarantee {
    /// Its row in the table.
    pub const fn terms(self) -> &'static Terms {
        &GUARANTEES[self as usize]
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
