//! What each kind of fact looks like in lanes: glyph, colour, column, verb, words.

use inflight_protocol::Fact;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::fact::FactKind::{self, *};
use std::fmt::Write;

/// Which characters may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GlyphSet {
    /// Any.
    #[default]
    Unicode,
    /// Plain ASCII.
    Ascii,
}

/// What a fact means for records, which is what colours tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A client does its work.
    Client,
    /// A leader's log grows.
    Leader,
    /// A follower's log grows.
    Follower,
    /// Something is safe or delivered.
    Good,
    /// Something is lost, refused or down.
    Bad,
    /// A record was recognised, renumbered or sent again.
    Again,
    /// The cluster changes.
    Cluster,
    /// Messages and the like.
    Quiet,
}

impl Role {
    /// The escape sequence that switches its colour on.
    pub const fn ansi(self) -> &'static str {
        match self {
            Self::Client => "\u{1b}[34m",
            Self::Leader => "\u{1b}[36m",
            Self::Follower | Self::Quiet => "\u{1b}[2m",
            Self::Good => "\u{1b}[32m",
            Self::Bad => "\u{1b}[31m",
            Self::Again => "\u{1b}[35m",
            Self::Cluster => "\u{1b}[33m",
        }
    }
}

/// The character of a kind of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyph {
    /// As it looks best.
    pub unicode: char,
    /// In plain ASCII.
    pub ascii: char,
    /// What its colour tells.
    pub role: Role,
}

impl Glyph {
    /// The character of a set.
    pub const fn text(self, set: GlyphSet) -> char {
        match set {
            GlyphSet::Unicode => self.unicode,
            GlyphSet::Ascii => self.ascii,
        }
    }
}

/// What a kind looks like.
pub(super) struct Row {
    kind: FactKind,
    glyph: Glyph,
    /// The field that names who acts, or `controller`, or nothing.
    pub(super) actor: &'static str,
    pub(super) verb: &'static str,
    /// A template of the story crate's kind.
    pub(super) words: &'static str,
}

/// The row of a kind.
pub(super) fn row_of(kind: FactKind) -> &'static Row {
    const UNKNOWN: Row = row(RunEnded, g('·', ','), Role::Quiet, "", "?", "");
    ROWS.iter().find(|row| row.kind == kind).unwrap_or(&UNKNOWN)
}

/// The glyph of a fact. What a leader appends and what a follower copies differ.
pub fn glyph_of(fact: &Fact) -> Glyph {
    match fact {
        Fact::BatchAppended { origin: AppendOrigin::Replication, .. } => COPIED,
        _ => row_of(fact.kind()).glyph,
    }
}

const COPIED: Glyph = Glyph { unicode: 'a', ascii: 'a', role: Role::Follower };

/// Every glyph with what it stands for.
pub fn legend(set: GlyphSet) -> String {
    let mut text = String::new();
    let mut shown = Vec::new();
    for row in ROWS {
        let glyph = row.glyph.text(set);
        if shown.contains(&glyph) {
            continue;
        }
        shown.push(glyph);
        let mut verbs: Vec<_> =
            ROWS.iter().filter(|other| other.glyph == row.glyph).map(|other| other.verb).collect();
        verbs.dedup();
        let _ = writeln!(text, "{glyph}  {}", verbs.join(", "));
        if row.kind == BatchAppended {
            let _ = writeln!(text, "{}  {} by a follower", COPIED.text(set), row.verb);
        }
    }
    text
}

const fn g(unicode: char, ascii: char) -> (char, char) {
    (unicode, ascii)
}

const fn row(
    kind: FactKind,
    (unicode, ascii): (char, char),
    role: Role,
    actor: &'static str,
    verb: &'static str,
    words: &'static str,
) -> Row {
    Row { kind, glyph: Glyph { unicode, ascii, role }, actor, verb, words }
}

