//! What checkers say: verdicts, findings, counts.

use crate::guarantee::Guarantee;
use crate::promise::Reason;
use crate::runs::Run;
use inflight_des::Instant;
use inflight_protocol::FactKind;
use inflight_protocol::ids::{ConsumerId, SessionId, TopicPartition};
use std::fmt;

/// What a checker says of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing was examined: the run says nothing about it.
    #[default]
    Vacuous,
    /// It holds.
    Ok,
    /// It does not hold, and this configuration does not promise it after what happened.
    Allowed,
    /// It may be broken, or will be for some way in which the run could go on.
    Possible,
    /// A promise is broken, whatever became of the records whose outcome is unknown.
    Violation,
}

impl Verdict {
    /// The word, as it stands in scenario files and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Vacuous => "vacuous",
            Self::Ok => "ok",
            Self::Allowed => "allowed",
            Self::Possible => "possible",
            Self::Violation => "violation",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whose knowledge a judgement rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// What applications were told, and what a reader finds in the end.
    User,
    /// Every log and every message too.
    Oracle,
}

/// What a run must have for a checker to examine anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Records.
    Records,
    /// Transactions.
    Transactions,
    /// Consumers.
    Consumers,
}

macro_rules! checkers {
    ($($name:ident $id:literal $word:literal $view:ident $definition:literal)*) => {
        /// A checker.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum CheckerId {
            $(#[doc = concat!($id, ": ", $definition)] $name,)*
        }

        impl CheckerId {
            /// Every checker, in the order of their ids.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its id, as other pages cite it.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// Its name in scenario files and reports.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it examines, in one sentence.
            pub const fn definition(self) -> &'static str {
                match self { $(Self::$name => $definition,)* }
            }

            /// Whose knowledge it needs.
            pub const fn view(self) -> View {
                match self { $(Self::$name => View::$view,)* }
            }

            /// The checker of this name or id.
            pub fn from_word(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|c| c.word() == text || c.id() == text)
            }
        }
    };
}

checkers! {
    Integrity "B1" "integrity" User
        "A record in the log was sent by the session and to the partition that the log says."
    OffsetAgreement "B2" "offset-agreement" User
        "A record is at the offset that its sender was told."
    NoLoss "B3" "no-loss" User
        "A record whose sender was told that it is delivered is in the log."
    TransportDuplicate "B4a" "no-transport-duplicate" User
        "One send() call puts its record into the log at most once."
    MessageDuplicate "B4b" "no-message-duplicate" User
        "One message of the application is in the log at most once, however often it was sent."
    SessionOrder "B5" "session-order" User
        "The first copies of one session's records are in the order of its send() calls."
    MessageOrder "B5m" "message-order" User
        "The first copies of one client's messages are in the application's order."
    Prefix "B5p" "no-gap" User
        "No record is missing below a record that the same session sent later."
    AppendOrder "B6" "append-order" User
        "A record lies behind every record that was acked before its send() call."
    ReaderOrder "B7" "reader-order" User
        "A consumer is given the records of a partition in order and without a gap."
    RepeatableRead "B8" "repeatable-read" User
        "What a consumer was given is in the log in the end, at the same offset."
    AbortedRead "B9" "no-aborted-read" User
        "Who reads committed records is given no record of an aborted transaction."
    EarlyRead "B10" "no-early-read" User
        "Who reads committed records is given none before its commit was asked for."
    Atomicity "B11" "atomicity" User
        "The records of a transaction count together or not at all, as its application was told."
    Cycles "B12" "no-cycle" User
        "No two committed transactions have read each other's records."
    StableProgress "B13" "stable-progress" User
        "Who reads committed records gets to the end of the log."
    Fencing "B14" "fencing" User
        "Once an instance of a transactional id is initialised, no older one commits anything."
    ProcessedAtLeastOnce "B15" "processed-at-least-once" User
        "Every record below a committed offset was processed."
    ProcessedAtMostOnce "B16" "processed-at-most-once" User
        "No record is processed twice."
    ExactlyOnce "B17" "exactly-once" User
        "Every input that was committed has its output exactly once."
    TruthfulErrors "B18" "truthful-errors" User
        "A record that was refused for certain is not in the log, an acked one was appended."
    SpuriousFatal "B19" "no-spurious-fatal" User
        "A producer that does nothing wrong is not told that it is fenced or out of sequence."
    Progress "B20" "progress" User
        "Every call is answered in the time that the settings give it."
    Ownership "B21" "ownership" User
        "In one generation of a group a partition belongs to one member."
    LogMatching "W1" "log-matching" Oracle
        "Two replicas are equal below the lower of their high watermarks."
    LeaderCompleteness "W2" "leader-completeness" Oracle
        "A new leader's log has everything that was committed."
    Truncation "W5" "no-committed-truncation" Oracle
        "No replica cuts committed records from its log."
    UniqueIdentity "W6" "unique-identity" Oracle
        "No two live producers have the same producer id and producer epoch."
    Sequences "W7" "sequences" Oracle
        "A leader appends the sequence numbers of a producer epoch without gap and repetition."
    DoubleAppend "W8" "no-double-append" Oracle
        "No leader appends a record that its log has already."
    KnownTransactions "W9" "known-transactions" Oracle
        "Every transaction that is open in a partition is known to its coordinator."
    Markers "W10" "markers" Oracle
        "A marker ends the transaction that it is meant for, as its other markers do."
    StableOffset "W11" "stable-offset" Oracle
        "The last stable offset is where the first undecided transaction begins."
    ProducerState "W12" "producer-state" Oracle
        "What a leader knows of a producer is what its own log says."
    TransactionalOffsets "W13" "transactional-offsets" Oracle
        "A group has the offsets of a transaction exactly if the transaction is committed."
}

