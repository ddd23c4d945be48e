//! Each checker is seen to fire, and to keep quiet on a near miss.

mod anything;
mod consumers;
mod explain;
mod oracle;
mod random;
mod reference;
mod transactions;
mod user;

use crate::script::Script;
use crate::verdict::{Aspect, CheckerId, Verdict, View};
use crate::{Judgement, judge_facts};

fn judged(script: &Script) -> Judgement {
    judge_facts(&script.description, &script.facts, View::Oracle)
}

/// What one checker says, and in which way.
fn says(script: &Script, checker: CheckerId) -> (Verdict, Option<Aspect>, u64) {
    let judgement = judged(script);
    let grave = judgement.findings_of(checker).max_by_key(|finding| finding.verdict);
    let verdict = judgement.opinion(checker).verdict;
    (verdict, grave.map(|f| f.aspect), grave.map_or(0, |finding| finding.total))
}

#[test]
fn a_file_says_what_memory_says() {
    use inflight_trace::jsonl::{Ending, Trace};
    let script = Script::new().plain().queue(0, 2).append(1, 0, 0, 2).append(1, 0, 0, 1);
    let script = script.replicate(1).ack(0, 0, 2, 1).end();
    let Script { description, facts, .. } = script;
    let (events, count, digest) = (0, facts.len() as u64, String::new());
    let ending = Ending { events, facts: count, digest, halt: inflight_des::Halt::Quiescent };
    let trace = Trace { description, facts, ending };
    let mut bytes = Vec::new();
    trace.write(&mut bytes).unwrap();
    let read = Trace::read(bytes.as_slice()).unwrap();
    let report = crate::judge_recording(&read.description, &read.facts);
    assert_eq!(report, crate::judge_recording(&trace.description, &trace.facts));
    assert_eq!(report.judgement.worst(), Verdict::Allowed);
}