/// One row a kind, in the order of the vocabulary.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(ProducerStarted, g('(', '('), Role::Client, "client", "started", "{session}"),
    row(ProducerStopped, g(')', ')'), Role::Bad, "session", "stopped", "{session} {how}"),
    row(ProducerPaused, g('z', 'z'), Role::Bad, "client", "paused", "{client}"),
    row(ProducerResumed, g('w', 'w'), Role::Client, "client", "resumed", "{client}"),
    row(RecordsQueued, g('+', '+'), Role::Client, "session", "queued", "{partition} {records} {messages}"),
    row(SendBlocked, g('|', '|'), Role::Quiet, "session", "blocked", "{session} waits for {on}"),
    row(SendReturned, g('/', '/'), Role::Quiet, "session", "returned", "{session} after {waited}"),
    row(SendRefused, g('✗', 'X'), Role::Bad, "session", "refused", "{session} {messages} {error}"),
    row(ProducerIdAssigned, g('i', 'i'), Role::Quiet, "session", "producer id", "{producer_id} producer epoch {producer_epoch}"),
    row(ProducerEpochBumped, g('E', 'E'), Role::Again, "session", "bumped", "{session} producer epoch {producer_epoch}"),
    row(SequenceRewritten, g('S', 'S'), Role::Again, "session", "renumbered", "{partition} {records} sequence {from} to {to} producer epoch {producer_epoch}"),
    row(SequenceUnresolved, g('?', '?'), Role::Again, "session", "unresolved", "{partition} before sequence {next_sequence}"),
    row(BatchDrained, g('>', '>'), Role::Client, "session", "produce", "{broker} {partition} {records}[ {sequences}] {attempt} attempt"),
    row(BatchRequeued, g('<', '<'), Role::Again, "session", "requeued", "{partition} {records} {error}"),
    row(BatchSplit, g('Y', 'Y'), Role::Again, "session", "split", "{partition} into {children}"),
    row(BatchExpired, g('T', 'T'), Role::Bad, "session", "expired", "{partition} {records} {place}"),
    row(RecordsAcked, g('✓', 'v'), Role::Good, "session", "acked", "{partition} {records}[ {offsets}]"),
    row(RecordsFailed, g('✘', 'F'), Role::Bad, "session", "FAILED", "{partition} {records} {error}"),
    row(MetadataUpdated, g('m', 'm'), Role::Quiet, "session", "learned", "of the cluster from {broker} by {through}"),
    row(TransactionsInitialized, g('q', 'q'), Role::Client, "session", "init", "{transactional_id} producer id {producer_id} producer epoch {producer_epoch}"),
    row(TransactionBegun, g('[', '['), Role::Client, "session", "begin", "transaction {transaction}"),
    row(OffsetsAddedToTransaction, g('O', 'O'), Role::Client, "session", "offsets", "{group} {partition} offset {offset} in transaction {transaction}"),
    row(TransactionEnding, g('y', 'y'), Role::Client, "session", "ending", "{result} transaction {transaction}"),
    row(TransactionEnded, g(']', ']'), Role::Good, "session", "ended", "{result} transaction {transaction}"),
    row(TransactionCallFailed, g('✘', 'F'), Role::Bad, "session", "FAILED", "{call} transaction {transaction} {error}, left: {recovery}"),
    row(ProducerStateChanged, g('N', 'N'), Role::Quiet, "session", "state", "{from} to {to}"),
    row(ConsumerStarted, g('(', '('), Role::Client, "client", "started", "{consumer}[ of {group}] {isolation}"),
    row(ConsumerStopped, g(')', ')'), Role::Bad, "consumer", "stopped", "{consumer} {how}"),
    row(MemberStateChanged, g('N', 'N'), Role::Quiet, "consumer", "state", "{from} to {to}"),
    row(PartitionAssigned, g('H', 'H'), Role::Client, "consumer", "assigned", "{partition} generation {generation}"),
    row(PartitionRevoked, g('u', 'u'), Role::Again, "consumer", "revoked", "{partition} {why}"),
    row(PositionSet, g('Z', 'Z'), Role::Quiet, "consumer", "position", "{partition} offset {offset} {source}"),
    row(RecordsReturned, g('g', 'g'), Role::Client, "consumer", "polled", "{partition} {offsets}: {records} of {session}"),
    row(AbortedRecordsSkipped, g('j', 'j'), Role::Quiet, "consumer", "skipped", "{partition} {offsets} aborted"),
    row(RecordsProcessed, g('$', '$'), Role::Good, "consumer", "processed", "{partition} {offsets}, {known} left out"),
    row(RecordsTransformed, g('t', 't'), Role::Client, "consumer", "made", "{messages} of {partition} {offsets}"),
    row(OffsetCommitRequested, g('c', 'c'), Role::Client, "consumer", "commit", "{partition} offset {offset} {mode}"),
    row(OffsetCommitReturned, g('C', 'C'), Role::Good, "consumer", "committed", "{partition} offset {offset} {mode} {error|success}"),
    row(ConsumerFailed, g('✘', 'F'), Role::Bad, "consumer", "FAILED", "{consumer} {error}"),
    row(ConnectionOpened, g('o', 'o'), Role::Quiet, "connection", "opened", "{connection} to {to}"),
    row(ConnectionClosed, g('x', 'x'), Role::Bad, "at", "closed", "{connection} {why}"),
    row(MessageSent, g('→', 's'), Role::Quiet, "from", "sent", "{api} {direction} {correlation} to {to}"),
    row(MessageDelivered, g('←', 'd'), Role::Quiet, "to", "got", "{api} {direction} {correlation} from {from}"),
    row(MessageLost, g('~', '~'), Role::Bad, "from", "LOST", "{api} {direction} {correlation} to {to} {why}"),
    row(LinkCut, g('#', '#'), Role::Bad, "from", "cut", "{from} to {to}"),
    row(LinkHealed, g('h', 'h'), Role::Cluster, "from", "healed", "{from} to {to}"),
    row(LinkSlowed, g('l', 'l'), Role::Cluster, "from", "slowed", "{from} to {to} by {by}"),
    row(BatchAppended, g('A', 'A'), Role::Leader, "broker", "appended", "{broker} {partition} {offsets} {records} of {session} (leader epoch {leader_epoch}[, producer epoch {raised_epoch}][, {sequences}])"),
    row(DuplicateRecognized, g('=', '='), Role::Again, "broker", "duplicate", "{broker} {partition} {records} of {session} is {offsets}"),
    row(ProducerStateExpired, g('e', 'e'), Role::Cluster, "broker", "forgot", "{broker} {partition} producer id {producer_id}"),
    row(BatchRejected, g('R', 'R'), Role::Bad, "broker", "rejected", "{broker} {partition} {records} of {session} {error}"),
    row(ProduceDelayed, g('W', 'W'), Role::Quiet, "broker", "waits", "{broker} {partition} for high watermark {required_offset}"),
    row(ProduceDecided, g('r', 'r'), Role::Quiet, "broker", "answers", "{broker} {partition} {records} of {session} {error|success}"),
    row(HighWatermarkAdvanced, g('^', '^'), Role::Good, "broker", "committed", "{broker} {partition} high watermark {to}"),
    row(HighWatermarkRegressed, g('_', '_'), Role::Bad, "broker", "uncommits", "{broker} {partition} high watermark {from} to {to}"),
    row(FollowerAdvanced, g('f', 'f'), Role::Follower, "broker", "heard", "{broker} {partition} {follower} has offsets below {log_end_offset}"),
    row(LogTruncated, g('%', '%'), Role::Bad, "broker", "TRUNCATED", "{broker} {partition} end {from} to {to}"),
    row(LogFlushed, g('k', 'k'), Role::Quiet, "broker", "flushed", "{broker} {partition} below {to}"),
    row(LogRecovered, g('L', 'L'), Role::Cluster, "broker", "recovered", "{broker} {partition} end {from} to {to} high watermark {high_watermark}"),
    row(IsrProposed, g('p', 'p'), Role::Cluster, "broker", "proposes", "{broker} {partition} isr {from|none} to {to|none}"),
    row(BecameLeader, g('*', '*'), Role::Cluster, "broker", "leader", "{broker} {partition} leader epoch {leader_epoch} from {start_offset}"),
    row(BecameFollower, g('-', '-'), Role::Cluster, "broker", "follower", "{broker} {partition} of {leader|nobody} leader epoch {leader_epoch}"),
    row(BrokerCrashed, g('!', '!'), Role::Bad, "broker", "CRASHED", "{broker} {surviving} survives"),
    row(BrokerStarted, g('(', '('), Role::Client, "broker", "started", "{broker}"),
    row(BrokerStopped, g(')', ')'), Role::Bad, "broker", "stopped", "{broker}"),
    row(BrokerPaused, g('z', 'z'), Role::Bad, "broker", "paused", "{broker}"),
    row(BrokerResumed, g('w', 'w'), Role::Client, "broker", "resumed", "{broker}"),
    row(DiskSlowed, g('D', 'D'), Role::Cluster, "broker", "disk slow", "{broker} by {by}"),
    row(MetadataApplied, g('M', 'M'), Role::Quiet, "broker", "applied", "{broker} version {version}"),
    row(CoordinatorLoaded, g('Q', 'Q'), Role::Cluster, "broker", "coordinates", "{partition} coordinator epoch {coordinator_epoch}"),
    row(CoordinatorUnloaded, g('U', 'U'), Role::Cluster, "broker", "hands over", "{partition}"),
    row(InternalRecordsAppended, g('n', 'n'), Role::Quiet, "broker", "wrote", "{partition} {offsets} leader epoch {leader_epoch} {origin}"),
    row(TransactionStatePending, g(';', ';'), Role::Quiet, "broker", "pending", "{transactional_id} {from} to {to} producer epoch {producer_epoch}"),
    row(TransactionStateChanged, g(':', ':'), Role::Cluster, "broker", "txn state", "{transactional_id} {from} to {to} producer epoch {producer_epoch}"),
    row(TransactionPartitionAdded, g('`', '`'), Role::Cluster, "broker", "added", "{transactional_id} {partition}"),
    row(TransactionTimedOut, g('T', 'T'), Role::Bad, "broker", "expired", "{transactional_id} producer epoch {producer_epoch}"),
    row(TransactionRequestRejected, g('✗', 'X'), Role::Bad, "broker", "refused", "{api} {transactional_id} {error}"),
    row(TransactionVerified, g('V', 'V'), Role::Quiet, "broker", "verified", "{partition} producer epoch {producer_epoch} {error|yes}"),
    row(MarkerAppended, g('B', 'B'), Role::Leader, "broker", "marker", "{result} {partition} offset {offset} producer epoch {producer_epoch} {origin}"),
    row(MarkerSkipped, g('∅', '9'), Role::Bad, "broker", "left out", "{result} marker for {partition} producer epoch {producer_epoch}: no leader"),
    row(MarkerRejected, g('✗', 'X'), Role::Bad, "broker", "refused", "marker {partition} producer epoch {producer_epoch} {error}"),
    row(LastStableOffsetAdvanced, g('0', '0'), Role::Good, "broker", "LSO", "{partition} {from} to {to}"),
    row(GroupOffsetCommitted, g('C', 'C'), Role::Good, "broker", "committed", "{group} {partition} offset {offset}"),
    row(GroupOffsetPending, g(';', ';'), Role::Quiet, "broker", "pending", "{group} {partition} offset {offset}"),
    row(MemberJoined, g('J', 'J'), Role::Cluster, "broker", "joined", "{group} {client}"),
    row(MemberRemoved, g('K', 'K'), Role::Bad, "broker", "removed", "{group} {client} {why}"),
    row(GroupRebalanced, g('P', 'P'), Role::Cluster, "broker", "rebalanced", "{group} generation {generation}, {members} members"),
    row(TargetAssigned, g('4', '4'), Role::Cluster, "broker", "target", "{group} epoch {epoch}, {members} members"),
    row(MemberReconciled, g('8', '8'), Role::Cluster, "broker", "reconciled", "{group} {client} epoch {epoch} {state}, {assigned} assigned, {revoking} to revoke"),
    row(GroupRequestRejected, g('✗', 'X'), Role::Bad, "broker", "refused", "{api} {group} {client}[ epoch {epoch}] {error}"),
    row(BrokerRegistered, g('G', 'G'), Role::Cluster, "controller", "registered", "{broker} broker epoch {broker_epoch} after {after}"),
    row(BrokerFenced, g('{', '{'), Role::Bad, "controller", "fenced", "{broker}"),
    row(BrokerUnfenced, g('}', '}'), Role::Cluster, "controller", "unfenced", "{broker}"),
    row(IsrChanged, g('I', 'I'), Role::Cluster, "controller", "isr", "{partition} {from|none} to {to|none}[ elr {elr}]"),
    row(LeaderElected, g('@', '@'), Role::Cluster, "controller", "elected", "{partition} {leader|nobody} leader epoch {leader_epoch} {election}"),
    row(FaultInjected, g('&', '&'), Role::Bad, "", "FAULT", "{fault}"),
    row(RunEnded, g('.', '.'), Role::Quiet, "", "END", "{halt}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn the_table_has_every_kind_once_and_in_order() {
        let kinds: Vec<_> = ROWS.iter().map(|row| row.kind).collect();
        assert_eq!(kinds, FactKind::ALL);
    }

    #[test]
    fn glyphs_differ_in_both_sets_alike() {
        let mut ascii = BTreeMap::new();
        for glyph in ROWS.iter().map(|row| row.glyph).chain([COPIED]) {
            assert!(glyph.ascii.is_ascii_graphic(), "{}", glyph.unicode);
            assert_eq!(super::super::display_width(&glyph.unicode.to_string()), 1);
            let other = ascii.insert(glyph.ascii, glyph.unicode);
            assert!(other.is_none_or(|other| other == glyph.unicode), "{}", glyph.ascii);
        }
        let unicode: BTreeSet<_> = ascii.values().collect();
        assert_eq!(unicode.len(), ascii.len());
    }

    #[test]
    fn one_glyph_has_one_verb() {
        for row in ROWS {
            let same = ROWS.iter().filter(|other| other.glyph.ascii == row.glyph.ascii);
            assert!(same.into_iter().all(|other| other.verb == row.verb), "{}", row.verb);
        }
    }

    #[test]
    fn actors_are_fields() {
        for row in ROWS {
            let known = row.kind.fields().iter().any(|field| field.name == row.actor);
            assert!(known || ["controller", ""].contains(&row.actor), "{}", row.kind.name());
        }
    }
}