impl CheckerId {
    /// What a run must have for it to examine anything.
    pub const fn subject(self) -> Subject {
        match self {
            Self::AbortedRead
            | Self::Atomicity
            | Self::StableProgress
            | Self::Fencing
            | Self::KnownTransactions
            | Self::Markers
            | Self::StableOffset
            | Self::TransactionalOffsets => Subject::Transactions,
            Self::ReaderOrder
            | Self::RepeatableRead
            | Self::EarlyRead
            | Self::Cycles
            | Self::ProcessedAtLeastOnce
            | Self::ProcessedAtMostOnce
            | Self::ExactlyOnce
            | Self::Ownership => Subject::Consumers,
            _ => Subject::Records,
        }
    }
}

impl fmt::Display for CheckerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// One fact of a run, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactRef {
    /// Its position from 0: in the recording, if the run was judged from one, else among the
    /// facts that [`crate::History`] wants.
    pub index: u64,
    /// When it happened.
    pub at: Instant,
    /// What kind it is.
    pub kind: FactKind,
}

/// A run of records of one session and partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Records {
    /// The session.
    pub session: SessionId,
    /// The partition.
    pub partition: TopicPartition,
    /// Their ordinals.
    pub run: Run,
}

/// In which way something is broken, where a checker tells more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// The only way.
    Plain,
    /// Lost: no log that counts has the record.
    Storage,
    /// Lost for readers: the leader's log has the record above its high watermark.
    Unreadable,
    /// The log was cut below the part that the checker remembers.
    Forgotten,
    /// Acked, but never appended by any leader.
    FalseAck,
    /// Refused for certain, but in the log.
    FalseFailure,
    /// The record is at another offset.
    Elsewhere,
    /// Another record is at the offset.
    Replaced,
    /// A record that was never sent.
    NeverSent,
    /// A missing record before a present one.
    Gap,
    /// A send() or a record without an answer.
    Unanswered,
    /// A call of send() that never returned.
    Blocked,
    /// A sequence number that was appended before.
    Repeated,
    /// A sequence number too high.
    Skipped,
    /// A first sequence number that is not 0.
    Unanchored,
    /// A producer epoch that is too low.
    OldEpoch,
    /// A sequence number that comes next was refused.
    RefusedNext,
    /// A repeated batch was not recognised but refused.
    RefusedDuplicate,
    /// A batch was taken for another one.
    WrongDuplicate,
    /// Replicas still differ in the end.
    NotConverged,
    /// Lost for readers: the log has the record, and a marker says that it does not count.
    Undone,
    /// Told committed, and it does not count.
    FalseCommit,
    /// Told aborted or never committed, and it counts.
    FalseAbort,
    /// Part of a transaction counts and part does not.
    Torn,
    /// Given after a later record.
    Backwards,
    /// Never given, although a later record was.
    PassedOver,
    /// Given, and not in the log any more.
    Vanished,
    /// A reader of committed records finds it in the end.
    Visible,
    /// A call of an instance that was replaced succeeded.
    ZombieCommit,
    /// A record that an instance sent after it was replaced counts.
    ZombieRecord,
    /// A marker that ends records of two transactions.
    Mixed,
    /// A marker that nobody asked for.
    WrongEnd,
    /// Markers of one transaction that say different things.
    Disagreed,
    /// A call that ends a transaction and did not return.
    Waiting,
    /// A call of initTransactions() that did not return.
    Initializing,
    /// A transactional call failed for good.
    Call,
}

/// A transaction by its number in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionName {
    /// The session.
    pub session: SessionId,
    /// Counts the transactions of the session from 0.
    pub number: u32,
}

