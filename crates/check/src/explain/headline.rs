//! A finding in one sentence.

mod exactly_once;

use super::name;
use super::trail::Record;
use crate::verdict::{Aspect, CheckerId, Finding};
use inflight_trace::Namer;
use inflight_trace::story::range;

/// What was found, in one sentence. The other record is the one that explains it.
pub(super) fn of(finding: &Finding, other: Option<Record>, namer: &Namer) -> String {
    let subject = match finding.records.first() {
        None => String::new(),
        Some(first) => {
            let rest = finding.total.saturating_sub(first.run.len());
            let more = match rest {
                0 => String::new(),
                rest => format!(" and {rest} more"),
            };
            format!("{}{more}", name(first, namer))
        }
    };
    let single = finding.total == 1;
    let (is, was) = if single { ("is", "was") } else { ("are", "were") };
    let (has, it) = if single { ("has", "it") } else { ("have", "them") };
    let at = finding
        .offset
        .map_or(String::new(), |offset| format!(" at {}", range("offset", offset, 1)));
    match (finding.checker, finding.aspect) {
        (CheckerId::NoLoss, Aspect::Unreadable) => {
            format!(
                "{subject} {was} acked, and {is} in the leader's log where no reader finds it yet"
            )
        }
        (CheckerId::NoLoss, Aspect::Undone) => {
            format!(
                "{subject} {was} acked and committed, and {is} lost to who reads committed records"
            )
        }
        (CheckerId::NoLoss, _) => format!("{subject} {was} acked and {is} lost"),
        (CheckerId::Integrity, _) => format!("{subject} {is} in the log{at} and {was} never sent"),
        (CheckerId::OffsetAgreement, Aspect::Replaced) => {
            format!("{subject} {was} acked{at}, where another record is")
        }
        (CheckerId::OffsetAgreement, _) => format!("{subject} {was} acked{at} and {is} elsewhere"),
        (CheckerId::TransportDuplicate, _) => {
            format!("{subject} {is} in the log more than once, again{at}")
        }
        (CheckerId::MessageDuplicate, _) => {
            let repeat = if single { "repeats a message" } else { "repeat messages" };
            let other = other.filter(|_| single).map_or(String::new(), |other| {
                format!(", as {}", range("record", other.ordinal, 1))
            });
            format!("{subject} {repeat} that the log has already{other}")
        }
        (CheckerId::SessionOrder, _) => {
            format!("{subject} {is} in the log{at}, behind a record that was sent later")
        }
        (CheckerId::MessageOrder, _) => {
            format!("{subject} {has} messages behind later ones of the application")
        }
        (CheckerId::Prefix, _) => {
            format!("{subject} {is} missing before a record that was sent later")
        }
        (CheckerId::AppendOrder, _) => {
            format!("{subject} {is} in the log{at}, before a record that was acked before the call")
        }
        (CheckerId::TruthfulErrors, Aspect::FalseAck) => {
            format!("{subject} {was} acked, and no leader ever appended it")
        }
        (CheckerId::TruthfulErrors, Aspect::FalseCommit | Aspect::FalseAbort) => {
            exactly_once::of(finding, &subject, namer)
        }
        (CheckerId::TruthfulErrors, _) => {
            format!("{subject} {was} refused for certain and {is} in the log")
        }
        (CheckerId::SpuriousFatal, Aspect::Call) | (CheckerId::Progress, Aspect::Waiting) => {
            exactly_once::of(finding, &subject, namer)
        }
        (CheckerId::SpuriousFatal, _) => {
            format!("{subject} failed with an error that is meant for rivals")
        }
        (CheckerId::Progress, Aspect::Blocked) => "a call of send() never returned".to_owned(),
        (CheckerId::Progress, Aspect::Initializing) => {
            "a call of initTransactions() never returned".to_owned()
        }
        (CheckerId::Progress, _) => format!("{subject} {was} never answered"),
        (CheckerId::LogMatching, Aspect::NotConverged) => {
            format!("replicas still differ in the end{at}")
        }
        (CheckerId::LogMatching, _) => format!("replicas differ below both high watermarks{at}"),
        (CheckerId::LeaderCompleteness, _) => {
            format!("a new leader's log lacks committed records from its end{at}")
        }
        (CheckerId::Truncation, _) => {
            format!("a replica cut committed records, down to its end{at}")
        }
        (CheckerId::Sequences, Aspect::Repeated) => {
            format!("{subject} {was} appended{at} with sequence numbers that were used before")
        }
        (CheckerId::Sequences, Aspect::Skipped) => {
            format!("{subject} {was} appended{at} although sequence numbers are missing before it")
        }
        (CheckerId::Sequences, _) => {
            format!("{subject} {was} appended{at} with a first sequence number that is not 0")
        }
        (CheckerId::DoubleAppend, _) => {
            format!("{subject} {was} appended again, though the log had {it}{at}")
        }
        (CheckerId::ProducerState, Aspect::WrongDuplicate) => {
            format!("{subject} {was} taken for another batch")
        }
        (CheckerId::ProducerState, Aspect::RefusedNext) => {
            format!("{subject} {was} refused although the log's next sequence number is its first")
        }
        (CheckerId::ProducerState, Aspect::RefusedDuplicate) => {
            format!("{subject} {was} refused although it is the log's last batch")
        }
        (CheckerId::ProducerState, _) => {
            format!("{subject} {was} accepted{at} against what the log says of its producer")
        }
        _ => exactly_once::of(finding, &subject, namer),
    }
}
