//! The same for what is about transactions and consumers.

use crate::verdict::{Aspect, CheckerId, Finding};
use inflight_trace::Namer;
use inflight_trace::story::range;

/// What was found, in one sentence. The subject are the records, if it is about records.
pub(super) fn of(finding: &Finding, subject: &str, namer: &Namer) -> String {
    let single = finding.total == 1;
    let (is, was) = if single { ("is", "was") } else { ("are", "were") };
    let does = if single { "does" } else { "do" };
    let counts = if single { "counts" } else { "count" };
    let at = finding
        .offset
        .map_or(String::new(), |offset| format!(" at {}", range("offset", offset, 1)));
    let whose = finding.transaction.map_or_else(
        || "a transaction".to_owned(),
        |name| format!("transaction {} of {}", name.number, namer.session(name.session)),
    );
    let reader = finding
        .consumer
        .map_or_else(|| "a consumer".to_owned(), |consumer| namer.consumer(consumer));
    match (finding.checker, finding.aspect) {
        (CheckerId::TruthfulErrors, Aspect::FalseCommit) => {
            format!("{subject} {was} told to be committed and {does} not count")
        }
        (CheckerId::TruthfulErrors, _) => {
            format!("{subject} {was} told to be aborted and {counts}")
        }
        (CheckerId::SpuriousFatal, _) => {
            format!("a call in {whose} failed with an error that is meant for rivals")
        }
        (CheckerId::Progress, _) => format!("the call that ends {whose} never returned"),
        (CheckerId::ReaderOrder, Aspect::Backwards) => {
            format!("{reader} was given {subject}{at} after later ones")
        }
        (CheckerId::ReaderOrder, _) => {
            format!("{reader} was never given {subject}{at}, although it was given later ones")
        }
        (CheckerId::RepeatableRead, Aspect::Vanished) => {
            format!("{reader} was given {subject}{at}, where the log ends before")
        }
        (CheckerId::RepeatableRead, Aspect::Undone) => {
            format!("{reader} was given {subject}{at}, and who reads it again is not")
        }
        (CheckerId::RepeatableRead, _) => {
            format!("{reader} was given {subject}{at}, where something else is")
        }
        (CheckerId::AbortedRead, Aspect::Visible) => {
            format!("{subject} {counts}, although {whose} {}", not_committed(finding))
        }
        (CheckerId::AbortedRead, _) => {
            format!("{reader} was given {subject}{at} of {whose}, which {}", not_committed(finding))
        }
        (CheckerId::EarlyRead, _) => {
            format!("{reader} was given {subject}{at} before anybody asked to commit {whose}")
        }
        (CheckerId::Atomicity, Aspect::Torn) => {
            format!("{whose} is torn: {subject} {is} on the wrong side")
        }
        (CheckerId::Atomicity, Aspect::FalseCommit) => {
            format!("{whose} was told to be committed, and {subject} {does} not count")
        }
        (CheckerId::Atomicity, _) => {
            format!("{whose} was not committed, and {subject} {counts}")
        }
        (CheckerId::Cycles, _) => format!("{whose} has read what depends on itself"),
        (CheckerId::StableProgress, _) => {
            format!("who reads committed records waits before {subject}{at} and will not get on")
        }
        (CheckerId::Fencing, Aspect::ZombieRecord) => {
            format!("{subject} of an instance that was replaced {counts}")
        }
        (CheckerId::Fencing, _) => {
            format!("{whose} was committed by an instance that was replaced")
        }
        (CheckerId::ProcessedAtLeastOnce, _) => {
            format!("{subject}{at} {was} never processed, though a later offset was committed")
        }
        (CheckerId::ProcessedAtMostOnce, _) => format!("{subject}{at} {was} processed twice"),
        (CheckerId::ExactlyOnce, Aspect::Repeated) => {
            format!("{subject}{at} {was} made into messages that count twice")
        }
        (CheckerId::ExactlyOnce, _) => {
            format!("{subject}{at} {was} committed and no message that was made of it counts")
        }
        (CheckerId::Ownership, _) => {
            format!("{reader} was given a partition that another member has in this generation")
        }
        (CheckerId::UniqueIdentity, _) => {
            "two live producers have the same producer id and producer epoch".to_owned()
        }
        (CheckerId::KnownTransactions, _) => {
            format!("{subject}{at} opened a transaction that its coordinator does not know")
        }
        (CheckerId::Markers, Aspect::Mixed) => {
            format!("a marker{at} ended {subject} together with another transaction")
        }
        (CheckerId::Markers, Aspect::Disagreed) => {
            format!("a marker{at} ended {subject} in another way than the other markers did")
        }
        (CheckerId::Markers, _) => {
            format!("a marker{at} ended {subject} in a way that nobody asked for")
        }
        (CheckerId::StableOffset, _) => {
            format!(
                "the last stable offset{at} is not where the first undecided transaction begins"
            )
        }
        (CheckerId::TransactionalOffsets, Aspect::FalseCommit) => {
            format!("{whose} is committed and its offsets are not")
        }
        (CheckerId::TransactionalOffsets, _) => {
            "a group has offsets of a transaction that is not committed".to_owned()
        }
        _ => format!("{subject}{at}: {}", finding.checker.definition()),
    }
}

/// In which way a transaction is not committed.
const fn not_committed(finding: &Finding) -> &'static str {
    match finding.excuse {
        Some(_) => "was aborted",
        None => "was not committed",
    }
}