/// Something a checker found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who found it.
    pub checker: CheckerId,
    /// How grave it is.
    pub verdict: Verdict,
    /// In which way.
    pub aspect: Aspect,
    /// The guarantee it is judged by.
    pub guarantee: Guarantee,
    /// Why the guarantee does not hold here, if the verdict is [`Verdict::Allowed`].
    pub excuse: Option<Reason>,
    /// The records, in runs; at most [`Finding::RUNS_MAX`] of them.
    pub records: Vec<Records>,
    /// How many records in all.
    pub total: u64,
    /// The offset concerned, for checkers that look at one.
    pub offset: Option<u64>,
    /// The transaction concerned, for checkers that look at one.
    pub transaction: Option<TransactionName>,
    /// The consumer concerned, for checkers that look at one.
    pub consumer: Option<ConsumerId>,
    /// The fact that decides it, if it is known at once.
    pub decisive: Option<FactRef>,
}

impl Finding {
    /// More runs than these are counted but not listed.
    pub const RUNS_MAX: usize = 64;
}

/// What became of the records of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages given to send(): queued or refused.
    pub sent: u64,
    /// Records whose sender was told that they are delivered.
    pub acked: u64,
    /// Records whose sender was told that they failed.
    pub failed: u64,
    /// Messages that send() refused.
    pub refused: u64,
    /// Records whose sender was never told anything.
    pub unknown: u64,
    /// Acked, and not among the records that a reader finds.
    pub lost: u64,
    /// Those of the lost that the leader's log has above its high watermark.
    pub unreadable: u64,
    /// Copies of a record beyond its first.
    pub duplicated: u64,
    /// Records whose first copy is behind that of a record that was sent later.
    pub reordered: u64,
    /// Failed, and found by a reader all the same.
    pub failed_but_present: u64,
    /// Records that a reader finds, copies included.
    pub read: u64,
    /// Transactions that are committed, as their application was told.
    pub transactions_committed: u64,
    /// Transactions that are aborted, as their application was told.
    pub transactions_aborted: u64,
    /// Transactions whose application was never told how they ended.
    pub transactions_unknown: u64,
    /// Records that poll() returned, each time counted.
    pub returned: u64,
    /// Effects outside of Kafka: records that were processed, each time counted.
    pub processed: u64,
    /// Effects of a record beyond its first.
    pub processed_twice: u64,
    /// Records below a committed offset that nobody processed, or made messages of that count.
    pub skipped: u64,
}

/// What one checker says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opinion {
    /// The gravest of its findings, or that there is none.
    pub verdict: Verdict,
    /// How many facts or records it examined.
    pub examined: u64,
}

/// What all checkers say of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// By checker. Apart from one another they are half as large.
    verdicts: [Verdict; CheckerId::ALL.len()],
    examined: [u64; CheckerId::ALL.len()],
    /// What became of the records.
    pub counts: Counts,
    /// Everything that was found, in the order of the checkers.
    pub findings: Vec<Finding>,
}

impl Default for Judgement {
    /// Nothing was judged.
    fn default() -> Self {
        Self {
            verdicts: [Verdict::Vacuous; CheckerId::ALL.len()],
            examined: [0; CheckerId::ALL.len()],
            counts: Counts::default(),
            findings: Vec::new(),
        }
    }
}

impl Judgement {
    /// What one checker says.
    pub const fn opinion(&self, checker: CheckerId) -> Opinion {
        let (verdict, examined) =
            (self.verdicts[checker as usize], self.examined[checker as usize]);
        Opinion { verdict, examined }
    }

    /// Every checker with what it says.
    pub fn opinions(&self) -> impl Iterator<Item = (CheckerId, Opinion)> + '_ {
        CheckerId::ALL.iter().map(|checker| (*checker, self.opinion(*checker)))
    }

    /// The gravest verdict.
    pub fn worst(&self) -> Verdict {
        self.verdicts.iter().copied().max().unwrap_or_default()
    }

    /// The findings of one checker.
    pub fn findings_of(&self, checker: CheckerId) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.checker == checker)
    }

    pub(crate) fn clear(&mut self) {
        self.verdicts = [Verdict::Vacuous; CheckerId::ALL.len()];
        self.examined = [0; CheckerId::ALL.len()];
        self.counts = Counts::default();
        self.findings.clear();
    }

    /// Notes that a checker has examined something.
    pub(crate) fn examined(&mut self, checker: CheckerId, count: u64) {
        self.examined[checker as usize] += count;
        if count > 0 {
            let verdict = &mut self.verdicts[checker as usize];
            *verdict = (*verdict).max(Verdict::Ok);
        }
    }

    /// Notes a finding.
    pub(crate) fn find(&mut self, finding: Finding) {
        let verdict = &mut self.verdicts[finding.checker as usize];
        *verdict = (*verdict).max(finding.verdict);
        self.findings.push(finding);
    }
}
